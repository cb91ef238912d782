package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestLinkingByForm(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for _, bad := range []string{"", "nonsense", "ada@example", "a@b.example, c@d.example", "ada@example.org\x00"} {
		answer := r.submit(ada, "link:submit", "address", bad)
		wantCard(t, answer, "That is not an e-mail address", chat.Aside)
		if answer.FieldErrors["address"] == "" {
			t.Errorf("%q marks no field", bad)
		}
	}
	answer := r.submit(ada, "link:submit", "address", " Ada@Example.org ")
	if !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	all := r.sent()
	if len(all) != 2 {
		t.Fatalf("sent %+v", all)
	}
	slices.SortFunc(all, func(a, b posted) int { return strings.Compare(a.mail.ID, b.mail.ID) })
	if all[0].card.Title != "Check your mail" || !strings.Contains(all[0].card.Text.String(), "Ada@Example.org") || all[1].mail.To.Normal != "ada@example.org" {
		t.Errorf("sent %+v", all)
	}
	// Wake is for whoever saw the acknowledgement.
	before := r.wakes
	r.svc.Acknowledged(chat.Answer{Posted: true})
	if r.wakes != before+1 {
		t.Error("nobody was woken")
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	card, code := r.ask(ada, "ada@example.org")
	enter, resend := button(t, card, chat.VerbCode), button(t, card, chat.VerbResend)

	// Somebody else's press and form lead nowhere.
	for _, answer := range []chat.Answer{
		r.press(bob, enter), r.press(bob, resend), r.submit(bob, enter, "code", code),
		r.press(ada, "code:malformed"), r.press(ada, "resend:"), r.submit(ada, "code:"+core.NewID(), "code", code),
	} {
		if answer.Card == nil || answer.Card.Title != notYours || answer.Form != nil || answer.Posted {
			t.Errorf("answer %+v", answer)
		}
	}
	if all := r.sent(); len(all) != 0 {
		t.Errorf("sent %+v", all)
	}

	form := r.press(ada, enter).Form
	if form == nil || form.ID != enter {
		t.Fatalf("form %+v", form)
	}
	wrong := r.submit(ada, form.ID, "code", "0000000x")
	bad := wantCard(t, wrong, "That code is not right", chat.Aside)
	if !strings.Contains(wrong.FieldErrors["code"], "4 tries left") || button(t, bad, chat.VerbCode) != enter {
		t.Errorf("answer %+v", wrong)
	}
	if answer := r.submit(ada, form.ID, "code", " "+code+" "); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	linked := r.card()
	if linked.Title != "Linked" {
		t.Errorf("card %+v", linked)
	}
	// The old message's button tells how it stands, in place.
	wantCard(t, r.press(ada, enter), "Linked", chat.Here)
	wantCard(t, r.submit(ada, form.ID, "code", code), "Linked", chat.Here)
	list := wantCard(t, r.press(ada, button(t, linked, chat.VerbPage)), "Your badges", chat.Here)
	if !strings.Contains(list.Text.String(), "ada@example.org") {
		t.Errorf("list %+v", list)
	}
	if strings.Contains(r.log.String(), "example.org") || strings.Contains(r.log.String(), code) {
		t.Errorf("log: %s", r.log)
	}
}

func TestCodeOutOfTries(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	card, code := r.ask(ada, "ada@example.org")
	enter := button(t, card, chat.VerbCode)
	for range core.MaxTries - 1 {
		wrong := wantCard(t, r.submit(ada, enter, "code", "1"), "That code is not right", chat.Aside)
		if !strings.HasPrefix(wrong.Buttons[0].ID, "code:") {
			t.Errorf("buttons %+v", wrong.Buttons)
		}
	}
	// The last one takes the code with it, and the card says so.
	wantCard(t, r.submit(ada, enter, "code", "1"), "This code no longer works", chat.Here)
	dead := wantCard(t, r.submit(ada, enter, "code", code), "This code no longer works", chat.Here)
	wantCard(t, r.press(ada, enter), "This code no longer works", chat.Here)
	// A new one can be had from there, and only the new one works.
	if answer := r.press(ada, button(t, dead, chat.VerbResend)); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	again := r.card()
	if again.Title != "Check your mail" || button(t, again, chat.VerbCode) == enter {
		t.Errorf("card %+v", again)
	}
}

func TestTooManyCodes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for i := range 5 {
		r.ask(ada, fmt.Sprintf("a%d@example.org", i))
	}
	wantCard(t, r.command("link a9@example.org"), "Too many codes", chat.Here)
	if all := r.sent(); len(all) != 0 {
		t.Errorf("sent %+v", all)
	}
	r.pass(time.Hour + time.Second)
	r.ask(ada, "a9@example.org")
}

func TestEmails(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org", "ada@example.com")
	r.link(bob, "en", "bob@example.org")
	card := wantCard(t, r.command("emails"), "Your e-mail addresses", chat.Here)
	if len(card.Items) != 2 || len(card.Footer) == 0 {
		t.Fatalf("card %+v", card)
	}
	remove := card.Items[0].Button.ID
	wantCard(t, r.press(bob, remove), notYours, chat.Aside)
	for _, malformed := range []string{"unlink:", "unlink:x", "unlink:" + core.NewID()} {
		wantCard(t, r.press(ada, malformed), notYours, chat.Aside)
	}
	less := wantCard(t, r.press(ada, remove), "Your e-mail addresses", chat.Here)
	if len(less.Items) != 1 || !strings.HasPrefix(less.Text.String(), "ada@example.org is removed.") {
		t.Errorf("card %+v", less)
	}
	wantCard(t, r.press(ada, remove), notYours, chat.Aside)
	last := wantCard(t, r.press(ada, less.Items[0].Button.ID), "Let’s get your badges", chat.Here)
	if !strings.HasPrefix(last.Text.String(), "ada@example.com is removed.") {
		t.Errorf("card %+v", last)
	}
	wantCard(t, r.command("emails"), "Let’s get your badges", chat.Here)
}
