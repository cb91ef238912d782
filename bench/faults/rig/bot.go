package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	startWithin = 30 * time.Second
	stopWithin  = 30 * time.Second
)

// Bot is one replica: a process that may be killed and started again at the
// same address.
type Bot struct {
	// Address is host and port.
	Address string
	// Env are its settings.
	Env []string
	// Program is what it runs.
	Program string
	// Ready is how long the last start took.
	Ready time.Duration

	logFile string
	cmd     *exec.Cmd
	ended   chan struct{}
	failure error
	alive   atomic.Bool
}

// Start starts the process and waits until it is ready.
func (b *Bot) Start(ctx context.Context) error {
	logs, err := os.OpenFile(b.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = logs.Close() }()     // The process has its own.
	cmd := exec.Command(b.Program, "serve") //nolint:gosec,noctx // It was built here, and is to be ended by signals.
	cmd.Env, cmd.Dir = b.Env, filepath.Dir(b.logFile)
	cmd.Stdout, cmd.Stderr = logs, logs
	cmd.SysProcAttr = attributes()
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start bot: %w", err)
	}
	b.cmd, b.ended = cmd, make(chan struct{})
	b.alive.Store(true)
	ended := b.ended
	go func() {
		b.failure = cmd.Wait()
		b.alive.Store(false)
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	pause := time.NewTicker(3 * time.Millisecond)
	defer pause.Stop()
	for {
		if status, err := b.Get(ctx, "/readyz"); err == nil && status == http.StatusOK {
			b.Ready = time.Since(begin)
			return nil
		}
		select {
		case <-pause.C:
		case <-ended:
			return fmt.Errorf("start bot: it ended: %w", errors.Join(b.failure, b.tail()))
		case <-ctx.Done():
			return fmt.Errorf("start bot: %w", errors.Join(ctx.Err(), b.tail()))
		}
	}
}

// tail is the end of the log, as an error.
func (b *Bot) tail() error {
	data, err := os.ReadFile(b.logFile)
	if err != nil {
		return err
	}
	const most = 600
	return errors.New(string(data[max(0, len(data)-most):]))
}

// Logs are everything that the replica wrote since its first start.
func (b *Bot) Logs() (string, error) {
	data, err := os.ReadFile(b.logFile)
	return string(data), err
}

// Get asks for a path and returns the status.
func (b *Bot) Get(ctx context.Context, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.Address+path, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("ask bot: %w", err)
	}
	client := http.Client{Timeout: 2 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, errors.Join(err, res.Body.Close())
}

// Alive tells whether the process is there.
func (b *Bot) Alive() bool { return b.alive.Load() }

// PID is the process id of the last start.
func (b *Bot) PID() int { return b.cmd.Process.Pid }

// Signal sends a signal to the process.
func (b *Bot) Signal(sig syscall.Signal) error {
	if err := b.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal bot: %w", err)
	}
	return nil
}

// Kill ends the process as a crash would, and asserts that it died of that.
func (b *Bot) Kill() error {
	if err := b.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-b.ended
	var exit *exec.ExitError
	if !errors.As(b.failure, &exit) {
		return errors.New("the bot was not killed: it ended by itself")
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the bot was not killed: %w", exit)
	}
	return nil
}

// Suspend stops the process where it stands and asserts that it stands
// still; Resume lets it run on.
func (b *Bot) Suspend() error {
	if err := b.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return AwaitState(b.PID(), "T")
}

// Resume lets a suspended process run on.
func (b *Bot) Resume() error { return b.Signal(syscall.SIGCONT) }

// Stop ends the process as its operator would and returns how long that
// took. A bad end is an error.
func (b *Bot) Stop() (time.Duration, error) {
	begin := time.Now()
	if !b.Alive() {
		return 0, nil
	}
	if err := errors.Join(b.Signal(syscall.SIGCONT), b.Signal(syscall.SIGTERM)); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-b.ended:
		if b.failure != nil {
			return time.Since(begin), fmt.Errorf("the bot ended badly: %w", b.failure)
		}
		return time.Since(begin), nil
	case <-timer.C:
		return stopWithin, errors.Join(errors.New("the bot did not end when told to"), b.Kill())
	}
}

// Memory is the most memory that the process ever had, in bytes.
func (b *Bot) Memory() (int, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.PID()))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range bytes.Lines(data) {
		name, value, _ := strings.Cut(string(line), ":")
		if name != "VmHWM" {
			continue
		}
		kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
		return kib * 1024, err
	}
	return 0, errors.New("read memory: not told")
}
