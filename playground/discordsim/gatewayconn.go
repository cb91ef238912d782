package discordsim

import (
	"bytes"
	"compress/zlib"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// maxPayload is the largest payload that Discord takes from a client,
	// https://discord.com/developers/docs/events/gateway#sending-events.
	maxPayload = 4096
	// maxQueued is how many frames may wait for a client that does not read.
	maxQueued = 20_000
	// compressFrom is the size from which payloads are compressed for a
	// client that asked for it in its IDENTIFY.
	compressFrom = 1024
	// writeWithin and closeWithin bound, in real time, a write and the wait
	// for the client's side of a close.
	writeWithin = 5 * time.Second
	closeWithin = time.Second
)

// gatewayConn is one WebSocket connection. The server's lock guards what the
// protocol knows of it, mu what waits to be written.
type gatewayConn struct {
	ws      *websocket.Conn
	version string
	resumed bool // came by resume_gateway_url.

	session  *gatewaySession
	compress bool        // asked for in IDENTIFY.
	sends    []time.Time // counted towards SendsPerMinute.
	beat     time.Time   // of the last heartbeat, real.

	mu      sync.Mutex
	queue   []outFrame
	frozen  bool
	closing bool // nothing more is read or queued.
	wake    chan struct{}
	gone    chan struct{} // closed when the reader ends.
	stream  *zlib.Writer  // of the writer; nil without zlib-stream.
	packed  bytes.Buffer
}

// outFrame is a payload, or a close frame when code is not 0.
type outFrame struct {
	data     []byte
	compress bool
	code     int
}

// isSocket reports whether a request is for the WebSocket.
func isSocket(r *http.Request) bool {
	switch r.URL.Path {
	// Libraries add a slash to the URL that GET /gateway names.
	case socketPath, socketPath + "/", resumePath, resumePath + "/":
		return true
	}
	return false
}

// serveSocket makes a connection and reads it until its end. It reports false
// when the handshake was refused; out then holds the answer.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, out *reply) bool {
	q := r.URL.Query()
	compress := q.Get("compress")
	if q.Get("encoding") != "json" || compress != "" && compress != "zlib-stream" {
		out.fail(&apiError{status: http.StatusBadRequest, code: 0, message: "this encoding is not simulated"})
		return false
	}
	if !websocket.IsWebSocketUpgrade(r) {
		out.fail(&apiError{status: http.StatusBadRequest, code: 0, message: "not a WebSocket handshake"})
		return false
	}
	s.mu.Lock()
	closed := s.gw.closed
	if !closed {
		s.sockets.Add(1)
	}
	s.mu.Unlock()
	if closed {
		out.fail(&apiError{status: http.StatusServiceUnavailable, message: "closing"})
		return false
	}
	defer s.sockets.Done()
	ws, err := s.gw.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return true // Upgrade has answered.
	}
	c := &gatewayConn{
		ws: ws, version: q.Get("v"), resumed: strings.HasPrefix(r.URL.Path, resumePath),
		wake: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	if compress != "" {
		c.stream = zlib.NewWriter(&c.packed)
	}
	s.runSocket(c)
	return true
}

// runSocket says HELLO, reads until the end and leaves the session for a
// RESUME.
func (s *Server) runSocket(c *gatewayConn) {
	ws := c.ws
	ws.SetReadLimit(64 << 10)
	ws.SetCloseHandler(func(code int, _ string) error {
		if !c.isFrozen() {
			// The client may be gone already.
			_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeWithin))
		}
		return nil
	})
	s.mu.Lock()
	if s.gw.closed {
		s.mu.Unlock()
		_ = ws.Close()
		return
	}
	s.gw.conns[c] = struct{}{}
	s.gw.stats.Connections++
	s.gw.stats.MostOpen = max(s.gw.stats.MostOpen, len(s.gw.conns))
	if c.version != "9" && c.version != "10" {
		s.hangUpSocket(c, CloseInvalidVersion)
	} else {
		c.push(op(opHello, object{"heartbeat_interval": s.gw.cfg.Heartbeat.Milliseconds(), "_trace": []any{"simulated"}}))
		_ = ws.SetReadDeadline(time.Now().Add(s.gw.cfg.HeartbeatTimeout))
	}
	s.touch()
	s.mu.Unlock()

	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		c.write()
	}()
	err := s.readSocket(c)
	close(c.gone)
	_ = ws.Close()
	<-wrote

	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.gw.conns, c)
	s.clientLeft(c, err)
	s.touch()
}

