package delivery

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

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a store of lanes in memory. It hands out the head of each lane
// once, until its outcome is stored or its lease ran out.
type memory struct {
	core.PostStore
	mu        sync.Mutex
	queue     []Delivery
	busy      map[string]time.Time
	outcomes  []Outcome
	takes     int
	lease     time.Duration
	takeErr   error
	finishErr error
	// poison is a delivery whose outcome cannot be stored, nor any with it.
	poison int64
	stored chan Outcome
	looked chan struct{}
	// refused gets a value for every outcome that could not be stored.
	refused chan struct{}
}

var _ Store = (*memory)(nil)

func newMemory(queue ...Delivery) *memory {
	for i := range queue {
		queue[i].ID = int64(i + 1)
	}
	return &memory{
		queue: queue, busy: map[string]time.Time{},
		stored: make(chan Outcome, 10_000), looked: make(chan struct{}, 10_000),
		refused: make(chan struct{}, 10_000),
	}
}

func (m *memory) TakeDeliveries(_ context.Context, now time.Time, n int, lease time.Duration, share Share) ([]Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takes++
	m.lease = lease
	if m.takeErr != nil {
		m.looked <- struct{}{}
		return nil, m.takeErr
	}
	var taken []Delivery
	count := map[string]int{}
	for i, d := range m.queue {
		if len(taken) == n {
			break
		}
		left, limited := share.Left(d.Tenant)
		if now.Before(m.busy[d.Lane]) || limited && count[d.Tenant] >= left {
			continue
		}
		count[d.Tenant]++
		m.busy[d.Lane] = now.Add(lease)
		m.queue[i].Attempts++
		taken = append(taken, m.queue[i])
	}
	if len(taken) == 0 {
		m.looked <- struct{}{}
	}
	return taken, nil
}

func (m *memory) FinishDeliveries(ctx context.Context, now time.Time, outcomes []Outcome) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	poisoned := slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Delivery.ID == m.poison })
	if poisoned && m.finishErr == nil {
		m.refused <- struct{}{}
		return false, errors.New("cannot be stored")
	}
	if err := or(m.finishErr, ctx.Err()); err != nil {
		m.refused <- struct{}{}
		return false, err
	}
	var lanes []string
	for _, o := range outcomes {
		lanes = append(lanes, o.Delivery.Lane)
		m.outcomes = append(m.outcomes, o)
		m.busy[o.Delivery.Lane] = now.Add(o.Pause)
		if o.State != StateReady {
			m.queue = slices.DeleteFunc(m.queue, func(d Delivery) bool { return d.ID == o.Delivery.ID })
		} else {
			m.busy[o.Delivery.Lane] = o.RetryAt
		}
		m.stored <- o
	}
	return slices.ContainsFunc(m.queue, func(d Delivery) bool { return slices.Contains(lanes, d.Lane) }), nil
}

func (m *memory) add(d Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.ID = int64(1000 + len(m.queue) + len(m.outcomes))
	m.queue = append(m.queue, d)
}

type senderFunc func(context.Context, Delivery) Outcome

func (f senderFunc) Send(ctx context.Context, d Delivery) Outcome { return f(ctx, d) }

func sent(_ context.Context, d Delivery) Outcome { return Outcome{Delivery: d, State: StateSent} }

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

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

// run starts a dispatcher; the returned function stops it and waits.
func run(t *testing.T, d *Dispatcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		d.Run(ctx)
		close(ended)
	}()
	stop = func() {
		t.Helper()
		cancel()
		within(t, "the end of Run", ended)
	}
	t.Cleanup(stop)
	return stop
}

func lanes(n int) []Delivery {
	out := make([]Delivery, n)
	for i := range out {
		out[i] = Delivery{Lane: fmt.Sprintf("lane-%d", i), Kind: KindPost}
	}
	return out
}

func TestRunServesManyLanesAtOnce(t *testing.T) {
	t.Parallel()
	store := newMemory(lanes(tenantSlots)...)
	// Nobody is served before all are: one after the other would never end.
	var all sync.WaitGroup
	all.Add(tenantSlots)
	run(t, NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		all.Done()
		all.Wait()
		return sent(ctx, d)
	})}, nil))
	for range tenantSlots {
		within(t, "an outcome", store.stored)
	}
}

func TestASlowLaneHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	queue := lanes(3 * tenantSlots)
	queue[0].Lane = "slow"
	queue = append(queue, Delivery{Lane: "slow", Kind: KindPost}, Delivery{Lane: "lane-1", Kind: KindPost})
	store := newMemory(queue...)
	release := make(chan struct{})
	stop := run(t, NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		if d.Lane == "slow" {
			<-release
		}
		return sent(ctx, d)
	})}, nil))
	for range len(queue) - 2 {
		if o := within(t, "an outcome of another lane", store.stored); o.Delivery.Lane == "slow" {
			t.Fatal("the slow lane was done")
		}
	}
	close(release)
	first, second := within(t, "the slow one", store.stored), within(t, "the one behind", store.stored)
	if first.Delivery.ID != 1 || second.Delivery.Lane != "slow" {
		t.Errorf("got %d, then %d", first.Delivery.ID, second.Delivery.ID)
	}
	stop()
	// In every lane the order was kept.
	last := map[string]int64{}
	for _, o := range store.outcomes {
		if o.Delivery.ID < last[o.Delivery.Lane] {
			t.Errorf("lane %s out of order", o.Delivery.Lane)
		}
		last[o.Delivery.Lane] = o.Delivery.ID
	}
}

// When it is to stop, nothing new is begun, and what was begun is stored,
// although the context of Run has ended.
func TestRunStoresWhatItBegan(t *testing.T) {
	t.Parallel()
	const n = tenantSlots + 5
	store := newMemory(lanes(n)...)
	begun, release := make(chan struct{}, n), make(chan struct{})
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		begun <- struct{}{}
		<-release
		if ctx.Err() != nil {
			return Failed(d, ctx.Err(), start, PostBackoff)
		}
		return sent(ctx, d)
	})}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		d.Run(ctx)
		close(ended)
	}()
	for range tenantSlots {
		within(t, "an attempt", begun)
	}
	cancel()
	select {
	case <-ended:
		t.Error("Run left attempts behind")
	default:
	}
	close(release)
	within(t, "the end of Run", ended)
	if len(store.outcomes) != tenantSlots {
		t.Errorf("%d outcomes stored, %d attempts begun", len(store.outcomes), tenantSlots)
	}
	for _, o := range store.outcomes {
		if o.State != StateSent {
			t.Errorf("interrupted: %+v", o)
		}
	}
}

func TestAttemptEndsBeforeItsLease(t *testing.T) {
	t.Parallel()
	store := newMemory(lanes(1)...)
	left := make(chan time.Duration, 1)
	run(t, NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		deadline, ok := ctx.Deadline()
		if !ok {
			t.Error("an attempt may last for ever")
		}
		left <- time.Until(deadline)
		return sent(ctx, d)
	})}, nil))
	attempt := within(t, "the attempt", left)
	within(t, "the outcome", store.stored)
	store.mu.Lock()
	defer store.mu.Unlock()
	if attempt+storeTimeout >= store.lease {
		t.Errorf("an attempt may last %v, its lease lasts %v", attempt, store.lease)
	}
}

func TestRunTakesWhatIsQueuedLater(t *testing.T) {
	t.Parallel()
	store := newMemory()
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(sent)}, nil)
	run(t, d)
	within(t, "the first look", store.looked)
	store.add(Delivery{Lane: "l", Kind: KindPost})
	d.Nudge()
	d.Nudge()
	within(t, "the nudged outcome", store.stored)
	// And without a nudge, as another replica would queue it.
	store.add(Delivery{Lane: "l", Kind: KindPost})
	within(t, "the outcome without a nudge", store.stored)
}

