package sqlstore

import (
	"context"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

func outcomeSent(d delivery.Delivery) delivery.Outcome {
	return delivery.Outcome{Delivery: d, State: delivery.StateSent}
}

func subject(id string) core.Subject { return core.Subject{Kind: core.SubjectBadge, ID: id} }

func TestLaneKeepsOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.account(slackUser("U1")), w.account(slackUser("U2"))
		var mine []string
		for _, id := range []string{"b1", "b2", "b3"} {
			mine = append(mine, w.post(a, subject(id), core.Place{}, start))
			w.tell(mine[len(mine)-1], false, start)
		}
		other := w.post(b, subject("b4"), core.Place{}, start)
		w.tell(other, false, start)
		// Told twice before it is sent: once is enough, with fallback if any.
		w.tell(mine[2], true, start)

		first := w.take(start, 10)
		if len(first) != 2 || first[0].Ref != mine[0] || first[1].Ref != other {
			t.Fatalf("first batch %+v", first)
		}
		if got := w.take(start.Add(time.Second), 10); len(got) != 0 {
			t.Fatalf("taken while another is being sent: %+v", got)
		}
		now := start.Add(2 * time.Second)
		done := outcomeSent(first[0])
		done.Pause = time.Second
		w.finish(now, done)
		if got := w.take(now, 10); len(got) != 0 {
			t.Fatalf("taken within the pause: %+v", got)
		}
		now = now.Add(time.Second)
		second := w.take(now, 10)
		if len(second) != 1 || second[0].Ref != mine[1] {
			t.Fatalf("second batch %+v", second)
		}
		// To be repeated later: it stays at the head.
		w.finish(now, delivery.Outcome{Delivery: second[0], State: delivery.StateReady, RetryAt: now.Add(time.Minute), Cause: "busy"})
		if got := w.take(now.Add(30*time.Second), 10); len(got) != 0 {
			t.Fatalf("overtaken: %+v", got)
		}
		// The other lane's lease ran out meanwhile; its message comes again.
		now = now.Add(time.Minute)
		again := w.take(now, 10)
		if len(again) != 2 || again[0].ID != second[0].ID || again[1].ID != first[1].ID {
			t.Fatalf("third batch %+v", again)
		}
		if again[0].Attempts != 2 || !again[0].FirstTryAt.Equal(start.Add(3*time.Second)) || again[0].Key != second[0].Key {
			t.Errorf("repeated delivery %+v", again[0])
		}
		// The late outcome of the attempt whose lease ran out changes nothing.
		w.finish(now, delivery.Outcome{Delivery: first[1], State: delivery.StateDead, Cause: "late"})
		if n := w.count(`SELECT count(*) FROM outbox WHERE state = 'dead'`); n != 0 {
			t.Error("a late outcome was stored")
		}
		w.finish(now, outcomeSent(again[0]), outcomeSent(again[1]))
		last := w.take(now, 10)
		if len(last) != 1 || last[0].Ref != mine[2] || !last[0].Fallback {
			t.Fatalf("last batch %+v", last)
		}
		w.finish(now, outcomeSent(last[0]))
		if got := w.take(now, 10); len(got) != 0 {
			t.Fatalf("taken from nothing: %+v", got)
		}
		if n := w.count(`SELECT count(*) FROM lanes WHERE active`); n != 0 {
			t.Errorf("%d lanes awake without anything to send", n)
		}
		w.tell(other, false, now)
		if got := w.take(now, 10); len(got) != 1 {
			t.Errorf("a woken lane gave %+v", got)
		}
	})
}

func TestTakeDeliveriesGoesRoundLanes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, user := range []string{"U1", "U2", "U3", "U4", "U5"} {
			w.tell(w.post(w.account(slackUser(user)), subject("b"), core.Place{}, start), false, start)
		}
		seen := map[int64]bool{}
		for _, want := range []int{2, 2, 1, 0} {
			got := w.take(start, 2)
			if len(got) != want {
				t.Fatalf("%d taken, want %d", len(got), want)
			}
			for _, d := range got {
				if seen[d.ID] {
					t.Errorf("%d taken twice", d.ID)
				}
				seen[d.ID] = true
			}
		}
	})
}

