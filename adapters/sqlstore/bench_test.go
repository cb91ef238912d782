package sqlstore

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

func eachBench(b *testing.B, f func(b *testing.B, w *world)) {
	b.Helper()
	b.Run("postgres", func(b *testing.B) { f(b, newWorld(b, testpg.New(b))) })
	b.Run("sqlite", func(b *testing.B) { f(b, newWorld(b, sqliteURL(b))) })
}

// BenchmarkImportAwards imports rows, all new and then all known.
func BenchmarkImportAwards(b *testing.B) {
	const size = 20_000
	eachBench(b, func(b *testing.B, w *world) {
		var took [2]time.Duration
		for i := range b.N {
			awards := make([]core.Award, 0, size)
			for n := range size {
				awards = append(awards, award(fmt.Sprintf("a%d-%d", i, n), fmt.Sprintf("p%d@example.org", n)))
			}
			for pass := range took {
				began := time.Now()
				if _, err := w.ImportAwards(b.Context(), awards); err != nil {
					b.Fatal(err)
				}
				took[pass] += time.Since(began)
			}
		}
		b.ReportMetric(float64(size*b.N)/took[0].Seconds(), "new/s")
		b.ReportMetric(float64(size*b.N)/took[1].Seconds(), "known/s")
	})
}

// BenchmarkClaim claims a badge of its own each time, on 16 connections.
func BenchmarkClaim(b *testing.B) {
	eachBench(b, func(b *testing.B, w *world) {
		const people = 100
		ids := make([]core.Identity, people)
		for i := range ids {
			ids[i] = slackUser(fmt.Sprintf("U%d", i))
			w.account(ids[i], fmt.Sprintf("p%d@example.org", i))
		}
		awards := make([]core.Award, 0, b.N)
		for n := range b.N {
			awards = append(awards, award(fmt.Sprintf("a%d", n), fmt.Sprintf("p%d@example.org", n%people)))
		}
		if _, err := w.ImportAwards(b.Context(), awards); err != nil {
			b.Fatal(err)
		}
		badges := w.texts(`SELECT id FROM badges ORDER BY length(award_id), award_id`)
		b.SetParallelism(8)
		b.ResetTimer()
		var next atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				n := int(next.Add(1) - 1)
				p := claimOf(ids[n%people], badges[n], start)
				p.Place.MessageKey, p.Announce = p.PostID, false
				if _, err := w.DB.Claim(context.WithoutCancel(b.Context()), p); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkDeliver takes and finishes deliveries of many lanes.
func BenchmarkDeliver(b *testing.B) {
	eachBench(b, func(b *testing.B, w *world) {
		for n := range b.N {
			id := fmt.Sprintf("v%d", n%1000)
			w.tx(func(ctx context.Context, tx core.Tx) error { return tx.QueueMail(ctx, id, "code", start) })
		}
		b.ResetTimer()
		for left := b.N; left > 0; {
			taken := w.take(start, 100)
			outcomes := make([]delivery.Outcome, 0, len(taken))
			for _, d := range taken {
				outcomes = append(outcomes, outcomeSent(d))
			}
			w.finish(start, outcomes...)
			left -= len(taken)
		}
	})
}

// BenchmarkExpireHandoffs expires 20,000 stale handoffs with a post each.
func BenchmarkExpireHandoffs(b *testing.B) {
	const size = 20_000
	eachBench(b, func(b *testing.B, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		var took time.Duration
		for i := range b.N {
			awards := make([]core.Award, 0, size)
			for n := range size {
				awards = append(awards, award(fmt.Sprintf("a%d-%d", i, n), "ada@example.org"))
			}
			if _, err := w.ImportAwards(b.Context(), awards); err != nil {
				b.Fatal(err)
			}
			for _, step := range []string{
				`INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
					SELECT 'h' || id, id, ?, 'open', 1, decided_at FROM badges WHERE id NOT IN (SELECT badge_id FROM handoffs)`,
				`INSERT INTO posts (id, account_id, subject_kind, subject_id, created_at)
					SELECT 'p' || id, ?, 'handoff', id, 1 FROM handoffs WHERE state = 'open'`,
			} {
				arg := map[bool]string{true: a.MemberID, false: a.ID}[step[12] == 'h']
				if _, err := w.run().exec(b.Context(), step, arg); err != nil {
					b.Fatal(err)
				}
			}
			began := time.Now()
			var after core.Cursor
			for n := 1; n > 0; {
				var err error
				if n, after, err = w.DB.ExpireHandoffs(b.Context(), start, after, 500); err != nil {
					b.Fatal(err)
				}
			}
			took += time.Since(began)
		}
		b.ReportMetric(float64(size*b.N)/took.Seconds(), "expired/s")
	})
}
