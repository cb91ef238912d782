package chat_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// celebrates has the team of somebody celebrate in a channel.
func (r *room) celebrates(who core.Identity) {
	r.t.Helper()
	r.must(r.db.InTx(r.t.Context(), func(ctx context.Context, tx core.Tx) error {
		channel, err := tx.EnsureAccount(ctx, core.Account{Identity: core.ChannelIdentity("slack", "T1", "C1"), DisplayName: "launch"}, r.now)
		if err != nil {
			return err
		}
		if _, err := tx.EnsureAccount(ctx, core.Account{Identity: who, Team: "slack:T1"}, r.now); err != nil {
			return err
		}
		return tx.SaveCustoms(ctx, "slack:T1", core.CustomsChange{CelebrateIn: &channel.ID}, r.now)
	}))
}

// What somebody answers is told in the message whose button was pressed; of
// another's question nobody can answer anything.
func TestAnswersToAQuestion(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	stranger := core.Identity{Platform: "slack", Tenant: "T1", User: "U404"}
	r.link(stranger, "en", "bob@example.org")
	r.celebrates(ada)
	r.badge("Gopher", "ada@example.org", core.StagePending)
	r.pass(time.Minute)
	r.badge("Gopher", "ada@example.org", core.StageAccepted)
	asked := r.card()
	if asked.Title != "May your team know?" {
		t.Fatalf("asked %q", asked.Title)
	}
	share, never := asked.Buttons[0].ID, asked.Buttons[2].ID

	foreign, nothing := r.press(stranger, share), r.press(stranger, strings.Replace(share, "consent:share.", "consent:share.x", 1))
	if wantCard(t, foreign, notYours, chat.Aside).Title != wantCard(t, nothing, notYours, chat.Aside).Title || len(r.sent()) != 0 {
		t.Error("a stranger was answered otherwise")
	}
	wantCard(t, r.press(ada, "consent:dance.x.1"), "What I can do", chat.Aside)

	if a := r.press(ada, share); !a.Posted || a.Card != nil {
		t.Fatalf("answer %+v", a)
	}
	agreed := r.card()
	if agreed.Title != "Your team may know" || !strings.HasPrefix(agreed.Buttons[0].ID, "consent:back.") {
		t.Fatalf("agreed: %+v", agreed)
	}
	r.press(ada, agreed.Buttons[0].ID)
	if card := r.card(); card.Title != "It stays between us" {
		t.Errorf("taken back: %q", card.Title)
	}
	r.press(ada, never)
	r.sent()
	wishes := wantCard(t, r.command("reminders"), "Your reminders", chat.Here)
	allow := wishes.Buttons[len(wishes.Buttons)-1]
	if allow.Label != "Ask me again" {
		t.Fatalf("wishes: %+v", wishes)
	}
	wishes = wantCard(t, r.press(ada, allow.ID), "Your reminders", chat.Here)
	if strings.Contains(wishes.Text.String(), "I do not ask you") {
		t.Errorf("still not asked: %s", wishes.Text)
	}
}
