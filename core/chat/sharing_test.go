package chat_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestShareByButton(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	public := r.shown("Gopher", "ada@example.org", core.StagePublic)
	private := r.shown("Crab", "ada@example.org", core.StageAccepted)
	pending := r.badge("Whale", "ada@example.org", core.StagePending)
	share := chat.ID(chat.VerbShare, public)
	for _, who := range []core.Identity{bob, {Platform: "discord", User: "99"}} {
		wantCard(t, r.press(who, share), notYours, chat.Aside)
	}
	for _, malformed := range []string{"share:", "share:x", "share:" + core.NewID()} {
		wantCard(t, r.press(ada, malformed), notYours, chat.Aside)
	}
	card := wantCard(t, r.press(ada, share), "Show it to the world: Gopher", chat.Aside)
	var outlets []core.Outlet
	for _, b := range card.Buttons {
		if token, ok := strings.CutPrefix(b.URL, "https://laurel.example.org/r/"); ok {
			o, id, ok := r.keys.ParseShareToken(token)
			if !ok || id != public {
				t.Errorf("%q leads to %q, %v", b.Label, id, ok)
			}
			outlets = append(outlets, o)
		}
		if len(b.URL) > 200 {
			t.Errorf("%q has %d characters", b.Label, len(b.URL))
		}
	}
	if len(outlets) != len(core.AllOutlets()) {
		t.Errorf("offers %v", outlets)
	}
	wantCard(t, r.press(ada, chat.ID(chat.VerbShare, private)), "First make it public: Crab", chat.Aside)
	wantCard(t, r.press(ada, chat.ID(chat.VerbShare, pending)), "Waiting for you: Whale", chat.Aside)
	// Looking at the ways is not sharing.
	n, err := r.db.Badge(t.Context(), public)
	if err != nil || n.Stage != core.StagePublic {
		t.Errorf("badge %+v, %v", n, err)
	}
}

// Whoever kept a badge private and wants to share it is led to making it public
// all the same.
func TestShareWhatWasKeptPrivate(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	private := r.shown("Crab", "ada@example.org", core.StageAccepted)
	if a := r.press(ada, "steps:skip.public."+private+"."+private); !a.Posted {
		t.Fatalf("answer %+v", a)
	}
	text := everything(wantCard(t, r.press(ada, chat.ID(chat.VerbShare, private)), "First make it public: Crab", chat.Aside))
	if !strings.Contains(text, "▸ Make it public") || strings.Contains(text, "skipped") || strings.Contains(text, "Done") {
		t.Errorf("card %s", text)
	}
}

func TestShareByCommand(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	wantCard(t, r.command("share"), "Let’s get your badges", chat.Here)
	r.link(ada, "en", "ada@example.org")
	r.badge("Whale", "ada@example.org", core.StagePending)
	wantCard(t, r.command("share"), "Your badges", chat.Here)
	gopher := r.shown("Certified Gopher", "ada@example.org", core.StagePublic)
	wantCard(t, r.command("share"), "Show it to the world: Certified Gopher", chat.Here)
	r.shown("Certified Crab", "ada@example.org", core.StageAccepted)
	for text, title := range map[string]string{
		"share": "Which badge do you want to share?", "share certified": "Which badge do you want to share?",
		"share whale": "Your badges", "share CRAB": "First make it public: Certified Crab",
		"share certified gopher": "Show it to the world: Certified Gopher", "share " + gopher: "Show it to the world: Certified Gopher",
	} {
		wantCard(t, r.command(text), title, chat.Here)
	}
	answer := r.do(chat.Action{Source: chat.SourceComplete, Verb: chat.VerbShare, Arg: "cert"})
	if len(answer.Choices) != 2 || answer.Choices[0].Value != gopher {
		t.Errorf("offers %+v", answer.Choices)
	}
	if answer := r.do(chat.Action{Actor: bob, Source: chat.SourceComplete, Verb: chat.VerbShare}); len(answer.Choices) != 0 {
		t.Errorf("offers somebody else %+v", answer.Choices)
	}
}

// shown makes a badge that has a public page.
func (r *room) shown(name, to string, stage core.Stage) string {
	r.t.Helper()
	var id string
	r.must(r.db.InTx(r.t.Context(), func(ctx context.Context, tx core.Tx) error {
		change, err := r.obs.ApplyIn(ctx, tx, core.Observation{
			ProviderID: "at-" + name, Recipient: core.Email{Shown: to, Normal: to}, Stage: stage, At: r.now, ReadAt: r.now,
			Template: core.Template{ID: "template-" + name, Name: name}, BadgeURL: "https://www.credly.com/badges/1", IssuedAt: r.now,
		})
		id = change.After.ID
		return err
	}))
	return id
}

// atProvider is a provider that knows one badge.
type atProvider struct {
	core.Provider
	says  core.Observation
	err   error
	asked int
}

func (p *atProvider) Get(context.Context, string) (core.Observation, error) {
	p.asked++
	return p.says, p.err
}

// Whoever says that a badge is public now need not wait until it is read by
// itself.
func TestShareReadsAPrivateBadgeAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	share := chat.ID(chat.VerbShare, r.shown("Gopher", "ada@example.org", core.StageAccepted))
	provider := &atProvider{err: core.ErrUnreachable}
	r.svc.Observer = &core.Observer{Store: r.db, Clock: r, Provider: provider}
	const private, public = "First make it public: Gopher", "Show it to the world: Gopher"
	wantCard(t, r.press(ada, share), private, chat.Aside)
	if provider.asked != 0 {
		t.Error("read again at once")
	}
	r.pass(time.Minute)
	wantCard(t, r.press(ada, share), private, chat.Aside)
	provider.err = nil
	provider.says = core.Observation{
		ProviderID: "at-Gopher", Recipient: core.Email{Shown: "ada@example.org", Normal: "ada@example.org"}, Stage: core.StagePublic, At: r.now, ReadAt: r.now,
		Template: core.Template{ID: "template-Gopher", Name: "Gopher"}, BadgeURL: "https://www.credly.com/badges/1", IssuedAt: r.now,
	}
	wantCard(t, r.press(ada, share), public, chat.Aside)
	r.pass(time.Minute)
	wantCard(t, r.command("share"), public, chat.Here)
	if provider.asked != 2 {
		t.Errorf("asked %d times", provider.asked)
	}
}
