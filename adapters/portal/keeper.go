package portal

import (
	"context"
	"errors"
	"fmt"

	"github.com/laurelbot/laurel/core"
)

// storing is how many batches are stored at once while the next one is read:
// one waits for the disk or is being put into words while another keeps the
// database busy.
const storing = 3

// keeper stores batches while the next one is read. No two of those that are
// being stored have an award in common, because no file has one twice, nor a
// person's awards of one badge: which of those takes over a badge that is
// known from the provider depends on their order.
type keeper struct {
	sink   core.AwardSink
	counts *core.AwardCounts
	// under are the batches that are being stored, the oldest first.
	under []stored
}

// subject is who is awarded what.
type subject struct{ recipient, template string }

type stored struct {
	subjects map[subject]bool
	done     chan outcome
}

type outcome struct {
	counts core.AwardCounts
	err    error
}

// keep begins to store a batch once there is room for it and those it must
// not be stored beside are stored. Its error is that of an earlier batch.
func (k *keeper) keep(ctx context.Context, batch []core.Award) error {
	if len(batch) == 0 {
		return nil
	}
	next := stored{subjects: make(map[subject]bool, len(batch)), done: make(chan outcome, 1)}
	for _, a := range batch {
		next.subjects[subject{a.Recipient.Normal, a.TemplateID}] = true
	}
	for len(k.under) == storing || k.meets(next) {
		if err := k.settle(); err != nil {
			return err
		}
	}
	k.under = append(k.under, next)
	go func() {
		counts, err := k.sink.ImportAwards(ctx, batch)
		next.done <- outcome{counts, err}
	}()
	return nil
}

// meets reports whether a batch that is being stored has a subject of next.
func (k *keeper) meets(next stored) bool {
	for s := range next.subjects {
		for _, other := range k.under {
			if other.subjects[s] {
				return true
			}
		}
	}
	return false
}

// settle waits for the oldest batch that is being stored.
func (k *keeper) settle() error {
	oldest := k.under[0]
	k.under = k.under[1:]
	o := <-oldest.done
	if o.err != nil {
		return fmt.Errorf("import awards: %w", o.err)
	}
	k.counts.Add(o.counts)
	return nil
}

// settleAll waits for all of them.
func (k *keeper) settleAll() error {
	var errs []error
	for len(k.under) > 0 {
		errs = append(errs, k.settle())
	}
	return errors.Join(errs...)
}
