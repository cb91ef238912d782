package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
)

// Limits of the dispatcher that the model keeps to.
const (
	lease     = 45 * time.Second
	attempted = 25 * time.Second
)

// Rule 4: every notification reaches its place once, through any crash: at
// least once in the store's books, at most once in what people see. Several
// dispatchers take, send and store, one step at a time and in any order; they
// die between the steps; answers are lost; the platform refuses or asks for
// patience. What the receiver shows in the end is each
// message once, in the order of its lane, with what is true then.
func TestEveryMessageIsSeenOnce(t *testing.T) {
	t.Parallel()
	template := migrated(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newPostWorld(t, rt, template)
		defer w.close()
		rt.Repeat(map[string]func(*rapid.T){
			"":       func(rt *rapid.T) { w.check(rt) },
			"queue":  w.queue,
			"change": w.change,
			"take":   w.take,
			"send":   w.send,
			"store":  w.store,
			"crash":  w.crash,
			"time":   w.passTime,
		})
		w.settle(rt)
	})
}

const dispatchers = 3

// attempt is a delivery in the hands of a dispatcher.
type attempt struct {
	delivery delivery.Delivery
	takenAt  time.Time
	outcome  *delivery.Outcome
}

// note is a message that was queued.
type note struct {
	post, badge, name string
	who               int
}

// message is a message as the receiver shows it.
type message struct {
	id    string
	title string
}

// postWorld is the store, the dispatchers and the receiver.
type postWorld struct {
	ctx      context.Context
	db       *sqlstore.DB
	now      time.Time
	composer *chat.Composer
	people   []core.Account
	held     [dispatchers][]*attempt
	notes    []note
	// shown are the messages of each person's chat, in the order in which
	// they came; byKey finds the message that was sent with a key.
	shown [2][]*message
	byKey map[string]*message
	// fault is what the platform does to the next call.
	fault string
}

func (w *postWorld) Now() time.Time { return w.now }

