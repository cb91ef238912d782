package core

import (
	"slices"
	"testing"
	"time"
)

func TestValidity(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for name, tt := range map[string]struct {
		stage   Stage
		expires time.Time
		want    Validity
		days    int
	}{
		"no end":                       {StagePublic, time.Time{}, ValidityLasting, 0},
		"91 days":                      {StagePublic, at(91 * day), ValidityValid, 91},
		"a moment over 90 days":        {StageAccepted, at(RenewalNotice + 1), ValidityValid, 90},
		"90 days":                      {StageAccepted, at(RenewalNotice), ValidityExpiring, 90},
		"tomorrow":                     {StageAccepted, at(13 * time.Hour), ValidityExpiring, 1},
		"today":                        {StageAccepted, at(11 * time.Hour), ValidityExpiring, 0},
		"in a moment":                  {StagePublic, at(1), ValidityExpiring, 0},
		"now":                          {StagePublic, now, ValidityExpired, 0},
		"yesterday":                    {StagePublic, at(-13 * time.Hour), ValidityExpired, 1},
		"five years ago":               {StagePublic, now.AddDate(-5, 0, 0), ValidityExpired, 1826},
		"granted":                      {StageGranted, at(day), ValidityWaiting, 1},
		"pending and over":             {StagePending, at(-day), ValidityWaiting, 1},
		"rejected":                     {StageRejected, at(day), ValidityDeclined, 1},
		"revoked":                      {StageRevoked, at(day), ValidityRevoked, 1},
		"withdrawn":                    {StageWithdrawn, time.Time{}, ValidityRevoked, 0},
		"replaced":                     {StageReplaced, at(day), ValidityReplaced, 1},
		"unknown":                      {StageUnknown, at(day), ValidityUnknown, 1},
		"of another zone, still today": {StagePublic, time.Date(2026, 11, 3, 1, 0, 0, 0, time.FixedZone("", 2*3600)), ValidityExpiring, 0},
	} {
		got := validityOf(tt.stage, tt.expires, now)
		if days := daysBetween(now, tt.expires); got != tt.want || days != tt.days {
			t.Errorf("%s: %s, %d days, want %s, %d", name, got, days, tt.want, tt.days)
		}
		if !slices.Contains(AllValidities(), got) || got.Held() != tt.stage.Held() {
			t.Errorf("%s: %s is not listed, or held by mistake", name, got)
		}
	}
}

// What may have to be done comes first; what was renewed is no worry any more.
func TestCredentials(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	badge := func(id, template string, s Stage, issued, expires int) BadgeView {
		b := Badge{ID: id, ProviderID: "p" + id, Stage: s, Template: Template{ID: template, Name: "Name of " + template}, IssuedAt: now.AddDate(0, 0, issued)}
		if expires != 0 {
			b.ExpiresAt = now.AddDate(0, 0, expires)
		}
		return BadgeView{Badge: b}
	}
	replaced := badge("5", "e", StageReplaced, -900, 100)
	replaced.Badge.ReplacedBy = "p6"
	lost := badge("9", "g", StageReplaced, -900, 100)
	lost.Badge.ReplacedBy = "p99"
	got := credentials([]BadgeView{
		badge("1", "a", StagePending, -1, 1000), badge("2", "b", StagePublic, -10, 0), badge("3", "c", StageAccepted, -2000, -50),
		badge("4", "c", StagePublic, -20, 1806), replaced, badge("6", "f", StagePublic, -10, 400), badge("7", "d", StagePublic, -1700, 60),
		badge("8", "h", StageAccepted, -1700, -3), lost, badge("10", "h", StageRevoked, -1, 1000),
	}, now)
	var order []string
	byID := map[string]Credential{}
	for _, c := range got {
		order, byID[c.ID] = append(order, c.ID), c
	}
	if want := []string{"7", "8", "6", "4", "2", "3", "1", "5", "9", "10"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
	if !byID["3"].Renewed || byID["8"].Renewed || byID["4"].Renewed {
		t.Errorf("renewed: %+v", got)
	}
	if byID["5"].Successor != "Name of f" || byID["9"].Successor != "" {
		t.Errorf("successors: %+v, %+v", byID["5"], byID["9"])
	}
	if len(credentials(nil, now)) != 0 {
		t.Error("something of nothing")
	}
}
