package chat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
)

var (
	ada = core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}
	bob = core.Identity{Platform: "slack", Tenant: "T1", User: "U2"}
)

func TestNewcomer(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for _, text := range []string{"", "list", "emails", "claim", "claim gopher"} {
		card := wantCard(t, r.command(text), "Let’s get your badges", chat.Here)
		if f := r.press(ada, button(t, card, chat.VerbLink)).Form; f == nil || f.ID != "link:submit" || len(f.Fields) != 1 {
			t.Errorf("%q: the button opens %+v", text, f)
		}
	}
	if p, err := r.db.Person(t.Context(), ada); err != nil || p.Account != nil {
		t.Errorf("looking made an account: %+v, %v", p, err)
	}
	if f := r.command("link").Form; f == nil {
		t.Error("link without an address opens no form")
	}
	// Nothing was linked, whatever was pressed.
	if all := r.sent(); len(all) != 0 {
		t.Errorf("sent %+v", all)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	plain := wantCard(t, r.command("help"), "What I can do", chat.Here)
	unknown := wantCard(t, r.command("dance with me"), "What I can do", chat.Here)
	if text := unknown.Text.String(); !strings.Contains(text, "“dance”") || !strings.HasSuffix(text, plain.Text.String()) {
		t.Errorf("reads %q", text)
	}
	// A press leaves its message as it is, and its id is no unknown word.
	pressed := wantCard(t, r.press(ada, "help:followed"), "What I can do", chat.Aside)
	if pressed.Text.String() != plain.Text.String() {
		t.Errorf("reads %q", pressed.Text.String())
	}
	// A verb that does not exist, however it came, is answered with help.
	wantCard(t, r.do(chat.Action{Source: chat.SourceCommand, Verb: "dance"}), "What I can do", chat.Here)
}

func TestList(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	r.link(bob, "en", "bob@example.org")
	wantCard(t, r.command(""), "Your badges", chat.Here)
	for i := range 7 {
		r.badge(fmt.Sprintf("Badge %d", i), "ada@example.org", core.StagePending)
	}
	r.badge("Secret", "bob@example.org", core.StagePending)
	first := wantCard(t, r.command("list"), "Your badges", chat.Here)
	if len(first.Items) != 5 || !strings.HasPrefix(first.Text.String(), "7 badges") {
		t.Fatalf("list %+v", first)
	}
	next := button(t, first, chat.VerbPage)
	second := wantCard(t, r.press(ada, next), "Your badges", chat.Here)
	if len(second.Items) != 2 {
		t.Errorf("page 2: %+v", second)
	}
	// Somebody else's press shows their own list, beside.
	theirs := wantCard(t, r.press(bob, next), "Your badges", chat.Aside)
	if len(theirs.Items) != 1 || strings.Contains(fmt.Sprintf("%+v", theirs), "Badge 1") {
		t.Errorf("somebody else sees %+v", theirs)
	}
	_, owner, _ := strings.Cut(next, ".")
	for page, tt := range map[string]struct {
		where chat.Where
		items int
	}{
		"0": {chat.Here, 5}, "-1": {chat.Here, 5}, "99": {chat.Here, 2}, "new": {chat.Aside, 5}, "": {chat.Aside, 5},
		"1e9": {chat.Aside, 5}, "99999999999999999999": {chat.Aside, 5},
	} {
		card := wantCard(t, r.press(ada, "page:"+page+"."+owner), "Your badges", tt.where)
		if len(card.Items) != tt.items {
			t.Errorf("page %q: %d items", page, len(card.Items))
		}
	}
	for _, malformed := range []string{"page:", "page:2", "page:2.", "page:2.ffff", "page:.", "page:2." + owner + ".x"} {
		wantCard(t, r.press(ada, malformed), "Your badges", chat.Aside)
	}
}

func TestAnInteractionIsWorkedOffOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	link := chat.Action{Key: "twice", Source: chat.SourceCommand, Verb: chat.VerbLink, Arg: "ada@example.org"}
	if answer := r.do(link); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	if all := r.sent(); len(all) != 2 {
		t.Fatalf("sent %+v", all)
	}
	for _, later := range []time.Duration{0, time.Minute, time.Hour} {
		r.pass(later)
		// The transport shows nothing itself: the first attempt answered.
		if answer := r.do(link); !answer.Posted || answer.Card != nil || answer.Form != nil {
			t.Errorf("after %v: %+v", later, answer)
		}
		if all := r.sent(); len(all) != 0 {
			t.Errorf("after %v: sent %+v", later, all)
		}
	}
	// A claim is worked off again: it finds the link that it opened.
	r.link(ada, "en", "ada@example.org")
	claim := chat.Action{Key: "claim", Source: chat.SourcePress, Verb: chat.VerbClaim, Arg: r.badge("Gopher", "ada@example.org", core.StagePending)}
	var urls []string
	for range 2 {
		if answer := r.do(claim); !answer.Posted {
			t.Fatalf("answer %+v", answer)
		}
		urls = append(urls, r.card().Buttons[0].URL)
	}
	if urls[0] != urls[1] {
		t.Errorf("two links: %q", urls)
	}
}

