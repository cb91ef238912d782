package core

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCertificateTokens(t *testing.T) {
	t.Parallel()
	k, id := testKeys(t, 'a'), NewID()
	now := time.Date(2026, 11, 2, 23, 59, 0, 0, time.UTC)
	page, err := k.CertificatesToken(id, 3, now)
	if err != nil {
		t.Fatal(err)
	}
	calendar, err := k.CalendarToken(id, 3)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := k.CertificatesToken(id, 3, now.Add(30*time.Second)); again != page {
		t.Error("differs within a day")
	}
	parts := strings.Split(page, ".")
	first, _ := k.CertificatesToken(id, 30, now)
	for name, tt := range map[string]struct {
		token string
		now   time.Time
		want  error
	}{
		"new":              {page, now, nil},
		"seven days later": {page, now.Add(CertificatesTTL - time.Nanosecond), nil},
		"nine days later":  {page, now.Add(CertificatesTTL + 48*time.Hour), ErrGone},
		"of a calendar":    {calendar, now, ErrNotFound},
		"with a later end": {parts[0] + "." + parts[1] + ".99999", now, ErrNotFound},
		"other number":     {parts[0] + ".4." + parts[2], now, ErrNotFound},
		"moved dot":        {strings.Replace(first, ".30.", ".3.0", 1), now, ErrNotFound},
		"no end":           {parts[0] + "." + parts[1], now, ErrNotFound},
		"a part too many":  {page + ".1", now, ErrNotFound},
		"sign":             {parts[0] + ".+3." + parts[2], now, ErrNotFound},
		"zero before":      {parts[0] + ".03." + parts[2], now, ErrNotFound},
		"negative":         {parts[0] + ".-3." + parts[2], now, ErrNotFound},
		"huge":             {parts[0] + ".3.99999999999999999999", now, ErrNotFound},
		"nothing":          {"", now, ErrNotFound},
		"dots":             {"..", now, ErrNotFound},
	} {
		member, links, err := k.ParseCertificatesToken(tt.token, tt.now)
		if !errors.Is(err, tt.want) || tt.want == nil && (member != id || links != 3) {
			t.Errorf("%s: %q, %d, %v", name, member, links, err)
		}
	}
	if member, links, err := k.ParseCalendarToken(calendar); err != nil || member != id || links != 3 {
		t.Errorf("calendar: %q, %d, %v", member, links, err)
	}
	signature, _ := k.SignatureToken(id, now)
	for _, forged := range []string{"", page, signature, parts[0] + ".3", strings.Replace(calendar, ".3", ".4", 1), calendar + ".", calendar + "0"} {
		if _, _, err := k.ParseCalendarToken(forged); !errors.Is(err, ErrNotFound) {
			t.Errorf("calendar takes %q: %v", forged, err)
		}
	}
	if _, err := k.ParseSignatureToken(calendar, now); err == nil {
		t.Error("a calendar opens signatures")
	}
}

