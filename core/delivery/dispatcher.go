package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Work limits.
const (
	// slots is how many attempts are under way at once, and tenantSlots how
	// many of one tenant. Beyond that nobody gets more than half of what is
	// free, so that whoever comes last still gets something, however many
	// answer slowly.
	slots       = 400
	tenantSlots = 100
	// takeLanes is how many lanes one look takes.
	takeLanes = 100
	// lease is how long a delivery is ours; a process that dies gives it back
	// after that. It is longer than one attempt may take.
	lease = 45 * time.Second
	// attemptTimeout bounds one attempt, several calls included.
	attemptTimeout = 25 * time.Second
	// otherLooks is how far looks for the others are apart that stand behind
	// the lanes of a tenant that has its share: each passes all of its lanes.
	otherLooks = 10 * time.Millisecond
	// idlePoll finds what other replicas queued and what is due again.
	idlePoll = 500 * time.Millisecond
	// storeTimeout bounds storing outcomes once. It is tried again after waits
	// that double from the first to the longest, about three seconds in all.
	storeTimeout     = 5 * time.Second
	firstStoreWait   = 100 * time.Millisecond
	longestStoreWait = 2 * time.Second
	// stopGrace is how long attempts may go on after the end was asked for.
	// What is cut off then is due again at once.
	stopGrace = 3 * time.Second
	// longestWake is the longest wait for which a timer is set. What is due
	// later is found by looking now and then.
	longestWake = time.Minute
)

// errStopped is why attempts are cut off at the end.
var errStopped = errors.New("process stops")

// Sender makes one attempt at a delivery of one kind. It never panics the
// dispatcher and returns what became of the attempt.
type Sender interface {
	Send(ctx context.Context, d Delivery) Outcome
}

// Observer is told of every attempt, for metrics.
type Observer func(d Delivery, o Outcome, took time.Duration)

// Dispatcher takes due deliveries and makes attempts: many lanes at a time,
// one message per lane, and of no tenant so many that others wait for it.
type Dispatcher struct {
	store   Store
	clock   core.Clock
	log     *slog.Logger
	senders map[Kind]Sender
	observe Observer
	nudge   chan struct{}
	slots   chan struct{}
	parcels chan core.Parcel
	// outcomes are those of attempts that are over and not yet stored; each
	// still holds its slot, so there is always room.
	outcomes chan Outcome
	// grace is [stopGrace] and poll [idlePoll], others in tests.
	grace, poll time.Duration

	// short says that a look left something behind for want of room.
	short atomic.Bool

	mu sync.Mutex
	// under is how many attempts of each tenant are under way.
	under map[string]int
	// looked is when it was last looked for those behind a full tenant.
	looked time.Time
}

// NewDispatcher returns a dispatcher; a delivery of a kind without a sender
// is dead. observe may be nil.
func NewDispatcher(store Store, clock core.Clock, log *slog.Logger, senders map[Kind]Sender, observe Observer) *Dispatcher {
	if observe == nil {
		observe = func(Delivery, Outcome, time.Duration) {}
	}
	return &Dispatcher{
		store: store, clock: clock, log: log, senders: senders, observe: observe,
		nudge: make(chan struct{}, 1), slots: make(chan struct{}, slots), parcels: make(chan core.Parcel, slots),
		outcomes: make(chan Outcome, slots), grace: stopGrace, poll: idlePoll, under: map[string]int{},
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
// over, or cut off after a moment, and stored.
func (d *Dispatcher) Run(ctx context.Context) {
	var attempts, carrying, storing sync.WaitGroup
	done := make(chan struct{})
	storing.Go(func() { d.storeAll(context.WithoutCancel(ctx), done) })
	sending, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	carrying.Go(func() { d.carryAll(ctx, sending, &attempts) })
	defer func() {
		late := time.AfterFunc(d.grace, func() { cut(errStopped) })
		carrying.Wait()
		attempts.Wait()
		late.Stop()
		cut(nil)
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
			more, err := d.begin(ctx, sending, &attempts)
			if err != nil && ctx.Err() == nil {
				d.log.ErrorContext(ctx, "take deliveries", "err", err)
			}
			if !more || err != nil {
				break
			}
		}
		timer.Reset(d.poll)
	}
}

// begin takes as many deliveries as there are free slots and starts an
// attempt for each within sending, and reports whether there may be more. A
// slow receiver holds its own slot only, a slow tenant its share of them.
func (d *Dispatcher) begin(ctx, sending context.Context, attempts *sync.WaitGroup) (more bool, err error) {
	free := cap(d.slots) - len(d.slots)
	if free == 0 {
		d.short.Store(true)
		return false, nil
	}
	share := d.share(free)
	if len(share.Full()) > 0 {
		d.short.Store(true)
	}
	n := share.most(min(free, takeLanes))
	due, err := d.store.TakeDeliveries(ctx, d.clock.Now(), n, lease, share)
	if err != nil {
		return false, fmt.Errorf("take deliveries: %w", err)
	}
	full := false
	for _, one := range due {
		d.slots <- struct{}{}
		full = d.count(one.Tenant, 1) >= share.Each || full
		d.start(sending, attempts, one)
	}
	// Had there been more, they would have been taken as well; what is behind
	// them in their lanes is looked for when they are stored. Behind a tenant
	// that got its share there may be others.
	if full {
		d.short.Store(true)
		return d.lookForOthers(), nil
	}
	return len(due) == n, nil
}

// start makes an attempt whose slot was taken and counted.
func (d *Dispatcher) start(sending context.Context, attempts *sync.WaitGroup, one Delivery) {
	attempts.Go(func() {
		o := d.attempt(sending, one)
		if o.State == StateSent {
			// What its share guards against is a tenant that does not answer.
			d.count(one.Tenant, -1)
		}
		d.outcomes <- o
	})
}

// lookForOthers reports whether it is time to look past a tenant that has its
// share, and otherwise sees to it that this is done in a moment.
func (d *Dispatcher) lookForOthers() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if wait := otherLooks - now.Sub(d.looked); wait > 0 {
		time.AfterFunc(wait, d.Nudge)
		return false
	}
	d.looked = now
	return true
}

