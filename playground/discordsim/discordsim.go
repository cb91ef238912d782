// Package discordsim is a stateful, strict simulation of the part of Discord
// that a bot sees: the REST API (v9 and v10) with its limits, the gateway, and
// interactions delivered by signed HTTP requests or, without an endpoint, over
// the gateway. An unchanged bot talks to it over the wire; people are
// moved by the methods of Server (Command, Press, Submit, ...), by the test
// language in the package discordtest, or by a web page over ConsoleHandler.
//
// It knows Discord's protocol and nothing of any bot. What it refuses, it
// refuses with the codes and bodies of Discord.
//
// Rules: https://discord.com/developers/docs/reference,
// https://discord.com/developers/docs/interactions/receiving-and-responding.
package discordsim

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/simwire"
)

// Deadlines and lifetimes,
// https://discord.com/developers/docs/interactions/receiving-and-responding.
const (
	// AnswerWithin is how long a bot may take for the first answer.
	AnswerWithin = 3 * time.Second
	// TokenLifetime is how long an interaction token can be used.
	TokenLifetime = 15 * time.Minute
	// NonceWindow is how long an enforced nonce is remembered. Discord says
	// "the past few minutes".
	NonceWindow = 5 * time.Minute
)

// Server is a running simulation. Its methods are safe for concurrent use.
type Server struct {
	cfg      Config
	clock    *simclock.Clock
	key      ed25519.PrivateKey
	listener net.Listener
	http     *http.Server
	client   *http.Client
	served   chan struct{}

	changes simchange.Signal
	faults  simfault.Orders[Fault]
	wire    simwire.Log[Exchange]

	mu           sync.Mutex
	interactURL  string
	flakes       snowflakes
	users        map[string]*user
	guilds       map[string]*guild
	foreign      map[string]*guild // without the bot.
	founded      int               // guilds whose ids were made here.
	channels     map[string]*channel
	order        []string // channel ids as they were added.
	messages     map[string]*message
	files        map[string]*attachment
	fileOrder    []string // ids, oldest first.
	fileBytes    int
	nonces       map[string]nonceUse
	commands     commandBook
	interactions map[string]*interaction
	byToken      map[string]*interaction
	aging        []*interaction // oldest first.
	modals       []*Modal
	oauth        oauth
	linked       linkedRoles
	limits       limiter
	enforce      bool
	traffic      traffic
	gw           gateway
	sockets      sync.WaitGroup // of the gateway's connections.
	revoked      atomic.Bool    // the token is.
	violations   []string
	version      uint64
}

// Start listens and serves until Close. The error is that of listening, or
// says that a given key has the wrong size.
func Start(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{
		cfg: cfg, clock: cfg.Clock, key: cfg.PrivateKey, listener: ln,
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second},
			// Discord does not follow redirects of an interactions endpoint.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		served:       make(chan struct{}),
		interactURL:  cfg.InteractionsURL,
		users:        map[string]*user{},
		guilds:       map[string]*guild{},
		foreign:      map[string]*guild{},
		channels:     map[string]*channel{},
		messages:     map[string]*message{},
		files:        map[string]*attachment{},
		nonces:       map[string]nonceUse{},
		commands:     newCommandBook(),
		interactions: map[string]*interaction{},
		byToken:      map[string]*interaction{},
		oauth:        oauth{codes: map[string]consent{}},
		linked:       linkedRoles{connections: map[string]*RoleConnection{}},
		limits:       limiter{buckets: map[string]*bucket{}},
		enforce:      cfg.EnforceRateLimits,
		traffic:      newTraffic(),
		gw:           newGateway(cfg.Gateway),
	}
	s.http = &http.Server{
		Handler:           s.api(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
	s.clock.OnMove(func(time.Time) { s.expireInteractions() })
	go func() {
		defer close(s.served)
		// Serve always ends with an error; after Close it is ErrServerClosed.
		_ = s.http.Serve(ln)
	}()
	return s, nil
}

// Close stops serving and ends interactions under way.
func (s *Server) Close() error {
	s.mu.Lock()
	for _, it := range s.interactions {
		if it.cancel != nil {
			it.cancel()
		}
	}
	s.mu.Unlock()
	err := s.http.Close()
	<-s.served
	s.closeSockets()
	s.client.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("close simulator: %w", err)
	}
	return nil
}

// BaseURL returns scheme and host; the API lies below /api/v9 and /api/v10.
func (s *Server) BaseURL() string { return "http://" + s.listener.Addr().String() }

// PublicKey returns the key that verifies interactions, in hex, as the
// developer portal shows it.
func (s *Server) PublicKey() string {
	pub, _ := s.key.Public().(ed25519.PublicKey)
	return hex.EncodeToString(pub)
}

// ApplicationID returns the snowflake of the application and its bot user.
func (s *Server) ApplicationID() string { return s.cfg.ApplicationID }

// BotToken returns the token that the bot has to send.
func (s *Server) BotToken() string { return s.cfg.BotToken }

// Clock returns the clock of the simulated Discord.
func (s *Server) Clock() *simclock.Clock { return s.clock }

// SetEnforceRateLimits switches the enforcement of rate limits.
func (s *Server) SetEnforceRateLimits(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enforce = on
}

// authorised reports whether a request carries the bot's token.
func (s *Server) authorised(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bot ")
	return ok && token == s.cfg.BotToken && !s.revoked.Load()
}
