package main

import (
	"context"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// hotLane is F14: one lane with very many messages, and many with one.
type hotLane struct{}

func (hotLane) Name() string { return "hot lane 100,000, 1,000 cold" }

func (hotLane) Criterion() string { return "cold ones within 3 s; the hot one at 1/s ±10 %" }

func (hotLane) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f14"}, func(s *rig.Stage, found *findings) (Figure, error) {
		const hot = 1
		// Limits of Slack hold for each workspace: everybody cold is in another.
		if err := spread(ctx, s, hot+1, s.People()); err != nil {
			return "", err
		}
		many, cold := rig.Pick(r, 100_000, 3000), rig.Pick(r, 1000, 200)
		if err := s.QueueDirect(ctx, rig.Slack, []int{hot}, many); err != nil {
			return "", err
		}
		if _, err := s.DB.ExecContext(ctx, `ANALYZE`); err != nil {
			return "", fmt.Errorf("analyze: %w", err)
		}
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		began := time.Now()
		during := rig.Pick(r, 30*time.Second, 8*time.Second)
		if err := rig.Sleep(ctx, 3*time.Second); err != nil {
			return "", err
		}
		queued := time.Now()
		if err := s.QueueDirect(ctx, rig.Slack, rig.Range(hot+1, hot+cold), 1); err != nil {
			return "", err
		}
		committed := time.Now()
		err := rig.Await(ctx, time.Minute, "the cold messages", func() (bool, error) {
			return coldSent(s, hot) >= cold, nil
		})
		if err != nil {
			return "", err
		}
		var last time.Time
		for _, m := range s.Desk.Sent() {
			if m.User != seed.SlackUser(hot) && m.At.After(last) {
				last = m.At
			}
		}
		if err := rig.Sleep(ctx, time.Until(began.Add(during))); err != nil {
			return "", err
		}
		perSecond, n := hotRate(s, hot)
		took := last.Sub(committed)
		found.want(took <= r.Limit(3*time.Second), "the last cold message came after %s", took)
		found.want(coldSent(s, hot) == cold, "%d cold messages, want %d", coldSent(s, hot), cold)
		low := 0.9
		if r.Short {
			low = 0.5
		}
		found.want(perSecond >= low && perSecond <= 1.1, "the hot lane had %.2f messages a second", perSecond)
		left, err := s.Count(ctx, `SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending')`)
		found.add(err)
		found.want(left > many/2, "the hot lane is empty: it was not hot")
		return Figure(fmt.Sprintf("%d cold after %s (queued in %s); hot %.2f/s, %d sent of %d",
			cold, ms(took), ms(committed.Sub(queued)), perSecond, n, many)), nil
	})
}

// spread moves people in Slack to workspaces of their own.
func spread(ctx context.Context, s *rig.Stage, first, last int) error {
	_, err := s.DB.ExecContext(ctx, `UPDATE accounts SET tenant = 'T' || right(user_id, 9)
		WHERE platform = 'slack' AND user_id BETWEEN $1 AND $2`, seed.SlackUser(first), seed.SlackUser(last))
	if err != nil {
		return fmt.Errorf("move people: %w", err)
	}
	return nil
}

func coldSent(s *rig.Stage, hot int) int {
	n := 0
	for _, m := range s.Desk.Sent() {
		if m.User != seed.SlackUser(hot) {
			n++
		}
	}
	return n
}

// hotRate is how many messages a second the hot lane had between its first
// and its last, and how many in all.
func hotRate(s *rig.Stage, hot int) (float64, int) {
	var times []time.Time
	for _, m := range s.Desk.Sent() {
		if m.User == seed.SlackUser(hot) {
			times = append(times, m.At)
		}
	}
	if len(times) < 2 {
		return 0, len(times)
	}
	return float64(len(times)-1) / times[len(times)-1].Sub(times[0]).Seconds(), len(times)
}
