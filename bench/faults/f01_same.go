package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// samePress is F1: one button pressed many times at once.
type samePress struct{}

func (samePress) Name() string { return "same button pressed many times" }

func (samePress) Criterion() string {
	return "1 handoff, 1 audit row, 1 event; all answered < 1 s; one link for all"
}

func (samePress) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f01"}, func(s *rig.Stage, found *findings) (Figure, error) {
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		c := s.NewClient(false)
		defer c.Close()
		const badge = 7
		connections := rig.Pick(r, 64, 16)
		press := func(n int) rig.Entry {
			return c.Click(ctx, rig.Press{N: n, Badge: badge, Person: s.Owner(badge), Message: 1})
		}
		// The way to the first answer is longer: connections are made.
		press(1)
		var next atomic.Int64
		next.Store(1)
		end := time.Now().Add(rig.Pick(r, 3*time.Second, time.Second))
		var group sync.WaitGroup
		for range connections {
			group.Go(func() {
				for time.Now().Before(end) && ctx.Err() == nil {
					press(int(next.Add(1)))
				}
			})
		}
		group.Wait()
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		entries := c.Ledger.Entries()
		good := 0
		var slowest time.Duration
		for _, e := range entries {
			if e.Status == http.StatusOK {
				good++
			}
			slowest = max(slowest, e.Latency)
		}
		found.want(len(entries) > 2*connections, "only %d presses: the button was not pressed many times", len(entries))
		found.want(good == len(entries), "%d of %d presses were answered with 200", good, len(entries))
		found.want(slowest < r.Limit(time.Second), "the slowest answer took %s", slowest)
		links, shown := links(s, entries)
		found.want(len(links) == 1, "%d links were shown", len(links))
		before := shown
		again := press(int(next.Add(1)))
		if err := s.Settle(ctx, time.Minute); err != nil {
			return "", err
		}
		cards := s.Desk.Cards(again.N)
		found.want(len(cards) == 1 && cards[0].Say == rig.SayLink && links[cards[0].Link], "a later press did not show the same link again")
		for what, query := range map[string]string{
			"handoffs": `SELECT count(*) FROM handoffs`, "audit rows": `SELECT count(*) FROM audit WHERE kind = 'badge.claim'`,
			"events": `SELECT count(*) FROM outbox WHERE kind = 'event'`,
		} {
			n, err := s.Count(ctx, query)
			found.add(err)
			found.want(n == 1, "%d %s", n, what)
		}
		return Figure(fmt.Sprintf("%d presses at 2 replicas, slowest %s, %d cards, %d link", len(entries), ms(slowest), before, len(links))), nil
	})
}

// links are the different links that cards of the entries showed, and how
// many cards there were.
func links(s *rig.Stage, entries []rig.Entry) (different map[string]bool, cards int) {
	different = map[string]bool{}
	for _, e := range entries {
		for _, card := range s.Desk.Cards(e.N) {
			cards++
			if card.Link != "" {
				different[card.Link] = true
			}
		}
	}
	return different, cards
}
