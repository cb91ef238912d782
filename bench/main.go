// Command bench measures a claim from outside: signed requests to the built
// bot, in turn with pgbench running the very statement of a claim on the same
// server. Everything it needs it starts itself, on this machine only:
//
//	go run ./bench
//
// Speed differs between machines and from second to second, so only the
// ratios within one round count; docs/performance.md says what they mean. It
// needs Linux and the programs of a PostgreSQL server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// wholeRun limits everything together.
const wholeRun = 10 * time.Minute

// options are the flags.
type options struct {
	badges, members int
	rounds          int
	slice           time.Duration
	connections     int
	discord         bool
	logs            bool
}

func main() {
	var o options
	flag.IntVar(&o.badges, "badges", 1_000_000, "pending badges; no multiple of 3")
	flag.IntVar(&o.members, "members", 50_000, "people who own them")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of one slice each")
	flag.DurationVar(&o.slice, "slice", 4*time.Second, "length of a slice, in whole seconds")
	flag.IntVar(&o.connections, "connections", 32, "connections of the closed loop")
	flag.BoolVar(&o.discord, "discord", true, "measure claims in Discord as well")
	flag.BoolVar(&o.logs, "logs", false, "show what the bot logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// check refuses flags with which the figures would mean nothing.
func (o options) check() error {
	switch {
	case o.badges < 1000 || gcd(step, o.badges) != 1:
		return fmt.Errorf("-badges must be 1000 or more and share no divisor with %d", step)
	case o.members < 1 || o.members > o.badges:
		return errors.New("-members must lie between 1 and -badges")
	case o.rounds < 1 || o.connections < 1:
		return errors.New("-rounds and -connections must be 1 or more")
	case o.slice < time.Second || o.slice%time.Second != 0:
		return errors.New("-slice must be a whole number of seconds")
	}
	return nil
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	s, err := openStage(ctx, o, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	trips, err := s.countTrips(ctx)
	if err != nil {
		return fmt.Errorf("count round trips: %w", err)
	}
	if err := s.startBot(ctx, s.world.dsn); err != nil {
		return err
	}
	var rounds []round
	for i := range o.rounds {
		r, err := s.round(ctx, i)
		if err != nil {
			return fmt.Errorf("round %d: %w", i+1, err)
		}
		r.print(out, i)
		rounds = append(rounds, r)
	}
	rss, err := memory(s.bot.pid())
	if err != nil {
		return err
	}
	summary(out, rounds, trips, rss)
	return s.verify(ctx, out)
}
