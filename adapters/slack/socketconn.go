package slack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// maxSocketMessage is where a connection is given up. A message above
	// maxBody alone is left out, as it is refused by HTTP.
	maxSocketMessage = 4 << 20
	// socketWriteWithin is how long one acknowledgement may take to be
	// written; a peer that does not read for so long is as good as gone.
	socketWriteWithin = 2 * time.Second
	// leaveWithin is how long a connection that is let go waits for its last
	// acknowledgements, and closeWithin for Slack to close it, too.
	leaveWithin = 3 * time.Second
	closeWithin = time.Second
)

// Reasons why a connection ended, as they are counted.
const (
	endWarning  = "warning"
	endRefresh  = "refresh_requested"
	endDisabled = "link_disabled"
	endTooMany  = "too_many_websockets"
	endSilent   = "silent"
	endClosed   = "closed"
	endTooLarge = "too_large"
	endBroken   = "broken"
	endNoHello  = "no_hello"
	endSpare    = "spare"
	endShutdown = "shutdown"
	endOther    = "other"
)

// socketConn is one connection to Slack. Its reader runs until the connection
// is closed, by whomever.
type socketConn struct {
	pool   *socketPool
	ws     *websocket.Conn
	opened time.Time
	// heard is when Slack was heard last, as the time since opened.
	heard atomic.Int64
	// greeted is closed when the connection may be used, done when it ended.
	greeted, done chan struct{}
	writing       sync.Mutex
	// taken counts envelopes without their acknowledgement.
	taken inflight

	mu sync.Mutex
	// reason is why the connection ends; the first one counts.
	reason string
	// retiring: Slack asked for a replacement; succeeded: there is one.
	retiring, succeeded bool
	// leaving: nothing is taken from it any more.
	leaving bool
	// ofApp is how many connections the app had at the greeting, this one
	// included.
	ofApp int
}

func newSocketConn(p *socketPool, ws *websocket.Conn) *socketConn {
	c := &socketConn{pool: p, ws: ws, opened: time.Now(), greeted: make(chan struct{}), done: make(chan struct{})}
	ws.SetReadLimit(maxSocketMessage)
	ws.SetPingHandler(func(data string) error {
		if err := c.listen(); err != nil {
			return err
		}
		err := ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(socketWriteWithin))
		var timeout net.Error
		if errors.Is(err, websocket.ErrCloseSent) || errors.As(err, &timeout) && timeout.Timeout() {
			return nil
		}
		return err
	})
	return c
}

// listen notes that Slack was heard and waits for the next sign of life.
func (c *socketConn) listen() error {
	c.heard.Store(int64(time.Since(c.opened)))
	return c.ws.SetReadDeadline(time.Now().Add(c.pool.times.ping))
}

// alive reports whether the connection was greeted and is not silent.
func (c *socketConn) alive() bool {
	select {
	case <-c.greeted:
		return time.Since(c.opened)-time.Duration(c.heard.Load()) <= c.pool.times.ping
	default:
		return false
	}
}

// inUse reports whether the connection is one to keep.
func (c *socketConn) inUse() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.retiring && !c.leaving
}

// read takes messages until the connection ends.
func (c *socketConn) read(ctx context.Context) {
	defer close(c.done)
	for {
		if err := c.listen(); err != nil {
			c.note(endBroken)
			break
		}
		data, err := c.next()
		if err != nil {
			c.note(endOf(err))
			break
		}
		if data != nil {
			c.receive(ctx, data)
		}
	}
	if err := c.ws.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.pool.adapter.log.Debug("slack socket not closed cleanly")
	}
}

// next returns the next message, or nil for one that is left out.
func (c *socketConn) next() ([]byte, error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, err
	case n > maxBody:
		c.refuse(http.StatusRequestEntityTooLarge, "too_large", nil)
		return nil, nil
	case kind != websocket.TextMessage:
		return nil, nil
	default:
		return body.Bytes(), nil
	}
}

