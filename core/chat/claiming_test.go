package chat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestClaimByButton(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	badge := r.badge("Gopher", "ada@example.org", core.StagePending)
	claim := chat.ID(chat.VerbClaim, badge)
	stranger := core.Identity{Platform: "discord", User: "99"}
	for _, who := range []core.Identity{bob, stranger} {
		card := wantCard(t, r.press(who, claim), notYours, chat.Aside)
		if strings.Contains(fmt.Sprintf("%+v", card), "Gopher") {
			t.Errorf("somebody else reads %+v", card)
		}
	}
	for _, malformed := range []string{"claim:", "claim:x", "claim:" + core.NewID(), "claim:%00'; --"} {
		wantCard(t, r.press(ada, malformed), notYours, chat.Aside)
	}
	if answer := r.press(ada, claim); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	ready := r.card()
	// A double press shows the same link once more.
	if answer := r.press(ada, claim); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	if again := r.card(); ready.Title != "Ready: Gopher" || again.Buttons[0].URL != ready.Buttons[0].URL {
		t.Errorf("first %+v, then %+v", ready, again)
	}
	r.pass(time.Minute)
	r.badge("Gopher", "ada@example.org", core.StageAccepted)
	r.sent()
	// A press on an old message tells how the badge stands.
	wantCard(t, r.press(ada, claim), "It’s yours: Gopher", chat.Here)
}

func TestClaimByCommand(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	wantCard(t, r.command("claim"), "Your badges", chat.Here)
	gopher := r.badge("Certified Gopher", "ada@example.org", core.StagePending)
	r.badge("Public Gopher", "ada@example.org", core.StagePublic)
	if answer := r.command("claim"); !answer.Posted {
		t.Fatalf("the only one was not claimed: %+v", answer)
	}
	if card := r.card(); card.Title != "Ready: Certified Gopher" {
		t.Errorf("card %+v", card)
	}
	r.badge("Certified Crab", "ada@example.org", core.StagePending)
	for text, title := range map[string]string{
		"claim": "Your badges", "claim certified": "Your badges", "claim whale": "Your badges", "claim public": "Your badges",
		"claim CRAB": "Ready: Certified Crab", "claim certified gopher": "Ready: Certified Gopher", "claim " + gopher: "Ready: Certified Gopher",
	} {
		answer := r.command(text)
		if title == "Your badges" {
			wantCard(t, answer, title, chat.Here)
			continue
		}
		if !answer.Posted {
			t.Fatalf("%q: %+v", text, answer)
		}
		if card := r.card(); card.Title != title {
			t.Errorf("%q: %q", text, card.Title)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	complete := func(who core.Identity, arg string) chat.Answer {
		// Completions of one interaction share their key: nothing is stored.
		return r.do(chat.Action{Key: "same", Actor: who, Source: chat.SourceComplete, Verb: chat.VerbClaim, Arg: arg})
	}
	if a := complete(ada, ""); len(a.Choices) != 0 || a.Card != nil {
		t.Errorf("a newcomer may choose %+v", a)
	}
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	long := strings.Repeat("ä", 150)
	r.badge(long, "ada@example.org", core.StagePending)
	r.badge("Held", "ada@example.org", core.StageAccepted)
	a := complete(ada, "ÄÄ")
	if len(a.Choices) != 1 || len([]rune(a.Choices[0].Name)) != 100 || a.Choices[0].Value == "" {
		t.Errorf("choices %+v", a.Choices)
	}
	for i := range 30 {
		r.badge(fmt.Sprintf("Badge %d", i), "ada@example.org", core.StagePending)
	}
	if a := complete(ada, ""); len(a.Choices) != 25 {
		t.Errorf("%d choices", len(a.Choices))
	}
	if a := complete(ada, "badge 29"); len(a.Choices) != 1 || a.Choices[0].Name != "Badge 29" {
		t.Errorf("choices %+v", a.Choices)
	}
	if a := complete(bob, ""); len(a.Choices) != 0 {
		t.Errorf("somebody else may choose %+v", a.Choices)
	}
}
