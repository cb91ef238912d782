package slacksim

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Rules of Socket Mode.
// https://docs.slack.dev/apis/events-api/using-socket-mode/
const (
	// socketsMax is how many connections an app may hold.
	socketsMax = 10
	// ackMax is the size in bytes from which on Slack drops an acknowledgement
	// without a word.
	ackMax = 20 << 10
	// connectionTime is how many seconds a connection lives about, as the hello
	// tells; debug_reconnects=true asks for the shorter one.
	connectionTime, connectionTimeDebug = 18060, 360
	// silenceMax is how long a client may leave pings unanswered before its
	// connection is cut.
	silenceMax = 30 * time.Second
	// socketHost is the host that debug_info names.
	socketHost = "applink-simulated"
)

// Reasons for which Slack disconnects. Beside the documented ones,
// too_many_websockets is what the eleventh connection is told.
const (
	reasonWarning  = "warning"
	reasonRefresh  = "refresh_requested"
	reasonDisabled = "link_disabled"
	reasonTooMany  = "too_many_websockets"
)

// socket is one WebSocket connection of the app.
type socket struct {
	id     string
	opened time.Time
	ws     *websocket.Conn
	// done is closed once nothing more is read from the connection, after
	// everything that was read has been dealt with.
	done chan struct{}
	// frozen: nothing is sent any more and what comes is ignored.
	frozen atomic.Bool
	writes sync.Mutex

	// The rest is guarded by Server.mu.
	ready   bool // said hello
	warned  bool // told that its end is near: takes payloads if nobody else can
	leaving bool // told to refresh: takes no more payloads
	sent    int
	acked   int
}

// send writes one JSON message; a frozen connection swallows it.
func (c *socket) send(message any, within time.Duration) error {
	raw, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if c.frozen.Load() {
		return nil
	}
	c.writes.Lock()
	defer c.writes.Unlock()
	return c.write(raw, within)
}

// write is send with c.writes held.
func (c *socket) write(raw []byte, within time.Duration) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	return c.ws.WriteMessage(websocket.TextMessage, raw)
}

func (c *socket) disconnect(reason string, within time.Duration) error {
	return c.send(map[string]any{
		"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": socketHost},
	}, within)
}

// goodbye closes with a close frame and leaves the client a second to answer
// it; whoever reads from the connection then ends.
func (c *socket) goodbye() {
	deadline := time.Now().Add(time.Second)
	if c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline) != nil ||
		c.ws.SetReadDeadline(deadline) != nil {
		_ = c.ws.Close()
	}
}

// cut ends the connection without a close frame.
func (c *socket) cut() {
	if tcp, ok := c.ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.ws.Close()
}

// appsConnectionsOpen answers
// https://docs.slack.dev/reference/methods/apps.connections.open/ with an
// address that opens one connection.
func (s *Server) appsConnectionsOpen(args) (reply, *apiError) {
	ticket := newSecret()
	s.tickets[ticket] = true
	return reply{"url": "ws" + s.base[len("http"):] + "/link/?ticket=" + ticket + "&app_id=" + s.cfg.AppID}, nil
}

// serveSocket turns a ticket into a connection and reads it to its end.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	known := s.tickets[ticket] && !s.closed
	delete(s.tickets, ticket)
	if known {
		s.work.Add(1)
	}
	s.mu.Unlock()
	if !known {
		http.Error(w, "unknown ticket", http.StatusForbidden)
		return
	}
	defer s.work.Done()
	// Clients say that they come from api.slack.com.
	up := websocket.Upgrader{HandshakeTimeout: 5 * time.Second, CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &socket{ws: ws, done: make(chan struct{})}
	defer func() { _ = ws.Close() }()
	open, reason := s.admit(c)
	if reason != "" {
		if c.disconnect(reason, time.Second) == nil {
			c.goodbye()
			_, _, _ = ws.NextReader() // the client's answer to the close frame
		}
		return
	}
	defer s.dismiss(c)
	life := connectionTime
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = connectionTimeDebug
	}
	if s.greet(c, open, life) != nil {
		return
	}
	s.wake()
	s.work.Go(func() { s.ping(c) })
	s.read(c)
}

