package core

import (
	"context"
	"time"
)

// LimitStore keeps the limits of the platforms for all replicas together: a
// limit holds wherever its calls are made from.
type LimitStore interface {
	// TakePermits sets n permits of the limit called name aside. They may be
	// used one after another, the first at the returned time and each of the
	// others one interval later. A limit that was not used for a while gives
	// up to burst permits at once. Where the first permit would come later
	// than now+patience none is taken, and [ErrUnmet] is returned with the
	// time from which asking again makes sense.
	TakePermits(ctx context.Context, name string, now time.Time, n int, rate Rate, patience time.Duration) (first time.Time, err error)
	// CloseLimit lets no permit begin before until; it never opens a limit
	// earlier than it was closed to.
	CloseLimit(ctx context.Context, name string, until time.Time) error
}

// Rate is how often something may be done: once every Interval, and up to
// Burst times at once after a rest.
type Rate struct {
	Interval time.Duration
	Burst    int
}

// Limiter lets calls to a platform through at the rate that all replicas
// share. [LimitStore] is what it stands on.
type Limiter interface {
	// Wait returns nil when the call may be made now. Where that would take
	// too long it returns a [DeliveryError] of class [RetryLater] with the
	// time to wait, and the call is not made. It never waits for the store
	// longer than a moment: without the store it lets calls through at a part
	// of the rate.
	Wait(ctx context.Context, name string, rate Rate) error
	// Close stops the limit called name, in this process at once and in the
	// others soon, because the platform said to wait.
	Close(ctx context.Context, name string, after time.Duration)
}
