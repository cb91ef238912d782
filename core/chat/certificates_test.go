package chat_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// public is what people show at the provider.
type public struct {
	earned []core.Earned
	asked  int
}

func (p *public) Earned(context.Context, []core.Email) ([]core.Earned, bool, error) {
	p.asked++
	return p.earned, false, nil
}

func pageOf(t *testing.T, c chat.Card) string {
	t.Helper()
	token, ok := strings.CutPrefix(c.Buttons[0].URL, "https://laurel.example.org/c/")
	if !ok {
		t.Fatalf("the first button leads to %q", c.Buttons[0].URL)
	}
	return token
}

func TestCertificatesCommand(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	wantCard(t, r.command("certificates"), "Let’s get your badges", chat.Here)
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	for _, name := range []string{"A", "B", "C", "D", "E", "F"} {
		r.badge(name, "ada@example.org", core.StageAccepted)
	}
	r.badge("Bobs", "bob@example.org", core.StageAccepted)
	first := wantCard(t, r.command("certificates"), "Your certificates", chat.Here)
	if len(first.Items) != 5 || strings.Contains(first.Text.String(), "Bob") {
		t.Errorf("%+v", first)
	}
	kept, err := r.svc.Certificates.Look(t.Context(), pageOf(t, first))
	if err != nil || len(kept.Own) != 6 {
		t.Errorf("the page has %+v, %v", kept, err)
	}
	next := ""
	for _, b := range first.Buttons {
		if b.Label == "Next" {
			next = b.ID
		}
	}
	if second := wantCard(t, r.press(ada, next), "Your certificates", chat.Here); len(second.Items) != 1 {
		t.Errorf("%+v", second.Items)
	}
	// Whoever presses somebody else's button sees their own, beside it.
	other := wantCard(t, r.press(bob, next), "Your certificates", chat.Aside)
	if len(other.Items) != 1 || !strings.Contains(other.Items[0].Text.String(), "Bobs") {
		t.Errorf("%+v", other.Items)
	}
	wantCard(t, r.press(ada, "certificates:nonsense"), "Your certificates", chat.Aside)
	// Without the operator's leave there is no switch.
	for _, b := range first.Buttons {
		if strings.HasPrefix(b.ID, "elsewhere:") {
			t.Errorf("offers %+v", b)
		}
	}
}

func TestElsewhereIsSwitchedByItsOwner(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	profile := &public{earned: []core.Earned{{ID: "e1", Name: "Cloud", Issuer: "Academy"}}}
	r.svc.Certificates.Profiles = profile
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	card := wantCard(t, r.command("certificates"), "Your certificates", chat.Here)
	if profile.asked != 0 {
		t.Error("asked although nobody wanted it")
	}
	on := button(t, card, chat.VerbElsewhere)
	for _, id := range []string{"elsewhere:on", "elsewhere:on.x", "elsewhere:maybe." + strings.SplitN(on, ".", 2)[1], "elsewhere:"} {
		wantCard(t, r.press(ada, id), notYours, chat.Aside)
	}
	wantCard(t, r.press(bob, on), notYours, chat.Aside)
	card = wantCard(t, r.press(ada, on), "Your certificates", chat.Here)
	if len(card.Items) != 1 || !strings.Contains(card.Items[0].Text.String(), "Cloud by Academy") || profile.asked != 1 {
		t.Errorf("%+v, asked %d times", card.Items, profile.asked)
	}
	if card := wantCard(t, r.press(ada, button(t, card, chat.VerbElsewhere)), "Your certificates", chat.Here); len(card.Items) != 0 {
		t.Errorf("still listed: %+v", card.Items)
	}
}

// Links end when their owner says so, when time is over, when two people become
// one, and when somebody is forgotten.
func TestCertificateLinksEnd(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	account := r.link(bob, "en", "bob@example.org")
	r.badge("A", "ada@example.org", core.StageAccepted)
	link := func() (page, calendar string) {
		t.Helper()
		page = pageOf(t, wantCard(t, r.command("certificates"), "Your certificates", chat.Here))
		k, err := r.svc.Certificates.Look(t.Context(), page)
		r.must(err)
		return page, k.Calendar
	}
	want := func(why, page, calendar string, wanted, subscribed error) {
		t.Helper()
		_, byPage := r.svc.Certificates.Look(t.Context(), page)
		_, byCalendar := r.svc.Certificates.Calendar(t.Context(), calendar)
		if !errors.Is(byPage, wanted) || !errors.Is(byCalendar, subscribed) {
			t.Errorf("%s: page %v, calendar %v", why, byPage, byCalendar)
		}
	}
	page, calendar := link()
	card := wantCard(t, r.command("certificates"), "Your certificates", chat.Here)
	end := button(t, card, chat.VerbEndLinks)
	wantCard(t, r.press(bob, end), notYours, chat.Aside)
	want("somebody else pressed", page, calendar, nil, nil)
	wantCard(t, r.press(ada, end), "All links are ended", chat.Here)
	want("ended", page, calendar, core.ErrGone, core.ErrGone)

	page, calendar = link()
	want("new ones", page, calendar, nil, nil)
	r.pass(core.CertificatesTTL + 24*time.Hour)
	want("a week later", page, calendar, core.ErrGone, nil)

	page, calendar = link()
	p, err := r.db.Person(t.Context(), ada)
	r.must(err)
	r.must(r.db.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error {
		return tx.JoinMembers(ctx, p.MemberID(), account.MemberID, r.now)
	}))
	want("joined", page, calendar, core.ErrGone, core.ErrGone)

	page, calendar = link()
	r.must(r.svc.Farewells.Forget(t.Context(), ada))
	want("forgotten", page, calendar, core.ErrGone, core.ErrGone)
}
