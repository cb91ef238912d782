package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
	"github.com/laurelbot/laurel/bench/seed"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// sentUnknown is F12: the bot dies when a platform has shown the message and
// before the answer came.
type sentUnknown struct{}

func (sentUnknown) Name() string { return "killed between send and its answer" }

func (sentUnknown) Criterion() string {
	return "tried again after the lease; people see each message once"
}

func (sentUnknown) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f12"}, func(s *rig.Stage, found *findings) (Figure, error) {
		s.Desk.Forward.Store(true)
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		kills := rig.Pick(r, 20, 4)
		repeats := 0
		for i := 1; i <= kills; i++ {
			s.Slack.AddUser(slacksim.User{ID: seed.SlackUser(i), Name: "example"})
			s.Discord.AddUser(discordsim.User{ID: seed.DiscordUser(i), Name: "example"})
			p := rig.Platform(i % 2)
			attempts, err := killAtSend(ctx, s, p, i)
			if err != nil {
				return "", err
			}
			if attempts > 1 {
				repeats++
			}
			seen := 0
			if p == rig.Slack {
				seen = len(s.Slack.Messages(s.Slack.DM(seed.SlackUser(i)), seed.SlackUser(i)))
			} else {
				seen = len(s.Discord.Messages(s.Discord.DM(seed.DiscordUser(i)), seed.DiscordUser(i)))
			}
			found.want(seen == 1, "kill %d: the person sees %d messages", i, seen)
		}
		found.want(repeats == kills, "%d of %d messages were tried again", repeats, kills)
		return Figure(fmt.Sprintf("%d kills, %d tried again, each seen once", kills, repeats)), nil
	})
}

// killAtSend queues a message, kills the bot when it was shown and before the
// answer, and returns how many attempts there were after the next start.
func killAtSend(ctx context.Context, s *rig.Stage, p rig.Platform, person int) (int, error) {
	shown, dead := make(chan struct{}, 4), make(chan struct{})
	s.Desk.After(func(c rig.Call) {
		isSend := c.Platform == rig.Slack && c.Method == "chat.postMessage" ||
			c.Platform == rig.Discord && c.Method == "POST" && strings.HasSuffix(c.Path, "/messages")
		if !isSend {
			return
		}
		select {
		case shown <- struct{}{}:
		default:
		}
		<-dead
	})
	if err := s.QueueDirect(ctx, p, []int{person}, 1); err != nil {
		close(dead)
		return 0, err
	}
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	var err error
	select {
	case <-shown:
		err = s.Bots[0].Kill()
	case <-timer.C:
		err = fmt.Errorf("the message to person %d was not sent", person)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.Desk.After(nil)
	close(dead)
	if err != nil {
		return 0, err
	}
	// Past the lease of the dead process.
	if err := s.Advance(ctx, 50*time.Second); err != nil {
		return 0, err
	}
	if err := s.Bots[0].Start(ctx); err != nil {
		return 0, err
	}
	if err := s.Settle(ctx, 30*time.Second); err != nil {
		return 0, err
	}
	return s.Count(ctx, `SELECT attempts FROM outbox ORDER BY id DESC LIMIT 1`)
}
