package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Numbers of connections. Slack sends each payload to one of an app's
// connections and allows ten of them for all replicas together
// (https://docs.slack.dev/apis/events-api/using-socket-mode#connections).
const (
	// socketsInUse is how many a process keeps, so that one is left while the
	// other is replaced.
	socketsInUse = 2
	// ownSockets is how many a process has at most: those in use, and those
	// that Slack is about to close, usually not more than two.
	ownSockets = 8
	appSockets = 10
	// keptFree is how many of those no second connection takes, so that a
	// replica without any and a refresh find a place.
	keptFree = 2
	// atOnce is how many envelopes a process works on before their
	// acknowledgements. More are left in the connection for a moment.
	atOnce = 1024
)

// socketTimes are the periods of Socket Mode.
type socketTimes struct {
	// ping is within which Slack sends a sign of life.
	ping time.Duration
	// open is how long opening may take, until the greeting.
	open time.Duration
	// firstWait is about the pause after one failure, longestWait after many;
	// slowWait is between attempts that cannot succeed before somebody mends
	// something.
	firstWait, longestWait, slowWait time.Duration
	// spareWait is about the pause between the first connection and the
	// second: replicas that start together get one each before any has two.
	spareWait time.Duration
	// settled is how long a connection lives at least that counts as a
	// success.
	settled time.Duration
	// linger is how long a connection is kept beside its replacement, because
	// Slack may still use it; Slack itself closes it after about ten seconds.
	linger time.Duration
}

func usualSocketTimes() socketTimes {
	return socketTimes{
		ping:        30 * time.Second,
		open:        10 * time.Second,
		firstWait:   500 * time.Millisecond,
		longestWait: 30 * time.Second,
		slowWait:    time.Minute,
		spareWait:   time.Second,
		settled:     time.Second,
		linger:      12 * time.Second,
	}
}

// RunSocket takes what Slack sends over connections that it opens itself,
// with the same answers as the endpoints of [Adapter.Routes]. It opens lost
// connections again for ever and returns nil once ctx has ended, what was
// taken is acknowledged and the connections are closed; [Adapter.Drain] then
// waits for the rest. It needs Config.AppToken and runs once at a time.
// https://docs.slack.dev/apis/events-api/using-socket-mode
func (a *Adapter) RunSocket(ctx context.Context) error {
	if a.appToken == "" {
		return errors.New("run slack socket: the app token is missing")
	}
	p := &socketPool{
		adapter: a, times: a.socketTimes,
		wake:  make(chan struct{}, 1),
		slots: make(chan struct{}, atOnce),
		conns: map[*socketConn]struct{}{},
		since: a.clock.Now(),
		cause: "the first connection is not open yet",
	}
	if !a.socket.CompareAndSwap(nil, p) {
		return errors.New("run slack socket: it runs already")
	}
	defer a.socket.Store(nil)
	p.run(ctx)
	return nil
}

// SocketHealth returns nil while at least one connection is alive: Slack has
// greeted on it and was heard within the ping interval. Otherwise the error
// says since when there is none, and why.
func (a *Adapter) SocketHealth() error {
	p := a.socket.Load()
	if p == nil {
		return errors.New("no connection to Slack: Socket Mode is not running")
	}
	return p.health()
}

// socketPool keeps connections open. One goroutine opens all of them, one
// after the other, so that failures are told and waited for once.
type socketPool struct {
	adapter *Adapter
	times   socketTimes
	// wake makes run look again.
	wake  chan struct{}
	slots chan struct{}
	// background counts the goroutines of the connections.
	background sync.WaitGroup

	mu    sync.Mutex
	conns map[*socketConn]struct{}
	// early counts connections in a row that ended before they had settled.
	early int
	// spareFrom is when a second connection is tried again.
	spareFrom time.Time
	// disabled: Slack said that Socket Mode is switched off.
	disabled bool
	// since is when there was a connection last, cause why there is none.
	since time.Time
	cause string
}

func (p *socketPool) run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		wanted, pause := p.look(failures)
		if !wanted {
			p.sleep(ctx, pause)
			continue
		}
		if !keep(ctx, pause) {
			break
		}
		err := p.open(ctx)
		if err == nil {
			failures = 0
			continue
		}
		failures++
		if ctx.Err() != nil {
			break
		}
		pause, full := p.tell(err, failures)
		if full {
			// Each connection that ends makes room.
			p.sleep(ctx, pause)
			continue
		}
		keep(ctx, pause)
	}
	p.mu.Lock()
	for c := range p.conns {
		p.background.Go(func() { c.leave(endShutdown) })
	}
	p.mu.Unlock()
	p.background.Wait()
}

// look reports whether a connection is to be opened, and after which pause;
// when none is, the pause says when to look again, zero meaning that it is
// enough to be woken.
func (p *socketPool) look(failures int) (wanted bool, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	inUse := 0
	var replaced []*socketConn
	for c := range p.conns {
		if c.inUse() {
			inUse++
		}
		c.mu.Lock()
		if c.succeeded && !c.leaving {
			replaced = append(replaced, c)
		}
		c.mu.Unlock()
	}
	if inUse >= socketsInUse {
		return false, 0
	}
	if left := time.Until(p.spareFrom); inUse > 0 && left > 0 {
		return false, left
	}
	if len(p.conns) >= ownSockets {
		if len(replaced) > 0 {
			c := oldest(replaced)
			p.background.Go(func() { c.leave(c.why()) })
		}
		return false, 0
	}
	switch {
	case p.disabled:
		p.disabled = false
		return true, jittered(p.times.slowWait)
	case p.early > 0 && failures == 0:
		return true, p.backoff(p.early)
	default:
		return true, 0
	}
}