func TestTakenOnceByManyDispatchers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const users, each = 20, 3
		for i := range users {
			a := w.account(slackUser(string(rune('A' + i))))
			for n := range each {
				w.tell(w.post(a, subject(string(rune('a'+n))), core.Place{}, start), false, start)
			}
		}
		taken := make([][]delivery.Delivery, 4)
		errs := race(4, func(i int) error {
			ctx := context.WithoutCancel(t.Context())
			for idle := 0; idle < 20; {
				got, err := w.TakeDeliveries(ctx, start, 5, time.Minute, delivery.Share{})
				if err != nil {
					return err
				}
				if len(got) == 0 {
					idle++
					continue
				}
				taken[i] = append(taken[i], got...)
				outcomes := make([]delivery.Outcome, 0, len(got))
				for _, d := range got {
					outcomes = append(outcomes, outcomeSent(d))
				}
				if _, err := w.FinishDeliveries(ctx, start, outcomes); err != nil {
					return err
				}
			}
			return nil
		})
		tally(t, errs, nil)
		seen := map[int64]int{}
		for _, list := range taken {
			for _, d := range list {
				seen[d.ID]++
			}
		}
		if len(seen) != users*each {
			t.Errorf("%d delivered, want %d", len(seen), users*each)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("delivery %d taken %d times", id, n)
			}
		}
	})
}

func TestRepeatedDeliveryAbsorbsTheNextOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		post := w.post(w.account(slackUser("U1")), subject("b"), core.Place{}, start)
		w.tell(post, false, start)
		first := w.take(start, 1)
		w.tell(post, true, start)
		w.finish(start, delivery.Outcome{Delivery: first[0], State: delivery.StateReady, RetryAt: start.Add(time.Second)})
		again := w.take(start.Add(time.Second), 10)
		if len(again) != 1 || again[0].Key != first[0].Key || !again[0].Fallback {
			t.Fatalf("repeated %+v, want the first one with the fallback of the second", again)
		}
		w.finish(start.Add(time.Second), outcomeSent(again[0]))
		if got := w.take(start.Add(time.Hour), 10); len(got) != 0 {
			t.Errorf("the absorbed delivery came too: %+v", got)
		}
	})
}

func TestFinishSavesPlace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		old := w.post(a, subject("b0"), core.Place{Ref: "r0", MessageKey: "m", Shown: true}, start)
		post := w.post(a, subject("b"), core.Place{Ref: "r1"}, start)
		w.tell(post, false, start)
		d := w.take(start, 1)[0]
		place := core.Place{Ref: "r2", MessageKey: "m", EditableUntil: start.Add(time.Hour), Shown: true}
		o := outcomeSent(d)
		o.Place = &place
		w.finish(start, o)
		got, err := w.Post(t.Context(), post)
		w.must(err)
		if got.Place != place {
			t.Errorf("place %+v, want %+v", got.Place, place)
		}
		got, err = w.Post(t.Context(), old)
		w.must(err)
		if got.Place.MessageKey != "" || got.Place.Ref != "r0" {
			t.Errorf("other post's place %+v, want it without the key", got.Place)
		}
	})
}

func TestReleaseWaiting(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada)
		post := w.post(a, subject("b"), core.Place{}, start)
		w.tell(post, true, start)
		d := w.take(start, 1)[0]
		w.finish(start, delivery.Outcome{Delivery: d, State: delivery.StateWaiting, Cause: "closed"})
		// A second one that could not be delivered either.
		w.tell(post, true, start)
		d = w.take(start, 1)[0]
		w.finish(start, delivery.Outcome{Delivery: d, State: delivery.StateWaiting, Cause: "closed"})
		if got := w.take(start.Add(time.Hour), 10); len(got) != 0 {
			t.Fatalf("taken while waiting: %+v", got)
		}
		p, err := w.Person(t.Context(), ada)
		w.must(err)
		if !p.Waiting {
			t.Error("person is not told that something waits")
		}
		now := start.Add(2 * time.Hour)
		at := core.Place{Ref: "aside", EditableUntil: now.Add(15 * time.Minute)}
		w.must(w.ReleaseWaiting(t.Context(), a.ID, at, now))
		got := w.take(now, 10)
		if len(got) != 1 || got[0].Ref != post {
			t.Fatalf("released %+v, want the post once", got)
		}
		shown, err := w.Post(t.Context(), post)
		w.must(err)
		if shown.Place != at {
			t.Errorf("place %+v, want %+v", shown.Place, at)
		}
		w.finish(now, outcomeSent(got[0]))
		if got := w.take(now, 10); len(got) != 0 {
			t.Errorf("released twice: %+v", got)
		}
		p, err = w.Person(t.Context(), ada)
		w.must(err)
		if p.Waiting {
			t.Error("something still waits")
		}
	})
}

