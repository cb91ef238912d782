// Command faults breaks what surrounds the bot, and the bot itself, in
// twenty-five ways, and holds what was acknowledged against what is stored
// and what people saw:
//
//	go run ./bench/faults
//
// It runs the built program against a private PostgreSQL, simulated platforms
// and load, all on this machine, in under a quarter of an hour on two cores.
// Every fault asserts that it really happened. It needs Linux, the go tool
// and the programs of a PostgreSQL server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

const (
	// wholeRun limits everything together, oneFault each.
	wholeRun = 30 * time.Minute
	oneFault = 8 * time.Minute
)

// options are the flags.
type options struct {
	rig.Options
	only string
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "run these faults alone, e.g. F3,F5")
	flag.BoolVar(&o.Short, "short", false, "small figures: under two minutes")
	flag.IntVar(&o.Kills, "kills", 300, "how many processes of the bot are killed")
	flag.BoolVar(&o.Keep, "keep", false, "keep the logs")
	flag.StringVar(&o.Binary, "bot", "", "a bot that was built before; without it one is built")
	flag.StringVar(&o.Source, "source", ".", "folder of the sources")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// Figure is what a fault measured, in a few words.
type Figure string

// Fault is one thing that goes wrong.
type Fault interface {
	// Name says what goes wrong.
	Name() string
	// Criterion says when that is borne well enough.
	Criterion() string
	// Run lets it happen on a stage of its own. It fails when the criterion
	// is not met, and when the fault did not really happen.
	Run(ctx context.Context, r *rig.Rig) (Figure, error)
}

// numbered is a fault with its number; short says whether it takes part in
// the short form.
type numbered struct {
	number string
	short  bool
	Fault
}

// chosen are the faults that the flags ask for.
func chosen(o options) ([]numbered, error) {
	all := campaign()
	if o.only == "" {
		var out []numbered
		for _, f := range all {
			if f.short || !o.Short {
				out = append(out, f)
			}
		}
		return out, nil
	}
	var out []numbered
	for _, want := range strings.Split(o.only, ",") {
		found := false
		for _, f := range all {
			if strings.EqualFold(f.number, strings.TrimSpace(want)) {
				out, found = append(out, f), true
			}
		}
		if !found {
			return nil, fmt.Errorf("-only: there is no fault %q", want)
		}
	}
	return out, nil
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	faults, err := chosen(o)
	if err != nil {
		return err
	}
	if o.Kills < 1 {
		return errors.New("-kills must be 1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	begin := time.Now()
	r, err := rig.Open(ctx, o.Options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if o.Keep {
		fmt.Fprintln(out, "logs are in", r.Dir)
	}
	failed := 0
	for _, f := range faults {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !one(ctx, r, f, out) {
			failed++
		}
	}
	fmt.Fprintf(out, "%d faults, %d ok, %d failed, %s\n", len(faults), len(faults)-failed, failed, time.Since(begin).Round(time.Second))
	if failed > 0 {
		return fmt.Errorf("%d of %d faults failed", failed, len(faults))
	}
	return nil
}

// one runs one fault, prints its line, and reports whether it was borne.
func one(ctx context.Context, r *rig.Rig, f numbered, out io.Writer) bool {
	ctx, cancel := context.WithTimeout(ctx, oneFault)
	defer cancel()
	begin := time.Now()
	figure, err := f.Run(ctx, r)
	word := "ok"
	if err != nil {
		word = "FAILED"
	}
	fmt.Fprintf(out, "%-4s %-40s | %s | %s | %s | %.1f s\n", f.number, f.Name(), figure, f.Criterion(), word, time.Since(begin).Seconds())
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(out, "       %s\n", strings.TrimRight(line, "\n"))
		}
	}
	return err == nil
}

// findings gather what was not as it should be.
type findings struct{ errs []error }

// want notes a failure unless ok.
func (f *findings) want(ok bool, format string, args ...any) {
	if !ok {
		f.errs = append(f.errs, fmt.Errorf(format, args...))
	}
}

func (f *findings) add(err error) {
	if err != nil {
		f.errs = append(f.errs, err)
	}
}

func (f *findings) err() error { return errors.Join(f.errs...) }

// on runs a fault on a stage and closes it.
func on(ctx context.Context, r *rig.Rig, c rig.Config, f func(*rig.Stage, *findings) (Figure, error)) (figure Figure, err error) {
	s, err := r.Stage(ctx, c)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	found := &findings{}
	figure, err = f(s, found)
	return figure, errors.Join(err, found.err())
}

// ms shows a time.
func ms(d time.Duration) string { return d.Round(time.Millisecond).String() }
