package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// round is one slice of everything that is compared.
type round struct {
	slack, discord slice
	// slackAlone and discordAlone are without the cards.
	slackAlone, discordAlone slice
	peer                     slice
	pgbench                  float64
	// bare is the database's processor time per claim of pgbench.
	bare time.Duration
}

// measureClaims compares the claim with its bare statement and with the peer.
func measureClaims(ctx context.Context, s *stage) error {
	var rounds []round
	var rss resident
	err := s.withBot(ctx, s.binary, s.world.dsn, func() error {
		return s.withPeer(ctx, func() error {
			for i := range s.rounds {
				r, err := s.round(ctx, i)
				if err != nil {
					return fmt.Errorf("round %d: %w", i+1, err)
				}
				r.print(s.out, i)
				rounds = append(rounds, r)
			}
			var err error
			rss, err = memory(s.bot.pid())
			return err
		})
	})
	if err != nil {
		return err
	}
	summary(s.out, rounds)
	s.judgeClaims(rounds)
	s.goals.atMost("memory under load, MB", rss.most, 64, "%.0f")
	return nil
}

// round measures one round.
func (s *stage) round(ctx context.Context, i int) (r round, err error) {
	steps := []func() error{
		func() (err error) { r.slack, err = s.press(ctx, s.slack()); return err },
		func() (err error) { r.pgbench, r.bare, err = s.claimBare(ctx, i); return err },
		func() (err error) { r.slackAlone, err = s.pressAlone(ctx, s.slack()); return err },
	}
	if s.peer != nil {
		steps = append(steps, func() (err error) { r.peer, err = s.pressPeer(ctx); return err })
	}
	if s.options.discord {
		steps = append(
			steps,
			func() (err error) { r.discord, err = s.press(ctx, s.discordPresses()); return err },
			func() (err error) { r.discordAlone, err = s.pressAlone(ctx, s.discordPresses()); return err },
		)
	}
	return r, interleaved(i, steps...)
}

// claimBare lets pgbench claim; each round has badges of its own.
func (s *stage) claimBare(ctx context.Context, i int) (perSecond float64, each time.Duration, err error) {
	before, err := family(s.world.pid)
	if err != nil {
		return 0, 0, err
	}
	script, err := claimScript(claimStatement(), s.order)
	if err != nil {
		return 0, 0, err
	}
	n, perSecond, err := s.pgbench.run(ctx, script, s.slice, i*(s.badges/s.rounds))
	if err != nil {
		return 0, 0, err
	}
	s.claimed += n
	if err := s.world.bareIdle(ctx); err != nil {
		return 0, 0, err
	}
	after, err := family(s.world.pid)
	return perSecond, (after - before) / time.Duration(n), err
}

// medianOf is the median of a value over rounds.
func medianOf(rounds []round, value func(round) float64) float64 {
	values := make([]float64, 0, len(rounds))
	for _, r := range rounds {
		values = append(values, value(r))
	}
	return median(values)
}

func (s *stage) judgeClaims(rounds []round) {
	ofBare := func(pick func(round) slice) float64 {
		return medianOf(rounds, func(r round) float64 { return pick(r).claims / r.pgbench })
	}
	cost := func(pick func(round) slice) float64 {
		return medianOf(rounds, func(r round) float64 { return float64(pick(r).app+pick(r).database) / float64(r.bare) })
	}
	slack, slackAlone := func(r round) slice { return r.slack }, func(r round) slice { return r.slackAlone }
	discord, discordAlone := func(r round) slice { return r.discord }, func(r round) slice { return r.discordAlone }
	g := &s.goals
	g.atLeast("claim on Slack, of pgbench", ofBare(slack), 0.7, "%.2f")
	g.atLeast("claim on Slack, cards held back, of pgbench", ofBare(slackAlone), 0.7, "%.2f")
	if s.options.discord {
		g.atLeast("claim on Discord, of pgbench", ofBare(discord), 0.7, "%.2f")
		g.atLeast("claim on Discord, cards held back, of pgbench", ofBare(discordAlone), 0.7, "%.2f")
	}
	if s.peerFolder != "" {
		ofPeer := func(pick func(round) slice) float64 {
			return medianOf(rounds, func(r round) float64 { return pick(r).claims / r.peer.claims })
		}
		g.atLeast("claim on Slack, of the peer", ofPeer(slack), 5, "%.1f")
		g.atLeast("claim on Slack, cards held back, of the peer", ofPeer(slackAlone), 5, "%.1f")
		g.atMost("app's CPU per claim, cards held back, of the peer's", medianOf(rounds, func(r round) float64 {
			return float64(r.slackAlone.app) / float64(r.peer.app)
		}), 0.2, "%.2f")
	}
	g.atMost("CPU of app and database per claim on Slack, cards held back, of the bare statement's", cost(slackAlone), 1.9, "%.2f")
	g.told("the same with its card", fmt.Sprintf("%.2f", cost(slack)))
	if s.options.discord {
		g.atMost("CPU of app and database per claim on Discord, cards held back, of the bare statement's", cost(discordAlone), 1.9, "%.2f")
		g.told("the same with its card", fmt.Sprintf("%.2f", cost(discord)))
	}
}

// verify holds what was acknowledged against what is stored and was shown.
func (s *stage) verify(ctx context.Context, out io.Writer) error {
	if s.accepted+s.claimed+s.peerAccepted == 0 {
		return nil
	}
	// The last outcomes are stored after their cards were shown.
	if err := s.withBot(ctx, s.binary, s.world.dsn, func() error { return s.world.awaitSent(ctx) }); err != nil {
		return err
	}
	names := []string{botDatabase, bareDatabase}
	if s.options.peer {
		names = append(names, peerDatabase)
	}
	var found [3]counts
	for i, name := range names {
		c, err := s.world.counts(ctx, s.world.copyOf(name))
		if err != nil {
			return fmt.Errorf("count rows: %w", err)
		}
		found[i] = c.minus(s.world.before)
	}
	stored, bare, peer := found[0], found[1], found[2]
	cards, twice := s.sink.cards.Load(), s.sink.twice.Load()
	fmt.Fprintf(out, "\nacknowledged %d, handoffs %d, audit rows %d, deliveries %d, cards shown %d, shown twice %d; pgbench claimed %d of %d, the peer %d of %d\n",
		s.accepted, stored.handoffs, stored.audits, stored.deliveries, cards, twice, bare.handoffs, s.claimed, peer.handoffs, s.peerAccepted)
	all := func(n int) counts { return counts{n, n, n} }
	if stored != all(s.accepted) || cards != int64(s.accepted) || twice != 0 {
		return errors.New("something acknowledged was lost or doubled")
	}
	if bare != all(s.claimed) || peer != all(s.peerAccepted) {
		return errors.New("pgbench or the peer was refused: their speed is not that of claims")
	}
	fmt.Fprintln(out, "nothing lost, nothing doubled")
	return nil
}
