package discord

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/laurelbot/laurel/core"
)

// localPatience is the longest wait for the pace of one process.
const localPatience = 2 * time.Second

// localPace keeps limits for this process alone, where nothing is shared. It
// knows few names: routes are kept by what their answers say.
type localPace struct {
	mu     sync.Mutex
	limits map[string]*localLimit
}

type localLimit struct {
	pace   *rate.Limiter
	closed time.Time
}

var _ core.Limiter = (*localPace)(nil)

func newLocalPace() *localPace { return &localPace{limits: map[string]*localLimit{}} }

func (p *localPace) limit(name string) *localLimit {
	l := p.limits[name]
	if l == nil {
		l = &localLimit{}
		p.limits[name] = l
	}
	return l
}

// Wait implements [core.Limiter].
func (p *localPace) Wait(ctx context.Context, name string, r core.Rate) error {
	wait := p.reserve(name, r, time.Now())
	if wait > localPatience {
		return limited(wait, name == limitGlobal)
	}
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve returns the wait for the next permit; it takes none when that is
// longer than anybody waits.
func (p *localPace) reserve(name string, r core.Rate, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limit(name)
	if wait := l.closed.Sub(now); wait > localPatience {
		return wait
	}
	if l.pace == nil {
		l.pace = rate.NewLimiter(rate.Every(r.Interval), r.Burst)
	}
	permit := l.pace.ReserveN(now, 1)
	wait := max(permit.DelayFrom(now), l.closed.Sub(now))
	if wait > localPatience {
		permit.CancelAt(now)
	}
	return wait
}

// Close implements [core.Limiter].
func (p *localPace) Close(_ context.Context, name string, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limit(name)
	l.closed = later(l.closed, time.Now().Add(after))
}
