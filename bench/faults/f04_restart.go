package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// restarted is F4: PostgreSQL crashes and recovers, under load.
type restarted struct{}

func (restarted) Name() string { return "PostgreSQL restart -m immediate" }

func (restarted) Criterion() string {
	return "the process lives; claims again ≤ 2 s after it is up; 0 lost, 0 doubled"
}

func (restarted) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f04"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		pids := []int{s.Bots[0].PID(), s.Bots[1].PID()}
		c := s.NewClient(false)
		defer c.Close()
		times, pause := rig.Pick(r, 3, 1), rig.Pick(r, 8*time.Second, 2*time.Second)
		perSecond := rig.Pick(r, 100, 30)
		load := c.Begin(ctx, 0, perSecond, time.Duration(s.Badges()/perSecond)*time.Second)
		var ups []time.Time
		for range times {
			if err := rig.Sleep(ctx, pause-time.Second); err != nil {
				return "", err
			}
			up, err := s.PG.RestartImmediately(ctx)
			if err != nil {
				return "", err
			}
			ups = append(ups, up)
		}
		if err := errors.Join(rig.Sleep(ctx, rig.Pick(r, 3*time.Second, 4*time.Second)), load.Stop()); err != nil {
			return "", err
		}
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		if err != nil {
			return "", err
		}
		var worst time.Duration
		for _, up := range ups {
			back := time.Hour
			for _, e := range v.ClaimedEntries {
				if answered := e.Sent.Add(e.Latency); e.Sent.After(up) && answered.Sub(up) < back {
					back = answered.Sub(up)
				}
			}
			worst = max(worst, back)
		}
		found.want(worst <= r.Limit(2*time.Second), "claims worked again only %s after the server was up", worst)
		for i, b := range s.Bots {
			found.want(b.Alive() && b.PID() == pids[i], "a process of the bot died")
		}
		found.want(v.Whole(), "%s", v)
		found.want(v.Cut == 0 && v.Slow == 0, "%d clicks without an answer, %d answered late", v.Cut, v.Slow)
		return Figure(fmt.Sprintf("%d restarts, claims again after %s; %d of %d claimed, %d told to try again, max %s",
			times, ms(worst), v.Claimed, v.Clicks, v.Told, ms(v.Max))), nil
	})
}

// answerGoal is within what every click must be answered: the platforms wait
// three seconds, of which the way takes a part.
func answerGoal(r *rig.Rig) time.Duration {
	return rig.Pick(r, 2700*time.Millisecond, 6*time.Second)
}
