package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// resumed is the second half of F24 in Discord: the gateway asks to
// reconnect, takes sessions away and loses connections, and the replica that
// leads dies.
type resumed struct{}

func (resumed) Name() string { return "gateway: op 7, op 9, drop, resume, takeover" }

func (resumed) Criterion() string { return "0 commands lost while a session lives, ≤ 5 IDENTIFY" }

func (k resumed) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f24g", Direct: true, Env: []string{"DISCORD_TRANSPORT=gateway"}}, func(s *rig.Stage, found *findings) (Figure, error) {
		people := 400
		for i := 1; i <= people; i++ {
			s.Discord.AddUser(discordsim.User{ID: seed.DiscordUser(i), Name: "example"})
		}
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		ready := func(patience time.Duration) error {
			return rig.Await(ctx, patience, "the gateway's session", func() (bool, error) {
				return s.Discord.Gateway().Ready() && len(s.Discord.Commands()) > 0, nil
			})
		}
		if err := ready(20 * time.Second); err != nil {
			return "", err
		}
		var next, good atomic.Int64
		seconds := rig.Pick(r, 16, 8)
		const perSecond = 20
		done := make(chan error, 1)
		go func() {
			done <- every(ctx, seconds*perSecond, time.Second/perSecond, func(int) { k.claim(ctx, s, int(next.Add(1)), &good) })
		}()
		gateway := s.Discord.Gateway()
		happened := 0
		pause := time.Duration(seconds) * time.Second / 4
		for _, f := range []func() int{
			func() int { return gateway.AskReconnect("") }, func() int { return gateway.Drop("") },
			func() int { return gateway.Invalidate("", true) },
		} {
			if err := rig.Sleep(ctx, pause); err != nil {
				return "", err
			}
			happened += f()
		}
		if err := <-done; err != nil {
			return "", err
		}
		answered, asked := good.Load(), next.Load()
		found.want(answered == asked, "%d of %d commands were answered", answered, asked)
		found.want(happened >= 3, "only %d things happened to sessions", happened)
		// A session that is over, and a leader that is dead: whoever asks in
		// between finds nobody, at Discord as here.
		found.want(gateway.Invalidate("", false) > 0, "no session was taken away")
		if err := rig.Sleep(ctx, 500*time.Millisecond); err != nil {
			return "", err
		}
		if err := ready(30 * time.Second); err != nil {
			return "", err
		}
		k.claim(ctx, s, int(next.Add(1)), &good)
		found.want(good.Load() == next.Load(), "after a new session the command was not answered")
		takeover, err := k.takeover(ctx, s, &next, &good, ready)
		if err != nil {
			return "", err
		}
		found.want(takeover < s.Limit(15*time.Second), "another replica took over only after %s", takeover)
		stats := gateway.Stats()
		found.want(stats.Identifies <= 5 && stats.IdentifiesTooSoon == 0, "%d IDENTIFYs, %d of them too soon", stats.Identifies, stats.IdentifiesTooSoon)
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		doubled, err := s.Count(ctx, `SELECT count(*) FROM (SELECT badge_id FROM handoffs GROUP BY 1 HAVING count(*) > 1) AS twice`)
		found.add(err)
		stored, err := s.Count(ctx, `SELECT count(DISTINCT badge_id) FROM handoffs`)
		found.add(err)
		found.want(doubled == 0 && stored >= int(good.Load()), "%d badges claimed twice, %d claimed of %d", doubled, stored, good.Load())
		return Figure(fmt.Sprintf("%d of %d commands answered over op 7, a drop and op 9; takeover after %s; %d IDENTIFY, %d RESUME, %d replayed",
			answered, asked, ms(takeover), stats.Identifies, stats.Resumed, stats.Replayed)), nil
	})
}

// claim lets the owner of a badge claim it by a command.
func (resumed) claim(ctx context.Context, s *rig.Stage, n int, good *atomic.Int64) {
	// The n-th person's own badge.
	badge := n - 1
	if n == 1 {
		badge = s.People()
	}
	got, err := s.Discord.Command(ctx, seed.DiscordUser(n), "", "badges", "claim", map[string]any{"badge": seed.BadgeID(badge)})
	if err == nil && !got.Failed {
		good.Add(1)
	}
}

// takeover kills the replica that holds the session, and returns how long it
// took until commands were answered again.
func (k resumed) takeover(ctx context.Context, s *rig.Stage, next, good *atomic.Int64, ready func(time.Duration) error) (time.Duration, error) {
	gateway := s.Discord.Gateway()
	for _, b := range s.Bots {
		before := gateway.Stats().Open
		if err := b.Kill(); err != nil {
			return 0, err
		}
		began := time.Now()
		gone := rig.Await(ctx, 2*time.Second, "the end of the session", func() (bool, error) { return gateway.Stats().Open < before, nil })
		if gone != nil {
			// It was not the leader: start it again, the other one is.
			if err := b.Start(ctx); err != nil {
				return 0, err
			}
			continue
		}
		if err := ready(60 * time.Second); err != nil {
			return 0, err
		}
		took := time.Since(began)
		was := good.Load()
		k.claim(ctx, s, int(next.Add(1)), good)
		if good.Load() != was+1 {
			return took, fmt.Errorf("after the takeover the command was not answered")
		}
		return took, nil
	}
	return 0, fmt.Errorf("no replica holds the session")
}