// sleep waits until there is something to look at, or for pause unless that
// is zero.
func (p *socketPool) sleep(ctx context.Context, pause time.Duration) {
	var due <-chan time.Time
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-p.wake:
	case <-due:
	case <-ctx.Done():
	}
}

// keep waits for pause and reports whether ctx goes on.
func keep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// awake makes run look again.
func (p *socketPool) awake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// open opens one connection and returns when Slack has greeted on it.
func (p *socketPool) open(ctx context.Context) error {
	opening, cancel := context.WithTimeout(ctx, p.times.open)
	defer cancel()
	ws, err := p.adapter.dialSocket(opening)
	if err != nil {
		return err
	}
	c := newSocketConn(p, ws)
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
	p.adapter.metrics.connections.Inc()
	p.background.Go(func() {
		c.read(ctx)
		p.ended(c)
	})
	select {
	case <-c.greeted:
		p.greeted(ctx, c)
		return nil
	case <-c.done:
	case <-opening.Done():
		c.note(endNoHello)
		c.drop()
	}
	p.forget(c)
	if c.why() == endTooMany {
		p.spareLater()
	}
	return &socketError{code: c.why()}
}

// greeted takes c into use: the connection that it replaces may go, and a
// second one goes again where the app has too few places left.
func (p *socketPool) greeted(ctx context.Context, c *socketConn) {
	a := p.adapter
	a.metrics.connects.WithLabelValues("opened").Inc()
	p.mu.Lock()
	defer p.mu.Unlock()
	inUse, leaving := 0, 0
	var retired []*socketConn
	for other := range p.conns {
		switch {
		case other.inUse():
			inUse++
		default:
			leaving++
			other.mu.Lock()
			if other.retiring && !other.succeeded && !other.leaving {
				retired = append(retired, other)
			}
			other.mu.Unlock()
		}
	}
	p.disabled = false
	if inUse > 1 && c.ofApp-leaving > appSockets-keptFree {
		p.spareFrom = time.Now().Add(jittered(p.times.slowWait))
		p.background.Go(func() { c.leave(endSpare) })
		return
	}
	if len(p.conns) == 1 && p.times.spareWait > 0 {
		p.spareFrom = time.Now().Add(jittered(p.times.spareWait))
	}
	if len(retired) > 0 {
		old := oldest(retired)
		old.mu.Lock()
		old.succeeded = true
		old.mu.Unlock()
		p.background.Go(func() { p.linger(ctx, old) })
	}
	a.log.Info("slack socket connected", slog.Int("in_use", inUse), slog.Int("of_app", c.ofApp))
}

// linger lets c go once Slack had its time to close it.
func (p *socketPool) linger(ctx context.Context, c *socketConn) {
	timer := time.NewTimer(p.times.linger)
	defer timer.Stop()
	select {
	case <-c.done:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	c.leave(c.why())
}

// ended forgets a connection.
func (p *socketPool) ended(c *socketConn) {
	reason := c.why()
	a := p.adapter
	a.metrics.connections.Dec()
	a.metrics.disconnects.WithLabelValues(reason).Inc()
	select {
	case <-c.greeted:
	default:
		// It was an attempt; open tells about it.
		return
	}
	switch reason {
	case endShutdown, endSpare, endWarning, endRefresh:
	case endTooMany:
		p.spareLater()
		p.judge(c)
	default:
		p.judge(c)
	}
	p.mu.Lock()
	delete(p.conns, c)
	p.disabled = p.disabled || reason == endDisabled
	p.since = a.clock.Now()
	p.cause = endings[reason]
	p.mu.Unlock()
	level := slog.LevelInfo
	if _, planned := plannedEnds[reason]; !planned {
		level = slog.LevelWarn
	}
	a.log.Log(context.Background(), level, "slack socket ended", slog.String("reason", reason))
	p.awake()
}

// judge notes whether c lived long enough to count as a success.
func (p *socketPool) judge(c *socketConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(c.opened) < p.times.settled {
		p.early++
	} else {
		p.early = 0
	}
}

func (p *socketPool) forget(c *socketConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *socketPool) spareLater() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spareFrom = time.Now().Add(jittered(p.times.slowWait))
}

func (p *socketPool) health() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if c.alive() {
			return nil
		}
	}
	return fmt.Errorf("no connection to Slack since %s: %s", p.since.UTC().Format(time.RFC3339), p.cause)
}

// take hands an envelope to a goroutine of its own. After the end of ctx
// nothing is taken: what is not acknowledged goes to another connection.
func (p *socketPool) take(ctx context.Context, c *socketConn, e *envelope, received time.Time) {
	if ctx.Err() != nil {
		return
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	if !c.begin() {
		<-p.slots
		return
	}
	p.adapter.work.start(func() {
		defer func() { <-p.slots }()
		defer c.taken.done()
		p.adapter.handleEnvelope(context.WithoutCancel(ctx), e, received, c.acknowledge)
	})
}

// backoff returns the pause after n failures in a row: it doubles up to
// longestWait.
func (p *socketPool) backoff(n int) time.Duration {
	d := p.times.firstWait
	for range n - 1 {
		if d = 2 * d; d >= p.times.longestWait {
			d = p.times.longestWait
			break
		}
	}
	return jittered(d)
}

// jittered returns something between half and one and a half of d, so that
// replicas that lost their connections together do not come back together.
func jittered(d time.Duration) time.Duration {
	return d/2 + time.Duration(rand.Int64N(int64(d)+1)) //nolint:gosec // Spreads load; nothing depends on its being unguessable.
}
