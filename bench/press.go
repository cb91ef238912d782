package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// drainWithin limits waiting for the cards of a slice.
const drainWithin = 90 * time.Second

func (s *stage) slackOf(address string) requester {
	return newSlackPresses(s.order, address, signSecret, s.sink.url)
}

func (s *stage) slack() requester { return s.slackOf(s.bot.address) }

func (s *stage) discordPresses() requester {
	return &discordPresses{s.order, s.bot.address, s.private}
}

// slice is what one program did in one slice of time.
type slice struct {
	claims   float64       // acknowledged per second
	shown    float64       // per second until their cards were shown, too
	p50, p99 time.Duration // until the acknowledgement
	// Processor time per claim: with cards, until all were shown.
	app, database time.Duration
}

// usage is what was used until a moment.
type usage struct {
	app, database time.Duration
}

func (s *stage) usage(pid int) (usage, error) {
	app, err := timesOf(pid)
	if err != nil {
		return usage{}, err
	}
	database, err := family(s.world.pid)
	return usage{app.own, database}, err
}

// each divides what was used since by a number of claims.
func (u usage) each(since usage, n int) (app, database time.Duration) {
	n = max(n, 1)
	return (u.app - since.app) / time.Duration(n), (u.database - since.database) / time.Duration(n)
}

// press measures the bot in a closed loop and waits until every card was
// shown.
func (s *stage) press(ctx context.Context, from requester) (slice, error) {
	begin := time.Now()
	before, err := s.usage(s.bot.pid())
	if err != nil {
		return slice{}, err
	}
	l, err := closedLoop(ctx, s.bot.address, from, s.connections, s.slice, &s.next)
	if err == nil {
		err = s.count(l)
	}
	if err == nil {
		err = s.drain(ctx)
	}
	if err != nil {
		return slice{}, err
	}
	after, err := s.usage(s.bot.pid())
	out := sliceOf(l)
	out.shown = float64(l.accepted) / time.Since(begin).Seconds()
	out.app, out.database = after.each(before, l.accepted)
	return out, err
}

// pressAlone is the same while the platform takes no cards: only what comes
// before the acknowledgement is at work. The cards follow, uncounted.
func (s *stage) pressAlone(ctx context.Context, from requester) (slice, error) {
	release := s.sink.hold()
	defer release()
	before, err := s.usage(s.bot.pid())
	if err != nil {
		return slice{}, err
	}
	l, err := closedLoop(ctx, s.bot.address, from, s.connections, s.slice, &s.next)
	if err == nil {
		err = s.count(l)
	}
	if err != nil {
		return slice{}, err
	}
	after, err := s.usage(s.bot.pid())
	if err != nil {
		return slice{}, err
	}
	out := sliceOf(l)
	out.app, out.database = after.each(before, l.accepted)
	release()
	return out, s.drain(ctx)
}

func sliceOf(l *load) slice {
	return slice{claims: l.perSecond(), p50: quantile(l.latencies, 0.5), p99: quantile(l.latencies, 0.99)}
}

// count takes over what was accepted.
func (s *stage) count(l *load) error {
	s.accepted += l.accepted
	if l.refused > 0 {
		return fmt.Errorf("%d requests were refused", l.refused)
	}
	return s.left(s.next.Load())
}

func (s *stage) left(presses int64) error {
	if int(presses) > s.badges {
		return errors.New("no badges are left: more are needed, or shorter slices")
	}
	return nil
}

// drain waits until every acknowledged press was answered by its card.
func (s *stage) drain(ctx context.Context) error {
	if !s.sink.await(ctx, int64(s.accepted), drainWithin) {
		return fmt.Errorf("%d cards were not shown", int64(s.accepted)-s.sink.cards.Load())
	}
	return nil
}

// pressPeer measures the peer, which shows no cards.
func (s *stage) pressPeer(ctx context.Context) (slice, error) {
	before, err := s.usage(s.peer.pid())
	if err != nil {
		return slice{}, err
	}
	l, err := closedLoop(ctx, s.peer.slack, s.slackOf(s.peer.slack), s.connections, s.slice, &s.peerNext)
	if err == nil {
		err = s.countPeer(l)
	}
	if err != nil {
		return slice{}, fmt.Errorf("peer: %w", err)
	}
	after, err := s.usage(s.peer.pid())
	out := sliceOf(l)
	out.app, out.database = after.each(before, l.accepted)
	return out, err
}

func (s *stage) countPeer(l *load) error {
	s.peerAccepted += l.accepted
	if l.refused > 0 {
		return fmt.Errorf("%d requests were refused", l.refused)
	}
	return s.left(s.peerNext.Load())
}
