package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"
)

const (
	// writeWithin bounds one write, hangUpWithin the last one.
	writeWithin  = 5 * time.Second
	hangUpWithin = 200 * time.Millisecond
	// maxSends in sendWindow is what Discord takes from a connection; those
	// for heartbeats in time are kept free
	// (https://discord.com/developers/docs/events/gateway#rate-limiting).
	maxSends   = 120
	keptSends  = 10
	sendWindow = time.Minute
)

var (
	errSilent  = errors.New("a heartbeat was not acknowledged")
	errStalled = errors.New("the gateway does not take what is sent")
	errOver    = errors.New("connection is over")
)

// conn is one connection to the gateway.
type conn struct {
	s       *shard
	ws      *websocket.Conn
	address string
	// session is what it goes on with, or empty for a new one.
	session session
	// acked says that the last heartbeat was acknowledged.
	acked    atomic.Bool
	interval time.Duration
	// established is when the session was acknowledged.
	established time.Time
	replaying   bool

	mu    sync.Mutex
	sends []time.Time
}

func newConn(s *shard, ws *websocket.Conn, address string) *conn {
	c := &conn{s: s, ws: ws, address: address, session: s.session, replaying: s.session.id != ""}
	c.acked.Store(true)
	return c
}

// run stays with the connection to its end. Reading is done here, heartbeats
// and the start of the session beside it.
func (c *conn) run(ctx context.Context) connEnd {
	inner, stop := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		c.hangUp(ctx, inner)
	}()
	end := c.read(inner, stop, &group)
	switch cause := context.Cause(inner); {
	case errors.Is(cause, errSilent):
		end = connEnd{name: "silent", reason: "the connection was silent, it is replaced"}
	case errors.Is(cause, errStalled):
		end = connEnd{name: "stalled", reason: "the connection was stalled, it is replaced"}
	case ctx.Err() != nil:
		end = connEnd{name: "stopped"}
	}
	stop(errOver)
	<-hungUp
	_ = c.ws.Close()
	group.Wait()
	end.established, end.fresh = !c.established.IsZero(), c.session.id == ""
	if end.established {
		end.lived = time.Since(c.established)
	}
	return end
}

// hangUp closes the connection when its context ends, in a way that leaves
// the session alive, and ends the reading. At the planned end what is on its
// way is still read.
func (c *conn) hangUp(outer, inner context.Context) {
	<-inner.Done()
	_ = c.ws.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(closeResumable, ""), time.Now().Add(hangUpWithin))
	if errors.Is(context.Cause(outer), context.Canceled) {
		_ = c.ws.NetConn().SetReadDeadline(time.Now().Add(c.s.g.a.gatewayTimes.linger))
		return
	}
	_ = c.ws.Close()
}

// read reads frames until the connection ends.
func (c *conn) read(ctx context.Context, stop context.CancelCauseFunc, group *sync.WaitGroup) connEnd {
	_ = c.ws.NetConn().SetReadDeadline(time.Now().Add(c.s.g.a.gatewayTimes.helloWithin))
	for {
		_, data, err := c.ws.ReadMessage()
		if err != nil {
			return endOf(err)
		}
		e, err := decodeFrame(data)
		if err == nil && c.interval == 0 {
			if err = c.hello(ctx, e, stop, group); err == nil {
				continue
			}
		}
		if err != nil {
			// What was lost comes again after a resume.
			return connEnd{name: "bad_frame", reason: "the gateway sent what cannot be read"}
		}
		if end := c.handle(ctx, e); end != nil {
			return *end
		}
	}
}

// hello begins heartbeats and the session.
func (c *conn) hello(ctx context.Context, e *discordgo.Event, stop context.CancelCauseFunc, group *sync.WaitGroup) error {
	interval, err := decodeHello(e)
	if err != nil {
		return err
	}
	if ctx.Err() == nil {
		_ = c.ws.NetConn().SetReadDeadline(time.Time{})
	}
	c.interval = interval
	group.Go(func() { c.beat(ctx, interval, stop) })
	group.Go(func() {
		if err := c.begin(ctx); err != nil && ctx.Err() == nil {
			stop(errStalled)
		}
	})
	return nil
}

