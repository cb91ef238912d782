package sqlstore

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

// letters fills a world with dead letters of every kind and returns their
// ids: two posts of one message and one of another, one of them waiting, an
// event and a mail.
type letters struct{ first, second, waiting, event, mail int64 }

func (w *world) letters() letters {
	w.t.Helper()
	ada := w.account(slackUser("U1"))
	discord := w.account(core.Identity{Platform: "discord", User: "42"})
	post, other := w.post(ada, subject("b1"), core.Place{}, start), w.post(discord, subject("b2"), core.Place{}, start)
	var out letters
	fail := func(state delivery.State, cause string) int64 {
		w.t.Helper()
		d := w.take(start, 10)
		if len(d) != 1 {
			w.t.Fatalf("taken %+v", d)
		}
		w.finish(start, delivery.Outcome{Delivery: d[0], State: state, Cause: cause})
		return d[0].ID
	}
	w.tell(post, false, start)
	out.first = fail(delivery.StateDead, "invalid (too_long)")
	w.tell(post, true, start)
	out.second = fail(delivery.StateDead, "temporary (Timeout)")
	w.tell(other, true, start)
	out.waiting = fail(delivery.StateWaiting, "target_dead (50007)")
	w.tx(func(ctx context.Context, tx core.Tx) error {
		return tx.QueueEvent(ctx, core.EventClaimed, "b1", "event-1", start)
	})
	out.event = fail(delivery.StateDead, "publish event: timeout")
	w.tx(func(ctx context.Context, tx core.Tx) error { return tx.QueueMail(ctx, "v1", "code", start) })
	out.mail = fail(delivery.StateDead, "550 refused")
	// Lanes without anything to send do not stay.
	w.take(start, 10)
	w.must(w.Tidy(w.t.Context(), start.Add(2*time.Hour)))
	if n := w.count(`SELECT count(*) FROM lanes`); n != 0 {
		w.t.Fatalf("%d lanes are kept", n)
	}
	return out
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := w.letters()
		// One that is on its way and one that arrived are none.
		post := w.post(w.account(slackUser("U2")), subject("b"), core.Place{}, start)
		w.tell(post, false, start)
		w.finish(start, outcomeSent(w.take(start, 1)[0]))
		w.tell(post, false, start)
		for _, tt := range []struct {
			name   string
			filter delivery.DeadLetterFilter
			after  int64
			limit  int
			want   []int64
		}{
			{name: "all", limit: 10, want: []int64{l.first, l.second, l.waiting, l.event, l.mail}},
			{name: "page", limit: 2, after: l.first, want: []int64{l.second, l.waiting}},
			{name: "kind", filter: delivery.DeadLetterFilter{Kind: delivery.KindEvent}, limit: 10, want: []int64{l.event}},
			{name: "platform", filter: delivery.DeadLetterFilter{Platform: "discord"}, limit: 10, want: []int64{l.waiting}},
			{name: "no platform of that name", filter: delivery.DeadLetterFilter{Platform: "mail"}, limit: 10},
			{name: "state", filter: delivery.DeadLetterFilter{State: delivery.StateWaiting}, limit: 10, want: []int64{l.waiting}},
			{name: "no state of a dead letter", filter: delivery.DeadLetterFilter{State: delivery.StateReady}, limit: 10},
			{name: "cause", filter: delivery.DeadLetterFilter{Cause: "timeout"}, limit: 10, want: []int64{l.event}},
			{name: "no pattern", filter: delivery.DeadLetterFilter{Cause: "%"}, limit: 10},
			{name: "ids", filter: delivery.DeadLetterFilter{IDs: []int64{l.mail, l.first, 999}}, limit: 10, want: []int64{l.first, l.mail}},
			{
				name: "everything at once", limit: 10, want: []int64{l.second},
				filter: delivery.DeadLetterFilter{
					IDs: []int64{l.first, l.second}, Kind: delivery.KindPost, Platform: "slack", State: delivery.StateDead, Cause: "Time",
				},
			},
		} {
			got, err := w.DeadLetters(t.Context(), tt.filter, tt.after, tt.limit)
			w.must(err)
			var ids []int64
			for _, one := range got {
				ids = append(ids, one.ID)
			}
			if !slices.Equal(ids, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, ids, tt.want)
			}
		}
		got, err := w.DeadLetters(t.Context(), delivery.DeadLetterFilter{IDs: []int64{l.first, l.waiting, l.event}}, 0, 10)
		w.must(err)
		want := []delivery.DeadLetter{
			{
				ID: l.first, Kind: delivery.KindPost, Platform: "slack", Tenant: "T1", State: delivery.StateDead, Attempts: 1,
				Cause: "invalid (too_long)", CreatedAt: start, DoneAt: start,
			},
			{
				ID: l.waiting, Kind: delivery.KindPost, Platform: "discord", State: delivery.StateWaiting, Attempts: 1,
				Cause: "target_dead (50007)", CreatedAt: start,
			},
			{
				ID: l.event, Kind: delivery.KindEvent, State: delivery.StateDead, Attempts: 1,
				Cause: "publish event: timeout", CreatedAt: start, DoneAt: start,
			},
		}
		if !slices.Equal(got, want) {
			t.Errorf("letters %+v", got)
		}
	})
}

