package sqlstore

import (
	"testing"
	"time"
)

// Everything that is not the product itself goes when its time is over, and
// not before: docs/security.md promises these times.
func TestRetention(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org")
		w.claimed(claimOf(ada, w.grant(award("a1", "ada@example.org")), start))
		for _, d := range w.take(start, 10) {
			w.finish(start, outcomeSent(d))
		}
		w.verification(a, "two@example.org", start)
		_, err := w.StartAction(t.Context(), "k", start, time.Minute)
		w.must(err)
		w.must(w.SaveInquiry(t.Context(), "i", "sealed", start))
		_, err = w.ClaimSlot(t.Context(), "j", start.UnixMilli())
		w.must(err)
		items, err := w.TakeItems(t.Context(), start, 10, time.Minute)
		w.must(err)
		for _, item := range items {
			w.must(w.FinishItem(t.Context(), item.ID, start))
		}
		const day = 24 * time.Hour
		for _, kept := range []struct {
			time   time.Duration
			tables []string
		}{
			{day, []string{"actions", "verifications", "inquiries"}},
			{2 * day, []string{"job_runs"}},
			{7 * day, []string{"outbox", "inbox"}},
			{180 * day, []string{"posts"}},
		} {
			w.must(w.Tidy(t.Context(), start.Add(kept.time-time.Minute)))
			for _, table := range kept.tables {
				if w.count(`SELECT count(*) FROM `+table) == 0 {
					t.Errorf("%s went too early", table)
				}
			}
			w.must(w.Tidy(t.Context(), start.Add(kept.time+time.Minute)))
			for _, table := range kept.tables {
				if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
					t.Errorf("%s: %d rows are kept too long", table, n)
				}
			}
		}
		for _, table := range []string{"members", "accounts", "addresses", "badges", "handoffs", "audit"} {
			if w.count(`SELECT count(*) FROM `+table) == 0 {
				t.Errorf("%s was tidied away", table)
			}
		}
	})
}
