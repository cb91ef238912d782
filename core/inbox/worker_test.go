package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/laurelbot/laurel/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// outcome is what became of one item.
type outcome struct {
	done  bool
	at    time.Time
	cause string
}

// memory is a store that keeps everything in memory.
type memory struct {
	mu       sync.Mutex
	items    []Item
	known    map[string]bool
	outcomes map[int64]outcome
	takes    int
	takeErr  error
	storeErr error
	// stored gets every outcome.
	stored chan int64
	// looked gets a value for every look at the store that found nothing.
	looked chan struct{}
}

var _ Store = (*memory)(nil)

func newMemory(items ...Item) *memory {
	m := &memory{
		known: map[string]bool{}, outcomes: map[int64]outcome{},
		stored: make(chan int64, 1000), looked: make(chan struct{}, 1000),
	}
	for i, item := range items {
		if item.ID == 0 {
			item.ID = int64(i + 1)
		}
		if item.Attempts == 0 {
			item.Attempts = 1
		}
		m.items = append(m.items, item)
	}
	return m
}

func (m *memory) Receive(_ context.Context, msg Message) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.storeErr != nil {
		return false, m.storeErr
	}
	name := msg.Source + "/" + msg.Key
	if m.known[name] {
		return false, nil
	}
	m.known[name] = true
	m.items = append(m.items, Item{ID: int64(1000 + len(m.known)), Message: msg, Attempts: 1})
	return true, nil
}

func (m *memory) ReceiveAll(ctx context.Context, messages []Message) ([]bool, error) {
	isNew := make([]bool, len(messages))
	for i, msg := range messages {
		var err error
		if isNew[i], err = m.Receive(ctx, msg); err != nil {
			return nil, err
		}
	}
	return isNew, nil
}

func (m *memory) TakeItems(_ context.Context, _ time.Time, n int, _ time.Duration) ([]Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takes++
	if m.takeErr != nil {
		m.looked <- struct{}{}
		return nil, m.takeErr
	}
	slices.SortStableFunc(m.items, func(a, b Item) int {
		return cmp.Compare(a.Message.Kind.Priority(), b.Message.Kind.Priority())
	})
	n = min(n, len(m.items))
	taken := slices.Clone(m.items[:n])
	m.items = m.items[n:]
	if n == 0 {
		m.looked <- struct{}{}
	}
	return taken, nil
}

func (m *memory) finish(ctx context.Context, id int64, o outcome) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmp.Or(m.storeErr, ctx.Err()); err != nil {
		return err
	}
	m.outcomes[id] = o
	m.stored <- id
	return nil
}

func (m *memory) FinishItem(ctx context.Context, id int64, now time.Time) error {
	return m.finish(ctx, id, outcome{done: true, at: now})
}

func (m *memory) RetryItem(ctx context.Context, id int64, at time.Time, cause string) error {
	return m.finish(ctx, id, outcome{at: at, cause: cause})
}

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

func newTestWorker(store Store, handlers map[Kind]Handler) *Worker {
	return NewWorker(store, fixed(start), slog.New(slog.DiscardHandler), handlers)
}

func answering(err error) Handler {
	return func(context.Context, Item) error { return err }
}

