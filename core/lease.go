package core

import (
	"context"
	"time"
)

// LeaseStore lets one of several replicas do what only one may do, for as
// long as it lives and a little longer.
type LeaseStore interface {
	// TakeLease makes holder the one who has the lease until now+ttl: if
	// nobody has it, if its time ran out, or if holder has it already. It
	// reports whether holder has it now.
	TakeLease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (bool, error)
	// ReleaseLease gives up what holder has; it does nothing for anybody
	// else's lease.
	ReleaseLease(ctx context.Context, name, holder string) error
}
