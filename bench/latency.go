package main

import (
	"context"
	"fmt"
	"time"
)

// The open loops: so many clicks a second for so long.
const (
	calmRate  = 50
	busyRate  = 200
	calmFor   = 5 * time.Second
	burstSize = 1000
	// steadyConnections are what a platform keeps open to one bot.
	steadyConnections = 64
)

// opened is what an open loop measured.
type opened struct{ p50, p99, most time.Duration }

func openedOf(l *load) opened {
	return opened{quantile(l.latencies, 0.5), quantile(l.latencies, 0.99), quantile(l.latencies, 1)}
}

func (o opened) String() string {
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, at most %.0f ms", ms(o.p50), ms(o.p99), ms(o.most))
}

// clicks lets people click at their own pace, at the bot and, where there is
// one, at the peer.
func (s *stage) clicks(ctx context.Context, connections, n int, rate float64) (bot, peer opened, err error) {
	l, err := openLoop(ctx, s.bot.address, s.slack(), connections, n, rate, &s.next)
	if err == nil {
		err = s.count(l)
	}
	if err != nil {
		return bot, peer, err
	}
	bot = openedOf(l)
	if err := s.drain(ctx); err != nil {
		return bot, peer, err
	}
	if s.peer == nil {
		return bot, peer, nil
	}
	l, err = openLoop(ctx, s.peer.slack, s.slackOf(s.peer.slack), connections, n, rate, &s.peerNext)
	if err == nil {
		err = s.countPeer(l)
	}
	if err != nil {
		return bot, peer, fmt.Errorf("peer: %w", err)
	}
	return bot, openedOf(l), nil
}

// clicking runs open loops after a few claims that warm everything up.
func (s *stage) clicking(ctx context.Context, f func() error) error {
	return s.withBot(ctx, s.binary, s.world.dsn, func() error {
		return s.withPeer(ctx, func() error {
			if _, _, err := s.clicks(ctx, steadyConnections, busyRate, busyRate); err != nil {
				return err
			}
			return f()
		})
	})
}

// measureLatency measures steady clicks.
func measureLatency(ctx context.Context, s *stage) error {
	return s.clicking(ctx, func() error {
		for _, rate := range []float64{calmRate, busyRate} {
			bot, peer, err := s.clicks(ctx, steadyConnections, int(rate*calmFor.Seconds()), rate)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%.0f clicks/s: %v", rate, bot)
			if s.peer != nil {
				fmt.Fprintf(s.out, "; the peer %v", peer)
			}
			fmt.Fprintln(s.out)
			if rate == busyRate {
				s.goals.atMost("200 clicks/s, p99 in ms", ms(bot.p99), 15, "%.1f")
				if s.peer != nil {
					s.goals.atMost("the same, of the peer's", float64(bot.p99)/float64(peer.p99), 0.4, "%.2f")
				}
			}
		}
		return nil
	})
}

// measureBurst measures a thousand clicks in a second, each on a connection
// of its own.
func measureBurst(ctx context.Context, s *stage) error {
	var p99, most, ratio []float64
	err := s.clicking(ctx, func() error {
		for range s.rounds {
			bot, peer, err := s.clicks(ctx, burstSize, burstSize, burstSize)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "1,000 clicks in a second: %v", bot)
			if s.peer != nil {
				fmt.Fprintf(s.out, "; the peer %v", peer)
				ratio = append(ratio, float64(bot.p99)/float64(peer.p99))
			}
			fmt.Fprintln(s.out)
			p99, most = append(p99, ms(bot.p99)), append(most, ms(bot.most))
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.goals.atMost("1,000 clicks in 1 s, p99 in ms", median(p99), 50, "%.0f")
	s.goals.atMost("1,000 clicks in 1 s, slowest in ms", median(most), 500, "%.0f")
	if len(ratio) > 0 {
		s.goals.atMost("1,000 clicks in 1 s, p99 of the peer's", median(ratio), 0.05, "%.3f")
	}
	return nil
}
