package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	// tripClaims are the claims whose round trips are counted.
	tripClaims = 25
	// quiet is how long the bot must have asked nothing to count as idle. It
	// looks for work of other replicas twice a second.
	quiet = 60 * time.Millisecond
	// badRequests are those with a wrong signature whose queries are counted.
	badRequests = 1000
)

// trips are round trips to the database.
type trips struct {
	// claim: until the press is acknowledged. shown: until the card of a
	// single claim is shown and everything about it is stored, too.
	claim, shown float64
	// bad: per request with a wrong signature, what the bot asks beside that
	// included.
	bad float64
}

// measureTrips counts round trips in a proxy.
func measureTrips(ctx context.Context, s *stage) (err error) {
	u, err := url.Parse(s.world.dsn)
	if err != nil {
		return errors.New("the URL of the database cannot be read")
	}
	p, err := startTripCounter(ctx, u.Host)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	u.Host = p.Address()
	var t trips
	if err := s.withBot(ctx, s.binary, u.String(), func() error { t, err = s.countTrips(ctx, p); return err }); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "round trips of one claim: %.0f until acknowledged, %.0f until shown and stored; of a bad signature %.3f\n", t.claim, t.shown, t.bad)
	s.goals.atMost("round trips until a claim is acknowledged", t.claim, 2, "%.0f")
	s.goals.told("round trips until its card is shown and stored", fmt.Sprintf("%.0f", t.shown))
	// Some belong to what the bot asks meanwhile anyway.
	s.goals.atMost("round trips of a bad signature", t.bad, 0.1, "%.1f")
	return nil
}

// countTrips lets the bot claim one badge after the other. The median leaves
// out what it asks beside that, and the fewest of all claims what the
// delivery asks before the acknowledgement was read.
func (s *stage) countTrips(ctx context.Context, p *tripCounter) (_ trips, err error) {
	c, err := dial(ctx, s.bot.address)
	if err != nil {
		return trips{}, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	from := s.slack()
	var claim, shown []float64
	for range tripClaims {
		if err := p.settle(ctx, quiet); err != nil {
			return trips{}, err
		}
		before := p.trips.Load()
		status, err := c.exchange(from.request(int(s.next.Add(1)-1), time.Now()))
		if err != nil || status != http.StatusOK {
			return trips{}, errors.Join(fmt.Errorf("claim was answered with status %d", status), err)
		}
		acknowledged := p.trips.Load()
		s.accepted++
		if err := s.drain(ctx); err != nil {
			return trips{}, err
		}
		if err := p.settle(ctx, quiet); err != nil {
			return trips{}, err
		}
		claim = append(claim, float64(acknowledged-before))
		shown = append(shown, float64(p.trips.Load()-before))
	}
	before := p.trips.Load()
	bad := spoiled(from.request(0, time.Now()))
	for range badRequests {
		status, err := c.exchange(bad)
		if err != nil || status != http.StatusUnauthorized {
			return trips{}, errors.Join(fmt.Errorf("bad signature was answered with status %d", status), err)
		}
	}
	return trips{
		claim: slices.Min(claim), shown: median(shown), bad: float64(p.trips.Load()-before) / badRequests,
	}, nil
}
