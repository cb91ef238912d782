package chat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
)

func TestMain(m *testing.M) {
	// The pool of a closed database ends a moment later.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// room is the service over the real store, with a clock that the test moves.
type room struct {
	t     *testing.T
	db    *sqlstore.DB
	now   time.Time
	keys  *core.Keys
	svc   *chat.Service
	obs   *core.Observer
	log   *bytes.Buffer
	wakes int
	n     int
}

var (
	ada = core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}
	bob = core.Identity{Platform: "slack", Tenant: "T1", User: "U2"}
)

func (r *room) Now() time.Time { return r.now }

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), log: &bytes.Buffer{}}
	var err error
	r.keys, err = core.NewKeys([]byte(strings.Repeat("c", core.KeyBytes)))
	r.must(err)
	file := filepath.Join(t.TempDir(), "laurel.db")
	data, err := os.ReadFile(templateFile(t, r.keys))
	r.must(err)
	r.must(os.WriteFile(file, data, 0o600))
	r.db, err = sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + file, Keys: r.keys})
	r.must(err)
	t.Cleanup(func() { _ = r.db.Close() })
	catalog, err := chat.NewCatalog()
	r.must(err)
	r.obs = &core.Observer{Store: r.db, Clock: r, Provider: named{}}
	r.svc = &chat.Service{
		Store: r.db, Clock: r, Catalog: catalog, Provider: named{},
		Composer: &chat.Composer{
			Store: r.db, Clock: r, Keys: r.keys, Catalog: catalog, Provider: named{}, PublicURL: "https://laurel.example.org", TTL: core.DefaultHandoffTTL,
		},
		Claims: &core.Claims{Store: r.db, Clock: r, TTL: core.DefaultHandoffTTL},
		Links:  &core.Links{Store: r.db, Clock: r, Keys: r.keys},
		Log:    slog.New(slog.NewTextHandler(r.log, nil)),
		Wake:   func() { r.wakes++ },
	}
	return r
}

