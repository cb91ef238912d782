package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// locked is F7: another session holds the rows of as many badges as the bot
// has connections, and people press on these as well as on others.
type locked struct{}

func (locked) Name() string { return "16 badges locked by another session" }

func (locked) Criterion() string {
	return "presses on others claimed < 2.7 s; no lock is waited for > 1 s"
}

func (locked) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f07"}, func(s *rig.Stage, found *findings) (_ Figure, err error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		const rows = 16
		tx, err := s.DB.BeginTx(ctx, nil)
		if err != nil {
			return "", fmt.Errorf("begin: %w", err)
		}
		defer func() { _ = tx.Rollback() }()
		first := s.Badges() - rows
		_, err = tx.ExecContext(ctx, `SELECT 1 FROM badges WHERE id > $1 FOR UPDATE`, seed.BadgeID(first))
		if err != nil {
			return "", fmt.Errorf("lock rows: %w", err)
		}
		c, held := s.NewClient(false), s.NewClient(false)
		defer c.Close()
		defer held.Close()
		during := rig.Pick(r, 10*time.Second, 3*time.Second)
		load := c.Begin(ctx, 0, rig.Pick(r, 200, 40), during)
		waiting, longest, err := pressLocked(ctx, s, held, first, rows, during)
		if err := errors.Join(err, load.Wait(), tx.Rollback()); err != nil {
			return "", err
		}
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		if err != nil {
			return "", err
		}
		h, err := s.Judge(ctx, held.Ledger, answerGoal(r))
		if err != nil {
			return "", err
		}
		found.want(waiting > 0, "no lock was ever waited for")
		// The server looks at its timers when it gets to it.
		found.want(longest <= r.Limit(1200*time.Millisecond), "a lock was waited for %s", longest)
		found.want(v.Whole() && v.Slow == 0 && v.Cut == 0 && v.Failed == 0, "others: %s, %d answered late", v, v.Slow)
		found.want(v.Claimed == v.Clicks, "%d of %d presses on others were claimed", v.Claimed, v.Clicks)
		found.want(h.Lost == 0 && h.Slow == 0 && h.Cut == 0, "locked: %s", h)
		return Figure(fmt.Sprintf("others: %d of %d claimed, p99 %s, max %s; locked: %d presses, max %s; longest wait for a lock %s",
			v.Claimed, v.Clicks, ms(rig.Quantile(c.Ledger.Entries(), 0.99)), ms(v.Max), h.Clicks, ms(h.Max), ms(longest))), nil
	})
}

// pressLocked presses on all locked badges once a second, and watches how
// many statements wait for locks, and how long.
func pressLocked(ctx context.Context, s *rig.Stage, c *rig.Client, first, rows int, during time.Duration) (waiting int, longest time.Duration, err error) {
	var group sync.WaitGroup
	defer group.Wait()
	end := time.Now().Add(during - 3*time.Second/2)
	round := 0
	next := time.Now()
	for time.Now().Before(end) {
		if time.Now().After(next) {
			next = next.Add(time.Second)
			round++
			for i := 1; i <= rows; i++ {
				p := rig.Press{N: 1_000_000*round + i, Badge: first + i, Person: s.Owner(first + i)}
				group.Go(func() { c.Click(ctx, p) })
			}
		}
		var n, ms int
		if err := s.DB.QueryRowContext(ctx, `SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart) * 1000), 0)::int
			FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`).Scan(&n, &ms); err != nil {
			return waiting, longest, fmt.Errorf("look at sessions: %w", err)
		}
		waiting, longest = max(waiting, n), max(longest, time.Duration(ms)*time.Millisecond)
		if err := rig.Sleep(ctx, 20*time.Millisecond); err != nil {
			return waiting, longest, err
		}
	}
	return waiting, longest, nil
}
