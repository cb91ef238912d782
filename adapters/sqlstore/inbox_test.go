package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		clock, err := w.Clock(t.Context())
		w.must(err)
		defer clock.Close()
		receive := func(key string, k inbox.Kind) bool {
			isNew, err := w.Receive(t.Context(), inbox.Message{Source: "credly", Key: key, Kind: k, Payload: "body\x00\xff " + key})
			w.must(err)
			return isNew
		}
		if !receive("1", inbox.KindProviderEvent) || receive("1", inbox.KindProviderEvent) {
			t.Error("the same event twice is not one")
		}
		receive("2", inbox.KindIssue)
		now := clock.Now().Add(time.Second)
		items, err := w.TakeItems(t.Context(), now, 10, time.Minute)
		w.must(err)
		if len(items) != 2 || items[0].Message.Kind != inbox.KindIssue || items[0].Attempts != 1 {
			t.Fatalf("items %+v, want the urgent one first", items)
		}
		if got := items[1].Message.Payload; got != "body\uFFFD\uFFFD 1" {
			t.Errorf("payload %q", got)
		}
		none, err := w.TakeItems(t.Context(), now, 10, time.Minute)
		w.must(err)
		if len(none) != 0 {
			t.Errorf("leased items came again: %+v", none)
		}
		w.must(w.FinishItem(t.Context(), items[0].ID, now))
		w.must(w.RetryItem(t.Context(), items[1].ID, now.Add(time.Second), "busy"))
		again, err := w.TakeItems(t.Context(), now.Add(time.Second), 10, time.Minute)
		w.must(err)
		if len(again) != 1 || again[0].ID != items[1].ID || again[0].Attempts != 2 {
			t.Fatalf("again %+v", again)
		}
		// The lease ran out.
		again, err = w.TakeItems(t.Context(), now.Add(2*time.Minute), 10, time.Minute)
		w.must(err)
		if len(again) != 1 || again[0].Attempts != 3 {
			t.Fatalf("after the lease %+v", again)
		}
		w.must(w.RetryItem(t.Context(), again[0].ID, time.Time{}, "useless"))
		again, err = w.TakeItems(t.Context(), now.Add(time.Hour), 10, time.Minute)
		w.must(err)
		if len(again) != 0 {
			t.Errorf("parked item came again: %+v", again)
		}
		if n := w.count(`SELECT count(*) FROM inbox WHERE state = 'done' AND payload = ''`); n != 1 {
			t.Error("a finished item kept its payload")
		}
		stats, err := w.Stats(t.Context())
		w.must(err)
		if stats.Inbox["parked"] != 1 || len(stats.Inbox) != 1 {
			t.Errorf("inbox counts %v", stats.Inbox)
		}
	})
}

func TestActions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		begin := func(key string, now time.Time) bool {
			ok, err := w.StartAction(context.WithoutCancel(t.Context()), key, now, time.Minute)
			w.must(err)
			return ok
		}
		won := make([]bool, 8)
		race(len(won), func(i int) error { won[i] = begin("k", start); return nil })
		n := 0
		for _, ok := range won {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Errorf("begun %d times, want once", n)
		}
		if begin("k", start.Add(time.Minute)) || !begin("k", start.Add(time.Minute+time.Millisecond)) {
			t.Error("a stale attempt does not begin again exactly after its time")
		}
		w.must(w.FinishAction(t.Context(), "k", start))
		if begin("k", start.Add(time.Hour)) {
			t.Error("a finished action began again")
		}
	})
}

func TestJobs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		won := make([]bool, 8)
		errs := race(len(won), func(i int) (err error) {
			won[i], err = w.ClaimSlot(context.WithoutCancel(t.Context()), "expire", 60)
			return err
		})
		tally(t, errs, nil)
		n := 0
		for _, ok := range won {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Errorf("slot claimed %d times, want once", n)
		}
		w.must(w.SaveJobResult(t.Context(), "expire", start, time.Second, "ok"))
		w.must(w.SaveJobResult(t.Context(), "expire", start.Add(-time.Hour), time.Second, "late"))
		got, err := w.JobResults(t.Context())
		w.must(err)
		if len(got) != 1 || got[0] != (JobResult{"expire", start, time.Second, "ok"}) {
			t.Errorf("results %+v", got)
		}
	})
}