func TestMailSecretIsSealedAndWiped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.QueueMail(ctx, "v1", "12345678", start) })
		sealed := w.texts(`SELECT payload FROM outbox`)[0]
		if sealed == "" || sealed == "12345678" {
			t.Fatalf("stored payload %q", sealed)
		}
		d := w.take(start, 1)[0]
		if d.Payload.Reveal() != "12345678" || d.Ref != "v1" || d.Kind != delivery.KindMail {
			t.Errorf("delivery %+v", d)
		}
		w.finish(start, delivery.Outcome{Delivery: d, State: delivery.StateReady, RetryAt: start.Add(time.Second)})
		d = w.take(start.Add(time.Second), 1)[0]
		if d.Payload.Reveal() != "12345678" {
			t.Error("secret is gone before it was sent")
		}
		w.finish(start.Add(time.Second), outcomeSent(d))
		if got := w.texts(`SELECT payload FROM outbox`)[0]; got != "" {
			t.Errorf("payload after sending %q, want none", got)
		}
	})
}

func TestDeadInstallation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		here := w.account(slackUser("U1"))
		there := w.account(core.Identity{Platform: "slack", Tenant: "T2", User: "U1"})
		mine := w.post(here, subject("b"), core.Place{}, start)
		theirs := w.post(there, subject("b"), core.Place{}, start)
		w.tell(mine, false, start)
		w.tell(theirs, false, start)
		taken := w.take(start, 10)
		dead := delivery.Outcome{Delivery: taken[0], State: delivery.StateDead, Cause: "token_revoked", DeadInstallation: &here.Identity}
		w.finish(start, dead, outcomeSent(taken[1]))
		w.tell(mine, false, start)
		w.tell(theirs, false, start)
		got := w.take(start, 10)
		if len(got) != 1 || got[0].Ref != theirs {
			t.Fatalf("taken %+v, want only the living workspace's", got)
		}
		list, err := w.Installations(t.Context())
		w.must(err)
		if len(list) != 1 || list[0].Tenant != "T1" || list[0].Dead != "token_revoked" || !list[0].Since.Equal(start) {
			t.Errorf("installations %+v", list)
		}
		w.must(w.MarkInstallation(t.Context(), "slack", "T1", "", start.Add(time.Hour)))
		got = w.take(start.Add(time.Hour), 10)
		if len(got) == 0 || got[len(got)-1].Ref != mine && got[0].Ref != mine {
			t.Errorf("taken %+v after the workspace came back", got)
		}
	})
}

func TestForgetPost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		post := w.post(a, subject("b"), core.Place{Ref: "r", MessageKey: "m"}, start)
		w.tell(post, false, start)
		w.must(w.ForgetPost(t.Context(), slackUser("U2"), "m"))
		w.must(w.ForgetPost(t.Context(), a.Identity, "other"))
		if n := w.count(`SELECT count(*) FROM posts`); n != 1 {
			t.Fatal("somebody else's message was forgotten")
		}
		w.must(w.ForgetPost(t.Context(), a.Identity, "m"))
		if n := w.count(`SELECT count(*) FROM posts`) + w.count(`SELECT count(*) FROM outbox`); n != 0 {
			t.Errorf("%d rows left", n)
		}
	})
}

func TestTellGivesFallbackToNewestPost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		w.claimed(p)
		h := core.Subject{Kind: core.SubjectHandoff, ID: p.HandoffID}
		newest := w.post(a, h, core.Place{Ref: "r2", MessageKey: "m2"}, start.Add(time.Second))
		var told int
		w.tx(func(ctx context.Context, tx core.Tx) (err error) {
			told, err = tx.TellBadge(ctx, badge, true, start)
			return err
		})
		if told != 2 {
			t.Errorf("%d posts told, want 2", told)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.TellSubject(ctx, h, false, start) })
		// The claim's own delivery had its fallback before.
		got := w.texts(`SELECT ref FROM outbox WHERE kind = 'post' AND fallback ORDER BY id`)
		if len(got) != 2 || got[0] != p.PostID || got[1] != newest {
			t.Errorf("fallback for %v", got)
		}
	})
}

// An attempt that met a limit showed nothing: the next one is the first.
func TestUntriedIsTriedForTheFirstTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.account(slackUser("U1"), "ada@example.org")
		w.observe(pending("p1", "ada@example.org"))
		now := monday()
		w.plan(now)
		for i, want := range []struct{ untried, first bool }{{true, true}, {true, true}, {false, true}, {false, false}} {
			due := w.take(now, 10)
			if len(due) != 1 || due[0].FirstTryAt.IsZero() != want.first {
				t.Fatalf("attempt %d: %+v", i+1, due)
			}
			w.finish(now, delivery.Outcome{
				Delivery: due[0], State: delivery.StateReady, RetryAt: now, Uncounted: true, Untried: want.untried, LimitedSince: now,
			})
		}
	})
}