func migrated(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.db")
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: "sqlite:" + file, Keys: testKeys(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Migrate(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

func testKeys(t *testing.T) *core.Keys {
	t.Helper()
	keys, err := core.NewKeys([]byte(strings.Repeat("4", core.KeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newPostWorld(t *testing.T, rt *rapid.T, template string) *postWorld {
	t.Helper()
	data, err := os.ReadFile(template)
	if err != nil {
		rt.Fatal(err)
	}
	dir, err := os.MkdirTemp(t.TempDir(), "world")
	if err != nil {
		rt.Fatal(err)
	}
	file := filepath.Join(dir, "laurel.db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		rt.Fatal(err)
	}
	w := &postWorld{
		ctx: context.Background(), now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC),
		byKey: map[string]*message{},
	}
	w.db, err = sqlstore.Open(w.ctx, sqlstore.Config{URL: "sqlite:" + file, Keys: testKeys(t)})
	if err != nil {
		rt.Fatal(err)
	}
	catalog, err := chat.NewCatalog()
	if err != nil {
		rt.Fatal(err)
	}
	w.composer = &chat.Composer{
		Store: w.db, Clock: w, Keys: testKeys(t), Catalog: catalog, Provider: named{}, PublicURL: "https://laurel.example.org", TTL: core.DefaultHandoffTTL,
	}
	w.tx(rt, func(ctx context.Context, tx core.Tx) error {
		w.people = nil
		for i := range len(w.shown) {
			a, err := tx.EnsureAccount(ctx, core.Account{Identity: core.Identity{Platform: "slack", Tenant: "T1", User: fmt.Sprint(i)}}, w.now)
			if err != nil {
				return err
			}
			err = tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: address(i), VerifiedAt: w.now})
			if err != nil {
				return err
			}
			w.people = append(w.people, a)
		}
		return nil
	})
	return w
}

func address(i int) core.Email {
	s := fmt.Sprintf("person-%d@example.org", i)
	return core.Email{Shown: s, Normal: s}
}

func (w *postWorld) close() { _ = w.db.Close() }

func (w *postWorld) tx(rt *rapid.T, f func(ctx context.Context, tx core.Tx) error) {
	if err := w.db.InTx(w.ctx, f); err != nil {
		rt.Fatal(err)
	}
}

// say stores what the provider says about the badge of a note.
func (w *postWorld) say(ctx context.Context, tx core.Tx, name string, who int, stage core.Stage) (core.Change, error) {
	return tx.SaveObservation(ctx, core.Observation{
		ProviderID: "at-" + name, Recipient: address(who), Stage: stage, At: w.now, ReadAt: w.now,
		Template: core.Template{ID: "template-" + name, Name: name},
	}, w.now, core.PollPlan{})
}

// queue makes a new message.
func (w *postWorld) queue(rt *rapid.T) {
	if len(w.notes) >= 8 {
		rt.Skip("enough messages")
	}
	n := note{name: fmt.Sprintf("Badge %d", len(w.notes)), who: rapid.IntRange(0, len(w.people)-1).Draw(rt, "who")}
	w.tx(rt, func(ctx context.Context, tx core.Tx) error {
		change, err := w.say(ctx, tx, n.name, n.who, core.StageAccepted)
		if err != nil {
			return err
		}
		n.badge = change.After.ID
		n.post, err = tx.AddPost(ctx, core.Post{
			ID: core.NewID(), Account: w.people[n.who], Subject: core.Subject{Kind: core.SubjectBadge, ID: n.badge},
		}, w.now)
		if err != nil {
			return err
		}
		return tx.Tell(ctx, n.post, true, w.now)
	})
	w.notes = append(w.notes, n)
}

// change makes what a message shows untrue, so that it has to be edited.
func (w *postWorld) change(rt *rapid.T) {
	if len(w.notes) == 0 {
		rt.Skip("no message")
	}
	n := rapid.SampledFrom(w.notes).Draw(rt, "note")
	stage := rapid.SampledFrom([]core.Stage{core.StageAccepted, core.StagePublic, core.StageRevoked}).Draw(rt, "stage")
	fallback := rapid.Bool().Draw(rt, "fallback")
	// The provider's time is a millisecond later each time it says something.
	w.now = w.now.Add(time.Millisecond)
	w.tx(rt, func(ctx context.Context, tx core.Tx) error {
		if _, err := w.say(ctx, tx, n.name, n.who, stage); err != nil {
			return err
		}
		_, err := tx.TellBadge(ctx, n.badge, fallback, w.now)
		return err
	})
}

func (w *postWorld) dispatcher(rt *rapid.T) int {
	return rapid.IntRange(0, dispatchers-1).Draw(rt, "dispatcher")
}

func (w *postWorld) take(rt *rapid.T) { w.takeFor(rt, w.dispatcher(rt)) }

func (w *postWorld) takeFor(rt *rapid.T, i int) int {
	due, err := w.db.TakeDeliveries(w.ctx, w.now, 8, lease, delivery.Share{})
	if err != nil {
		rt.Fatal(err)
	}
	lanes := map[string]bool{}
	for _, d := range due {
		if lanes[d.Lane] {
			rt.Fatalf("two deliveries of lane %s at once", d.Lane)
		}
		lanes[d.Lane] = true
		w.held[i] = append(w.held[i], &attempt{delivery: d, takenAt: w.now})
	}
	return len(due)
}

// patience is how often a message may fail: beyond it would be given up.
func patience(d delivery.Delivery) bool { return d.Attempts < delivery.PostBackoff.Most-4 }

func (w *postWorld) send(rt *rapid.T) {
	i := w.dispatcher(rt)
	var open []*attempt
	for _, a := range w.held[i] {
		// The dispatcher breaks off an attempt long before its lease ends.
		if a.outcome == nil && w.now.Before(a.takenAt.Add(attempted)) {
			open = append(open, a)
		}
	}
	if len(open) == 0 {
		rt.Skip("nothing to send")
	}
	a := rapid.SampledFrom(open).Draw(rt, "attempt")
	w.fault = ""
	if patience(a.delivery) {
		w.fault = rapid.SampledFrom([]string{"", "", "lost answer", "refused", "busy"}).Draw(rt, "fault")
	}
	w.sendNow(a)
}

func (w *postWorld) sendNow(a *attempt) {
	sender := &delivery.PostSender{
		Store: w.db, Clock: w, Composer: w.composer, Messengers: map[core.Platform]chat.Messenger{"slack": receiver{w}},
	}
	o := sender.Send(w.ctx, a.delivery)
	a.outcome = &o
}

func (w *postWorld) store(rt *rapid.T) {
	i := w.dispatcher(rt)
	at := slices.IndexFunc(w.held[i], func(a *attempt) bool { return a.outcome != nil })
	if at < 0 {
		rt.Skip("nothing to store")
	}
	w.storeAt(rt, i, at)
}

func (w *postWorld) storeAt(rt *rapid.T, i, at int) {
	if _, err := w.db.FinishDeliveries(w.ctx, w.now, []delivery.Outcome{*w.held[i][at].outcome}); err != nil {
		rt.Fatal(err)
	}
	w.held[i] = slices.Delete(w.held[i], at, at+1)
}

// crash forgets everything a dispatcher had in its hands, sent or not.
func (w *postWorld) crash(rt *rapid.T) {
	i := w.dispatcher(rt)
	if len(w.held[i]) == 0 || !slices.ContainsFunc(w.held[i], func(a *attempt) bool { return patience(a.delivery) }) {
		rt.Skip("nothing to lose")
	}
	w.held[i] = nil
}

func (w *postWorld) passTime(rt *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 10, 30, 60, 600}).Draw(rt, "seconds")) * time.Second)
}

