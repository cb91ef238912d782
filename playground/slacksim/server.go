package slacksim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/laurelbot/laurel/playground/simclock"
)

// maxBody is the largest request body that is read, in bytes.
const maxBody = 1 << 20

// Server is one simulated workspace with one installed app. Its methods may
// be called from any goroutine.
type Server struct {
	cfg    Config
	clock  *simclock.Clock
	base   string
	http   *http.Server
	client *http.Client
	done   chan struct{}

	mu        sync.Mutex
	cfgURLs   map[Endpoint]string
	dead      string // error code of the token once it is revoked
	users     map[string]*User
	userIDs   []string
	channels  map[string]*channel
	chanIDs   []string
	views     map[string]*view
	stacks    map[string][]*view
	homes     map[string]*view
	triggers  map[string]*trigger
	responses map[string]*responseURL
	faults    []*fault
	log       []Exchange
	seq       int
	lastTS    int64
	version   int
	changed   chan struct{}
}

// Start listens and serves until Close.
func Start(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{
		cfg:   cfg,
		clock: cfg.Clock,
		base:  "http://" + ln.Addr().String(),
		done:  make(chan struct{}),
		// Slack does not follow an app's redirects.
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		cfgURLs: map[Endpoint]string{
			EndpointCommands: cfg.CommandsURL, EndpointInteractions: cfg.InteractionsURL, EndpointEvents: cfg.EventsURL,
		},
		users:     map[string]*User{},
		channels:  map[string]*channel{},
		views:     map[string]*view{},
		stacks:    map[string][]*view{},
		homes:     map[string]*view{},
		triggers:  map[string]*trigger{},
		responses: map[string]*responseURL{},
		changed:   make(chan struct{}),
	}
	s.users[cfg.BotUserID] = &User{ID: cfg.BotUserID, Name: cfg.BotName, RealName: cfg.BotName, Bot: true}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("POST /response/{kind}/{team}/{id}/{secret}", s.serveResponseURL)
	s.http = &http.Server{
		Handler:           http.MaxBytesHandler(mux, maxBody),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
	}
	// A moved clock changes what is expired, so watchers look again.
	s.clock.OnMove(func(time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.bump()
	})
	go func() {
		defer close(s.done)
		if err := s.http.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.record(Exchange{At: s.clock.Now(), Direction: DirectionIn, Path: "serve", Response: err.Error()})
		}
	}()
	return s, nil
}

// Close stops listening and cuts what is still connected.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	s.client.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// URL is the simulation's own address, without a trailing slash.
func (s *Server) URL() string { return s.base }

// APIURL is the address of the Web API; it ends in /api/.
func (s *Server) APIURL() string { return s.base + "/api/" }

// Config tells the workspace's settings with all defaults filled in.
func (s *Server) Config() Config { return s.cfg }

// SetCommandsURL says where the app takes slash commands.
func (s *Server) SetCommandsURL(url string) { s.setURL(EndpointCommands, url) }

// SetInteractionsURL says where the app takes presses and forms.
func (s *Server) SetInteractionsURL(url string) { s.setURL(EndpointInteractions, url) }

// SetEventsURL says where the app takes events.
func (s *Server) SetEventsURL(url string) { s.setURL(EndpointEvents, url) }

func (s *Server) setURL(e Endpoint, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfgURLs[e] = url
}

// nextID makes an id that looks like Slack's: a letter and upper-case digits.
func (s *Server) nextID(prefix string) string {
	s.seq++
	return fmt.Sprintf("%s%010d", prefix, s.seq)
}

// nextTS makes a message timestamp, which is also the message's id in its
// channel: seconds and microseconds, never twice the same.
func (s *Server) nextTS() string {
	now := max(s.clock.Now().UnixMicro(), s.lastTS+1)
	s.lastTS = now
	return strconv.FormatInt(now/1e6, 10) + "." + fmt.Sprintf("%06d", now%1e6)
}
