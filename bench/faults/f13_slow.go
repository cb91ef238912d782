package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// slowWorkspace is F13: one workspace answers slowly, and has much to be
// sent.
type slowWorkspace struct{}

func (slowWorkspace) Name() string { return "one workspace answers in 10 s" }

func (slowWorkspace) Criterion() string { return "p99 delay of the others < 2 s" }

func (slowWorkspace) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f13"}, func(s *rig.Stage, found *findings) (Figure, error) {
		// The first 300 are in one workspace, everybody else in one of their own.
		const crowd = 300
		if err := spread(ctx, s, crowd+1, s.People()); err != nil {
			return "", err
		}
		slow, quick := rig.Range(1, crowd), rig.Range(crowd+1, 2*crowd)
		inSlow := map[string]bool{}
		for _, i := range slow {
			inSlow[seed.SlackUser(i)] = true
		}
		delayed := &posted{times: map[string][]time.Time{}}
		s.Desk.Script(func(c rig.Call) *rig.Reply {
			if c.Platform == rig.Slack && inSlow[c.User] {
				delayed.add("")
				return &rig.Reply{Delay: 10 * time.Second}
			}
			return nil
		})
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		if err := errors.Join(s.QueueDirect(ctx, rig.Slack, slow, 3), rig.Sleep(ctx, 2*time.Second)); err != nil {
			return "", err
		}
		queued := map[string]time.Time{}
		for _, one := range quick[:rig.Pick(r, 250, 60)] {
			begin := time.Now()
			if err := s.QueueDirect(ctx, rig.Slack, []int{one}, 1); err != nil {
				return "", err
			}
			queued[seed.SlackUser(one)] = begin
			if err := rig.Sleep(ctx, time.Until(begin.Add(100*time.Millisecond))); err != nil {
				return "", err
			}
		}
		delays, err := delaysOf(ctx, s, queued)
		if err != nil {
			return "", err
		}
		p99 := delays[len(delays)*99/100]
		found.want(p99 < r.Limit(2*time.Second), "p99 of the others is %s", p99)
		n := len(delayed.of(""))
		found.want(n >= 20, "only %d calls were slow", n)
		return Figure(fmt.Sprintf("%d slow calls; %d others: median %s, p99 %s, max %s",
			n, len(delays), ms(delays[len(delays)/2]), ms(p99), ms(delays[len(delays)-1]))), nil
	})
}

// delaysOf waits for one message to each person and returns how long after
// its queueing each came, in order of length. What has not come after half a
// minute counts as that long.
func delaysOf(ctx context.Context, s *rig.Stage, queued map[string]time.Time) ([]time.Duration, error) {
	const most = 30 * time.Second
	var delays []time.Duration
	err := rig.Await(ctx, most, "all messages", func() (bool, error) {
		delays = nil
		for _, m := range s.Desk.Sent() {
			if at, ok := queued[m.User]; ok {
				delays = append(delays, m.At.Sub(at))
			}
		}
		return len(delays) >= len(queued), nil
	})
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for len(delays) < len(queued) {
		delays = append(delays, most)
	}
	slices.Sort(delays)
	return delays, nil
}
