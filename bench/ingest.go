package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ingestConnections are those of webhooks that arrive together.
const ingestConnections = 64

// measureIngest lets webhooks arrive together and alone, in turn with single
// inserts by pgbench. What is stored is read again at the simulated provider
// meanwhile, as slowly as that allows.
func measureIngest(ctx context.Context, s *stage) error {
	var grouped, alone, bare []float64
	var groupedP99, alone50, alone99 []float64
	var app, database time.Duration
	var next atomic.Int64
	accepted := 0
	loop := func(connections int) (*load, error) {
		l, err := closedLoop(ctx, s.bot.address, webhooks{s.bot.address}, connections, s.slice, &next)
		if err == nil && l.refused > 0 {
			err = fmt.Errorf("%d webhooks were refused", l.refused)
		}
		if err == nil {
			accepted += l.accepted
		}
		return l, err
	}
	err := s.withBot(ctx, s.binary, s.world.dsn, func() error {
		for i := range s.rounds {
			err := interleaved(
				i, func() error {
					before, err := s.usage(s.bot.pid())
					if err != nil {
						return err
					}
					l, err := loop(ingestConnections)
					if err != nil {
						return err
					}
					after, err := s.usage(s.bot.pid())
					if err != nil {
						return err
					}
					app, database = after.each(before, l.accepted)
					grouped = append(grouped, l.perSecond())
					groupedP99 = append(groupedP99, ms(quantile(l.latencies, 0.99)))
					return nil
				}, func() error {
					_, perSecond, err := s.pgbench.run(ctx, singleEvents(), s.slice, (i+1)*10_000_000)
					bare = append(bare, perSecond)
					return err
				}, func() error {
					l, err := loop(1)
					if err != nil {
						return err
					}
					alone = append(alone, l.perSecond())
					alone50, alone99 = append(alone50, ms(quantile(l.latencies, 0.5))), append(alone99, ms(quantile(l.latencies, 0.99)))
					return nil
				},
			)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "webhooks: together %.0f/s, p99 %.1f ms; alone %.0f/s, p50 %.2f ms, p99 %.2f ms; pgbench %.0f single inserts/s; CPU per webhook: app %v, database %v\n",
				grouped[i], groupedP99[i], alone[i], alone50[i], alone99[i], bare[i], app.Round(time.Microsecond), database.Round(time.Microsecond))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := countEvents(ctx, s.world.db, accepted); err != nil {
		return err
	}
	s.goals.atLeast("webhooks that arrive together, per second", median(grouped), 8000, "%.0f")
	s.goals.atMost("webhooks that arrive together, p99 in ms", median(groupedP99), 60, "%.0f")
	s.goals.atLeast("webhooks that arrive together, of pgbench's single inserts", medianRatio(grouped, bare), 1.2, "%.2f")
	s.goals.told("webhooks one after the other", fmt.Sprintf("%.0f/s, p50 %.2f ms, p99 %.2f ms", median(alone), median(alone50), median(alone99)))
	return nil
}

// countEvents checks that every acknowledged event is stored once, and
// removes them.
func countEvents(ctx context.Context, db *sql.DB, want int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var stored, distinct int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(DISTINCT event_key) FROM inbox WHERE source = 'credly'`).Scan(&stored, &distinct)
	if err != nil {
		return fmt.Errorf("count events: %w", err)
	}
	if stored != want || distinct != want {
		return errors.Join(fmt.Errorf("%d events were acknowledged, %d are stored, %d of them distinct", want, stored, distinct))
	}
	_, err = db.ExecContext(ctx, `DELETE FROM inbox WHERE source = 'credly'`)
	return err
}
