// Package rig is what the fault campaign works with: the built bot as
// processes, a private PostgreSQL, the simulated platforms, load with a log of
// what was acknowledged, and the means to break all of it. It sees the product
// only from outside: its requests, its answers and its tables.
package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Options say how much is done.
type Options struct {
	// Short uses small figures, and generous times: it runs beside other
	// things on a small machine.
	Short bool
	// Kills is the number of processes of the bot that are killed in all.
	Kills int
	// Keep leaves the folder with the logs behind.
	Keep bool
	// Binary is a bot that was built before; empty builds it.
	Binary string
	// Source is the folder of the module, for what is built or fuzzed.
	Source string
}

// Rig is shared by all faults. Each of them opens a [Stage] of its own on it.
type Rig struct {
	Options
	// Dir holds the logs of the processes.
	Dir string
	// PG is the server that all stages share.
	PG     *Postgres
	stages atomic.Int64
}

// Open builds the bot, starts PostgreSQL and fills a database that stages
// are copied from.
func Open(ctx context.Context, o Options) (_ *Rig, err error) {
	r := &Rig{Options: o}
	if r.Dir, err = os.MkdirTemp("", "laurel-faults-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.Binary == "" {
		r.Binary, err = r.Build(ctx, o.Source, "bot")
	} else {
		r.Binary, err = filepath.Abs(r.Binary)
	}
	if err != nil {
		return nil, err
	}
	if r.PG, err = startPostgres(); err != nil {
		return nil, err
	}
	return r, r.fillTemplate(ctx)
}

// Build makes the bot's program from a folder of sources, as a release is
// made, and returns its path.
func (r *Rig) Build(ctx context.Context, source, name string) (string, error) {
	program := filepath.Join(r.Dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/bot") //nolint:gosec // The folder was made here.
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build bot: %w: %s", err, out)
	}
	return program, nil
}

// Close ends the server and removes what was written, unless it is to be
// kept.
func (r *Rig) Close() error {
	var err error
	if r.PG != nil {
		err = r.PG.stop()
	}
	if r.Keep {
		return err
	}
	return errors.Join(err, os.RemoveAll(r.Dir))
}

// slack is how much more time everything has in the short form.
const slack = 3

// Limit is a time limit: as it stands in the long form, longer in the short
// one, which shares its machine.
func (r *Rig) Limit(d time.Duration) time.Duration {
	if r.Short {
		return slack * d
	}
	return d
}

// Pick returns the figure for the long form or that for the short one.
func Pick[T any](r *Rig, long, short T) T {
	if r.Short {
		return short
	}
	return long
}

// Sleep waits, and fails when ctx ends first.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Await asks again and again until ok says yes. It fails after patience,
// naming what was waited for.
func Await(ctx context.Context, patience time.Duration, what string, ok func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := ok()
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
