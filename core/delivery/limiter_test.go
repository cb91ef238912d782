package delivery

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
)

// permits is a limit store in memory, by its contract.
type permits struct {
	mu    sync.Mutex
	next  map[string]time.Time
	asked int
	// sizes are the numbers of permits that were asked for.
	sizes  []int
	closed map[string]time.Time
	err    error
	// gate, when not nil, keeps questions waiting; began is told of each.
	gate, began chan struct{}
}

var _ core.LimitStore = (*permits)(nil)

func newPermits() *permits {
	return &permits{next: map[string]time.Time{}, closed: map[string]time.Time{}, began: make(chan struct{}, 1000)}
}

func (p *permits) TakePermits(_ context.Context, name string, now time.Time, n int, rate core.Rate, patience time.Duration) (time.Time, error) {
	p.began <- struct{}{}
	if p.gate != nil {
		<-p.gate
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	p.sizes = append(p.sizes, n)
	if p.err != nil {
		return time.Time{}, p.err
	}
	first := now.Add(-time.Duration(rate.Burst-1) * rate.Interval)
	if p.next[name].After(first) {
		first = p.next[name]
	}
	if first.After(now.Add(patience)) {
		return first, core.ErrUnmet
	}
	p.next[name] = first.Add(time.Duration(n) * rate.Interval)
	return first, nil
}

func (p *permits) CloseLimit(_ context.Context, name string, until time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if until.After(p.next[name]) {
		p.next[name] = until
	}
	p.closed[name] = until
	return nil
}

// hand is a clock that is moved by hand.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// told returns the wait that an error names.
func told(t *testing.T, err error) time.Duration {
	t.Helper()
	var d *core.DeliveryError
	if !errors.As(err, &d) || d.Class != core.RetryLater || d.After <= 0 {
		t.Fatalf("error %v", err)
	}
	return d.After
}

func TestLimiterLetsBurstThroughAndThenNamesTimes(t *testing.T) {
	t.Parallel()
	clock := &hand{now: start}
	l := NewLimiter(newPermits(), clock, quietLog())
	rate := core.Rate{Interval: time.Second, Burst: 3}
	for i := range 3 {
		if err := l.Wait(t.Context(), "a", rate); err != nil {
			t.Fatalf("call %d of the burst: %v", i, err)
		}
	}
	// Each of those that come too early is told a time of its own.
	for i := 1; i <= 3; i++ {
		if after := told(t, l.Wait(t.Context(), "a", rate)); after != time.Duration(i)*time.Second {
			t.Errorf("call %d waits %v", i, after)
		}
	}
	if err := l.Wait(t.Context(), "b", rate); err != nil {
		t.Errorf("another limit: %v", err)
	}
	clock.move(time.Second)
	if err := l.Wait(t.Context(), "a", rate); err != nil {
		t.Errorf("when it is time: %v", err)
	}
	if after := told(t, l.Wait(t.Context(), "a", rate)); after < time.Second {
		t.Errorf("again after %v", after)
	}
	// However many wait, nobody is sent away for long.
	for range 100 {
		if after := told(t, l.Wait(t.Context(), "a", rate)); after > longestQueue {
			t.Fatalf("waits %v", after)
		}
	}
}

// Calls that wait while the store is asked share the next question.
func TestLimiterSharesQuestions(t *testing.T) {
	t.Parallel()
	// A question is given up after a moment, in which a busy machine may not
	// have let everybody join the queue: then it begins again.
	for range 20 {
		if sharesQuestions(t) {
			return
		}
	}
	t.Error("seventeen calls never came together")
}

// sharesQuestions lets calls wait for one question, and reports whether they
// came before it was given up.
func sharesQuestions(t *testing.T) bool {
	t.Helper()
	store := newPermits()
	store.gate = make(chan struct{})
	l := NewLimiter(store, &hand{now: start}, quietLog())
	rate := core.Rate{Interval: 10 * time.Millisecond, Burst: 100}
	errs := make(chan error, 17)
	call := func() { errs <- l.Wait(t.Context(), "a", rate) }
	go call()
	within(t, "the first question", store.began)
	for range 16 {
		go call()
	}
	lost := false
	for waiting := 0; waiting < 16 && !lost; {
		l.mu.Lock()
		waiting, lost = len(l.names["a"].queue), l.lost
		l.mu.Unlock()
	}
	close(store.gate)
	served := true
	for range 17 {
		served = within(t, "a permit", errs) == nil && served
	}
	l.mu.Lock()
	lost = lost || l.lost
	l.mu.Unlock()
	if lost {
		return false
	}
	if !served {
		t.Error("a call was refused")
	}
	if want := []int{1, 8, 8}; !slices.Equal(store.sizes, want) {
		t.Errorf("asked for %v permits, want %v", store.sizes, want)
	}
	return true
}

// Of a slow limit no more is asked for than can be used in time.
func TestLimiterTakesNoPermitItCannotUse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		interval := time.Duration(rapid.IntRange(1, 2000).Draw(rt, "ms")) * time.Millisecond
		n := rapid.IntRange(1, 40).Draw(rt, "calls")
		l := NewLimiter(newPermits(), &hand{now: start}, quietLog())
		g := l.gate("a")
		for range n {
			g.queue = append(g.queue, &caller{ctx: context.Background(), rate: core.Rate{Interval: interval}})
		}
		for left := n; left > 0; {
			batch := len(l.next(g))
			if batch < 1 || batch > permitBatch || time.Duration(batch-1)*interval > limitPatience {
				rt.Fatalf("%d at once at an interval of %v", batch, interval)
			}
			left -= batch
		}
	})
}

