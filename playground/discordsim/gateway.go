package discordsim

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Defaults of the gateway, https://discord.com/developers/docs/events/gateway.
const (
	// HeartbeatInterval is what HELLO asks for.
	HeartbeatInterval = 41250 * time.Millisecond
	// IdentifyEvery is the time between two IDENTIFYs of one bucket,
	// https://discord.com/developers/docs/events/gateway#rate-limiting.
	IdentifyEvery = 5 * time.Second
	// SessionStarts is how many IDENTIFYs are allowed in 24 hours.
	SessionStarts = 1000
	// GuildsPerShard is the number of guilds above which sharding is required.
	GuildsPerShard = 2500
	// ResumeWithin is how long a session without a connection is kept.
	// Discord says only "a short time".
	ResumeWithin = 3 * time.Minute
	// SendsPerMinute is how much a connection may send in 60 seconds.
	SendsPerMinute = 120
	// ReplayLimit is how many dispatches a session remembers; a RESUME from
	// further back is refused.
	ReplayLimit = 5000
)

// startsWindow is the time over which session starts are counted.
const startsWindow = 24 * time.Hour

// GatewayConfig says how the gateway behaves. Zero values are the defaults
// above. Time is that of Config.Clock, unless it is named real.
type GatewayConfig struct {
	// Heartbeat is the interval that HELLO asks for, in real time.
	Heartbeat time.Duration
	// HeartbeatTimeout is the real time without a heartbeat after which a
	// connection is closed by 4009; 0 means twice the interval.
	HeartbeatTimeout time.Duration
	// IdentifyEvery is the time between two IDENTIFYs of one bucket; negative
	// is none.
	IdentifyEvery time.Duration
	// MaxConcurrency is the number of buckets (shard id modulo it); 0 means 1.
	MaxConcurrency int
	// SessionStarts is how many IDENTIFYs are allowed in 24 hours. One more
	// ends all sessions and revokes the token, as at Discord.
	SessionStarts int
	// Shards is the recommended number of GET /gateway/bot; 0 means what
	// GuildsPerShard makes necessary.
	Shards int
	// GuildsPerShard is the number of guilds in one shard above which an
	// IDENTIFY is refused by 4011.
	GuildsPerShard int
	// ResumeWithin is how long a session without a connection is kept.
	ResumeWithin time.Duration
	// ReplayLimit is how many dispatches a session remembers.
	ReplayLimit int
	// SendsPerMinute is how much a connection may send in 60 seconds before
	// it is closed by 4008. Heartbeats sent in time are not counted, so that
	// intervals of milliseconds are possible.
	SendsPerMinute int
	// PrivilegedIntents are those that are switched on in the developer
	// portal; others are refused by 4014. That for contents counts for REST too.
	PrivilegedIntents int
}

func (c GatewayConfig) filled() GatewayConfig {
	orDuration := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	orNumber := func(v *int, n int) {
		if *v <= 0 {
			*v = n
		}
	}
	orDuration(&c.Heartbeat, HeartbeatInterval)
	orDuration(&c.HeartbeatTimeout, 2*c.Heartbeat)
	orDuration(&c.IdentifyEvery, IdentifyEvery)
	orDuration(&c.ResumeWithin, ResumeWithin)
	orNumber(&c.MaxConcurrency, 1)
	orNumber(&c.SessionStarts, SessionStarts)
	orNumber(&c.GuildsPerShard, GuildsPerShard)
	orNumber(&c.ReplayLimit, ReplayLimit)
	orNumber(&c.SendsPerMinute, SendsPerMinute)
	return c
}

// Paths of the WebSocket. They lie outside /api, so that a Fault on
// "/gateway/**" hits the REST routes and one on "/socket/**" the handshake.
const (
	socketPath = "/socket"
	resumePath = "/socket/resume"
)

// gateway is the state of the WebSocket side. The server's lock guards it.
type gateway struct {
	cfg         GatewayConfig
	upgrader    websocket.Upgrader
	sessions    map[string]*gatewaySession
	order       []*gatewaySession // as they were started.
	conns       map[*gatewayConn]struct{}
	identified  map[int]time.Time // the last IDENTIFY by bucket.
	starts      int               // IDENTIFYs since startsSince.
	startsSince time.Time
	stats       GatewayStats
	closed      bool
}

func newGateway(cfg GatewayConfig) gateway {
	return gateway{
		cfg: cfg.filled(),
		upgrader: websocket.Upgrader{
			HandshakeTimeout: 5 * time.Second,
			// Bots send no origin that means anything.
			CheckOrigin: func(*http.Request) bool { return true },
		},
		sessions:   map[string]*gatewaySession{},
		conns:      map[*gatewayConn]struct{}{},
		identified: map[int]time.Time{},
		stats:      GatewayStats{Closes: map[int]int{}, ClientCloses: map[int]int{}},
	}
}

func (s *Server) getGateway(*call) (answer, *apiError) {
	return ok(object{"url": s.socketURL(socketPath)})
}

func (s *Server) getGatewayBot(*call) (answer, *apiError) {
	remaining, resets := s.startsLeft()
	return ok(object{
		"url": s.socketURL(socketPath), "shards": s.recommendedShards(),
		"session_start_limit": object{
			"total": s.gw.cfg.SessionStarts, "remaining": remaining, "reset_after": resets.Milliseconds(),
			"max_concurrency": s.gw.cfg.MaxConcurrency,
		},
	})
}

func (s *Server) socketURL(path string) string {
	return "ws" + strings.TrimPrefix(s.BaseURL(), "http") + path
}

func (s *Server) recommendedShards() int {
	if s.gw.cfg.Shards > 0 {
		return s.gw.cfg.Shards
	}
	return max(1, int(math.Ceil(float64(len(s.guilds))/float64(s.gw.cfg.GuildsPerShard))))
}

// startsLeft returns how many IDENTIFYs are left and when there are more.
func (s *Server) startsLeft() (int, time.Duration) {
	now := s.clock.Now()
	if s.gw.starts == 0 || now.Sub(s.gw.startsSince) >= startsWindow {
		return s.gw.cfg.SessionStarts, startsWindow
	}
	return max(0, s.gw.cfg.SessionStarts-s.gw.starts), s.gw.startsSince.Add(startsWindow).Sub(now)
}

// countStart counts an IDENTIFY and reports whether it was one too many.
func (s *Server) countStart() bool {
	now := s.clock.Now()
	if s.gw.starts == 0 || now.Sub(s.gw.startsSince) >= startsWindow {
		s.gw.starts, s.gw.startsSince = 0, now
	}
	s.gw.starts++
	return s.gw.starts > s.gw.cfg.SessionStarts
}

// gatewayOn says that interactions leave over the gateway: at Discord the two
// ways exclude each other, and the endpoint wins,
// https://discord.com/developers/docs/interactions/overview#preparing-for-interactions.
func (s *Server) gatewayOn() bool { return s.interactURL == "" }
