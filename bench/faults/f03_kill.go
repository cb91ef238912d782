package main

import (
	"context"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// shortKills is how many kills the short form has at most.
const shortKills = 6

// killed is F3: replicas die without a word, one at a time, under load; alone,
// in twos and in eights.
type killed struct{}

func (killed) Name() string { return "kill -9 of 1, 2 and 8 replicas" }

func (killed) Criterion() string {
	return "0 lost, 0 doubled, 0 torn; 200s < 1 s after the restart"
}

func (killed) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	kills := rig.Pick(r, r.Kills, min(r.Kills, shortKills))
	alone := min(kills, rig.Pick(r, 15, 2))
	two := rig.Pick(r, (kills-alone)*2/3, 0)
	eight := kills - alone - two
	total := 0
	var worst time.Duration
	var all findings
	text := ""
	for _, form := range []struct {
		replicas, kills int
		every           time.Duration
	}{
		{1, alone, rig.Pick(r, 2*time.Second, time.Second)},
		{2, two, 300 * time.Millisecond},
		// Starting takes the machine's two cores most of the time as it is.
		{rig.Pick(r, 8, 3), eight, 300 * time.Millisecond},
	} {
		if form.kills == 0 {
			continue
		}
		figure, err := on(ctx, r, rig.Config{Name: "f03"}, func(s *rig.Stage, found *findings) (Figure, error) {
			back, v, err := killing(ctx, s, found, form.replicas, form.kills, form.every)
			worst = max(worst, back)
			total += form.kills
			return Figure(fmt.Sprintf("%d×%d: %d of %d claimed, %d cut", form.kills, form.replicas, v.Claimed, v.Clicks, v.Cut)), err
		})
		all.add(err)
		text += ", " + string(figure)
	}
	return Figure(fmt.Sprintf("%d kills, back after %s at worst%s", total, ms(worst), text)), all.err()
}

// killing kills replicas in turn and starts each again, under load. It
// returns the longest time from a start until a click was answered with 200
// by that replica.
func killing(ctx context.Context, s *rig.Stage, found *findings, replicas, kills int, every time.Duration) (back time.Duration, v rig.Verdict, err error) {
	if err := s.StartBots(ctx, replicas); err != nil {
		return 0, v, err
	}
	c := s.NewClient(false)
	defer c.Close()
	perSecond := rig.Pick(s.Rig, 100, 40)
	load := c.Begin(ctx, 0, perSecond, time.Duration(s.Badges()/2/perSecond)*time.Second)
	probe := s.NewClient(true)
	defer probe.Close()
	for i := range kills {
		if err := rig.Sleep(ctx, every); err != nil {
			return 0, v, err
		}
		b := s.Bots[i%replicas]
		if err := b.Kill(); err != nil {
			return 0, v, err
		}
		begin := time.Now()
		if err := b.Start(ctx); err != nil {
			return 0, v, err
		}
		up := time.Since(begin)
		badge := s.Badges() - i
		status, _, err := probe.Post(ctx, b, s.Request(rig.Press{N: badge, Badge: badge, Person: s.Owner(badge)}))
		took := time.Since(begin)
		back = max(back, took)
		found.want(took < s.Limit(time.Second), "restart %d: answered only after %s, up after %s", i+1, ms(took), ms(up))
		found.want(err == nil && status == 200, "after restart %d a click was answered %d: %v", i+1, status, err)
	}
	if err := rig.Sleep(ctx, 500*time.Millisecond); err != nil {
		return 0, v, err
	}
	if err := load.Stop(); err != nil {
		return 0, v, err
	}
	if err := s.SettleLeases(ctx, time.Minute); err != nil {
		return back, v, err
	}
	v, err = s.Judge(ctx, c.Ledger, 3*time.Second)
	found.want(v.Whole(), "with %d replicas: %s", replicas, v)
	found.want(v.Claimed > 0, "nothing was claimed")
	return back, v, err
}