// An attempt whose process died is worked off when it is delivered again,
// but not while it may still be at work.
func TestAnActionThatDiedIsWorkedOffAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	isNew, err := r.db.StartAction(t.Context(), "died", r.now, time.Minute)
	if err != nil || !isNew {
		t.Fatal(isNew, err)
	}
	help := chat.Action{Key: "died", Source: chat.SourceCommand, Verb: chat.VerbHelp}
	r.pass(29 * time.Second)
	if answer := r.do(help); answer.Card != nil {
		t.Errorf("worked off while the first attempt may be at work: %+v", answer)
	}
	r.pass(2 * time.Second)
	if answer := r.do(help); answer.Card == nil {
		t.Error("never worked off")
	}
	r.pass(time.Minute)
	if answer := r.do(help); answer.Card != nil {
		t.Error("worked off twice")
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "de", "ada@example.org")
	silent := chat.Action{Actor: ada, Source: chat.SourceCommand, Verb: chat.VerbHelp}
	say := func(a chat.Action) string {
		r.n++
		a.Key = fmt.Sprintf("lang-%d", r.n)
		answer := r.svc.Handle(t.Context(), a)
		if answer.Card == nil {
			t.Fatalf("answer %+v", answer)
		}
		return answer.Card.Title
	}
	german, english, spanish := r.svc.Catalog.For("de").Plain("help.title", nil), "What I can do", r.svc.Catalog.For("es").Plain("help.title", nil)
	if got := say(silent); got != german {
		t.Errorf("on record is German, said %q", got)
	}
	told := silent
	told.Locale = "es-419"
	if got := say(told); got != spanish {
		t.Errorf("told Spanish, said %q", got)
	}
	stranger := silent
	stranger.Actor = bob
	if got := say(stranger); got != english {
		t.Errorf("nothing is known, said %q", got)
	}
	// What the platform tells is kept.
	list := silent
	list.Verb, list.Locale, list.TimeZone, list.DisplayName = chat.VerbList, "es-ES", "Europe/Madrid", strings.Repeat("ñ", 200)
	say(list)
	p, err := r.db.Person(t.Context(), ada)
	r.must(err)
	if a := p.Account; a.Locale != "es-ES" || a.TimeZone != "Europe/Madrid" || len([]rune(a.DisplayName)) != 80 {
		t.Errorf("account %+v", a)
	}
	if got := say(silent); got != spanish {
		t.Errorf("on record is Spanish, said %q", got)
	}
	// So are refusals, and silence keeps what is known.
	refused := silent
	refused.Verb, refused.Source, refused.Arg = chat.VerbUnlink, chat.SourcePress, "x"
	if got := say(refused); got != r.svc.Catalog.For("es").Plain("trouble.not_yours.title", nil) {
		t.Errorf("refused with %q", got)
	}
}

// What could not reach the person waits for the next contact, and comes
// there, once.
func TestWaitingDeliveriesComeAtTheNextContact(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	account := r.link(ada, "en", "ada@example.org")
	badge := r.badge("Gopher", "ada@example.org", core.StageAccepted)
	r.must(r.db.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error {
		post, err := tx.AddPost(ctx, core.Post{
			ID: core.NewID(), Account: account, Subject: core.Subject{Kind: core.SubjectBadge, ID: badge},
		}, r.now)
		if err != nil {
			return err
		}
		return tx.Tell(ctx, post, true, r.now)
	}))
	due, err := r.db.TakeDeliveries(t.Context(), r.now, 10, time.Minute, delivery.Share{})
	r.must(err)
	_, err = r.db.FinishDeliveries(t.Context(), r.now, []delivery.Outcome{{Delivery: due[0], State: delivery.StateWaiting, Cause: "closed"}})
	r.must(err)

	r.pass(time.Hour)
	aside := core.Place{Ref: "aside", EditableUntil: r.now.Add(15 * time.Minute)}
	// Without a place beside the answer it goes on waiting, and so it does
	// when somebody else comes by.
	r.command("list")
	r.do(chat.Action{Actor: bob, Source: chat.SourceCommand, Verb: chat.VerbList, Aside: aside})
	if all := r.sent(); len(all) != 0 {
		t.Fatalf("sent %+v", all)
	}
	r.do(chat.Action{Source: chat.SourceCommand, Verb: chat.VerbList, Aside: aside})
	all := r.sent()
	if len(all) != 1 || all[0].place != aside || all[0].card.Title != "It’s yours: Gopher" || all[0].to != ada {
		t.Fatalf("sent %+v", all)
	}
	r.do(chat.Action{Source: chat.SourceCommand, Verb: chat.VerbList, Aside: aside})
	if all := r.sent(); len(all) != 0 {
		t.Errorf("sent again: %+v", all)
	}
}

