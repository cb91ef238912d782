package chat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// goldenHomes are the states of a home.
func goldenHomes(t *testing.T, c *Composer, w Words, reader core.Account, put func(name, text string)) {
	t.Helper()
	card := func(v homeView) Card {
		v.account = reader
		card, err := c.homeCard(w, v)
		if err != nil {
			t.Fatal(err)
		}
		return card
	}
	one, several := goldenPerson("ada@example.org").Addresses, goldenPerson("ada@example.org", "b@example.org", "c@example.org", "d@example.org").Addresses
	wishes := homeWishes()
	all := collection()
	put("home, unknown", readable(card(homeView{})))
	put("home, no badges", readable(card(homeView{addresses: one, wishes: wishes, kept: true})))
	put("home, everything", readable(card(homeView{addresses: several, badges: fullHome(), wishes: wishes})))
	stopped := wishes
	stopped.Wishes.Stopped = true
	put("home, one to claim, kept", readable(card(homeView{addresses: one, badges: all[1:2], wishes: stopped, kept: true})))
	snoozed := wishes
	snoozed.Wishes.SnoozedUntil = noon.AddDate(0, 0, 7)
	put("home, a live link", readable(card(homeView{addresses: one, badges: []core.BadgeView{liveLink()}, wishes: snoozed})))
	put("home, preparing", readable(card(homeView{addresses: one, badges: []core.BadgeView{{
		Badge: goldenBadge(core.StageGranted), Handoff: &core.Handoff{State: core.HandoffPreparing, ExpiresAt: noon.Add(time.Minute)},
	}}, wishes: wishes})))
	put("home, followed", readable(card(homeView{addresses: one, badges: all[4:5], wishes: wishes})))
	put("home, to be made public", readable(card(homeView{addresses: one, badges: all[5:6], wishes: wishes})))
	put("home, to be shared", readable(card(homeView{addresses: one, badges: all[6:7], wishes: wishes})))
	done := collection()[6:7]
	done[0].Shared = true
	put("home, all done", readable(card(homeView{addresses: one, badges: done, wishes: wishes, kept: true})))
}

func homeWishes() core.WishesView {
	return core.WishesView{Hours: core.Hours{
		Zone: time.UTC, From: 9 * time.Hour, To: 17 * time.Hour, Days: 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday,
	}}
}

func liveLink() core.BadgeView {
	return core.BadgeView{Badge: goldenBadge(core.StagePending), Handoff: &core.Handoff{
		ID: handoffID, BadgeID: badgeID, MemberID: "m1", State: core.HandoffOpen, ExpiresAt: noon.Add(core.DefaultHandoffTTL),
	}}
}

// fullHome has more of everything than a home shows.
func fullHome() []core.BadgeView {
	out := collection()
	for n := range 8 {
		for _, stage := range []core.Stage{core.StagePending, core.StageAccepted, core.StagePublic} {
			b := goldenBadge(stage)
			b.ID, b.Template.Name, b.Template.ID = fmt.Sprintf("%s-%d", stage, n), fmt.Sprintf("More %s %d", stage, n), fmt.Sprintf("%s-%d", stage, n)
			b.ExpiresAt = noon.AddDate(0, 0, 10*n)
			out = append(out, core.BadgeView{Badge: b})
		}
	}
	out[2].Handoff.ID = handoffID
	return out
}

// What ends soon is what is held and not renewed.
func TestHomeExpiring(t *testing.T) {
	t.Parallel()
	held := func(id, template string, days int) core.BadgeView {
		b := core.Badge{ID: id, Stage: core.StageAccepted, Template: core.Template{ID: template}}
		if days != 0 {
			b.ExpiresAt = noon.AddDate(0, 0, days)
		}
		return core.BadgeView{Badge: b}
	}
	revoked := held("revoked", "e", 5)
	revoked.Badge.Stage = core.StageRevoked
	for name, test := range map[string]struct {
		badges []core.BadgeView
		want   []string
	}{
		"soon, late, never":           {[]core.BadgeView{held("1", "a", 90), held("2", "b", 91), held("3", "c", 0)}, []string{"1"}},
		"the next one first":          {[]core.BadgeView{held("1", "a", 30), held("2", "b", 3), held("3", "c", -3)}, []string{"3", "2", "1"}},
		"renewed":                     {[]core.BadgeView{held("1", "a", 30), held("2", "a", 400)}, nil},
		"renewed for ever":            {[]core.BadgeView{held("1", "a", 30), held("2", "a", 0)}, nil},
		"an older one renews nothing": {[]core.BadgeView{held("1", "a", 30), held("2", "a", -400)}, []string{"1"}},
		"of no known kind":            {[]core.BadgeView{held("1", "", 30), held("2", "", 400)}, []string{"1"}},
		"revoked":                     {[]core.BadgeView{revoked}, nil},
	} {
		var got []string
		for _, v := range sortHome(test.badges, noon).expiring {
			got = append(got, v.Badge.ID)
		}
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// The next step goes along the way of a badge: what was begun comes first.
func TestHomeNextStep(t *testing.T) {
	t.Parallel()
	all := collection()
	for _, test := range []struct {
		from []core.BadgeView
		want string
	}{
		{all, "b3"},
		{all[:2], "b1"},
		{[]core.BadgeView{all[0], all[4]}, "b5"},
		{all[5:], "b6"},
		{all[6:], "b7"},
		{all[8:], ""},
	} {
		next := sortHome(test.from, noon).next
		if got := next; test.want == "" && got != nil || test.want != "" && (got == nil || got.Badge.ID != test.want) {
			t.Errorf("next step: %+v, want %s", got, test.want)
		}
	}
}