func TestTidy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org")
		w.claimed(claimOf(ada, w.grant(award("a1", "ada@example.org")), start))
		for _, d := range w.take(start, 10) {
			w.finish(start, outcomeSent(d))
		}
		w.take(start.Add(time.Minute), 10)
		w.verification(a, "two@example.org", start)
		_, err := w.StartAction(t.Context(), "k", start, time.Minute)
		w.must(err)
		_, err = w.ClaimSlot(t.Context(), "j", start.UnixMilli())
		w.must(err)
		items, err := w.TakeItems(t.Context(), start, 10, time.Minute)
		w.must(err)
		w.must(w.FinishItem(t.Context(), items[0].ID, start))
		rows := func() map[string]int {
			out := map[string]int{}
			for _, table := range []string{"actions", "outbox", "inbox", "verifications", "job_runs", "posts", "lanes", "badges"} {
				out[table] = w.count(`SELECT count(*) FROM ` + table)
			}
			return out
		}
		before := rows()
		w.must(w.Tidy(t.Context(), start))
		for table, n := range rows() {
			if n != before[table] || n == 0 {
				t.Errorf("%s: %d rows of %d left at once", table, n, before[table])
			}
		}
		w.must(w.Tidy(t.Context(), start.Add(200*24*time.Hour)))
		for table, n := range rows() {
			if want := map[string]int{"badges": 1}[table]; n != want {
				t.Errorf("%s: %d rows left, want %d", table, n, want)
			}
		}
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		w.claimed(claimOf(ada, w.grant(award("a1", "ada@example.org")), start))
		s, err := w.Stats(t.Context())
		w.must(err)
		if s.Deliveries["ready"] != 2 || !s.OldestReady.Equal(start) || s.Inbox["ready"] != 1 ||
			s.Badges[core.StageGranted] != 1 || s.Members != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestReceiveAll(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		message := func(key string, k inbox.Kind) inbox.Message {
			return inbox.Message{Source: "credly", Key: key, Kind: k, Payload: `{"body": "` + key + "\x00\xff" + `"}`}
		}
		got, err := w.ReceiveAll(t.Context(), []inbox.Message{
			message("3", inbox.KindProviderEvent), message("1", inbox.KindProviderEvent), message("3", inbox.KindProviderEvent),
		})
		w.must(err)
		if want := []bool{true, true, false}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		again, err := w.ReceiveAll(t.Context(), []inbox.Message{
			message("1", inbox.KindIssue), message("2", inbox.KindIssue), message("ab\x00", inbox.KindIssue), message("ab\xff", inbox.KindIssue),
		})
		w.must(err)
		if want := []bool{false, true, true, false}; !slices.Equal(again, want) {
			t.Errorf("got %v, want %v", again, want)
		}
		clock, err := w.Clock(t.Context())
		w.must(err)
		defer clock.Close()
		items, err := w.TakeItems(t.Context(), clock.Now().Add(time.Second), 10, time.Minute)
		w.must(err)
		if len(items) != 4 || items[0].Message.Kind != inbox.KindIssue ||
			items[0].Message.Payload != "{\"body\": \"2\uFFFD\uFFFD\"}" {
			t.Errorf("items %+v", items)
		}
		if since := clock.Now().Sub(items[0].ReceivedAt); since < -time.Minute || since > time.Minute {
			t.Errorf("received %v ago", since)
		}
	})
}

// Two replicas that get the same events at once store each once, and neither
// waits for the other for ever.
func TestReceiveAllAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const events, replicas = 100, 4
		fresh := make([]int, replicas)
		errs := race(replicas, func(i int) error {
			for round := range 5 {
				batch := make([]inbox.Message, 0, events)
				for n := range events {
					// Each in another order.
					key := fmt.Sprintf("%d-%d", round, (n*(2*i+1)+i*7)%events)
					batch = append(batch, inbox.Message{Source: "credly", Key: key, Kind: inbox.KindProviderEvent})
				}
				isNew, err := w.ReceiveAll(context.WithoutCancel(t.Context()), batch)
				if err != nil {
					return err
				}
				for _, one := range isNew {
					if one {
						fresh[i]++
					}
				}
			}
			return nil
		})
		tally(t, errs, nil)
		sum := 0
		for _, n := range fresh {
			sum += n
		}
		if stored := w.count(`SELECT count(*) FROM inbox`); stored != sum || sum == 0 {
			t.Errorf("%d stored, %d told to be new", stored, sum)
		}
	})
}
