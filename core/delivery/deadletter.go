package delivery

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// DeadLetter is a delivery that was given up, or that waits because its
// person cannot be reached: what an operator sees of it. It holds no personal
// data.
type DeadLetter struct {
	ID   int64
	Kind Kind
	// Platform and Tenant name the workspace; both are empty for mails and
	// events.
	Platform core.Platform
	Tenant   string
	// State is dead or waiting.
	State State
	// Attempts counts all that were ever made.
	Attempts  int
	Cause     string
	CreatedAt time.Time
	// DoneAt is when it was given up; zero while it waits.
	DoneAt time.Time
}

// DeadLetterFilter chooses dead letters; an empty field chooses all.
type DeadLetterFilter struct {
	IDs      []int64
	Kind     Kind
	Platform core.Platform
	// State is dead or waiting.
	State State
	// Cause is a part of the cause, in the same letters.
	Cause string
}

// DeadLetterStore lets an operator see what did not arrive, and decide.
type DeadLetterStore interface {
	// DeadLetters returns up to limit dead and waiting deliveries with an id
	// above after, in the order of their ids.
	DeadLetters(ctx context.Context, f DeadLetterFilter, after int64, limit int) ([]DeadLetter, error)
	// Resend makes them due now, with as many attempts as a new delivery has,
	// wakes their lanes and returns how many, all in one transaction. They
	// keep their keys, so that a send whose answer was lost is still found. A
	// post of which another delivery is due already needs no second one: that
	// one is done and not counted. A mail stays as it is, because its code
	// was wiped when it was given up.
	Resend(ctx context.Context, now time.Time, f DeadLetterFilter) (int, error)
	// Drop deletes them and returns how many.
	Drop(ctx context.Context, now time.Time, f DeadLetterFilter) (int, error)
}
