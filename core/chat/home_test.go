package chat_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

const atAGlance = "Your badges at a glance"

// atHome lets somebody do something in their home.
func (r *room) atHome(who core.Identity, source chat.Source, id string) chat.Answer {
	r.t.Helper()
	verb, opaque, ok := chat.ParseID(id)
	if !ok {
		r.t.Fatalf("no button has the id %q", id)
	}
	return r.do(chat.Action{
		Actor: who, Source: source, Verb: verb, Arg: opaque, MessageKey: core.HomeKey,
		Reply: core.Place{Ref: core.Secret("home " + who.User), MessageKey: core.HomeKey, EditableUntil: r.now.AddDate(100, 0, 0), Shown: true},
		Aside: core.Place{Ref: "direct", EditableUntil: r.now.Add(time.Hour)},
	})
}

func (r *room) opens(who core.Identity) chat.Card {
	r.t.Helper()
	answer := r.atHome(who, chat.SourceOpen, "home:")
	if answer.Card == nil || answer.Where != chat.Here || answer.Posted {
		r.t.Fatalf("answer %+v", answer)
	}
	return *answer.Card
}

// atHomeOf is what was told to the home of somebody last, or a zero card.
func (r *room) atHomeOf(who core.Identity) chat.Card {
	r.t.Helper()
	for _, p := range slices.Backward(r.sent()) {
		if p.to == who && p.place.MessageKey == core.HomeKey {
			return p.card
		}
	}
	return chat.Card{}
}

func everything(c chat.Card) string {
	text := c.Title + "\n" + c.Text.String()
	for _, i := range c.Items {
		text += "\n" + i.Heading + ": " + i.Text.String()
	}
	return text
}

// Of who only looks nothing is kept.
func TestHomeOfAStranger(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	if card := r.opens(ada); card.Title != "Let’s get your badges" {
		t.Errorf("card %+v", card)
	}
	wantCard(t, r.command("home"), "Let’s get your badges", chat.Here)
	if p, err := r.db.Person(t.Context(), ada); err != nil || p.Account != nil {
		t.Errorf("stored %+v, %v", p, err)
	}
}

func TestHomeKeepsItselfCurrent(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	a := r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	r.badge("Gopher", "ada@example.org", core.StagePending)
	if card := r.atHomeOf(ada); card.Title != "" {
		t.Errorf("somebody who never looked is shown %+v", card)
	}
	if card := r.opens(ada); card.Title != atAGlance || !strings.Contains(everything(card), "Next step: Gopher") {
		t.Errorf("card %+v", card)
	}
	r.opens(bob)
	r.pass(time.Minute)
	r.badge("Crab", "ada@example.org", core.StagePublic)
	if card := r.atHomeOf(ada); !strings.Contains(everything(card), "Public: Crab") {
		t.Errorf("card %+v", card)
	}
	if text := everything(r.opens(bob)); strings.Contains(text, "Crab") || strings.Contains(text, "ada@") {
		t.Errorf("somebody else reads %s", text)
	}
	// What is not a home is not followed.
	wantCard(t, r.command("home"), atAGlance, chat.Here)
	homes, err := r.db.HomesOf(t.Context(), a.MemberID)
	if err != nil || len(homes) != 1 || homes[0].Place.Ref != core.Secret("home "+ada.User) {
		t.Errorf("homes %+v, %v", homes, err)
	}
}

// Who looks now and then has a home that keeps itself current for years.
func TestHomeIsRenewed(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	for range 4 {
		r.opens(ada)
		r.pass(100 * 24 * time.Hour)
		if err := r.db.Tidy(t.Context(), r.now); err != nil {
			t.Fatal(err)
		}
	}
	r.opens(ada)
	r.pass(time.Minute)
	r.badge("Crab", "ada@example.org", core.StagePublic)
	if card := r.atHomeOf(ada); !strings.Contains(everything(card), "Public: Crab") {
		t.Errorf("card %+v", card)
	}
}

