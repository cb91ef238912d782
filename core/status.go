package core

import (
	"context"
	"time"
)

// Status is how the whole stands, in numbers that name nobody.
type Status struct {
	// Badges counts badges by stage, a few minutes old at most.
	Badges map[Stage]int64
	// Members are those who linked an account; Stopped of them want no
	// reminders.
	Members, Stopped int64
	// Reminded counts the reminders since a time.
	Reminded int64
	// Waiting are messages for people who cannot be reached now, Dead those
	// that were given up.
	Waiting, Dead int64
}

// StatusStore counts.
type StatusStore interface {
	// Status counts; reminders since the given time.
	Status(ctx context.Context, since time.Time) (Status, error)
}
