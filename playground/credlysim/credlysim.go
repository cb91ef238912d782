// Package credlysim is a simulation of Credly, the service where digital
// badges are issued and accepted: the organization's API, the pages on which
// a person accepts a badge and makes it public, the public Open Badges
// assertion and the webhooks. It is stateful, strict about what it takes and
// able to misbehave on order. It knows only Credly's protocol.
//
// The rules followed are those of https://www.credly.com/docs/web_service_api,
// https://www.credly.com/docs/issued_badges and https://www.credly.com/docs/webhooks.
package credlysim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/simwire"
)

const (
	// tokenLifetime is how long an authorization token lives when nothing
	// else is said: 180 days.
	tokenLifetime = 180 * 24 * time.Hour
	// bearerLifetime is how long an OAuth access token lives.
	bearerLifetime = 2 * time.Hour
	// maxBody is the largest request body taken, in bytes.
	maxBody = 1 << 20
)

// Config says what is simulated. The zero value of every field is usable.
type Config struct {
	// Clock is the time at Credly; nil is real time.
	Clock *simclock.Clock
	// OrganizationID is the UUID of the one organization; made up when empty.
	OrganizationID string
	// OrganizationName is shown on pages and in answers.
	OrganizationName string
	// Token is an authorization token with all permissions; none when empty.
	Token string
	// TokenExpiresAt is when Token dies; zero is 180 days from now.
	TokenExpiresAt time.Time
	// ClientID and ClientSecret are the OAuth application; none when empty.
	ClientID     string
	ClientSecret string
	// WebhookURL is where events are posted; nowhere when empty.
	WebhookURL string
	// AllowedWebhooks are the event types that are posted; empty means all.
	AllowedWebhooks []string
	// ManualWebhooks switches the background sender off: webhooks then
	// leave only by Tick and ReleaseWebhooks.
	ManualWebhooks bool
	// WebhookTimeout is how long an answer to a webhook is awaited, in real
	// time; zero is 5 s.
	WebhookTimeout time.Duration
	// PublicOnAccept makes a badge public at the moment it is accepted.
	PublicOnAccept bool
	// Latency is added to every answer, in real time.
	Latency time.Duration
	// Addr is where to listen; empty is a free port of 127.0.0.1.
	Addr string
}

// Server is a running simulation. All methods may be called concurrently.
type Server struct {
	cfg      Config
	clock    *simclock.Clock
	base     string
	http     *http.Server
	routes   http.Handler
	pages    *pageSet
	client   *http.Client
	wake     chan struct{}
	stop     context.CancelFunc
	stopped  context.Context
	finished sync.WaitGroup

	// sending is held by whoever posts webhooks, so that their order is
	// the order decided; it is taken before mu.
	sending sync.Mutex

	changes simchange.Signal
	faults  simfault.Orders[Fault]
	wire    simwire.Log[Exchange]

	mu         sync.Mutex
	mischief   Mischief
	created    time.Time
	webhookURL string
	tokens     []*AuthToken
	bearers    map[string]bearer
	templates  []*template
	templateBy map[string]*template
	badges     []*badge
	badgeBy    map[string]*badge
	byEmail    map[string][]*badge
	byEarner   map[string][]*badge
	byAccept   map[string]*badge
	accounts   []*account
	accountBy  map[string]*account
	foreigns   []*foreign
	events     []*event
	eventBy    map[string]*event
	deliveries []*Delivery
	queue      []*Delivery
	hold       bool
	drop       bool
	latency    time.Duration
	singleGet  int
	served     map[string]int
	total      int
}

// Start listens and answers until Close.
func Start(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = simclock.New()
	}
	if cfg.OrganizationID == "" {
		cfg.OrganizationID = uuid.NewString()
	}
	if cfg.OrganizationName == "" {
		cfg.OrganizationName = "Example Certification Body"
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.WebhookTimeout <= 0 {
		cfg.WebhookTimeout = 5 * time.Second
	}
	pages, err := newPageSet()
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
		cfg:     cfg,
		clock:   cfg.Clock,
		base:    "http://" + ln.Addr().String(),
		pages:   pages,
		wake:    make(chan struct{}, 1),
		stop:    stop,
		stopped: stopped,
		client: &http.Client{
			Timeout:   cfg.WebhookTimeout,
			Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second},
			// A redirect is no 200 and therefore a failed delivery.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		created:    cfg.Clock.Now(),
		webhookURL: cfg.WebhookURL,
		bearers:    map[string]bearer{},
		templateBy: map[string]*template{},
		badgeBy:    map[string]*badge{},
		byEmail:    map[string][]*badge{},
		byEarner:   map[string][]*badge{},
		byAccept:   map[string]*badge{},
		accountBy:  map[string]*account{},
		eventBy:    map[string]*event{},
		latency:    cfg.Latency,
		served:     map[string]int{},
	}
	if cfg.Token != "" {
		s.AddToken(AuthToken{Token: cfg.Token, Read: true, Write: true, Delete: true, ExpiresAt: cfg.TokenExpiresAt})
	}
	s.routes = s.newRoutes()
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		// Who is kept waiting is let go when the server is closed.
		BaseContext: func(net.Listener) context.Context { return stopped },
	}
	s.finished.Go(func() {
		// Serve always ends with an error; after Close it says nothing new.
		_ = s.http.Serve(ln)
	})
	if !cfg.ManualWebhooks {
		s.finished.Go(s.sendInBackground)
		s.clock.OnMove(func(time.Time) { s.wakeSender() })
	}
	return s, nil
}

// Close stops listening and sending and waits for both.
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

// URL returns scheme and host of everything that is served.
func (s *Server) URL() string { return s.base }

// APIURL returns the base of the API; it ends in /v1.
func (s *Server) APIURL() string { return s.base + "/v1" }

// OAuthURL returns the address at which access tokens are asked for.
func (s *Server) OAuthURL() string { return s.base + "/oauth/token" }

// OrganizationID returns the UUID of the organization.
func (s *Server) OrganizationID() string { return s.cfg.OrganizationID }

// SetWebhookURL says where events are posted from now on, including those
// that wait to be sent again. Empty switches webhooks off.
func (s *Server) SetWebhookURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhookURL = u
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
