package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Work limits.
const (
	// takeLanes is how many lanes are served at once.
	takeLanes = 64
	// lease is how long a delivery is ours; a process that dies gives it back
	// after that. It is longer than one attempt may take.
	lease = 45 * time.Second
	// attemptTimeout bounds one attempt, several calls included.
	attemptTimeout = 25 * time.Second
	// idlePoll finds what other replicas queued and what is due again.
	idlePoll = 500 * time.Millisecond
	// storeTimeout bounds storing an outcome.
	storeTimeout = 5 * time.Second
)

// Sender makes one attempt at a delivery of one kind. It never panics the
// dispatcher and returns what became of the attempt.
type Sender interface {
	Send(ctx context.Context, d Delivery) Outcome
}

// Observer is told of every attempt, for metrics.
type Observer func(d Delivery, o Outcome, took time.Duration)

// Dispatcher takes due deliveries and makes attempts, many lanes at a time
// and one message per lane.
type Dispatcher struct {
	store   Store
	clock   core.Clock
	log     *slog.Logger
	senders map[Kind]Sender
	observe Observer
	nudge   chan struct{}
	slots   chan struct{}
}

// NewDispatcher returns a dispatcher; a delivery of a kind without a sender
// is dead. observe may be nil.
func NewDispatcher(store Store, clock core.Clock, log *slog.Logger, senders map[Kind]Sender, observe Observer) *Dispatcher {
	if observe == nil {
		observe = func(Delivery, Outcome, time.Duration) {}
	}
	return &Dispatcher{
		store: store, clock: clock, log: log, senders: senders, observe: observe,
		nudge: make(chan struct{}, 1), slots: make(chan struct{}, takeLanes),
	}
}

// Nudge makes the dispatcher look for deliveries now.
func (d *Dispatcher) Nudge() {
	select {
	case d.nudge <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, and returns when every attempt that was begun is
// over and stored.
func (d *Dispatcher) Run(ctx context.Context) {
	var attempts sync.WaitGroup
	defer attempts.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.nudge:
		case <-timer.C:
		}
		for ctx.Err() == nil {
			n, err := d.begin(ctx, &attempts)
			if err != nil && ctx.Err() == nil {
				d.log.ErrorContext(ctx, "take deliveries", "err", err)
			}
			if n == 0 || err != nil {
				break
			}
		}
		timer.Reset(idlePoll)
	}
}

// begin takes as many deliveries as there are free slots and starts an
// attempt for each. A slow receiver holds its own slot only.
func (d *Dispatcher) begin(ctx context.Context, attempts *sync.WaitGroup) (int, error) {
	free := cap(d.slots) - len(d.slots)
	if free == 0 {
		return 0, nil
	}
	due, err := d.store.TakeDeliveries(ctx, d.clock.Now(), free, lease)
	if err != nil {
		return 0, fmt.Errorf("take deliveries: %w", err)
	}
	for _, one := range due {
		d.slots <- struct{}{}
		attempts.Go(func() {
			d.attempt(context.WithoutCancel(ctx), one)
			<-d.slots
			d.Nudge()
		})
	}
	return len(due), nil
}

func (d *Dispatcher) attempt(ctx context.Context, one Delivery) {
	start := time.Now()
	outcome := d.send(ctx, one)
	d.observe(one, outcome, time.Since(start))
	if outcome.State == StateDead {
		d.log.ErrorContext(ctx, "give up delivery", "delivery", one.ID, "kind", one.Kind, "attempt", one.Attempts, "cause", outcome.Cause)
	} else if outcome.Cause != "" {
		d.log.InfoContext(ctx, "delivery outcome", "delivery", one.ID, "kind", one.Kind, "state", outcome.State,
			"attempt", one.Attempts, "cause", outcome.Cause)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := d.store.FinishDeliveries(ctx, d.clock.Now(), []Outcome{outcome}); err != nil {
		// The lease brings it back; its key lets the repetition be found.
		d.log.ErrorContext(ctx, "store outcome of delivery", "delivery", one.ID, "err", err)
	}
}

// send makes one attempt; a panic in a sender is a failed attempt.
func (d *Dispatcher) send(ctx context.Context, one Delivery) (outcome Outcome) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			d.log.ErrorContext(ctx, "panic in sender", "kind", one.Kind, "stack", string(debug.Stack()))
			outcome = Failed(one, fmt.Errorf("panic: %v", p), d.clock.Now(), PostBackoff)
		}
	}()
	sender, ok := d.senders[one.Kind]
	if !ok {
		return Outcome{Delivery: one, State: StateDead, Cause: "no sender for this kind"}
	}
	return sender.Send(ctx, one)
}
