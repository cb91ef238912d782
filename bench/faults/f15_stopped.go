package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// stoppedScheduler is F15: of two replicas one stands still for a minute and
// then goes on as if nothing had been.
type stoppedScheduler struct{}

func (stoppedScheduler) Name() string { return "one of two schedulers stands still 60 s" }

func (stoppedScheduler) Criterion() string {
	return "each end of a link is told once; jobs run meanwhile"
}

func (stoppedScheduler) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f15", Life: 10 * time.Second}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		stopped := s.Bots[0]
		c := s.NewClient(false)
		defer c.Close()
		c.Only = s.Bots[1]
		still := rig.Pick(r, 25*time.Second, 8*time.Second)
		load := c.Begin(ctx, 0, 10, still)
		if err := rig.Sleep(ctx, 3*time.Second); err != nil {
			return "", err
		}
		// Not in the middle of a message: that one might be sent twice.
		err := rig.Await(ctx, 10*time.Second, "a pause", func() (bool, error) {
			n, err := s.Count(ctx, `SELECT count(*) FROM outbox WHERE state = 'sending'`)
			return n == 0, err
		})
		if err != nil {
			return "", err
		}
		if err := stopped.Suspend(); err != nil {
			return "", err
		}
		if err := load.Wait(); err != nil {
			return "", errors.Join(err, stopped.Resume())
		}
		// The rest of the minute passes for the shared clock only.
		err = errors.Join(s.Advance(ctx, time.Minute-still), rig.Sleep(ctx, 10*time.Second))
		if err := errors.Join(err, stopped.Resume()); err != nil {
			return "", err
		}
		told, err := s.Count(ctx, `SELECT count(*) FROM handoffs WHERE state = 'expired'`)
		found.add(err)
		// Long enough for the jobs of the one that was still.
		if err := errors.Join(rig.Sleep(ctx, 8*time.Second), s.SettleLeases(ctx, time.Minute)); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		if err != nil {
			return "", err
		}
		once, more, never := 0, 0, 0
		for _, e := range v.ClaimedEntries {
			n := 0
			for _, card := range s.Desk.Cards(e.N) {
				if card.Say == rig.SayExpired {
					n++
				}
			}
			switch n {
			case 0:
				never++
			case 1:
				once++
			default:
				more++
			}
		}
		found.want(v.Whole(), "%s", v)
		found.want(more == 0 && never == 0 && once > 0, "the end of a link was told once %d times, more often %d, never %d", once, more, never)
		found.want(told > 0, "no link ended while one scheduler stood still")
		return Figure(fmt.Sprintf("%d links ended, %d of them meanwhile; told once %d, more often %d, never %d", len(v.ClaimedEntries), told, once, more, never)), nil
	})
}