func TestLimiterClose(t *testing.T) {
	t.Parallel()
	store, clock := newPermits(), &hand{now: start}
	here, there := NewLimiter(store, clock, quietLog()), NewLimiter(store, clock, quietLog())
	rate := core.Rate{Interval: time.Millisecond, Burst: 10}
	here.Close(t.Context(), "a", time.Minute)
	here.Close(t.Context(), "a", time.Second)
	for name, l := range map[string]*Limiter{"here": here, "there": there} {
		if after := told(t, l.Wait(t.Context(), "a", rate)); after < time.Minute {
			t.Errorf("%s: again after %v", name, after)
		}
		if err := l.Wait(t.Context(), "b", rate); err != nil {
			t.Errorf("%s: another limit: %v", name, err)
		}
	}
	clock.move(time.Minute)
	for name, l := range map[string]*Limiter{"here": here, "there": there} {
		if err := l.Wait(t.Context(), "a", rate); err != nil {
			t.Errorf("%s: after its time: %v", name, err)
		}
	}
	// Without the store it still holds in this process.
	store.err = core.ErrUnavailable
	here.Close(t.Context(), "a", time.Minute)
	if after := told(t, here.Wait(t.Context(), "a", rate)); after != time.Minute {
		t.Errorf("again after %v", after)
	}
}

// What waits within the process when the limit is closed does not go out.
func TestLimiterCloseReachesThoseWhoWait(t *testing.T) {
	t.Parallel()
	store, clock := newPermits(), &hand{now: start}
	l := NewLimiter(store, clock, quietLog())
	l.Close(t.Context(), "a", time.Minute)
	if after := told(t, l.until(t.Context(), "a", start.Add(time.Millisecond))); after != time.Minute {
		t.Errorf("again after %v", after)
	}
}

func TestLimiterWithoutStore(t *testing.T) {
	t.Parallel()
	store, clock := newPermits(), &hand{now: start}
	store.err = core.ErrUnavailable
	l := NewLimiter(store, clock, quietLog())
	rate := core.Rate{Interval: time.Second, Burst: 36}
	// A twelfth of the burst, and then a twelfth of the rate.
	for i := range 3 {
		if err := l.Wait(t.Context(), "a", rate); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	if after := told(t, l.Wait(t.Context(), "a", rate)); after != 12*time.Second {
		t.Errorf("again after %v", after)
	}
	if store.asked != 1 {
		t.Errorf("a lost store was asked %d times", store.asked)
	}
	clock.move(limitStoreRest)
	store.err = nil
	if err := l.Wait(t.Context(), "b", rate); err != nil || store.asked != 2 {
		t.Errorf("asked %d times once the store is back: %v", store.asked, err)
	}
}

// A store that does not answer at all costs a call a moment, and the next
// ones nothing.
func TestLimiterWithFrozenStore(t *testing.T) {
	t.Parallel()
	store, clock := newPermits(), &hand{now: start}
	store.gate = make(chan struct{})
	l := NewLimiter(store, clock, quietLog())
	rate := core.Rate{Interval: time.Second, Burst: 36}
	for range 3 {
		if err := l.Wait(t.Context(), "a", rate); err != nil {
			t.Fatal(err)
		}
		// The rest after a failure is over, the question still unanswered.
		clock.move(limitStoreRest)
	}
	if n := len(store.began); n != 1 {
		t.Errorf("asked %d times", n)
	}
	close(store.gate)
}

func TestLimiterEndsWithContext(t *testing.T) {
	t.Parallel()
	store := newPermits()
	store.gate = make(chan struct{})
	l := NewLimiter(store, &hand{now: start}, quietLog())
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 1)
	go func() { errs <- l.Wait(ctx, "a", core.Rate{Interval: time.Second, Burst: 1}) }()
	within(t, "the question", store.began)
	cancel()
	if err := within(t, "the end", errs); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(store.gate)
	if err := l.Wait(ctx, "a", core.Rate{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLimiterForgetsOldNames(t *testing.T) {
	t.Parallel()
	clock := &hand{now: start}
	l := NewLimiter(newPermits(), clock, quietLog())
	l.Close(t.Context(), "kept", 48*time.Hour)
	for i := range 5 * keptNames {
		l.mu.Lock()
		l.gate(string(rune(i)))
		l.mu.Unlock()
	}
	if n := len(l.names); n > 2*keptNames+1 || l.names["kept"].closed.IsZero() {
		t.Errorf("%d names are remembered", n)
	}
}
