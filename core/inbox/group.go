package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Limits of storing together.
const (
	// groupMost is how many messages one statement stores.
	groupMost = 100
	// groupQueue is how many may wait; more are refused at once, so that
	// their senders repeat them later.
	groupQueue = 2000
	// groupWithin is how long storing a group may take, the tries one by one
	// included.
	groupWithin = 2500 * time.Millisecond
)

var (
	errQueueFull = fmt.Errorf("%w: too many messages wait to be stored", core.ErrUnavailable)
	errPanicked  = errors.New("store panicked")
)

// group stores messages that arrive together by one statement and one commit.
// A message that arrives alone is stored at once; those that arrive while one
// is being stored go together when that is over. There is one writer: two at
// a time make smaller groups and are slower.
type group struct {
	store Store

	mu      sync.Mutex
	waiting []*waiter
	writing bool
}

// waiter is a message whose receiver waits for its commit.
type waiter struct {
	ctx     context.Context //nolint:containedctx // Everyone waits for as long as they like.
	message Message
	done    chan received
}

type received struct {
	isNew bool
	err   error
}

// receive stores m and returns when that is committed, at the latest when ctx
// ends. What is stored after that is known already when it comes again.
func (g *group) receive(ctx context.Context, m Message) (bool, error) {
	w := &waiter{ctx: ctx, message: m, done: make(chan received, 1)}
	if !g.join(w) {
		return false, errQueueFull
	}
	select {
	case r := <-w.done:
		return r.isNew, r.err
	case <-ctx.Done():
		return false, fmt.Errorf("%w: wait for the store: %w", core.ErrUnavailable, ctx.Err())
	}
}

func (g *group) join(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) >= groupQueue {
		return false
	}
	g.waiting = append(g.waiting, w)
	if !g.writing {
		g.writing = true
		go g.write()
	}
	return true
}

// write stores groups until nobody waits.
func (g *group) write() {
	for {
		batch, ok := g.next()
		if !ok {
			return
		}
		if len(batch) > 0 {
			storeWithin(g.store, batch)
		}
	}
}

// next takes those who wait longest and still do.
func (g *group) next() (batch []*waiter, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.writing = false
		return nil, false
	}
	n := min(len(g.waiting), groupMost)
	for _, w := range g.waiting[:n] {
		if w.ctx.Err() == nil {
			batch = append(batch, w)
		}
	}
	clear(g.waiting[:n])
	g.waiting = g.waiting[n:]
	if len(g.waiting) == 0 {
		g.waiting = nil
	}
	return batch, true
}

// storeWithin returns when the batch is stored, or when its time is over: a
// store that does not come back does not keep the next batch.
func storeWithin(store Store, batch []*waiter) {
	ctx, cancel := context.WithTimeout(context.Background(), groupWithin)
	go func() {
		defer cancel()
		storeBatch(ctx, store, batch)
	}()
	<-ctx.Done()
}

// storeBatch stores a batch together. Where that fails each is stored alone,
// so that one that cannot be stored does not keep the others.
func storeBatch(ctx context.Context, store Store, batch []*waiter) {
	if len(batch) > 1 {
		messages := make([]Message, len(batch))
		for i, w := range batch {
			messages[i] = w.message
		}
		if isNew, err := receiveAll(ctx, store, messages); err == nil {
			for i, w := range batch {
				w.done <- received{isNew: isNew[i]}
			}
			return
		}
	}
	for _, w := range batch {
		isNew, err := receiveOne(ctx, store, w.message)
		w.done <- received{isNew, err}
	}
}

func receiveAll(ctx context.Context, store Store, messages []Message) (isNew []bool, err error) {
	defer recovered(&err)
	isNew, err = store.ReceiveAll(ctx, messages)
	if err == nil && len(isNew) != len(messages) {
		err = errors.New("store answered for other messages")
	}
	return isNew, err
}

func receiveOne(ctx context.Context, store Store, m Message) (isNew bool, err error) {
	defer recovered(&err)
	if ctx.Err() != nil {
		return false, fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
	}
	return store.Receive(ctx, m)
}

// recovered turns a panic into an error: nobody watches the writer.
func recovered(err *error) {
	if recover() != nil {
		*err = errPanicked
	}
}
