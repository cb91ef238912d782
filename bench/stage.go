package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// stage is everything that takes part.
type stage struct {
	options
	order    order
	out      io.Writer
	goals    goals
	folder   string
	binary   string
	settings settings
	private  ed25519.PrivateKey
	world    *world
	sink     *sink
	pgbench  *pgbench
	bot      *bot
	// peerFolder is where the peer is installed, or empty.
	peerFolder string
	peer       *peer
	// next numbers the presses; all that were accepted are counted.
	next     atomic.Int64
	accepted int
	// claimed is what pgbench claimed.
	claimed int
	// peerNext and peerAccepted are the same for the peer, in its own copy of
	// the database.
	peerNext     atomic.Int64
	peerAccepted int
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
	if s.binary = o.binary; s.binary == "" {
		fmt.Fprintln(out, "building the bot")
		if s.binary, err = build(ctx, s.folder); err != nil {
			return s, err
		}
	}
	if o.peer {
		fmt.Fprintln(out, "installing the peer")
		if s.peerFolder, err = installPeer(ctx, s.folder); err != nil {
			return s, err
		}
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
	s.pgbench, err = newPgbench(s.world.server.Programs(), s.folder, s.world.bare)
	return s, err
}

func (s *stage) close() error {
	var errs []error
	if s.bot != nil {
		errs = append(errs, s.bot.stop())
	}
	if s.peer != nil {
		errs = append(errs, s.peer.stop())
	}
	if s.world != nil {
		errs = append(errs, s.world.close())
	}
	if s.sink != nil {
		errs = append(errs, s.sink.close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}

// logsOf is where the programs' own words go.
func (s *stage) logsOf() io.Writer {
	if s.logs {
		return os.Stderr
	}
	return io.Discard
}

// withBot runs f while the bot runs on a database.
func (s *stage) withBot(ctx context.Context, binary, dsn string, f func() error) (err error) {
	if s.bot, err = startBot(ctx, binary, s.settings, dsn, s.logsOf()); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.bot.stop())
		s.bot = nil
	}()
	return f()
}

// withPeer runs f while the peer runs, or without it where it is left out.
func (s *stage) withPeer(ctx context.Context, f func() error) (err error) {
	if s.peerFolder == "" {
		return f()
	}
	if s.peer, err = startPeer(ctx, s.peerFolder, s.settings, s.world.copyOf(peerDatabase), s.logsOf()); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.peer.stop())
		s.peer = nil
	}()
	return f()
}

// interleaved runs steps in turn, in every other round the other way round.
func interleaved(round int, steps ...func() error) error {
	for i := range steps {
		if round%2 == 1 {
			i = len(steps) - 1 - i
		}
		if err := steps[i](); err != nil {
			return err
		}
	}
	return nil
}