// begin goes on with the session, or starts one when it is this shard's turn.
func (c *conn) begin(ctx context.Context) error {
	token := c.s.g.a.token.Reveal()
	if c.session.id != "" {
		return c.send(outgoing{Op: opResume, Data: resume{Token: token, SessionID: c.session.id, Sequence: c.s.seq.Load()}})
	}
	if err := c.s.awaitTurn(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil || !c.s.lease.holds() {
		return errOver
	}
	c.s.g.starting()
	return c.send(newIdentify(token, c.s.id, c.s.count))
}

// beat sends heartbeats, the first after a part of the interval. One that
// was not acknowledged when the next is due ends the connection
// (https://discord.com/developers/docs/events/gateway#sending-heartbeats).
func (c *conn) beat(ctx context.Context, interval time.Duration, stop context.CancelCauseFunc) {
	timer := time.NewTimer(time.Duration(float64(interval) * c.s.g.a.gatewayTimes.random()))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if !c.acked.Swap(false) {
			stop(errSilent)
			return
		}
		if err := c.send(newHeartbeat(c.s.seq.Load())); err != nil {
			stop(errStalled)
			return
		}
		timer.Reset(interval)
	}
}

// handle reads a frame. It returns how the connection ends, or nil.
func (c *conn) handle(ctx context.Context, e *discordgo.Event) *connEnd {
	t := c.s.g.a.gatewayTimes
	switch e.Operation {
	case opDispatch:
		return c.dispatch(ctx, e)
	case opHeartbeat:
		if !c.crowded() {
			// An error shows again with the next heartbeat.
			_ = c.send(newHeartbeat(c.s.seq.Load()))
		}
	case opAck:
		c.acked.Store(true)
		if !c.established.IsZero() {
			c.s.g.health.alive(c.s.id, c.interval)
		}
	case opReconnect:
		return &connEnd{name: "reconnect", reason: "Discord asked to connect again"}
	case opInvalidSession:
		end := &connEnd{
			next: stepFresh, name: "invalid_session", reason: "Discord does not know the session any more, a new one is started",
			wait: t.invalidMin + time.Duration(float64(t.invalidSpread)*t.random()),
		}
		var resumable bool
		if json.Unmarshal(e.RawData, &resumable) == nil && resumable && c.s.session.id != "" {
			// The session lives: what happens meanwhile is replayed, and each
			// interaction of it has three seconds. Only a new session is to
			// be waited for.
			end.next, end.wait = stepResume, 0
		}
		return end
	}
	return nil
}

func (c *conn) dispatch(ctx context.Context, e *discordgo.Event) *connEnd {
	if e.Sequence > 0 {
		c.s.seq.Store(e.Sequence)
	}
	switch e.Type {
	case "READY":
		ready, err := decodeReady(e, c.address)
		if err != nil {
			return &connEnd{next: stepFresh, name: "bad_frame", reason: "the gateway sent what cannot be read"}
		}
		c.s.session = ready
		c.settle()
	case "RESUMED":
		c.replaying = false
		c.settle()
	case "INTERACTION_CREATE":
		if !c.s.lease.holds() {
			// This process stood still for so long that another leads now.
			c.s.g.a.log.WarnContext(ctx, "discord interaction left to another replica")
			return nil
		}
		c.s.g.take(e.RawData, c.replaying)
	}
	return nil
}

// settle notes that the session was acknowledged.
func (c *conn) settle() {
	c.established = time.Now()
	c.s.g.health.alive(c.s.id, c.interval)
}

// crowded reports whether only heartbeats in time may still be sent.
func (c *conn) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(time.Now())
	return len(c.sends) >= maxSends-keptSends
}

func (c *conn) forget(now time.Time) {
	for len(c.sends) > 0 && now.Sub(c.sends[0]) >= sendWindow {
		c.sends = c.sends[1:]
	}
}

// send writes a frame; writes follow one another.
func (c *conn) send(f outgoing) error {
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode gateway frame: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.forget(now)
	c.sends = append(c.sends, now)
	if err := c.ws.SetWriteDeadline(now.Add(writeWithin)); err != nil {
		return fmt.Errorf("write gateway frame: %w", err)
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, data); err != nil {
		return fmt.Errorf("write gateway frame: %w", err)
	}
	return nil
}
