package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	startWithin = 20 * time.Second
	stopWithin  = 15 * time.Second
)

// service is a running program that answers requests.
type service struct {
	name  string
	cmd   *exec.Cmd
	ended chan error
	// ready is how long it took from the start until it was ready.
	ready time.Duration
}

// launch starts a program and waits until it is ready.
func launch(ctx context.Context, name string, cmd *exec.Cmd, logs io.Writer, isReady func(context.Context) bool) (*service, error) {
	s := &service{name: name, cmd: cmd, ended: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = logs, logs
	// An interrupt typed at the terminal is for this program, which stops it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { s.ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for !isReady(ctx) {
		select {
		case <-pause.C:
		case err := <-s.ended:
			s.ended <- err
			return nil, fmt.Errorf("start %s: it ended: %w", name, err)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("start %s: %w", name, ctx.Err()), s.stop())
		}
	}
	s.ready = time.Since(begin)
	return s, nil
}

func (s *service) pid() int { return s.cmd.Process.Pid }

// stop ends the program as its operator would, or by force where that takes
// too long.
func (s *service) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case err := <-s.ended:
		if err != nil {
			return fmt.Errorf("stop %s: %w", s.name, err)
		}
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("stop %s: it did not end in time", s.name), s.cmd.Process.Kill())
	}
}

// freeAddress returns an address that nobody uses at this moment.
func freeAddress(ctx context.Context) (string, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// listens reports whether somebody takes connections there.
func listens(ctx context.Context, address string) bool {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", address)
	return err == nil && c.Close() == nil
}
