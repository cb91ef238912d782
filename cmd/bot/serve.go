package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the server. Platforms send small requests at once; whoever is
// slower holds a connection no longer than this.
const (
	headerWithin = 5 * time.Second
	readWithin   = 10 * time.Second
	writeWithin  = 30 * time.Second
	idleWithin   = 90 * time.Second
	headerBytes  = 32 << 10
	// drainWithin is how long the end may take: systemd, Docker and
	// Kubernetes all wait ten seconds or longer, and the database is closed
	// after it.
	drainWithin = 8 * time.Second
)

type serveCmd struct{}

// Run runs the bot until it is told to stop.
func (serveCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	if err := s.complete(); err != nil {
		return err
	}
	log := newLog(s, t.err)
	a, err := newApp(ctx, s, log, nil)
	if err != nil {
		return err
	}
	defer a.close()
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", s.ListenAddr)
	if err != nil {
		return fmt.Errorf("listen on LISTEN_ADDR: %w", err)
	}
	return a.serve(ctx, listener)
}

// serve answers requests until ctx ends, then finishes what was begun: no
// new requests, then the answers on their way, then the work behind them.
// What does not end in time is found again by its lease.
func (a *app) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: a.handler(), ReadHeaderTimeout: headerWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin,
		IdleTimeout: idleWithin, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	wait := a.start(work)
	reached, hangUp := context.WithCancel(ctx)
	defer hangUp()
	hungUp := a.connect(reached)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	a.log.InfoContext(ctx, "serving", "address", listener.Addr().String(), "public_url", a.settings.PublicURL, "version", version)

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	a.draining.Store(true)
	a.log.InfoContext(work, "stopping")
	// Its own time, not that of the work, whose end is waited for below.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	hangUp()
	err = errors.Join(ignoreClosed(err), server.Shutdown(end))
	waitWithin(end, hungUp)
	err = errors.Join(err, a.drain(end))
	stopWork()
	waitWithin(end, wait)
	a.log.InfoContext(end, "stopped")
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// waitWithin waits for f, but not longer than ctx.
func waitWithin(ctx context.Context, f func()) {
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