// What somebody is in the midst of stays in their home, and leaves it.
func TestHomeShowsWhatGoesOn(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	badge := r.badge("Gopher", "ada@example.org", core.StagePending)
	claim := button(t, r.opens(ada), chat.VerbClaim)
	if answer := r.atHome(ada, chat.SourcePress, claim); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	if card := r.atHomeOf(ada); card.Title != "Ready: Gopher" || button(t, card, chat.VerbHome) == "" {
		t.Errorf("card %+v", card)
	}
	if card := r.opens(ada); card.Title != "Ready: Gopher" {
		t.Errorf("opened again it shows %+v", card)
	}
	if answer := r.atHome(ada, chat.SourcePress, "home:"); answer.Card == nil || !strings.Contains(everything(*answer.Card), "Your link to Credly is ready") {
		t.Errorf("answer %+v", answer)
	}
	r.atHome(ada, chat.SourcePress, claim)
	r.sent()
	r.pass(core.DefaultHandoffTTL)
	if card := r.opens(ada); card.Title != "Time is up: Gopher" {
		t.Errorf("card %+v", card)
	}
	r.pass(10 * time.Minute)
	if card := r.opens(ada); card.Title != atAGlance {
		t.Errorf("card %+v", card)
	}
	r.atHome(ada, chat.SourcePress, chat.ID(chat.VerbClaim, badge))
	r.sent()
	r.badge("Gopher", "ada@example.org", core.StageAccepted)
	if card := r.atHomeOf(ada); card.Title != atAGlance || !strings.Contains(everything(card), "It’s yours: Gopher.") {
		t.Errorf("card %+v", card)
	}
	r.pass(time.Hour)
	if card := r.opens(ada); strings.Contains(card.Text.String(), "It’s yours") {
		t.Errorf("old news: %+v", card)
	}
}

func TestLinkingAtHome(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	if answer := r.atHome(ada, chat.SourcePress, "link:start"); answer.Form == nil {
		t.Fatalf("answer %+v", answer)
	}
	submit := func() {
		answer := r.do(chat.Action{
			Actor: ada, Source: chat.SourceSubmit, Verb: chat.VerbLink, Fields: map[string]string{"address": "ada@example.org"}, MessageKey: core.HomeKey,
			Reply: core.Place{Ref: "home", MessageKey: core.HomeKey, EditableUntil: r.now.AddDate(100, 0, 0), Shown: true},
		})
		if !answer.Posted {
			t.Fatalf("answer %+v", answer)
		}
	}
	submit()
	if card := r.atHomeOf(ada); card.Title != "Check your mail" {
		t.Errorf("card %+v", card)
	}
	if card := r.opens(ada); card.Title != "Check your mail" {
		t.Errorf("opened again it shows %+v", card)
	}
	r.pass(core.CodeTTL + 10*time.Minute)
	if card := r.opens(ada); card.Title != "Let’s get your badges" {
		t.Errorf("card %+v", card)
	}
}

