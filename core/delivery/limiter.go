package delivery

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Limits of the limiter.
const (
	// limitPatience is how long a call waits for its permit within the
	// process. Whoever would wait longer gives its slot to another delivery.
	limitPatience = 250 * time.Millisecond
	// permitBatch is how many waiting calls one question to the store serves.
	permitBatch = 8
	// limitStoreTimeout bounds a question to the store.
	limitStoreTimeout = 200 * time.Millisecond
	// limitStoreRest is how long the store is left alone after it did not
	// answer.
	limitStoreRest = time.Second
	// alonePart is which part of the rate a process uses while it cannot ask
	// the store what the others use.
	alonePart = 12
	// aloneBurst is how many calls may then go at once, where the rate allows
	// as many: what one person waits for takes a few.
	aloneBurst = 3
	// longestQueue bounds the wait that a call without a permit is told.
	longestQueue = time.Minute
	// keptNames is how many names are remembered before those that say
	// nothing any more are forgotten.
	keptNames = 1024
)

// Limiter lets calls through at the rates that all replicas share by the
// store. Calls that wait for the same name share one question to it.
type Limiter struct {
	store core.LimitStore
	clock core.Clock
	log   *slog.Logger

	mu    sync.Mutex
	names map[string]*gate
	// sweepAt is the number of names at which old ones are forgotten.
	sweepAt int
	// pending is how many questions were given up and are still unanswered;
	// restUntil is when the store is asked again. lost says that it failed.
	pending   int
	restUntil time.Time
	lost      bool
}

// gate is what the process knows of one limit.
type gate struct {
	// queue are the calls that wait for a permit, the first one first; asking
	// says that somebody asks for them.
	queue  []*caller
	asking bool
	// closed is until when the platform wants no calls.
	closed time.Time
	// alone is the next permit while the store does not answer.
	alone time.Time
	// line is until when calls without a permit were told to wait: each is
	// told a time of its own, so that they do not come again together.
	line time.Time
}

// caller is a call that waits for a permit.
type caller struct {
	ctx    context.Context //nolint:containedctx // The call waits in a queue, and drops out of it with its context.
	rate   core.Rate
	answer chan permit
}

// permit is leave to call at a time, or the time to wait before asking again.
type permit struct {
	at time.Time
	// refused is the time to wait, zero for leave.
	refused time.Duration
}

var _ core.Limiter = (*Limiter)(nil)

// NewLimiter returns a limiter over the store.
func NewLimiter(store core.LimitStore, clock core.Clock, log *slog.Logger) *Limiter {
	return &Limiter{store: store, clock: clock, log: log, names: map[string]*gate{}, sweepAt: keptNames}
}

// Wait implements [core.Limiter].
func (l *Limiter) Wait(ctx context.Context, name string, rate core.Rate) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &caller{ctx: ctx, rate: rate, answer: make(chan permit, 1)}
	if refused := l.enqueue(ctx, name, c); refused > 0 {
		return limited(refused)
	}
	select {
	case p := <-c.answer:
		if p.refused > 0 {
			return limited(p.refused)
		}
		return l.until(ctx, name, p.at)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements [core.Limiter].
func (l *Limiter) Close(ctx context.Context, name string, after time.Duration) {
	until := l.clock.Now().Add(after)
	l.mu.Lock()
	if g := l.gate(name); until.After(g.closed) {
		g.closed = until
	}
	l.mu.Unlock()
	_, err := ask(ctx, l, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, l.store.CloseLimit(ctx, name, until)
	})
	if err != nil {
		l.log.WarnContext(ctx, "close limit for all replicas", "err", err)
	}
}

// limited is the error of a call that gets no permit now.
func limited(after time.Duration) error {
	return &core.DeliveryError{Class: core.RetryLater, Code: "own_limit", After: after}
}

// enqueue puts a call into the queue of its name and sees to it that somebody
// asks for it, or returns how long the limit is closed.
func (l *Limiter) enqueue(ctx context.Context, name string, c *caller) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.gate(name)
	if wait := g.closed.Sub(l.clock.Now()); wait > limitPatience {
		return wait
	}
	g.queue = append(g.queue, c)
	if !g.asking {
		g.asking = true
		go l.serve(context.WithoutCancel(ctx), name, g)
	}
	return 0
}

// gate returns what is known of a name. It is called with the lock held.
func (l *Limiter) gate(name string) *gate {
	g, ok := l.names[name]
	if ok {
		return g
	}
	if len(l.names) >= l.sweepAt {
		now := l.clock.Now()
		for old, g := range l.names {
			if !g.asking && !g.closed.After(now) && !g.line.After(now) && now.Sub(g.alone) > time.Hour {
				delete(l.names, old)
			}
		}
		l.sweepAt = 2*len(l.names) + keptNames
	}
	g = &gate{}
	l.names[name] = g
	return g
}

