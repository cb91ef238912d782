package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// terminated is F25: an operator stops the bot under load.
type terminated struct{}

func (terminated) Name() string { return "SIGTERM at 100/s" }

func (terminated) Criterion() string {
	return "no request in flight fails; exit ≤ 10 s; leases returned; 0 lost"
}

func (terminated) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f25"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		c := s.NewClient(true)
		defer c.Close()
		each := rig.Pick(r, 3*time.Second, 1500*time.Millisecond)
		load := c.Begin(ctx, 0, rig.Pick(r, 100, 50), 2*each)
		if err := rig.Sleep(ctx, each); err != nil {
			return "", err
		}
		b := s.Bots[0]
		signalled := time.Now()
		if err := b.Signal(syscall.SIGTERM); err != nil {
			return "", err
		}
		took, err := b.Stop()
		found.add(err)
		found.want(took <= r.Limit(10*time.Second), "the end took %s", took)
		if err := load.Wait(); err != nil {
			return "", err
		}
		leased, err := s.Count(ctx, `SELECT (SELECT count(*) FROM outbox WHERE state = 'sending') + (SELECT count(*) FROM inbox WHERE state = 'running')`)
		found.add(err)
		found.want(leased == 0, "%d leases were not returned", leased)
		// Whoever is in the kernel's queue when the bot stops listening was never
		// heard: a request counts as taken a moment after it was written.
		edge := signalled.Add(-r.Limit(100 * time.Millisecond))
		flight, failed, refused := 0, 0, 0
		for _, e := range c.Ledger.Entries() {
			switch {
			case e.Refused:
				refused++
			case !e.Wrote.IsZero() && e.Wrote.Before(edge):
				flight++
				if e.Status != 200 {
					failed++
				}
			}
		}
		found.want(refused > 0, "nobody was refused: the bot went on")
		found.want(failed == 0, "%d requests that came before the signal failed", failed)
		// The next process does the rest.
		if err := b.Start(ctx); err != nil {
			return "", err
		}
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		found.want(v.Whole(), "%s", v)
		return Figure(fmt.Sprintf("%d before the signal, %d of them failed; exit after %s; %d leases left; %d claimed, %d cut at its edge",
			flight, failed, ms(took), leased, v.Claimed, v.Cut)), err
	})
}
