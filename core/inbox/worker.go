package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Work limits.
const (
	takeItems   = 16
	itemLease   = time.Minute
	itemTimeout = 45 * time.Second
	idlePoll    = time.Second
	maxAttempts = 12
	firstRetry  = 2 * time.Second
	longestWait = 30 * time.Minute
)

// ErrPark wrapped by a handler's error parks the item at once: repeating it
// cannot help.
var ErrPark = errors.New("cannot be worked off")

// Handler works off one item. A nil error finishes it; any other makes it
// due again later, unless it wraps [ErrPark] or [core.ErrRefused].
type Handler func(ctx context.Context, item Item) error

// Worker works items off, several at a time.
type Worker struct {
	store    Store
	clock    core.Clock
	log      *slog.Logger
	handlers map[Kind]Handler
	group    group
	nudge    chan struct{}
	slots    chan struct{}
}

// NewWorker returns a worker; an item of a kind without a handler is parked.
func NewWorker(store Store, clock core.Clock, log *slog.Logger, handlers map[Kind]Handler) *Worker {
	return &Worker{
		store: store, clock: clock, log: log, handlers: handlers, group: group{store: store},
		nudge: make(chan struct{}, 1), slots: make(chan struct{}, takeItems),
	}
}

// Nudge makes the worker look for items now.
func (w *Worker) Nudge() {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// Receive stores a message and nudges the worker; see [Receiver]. Messages
// that arrive together are stored together. When too many wait it fails with
// [core.ErrUnavailable].
func (w *Worker) Receive(ctx context.Context, m Message) (bool, error) {
	isNew, err := w.group.receive(ctx, m)
	if err == nil && isNew {
		w.Nudge()
	}
	return isNew, err
}

var _ Receiver = (*Worker)(nil)

// Run works until ctx ends, and returns when what was begun is finished. An
// item that takes long holds its own slot only.
func (w *Worker) Run(ctx context.Context) {
	var begun sync.WaitGroup
	defer begun.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.nudge:
		case <-timer.C:
		}
		for ctx.Err() == nil {
			n, err := w.begin(ctx, &begun)
			if err != nil && ctx.Err() == nil {
				w.log.ErrorContext(ctx, "work off inbox", "err", err)
			}
			if n == 0 || err != nil {
				break
			}
		}
		timer.Reset(idlePoll)
	}
}

// Once works off as many items as there are free slots and returns how many,
// when all of them are over.
func (w *Worker) Once(ctx context.Context) (int, error) {
	var begun sync.WaitGroup
	defer begun.Wait()
	return w.begin(ctx, &begun)
}

// begin takes an item for every free slot and starts to work on it.
func (w *Worker) begin(ctx context.Context, begun *sync.WaitGroup) (int, error) {
	free := cap(w.slots) - len(w.slots)
	if free == 0 {
		return 0, nil
	}
	items, err := w.store.TakeItems(ctx, w.clock.Now(), free, itemLease)
	if err != nil {
		return 0, fmt.Errorf("take items: %w", err)
	}
	for _, item := range items {
		w.slots <- struct{}{}
		begun.Go(func() {
			defer func() {
				<-w.slots
				w.Nudge()
			}()
			w.work(context.WithoutCancel(ctx), item)
		})
	}
	return len(items), nil
}

func (w *Worker) work(ctx context.Context, item Item) {
	ctx, cancel := context.WithTimeout(ctx, itemTimeout)
	defer cancel()
	err := w.handle(ctx, item)
	// The outcome is stored even when the work used up its time.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	now := w.clock.Now()
	switch {
	case err == nil:
		err = w.store.FinishItem(ctx, item.ID, now)
	case errors.Is(err, ErrPark) || errors.Is(err, core.ErrRefused) || item.Attempts >= maxAttempts:
		w.log.ErrorContext(ctx, "give up inbox item", "item", item.ID, "kind", item.Message.Kind, "err", err)
		err = w.store.RetryItem(ctx, item.ID, time.Time{}, err.Error())
	default:
		w.log.WarnContext(ctx, "repeat inbox item later", "item", item.ID, "kind", item.Message.Kind,
			"attempt", item.Attempts, "err", err)
		err = w.store.RetryItem(ctx, item.ID, now.Add(wait(item.Attempts, err)), err.Error())
	}
	if err != nil {
		w.log.ErrorContext(ctx, "store outcome of inbox item", "item", item.ID, "err", err)
	}
}

// handle runs the handler; a panic in it is an error like any other.
func (w *Worker) handle(ctx context.Context, item Item) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.log.ErrorContext(ctx, "panic in inbox handler", "kind", item.Message.Kind, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	h, ok := w.handlers[item.Message.Kind]
	if !ok {
		return fmt.Errorf("%w: no handler for %q", ErrPark, item.Message.Kind)
	}
	return h(ctx, item)
}

// wait grows two and a half times with every attempt, from two seconds to half an
// hour, spread by a fifth, and never falls below what the provider named.
func wait(attempt int, err error) time.Duration {
	d := firstRetry
	for range attempt - 1 {
		d = min(longestWait, d*5/2)
	}
	d += time.Duration(rand.Int64N(int64(d)/5 + 1)) //nolint:gosec // Spreads load; nothing depends on its being unguessable.
	var named *core.RetryAfterError
	if errors.As(err, &named) {
		d = max(d, named.After)
	}
	return d
}
