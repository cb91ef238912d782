// Package portalsim is a simulation of the certification body's own system:
// it tells by signed webhooks what was awarded, changed, withdrawn and
// erased, and takes signed events about what people did with their badges.
// Messages in both directions follow the Standard Webhooks specification,
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
package portalsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/simwire"
)

// maxBody is the largest event taken, in bytes.
const maxBody = 1 << 20

// Config says whom the portal talks to.
type Config struct {
	// Clock is the time at the portal; nil is real time.
	Clock *simclock.Clock
	// Secret signs what the portal sends: whsec_ and base64.
	Secret string
	// EventsSecret signs what the portal receives; empty is Secret.
	EventsSecret string
	// TargetURL is where the portal's webhooks are posted.
	TargetURL string
	// Timeout is how long an answer is awaited, in real time; zero is 10 s.
	Timeout time.Duration
	// Addr is where to listen for events; empty is a free port of 127.0.0.1.
	Addr string
}

// Server is a running portal. All methods may be called concurrently.
type Server struct {
	clock    *simclock.Clock
	base     string
	http     *http.Server
	client   *http.Client
	out, in  *Signer
	stop     context.CancelFunc
	finished sync.WaitGroup

	changes simchange.Signal
	faults  simfault.Orders[Fault]
	tap     simwire.Tap[Exchange]

	mu       sync.Mutex
	target   string
	awards   map[string]Award
	order    []string
	sent     []*Message
	hold     bool
	received []Event
	refused  []Refusal
}

// Start listens for events until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = simclock.New()
	}
	if cfg.EventsSecret == "" {
		cfg.EventsSecret = cfg.Secret
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	out, err := NewSigner(cfg.Secret)
	if err != nil {
		return nil, err
	}
	in, err := NewSigner(cfg.EventsSecret)
	if err != nil {
		return nil, err
	}
	stopped, stop := context.WithCancel(context.Background())
	ln, err := (&net.ListenConfig{}).Listen(stopped, "tcp", cfg.Addr)
	if err != nil {
		stop()
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{
		clock: cfg.Clock, base: "http://" + ln.Addr().String(), out: out, in: in, stop: stop,
		client: &http.Client{
			Timeout:       cfg.Timeout,
			Transport:     &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		target: cfg.TargetURL, awards: map[string]Award{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.receive)
	s.http = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		// Who is kept waiting is let go when the portal is closed.
		BaseContext: func(net.Listener) context.Context { return stopped },
	}
	s.finished.Go(func() {
		// Serve always ends with an error; after Close it says nothing new.
		_ = s.http.Serve(ln)
	})
	return s, nil
}

// Close stops listening.
func (s *Server) Close() error {
	s.stop()
	err := s.http.Close()
	s.finished.Wait()
	s.client.CloseIdleConnections()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// EventsURL returns where the portal takes events.
func (s *Server) EventsURL() string { return s.base + "/events" }

// SetTargetURL says where webhooks are posted from now on.
func (s *Server) SetTargetURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = u
	s.touch()
}

// Changed returns a channel that is closed at the next change of state. Take
// it before looking, or a change may be missed.
func (s *Server) Changed() <-chan struct{} { return s.changes.Changed() }

// touch tells the waiting that something changed.
func (s *Server) touch() { s.changes.Touch() }

// Eventually returns nil as soon as cond holds, looking again after every
// change, and the context's error when that comes first.
func (s *Server) Eventually(ctx context.Context, cond func() bool) error {
	return s.changes.Eventually(ctx, cond)
}