// share says how much a tenant may have while so many slots are free.
func (d *Dispatcher) share(free int) Share {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Share{Each: shareOf(free), Under: maps.Clone(d.under)}
}

// shareOf is how many attempts of one tenant may be under way while so many
// slots are free.
func shareOf(free int) int { return min(tenantSlots, max(free/2, 1)) }

// count adds to how many attempts of a tenant are under way.
func (d *Dispatcher) count(tenant string, n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.under[tenant] += n
	left := d.under[tenant]
	if left == 0 {
		delete(d.under, tenant)
	}
	return left
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
	more, err := d.keep(ctx, batch)
	for _, o := range batch {
		if err != nil {
			one := err
			if len(batch) > 1 {
				var behind bool
				behind, one = d.keep(ctx, []Outcome{o})
				more = more || behind
			}
			if one != nil {
				// The lease brings it back; its key lets the repetition be found.
				d.log.ErrorContext(ctx, "store outcome of delivery", "delivery", o.Delivery.ID, "err", one)
			}
		}
		if o.State != StateSent {
			d.count(o.Delivery.Tenant, -1)
		}
		<-d.slots
		d.wakeFor(o)
	}
	if d.short.Swap(false) || more {
		d.Nudge()
	}
}

// wakeFor looks again when the lane of an outcome is due. To look now and
// then would be too late for a wait of a second.
func (d *Dispatcher) wakeFor(o Outcome) {
	wait := o.Pause
	if o.State == StateReady {
		wait = max(wait, o.RetryAt.Sub(d.clock.Now()))
	}
	if wait > 0 && wait <= longestWake {
		// Stored times are whole milliseconds.
		time.AfterFunc(wait+time.Millisecond, d.Nudge)
	}
}

// keep stores outcomes. While the store does not answer it tries again for a
// while: until an outcome is stored its lane stands still, at worst for as
// long as the lease.
func (d *Dispatcher) keep(ctx context.Context, outcomes []Outcome) (more bool, err error) {
	wait := firstStoreWait
	for {
		more, err := d.keepOnce(ctx, outcomes)
		if err == nil || !errors.Is(err, core.ErrUnavailable) || wait > longestStoreWait {
			return more, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false, err
		}
		wait *= 2
	}
}

func (d *Dispatcher) keepOnce(ctx context.Context, outcomes []Outcome) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return d.store.FinishDeliveries(ctx, d.clock.Now(), outcomes)
}

func (d *Dispatcher) attempt(ctx context.Context, one Delivery) Outcome {
	start := time.Now()
	outcome := d.send(ctx, one)
	if outcome.State != StateSent && errors.Is(context.Cause(ctx), errStopped) {
		// Its lease is given back. Whether the message arrived is not known;
		// its key lets the repetition be found.
		outcome = Outcome{
			Delivery: one, State: StateReady, RetryAt: d.clock.Now(), Uncounted: true,
			LimitedSince: one.LimitedSince, Place: outcome.Place, Cause: errStopped.Error(),
		}
	}
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
