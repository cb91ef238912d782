package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

// A lane whose last delivery is finished sleeps at once, and keeps its pause.
func TestFinishedLaneSleeps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		post := w.post(w.account(slackUser("U1")), subject("b"), core.Place{}, start)
		awake := func(want int) {
			t.Helper()
			if n := w.count(`SELECT count(*) FROM lanes WHERE active`); n != want {
				t.Fatalf("%d lanes are awake, want %d", n, want)
			}
		}
		w.tell(post, false, start)
		d := w.take(start, 1)[0]
		w.finish(start, delivery.Outcome{Delivery: d, State: delivery.StateReady, RetryAt: start.Add(time.Second)})
		awake(1)
		d = w.take(start.Add(time.Second), 1)[0]
		// Another one waits behind it.
		w.tell(post, false, start)
		done := outcomeSent(d)
		done.Pause = time.Minute
		w.finish(start.Add(time.Second), done)
		awake(1)
		now := start.Add(time.Minute + time.Second)
		d = w.take(now, 1)[0]
		w.finish(now, delivery.Outcome{Delivery: d, State: delivery.StateWaiting, Pause: time.Minute})
		awake(0)
		w.tell(post, false, now.Add(time.Second))
		awake(1)
		if got := w.take(now.Add(59*time.Second), 1); len(got) != 0 {
			t.Fatalf("taken within the pause: %+v", got)
		}
		if got := w.take(now.Add(time.Minute), 1); len(got) != 1 {
			t.Fatalf("taken after the pause: %+v", got)
		}
	})
}

// Messages are added to lanes while others of them are being finished: none
// is left behind in a lane that sleeps.
func TestNothingIsOverlookedWhileLanesFallAsleep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const lanes, tellers, rounds = 4, 3, 25
		posts := make([][]string, tellers)
		for l := range lanes {
			a := w.account(slackUser(fmt.Sprint("U", l)))
			for i := range tellers {
				posts[i] = append(posts[i], w.post(a, subject(fmt.Sprint("b", i)), core.Place{}, start))
			}
		}
		ctx := context.WithoutCancel(t.Context())
		var told atomic.Int64
		errs := race(tellers+2, func(i int) error {
			if i < tellers {
				defer told.Add(1)
				for range rounds {
					for _, post := range posts[i] {
						err := w.InTx(ctx, func(ctx context.Context, tx core.Tx) error { return tx.Tell(ctx, post, false, start) })
						if err != nil {
							return err
						}
					}
				}
				return nil
			}
			for deadline := time.Now().Add(time.Minute); ; {
				over := told.Load() == tellers
				taken, err := w.TakeDeliveries(ctx, start, 3, time.Hour, delivery.Share{})
				if err != nil {
					return err
				}
				outcomes := make([]delivery.Outcome, 0, len(taken))
				for _, d := range taken {
					outcomes = append(outcomes, outcomeSent(d))
				}
				if _, err := w.FinishDeliveries(ctx, start, outcomes); err != nil {
					return err
				}
				if over && len(taken) == 0 || time.Now().After(deadline) {
					return nil
				}
			}
		})
		tally(t, errs, nil)
		if n := w.count(`SELECT count(*) FROM lanes WHERE active`); n != 0 {
			t.Errorf("%d lanes are still awake", n)
		}
		if n := w.count(`SELECT count(*) FROM outbox WHERE state <> 'sent'`); n != 0 {
			t.Errorf("%d deliveries were overlooked", n)
		}
	})
}

// Behind tenants that have their share every other one is found, however many
// there are.
func TestOthersAreFoundBehindFullTenants(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const others = 2*otherTenants + 50
		for _, statement := range []string{
			`WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %d)
			INSERT INTO lanes (lane, platform, tenant, next_at, active) SELECT 'slack:T' || n || ':U', 'slack', 'T' || n, 1, true FROM g`,
			`WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %d)
			INSERT INTO outbox (lane, kind, ref, delivery_key, state, available_at, created_at)
			SELECT 'slack:T' || n || ':U', 'post', 'p' || n, 'k', 'ready', 1, 1 FROM g`,
			`WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %d)
			INSERT INTO lanes (lane, platform, tenant, next_at, active) SELECT 'slack:Full:U' || n, 'slack', 'Full', 0, true FROM g`,
		} {
			_, err := w.run().exec(t.Context(), fmt.Sprintf(statement, others))
			w.must(err)
		}
		share := delivery.Share{Each: 5, Under: map[string]int{"slack:Full": 5}}
		found := map[string]bool{}
		// One look takes as many as are asked for, of those that it passes.
		for range 30 {
			taken, err := w.TakeDeliveries(t.Context(), start, 40, time.Minute, share)
			w.must(err)
			for _, d := range taken {
				if d.Tenant == "slack:Full" || found[d.Tenant] {
					t.Fatalf("taken %+v", d)
				}
				found[d.Tenant] = true
			}
		}
		if len(found) != others {
			t.Errorf("%d of %d other tenants were found", len(found), others)
		}
	})
}

// Tenants are looked for by their index also where no lane was active when
// the table was analyzed: passing all lanes of the full one takes longer than
// everything else about them.
func TestOtherTenantsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	c, err := w.x.Connx(t.Context())
	w.must(err)
	defer func() { w.must(c.Close()) }()
	for _, statement := range []string{
		`INSERT INTO lanes (lane, platform, tenant, next_at, active)
		SELECT 'slack:T:U' || g, 'slack', 'T', 0, false FROM generate_series(1, 5000) g`,
		`VACUUM ANALYZE`,
		`SET plan_cache_mode = force_generic_plan`,
		`PREPARE tenants (text, int) AS ` + w.dialect.sql(nextTenants),
		`PREPARE lanes (text[], bigint, int) AS ` + w.dialect.sql(dueLanesOf),
	} {
		_, err := c.ExecContext(t.Context(), statement)
		w.must(err)
	}
	for _, query := range []string{`EXECUTE tenants ('', 1)`, `EXECUTE lanes ('{slack:T}', 1, 1)`} {
		var plan []string
		w.must(c.SelectContext(t.Context(), &plan, `EXPLAIN `+query))
		text := strings.Join(plan, "\n")
		if strings.Contains(text, "Seq Scan") || strings.Contains(text, "lanes_next") || !strings.Contains(text, "lanes_tenant") {
			t.Errorf("%s is planned as\n%s", query, text)
		}
	}
}
