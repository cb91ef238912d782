package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/go-co-op/gocron/v2"

	"github.com/laurelbot/laurel/core"
)

// slotLocker claims one slot of a job for good. A lock that is freed after
// the run would be taken again by a replica that ticks a moment later.
type slotLocker struct {
	store  Store
	clock  core.Clock
	period time.Duration
}

var _ gocron.Locker = slotLocker{}

// Lock returns errClaimed when another replica has the slot.
func (l slotLocker) Lock(ctx context.Context, job string) (gocron.Lock, error) {
	slot := l.clock.Now().Add(l.period / 2).Truncate(l.period).UnixMilli()
	won, err := l.store.ClaimSlot(ctx, job, slot)
	if err != nil {
		return nil, fmt.Errorf("claim slot: %w", err)
	}
	if !won {
		return nil, errClaimed
	}
	return claimed{}, nil
}

// claimed is a slot that nobody frees.
type claimed struct{}

// Unlock does nothing: a slot is run once.
func (claimed) Unlock(context.Context) error { return nil }

// quiet drops gocron's own log lines: what matters is told by the listeners.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Error(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