// receive deals with one message. It never waits for the work on it.
func (c *socketConn) receive(ctx context.Context, data []byte) {
	received := time.Now()
	e, err := decodeEnvelope(data)
	if err != nil {
		c.refuse(http.StatusBadRequest, "malformed", err)
		return
	}
	switch e.Type {
	case typeHello:
		c.greet(e.NumConnections)
	case typeDisconnect:
		c.asked(e.Reason)
	default:
		c.pool.take(ctx, c, &e, received)
	}
}

// refuse counts what is left without an acknowledgement: its id is unknown.
func (c *socketConn) refuse(status int, reason string, cause error) {
	a := c.pool.adapter
	rep := a.refuse(kindEnvelope, status, reason, cause)
	a.metrics.requests.WithLabelValues(kindEnvelope, rep.outcome).Inc()
}

// greet notes that Slack is ready.
func (c *socketConn) greet(connections int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.greeted:
	default:
		c.ofApp = connections
		close(c.greeted)
	}
}

// asked deals with a disconnect. Before a refresh Slack goes on using the
// connection for a while; for any other reason it is of no more use
// (https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect).
func (c *socketConn) asked(reason string) {
	switch reason {
	case endWarning, endRefresh:
		c.note(reason)
		c.mu.Lock()
		again := c.retiring
		c.retiring = true
		c.mu.Unlock()
		if !again {
			c.pool.judge(c)
			c.pool.awake()
		}
		return
	case endDisabled, endTooMany:
	default:
		reason = endOther
	}
	c.pool.background.Go(func() { c.leave(reason) })
}

// note remembers why the connection ends, unless that is known.
func (c *socketConn) note(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		c.reason = reason
	}
}

// why returns why the connection ended.
func (c *socketConn) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// leave waits for the last acknowledgements and closes the connection in good
// order. What Slack sends once nothing is taken any more is left without an
// acknowledgement, so that is as short as it can be; only a bot that stops
// takes nothing from the beginning.
func (c *socketConn) leave(reason string) {
	c.note(reason)
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	if reason != endShutdown {
		c.finish(ctx)
	}
	c.mu.Lock()
	before := c.leaving
	c.leaving = true
	c.mu.Unlock()
	if before {
		<-c.done
		return
	}
	c.finish(ctx)
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.ws.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(closeWithin)); err == nil {
		timer := time.NewTimer(closeWithin)
		defer timer.Stop()
		select {
		case <-c.done:
		case <-timer.C:
		}
	}
	c.drop()
}

// finish waits for the acknowledgement of what was taken.
func (c *socketConn) finish(ctx context.Context) {
	if err := c.taken.wait(ctx); err != nil {
		c.pool.adapter.log.Debug("slack socket still has envelopes in work", slog.String("reason", c.why()))
	}
}

// drop closes the connection at once; the reader ends by that.
func (c *socketConn) drop() {
	if err := c.ws.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.pool.adapter.log.Debug("slack socket not closed cleanly", slog.String("reason", c.why()))
	}
	<-c.done
}

// begin counts an envelope, unless the connection is being let go: then
// Slack sends it to another.
func (c *socketConn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving {
		return false
	}
	c.taken.add()
	return true
}

// acknowledge writes one acknowledgement. After a failure the connection is
// of no more use, because a part of a frame may have gone out.
func (c *socketConn) acknowledge(id string, body []byte) error {
	frame, err := encodeAck(id, body)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if err = c.ws.SetWriteDeadline(time.Now().Add(socketWriteWithin)); err == nil {
		err = c.ws.WriteMessage(websocket.TextMessage, frame)
	}
	if err != nil {
		c.note(endBroken)
		return errors.Join(err, c.ws.Close())
	}
	return nil
}

// endOf names what ended a connection that nobody asked to end.
func endOf(err error) string {
	var closed *websocket.CloseError
	var network net.Error
	switch {
	case errors.As(err, &closed):
		if closed.Code == websocket.CloseAbnormalClosure {
			return endBroken
		}
		return endClosed
	case errors.Is(err, websocket.ErrReadLimit):
		return endTooLarge
	case errors.As(err, &network) && network.Timeout():
		return endSilent
	default:
		return endBroken
	}
}

// oldest returns the connection of cs that was opened first.
func oldest(cs []*socketConn) *socketConn {
	return slices.MinFunc(cs, func(a, b *socketConn) int { return a.opened.Compare(b.opened) })
}