func TestOnceStoresWhatBecameOfAnItem(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, tt := range []struct {
		name     string
		handler  Handler
		attempts int
		done     bool
		parked   bool
		// least and most are the limits of the wait.
		least, most time.Duration
		cause       string
	}{
		{name: "done", handler: answering(nil), done: true},
		{name: "first failure", handler: answering(broken), least: 2 * time.Second, most: 2400 * time.Millisecond, cause: "broken"},
		{name: "second failure", handler: answering(broken), attempts: 2, least: 5 * time.Second, most: 6 * time.Second, cause: "broken"},
		{name: "third failure", handler: answering(broken), attempts: 3, least: 12500 * time.Millisecond, most: 15 * time.Second, cause: "broken"},
		{name: "late failure", handler: answering(broken), attempts: maxAttempts - 1, least: longestWait, most: longestWait * 6 / 5, cause: "broken"},
		{name: "last failure", handler: answering(broken), attempts: maxAttempts, parked: true, cause: "broken"},
		{
			name: "named wait", handler: answering(fmt.Errorf("ask: %w", &core.RetryAfterError{After: 7 * time.Minute, Err: broken})),
			least: 7 * time.Minute, most: 7 * time.Minute, cause: "ask: broken",
		},
		{
			name: "named wait below the usual one", handler: answering(&core.RetryAfterError{After: time.Millisecond, Err: broken}),
			attempts: 3, least: 12500 * time.Millisecond, most: 15 * time.Second, cause: "broken",
		},
		{name: "cannot be worked off", handler: answering(fmt.Errorf("%w: bad payload", ErrPark)), parked: true, cause: "cannot be worked off: bad payload"},
		{name: "refused", handler: answering(fmt.Errorf("issue: %w", core.ErrRefused)), parked: true, cause: "issue: refused by the provider"},
		{name: "no such handler", parked: true, cause: `cannot be worked off: no handler for "badge.issue"`},
		{
			name: "panic", handler: func(context.Context, Item) error { panic("at the wrong time") },
			least: 2 * time.Second, most: 2400 * time.Millisecond, cause: "panic: at the wrong time",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			handlers := map[Kind]Handler{}
			if tt.handler != nil {
				handlers[KindIssue] = tt.handler
			}
			store := newMemory(Item{Message: Message{Kind: KindIssue, Payload: "h1"}, Attempts: tt.attempts})
			n, err := newTestWorker(store, handlers).Once(t.Context())
			if n != 1 || err != nil {
				t.Fatalf("worked off %d, %v", n, err)
			}
			got, stored := store.outcomes[1]
			if !stored || got.done != tt.done || got.cause != tt.cause {
				t.Fatalf("outcome %+v, stored %v", got, stored)
			}
			if tt.parked != (!tt.done && got.at.IsZero()) {
				t.Fatalf("parked: %+v", got)
			}
			if wait := got.at.Sub(start); !tt.parked && (wait < tt.least || wait > tt.most) {
				t.Errorf("waits %v, want %v to %v", wait, tt.least, tt.most)
			}
		})
	}
}

// A panic or a refusal of one item touches no other of the same batch.
func TestOnceWorksOffABatchTogether(t *testing.T) {
	t.Parallel()
	const n = takeItems
	items := make([]Item, n)
	for i := range items {
		items[i].Message = Message{Kind: KindIssue, Payload: fmt.Sprint(i)}
	}
	items[3].Message.Payload = "panic"
	store := newMemory(items...)
	// Each handler waits until all are there: one after the other would never
	// end.
	var all sync.WaitGroup
	all.Add(n)
	w := newTestWorker(store, map[Kind]Handler{KindIssue: func(_ context.Context, item Item) error {
		all.Done()
		all.Wait()
		if item.Message.Payload == "panic" {
			panic("one of them")
		}
		return nil
	}})
	if got, err := w.Once(t.Context()); got != n || err != nil {
		t.Fatalf("worked off %d, %v", got, err)
	}
	done := 0
	for _, o := range store.outcomes {
		if o.done {
			done++
		}
	}
	if len(store.outcomes) != n || done != n-1 {
		t.Errorf("%d outcomes, %d done", len(store.outcomes), done)
	}
}

// What was begun is stored although the worker is to stop, and although the
// handler used up its own time.
func TestOnceStoresAfterItsContextEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	store := newMemory(Item{Message: Message{Kind: KindIssue}})
	w := newTestWorker(store, map[Kind]Handler{KindIssue: func(ctx context.Context, _ Item) error {
		cancel()
		if _, limited := ctx.Deadline(); !limited {
			t.Error("the handler has all the time of the world")
		}
		return ctx.Err()
	}})
	if n, err := w.Once(ctx); n != 1 || err != nil {
		t.Fatalf("worked off %d, %v", n, err)
	}
	if o := store.outcomes[1]; !o.done {
		t.Errorf("outcome %+v", o)
	}
}

