package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// slow is a store that tells of every call and answers when it is let.
type slow struct {
	*memory
	// begun gets the size of every call; each waits for a value of goOn.
	begun chan int
	goOn  chan struct{}
	// spoiled is a key that cannot be stored.
	spoiled string
	panics  bool
}

func newSlow() *slow {
	return &slow{memory: newMemory(), begun: make(chan int, 1000), goOn: make(chan struct{}, 1000)}
}

func (s *slow) step(n int) {
	s.begun <- n
	<-s.goOn
}

func (s *slow) Receive(ctx context.Context, m Message) (bool, error) {
	s.step(1)
	if m.Key == s.spoiled {
		if s.panics {
			panic("spoiled")
		}
		return false, errors.New("spoiled")
	}
	return s.memory.Receive(ctx, m)
}

func (s *slow) ReceiveAll(ctx context.Context, messages []Message) ([]bool, error) {
	s.step(len(messages))
	for _, m := range messages {
		if m.Key == s.spoiled {
			return nil, errors.New("spoiled")
		}
	}
	return s.memory.ReceiveAll(ctx, messages)
}

// arrive lets n messages arrive while the first is being stored, and returns
// what is to be called for their outcomes.
func arrive(t *testing.T, g *group, s *slow, n int) (outcomes func() []error) {
	t.Helper()
	errs := make([]error, n)
	var all sync.WaitGroup
	receive := func(i int) {
		all.Go(func() {
			isNew, err := g.receive(context.WithoutCancel(t.Context()), Message{Source: "s", Key: fmt.Sprint(i)})
			if err == nil && !isNew {
				err = errors.New("not new")
			}
			errs[i] = err
		})
	}
	receive(0)
	if size := within(t, "the first call", s.begun); size != 1 {
		t.Fatalf("the first call stores %d", size)
	}
	for i := 1; i < n; i++ {
		receive(i)
	}
	await(t, g, n-1)
	return func() []error {
		all.Wait()
		return errs
	}
}

func await(t *testing.T, g *group, waiting int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		g.mu.Lock()
		n := len(g.waiting)
		g.mu.Unlock()
		if n == waiting {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%d wait, want %d", n, waiting)
		}
	}
}

func TestGroupStoresTogetherWhatArrivesMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSlow()
	g := &group{store: s}
	outcomes := arrive(t, g, s, groupMost+21)
	for _, want := range []int{groupMost, 20} {
		s.goOn <- struct{}{}
		if size := within(t, "a group", s.begun); size != want {
			t.Errorf("group of %d, want %d", size, want)
		}
	}
	s.goOn <- struct{}{}
	if err := errors.Join(outcomes()...); err != nil {
		t.Error(err)
	}
	if n := len(s.items); n != groupMost+21 {
		t.Errorf("%d stored", n)
	}
}

// One that cannot be stored keeps no other, whether it fails or panics.
func TestGroupStoresOneByOneAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		s := newSlow()
		s.spoiled, s.panics = "2", panics
		g := &group{store: s}
		outcomes := arrive(t, g, s, 6)
		for range 10 {
			s.goOn <- struct{}{}
		}
		for i, err := range outcomes() {
			if (err != nil) != (i == 2) {
				t.Errorf("message %d: %v", i, err)
			}
		}
		if n := len(s.items); n != 5 {
			t.Errorf("%d stored, want 5", n)
		}
	}
}

func TestGroupTellsDoubledMessagesOfAGroup(t *testing.T) {
	t.Parallel()
	s := newSlow()
	g := &group{store: s}
	var all sync.WaitGroup
	var fresh atomic.Int32
	receive := func(key string) {
		all.Go(func() {
			isNew, err := g.receive(context.WithoutCancel(t.Context()), Message{Source: "s", Key: key})
			if err != nil {
				t.Error(err)
			}
			if isNew {
				fresh.Add(1)
			}
		})
	}
	receive("first")
	within(t, "the first call", s.begun)
	for range 5 {
		receive("doubled")
	}
	await(t, g, 5)
	s.goOn <- struct{}{}
	s.goOn <- struct{}{}
	all.Wait()
	if n := fresh.Load(); n != 2 {
		t.Errorf("%d are new, want 2", n)
	}
}

// Who no longer waits is answered at once, and is not stored unless that has
// begun.
func TestGroupHeedsEveryDeadline(t *testing.T) {
	t.Parallel()
	s := newSlow()
	g := &group{store: s}
	outcomes := arrive(t, g, s, 2)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := g.receive(ctx, Message{Source: "s", Key: "gone"})
		gone <- err
	}()
	await(t, g, 2)
	cancel()
	if err := within(t, "the answer", gone); !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s.goOn <- struct{}{}
	s.goOn <- struct{}{}
	if err := errors.Join(outcomes()...); err != nil {
		t.Error(err)
	}
	if s.known["s/gone"] || len(s.items) != 2 {
		t.Errorf("%d stored", len(s.items))
	}
}

func TestGroupIsBounded(t *testing.T) {
	t.Parallel()
	s := newSlow()
	g := &group{store: s}
	outcomes := arrive(t, g, s, groupQueue+1)
	if _, err := g.receive(t.Context(), Message{Source: "s", Key: "more"}); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	close(s.goOn)
	if err := errors.Join(outcomes()...); err != nil {
		t.Error(err)
	}
}

// A store that never comes back keeps nobody who comes later.
func TestGroupLeavesAStoreThatHangs(t *testing.T) {
	t.Parallel()
	s := newSlow()
	g := &group{store: s}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error, 1)
	go func() {
		_, err := g.receive(ctx, Message{Source: "s", Key: "1"})
		cancelled <- err
	}()
	within(t, "the first call", s.begun)
	cancel()
	if err := within(t, "the answer", cancelled); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	later := make(chan error, 1)
	go func() {
		_, err := g.receive(t.Context(), Message{Source: "s", Key: "2"})
		later <- err
	}()
	// The first call still hangs; it and the second one end now.
	within(t, "the second call", s.begun)
	s.goOn <- struct{}{}
	s.goOn <- struct{}{}
	if err := within(t, "the second answer", later); err != nil {
		t.Error(err)
	}
}