// No text is taken for a token that was not made for it.
func TestCertificateTokensAreNeverGuessed(t *testing.T) {
	t.Parallel()
	k := testKeys(t, 'a')
	rapid.Check(t, func(rt *rapid.T) {
		token := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9_-]{43}\.[0-9]{1,3}(\.[0-9]{5})?`)).Draw(rt, "token")
		if _, _, err := k.ParseCertificatesToken(token, time.Time{}); !errors.Is(err, ErrNotFound) {
			rt.Fatalf("%q: %v", token, err)
		}
		if _, _, err := k.ParseCalendarToken(token); !errors.Is(err, ErrNotFound) {
			rt.Fatalf("%q: %v", token, err)
		}
	})
}

// archive is a store and a provider of certificates.
type archive struct {
	Store
	Provider
	badges  []BadgeView
	keeping Keeping
	fails   error
	earned  []Earned
	hidden  bool
	unread  error
	asked   []Email
	// documents are assertions by id; reading is how many are read just now.
	documents map[string][]byte
	reading   atomic.Int32
	most      atomic.Int32
	wait      time.Duration
}

func (a *archive) Now() time.Time { return time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC) }

func (a *archive) Keeping(context.Context, string) (Keeping, error) { return a.keeping, a.fails }

func (a *archive) BadgesOf(context.Context, string) ([]BadgeView, error) { return a.badges, nil }

func (a *archive) Name() string { return "Credly" }

func (a *archive) TrustedURL(link string) bool {
	return strings.HasPrefix(link, "https://www.credly.com/")
}

func (a *archive) Earned(_ context.Context, addresses []Email) ([]Earned, bool, error) {
	a.asked = addresses
	return a.earned, a.hidden, a.unread
}

func (a *archive) AssertionURL(id string) string { return "https://api.credly.com/" + id }

func (a *archive) Assertion(ctx context.Context, id string) ([]byte, error) {
	if n := a.reading.Add(1); n > a.most.Load() {
		a.most.Store(n)
	}
	defer a.reading.Add(-1)
	if a.wait > 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	switch d := a.documents[id]; {
	case d != nil:
		return d, nil
	case id == "huge":
		return nil, ErrTooLarge
	case id == "away":
		return nil, errors.New("connection refused")
	}
	return nil, ErrNoSuchBadge
}

func newArchive(t *testing.T, stages ...Stage) (*archive, *Certificates, string) {
	t.Helper()
	a := &archive{keeping: Keeping{Links: 1, Locale: "de", Addresses: []Email{{Shown: "ada@example.org", Normal: "ada@example.org"}}}}
	for i, s := range stages {
		id := string(rune('a' + i))
		a.badges = append(a.badges, BadgeView{Badge: Badge{
			ID: NewID(), ProviderID: id, Stage: s, Template: Template{ID: id, Name: id, ImageURL: "https://www.credly.com/images/" + id},
			BadgeURL: "https://www.credly.com/badges/" + id, IssuedAt: a.Now().AddDate(0, 0, -i), FirstName: "Ada", LastName: "Example",
		}})
	}
	c := &Certificates{Store: a, Clock: a, Keys: testKeys(t, 'a'), Provider: a, Profiles: a}
	token, err := c.Keys.CertificatesToken(NewID(), 1, a.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a, c, token
}

func TestCertificatesLook(t *testing.T) {
	t.Parallel()
	a, c, token := newArchive(t, StagePublic, StageAccepted, StageRevoked)
	a.badges[2].Badge.BadgeURL = "https://evil.example.com/badges/c"
	k, err := c.Look(t.Context(), token)
	if err != nil || len(k.Own) != 3 || k.Locale != "de" || k.Elsewhere != ElsewhereOff || k.Page != token || k.Name != "Ada Example" {
		t.Fatalf("%+v, %v", k, err)
	}
	if !k.Own[0].Public() || k.Own[0].Picture == "" || k.Own[1].Public() || k.Own[1].Picture != "" || k.Own[2].Public() {
		t.Errorf("who may look: %+v", k.Own)
	}
	for _, tok := range []string{token, k.Calendar} {
		if got, err := c.Calendar(t.Context(), tok); err != nil || len(got.Own) != 3 || got.Elsewhere != ElsewhereNone {
			t.Errorf("calendar: %+v, %v", got, err)
		}
	}
	if _, err := c.Look(t.Context(), k.Calendar); !errors.Is(err, ErrNotFound) {
		t.Errorf("a calendar opens the page: %v", err)
	}
	// Ended, forgotten, joined: what was good once is over.
	for name, change := range map[string]func(){
		"ended":     func() { a.keeping.Links, a.fails = 2, nil },
		"forgotten": func() { a.keeping.Links, a.fails = 1, ErrNotFound },
	} {
		change()
		_, page := c.Look(t.Context(), token)
		_, calendar := c.Calendar(t.Context(), k.Calendar)
		if !errors.Is(page, ErrGone) || !errors.Is(calendar, ErrGone) {
			t.Errorf("%s: %v, %v", name, page, calendar)
		}
	}
	a.fails = ErrUnavailable
	if _, err := c.Look(t.Context(), token); !errors.Is(err, ErrUnavailable) {
		t.Errorf("store away: %v", err)
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	now := (*archive)(nil).Now()
	earned := []Earned{
		{ID: "a", Name: "Known here"},
		{ID: "own", Name: "Of this issuer", Own: true},
		{ID: "x", Name: "Cloud", Issuer: "Academy", IssuedAt: now.AddDate(-1, 0, 0), ExpiresAt: now.AddDate(1, 0, 0), PageURL: "https://www.credly.com/badges/x"},
		{ID: "x", Name: "Cloud again"},
		{ID: "y", Name: "First aid", ExpiresAt: now.AddDate(0, 0, 20), PageURL: "https://evil.example.com/y"},
	}
	for name, tt := range map[string]struct {
		change func(*archive, *Certificates)
		state  ElsewhereState
		ids    string
		asked  bool
	}{
		"not offered": {func(_ *archive, c *Certificates) { c.Profiles = nil }, ElsewhereNone, "", false},
		"not wanted":  {func(a *archive, _ *Certificates) { a.keeping.Elsewhere = false }, ElsewhereOff, "", false},
		"listed":      {func(*archive, *Certificates) {}, ElsewhereListed, "y x", true},
		"nothing":     {func(a *archive, _ *Certificates) { a.earned = nil }, ElsewhereListed, "", true},
		"hidden":      {func(a *archive, _ *Certificates) { a.earned, a.hidden = nil, true }, ElsewhereHidden, "", true},
		"partly":      {func(a *archive, _ *Certificates) { a.hidden = true }, ElsewhereListed, "y x", true},
		"away":        {func(a *archive, _ *Certificates) { a.unread = errors.New("away") }, ElsewhereUnread, "", true},
		"too many": {func(a *archive, _ *Certificates) {
			for range 300 {
				a.earned = append(a.earned, Earned{ID: NewID(), Name: "One more"})
			}
		}, ElsewhereListed, "", true},
	} {
		a, c, token := newArchive(t, StagePublic)
		a.keeping.Elsewhere, a.earned = true, earned
		tt.change(a, c)
		k, err := c.Look(t.Context(), token)
		if err != nil || k.Elsewhere != tt.state || (a.asked != nil) != tt.asked {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
		if name == "too many" {
			if len(k.Others) != maxElsewhere {
				t.Errorf("%d are listed", len(k.Others))
			}
			continue
		}
		var ids []string
		for _, o := range k.Others {
			ids = append(ids, o.ID)
			if !o.Elsewhere || o.ID == "y" && o.PageURL != "" || len(k.All()) != 1+len(k.Others) {
				t.Errorf("%s: %+v", name, o)
			}
		}
		if got := strings.Join(ids, " "); got != tt.ids {
			t.Errorf("%s: listed %q", name, got)
		}
	}
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	a, c, _ := newArchive(t)
	a.documents = map[string][]byte{"good": []byte(`{}`)}
	public := func(id string) Credential {
		return Credential{ProviderID: id, PageURL: "https://www.credly.com/badges/" + id}
	}
	got := c.Assertions(t.Context(), []Credential{public("good"), {ProviderID: "private"}, public(""), public("secret"), public("huge"), public("away")})
	want := []Missing{"", MissingNotPublic, MissingNotPublic, MissingNotServed, MissingTooLarge, MissingUnreachable}
	for i, one := range got {
		if one.Missing != want[i] || (one.Document != nil) != (want[i] == "") || (one.URL == "") != (want[i] == MissingNotPublic) {
			t.Errorf("%d: %+v, want %s", i, one, want[i])
		}
	}
	// Many and large ones are cut off, and only a few are read at a time.
	var many []Credential
	for range maxAssertions + 5 {
		many = append(many, public("big"))
	}
	a.documents["big"] = make([]byte, 256<<10)
	size, counts := 0, map[Missing]int{}
	for _, one := range c.Assertions(t.Context(), many) {
		size += len(one.Document)
		counts[one.Missing]++
	}
	if size > maxAssertionsBytes || counts[MissingTooMany] != 5 || counts[MissingTooLarge] == 0 || counts[""] == 0 || a.most.Load() > assertionsAtOnce {
		t.Errorf("%d bytes, %v, %d at once", size, counts, a.most.Load())
	}
	// What does not answer is named, when the time is over.
	a.wait = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for _, one := range c.Assertions(ctx, many[:3]) {
		if one.Missing != MissingUnreachable {
			t.Errorf("%+v", one)
		}
	}
	// A provider that hosts nothing.
	c.Provider = struct{ Provider }{a}
	if one := c.Assertions(t.Context(), []Credential{public("good")})[0]; one.Missing != MissingNotPublic {
		t.Errorf("%+v", one)
	}
}
