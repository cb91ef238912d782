package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// fakeGateway is the other side of the gateway, played by the test.
type fakeGateway struct {
	*httptest.Server
	conns    chan *fakeConn
	interval time.Duration
	// open leaves connections open after the client's close frame.
	open bool

	mu    sync.Mutex
	info  string
	reads int
}

// fakeConn is one connection as the gateway sees it. Heartbeats are
// acknowledged while quiet is false, and not passed on.
type fakeConn struct {
	t      *testing.T
	ws     *websocket.Conn
	path   string
	query  string
	frames chan fakeFrame
	beats  chan json.RawMessage
	closed chan int

	mu    sync.Mutex
	quiet bool
}

type fakeFrame struct {
	Op   int             `json:"op"`
	Data json.RawMessage `json:"d"`
}

func newFakeGateway(t *testing.T, interval time.Duration) *fakeGateway {
	t.Helper()
	g := &fakeGateway{conns: make(chan *fakeConn, 64), interval: interval}
	up := websocket.Upgrader{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c := &fakeConn{
			t: t, ws: ws, path: r.URL.Path, query: r.URL.RawQuery,
			frames: make(chan fakeFrame, 64), beats: make(chan json.RawMessage, 1024), closed: make(chan int, 1),
		}
		if g.open {
			ws.SetCloseHandler(func(int, string) error { return nil })
		}
		c.say(fmt.Sprintf(`{"op":10,"d":{"heartbeat_interval":%d}}`, interval.Milliseconds()))
		g.conns <- c
		c.read()
		if !g.open {
			_ = ws.Close()
		}
	}))
	g.tell(1, 1, 1000, 1000, 0)
	t.Cleanup(g.Close)
	return g
}

func (g *fakeGateway) url() string { return "ws" + strings.TrimPrefix(g.URL, "http") }

// tell sets what GET /gateway/bot says.
func (g *fakeGateway) tell(shards, concurrency, total, remaining, resetAfter int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.info = fmt.Sprintf(`{"url":%q,"shards":%d,"session_start_limit":{"total":%d,"remaining":%d,"reset_after":%d,"max_concurrency":%d}}`,
		g.url(), shards, total, remaining, resetAfter, concurrency)
}

func (g *fakeGateway) answer(c call) (int, map[string]string, string) {
	switch {
	case strings.HasSuffix(c.path, "/gateway/bot"):
		g.mu.Lock()
		defer g.mu.Unlock()
		g.reads++
		return 200, nil, g.info
	case strings.HasSuffix(c.path, "/callback"):
		return 204, nil, ""
	}
	return 0, nil, ""
}

func (c *fakeConn) read() {
	for {
		_, data, err := c.ws.ReadMessage()
		if err != nil {
			code := 0
			if closed, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // The library returns it bare.
				code = closed.Code
			}
			c.closed <- code
			return
		}
		if len(data) > 4096 {
			c.t.Errorf("frame of %d bytes", len(data))
		}
		var f fakeFrame
		if err := json.Unmarshal(data, &f); err != nil {
			c.t.Errorf("frame: %v", err)
			return
		}
		if f.Op != opHeartbeat {
			c.frames <- f
			continue
		}
		c.mu.Lock()
		quiet := c.quiet
		c.mu.Unlock()
		select {
		case c.beats <- f.Data:
		default:
		}
		if !quiet {
			c.say(`{"op":11}`)
		}
	}
}

func (c *fakeConn) hush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = true
}

func (c *fakeConn) say(frame string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A client that left notices by its own means.
	_ = c.ws.WriteMessage(websocket.TextMessage, []byte(frame))
}

func (c *fakeConn) hangUp(code int) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
}

func (c *fakeConn) event(seq int, name, data string) {
	c.say(fmt.Sprintf(`{"op":0,"s":%d,"t":%q,"d":%s}`, seq, name, data))
}

// ready answers an IDENTIFY, which it returns.
func (c *fakeConn) ready(t *testing.T, g *fakeGateway) identify {
	t.Helper()
	f := receive(t, c.frames)
	var id identify
	if err := json.Unmarshal(f.Data, &id); err != nil || f.Op != opIdentify {
		t.Fatalf("frame %d %s, want an IDENTIFY: %v", f.Op, f.Data, err)
	}
	c.event(1, "READY", fmt.Sprintf(`{"v":10,"session_id":"s1","resume_gateway_url":"%s/again","guilds":[{"id":"1","unavailable":true}]}`, g.url()))
	return id
}