func TestAttemptOutcomes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		kind   Kind
		sender senderFunc
		state  State
		cause  string
		logged string
	}{
		{name: "sent", kind: KindPost, sender: sent, state: StateSent},
		{
			name: "sent with a remark", kind: KindPost, state: StateSent, cause: "place is gone", logged: "delivery outcome",
			sender: func(_ context.Context, d Delivery) Outcome {
				return Outcome{Delivery: d, State: StateSent, Cause: "place is gone"}
			},
		},
		{
			name: "dead", kind: KindPost, state: StateDead, cause: "invalid", logged: "give up delivery",
			sender: func(_ context.Context, d Delivery) Outcome {
				return Outcome{Delivery: d, State: StateDead, Cause: "invalid"}
			},
		},
		{
			name: "panic", kind: KindPost, state: StateReady, cause: "panic: in a library", logged: "panic in sender",
			sender: func(context.Context, Delivery) Outcome { panic("in a library") },
		},
		{name: "no sender", kind: "pigeon", state: StateDead, cause: "no sender for this kind", logged: "give up delivery"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := newMemory(Delivery{Lane: "l", Kind: tt.kind, Payload: "hunter2"})
			var log strings.Builder
			observed := make(chan Outcome, 1)
			stop := run(t, NewDispatcher(store, fixed(start), slog.New(slog.NewTextHandler(&log, nil)),
				map[Kind]Sender{KindPost: tt.sender},
				func(_ Delivery, o Outcome, took time.Duration) {
					if took < 0 {
						t.Error("negative time")
					}
					observed <- o
				}))
			got := within(t, "the outcome", store.stored)
			if got.State != tt.state || got.Cause != tt.cause || got.Delivery.ID != 1 {
				t.Errorf("outcome %+v", got)
			}
			if o := within(t, "the observation", observed); o.State != tt.state {
				t.Errorf("observed %+v", o)
			}
			stop()
			if text := log.String(); !strings.Contains(text, tt.logged) || tt.logged == "" && text != "" || strings.Contains(text, "hunter2") {
				t.Errorf("log: %s", text)
			}
		})
	}
}

// Outcomes are stored together; one that cannot be stored lets no other be
// sent again.
func TestOutcomesAreStoredAloneWhereTheyFailTogether(t *testing.T) {
	t.Parallel()
	store := newMemory(lanes(10)...)
	store.poison = 3
	var all sync.WaitGroup
	all.Add(10)
	run(t, NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		all.Done()
		all.Wait()
		return sent(ctx, d)
	})}, nil))
	seen := map[int64]bool{}
	for range 9 {
		seen[within(t, "an outcome", store.stored).Delivery.ID] = true
	}
	within(t, "the refusal", store.refused)
	if len(seen) != 9 || seen[3] {
		t.Errorf("stored %v", seen)
	}
}

// A panic in a platform's library reaches the person later.
func TestPanicInMessengerIsRepeated(t *testing.T) {
	t.Parallel()
	posts := &cards{
		posts: map[string]core.Post{"p1": {
			ID: "p1", Account: core.Account{Identity: core.Identity{Platform: "slack", User: "U1"}},
			Place: core.Place{Ref: "r", EditableUntil: start.Add(time.Hour)}, Subject: core.Subject{Kind: core.SubjectBadge, ID: "b1"},
		}},
		badges: map[string]core.Badge{"b1": {ID: "b1", Stage: core.StagePublic}},
	}
	store := newMemory(Delivery{Lane: "l", Kind: KindPost, Ref: "p1"})
	run(t, NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: &PostSender{
		Store: posts, Clock: fixed(start), Composer: testComposer(t, posts, start),
		Messengers: map[core.Platform]chat.Messenger{"slack": &messenger{panics: true}},
	}}, nil))
	if o := within(t, "the outcome", store.stored); o.State != StateReady || !o.RetryAt.After(start) {
		t.Errorf("outcome %+v", o)
	}
}

func TestRunSurvivesALostStore(t *testing.T) {
	t.Parallel()
	store := newMemory(lanes(1)...)
	store.takeErr = core.ErrUnavailable
	store.finishErr = errors.New("store away")
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(sent)}, nil)
	run(t, d)
	within(t, "the refused look", store.looked)
	store.mu.Lock()
	store.takeErr = nil
	store.mu.Unlock()
	d.Nudge()
	within(t, "the outcome that is not stored", store.refused)
	// The lease brings it back.
	store.mu.Lock()
	store.finishErr = nil
	clear(store.busy)
	store.mu.Unlock()
	d.Nudge()
	if o := within(t, "the outcome", store.stored); o.Delivery.Attempts != 2 {
		t.Errorf("outcome %+v", o)
	}
}

// A store that is away for a moment costs an outcome nothing: it is stored
// when the store is back, in the same attempt and long before the lease ends.
func TestOutcomeIsStoredOnceTheStoreIsBack(t *testing.T) {
	t.Parallel()
	store := newMemory(lanes(1)...)
	store.finishErr = fmt.Errorf("statement failed: %w", core.ErrUnavailable)
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(sent)}, nil)
	run(t, d)
	within(t, "the outcome that is not stored", store.refused)
	store.mu.Lock()
	store.finishErr = nil
	store.mu.Unlock()
	if o := within(t, "the outcome", store.stored); o.Delivery.Attempts != 1 {
		t.Errorf("outcome %+v", o)
	}
}
