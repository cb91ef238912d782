package delivery

import (
	"context"
	"testing"
	"time"
)

// Attempts that do not end when the process has to are cut off, and their
// leases given back: they are due at once, and the attempt does not count.
func TestRunGivesBackWhatItCutsOff(t *testing.T) {
	t.Parallel()
	store := newMemory(lanes(3)...)
	begun := make(chan struct{}, 3)
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		begun <- struct{}{}
		if d.Lane == "lane-1" {
			// The answer came when it was nearly too late.
			<-ctx.Done()
			return sent(ctx, d)
		}
		<-ctx.Done()
		return Failed(d, ctx.Err(), start, PostBackoff)
	})}, nil)
	d.grace = time.Millisecond
	stop := run(t, d)
	for range 3 {
		within(t, "an attempt", begun)
	}
	stop()
	if len(store.outcomes) != 3 {
		t.Fatalf("%d outcomes stored", len(store.outcomes))
	}
	for _, o := range store.outcomes {
		if o.Delivery.Lane == "lane-1" {
			if o.State != StateSent {
				t.Errorf("sent, but stored as %+v", o)
			}
			continue
		}
		if o.State != StateReady || !o.Uncounted || o.RetryAt.After(start) {
			t.Errorf("outcome %+v", o)
		}
	}
}

// What is due after a pause is looked for then, not at the next look.
func TestRunWakesWhenALaneIsDue(t *testing.T) {
	t.Parallel()
	store := newMemory(Delivery{Lane: "l", Kind: KindPost}, Delivery{Lane: "l", Kind: KindPost})
	d := NewDispatcher(store, machine{}, quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		o := sent(ctx, d)
		o.Pause = 20 * time.Millisecond
		return o
	})}, nil)
	d.poll = time.Hour
	run(t, d)
	within(t, "the first one", store.stored)
	within(t, "the second one", store.stored)
}

// machine is the machine's own clock, by which a pause is over whenever the
// dispatcher looks after it.
type machine struct{}

func (machine) Now() time.Time { return time.Now() }
