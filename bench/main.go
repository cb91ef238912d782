// Command bench measures the bot from outside, everything that its goals are
// about in one run: the claim over signed requests in turn with pgbench
// running the very statement of a claim on the same server and with what one
// would build in place of the bot, and the work behind it. Everything it needs
// it starts itself, on this machine only:
//
//	go run ./bench
//
// Speed differs between machines and from second to second, so only the
// ratios within one round count; docs/performance.md says what they mean. It
// needs Linux, the programs of a PostgreSQL server and, for the peer, Node
// with npm.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// wholeRun limits everything together.
const wholeRun = 15 * time.Minute

// options are the flags.
type options struct {
	badges, members int
	rounds          int
	slice           time.Duration
	connections     int
	only            string
	discord, peer   bool
	strict, logs    bool
	binary, beside  string
}

// part is something that can be measured alone.
type part struct {
	name, about string
	run         func(context.Context, *stage) error
}

var parts = []part{
	{"start", "start to ready, idle memory", measureStart},
	{"trips", "round trips to the database", measureTrips},
	{"signature", "what comes before any look at the database", measureSignatures},
	{"latency", "50 and 200 clicks a second", measureLatency},
	{"burst", "1,000 clicks in a second", measureBurst},
	{"claim", "the claim beside pgbench and the peer", measureClaims},
	{"ingest", "webhooks", measureIngest},
	{"expiry", "stale handoffs", measureExpiry},
	{"outbox", "two processes that deliver", measureOutbox},
	{"import", "a CSV file", measureImport},
	{"remind", "planning reminders", measureReminders},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == dispatchArg {
		return dispatch(ctx, os.Stdin, os.Stdout)
	}
	var names []string
	for _, p := range parts {
		names = append(names, p.name+" ("+p.about+")")
	}
	var o options
	flag.IntVar(&o.badges, "badges", 1_000_000, "pending badges; no multiple of 3")
	flag.IntVar(&o.members, "members", 50_000, "people who own them")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of one slice each")
	flag.DurationVar(&o.slice, "slice", 4*time.Second, "length of a slice, in whole seconds")
	flag.IntVar(&o.connections, "connections", 32, "connections of the closed loop")
	flag.StringVar(&o.only, "only", "", "parts to measure, joined by commas: "+strings.Join(names, ", "))
	flag.BoolVar(&o.discord, "discord", true, "measure claims in Discord as well")
	flag.BoolVar(&o.peer, "peer", true, "measure beside the peer, whose packages npm fetches")
	flag.BoolVar(&o.strict, "strict", false, "fail when a goal is not reached")
	flag.BoolVar(&o.logs, "logs", false, "show what the programs log")
	flag.StringVar(&o.binary, "binary", "", "a built bot, in place of building one")
	flag.StringVar(&o.beside, "beside", "", "another built bot: only compare claims with it")
	flag.Parse()
	return run(ctx, o, os.Stdout)
}

// few is how often the parts are repeated that make their rows anew each time.
func (o options) few() int { return min(o.rounds, 3) }

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
	_, err := o.chosen()
	return err
}

// chosen returns the parts to measure.
func (o options) chosen() ([]part, error) {
	if o.beside != "" {
		return []part{{"beside", "two builds", measureBeside}}, nil
	}
	if o.only == "" {
		return parts, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(o.only, ",") {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only: there is no part %q", name)
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}

var errMissed = errors.New("goals were not reached")

func run(ctx context.Context, o options, out io.Writer) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	chosen, err := o.chosen()
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("npm"); o.peer && err != nil {
		fmt.Fprintln(out, "there is no npm: the peer is left out")
		o.peer = false
	}
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	s, err := openStage(ctx, o, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	// What was measured is told, whatever fails after it.
	defer func() {
		if err != nil && !errors.Is(err, errMissed) {
			s.goals.print(out)
		}
	}()
	for _, p := range chosen {
		fmt.Fprintf(out, "\n%s: %s\n", p.name, p.about)
		if err := p.run(ctx, s); err != nil {
			return fmt.Errorf("measure %s: %w", p.name, err)
		}
	}
	if err := s.verify(ctx, out); err != nil {
		return err
	}
	s.goals.print(out)
	if n := s.goals.missed(); o.strict && n > 0 {
		return fmt.Errorf("%w: %d", errMissed, n)
	}
	return nil
}
