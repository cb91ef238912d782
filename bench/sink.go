package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sink stands for Slack, Discord and Credly on the receiving side. It takes
// everything and remembers only which press was answered how often: the
// simulators keep whole conversations and would be measured instead.
type sink struct {
	server *http.Server
	url    string
	shown  []atomic.Int32
	cards  atomic.Int64
	twice  atomic.Int64
	failed chan error
	// gate is closed while cards are taken; see hold.
	mu   sync.Mutex
	gate chan struct{}
}

const (
	slackAnswers = "/actions/"
	// discordToken begins the token of an interaction; the press follows.
	discordToken = "bench."
)

// startSink starts a sink for presses below the given number.
func startSink(ctx context.Context, presses int) (*sink, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &sink{url: "http://" + l.Addr().String(), shown: make([]atomic.Int32, presses), failed: make(chan error, 1), gate: make(chan struct{})}
	close(s.gate)
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	go func() { s.failed <- s.server.Serve(l) }()
	return s, nil
}

// hold lets no card through until release is called: those that were sent
// wait for their answer, and the others behind them.
func (s *sink) hold() (release func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	s.mu.Unlock()
	return sync.OnceFunc(func() { close(gate) })
}

// pass returns when cards are let through, and reports whether the sender
// still waits.
func (s *sink) pass(ctx context.Context) bool {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	select {
	case <-gate:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *sink) close() error {
	err := s.server.Close()
	if served := <-s.failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// ServeHTTP answers as the platform would that the address belongs to.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 1 << 20
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, most)); err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	answer := `{"ok":true}`
	press, isDiscord, ok := pressOf(r.URL.Path)
	if ok && !s.pass(r.Context()) {
		return
	}
	switch {
	case strings.Contains(r.URL.Path, "/events/"):
		http.NotFound(w, r)
		return
	case ok && isDiscord:
		answer = `{"id":"900000000000000001","channel_id":"900000000000000002"}`
	case ok:
		answer = "ok"
	case r.Method != http.MethodPost && strings.HasSuffix(r.URL.Path, "/commands"):
		answer = "[]"
	}
	if ok && press < len(s.shown) {
		switch s.shown[press].Add(1) {
		case 1:
			s.cards.Add(1)
		default:
			s.twice.Add(1)
		}
	}
	if answer[0] != 'o' {
		w.Header().Set("Content-Type", "application/json")
	}
	_, _ = io.WriteString(w, answer) // Whoever hung up asks again.
}

// pressOf reads which press a card answers from the address it is sent to.
func pressOf(path string) (press int, isDiscord, ok bool) {
	text, found := strings.CutPrefix(path, slackAnswers)
	if !found {
		_, text, isDiscord = strings.Cut(path, "/"+discordToken)
		text, _, _ = strings.Cut(text, "/")
	}
	press, err := strconv.Atoi(text)
	return press, isDiscord, err == nil && press >= 0
}

// await waits until so many presses were answered, and reports whether that
// happened.
func (s *sink) await(ctx context.Context, cards int64, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.cards.Load() < cards {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}