// Everything that is pressed in a home is answered in it, with the way back;
// what changes something shows in everything at a glance.
func TestAnswersAtHome(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org", "ada@example.com")
	r.badge("Gopher", "ada@example.org", core.StageAccepted)
	crab := r.badge("Crab", "ada@example.org", core.StagePublic)
	home := r.opens(ada)
	for _, id := range []string{
		button(t, home, chat.VerbPage), button(t, home, chat.VerbEmails), button(t, home, chat.VerbReminders), button(t, home, chat.VerbHelp),
		"share:any", "share:" + crab, "claim:" + core.NewID(), "unlink:" + core.NewID(),
	} {
		answer := r.atHome(ada, chat.SourcePress, id)
		if answer.Card == nil || answer.Where != chat.Here || answer.Card.Title == atAGlance || button(t, *answer.Card, chat.VerbHome) == "" {
			t.Errorf("%s: %+v", id, answer)
		}
	}
	emails := r.atHome(ada, chat.SourcePress, "emails:").Card
	for _, id := range []string{"snooze:", "stop:", "resume:", "shared:" + crab, button(t, *emails, chat.VerbUnlink)} {
		r.atHome(ada, chat.SourcePress, "help:")
		r.sent()
		if answer := r.atHome(ada, chat.SourcePress, id); !answer.Posted || answer.Card != nil {
			t.Errorf("%s: %+v", id, answer)
		}
		if card := r.atHomeOf(ada); card.Title != atAGlance || !strings.Contains(everything(card), "Settings: ") {
			t.Errorf("%s is not told: %+v", id, card)
		}
	}
	// Who reads something there is not disturbed, for a while.
	r.atHome(ada, chat.SourcePress, "help:")
	r.badge("Third", "ada@example.com", core.StagePending)
	r.badge("Third", "ada@example.org", core.StagePending)
	if card := r.atHomeOf(ada); card.Title != "" {
		t.Errorf("disturbed by %+v", card)
	}
	r.pass(11 * time.Minute)
	r.badge("Fourth", "ada@example.com", core.StagePending)
	r.badge("Fifth", "ada@example.org", core.StagePending)
	if card := r.atHomeOf(ada); card.Title != atAGlance {
		t.Errorf("not told: %+v", card)
	}
	r.atHome(ada, chat.SourcePress, "help:")
	if card := r.opens(ada); card.Title != atAGlance {
		t.Errorf("opened again it shows %+v", card)
	}
	r.badge("Sixth", "ada@example.com", core.StagePending)
	r.badge("Seventh", "ada@example.org", core.StagePending)
	if card := r.atHomeOf(ada); card.Title != atAGlance {
		t.Errorf("not told: %+v", card)
	}
	// On a message the same buttons leave it as it is.
	for _, id := range []string{"emails:", "reminders:", "share:any"} {
		if answer := r.press(ada, id); answer.Card == nil || answer.Where != chat.Aside {
			t.Errorf("%s: %+v", id, answer)
		}
	}
	refresh := button(t, wantCard(t, r.command("home"), atAGlance, chat.Here), chat.VerbHome)
	wantCard(t, r.press(ada, refresh), atAGlance, chat.Here)
	// Nobody's page takes the place of somebody else's.
	wantCard(t, r.press(bob, refresh), "Let’s get your badges", chat.Aside)
	wantCard(t, r.press(ada, "home:"), atAGlance, chat.Aside)
}

// greeter is a platform that notes what it is to show.
type greeter struct {
	chat.Messenger
	shown map[core.Secret]string
	err   error
}

func (g *greeter) Show(_ context.Context, p core.Place, c chat.Card, _ string) (core.Place, error) {
	g.shown[p.Ref] = c.Title
	return p, g.err
}

// The platform keeps what a home showed last: who is forgotten has it greet.
func TestForgottenHomes(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	g := &greeter{shown: map[core.Secret]string{}, err: &core.DeliveryError{Class: core.Temporary}}
	r.svc.Messengers = map[core.Platform]chat.Messenger{ada.Platform: g}
	r.link(ada, "de", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	r.opens(ada)
	r.opens(bob)
	forget := button(t, *r.command("forget").Card, chat.VerbForget)
	wantCard(t, r.press(ada, forget), "Everything about you is deleted", chat.Here)
	if len(g.shown) != 1 || g.shown[core.Secret("home "+ada.User)] == "" {
		t.Errorf("shown %v", g.shown)
	}
	if card := r.opens(ada); card.Title != "Let’s get your badges" {
		t.Errorf("card %+v", card)
	}
}

// What is left to do at the provider is the next step there, is explained in
// the home, and leaves it when it is done.
func TestStepsAtHome(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	crab := r.badge("Crab", "ada@example.org", core.StagePublic)
	home := r.opens(ada)
	if !strings.Contains(everything(home), "Next step: Make your profile public") {
		t.Fatalf("home %s", everything(home))
	}
	for _, id := range []string{button(t, home, chat.VerbSteps), "steps:show." + crab} {
		answer := r.atHome(ada, chat.SourcePress, id)
		if answer.Card == nil || answer.Where != chat.Here || !strings.Contains(everything(*answer.Card), "Privacy & Security") || button(t, *answer.Card, chat.VerbHome) == "" {
			t.Fatalf("%s: %+v", id, answer)
		}
	}
	r.sent()
	if answer := r.atHome(ada, chat.SourcePress, "steps:done.profile.."); !answer.Posted {
		t.Errorf("answer %+v", answer)
	}
	if text := everything(r.atHomeOf(ada)); !strings.Contains(text, "Next step: Crab") {
		t.Errorf("told %s", text)
	}
	// Where it is said makes no difference.
	r.pass(time.Minute)
	r.press(ada, "steps:undo.profile..")
	if text := everything(r.atHomeOf(ada)); !strings.Contains(text, "Next step: Make your profile public") {
		t.Errorf("told %s", text)
	}
}
