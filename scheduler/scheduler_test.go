package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type result struct {
	job     string
	started time.Time
	outcome string
	live    bool
}

// memory is a store that several schedulers share.
type memory struct {
	mu       sync.Mutex
	slots    map[string]int
	won      int
	claimErr error
	saveErr  error
	results  chan result
	// claims gets true for a slot that was won, false for one that was not.
	claims chan bool
}

var _ Store = (*memory)(nil)

func newMemory() *memory {
	return &memory{slots: map[string]int{}, results: make(chan result, 10_000), claims: make(chan bool, 10_000)}
}

func (m *memory) ClaimSlot(_ context.Context, job string, slot int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.claimErr != nil {
		m.claims <- false
		return false, m.claimErr
	}
	name := fmt.Sprintf("%s/%d", job, slot)
	m.slots[name]++
	first := m.slots[name] == 1
	if first {
		m.won++
	}
	m.claims <- first
	return first, nil
}

func (m *memory) SaveJobResult(ctx context.Context, job string, started time.Time, took time.Duration, outcome string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.results <- result{job: job, started: started, outcome: outcome, live: ctx.Err() == nil && took >= 0}
	return m.saveErr
}

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

type machine struct{}

func (machine) Now() time.Time { return time.Now().UTC() }

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// within fails the test when nothing comes for long.
func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newTestScheduler(t *testing.T, store Store, jobs ...Job) *Scheduler {
	t.Helper()
	s, err := New(store, machine{}, quietLog(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *Scheduler) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestRunAllStoresHowItWent(t *testing.T) {
	t.Parallel()
	run := func(outcome string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return outcome, err }
	}
	tests := []struct {
		name, want string
		run        func(context.Context) (string, error)
	}{
		{"silent", OutcomeOK, run("", nil)},
		{"told", "3 expired", run("3 expired", nil)},
		{"failed", "failed: provider unreachable", run("2 read", errors.New("provider unreachable"))},
		{"panicked", "failed: panic: at the wrong time", func(context.Context) (string, error) { panic("at the wrong time") }},
		{"too long", "failed: context deadline exceeded", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}},
		{"after all that", OutcomeOK, run("", nil)},
	}
	jobs := make([]Job, 0, len(tests))
	for _, tt := range tests {
		job := Job{Name: tt.name, Every: time.Hour, Timeout: time.Minute, Run: tt.run}
		if tt.name == "too long" {
			job.Timeout = time.Millisecond
		}
		jobs = append(jobs, job)
	}
	store := newMemory()
	// A result that cannot be stored stops nothing.
	store.saveErr = errors.New("store away")
	s, err := New(store, fixed(start), quietLog(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	s.RunAll(t.Context())
	for _, tt := range tests {
		got := within(t, "a result", store.results)
		if want := (result{job: tt.name, started: start, outcome: tt.want, live: true}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if len(store.slots) != 0 {
		t.Error("RunAll asked for slots")
	}
}

// The result is stored although the run's own context has ended.
func TestRunAllStoresAfterTheEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	store := newMemory()
	s := newTestScheduler(t, store, Job{
		Name: "ends", Every: time.Hour, Timeout: time.Minute,
		Run: func(ctx context.Context) (string, error) {
			cancel()
			return "", ctx.Err()
		},
	})
	defer stop(t, s)
	s.RunAll(ctx)
	if got := within(t, "the result", store.results); !got.live || got.outcome != "failed: context canceled" {
		t.Errorf("got %+v", got)
	}
}

const tick = 40 * time.Millisecond

func TestAPanicStopsNothing(t *testing.T) {
	t.Parallel()
	store := newMemory()
	s := newTestScheduler(
		t, store,
		Job{Name: "panics", Every: tick, Timeout: time.Second, Run: func(context.Context) (string, error) { panic("again") }},
		Job{Name: "works", Every: tick, Timeout: time.Second, Run: func(context.Context) (string, error) { return "", nil }},
	)
	s.Start()
	defer stop(t, s)
	seen := map[string]int{}
	for seen["panics"] < 3 || seen["works"] < 3 {
		r := within(t, "a result", store.results)
		seen[r.job]++
		if want := map[string]string{"panics": "failed: panic: again", "works": OutcomeOK}[r.job]; r.outcome != want {
			t.Fatalf("%s: %q", r.job, r.outcome)
		}
	}
}

// Two replicas share the slots: each is run by one of them, once.
func TestTwoReplicasRunASlotOnce(t *testing.T) {
	t.Parallel()
	store := newMemory()
	job := Job{Name: "shared", Every: tick, Timeout: time.Second, Run: func(context.Context) (string, error) { return "", nil }}
	a, b := newTestScheduler(t, store, job), newTestScheduler(t, store, job)
	a.Start()
	b.Start()
	lost, ran := 0, 0
	for lost < 3 || ran < 5 {
		select {
		case won := <-store.claims:
			if !won {
				lost++
			}
		case <-store.results:
			ran++
		case <-time.After(20 * time.Second):
			t.Fatalf("%d slots lost, %d run", lost, ran)
		}
	}
	stop(t, a)
	stop(t, b)
	ran += len(store.results)
	store.mu.Lock()
	defer store.mu.Unlock()
	// A slot that is won while everything stops may stay undone.
	if ran > store.won || ran < store.won-2 {
		t.Errorf("%d runs of %d slots", ran, store.won)
	}
}

func TestALostStoreRunsNothing(t *testing.T) {
	t.Parallel()
	store := newMemory()
	store.claimErr = errors.New("store away")
	var log lines
	s, err := New(store, machine{}, slog.New(slog.NewTextHandler(&log, nil)), []Job{{
		Name: "idle", Every: tick, Timeout: time.Second,
		Run: func(context.Context) (string, error) { return "", nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	for range 3 {
		within(t, "a claim", store.claims)
	}
	stop(t, s)
	if n := len(store.results); n != 0 {
		t.Errorf("%d runs without a slot", n)
	}
	if got := log.String(); !strings.Contains(got, "store away") || !strings.Contains(got, "job=idle") {
		t.Errorf("log: %s", got)
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A slot that another replica has is no reason for a line in the log.
func TestALostSlotIsQuiet(t *testing.T) {
	t.Parallel()
	store := newMemory()
	var log lines
	// The clock stands still: there is one slot for ever.
	s, err := New(store, fixed(start), slog.New(slog.NewTextHandler(&log, nil)), []Job{{
		Name: "once", Every: tick, Timeout: time.Second,
		Run: func(context.Context) (string, error) { return "", nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	var claims []bool
	for range 4 {
		claims = append(claims, within(t, "a claim", store.claims))
	}
	stop(t, s)
	if !slices.Equal(claims, []bool{true, false, false, false}) || len(store.results) != 1 {
		t.Errorf("claims %v, %d runs", claims, len(store.results))
	}
	if got := log.String(); got != "" {
		t.Errorf("log: %s", got)
	}
}

// Stop tells a run that it is over, waits for it, and stores how it ended.
func TestStopEndsWhatRuns(t *testing.T) {
	t.Parallel()
	store := newMemory()
	begun := make(chan struct{}, 100)
	s := newTestScheduler(t, store, Job{
		Name: "long", Every: tick, Timeout: time.Hour,
		Run: func(ctx context.Context) (string, error) {
			begun <- struct{}{}
			<-ctx.Done()
			return "", ctx.Err()
		},
	})
	s.Start()
	within(t, "the run", begun)
	stop(t, s)
	if got := within(t, "the result", store.results); got.outcome != "failed: context canceled" || !got.live {
		t.Errorf("got %+v", got)
	}
	if len(begun) != 0 {
		t.Error("a second run began while the first was going on")
	}
}

func TestNewRefusesAJobWithoutAPeriod(t *testing.T) {
	t.Parallel()
	_, err := New(newMemory(), machine{}, quietLog(), []Job{
		{Name: "good", Every: time.Hour}, {Name: "endless", Every: 0},
	})
	if err == nil || !strings.Contains(err.Error(), "schedule endless") {
		t.Errorf("got %v", err)
	}
}

// Ticks lie on multiples of the period by the shared clock, however far the
// machine's own clock is off, so that all replicas mean the same slot.
func TestTicksLieOnTheSharedClock(t *testing.T) {
	t.Parallel()
	const off = 10*time.Minute + 17*time.Second
	s, err := New(newMemory(), ahead(off), quietLog(), []Job{{
		Name: "hourly", Every: time.Hour, Timeout: time.Second,
		Run: func(context.Context) (string, error) { return "", nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer stop(t, s)
	next, err := s.cron.Jobs()[0].NextRun()
	if err != nil {
		t.Fatal(err)
	}
	shared := next.Add(off)
	if apart := shared.Sub(shared.Round(time.Hour)).Abs(); apart > 5*time.Second {
		t.Errorf("the next tick is %v from the full hour", apart)
	}
	if until := time.Until(next); until <= 0 || until > time.Hour {
		t.Errorf("the next tick is in %v", until)
	}
}

// ahead is a clock that is off from the machine's.
type ahead time.Duration

func (a ahead) Now() time.Time { return time.Now().Add(time.Duration(a)).UTC() }

func TestSlotOfATick(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		at   time.Duration
		slot time.Duration
	}{
		{"on the boundary", 0, 0},
		{"a little late", 2 * time.Second, 0},
		{"a little early", -2 * time.Second, 0},
		{"the next one", 15 * time.Second, 15 * time.Second},
		{"early for the next one", 13 * time.Second, 15 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := newMemory()
			l := slotLocker{store: store, clock: fixed(start.Add(tt.at)), period: 15 * time.Second}
			lock, err := l.Lock(t.Context(), "job")
			if err != nil {
				t.Fatal(err)
			}
			if err := lock.Unlock(t.Context()); err != nil {
				t.Error(err)
			}
			want := fmt.Sprintf("job/%d", start.Add(tt.slot).UnixMilli())
			if store.slots[want] != 1 {
				t.Errorf("slots %v, want %s", store.slots, want)
			}
			// Unlocking gives nothing back.
			if _, err := l.Lock(t.Context(), "job"); !errors.Is(err, errClaimed) {
				t.Errorf("the slot was given twice: %v", err)
			}
		})
	}
}
