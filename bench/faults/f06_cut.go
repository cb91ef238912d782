package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
)

// cut is F6: the connection to PostgreSQL breaks before each message of a
// claim, and after each, when nobody can know what became of it.
type cut struct{}

func (cut) Name() string { return "connection cut at every message" }

func (cut) Criterion() string {
	return "all or nothing; the next press resolves what is unknown: 1 handoff, 1 audit row, 1 event"
}

func (cut) Run(ctx context.Context, r *rig.Rig) (_ Figure, err error) {
	address, err := r.PG.Address()
	if err != nil {
		return "", err
	}
	cutter, err := rig.NewCutter(ctx, address)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cutter.Close()) }()
	return on(ctx, r, rig.Config{Name: "f06", Through: cutter.Address()}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		c := s.NewClient(true)
		defer c.Close()
		most := rig.Pick(r, 45, 10)
		n, cuts, unknown := 0, 0, 0
		for at := 1; at <= most; at++ {
			for _, after := range []bool{false, true} {
				n++
				p := rig.Press{N: n, Badge: n, Person: s.Owner(n), Platform: rig.Platform(n % 2)}
				cutter.Arm(at, after)
				e := c.Click(ctx, p)
				happened, err := cutter.Await(ctx, 1500*time.Millisecond)
				if err != nil {
					return "", err
				}
				cutter.Disarm()
				if happened {
					cuts++
				}
				found.want(e.Status == 200, "cut at message %d: the click was answered %d, %v", at, e.Status, e.Err)
				one, err := whole(ctx, s, p.Badge)
				if err != nil {
					return "", err
				}
				found.want(one == 0 || one == 1, "cut at message %d: a part of the claim is stored", at)
				if happened && after && one == 1 {
					unknown++
				}
				p.N += 1_000_000
				e = c.Click(ctx, p)
				found.want(e.Status == 200, "after the cut at message %d: the next press was answered %d, %v", at, e.Status, e.Err)
			}
		}
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		for badge := 1; badge <= n; badge++ {
			one, err := whole(ctx, s, badge)
			if err != nil {
				return "", err
			}
			found.want(one == 1, "badge %d: %d complete claims after two presses", badge, one)
			cards := s.Desk.Cards(badge + 1_000_000)
			found.want(len(cards) > 0 && cards[len(cards)-1].Say == rig.SayLink, "badge %d: the next press did not show the link", badge)
		}
		found.want(cuts >= n*3/4, "only %d of %d cuts happened", cuts, n)
		return Figure(fmt.Sprintf("%d presses, %d connections cut, %d claims committed whose answer was lost", n, cuts, unknown)), nil
	})
}

// whole returns 1 for a badge that was claimed once with all its rows, 0 for
// one that has none, and -1 for anything else.
func whole(ctx context.Context, s *rig.Stage, badge int) (int, error) {
	var handoffs, audits, events int
	err := s.DB.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM handoffs WHERE badge_id = $1),
		(SELECT count(*) FROM audit WHERE kind = 'badge.claim' AND subject = $1),
		(SELECT count(*) FROM outbox WHERE kind = 'event' AND ref = $1)`, seed.BadgeID(badge)).Scan(&handoffs, &audits, &events)
	if err != nil {
		return 0, fmt.Errorf("look into tables: %w", err)
	}
	switch {
	case handoffs == 1 && audits == 1 && events == 1:
		return 1, nil
	case handoffs == 0 && audits == 0 && events == 0:
		return 0, nil
	default:
		return -1, nil
	}
}
