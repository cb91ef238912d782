package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// frozen is F5: PostgreSQL stands still, once because its processes are
// stopped and once because the network swallows everything.
type frozen struct{}

func (frozen) Name() string { return "PostgreSQL stands still 5 s" }

func (frozen) Criterion() string {
	return "all answered < 2.7 s; claims again ≤ 2 s after; 0 lost, 0 doubled; what committed late is shown at the 2nd press"
}

func (f frozen) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	stopped, err1 := f.still(ctx, r, "stopped", func(s *rig.Stage, _ *rig.Network) (func() error, error) {
		return s.PG.Resume, s.PG.Suspend()
	})
	if r.Short {
		return stopped, err1
	}
	swallowed, err2 := f.still(ctx, r, "network", func(_ *rig.Stage, n *rig.Network) (func() error, error) {
		err := n.Poison("timeout", map[string]any{"timeout": 0})
		return func() error { n.Cure(ctx); return nil }, err
	})
	return stopped + "; " + swallowed, errors.Join(err1, err2)
}

func (frozen) still(ctx context.Context, r *rig.Rig, name string, freeze func(*rig.Stage, *rig.Network) (func() error, error)) (figure Figure, err error) {
	address, err := r.PG.Address()
	if err != nil {
		return "", err
	}
	network, err := rig.NewNetwork(address)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	return on(ctx, r, rig.Config{Name: "f05", Through: network.Address()}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		perSecond := rig.Pick(r, 50, 20)
		before, still, after := 4*time.Second, 5*time.Second, 5*time.Second
		if r.Short {
			before, still, after = time.Second, 4*time.Second, 3*time.Second
		}
		load := c.Begin(ctx, 0, perSecond, before+still+after)
		if err := rig.Sleep(ctx, before); err != nil {
			return "", err
		}
		began := time.Now()
		thaw, err := freeze(s, network)
		if err != nil {
			return "", errors.Join(err, s.PG.Resume())
		}
		slept := rig.Sleep(ctx, still)
		if err := errors.Join(slept, thaw()); err != nil {
			return "", err
		}
		up := time.Now()
		if err := load.Wait(); err != nil {
			return "", err
		}
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, c.Ledger, answerGoal(r))
		if err != nil {
			return "", err
		}
		found.want(v.Whole(), "%s: %s", name, v)
		found.want(v.Slow == 0 && v.Cut == 0, "%s: %d clicks were answered late and %d not at all; max %s", name, v.Slow, v.Cut, v.Max)
		// Whoever pressed in the middle of it cannot have been answered well.
		stood := 0
		back := time.Hour
		for _, e := range v.ClaimedEntries {
			answered := e.Sent.Add(e.Latency)
			if e.Sent.After(began.Add(500*time.Millisecond)) && answered.Before(up) && e.Latency < time.Second {
				stood++
			}
			if e.Sent.After(up) {
				back = min(back, answered.Sub(up))
			}
		}
		found.want(stood == 0, "%s: %d clicks were claimed at once while the server stood still: it did not", name, stood)
		found.want(v.Told > 0 || v.Late > 0 || v.Max > time.Second, "%s: nobody noticed that the server stood still", name)
		found.want(back <= r.Limit(2*time.Second), "%s: claims worked again only %s after", name, back)
		if err := pressAgain(ctx, s, c, v.LateEntries, found); err != nil {
			return "", err
		}
		return Figure(fmt.Sprintf("%s: %d of %d claimed, %d told to try again, %d committed late and shown, max %s, again after %s",
			name, v.Claimed, v.Clicks, v.Told, v.Late, ms(v.Max), ms(back))), nil
	})
}

// pressAgain presses once more what committed although the person was told to
// try again: the link is to appear, and nothing is opened twice.
func pressAgain(ctx context.Context, s *rig.Stage, c *rig.Client, late []rig.Entry, found *findings) error {
	const again = 1_000_000
	for _, e := range late {
		p := e.Press
		p.N += again
		c.Click(ctx, p)
	}
	if err := s.Settle(ctx, time.Minute); err != nil {
		return err
	}
	for _, e := range late {
		cards := s.Desk.Cards(e.N + again)
		found.want(len(cards) > 0 && cards[len(cards)-1].Say == rig.SayLink, "a claim that committed late is not shown at the second press")
		n, err := s.Count(ctx, `SELECT count(*) FROM handoffs WHERE badge_id = $1`, seed.BadgeID(e.Badge))
		found.add(err)
		found.want(n == 1, "%d handoffs of a badge that was pressed twice", n)
	}
	return nil
}