// admit makes the connection one of the app's and tells how many there are,
// or why it is turned away.
func (s *Server) admit(c *socket) (open int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || !s.socketMode:
		reason = reasonDisabled
	case len(s.sockets) >= socketsMax:
		reason = reasonTooMany
	}
	if reason != "" {
		s.socketStats.TurnedAway++
		s.bump()
		return 0, reason
	}
	c.id, c.opened = s.nextID("SM"), s.clock.Now()
	s.sockets = append(s.sockets, c)
	s.socketStats.Opened++
	s.socketStats.Most = max(s.socketStats.Most, len(s.sockets))
	return len(s.sockets), ""
}

// greet says hello and makes the connection ready for payloads. It is so
// before the client can have read the hello; payloads wait behind it.
func (s *Server) greet(c *socket, open, life int) error {
	hello, err := json.Marshal(map[string]any{
		"type": "hello", "num_connections": open, "connection_info": map[string]any{"app_id": s.cfg.AppID},
		"debug_info": map[string]any{"host": socketHost, "build_number": 1, "approximate_connection_time": life},
	})
	if err != nil {
		return err
	}
	c.writes.Lock()
	defer c.writes.Unlock()
	s.mu.Lock()
	c.ready = true
	s.bump()
	s.mu.Unlock()
	return c.write(hello, s.cfg.AckTimeout)
}

// dismiss forgets a connection that has ended.
func (s *Server) dismiss(c *socket) {
	s.mu.Lock()
	s.sockets = slices.DeleteFunc(s.sockets, func(other *socket) bool { return other == c })
	s.bump()
	s.mu.Unlock()
	close(c.done)
}

// ping keeps the connection awake until it ends. Clients take a connection
// without pings for dead.
func (s *Server) ping(c *socket) {
	ticker := time.NewTicker(s.cfg.PingInterval)
	defer ticker.Stop()
	for {
		if !c.frozen.Load() {
			err := c.ws.WriteControl(websocket.PingMessage, []byte("Ping from "+socketHost), time.Now().Add(s.cfg.AckTimeout))
			if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
				_ = c.ws.Close()
				return
			}
		}
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
	}
}

// read takes acknowledgements until the connection ends.
func (s *Server) read(c *socket) {
	// A client that does not answer pings is gone, even if its connection is not.
	silence := max(silenceMax, 6*s.cfg.PingInterval)
	heard := func(string) error { return c.ws.SetReadDeadline(time.Now().Add(silence)) }
	c.ws.SetReadLimit(maxBody)
	c.ws.SetPongHandler(heard)
	answer := c.ws.PingHandler()
	c.ws.SetPingHandler(func(text string) error {
		if c.frozen.Load() {
			return nil
		}
		return answer(text)
	})
	if heard("") != nil {
		return
	}
	for {
		_, raw, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		if !c.frozen.Load() {
			s.acknowledge(c, raw)
		}
	}
}

// ack is the app's answer to an envelope.
type ack struct {
	EnvelopeID string          `json:"envelope_id"`
	Payload    json.RawMessage `json:"payload"`
}

// awaited is an envelope that is on its way.
type awaited struct {
	on  *socket
	ack chan ack // takes one
}

// acknowledge hands an answer to who waits for it. What is too large, too
// late, or came over another connection than the envelope, is dropped.
func (s *Server) acknowledge(c *socket, raw []byte) {
	var a ack
	note := ""
	s.mu.Lock()
	switch {
	case len(raw) >= ackMax:
		s.socketStats.LargeAcks++
		note = "acknowledgement too large, dropped"
	case json.Unmarshal(raw, &a) != nil:
		s.socketStats.StrayAcks++
		note = "not an acknowledgement"
	default:
		waits := s.envelopes[a.EnvelopeID]
		if waits == nil || waits.on != c {
			s.socketStats.StrayAcks++
			note = "acknowledgement of nothing that is awaited here"
			break
		}
		delete(s.envelopes, a.EnvelopeID)
		c.acked++
		waits.ack <- a
	}
	s.mu.Unlock()
	if note != "" {
		s.record(Exchange{At: s.clock.Now(), Direction: DirectionIn, Method: methodSocket, Path: "/link/", Request: string(raw), Note: note})
	}
}
