package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// signatureSlice is how long each endpoint is asked in a round.
const signatureSlice = 2 * time.Second

// asked is how fast an endpoint answered, and the processor time per request.
type asked struct {
	perSecond float64
	cpu       time.Duration
}

// ask sends one request in a closed loop and checks that every answer has the
// status.
func (s *stage) ask(ctx context.Context, address string, pid int, request fixed, status int) (asked, error) {
	before, err := timesOf(pid)
	if err != nil {
		return asked{}, err
	}
	l, err := closedLoop(ctx, address, request, s.connections, signatureSlice, &atomic.Int64{})
	if err != nil {
		return asked{}, err
	}
	after, err := timesOf(pid)
	n, other := l.accepted, l.refused
	if status != http.StatusOK {
		n, other = other, n
	}
	if other > 0 || n == 0 {
		return asked{}, fmt.Errorf("%d answers were unexpected", other)
	}
	return asked{float64(n) / l.took.Seconds(), (after.own - before.own) / time.Duration(n)}, err
}

// measureSignatures measures what comes before any look at the database.
func measureSignatures(ctx context.Context, s *stage) error {
	var slack, slackPeer, discord, discordPeer, badSlack, badDiscord []asked
	slackFrom := newSlackPresses(s.order, "127.0.0.1", signSecret, s.sink.url)
	discordFrom := &discordPresses{s.order, "127.0.0.1", s.private}
	err := s.withBot(ctx, s.binary, s.world.dsn, func() error {
		return s.withPeer(ctx, func() error {
			for i := range s.rounds {
				now := time.Now()
				step := func(into *[]asked, address string, pid int, request fixed, status int) func() error {
					return func() error {
						a, err := s.ask(ctx, address, pid, request, status)
						*into = append(*into, a)
						return err
					}
				}
				bot, pid := s.bot.address, s.bot.pid()
				steps := []func() error{
					step(&slack, bot, pid, unknownPress(slackFrom, now), http.StatusOK),
					step(&discord, bot, pid, ping(discordFrom, now), http.StatusOK),
					step(&badSlack, bot, pid, spoiled(slackFrom.request(0, now)), http.StatusUnauthorized),
					step(&badDiscord, bot, pid, spoiled(discordFrom.request(0, now)), http.StatusUnauthorized),
				}
				if s.peer != nil {
					steps = append(
						steps,
						step(&slackPeer, s.peer.slack, s.peer.pid(), unknownPress(slackFrom, now), http.StatusOK),
						step(&discordPeer, s.peer.discord, s.peer.pid(), ping(discordFrom, now), http.StatusOK),
					)
				}
				if err := interleaved(i, steps...); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, one := range []struct {
		name string
		got  []asked
	}{
		{"Slack", slack},
		{"Slack, the peer", slackPeer},
		{"Discord", discord},
		{"Discord, the peer", discordPeer},
		{"bad signature on Slack", badSlack},
		{"bad signature on Discord", badDiscord},
	} {
		if len(one.got) > 0 {
			fmt.Fprintf(s.out, "answers without the database, %s: %s/s, %s µs of CPU each\n",
				one.name, spread(perSecond(one.got), "%.0f"), spread(micros(one.got), "%.0f"))
		}
	}
	if len(slackPeer) > 0 {
		s.goals.atLeast("signature and decoding on Slack, of the peer", medianRatio(perSecond(slack), perSecond(slackPeer)), 4, "%.1f")
		s.goals.told("the same in CPU", fmt.Sprintf("%.2f", medianRatio(micros(slack), micros(slackPeer))))
		s.goals.atLeast("signature and decoding on Discord, of Node's crypto", medianRatio(perSecond(discord), perSecond(discordPeer)), 2.7, "%.1f")
		s.goals.told("the same in CPU", fmt.Sprintf("%.2f", medianRatio(micros(discord), micros(discordPeer))))
	}
	s.goals.atMost("bad signature on Slack, µs of CPU", median(micros(badSlack)), 50, "%.0f")
	s.goals.atMost("bad signature on Discord, µs of CPU", median(micros(badDiscord)), 100, "%.0f")
	return nil
}

func perSecond(all []asked) (values []float64) {
	for _, a := range all {
		values = append(values, a.perSecond)
	}
	return values
}

func micros(all []asked) (values []float64) {
	for _, a := range all {
		values = append(values, float64(a.cpu)/float64(time.Microsecond))
	}
	return values
}

// medianRatio is the median of the ratios within each round.
func medianRatio(of, to []float64) float64 {
	values := make([]float64, 0, len(of))
	for i := range min(len(of), len(to)) {
		values = append(values, of[i]/to[i])
	}
	return median(values)
}