func templateFile(t *testing.T, keys *core.Keys) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.db")
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + file, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Migrate(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

func (r *room) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// do lets somebody do something; each call is an interaction of its own
// unless it has a key.
func (r *room) do(a chat.Action) chat.Answer {
	r.t.Helper()
	r.n++
	if a.Key == "" {
		a.Key = fmt.Sprintf("key-%d", r.n)
	}
	if a.Actor.Platform == "" {
		a.Actor = ada
	}
	if a.Locale == "" {
		a.Locale = "en"
	}
	if a.Reply.Ref == "" {
		a.Reply = core.Place{Ref: core.Secret(fmt.Sprintf("reply-%d", r.n)), EditableUntil: r.now.Add(15 * time.Minute)}
	}
	return r.svc.Handle(r.t.Context(), a)
}

func (r *room) command(text string) chat.Answer {
	r.t.Helper()
	verb, arg := chat.ParseCommand(text)
	return r.do(chat.Action{Source: chat.SourceCommand, Verb: verb, Arg: arg})
}

func (r *room) press(who core.Identity, id string) chat.Answer {
	r.t.Helper()
	verb, opaque, ok := chat.ParseID(id)
	if !ok {
		r.t.Fatalf("no button has the id %q", id)
	}
	return r.do(chat.Action{Actor: who, Source: chat.SourcePress, Verb: verb, Arg: opaque})
}

func (r *room) submit(who core.Identity, id, field, value string) chat.Answer {
	r.t.Helper()
	verb, opaque, ok := chat.ParseID(id)
	if !ok {
		r.t.Fatalf("no form has the id %q", id)
	}
	return r.do(chat.Action{
		Actor: who, Source: chat.SourceSubmit, Verb: verb, Arg: opaque, Fields: map[string]string{field: value},
	})
}

// link gives a person verified addresses without any mail.
func (r *room) link(who core.Identity, locale string, addresses ...string) core.Account {
	r.t.Helper()
	var a core.Account
	r.must(r.db.InTx(r.t.Context(), func(ctx context.Context, tx core.Tx) (err error) {
		if a, err = tx.EnsureAccount(ctx, core.Account{Identity: who, Locale: locale}, r.now); err != nil {
			return err
		}
		for _, s := range addresses {
			err := tx.AddAddress(ctx, core.Address{
				ID: core.NewID(), MemberID: a.MemberID, Email: core.Email{Shown: s, Normal: s}, VerifiedAt: r.now,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return a
}

// badge makes a badge in a stage and returns its id.
func (r *room) badge(name, to string, stage core.Stage) string {
	r.t.Helper()
	var id string
	r.must(r.db.InTx(r.t.Context(), func(ctx context.Context, tx core.Tx) error {
		change, err := r.obs.ApplyIn(ctx, tx, core.Observation{
			ProviderID: "at-" + name, Recipient: core.Email{Shown: to, Normal: to}, Stage: stage, At: r.now, ReadAt: r.now,
			Template: core.Template{ID: "template-" + name, Name: name}, AcceptURL: "https://www.credly.com/go/" + name,
			IssuedAt: r.now,
		})
		id = change.After.ID
		return err
	}))
	return id
}

// posted is a delivery as its reader sees it.
type posted struct {
	to    core.Identity
	place core.Place
	card  chat.Card
	mail  core.Mail
}

// sent delivers what is queued, in place.
func (r *room) sent() []posted {
	r.t.Helper()
	var all []posted
	for {
		due, err := r.db.TakeDeliveries(r.t.Context(), r.now, 50, time.Minute)
		r.must(err)
		if len(due) == 0 {
			return all
		}
		for _, d := range due {
			o := delivery.Outcome{Delivery: d, State: delivery.StateSent}
			switch d.Kind {
			case delivery.KindMail:
				mail, err := r.svc.Composer.ComposeMail(r.t.Context(), d.Ref, d.Payload)
				if !errors.Is(err, chat.ErrNothing) {
					r.must(err)
					all = append(all, posted{mail: mail})
				}
			case delivery.KindPost:
				post, err := r.db.Post(r.t.Context(), d.Ref)
				r.must(err)
				card, err := r.svc.Composer.Compose(r.t.Context(), post)
				if !errors.Is(err, chat.ErrNothing) {
					r.must(err)
					all = append(all, posted{to: post.Account.Identity, place: post.Place, card: card})
				}
				post.Place.Shown = true
				o.Place = &post.Place
			}
			r.must(r.db.FinishDeliveries(r.t.Context(), r.now, []delivery.Outcome{o}))
		}
	}
}

// card is the last card that was sent.
func (r *room) card() chat.Card {
	r.t.Helper()
	for _, p := range slices.Backward(r.sent()) {
		if p.mail.ID == "" {
			return p.card
		}
	}
	r.t.Fatal("no card was sent")
	return chat.Card{}
}

// ask links by the command and returns the card and the mailed code.
func (r *room) ask(who core.Identity, address string) (chat.Card, string) {
	r.t.Helper()
	answer := r.do(chat.Action{Actor: who, Source: chat.SourceCommand, Verb: chat.VerbLink, Arg: address})
	if !answer.Posted || answer.Card != nil {
		r.t.Fatalf("asked for a code and got %+v", answer)
	}
	var card chat.Card
	var code string
	for _, p := range r.sent() {
		if p.mail.ID == "" {
			card = p.card
			continue
		}
		for line := range strings.Lines(p.mail.Text) {
			if digits := strings.ReplaceAll(strings.TrimSpace(line), " ", ""); len(digits) == core.CodeDigits && strings.Trim(digits, "0123456789") == "" {
				code = strings.TrimSpace(line)
			}
		}
	}
	if code == "" {
		r.t.Fatal("no code was mailed")
	}
	return card, code
}

func button(t *testing.T, c chat.Card, verb chat.Verb) string {
	t.Helper()
	all := slices.Clone(c.Buttons)
	for _, item := range c.Items {
		if item.Button != nil {
			all = append(all, *item.Button)
		}
	}
	for _, b := range all {
		if strings.HasPrefix(b.ID, string(verb)+":") {
			return b.ID
		}
	}
	t.Fatalf("no button %s on %q", verb, c.Title)
	return ""
}

func wantCard(t *testing.T, a chat.Answer, title string, where chat.Where) chat.Card {
	t.Helper()
	if a.Card == nil || a.Card.Title != title || a.Where != where || a.Posted || a.Form != nil {
		t.Fatalf("answer %+v, card %+v, want %q at %d", a, a.Card, title, where)
	}
	return *a.Card
}

const notYours = "This is not for you"

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
	r.svc.Acknowledged()
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
	for left := core.MaxTries - 1; left >= 0; left-- {
		answer := r.submit(ada, enter, "code", "1")
		wrong := wantCard(t, answer, "That code is not right", chat.Aside)
		if hasCode := strings.HasPrefix(wrong.Buttons[0].ID, "code:"); hasCode != (left > 0) {
			t.Errorf("%d left: buttons %+v", left, wrong.Buttons)
		}
	}
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

func (r *room) pass(d time.Duration) { r.now = r.now.Add(d) }

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
	due, err := r.db.TakeDeliveries(t.Context(), r.now, 10, time.Minute)
	r.must(err)
	r.must(r.db.FinishDeliveries(t.Context(), r.now, []delivery.Outcome{{Delivery: due[0], State: delivery.StateWaiting, Cause: "closed"}}))

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
		panic("in the store, about ada@example.org")
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

// named is a provider of which only name and links are asked.
type named struct{ core.Provider }

func (named) Name() string { return "Credly" }
func (named) TrustedURL(link string) bool {
	return strings.HasPrefix(link, "https://www.credly.com/")
}
