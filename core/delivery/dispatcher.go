package delivery

import (
	"context"
	"errors"
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
	// storeTimeout bounds storing outcomes once. It is tried again after waits
	// that double from the first to the longest, about three seconds in all.
	storeTimeout     = 5 * time.Second
	firstStoreWait   = 100 * time.Millisecond
	longestStoreWait = 2 * time.Second
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
	// outcomes are those of attempts that are over and not yet stored; each
	// still holds its slot, so there is always room.
	outcomes chan Outcome
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
		outcomes: make(chan Outcome, takeLanes),
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
	var attempts, storing sync.WaitGroup
	done := make(chan struct{})
	storing.Go(func() { d.storeAll(context.WithoutCancel(ctx), done) })
	defer func() {
		attempts.Wait()
		close(done)
		storing.Wait()
	}()
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
			more, err := d.begin(ctx, &attempts)
			if err != nil && ctx.Err() == nil {
				d.log.ErrorContext(ctx, "take deliveries", "err", err)
			}
			if !more || err != nil {
				break
			}
		}
		timer.Reset(idlePoll)
	}
}

// begin takes as many deliveries as there are free slots and starts an
// attempt for each, and reports whether there may be more. A slow receiver
// holds its own slot only.
func (d *Dispatcher) begin(ctx context.Context, attempts *sync.WaitGroup) (more bool, err error) {
	free := cap(d.slots) - len(d.slots)
	if free == 0 {
		return false, nil
	}
	due, err := d.store.TakeDeliveries(ctx, d.clock.Now(), free, lease)
	if err != nil {
		return false, fmt.Errorf("take deliveries: %w", err)
	}
	for _, one := range due {
		d.slots <- struct{}{}
		attempts.Go(func() {
			d.outcomes <- d.attempt(context.WithoutCancel(ctx), one)
		})
	}
	// Had there been more, they would have been taken as well; what is behind
	// them in their lanes is looked for when they are stored.
	return len(due) == free, nil
}

// storeAll stores outcomes until done is closed and none is left. Those that
// come while others are being stored go together: one at a time they cost
// the database more than everything else about a delivery.
func (d *Dispatcher) storeAll(ctx context.Context, done <-chan struct{}) {
	for {
		select {
		case first := <-d.outcomes:
			d.finish(ctx, d.gather(first))
		case <-done:
			for len(d.outcomes) > 0 {
				d.finish(ctx, d.gather(<-d.outcomes))
			}
			return
		}
	}
}

// gather adds the outcomes that are there already, without waiting.
func (d *Dispatcher) gather(first Outcome) []Outcome {
	batch := []Outcome{first}
	for {
		select {
		case next := <-d.outcomes:
			batch = append(batch, next)
		default:
			return batch
		}
	}
}

// finish stores a batch and gives its slots back. Where the batch fails each
// is stored alone, so that one that cannot be stored does not let the others
// be sent again.
func (d *Dispatcher) finish(ctx context.Context, batch []Outcome) {
	err := d.keep(ctx, batch)
	for _, o := range batch {
		if err != nil {
			one := err
			if len(batch) > 1 {
				one = d.keep(ctx, []Outcome{o})
			}
			if one != nil {
				// The lease brings it back; its key lets the repetition be found.
				d.log.ErrorContext(ctx, "store outcome of delivery", "delivery", o.Delivery.ID, "err", one)
			}
		}
		<-d.slots
	}
	d.Nudge()
}

// keep stores outcomes. While the store does not answer it tries again for a
// while: until an outcome is stored its lane stands still, at worst for as
// long as the lease.
func (d *Dispatcher) keep(ctx context.Context, outcomes []Outcome) error {
	wait := firstStoreWait
	for {
		err := d.keepOnce(ctx, outcomes)
		if err == nil || !errors.Is(err, core.ErrUnavailable) || wait > longestStoreWait {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		wait *= 2
	}
}

func (d *Dispatcher) keepOnce(ctx context.Context, outcomes []Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return d.store.FinishDeliveries(ctx, d.clock.Now(), outcomes)
}

func (d *Dispatcher) attempt(ctx context.Context, one Delivery) Outcome {
	start := time.Now()
	outcome := d.send(ctx, one)
	d.observe(one, outcome, time.Since(start))
	if outcome.State == StateDead {
		d.log.ErrorContext(ctx, "give up delivery", "delivery", one.ID, "kind", one.Kind, "attempt", one.Attempts, "cause", outcome.Cause)
	} else if outcome.Cause != "" {
		d.log.InfoContext(ctx, "delivery outcome", "delivery", one.ID, "kind", one.Kind, "state", outcome.State,
			"attempt", one.Attempts, "cause", outcome.Cause)
	}
	return outcome
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