// resumed answers a RESUME, which it returns.
func (c *fakeConn) resumed(t *testing.T, seq int) resume {
	t.Helper()
	f := receive(t, c.frames)
	var r resume
	if err := json.Unmarshal(f.Data, &r); err != nil || f.Op != opResume {
		t.Fatalf("frame %d %s, want a RESUME: %v", f.Op, f.Data, err)
	}
	c.event(seq, "RESUMED", `{}`)
	return r
}

// fakeLeases is a store of leases in real time.
type fakeLeases struct {
	mu     sync.Mutex
	leases map[string]fakeLease
	// gone are holders for whom the store does not answer.
	gone map[string]bool
	// handed is told each time a lease comes to a new holder.
	handed chan string
}

type fakeLease struct {
	holder string
	end    time.Time
}

func newFakeLeases() *fakeLeases {
	return &fakeLeases{leases: map[string]fakeLease{}, gone: map[string]bool{}, handed: make(chan string, 64)}
}

var _ core.LeaseStore = (*fakeLeases)(nil)

func (l *fakeLeases) TakeLease(ctx context.Context, name, holder string, _ time.Time, ttl time.Duration) (bool, error) {
	l.mu.Lock()
	if l.gone[holder] {
		l.mu.Unlock()
		<-ctx.Done()
		return false, ctx.Err()
	}
	defer l.mu.Unlock()
	had := l.leases[name]
	if had.holder != "" && had.holder != holder && time.Now().Before(had.end) {
		return false, nil
	}
	l.leases[name] = fakeLease{holder, time.Now().Add(ttl)}
	if had.holder != holder {
		l.handed <- name + " " + holder
	}
	return true, nil
}

func (l *fakeLeases) ReleaseLease(_ context.Context, name, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone[holder] {
		return core.ErrUnavailable
	}
	if l.leases[name].holder == holder {
		delete(l.leases, name)
	}
	return nil
}

func (l *fakeLeases) lose(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone[holder] = true
}

// quickTimes are the waits of tests.
func quickTimes() gatewayTimes {
	t := usualGatewayTimes()
	t.leaseTTL, t.renewEvery, t.leaseMargin = 2*time.Second, 100*time.Millisecond, 300*time.Millisecond
	t.sharePause, t.helloWithin = 20*time.Millisecond, 5*time.Second
	t.reconnectMin, t.reconnectMax = 5*time.Millisecond, 20*time.Millisecond
	t.sessionPause, t.shortSession = 10*time.Millisecond, 20*time.Millisecond
	t.invalidMin, t.invalidSpread = 5*time.Millisecond, 5*time.Millisecond
	t.identifyEvery = 10 * time.Millisecond
	return t
}

// replica is an adapter on the fake gateway.
type replica struct {
	*fixture
	gw     *fakeGateway
	leases *fakeLeases
	stop   func()
	done   chan error
}

// newReplica makes a replica that does not run yet.
func newReplica(t *testing.T, gw *fakeGateway, h chat.Handler) *replica {
	t.Helper()
	f := newFixture(t, h)
	f.gatewayTimes = quickTimes()
	f.api.answer = gw.answer
	f.answerWithin = time.Second
	return &replica{fixture: f, gw: gw, leases: newFakeLeases(), done: make(chan error, 1)}
}

func (r *replica) run(t *testing.T, holder string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.done <- r.RunGateway(ctx, GatewayConfig{Leases: r.leases, Holder: holder}) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-r.done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(waitToFail):
			t.Error("the gateway does not end")
		}
	})
}

// callbacks returns the bodies of callbacks that the API got.
func (r *replica) callbacks() []call {
	var out []call
	for _, c := range r.api.all() {
		if strings.HasSuffix(c.path, "/callback") {
			out = append(out, c)
		}
	}
	return out
}

// awaitCallback returns the next callback that the API got.
func (r *replica) awaitCallback(t *testing.T) call {
	t.Helper()
	for {
		if c := receive(t, r.api.seen); strings.HasSuffix(c.path, "/callback") {
			return c
		}
	}
}

// eventually waits for what has no channel of its own.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.After(waitToFail)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}