// readSocket reads payloads until the connection ends.
func (s *Server) readSocket(c *gatewayConn) error {
	for {
		kind, data, err := c.ws.ReadMessage()
		if err != nil {
			var timeout interface{ Timeout() bool }
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				return err
			}
			// No heartbeat in time: say so, and wait for the other side. A
			// failed connection cannot be read further, so the wait is bare.
			s.mu.Lock()
			late := !c.isClosing()
			if late {
				s.hangUpSocket(c, CloseSessionTimedOut)
			}
			s.mu.Unlock()
			if late {
				c.drain()
			}
			return err
		}
		s.mu.Lock()
		s.receive(c, kind, data)
		s.mu.Unlock()
	}
}

// drain reads and forgets bytes until the client ends the connection.
func (c *gatewayConn) drain() {
	conn := c.ws.NetConn()
	_ = conn.SetReadDeadline(time.Now().Add(closeWithin))
	buf := make([]byte, 1024)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// push queues a payload. A client that reads nothing loses its connection.
func (c *gatewayConn) push(data []byte) { c.enqueue(outFrame{data: data, compress: c.compress}) }

func (c *gatewayConn) enqueue(f outFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	if len(c.queue) >= maxQueued {
		c.closing = true
		c.cut()
		return
	}
	c.queue = append(c.queue, f)
	c.closing = f.code != 0
	c.signal()
}

func (c *gatewayConn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *gatewayConn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

func (c *gatewayConn) isFrozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}

// cut ends the connection without a close frame, as a dead network does.
func (c *gatewayConn) cut() { _ = c.ws.NetConn().Close() }

// freeze stops or starts the writer.
func (c *gatewayConn) freeze(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = on
	c.signal()
}

// next takes the oldest frame; ok is false when there is none to write now.
func (c *gatewayConn) next() (f outFrame, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen || len(c.queue) == 0 {
		return outFrame{}, false
	}
	f = c.queue[0]
	c.queue = c.queue[1:]
	return f, true
}

// write writes what is queued until the connection ends.
func (c *gatewayConn) write() {
	for {
		f, ok := c.next()
		if !ok {
			select {
			case <-c.wake:
				continue
			case <-c.gone:
				return
			}
		}
		if f.code != 0 {
			// The reader goes on until the client has closed, so that the
			// frame is not lost in a reset.
			_ = c.ws.WriteControl(websocket.CloseMessage,
				websocket.FormatCloseMessage(f.code, closeReason(f.code)), time.Now().Add(writeWithin))
			_ = c.ws.NetConn().SetReadDeadline(time.Now().Add(closeWithin))
			return
		}
		if err := c.send(f); err != nil {
			c.cut()
			return
		}
	}
}

func (c *gatewayConn) send(f outFrame) error {
	if err := c.ws.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	switch {
	case c.stream != nil:
		// One compression context per connection; each message ends in the
		// suffix 00 00 ff ff,
		// https://discord.com/developers/docs/events/gateway#transport-compression.
		c.packed.Reset()
		if _, err := c.stream.Write(f.data); err != nil {
			return err
		}
		if err := c.stream.Flush(); err != nil {
			return err
		}
		return c.ws.WriteMessage(websocket.BinaryMessage, c.packed.Bytes())
	case f.compress && len(f.data) >= compressFrom:
		// https://discord.com/developers/docs/events/gateway#payload-compression.
		c.packed.Reset()
		z := zlib.NewWriter(&c.packed)
		if _, err := z.Write(f.data); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		return c.ws.WriteMessage(websocket.BinaryMessage, c.packed.Bytes())
	}
	return c.ws.WriteMessage(websocket.TextMessage, f.data)
}

// closeSockets ends every connection and waits for their goroutines.
func (s *Server) closeSockets() {
	s.mu.Lock()
	s.gw.closed = true
	for c := range s.gw.conns {
		c.cut()
	}
	s.mu.Unlock()
	s.sockets.Wait()
}