func TestOnceTellsThatTheStoreIsAway(t *testing.T) {
	t.Parallel()
	store := newMemory()
	store.takeErr = core.ErrUnavailable
	if n, err := newTestWorker(store, nil).Once(t.Context()); n != 0 || !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("got %d, %v", n, err)
	}
	// An outcome that cannot be stored is not the end: the lease brings it
	// back.
	store = newMemory(Item{Message: Message{Kind: KindIssue}})
	store.storeErr = core.ErrUnavailable
	if n, err := newTestWorker(store, map[Kind]Handler{KindIssue: answering(nil)}).Once(t.Context()); n != 1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestPriorities(t *testing.T) {
	t.Parallel()
	order := [][]Kind{
		{KindIssue},
		{KindReadPerson, KindInstallationEnded},
		{KindProviderEvent, KindPortalEvent},
		{KindReplace, KindRevoke, Kind("new")},
	}
	for want, kinds := range order {
		for _, k := range kinds {
			if got := k.Priority(); got != want {
				t.Errorf("%s has priority %d, want %d", k, got, want)
			}
		}
	}
}

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

func TestReceiveNudgesOnce(t *testing.T) {
	t.Parallel()
	store := newMemory()
	w := newTestWorker(store, nil)
	m := Message{Source: "credly", Key: "e1", Kind: KindProviderEvent}
	for i, want := range []bool{true, false} {
		isNew, err := w.Receive(t.Context(), m)
		if err != nil || isNew != want {
			t.Errorf("receiving %d: %v, %v", i, isNew, err)
		}
		if nudged := len(w.nudge) == 1; nudged != want {
			t.Errorf("receiving %d nudged: %v", i, nudged)
		}
		for len(w.nudge) > 0 {
			<-w.nudge
		}
	}
	store.storeErr = core.ErrUnavailable
	if _, err := w.Receive(t.Context(), Message{Key: "e2"}); !errors.Is(err, core.ErrUnavailable) || len(w.nudge) != 0 {
		t.Errorf("got %v, nudged %d", err, len(w.nudge))
	}
	// Nudging a worker that is busy waits for nothing.
	for range 3 {
		w.Nudge()
	}
}

func TestRunWorksUntilItIsStopped(t *testing.T) {
	t.Parallel()
	items := make([]Item, 2*takeItems+1)
	for i := range items {
		items[i].Message.Kind = KindReadPerson
	}
	store := newMemory(items...)
	release, begun := make(chan struct{}), make(chan struct{})
	w := newTestWorker(store, map[Kind]Handler{
		KindReadPerson: answering(nil),
		KindIssue: func(context.Context, Item) error {
			close(begun)
			<-release
			return nil
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		w.Run(ctx)
		close(ended)
	}()
	for range items {
		within(t, "an outcome", store.stored)
	}
	within(t, "the look that finds nothing", store.looked)
	if _, err := w.Receive(ctx, Message{Source: "s", Key: "k", Kind: KindIssue}); err != nil {
		t.Fatal(err)
	}
	within(t, "the received item", begun)
	cancel()
	select {
	case <-ended:
		t.Error("Run left an item that was begun")
	default:
	}
	close(release)
	within(t, "the end of Run", ended)
	id := within(t, "the last outcome", store.stored)
	if o := store.outcomes[id]; !o.done {
		t.Errorf("outcome %+v", o)
	}
}

// A store that is away is asked again, a while later.
func TestRunSurvivesALostStore(t *testing.T) {
	t.Parallel()
	store := newMemory(Item{Message: Message{Kind: KindIssue}})
	store.takeErr = core.ErrUnavailable
	w := newTestWorker(store, map[Kind]Handler{KindIssue: answering(nil)})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		w.Run(ctx)
		close(ended)
	}()
	within(t, "the first look", store.looked)
	store.mu.Lock()
	store.takeErr = nil
	store.mu.Unlock()
	w.Nudge()
	within(t, "the outcome", store.stored)
	cancel()
	within(t, "the end of Run", ended)
}
