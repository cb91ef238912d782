package slacksim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simfault"
	"github.com/laurelbot/laurel/playground/simwire"
)

// maxBody is the largest request body that is read, in bytes, but for uploads.
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
	// life ends with Close, and work is everything that runs in the background.
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup
	stir chan struct{} // see wake

	changes simchange.Signal
	faults  simfault.Orders[Fault]
	wire    simwire.Log[Exchange]

	mu        sync.Mutex
	closed    bool
	cfgURLs   map[Endpoint]string
	dead      string // error code of the token once it is revoked
	users     map[string]*User
	userIDs   []string
	channels  map[string]*channel
	chanIDs   []string
	views     map[string]*view
	stacks    map[string][]*view
	homes     map[string]*view
	files     map[string]*file
	triggers  map[string]*trigger
	responses map[string]*responseURL
	latency   map[string]time.Duration
	answers   map[string]*Answers

	limits     Limits
	methodLeft map[string]*bucket
	allowance  bucket // of all messages together

	socketMode  bool
	tickets     map[string]bool
	sockets     []*socket
	turn        int
	envelopes   map[string]*awaited
	socketStats SocketStats
	delay       time.Duration
	repeats     []repeat
	events      EventStats

	double bool            // see DoubleDelivery
	shown  map[string]mark // see since

	seq     int
	lastTS  int64
	version int
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
		files:     map[string]*file{},
		triggers:  map[string]*trigger{},
		responses: map[string]*responseURL{},
		stir:      make(chan struct{}, 1),

		latency:    map[string]time.Duration{},
		answers:    map[string]*Answers{},
		limits:     cfg.Limits,
		methodLeft: map[string]*bucket{},
		socketMode: cfg.SocketMode,
		tickets:    map[string]bool{},
		envelopes:  map[string]*awaited{},
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.users[cfg.BotUserID] = &User{ID: cfg.BotUserID, Name: cfg.BotName, RealName: cfg.BotName, Bot: true}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serveAPI)
	mux.HandleFunc("POST /response/{kind}/{team}/{id}/{secret}", s.serveResponseURL)
	mux.HandleFunc("GET /link/", s.serveSocket)
	mux.HandleFunc("GET /files-pri/{key}/{name}", s.servePrivate)
	mux.HandleFunc("GET /files-pri/{key}/download/{name}", s.servePrivate)
	// Only uploads may be large.
	root := http.NewServeMux()
	root.Handle("/", http.MaxBytesHandler(mux, maxBody))
	root.Handle("POST "+uploadPath+"{secret}", http.MaxBytesHandler(http.HandlerFunc(s.serveUpload), uploadMax))
	s.http = &http.Server{
		Handler:           root,
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
		s.wake()
	})
	s.work.Go(s.runRepeats)
	go func() {
		defer close(s.done)
		if err := s.http.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.record(Exchange{At: s.clock.Now(), Direction: DirectionIn, Path: "serve", Response: err.Error()})
		}
	}()
	return s, nil
}

// Close stops listening, cuts what is still connected and gives up what was
// to be sent again.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	open := slices.Clone(s.sockets)
	s.mu.Unlock()
	s.end()
	err := s.http.Close()
	for _, c := range open {
		_ = c.ws.Close()
	}
	<-s.done
	s.work.Wait()
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