// check runs after every step: nobody ever sees a message twice, or out of
// order.
func (w *postWorld) check(rt *rapid.T) {
	for who := range w.people {
		var want []string
		for _, n := range w.notes {
			if n.who == who {
				want = append(want, n.name)
			}
		}
		got := make([]string, 0, len(want))
		for _, m := range w.shown[who] {
			_, name, _ := strings.Cut(m.title, ": ")
			got = append(got, name)
		}
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			rt.Fatalf("person %d sees %q, of which was told %q", who, got, want)
		}
	}
}

// settle lets everything arrive: no more faults, time passes.
func (w *postWorld) settle(rt *rapid.T) {
	w.fault = ""
	for idle := 0; idle < 3; {
		w.now = w.now.Add(30 * time.Minute)
		n := w.takeFor(rt, 0)
		for i := range w.held {
			for len(w.held[i]) > 0 {
				if a := w.held[i][0]; a.outcome == nil && w.now.Before(a.takenAt.Add(attempted)) {
					w.sendNow(a)
				} else if a.outcome == nil {
					// Its lease ran out before it sent anything.
					w.held[i] = w.held[i][1:]
					continue
				}
				w.storeAt(rt, i, 0)
			}
		}
		w.check(rt)
		if n == 0 {
			idle++
		} else {
			idle = 0
		}
	}
	for who := range w.people {
		var want []string
		for _, n := range w.notes {
			if n.who != who {
				continue
			}
			post, err := w.db.Post(w.ctx, n.post)
			if err != nil {
				rt.Fatal(err)
			}
			card, err := w.composer.Compose(w.ctx, post)
			if err != nil {
				rt.Fatal(err)
			}
			want = append(want, card.Title)
		}
		got := make([]string, 0, len(want))
		for _, m := range w.shown[who] {
			got = append(got, m.title)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("in the end person %d sees %q, true is %q", who, got, want)
		}
	}
}

// receiver is a platform that drops a repetition by its key, as Discord does
// with an enforced nonce
// (https://discord.com/developers/docs/resources/message#create-message).
type receiver struct{ w *postWorld }

func (r receiver) Direct(_ context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	w := r.w
	if w.fault == "refused" {
		return core.Place{}, errors.New("connection reset before the request")
	}
	if w.fault == "busy" {
		return core.Place{}, &core.DeliveryError{Class: core.RetryLater, Code: "429", After: 20 * time.Second}
	}
	m, known := w.byKey[key]
	if !known {
		who := slices.IndexFunc(w.people, func(a core.Account) bool { return a.Identity == to })
		m = &message{id: fmt.Sprintf("%d/%d", who, len(w.shown[who])), title: c.Title}
		w.byKey[key] = m
		w.shown[who] = append(w.shown[who], m)
	}
	if w.fault == "lost answer" {
		return core.Place{}, errors.New("connection reset before the answer")
	}
	return core.Place{Ref: core.Secret(m.id), MessageKey: m.id, EditableUntil: w.now.Add(1000 * time.Hour), Shown: true}, nil
}

func (r receiver) Show(_ context.Context, p core.Place, c chat.Card, _ string) (core.Place, error) {
	w := r.w
	switch w.fault {
	case "refused":
		return core.Place{}, errors.New("connection reset before the request")
	case "busy":
		return core.Place{}, &core.DeliveryError{Class: core.RetryLater, Code: "429", After: 20 * time.Second}
	}
	for _, chat := range w.shown {
		for _, m := range chat {
			if m.id == p.Ref.Reveal() {
				m.title = c.Title
			}
		}
	}
	if w.fault == "lost answer" {
		return core.Place{}, errors.New("connection reset before the answer")
	}
	return p, nil
}

func (receiver) Remove(context.Context, core.Place) error { return nil }

func (receiver) Pause() time.Duration { return time.Second }

// named is a provider of which only the name is asked.
type named struct{ core.Provider }

func (named) Capabilities() core.Capability { return core.TellsVisibility }

func (named) Name() string           { return "Credly" }
func (named) TrustedURL(string) bool { return false }
