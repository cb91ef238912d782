package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// refreshed is the second half of F24 in Slack: Socket Mode connections are
// renewed while people press.
type refreshed struct{}

func (refreshed) Name() string { return "Socket Mode: refreshes at 20/s" }

func (refreshed) Criterion() string { return "0 presses lost, ≤ 10 sockets at once" }

// every calls f n times, one call each interval, whether or not those before
// are over, and returns when all are.
func every(ctx context.Context, n int, interval time.Duration, f func(i int)) error {
	begin := time.Now()
	var group sync.WaitGroup
	defer group.Wait()
	for i := range n {
		if err := rig.Sleep(ctx, time.Until(begin.Add(time.Duration(i)*interval))); err != nil {
			return err
		}
		group.Go(func() { f(i) })
	}
	return nil
}

func (k refreshed) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f24s"}, func(s *rig.Stage, found *findings) (Figure, error) {
		s.Desk.Forward.Store(true)
		s.Slack.UseSocketMode(true)
		s.Env = append(s.Env, "SLACK_TRANSPORT=socket", "SLACK_APP_TOKEN="+s.Slack.Config().AppToken)
		if err := s.StartBots(ctx, 2); err != nil {
			return "", err
		}
		waiting, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := s.Slack.WaitConnections(waiting, 2); err != nil {
			return "", fmt.Errorf("wait for connections: %w", err)
		}
		seconds := rig.Pick(r, 20, 6)
		const perSecond = 20
		ledger := &rig.Ledger{}
		done := make(chan error, 1)
		go func() {
			done <- every(ctx, seconds*perSecond, time.Second/perSecond, func(i int) { k.press(ctx, s, ledger, i+1) })
		}()
		renewed := 0
		for end := time.Now().Add(time.Duration(seconds-1) * time.Second); time.Now().Before(end); {
			if err := rig.Sleep(ctx, 2*time.Second); err != nil {
				return "", err
			}
			// The oldest one, as at Slack, where each has a time of its own.
			if all := s.Slack.Connections(); len(all) > 0 {
				renewed += s.Slack.RefreshConnections(all[0].ID)
			}
		}
		if err := <-done; err != nil {
			return "", err
		}
		if err := s.SettleLeases(ctx, time.Minute); err != nil {
			return "", err
		}
		v, err := s.Judge(ctx, ledger, answerGoal(r))
		stats := s.Slack.Sockets()
		found.want(renewed > 1, "%d connections were renewed", renewed)
		found.want(v.Whole() && v.OK == v.Clicks, "%s", v)
		found.want(stats.Most <= 10 && stats.TurnedAway == 0, "%d sockets at once, %d turned away", stats.Most, stats.TurnedAway)
		return Figure(fmt.Sprintf("%d renewed; %d of %d presses acknowledged, %d claimed, max %s; %d sockets in all, at most %d at once",
			renewed, v.OK, v.Clicks, v.Claimed, ms(v.Max), stats.Opened, stats.Most)), err
	})
}

// press lets the owner of a badge press over Socket Mode.
func (refreshed) press(ctx context.Context, s *rig.Stage, ledger *rig.Ledger, badge int) {
	p := rig.Press{N: badge, Badge: badge, Person: s.Owner(badge)}
	e := rig.Entry{Press: p, Sent: time.Now()}
	got, err := s.Slack.SendRaw(ctx, slacksim.EndpointInteractions, []byte(s.SlackBody(p)), nil)
	e.Latency, e.Err = time.Since(e.Sent), err
	if err == nil && got.OK() {
		e.Status = 200
	}
	ledger.Add(e)
}
