package chat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// told are the titles of what was delivered.
func (r *room) told() []string {
	r.t.Helper()
	var out []string
	for _, one := range r.sent() {
		out = append(out, one.card.Title)
	}
	return out
}

func TestSteps(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	const yours, public, steps = "It’s yours: Gopher", "Public for all to see: Gopher", "Your next steps"
	posted := func(a chat.Answer, want ...string) {
		t.Helper()
		if got := r.told(); !a.Posted || !slices.Equal(got, want) {
			t.Errorf("answer %+v, told %q, want %q", a, got, want)
		}
	}
	wantCard(t, r.command("steps"), "Let’s get your badges", chat.Here)
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	wantCard(t, r.command("steps"), "Your badges", chat.Here)
	badge := r.shown("Gopher", "ada@example.org", core.StageAccepted)
	posted(r.command("steps"), steps)

	// The list leads on.
	list := wantCard(t, r.command("list"), "Your badges", chat.Here)
	if len(list.Items) != 1 || list.Items[0].Button == nil || list.Items[0].Button.ID != "steps:show."+badge {
		t.Fatalf("list %+v", list)
	}
	posted(r.press(ada, list.Items[0].Button.ID), yours)
	wantCard(t, r.press(bob, list.Items[0].Button.ID), "This is not for you", chat.Aside)

	// Nothing has changed, then something has.
	provider := &atProvider{says: core.Observation{
		ProviderID: "at-Gopher", Recipient: core.Email{Shown: "ada@example.org", Normal: "ada@example.org"}, Stage: core.StageAccepted, At: r.now, ReadAt: r.now,
		Template: core.Template{ID: "template-Gopher", Name: "Gopher"}, BadgeURL: "https://www.credly.com/badges/1", IssuedAt: r.now,
	}}
	r.svc.Observer = &core.Observer{Store: r.db, Clock: r, Provider: provider}
	look := "steps:look.public." + badge + "." + badge
	r.pass(time.Minute)
	wantCard(t, r.press(ada, look), "Credly does not answer just now", chat.Aside)
	provider.says.ReadAt = r.now
	r.pass(time.Second)
	still := wantCard(t, r.press(ada, look), "Still private: Gopher", chat.Aside)
	if button(t, still, chat.VerbSteps) != look {
		t.Errorf("card %+v", still)
	}
	provider.says.Stage, provider.says.At = core.StagePublic, r.now.Add(time.Second)
	r.pass(time.Minute)
	if a := r.press(ada, look); !a.Posted || provider.asked != 3 {
		t.Errorf("answer %+v, asked %d times", a, provider.asked)
	}
	if got := r.told(); !slices.Contains(got, public) || !slices.Contains(got, steps) || slices.Contains(got, yours) {
		t.Errorf("told %q", got)
	}
	wantCard(t, r.press(bob, look), "This is not for you", chat.Aside)

	for _, kind := range []string{"profile", "auto"} {
		r.press(ada, "steps:done."+kind+".."+badge)
	}
	if got := r.told(); !slices.Contains(got, "All set: Gopher") {
		t.Errorf("told %q", got)
	}
	card := wantCard(t, r.press(ada, "share:any"), "Show it to the world: Gopher", chat.Aside)
	if len(card.Buttons) == 0 {
		t.Error("no way to share")
	}
	r.press(ada, "steps:undo.auto..")
	if got := r.told(); !slices.Contains(got, public) {
		t.Errorf("told %q", got)
	}
	for _, malformed := range []string{"steps:", "steps:done", "steps:dance.profile..", "steps:done.profile.", "steps:show"} {
		wantCard(t, r.press(ada, malformed), "What I can do", chat.Aside)
	}
	for _, foreign := range []string{"steps:done.dance..", "steps:done.profile..other", "steps:done.address.x.", "steps:skip.public.other.", "steps:look.public.other."} {
		wantCard(t, r.press(ada, foreign), "This is not for you", chat.Aside)
	}
	if strings.Contains(r.log.String(), "ada@example.org") {
		t.Error("the log names somebody")
	}
}
