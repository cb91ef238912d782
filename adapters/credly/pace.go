package credly

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/laurelbot/laurel/core"
)

const (
	// paceBurst lets a claim's few requests go at once after a quiet while.
	paceBurst = 3
	// sweepShare is the part of the requests that sweeps may take.
	sweepShare = 2.0 / 3
	// maxTurn is the longest wait for a turn.
	maxTurn = 30 * time.Second
	// maxPause bounds what a Retry-After can ask for.
	maxPause = time.Hour
)

var (
	errBusy   = errors.New("too many requests waiting")
	errPaused = errors.New("paused at credly's request")
)

// pacer spaces requests. It runs on real time, whatever clock is injected
// elsewhere: it is about what the network carries.
type pacer struct {
	all, sweeps *rate.Limiter

	mu    sync.Mutex
	until time.Time
}

func newPacer(perSecond float64) *pacer {
	return &pacer{
		all:    rate.NewLimiter(rate.Limit(perSecond), paceBurst),
		sweeps: rate.NewLimiter(rate.Limit(perSecond*sweepShare), 1),
	}
}

// wait returns when the request may be sent. A long wait is not spent here
// but returned as a [core.RetryAfterError].
func (p *pacer) wait(ctx context.Context, background bool) error {
	if background {
		if err := turn(ctx, p.sweeps); err != nil {
			return err
		}
	}
	if err := turn(ctx, p.all); err != nil {
		return err
	}
	p.mu.Lock()
	left := time.Until(p.until)
	p.mu.Unlock()
	if left > 0 {
		return &core.RetryAfterError{After: left, Err: errPaused}
	}
	return nil
}

// pause holds back all requests for d.
func (p *pacer) pause(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.until) {
		p.until = until
	}
}

func turn(ctx context.Context, l *rate.Limiter) error {
	r := l.Reserve()
	d := r.Delay()
	if d == 0 {
		return nil
	}
	if d > maxTurn {
		r.Cancel()
		return &core.RetryAfterError{After: d, Err: errBusy}
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		r.Cancel()
		return fmt.Errorf("wait for turn: %w", ctx.Err())
	}
}