func TestResend(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := w.letters()
		before := w.texts(`SELECT delivery_key FROM outbox ORDER BY id`)
		now := start.Add(3 * time.Hour)
		n, err := w.Resend(t.Context(), now, delivery.DeadLetterFilter{})
		w.must(err)
		if n != 3 {
			t.Errorf("%d sent again, want the two messages and the event", n)
		}
		got := w.take(now, 10)
		if len(got) != 3 || got[0].ID != l.first || got[1].ID != l.waiting || got[2].ID != l.event {
			t.Fatalf("taken %+v", got)
		}
		for _, d := range got {
			if d.Attempts-d.Uncounted != 1 || d.FirstTryAt.IsZero() || !slices.Contains(before, d.Key) || !d.CreatedAt.Equal(start) {
				t.Errorf("sent again as %+v", d)
			}
		}
		// The second letter of the first message went, and left its wish.
		if !got[0].Fallback {
			t.Error("the wish for another way is lost")
		}
		if tenants := w.texts(`SELECT platform || ':' || tenant FROM lanes ORDER BY lane`); !slices.Equal(tenants, []string{"discord:", ":", "slack:T1"}) {
			t.Errorf("lanes of %q", tenants)
		}
		left, err := w.DeadLetters(t.Context(), delivery.DeadLetterFilter{}, 0, 10)
		w.must(err)
		if len(left) != 1 || left[0].ID != l.mail {
			t.Errorf("left %+v, want the mail without its code", left)
		}
		// The late outcome of the attempt that was given up changes nothing.
		late := got[0]
		late.Attempts--
		w.finish(now, delivery.Outcome{Delivery: late, State: delivery.StateDead, Cause: "late"})
		w.finish(now, outcomeSent(got[0]), outcomeSent(got[1]), outcomeSent(got[2]))
		if n := w.count(`SELECT count(*) FROM outbox WHERE state = 'sent'`); n != 4 {
			t.Errorf("%d done", n)
		}
		if n, err := w.Resend(t.Context(), now, delivery.DeadLetterFilter{}); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
	})
}

// A message that is due anyway tells everything that an old letter could.
func TestResendBehindOneThatWaits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := w.letters()
		var post string
		w.must(w.run().get(t.Context(), &post, `SELECT ref FROM outbox WHERE id = ?`, l.second))
		w.tell(post, false, start)
		n, err := w.Resend(t.Context(), start, delivery.DeadLetterFilter{IDs: []int64{l.second}})
		w.must(err)
		got := w.take(start, 10)
		if n != 0 || len(got) != 1 || got[0].ID == l.second || !got[0].Fallback {
			t.Errorf("%d sent again, taken %+v", n, got)
		}
		w.finish(start, outcomeSent(got[0]))
		if state := w.texts(`SELECT state FROM outbox WHERE id = ?`, l.second); state[0] != "sent" {
			t.Errorf("the old letter is %v", state)
		}
	})
}

// Two operators and a message that is told at the same moment.
func TestResendRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := w.letters()
		var post string
		w.must(w.run().get(t.Context(), &post, `SELECT ref FROM outbox WHERE id = ?`, l.first))
		ctx := context.WithoutCancel(t.Context())
		tally(t, race(6, func(i int) error {
			if i%2 == 0 {
				_, err := w.Resend(ctx, start, delivery.DeadLetterFilter{})
				return err
			}
			return w.InTx(ctx, func(ctx context.Context, tx core.Tx) error { return tx.Tell(ctx, post, false, start) })
		}), nil)
		got := w.take(start, 10)
		if len(got) != 3 {
			t.Errorf("taken %+v", got)
		}
	})
}

func TestDropDeadLetters(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		l := w.letters()
		n, err := w.Drop(t.Context(), start, delivery.DeadLetterFilter{Platform: "slack"})
		w.must(err)
		if n != 2 || w.count(`SELECT count(*) FROM outbox WHERE id IN (?, ?)`, l.first, l.second) != 0 {
			t.Errorf("%d dropped", n)
		}
		post := w.post(w.account(slackUser("U2")), subject("b"), core.Place{}, start)
		w.tell(post, false, start)
		n, err = w.Drop(t.Context(), start, delivery.DeadLetterFilter{})
		w.must(err)
		if n != 3 || w.count(`SELECT count(*) FROM outbox`) != 1 {
			t.Errorf("%d dropped in all", n)
		}
	})
}

