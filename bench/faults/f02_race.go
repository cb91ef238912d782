package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// race is F2: both accounts of the owner and a stranger press at one moment.
// A verified address belongs to one member, so nobody else can own the badge.
type race struct{}

func (race) Name() string { return "two accounts and a stranger race" }

func (race) Criterion() string {
	return "both accounts get the same handoff, the stranger a clear refusal"
}

func (race) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f02"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		pairs := rig.Pick(r, 1000, 100)
		const perSecond = 100
		begin := time.Now()
		var group sync.WaitGroup
		for i := 1; i <= pairs; i++ {
			if err := rig.Sleep(ctx, time.Until(begin.Add(time.Duration(i)*time.Second/perSecond))); err != nil {
				return "", err
			}
			owner := s.Owner(i)
			for j, p := range []rig.Press{
				{Person: owner, Platform: rig.Slack},
				{Person: owner, Platform: rig.Discord},
				{Person: owner%s.People() + 1, Platform: rig.Slack},
			} {
				p.N, p.Badge = 3*i+j, i
				group.Go(func() { c.Click(ctx, p) })
			}
		}
		group.Wait()
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		entries := c.Ledger.Entries()
		found.want(len(entries) == 3*pairs, "%d presses instead of %d", len(entries), 3*pairs)
		same, refused, leaked := 0, 0, 0
		for i := 1; i <= pairs; i++ {
			links := map[string]int{}
			for j := range 2 {
				for _, card := range s.Desk.Cards(3*i + j) {
					if card.Link != "" {
						links[card.Link] |= 1 << j
					}
				}
			}
			if len(links) == 1 {
				for _, who := range links {
					if who == 3 {
						same++
					}
				}
			}
			for _, card := range s.Desk.Cards(3*i + 2) {
				switch card.Say {
				case rig.SayNotYours:
					refused++
				case rig.SayLink:
					leaked++
				}
			}
		}
		found.want(same == pairs, "both accounts saw the same link of %d badges of %d", same, pairs)
		found.want(refused == pairs && leaked == 0, "%d of %d strangers were refused, %d saw a link", refused, pairs, leaked)
		once, err := s.Count(ctx, `SELECT count(*) FROM (SELECT badge_id FROM handoffs GROUP BY 1 HAVING count(*) = 1) AS one`)
		found.add(err)
		audits, err := s.Count(ctx, `SELECT count(*) FROM audit WHERE kind = 'badge.claim'`)
		found.add(err)
		found.want(once == pairs && audits == pairs, "%d badges with one handoff, %d audit rows, want %d", once, audits, pairs)
		return Figure(fmt.Sprintf("%d pairs, %d with the same link, %d strangers refused, p99 %s", pairs, same, refused, ms(rig.Quantile(entries, 0.99)))), nil
	})
}