// serve asks for permits as long as somebody waits for one.
func (l *Limiter) serve(ctx context.Context, name string, g *gate) {
	for {
		batch := l.next(g)
		if len(batch) == 0 {
			return
		}
		rate := batch[0].rate
		interval := max(rate.Interval, time.Millisecond)
		// Later ones of the batch wait for those before them.
		patience := limitPatience - time.Duration(len(batch)-1)*interval
		now := l.clock.Now()
		first, err := ask(ctx, l, func(ctx context.Context) (time.Time, error) {
			return l.store.TakePermits(ctx, name, now, len(batch), rate, patience)
		})
		switch {
		case err == nil:
			l.grant(batch, first, interval)
		case errors.Is(err, core.ErrUnmet):
			l.refuse(g, batch, first, interval)
		default:
			l.alone(ctx, g, batch, rate, err)
		}
	}
}

// next takes calls from the queue, as many as can be served in time.
func (l *Limiter) next(g *gate) []*caller {
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch []*caller
	taken := 0
	for _, c := range g.queue {
		if len(batch) == permitBatch || len(batch) > 0 && time.Duration(len(batch))*c.rate.Interval > limitPatience {
			break
		}
		taken++
		if c.ctx.Err() == nil {
			batch = append(batch, c)
		}
	}
	g.queue = g.queue[taken:]
	if len(batch) == 0 {
		g.queue, g.asking = nil, false
	}
	return batch
}

func (l *Limiter) grant(batch []*caller, first time.Time, interval time.Duration) {
	for i, c := range batch {
		c.answer <- permit{at: first.Add(time.Duration(i) * interval)}
	}
}

// refuse tells the calls when to come again. So that they do not come all at
// once, each is told its place in a line that moves at the limit's rate.
func (l *Limiter) refuse(g *gate, batch []*caller, free time.Time, interval time.Duration) {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	batch = append(batch, g.queue...)
	g.queue = nil
	if last := now.Add(longestQueue); g.line.After(last) {
		g.line = last
	}
	if free.After(g.line) {
		g.line = free
	}
	for _, c := range batch {
		c.answer <- permit{refused: max(g.line.Sub(now), time.Millisecond)}
		g.line = g.line.Add(interval)
	}
}

// alone lets calls through at a part of the rate, because nobody knows what
// the other replicas use.
func (l *Limiter) alone(ctx context.Context, g *gate, batch []*caller, rate core.Rate, cause error) {
	now := l.clock.Now()
	interval := alonePart * max(rate.Interval, time.Millisecond)
	oldest := now.Add(-time.Duration(max(rate.Burst/alonePart, min(rate.Burst, aloneBurst), 1)-1) * interval)
	l.mu.Lock()
	if !errors.Is(cause, errRest) && !l.lost {
		l.lost = true
		l.log.WarnContext(ctx, "limits without the store: a part of the rate", "err", cause)
	}
	if g.alone.Before(oldest) {
		g.alone = oldest
	}
	served := 0
	for _, c := range batch {
		if g.alone.After(now.Add(limitPatience)) {
			break
		}
		c.answer <- permit{at: g.alone}
		g.alone = g.alone.Add(interval)
		served++
	}
	free := g.alone
	l.mu.Unlock()
	if served < len(batch) {
		l.refuse(g, batch[served:], free, interval)
	}
}

// until waits for the time of a permit, and asks whether the limit was closed
// meanwhile.
func (l *Limiter) until(ctx context.Context, name string, at time.Time) error {
	if wait := at.Sub(l.clock.Now()); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.names[name]
	if !ok {
		return nil
	}
	if wait := g.closed.Sub(l.clock.Now()); wait > 0 {
		return limited(wait)
	}
	return nil
}

// errRest says that the store is left alone for a moment.
var errRest = errors.New("store did not answer just now")

// ask asks the store, but waits only a moment for the answer, whatever the
// store does. While a question is unanswered, and for a while after a failed
// one, it is not asked.
func ask[T any](ctx context.Context, l *Limiter, question func(ctx context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	l.mu.Lock()
	rest := l.pending > 0 || l.clock.Now().Before(l.restUntil)
	l.mu.Unlock()
	if rest {
		return none, errRest
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limitStoreTimeout)
	answered := make(chan answer, 1)
	go func() {
		defer cancel()
		value, err := question(ctx)
		answered <- answer{value, err}
	}()
	timer := time.NewTimer(limitStoreTimeout)
	defer timer.Stop()
	select {
	case a := <-answered:
		l.heard(a.err)
		return a.value, a.err
	case <-timer.C:
	}
	l.mu.Lock()
	l.pending++
	l.mu.Unlock()
	go func() {
		<-answered
		l.mu.Lock()
		l.pending--
		l.mu.Unlock()
	}()
	l.heard(context.DeadlineExceeded)
	return none, context.DeadlineExceeded
}

// heard notes how the store answered.
func (l *Limiter) heard(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || errors.Is(err, core.ErrUnmet) {
		l.lost = false
		return
	}
	l.restUntil = l.clock.Now().Add(limitStoreRest)
}
