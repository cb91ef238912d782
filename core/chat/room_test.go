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
	"sync"
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
	file  string
	now   time.Time
	keys  *core.Keys
	svc   *chat.Service
	obs   *core.Observer
	log   *bytes.Buffer
	wakes int
	n     int
}

func (r *room) Now() time.Time { return r.now }

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), log: &bytes.Buffer{}}
	var err error
	r.keys, err = core.NewKeys([]byte(strings.Repeat("c", core.KeyBytes)))
	r.must(err)
	file := filepath.Join(t.TempDir(), "laurel.db")
	r.file = file
	data, err := emptyDatabase()
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
		Claims:    &core.Claims{Store: r.db, Clock: r, TTL: core.DefaultHandoffTTL},
		Links:     &core.Links{Store: r.db, Clock: r, Keys: r.keys},
		Farewells: &core.Farewells{Store: r.db, Clock: r},
		Calls:     &core.Calls{Store: r.db, Clock: r},

		Certificates: &core.Certificates{Store: r.db, Clock: r, Keys: r.keys, Provider: named{}},
		Log:          slog.New(slog.NewTextHandler(r.log, nil)),
		Wake:         func() { r.wakes++ },
	}
	return r
}

// emptyDatabase is a file with the newest schema, made once for all tests.
var emptyDatabase = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "laurel-room-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	keys, err := core.NewKeys([]byte(strings.Repeat("c", core.KeyBytes)))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "template.db")
	db, err := sqlstore.Open(context.Background(), sqlstore.Config{URL: "sqlite:" + file, Keys: keys})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.Migrate(context.Background()), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

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
		due, err := r.db.TakeDeliveries(r.t.Context(), r.now, 50, time.Minute, delivery.Share{})
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
			_, err := r.db.FinishDeliveries(r.t.Context(), r.now, []delivery.Outcome{o})
			r.must(err)
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

func (r *room) pass(d time.Duration) { r.now = r.now.Add(d) }

// named is a provider of which only name and links are asked.
type named struct{ core.Provider }

func (named) Name() string { return "Credly" }

func (named) Capabilities() core.Capability { return core.TellsAcceptance | core.TellsVisibility }

func (named) TrustedURL(link string) bool {
	return strings.HasPrefix(link, "https://www.credly.com/")
}
