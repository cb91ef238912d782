package chat_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestForgetCommand(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	wantCard(t, r.command("forget"), "I don’t know you", chat.Here)
	r.link(ada, "en", "ada@example.org", "ada@example.com")
	r.link(bob, "en", "bob@example.org")
	r.badge("Gopher", "ada@example.org", core.StagePending)
	card := wantCard(t, r.command("forget"), "Shall I forget you?", chat.Here)
	text := card.Text.String()
	for _, want := range []string{"1 chat account: Slack", "2 e-mail addresses: ada@example.org, ada@example.com", "1 badge"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing: %s", want, text)
		}
	}
	if strings.Contains(text, "not at Credly") {
		t.Errorf("everything is at Credly, and the card says %s", text)
	}
	forget := button(t, card, chat.VerbForget)
	if i := slices.IndexFunc(card.Buttons, func(b chat.Button) bool { return b.ID == forget }); card.Buttons[i].Confirm == "" {
		t.Error("nobody is asked before")
	}
	// It is that person's button only, and made by no other hand.
	for _, who := range []core.Identity{bob, {Platform: "slack", Tenant: "T2", User: "U1"}} {
		wantCard(t, r.press(who, forget), notYours, chat.Aside)
	}
	wantCard(t, r.press(ada, "forget:"), notYours, chat.Aside)
	wantCard(t, r.command("list"), "Your badges", chat.Here)

	done := wantCard(t, r.press(ada, forget), "Everything about you is deleted", chat.Here)
	if !strings.Contains(done.Text.String(), "link your address again at any time") {
		t.Errorf("card %+v", done)
	}
	// Once more is the same.
	wantCard(t, r.press(ada, forget), "Everything about you is deleted", chat.Here)
	wantCard(t, r.command("list"), "Let’s get your badges", chat.Here)
	wantCard(t, r.do(chat.Action{Actor: bob, Source: chat.SourceCommand, Verb: chat.VerbList}), "Your badges", chat.Here)
	if log := r.log.String(); strings.Contains(log, "example.org") {
		t.Errorf("the log names somebody: %s", log)
	}
}

// Whoever comes back is noted as seen, now and then: by that a workspace is
// known to have the bot again.
func TestSeenIsNoted(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	first := r.now
	for _, step := range []struct {
		pass time.Duration
		want time.Time
	}{{59 * time.Minute, first}, {time.Minute, first.Add(time.Hour)}} {
		r.pass(step.pass)
		r.command("list")
		p, err := r.db.Person(t.Context(), ada)
		if err != nil || !p.Seen.Equal(step.want) {
			t.Errorf("seen at %v, %v, want %v", p.Seen, err, step.want)
		}
	}
}
