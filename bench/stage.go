package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// drainWithin limits waiting for the cards of a slice.
	drainWithin = 60 * time.Second
	// tripClaims are the claims whose round trips are counted.
	tripClaims = 25
	// quiet is how long the bot must have asked nothing to count as idle. It
	// looks for work of other replicas twice a second.
	quiet = 60 * time.Millisecond
)

// stage is everything that takes part.
type stage struct {
	options
	order    order
	out      io.Writer
	folder   string
	binary   string
	settings settings
	private  ed25519.PrivateKey
	world    *world
	sink     *sink
	pgbench  *pgbench
	bot      *bot
	// next numbers the presses; all that were accepted are counted.
	next     atomic.Int64
	accepted int
	// claimed is what pgbench claimed.
	claimed int
}

// openStage prepares everything but the bot itself.
func openStage(ctx context.Context, o options, out io.Writer) (_ *stage, err error) {
	s := &stage{options: o, out: out, order: order{badges: o.badges, members: o.members}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = os.MkdirTemp("", "laurel-bench-"); err != nil {
		return s, fmt.Errorf("make folder: %w", err)
	}
	fmt.Fprintln(out, "building the bot")
	if s.binary, err = build(ctx, s.folder); err != nil {
		return s, err
	}
	if s.sink, err = startSink(ctx, o.badges); err != nil {
		return s, err
	}
	s.settings = settings{secretKey: randomKey(), sink: s.sink.url}
	if s.settings.discord, s.private, err = newDiscordKey(); err != nil {
		return s, fmt.Errorf("make key: %w", err)
	}
	fmt.Fprintf(out, "starting PostgreSQL and generating %d badges of %d people\n", o.badges, o.members)
	if s.world, err = startWorld(); err != nil {
		return s, err
	}
	if err := s.world.admin(ctx, "CREATE DATABASE "+botDatabase+" TEMPLATE template0"); err != nil {
		return s, err
	}
	if err := migrate(ctx, s.binary, s.settings, s.world.dsn); err != nil {
		return s, err
	}
	if err := s.world.fill(ctx, o); err != nil {
		return s, err
	}
	s.pgbench, err = newPgbench(s.world.server.Programs(), s.folder, s.world.bare, s.order)
	return s, err
}

func (s *stage) close() error {
	var errs []error
	if s.bot != nil {
		errs = append(errs, s.bot.stop())
	}
	if s.world != nil {
		errs = append(errs, s.world.close())
	}
	if s.sink != nil {
		errs = append(errs, s.sink.close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}

func (s *stage) startBot(ctx context.Context, dsn string) (err error) {
	logs := io.Discard
	if s.logs {
		logs = os.Stderr
	}
	s.bot, err = startBot(ctx, s.binary, s.settings, dsn, logs)
	return err
}

func (s *stage) stopBot() error {
	err := s.bot.stop()
	s.bot = nil
	return err
}

func (s *stage) slack() requester {
	return newSlackPresses(s.order, s.bot.address, signSecret, s.sink.url)
}

// trips are round trips to the database.
type trips struct {
	// claim: until the press is acknowledged. shown: until the card of a
	// single claim is shown and everything about it is stored, too.
	claim, shown float64
}

// countTrips lets a bot of its own claim one badge after the other through a
// counting proxy. The median leaves out what it asks beside that, and the
// fewest of all claims what the delivery asks before the acknowledgement was
// read.
func (s *stage) countTrips(ctx context.Context) (_ trips, err error) {
	u, err := url.Parse(s.world.dsn)
	if err != nil {
		return trips{}, errors.New("the URL of the database cannot be read")
	}
	p, err := startProxy(ctx, u.Host)
	if err != nil {
		return trips{}, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	u.Host = p.address()
	if err := s.startBot(ctx, u.String()); err != nil {
		return trips{}, err
	}
	defer func() { err = errors.Join(err, s.stopBot()) }()
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
		if !s.sink.await(ctx, int64(s.accepted), drainWithin) {
			return trips{}, errors.New("a card was not shown")
		}
		if err := p.settle(ctx, quiet); err != nil {
			return trips{}, err
		}
		claim = append(claim, float64(acknowledged-before))
		shown = append(shown, float64(p.trips.Load()-before))
	}
	return trips{claim: slices.Min(claim), shown: median(shown)}, nil
}

// slice is what one platform did in one round.
type slice struct {
	claims   float64       // acknowledged per second
	shown    float64       // per second until their cards were shown, too
	p50, p99 time.Duration // until the acknowledgement
	// Processor time per claim, until all cards were shown.
	app, database time.Duration
}

// round is one slice of everything that is compared.
type round struct {
	slack, discord slice
	pgbench        float64
	// bare is the database's processor time per claim of pgbench.
	bare time.Duration
}

// round measures one round; every other one goes the other way round.
func (s *stage) round(ctx context.Context, i int) (r round, err error) {
	steps := []func() error{
		func() (err error) { r.slack, err = s.press(ctx, s.slack()); return err },
		func() (err error) { r.pgbench, r.bare, err = s.claimBare(ctx, i); return err },
		func() (err error) {
			if s.options.discord {
				r.discord, err = s.press(ctx, &discordPresses{s.order, s.bot.address, s.private})
			}
			return err
		},
	}
	for j := range steps {
		if i%2 == 1 {
			j = len(steps) - 1 - j
		}
		if err := steps[j](); err != nil {
			return r, err
		}
	}
	return r, nil
}

// press measures one platform and waits until every card was shown.
func (s *stage) press(ctx context.Context, from requester) (slice, error) {
	begin := time.Now()
	app, err1 := timesOf(s.bot.pid())
	database, err2 := family(s.world.pid)
	l, err := closedLoop(ctx, s.bot.address, from, s.connections, s.slice, &s.next)
	if err := errors.Join(err, err1, err2); err != nil {
		return slice{}, err
	}
	if l.refused > 0 {
		return slice{}, fmt.Errorf("%d requests were refused", l.refused)
	}
	if int(s.next.Load()) > s.badges {
		return slice{}, errors.New("no badges are left: more are needed, or shorter slices")
	}
	s.accepted += l.accepted
	if !s.sink.await(ctx, int64(s.accepted), drainWithin) {
		return slice{}, fmt.Errorf("%d cards were not shown", int64(s.accepted)-s.sink.cards.Load())
	}
	took := time.Since(begin)
	appAfter, err1 := timesOf(s.bot.pid())
	databaseAfter, err2 := family(s.world.pid)
	each := func(d time.Duration) time.Duration { return d / time.Duration(l.accepted) }
	return slice{
		claims: l.perSecond(), shown: float64(l.accepted) / took.Seconds(),
		p50: quantile(l.latencies, 0.5), p99: quantile(l.latencies, 0.99),
		app: each(appAfter.own - app.own), database: each(databaseAfter - database),
	}, errors.Join(err1, err2)
}

// claimBare lets pgbench claim; each round has badges of its own.
func (s *stage) claimBare(ctx context.Context, i int) (perSecond float64, each time.Duration, err error) {
	before, err := family(s.world.pid)
	if err != nil {
		return 0, 0, err
	}
	n, perSecond, err := s.pgbench.run(ctx, s.slice, i*(s.badges/s.rounds))
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

// verify holds what was acknowledged against what is stored and was shown.
func (s *stage) verify(ctx context.Context, out io.Writer) error {
	// The last outcomes are stored after their cards were shown.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(drainWithin)
	for {
		n, err := s.world.unsent(ctx)
		if err != nil {
			return fmt.Errorf("count deliveries: %w", err)
		}
		if n == 0 || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	stored, err := s.world.counts(ctx, s.world.dsn)
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	bare, err := s.world.counts(ctx, s.world.bare)
	if err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	stored, bare = stored.minus(s.world.before), bare.minus(s.world.before)
	cards, twice := s.sink.cards.Load(), s.sink.twice.Load()
	fmt.Fprintf(out, "\nacknowledged %d, handoffs %d, audit rows %d, deliveries %d, cards shown %d, shown twice %d; pgbench claimed %d of %d\n",
		s.accepted, stored.handoffs, stored.audits, stored.deliveries, cards, twice, bare.handoffs, s.claimed)
	if want := (counts{s.accepted, s.accepted, s.accepted}); stored != want || cards != int64(s.accepted) || twice != 0 {
		return errors.New("something acknowledged was lost or doubled")
	}
	if want := (counts{s.claimed, s.claimed, s.claimed}); bare != want {
		return errors.New("pgbench was refused: its speed is not that of claims")
	}
	fmt.Fprintln(out, "nothing lost, nothing doubled")
	return nil
}