// Attempts that met limits do not count, those that failed do, and a
// delivery knows since when it has met nothing but limits.
func TestAttemptsAreCountedApart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.tell(w.post(w.account(slackUser("U1")), subject("b"), core.Place{}, start), false, start)
		later := &core.DeliveryError{Class: core.RetryLater, Code: "ratelimited", After: time.Minute}
		failures := []error{later, later, errors.New("broken"), later}
		wants := []struct {
			uncounted int
			limited   bool
		}{{1, true}, {2, true}, {2, false}, {3, true}}
		now := start
		var since time.Time
		for i, failure := range failures {
			d := w.take(now, 1)
			if len(d) != 1 {
				t.Fatalf("attempt %d: nothing is due", i+1)
			}
			o := delivery.Failed(d[0], failure, now, delivery.PostBackoff)
			w.finish(now, o)
			if got := w.take(o.RetryAt.Add(-time.Millisecond), 1); len(got) != 0 {
				t.Fatalf("attempt %d is repeated before its time", i+1)
			}
			switch {
			case !wants[i].limited:
				since = time.Time{}
			case since.IsZero():
				since = now
			}
			now = o.RetryAt.Add(time.Millisecond)
			var row struct {
				Uncounted int   `db:"uncounted"`
				Since     int64 `db:"limited_since"`
			}
			w.must(w.run().get(t.Context(), &row, `SELECT uncounted, limited_since FROM outbox`))
			if row.Uncounted != wants[i].uncounted || !at(row.Since).Equal(since.Truncate(time.Millisecond)) {
				t.Errorf("after attempt %d: %+v, want %+v since %v", i+1, row, wants[i], since)
			}
		}
		d := w.take(now, 1)[0]
		if d.Attempts != 5 || d.Uncounted != 3 || d.LimitedSince.IsZero() {
			t.Errorf("delivery %+v", d)
		}
	})
}

// Lanes of tenants that have their share are left to others and to other
// replicas.
func TestTakeDeliveriesKeepsShares(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for i := range 6 {
			user := string(rune('a' + i))
			w.tell(w.post(w.account(slackUser(user)), subject("b"), core.Place{}, start), false, start)
		}
		for i, id := range []core.Identity{{Platform: "slack", Tenant: "T2", User: "a"}, {Platform: "discord", User: "a"}} {
			w.tell(w.post(w.account(id), subject("b"), core.Place{}, start), false, start.Add(time.Duration(i+1)*time.Second))
		}
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return errors.Join(
				tx.QueueMail(ctx, "v1", "code", start.Add(3*time.Second)), tx.QueueMail(ctx, "v2", "code", start.Add(3*time.Second)),
				tx.QueueEvent(ctx, core.EventClaimed, "b1", "event-1", start.Add(3*time.Second)),
			)
		})
		now := start.Add(time.Minute)
		take := func(n int, share delivery.Share) map[string]int {
			t.Helper()
			got, err := w.TakeDeliveries(t.Context(), now, n, time.Minute, share)
			w.must(err)
			tenants := map[string]int{}
			for _, d := range got {
				tenants[d.Tenant]++
			}
			return tenants
		}
		// Five are looked at, of which it may have one more.
		share := delivery.Share{Each: 3, Under: map[string]int{"slack:T1": 2, "mail": 2}}
		if got := take(5, share); len(got) != 1 || got["slack:T1"] != 1 {
			t.Errorf("first: %v", got)
		}
		share.Under["slack:T1"]++
		got := take(50, share)
		want := map[string]int{"slack:T2": 1, "discord:": 1, "mail": 1, "event": 1}
		if len(got) != len(want) {
			t.Errorf("second: %v", got)
		}
		for tenant, n := range want {
			if got[tenant] != n {
				t.Errorf("second: %d of %s", got[tenant], tenant)
			}
		}
		// Another replica has room for the rest.
		if got := take(50, delivery.Share{}); got["slack:T1"] != 5 || got["mail"] != 1 {
			t.Errorf("rest: %v", got)
		}
	})
}

// A dispatcher that still saw the dead workspace may be about to put a lane
// to sleep while new credentials come: the lane is awake afterwards.
func TestReviveWaitsForThoseWhoPutLanesToSleep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	w.tell(w.post(w.account(slackUser("U1")), subject("b"), core.Place{}, start), false, start)
	w.must(w.MarkInstallation(t.Context(), "slack", "T1", "token_revoked", start))
	asleep, err := w.x.BeginTxx(t.Context(), nil)
	w.must(err)
	_, err = asleep.ExecContext(t.Context(), `UPDATE lanes SET active = false`)
	w.must(err)
	revived := make(chan error, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() { revived <- w.MarkInstallation(ctx, "slack", "T1", "", start) }()
	for deadline := time.Now().Add(20 * time.Second); w.count(lockWaits) == 0; {
		if len(revived) > 0 || time.Now().After(deadline) {
			t.Fatal("the lane was passed over")
		}
	}
	w.must(asleep.Commit())
	w.must(<-revived)
	if got := w.take(start, 10); len(got) != 1 {
		t.Errorf("taken %+v", got)
	}
}