// A message that was made a list is no longer changed by what it showed
// before.
func TestAListIsNoLongerFollowed(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.link(ada, "en", "ada@example.org")
	badge := r.badge("Gopher", "ada@example.org", core.StagePending)
	place := core.Place{Ref: "m", MessageKey: "message-1", EditableUntil: r.now.Add(time.Hour), Shown: true}
	press := func(id string) chat.Answer {
		verb, opaque, _ := chat.ParseID(id)
		return r.do(chat.Action{Source: chat.SourcePress, Verb: verb, Arg: opaque, MessageKey: "message-1", Reply: place})
	}
	if answer := press(chat.ID(chat.VerbClaim, badge)); !answer.Posted {
		t.Fatalf("answer %+v", answer)
	}
	r.sent()
	list := wantCard(t, r.command("list"), "Your badges", chat.Here)
	wantCard(t, press(button(t, list, chat.VerbPage)), "Your badges", chat.Here)
	r.pass(time.Minute)
	r.badge("Gopher", "ada@example.org", core.StageAccepted)
	for _, p := range r.sent() {
		if p.place.MessageKey == "message-1" {
			t.Errorf("the list was replaced by %q", p.card.Title)
		}
	}
}

// broken is a store that fails, or panics, where it is asked to.
type broken struct {
	core.Store
	person, start, finish error
	panics                bool
}

func (b *broken) Person(ctx context.Context, id core.Identity) (core.Person, error) {
	if b.panics {
		panic("of U1: in the store, about ada@example.org")
	}
	if b.person != nil {
		return core.Person{}, b.person
	}
	return b.Store.Person(ctx, id)
}

func (b *broken) StartAction(ctx context.Context, key string, now time.Time, stale time.Duration) (bool, error) {
	if b.start != nil {
		return false, b.start
	}
	return b.Store.StartAction(ctx, key, now, stale)
}

func (b *broken) FinishAction(ctx context.Context, key string, now time.Time) error {
	if b.finish != nil {
		return b.finish
	}
	return b.Store.FinishAction(ctx, key, now)
}

func TestTroubleWithTheStore(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("connect: %w", core.ErrUnavailable)
	for _, tt := range []struct {
		name   string
		store  broken
		action chat.Action
		title  string
		where  chat.Where
		logged string
	}{
		{name: "away at the start", store: broken{start: away, person: away}, action: chat.Action{Source: chat.SourceCommand, Verb: chat.VerbList}, title: "Please try again in a minute", logged: "store unavailable"},
		{name: "away at work", store: broken{person: away}, action: chat.Action{Source: chat.SourceCommand, Verb: chat.VerbList}, title: "Please try again in a minute", logged: "store unavailable"},
		{name: "away, pressed", store: broken{person: away}, action: chat.Action{Source: chat.SourcePress, Verb: chat.VerbPage, Arg: "1"}, title: "Please try again in a minute", where: chat.Aside, logged: "store unavailable"},
		{name: "too slow", store: broken{person: context.DeadlineExceeded}, action: chat.Action{Source: chat.SourceCommand, Verb: chat.VerbEmails}, title: "Please try again in a minute", logged: "store unavailable"},
		{name: "broken", store: broken{person: errors.New("row 7 is broken")}, action: chat.Action{Source: chat.SourceCommand, Verb: chat.VerbClaim}, title: "Something went wrong", logged: "row 7 is broken"},
		{name: "panic", store: broken{panics: true}, action: chat.Action{Source: chat.SourceCommand, Verb: chat.VerbList}, title: "Something went wrong", logged: "panic"},
		{name: "cannot be finished", store: broken{finish: away}, action: chat.Action{Source: chat.SourceCommand, Verb: chat.VerbHelp}, title: "What I can do", logged: "finish action"},
		{name: "completion", store: broken{person: away}, action: chat.Action{Source: chat.SourceComplete, Verb: chat.VerbClaim}, logged: "store unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			tt.store.Store = r.db
			r.svc.Store = &tt.store
			answer := r.do(tt.action)
			if tt.title == "" {
				if answer.Card != nil || len(answer.Choices) != 0 {
					t.Errorf("answer %+v", answer)
				}
			} else if card := wantCard(t, answer, tt.title, tt.where); strings.Contains(card.Text.String(), "row 7") {
				t.Errorf("people read %q", card.Text.String())
			}
			if log := r.log.String(); !strings.Contains(log, tt.logged) || strings.Contains(log, "U1") {
				t.Errorf("log: %s", log)
			}
		})
	}
}
