package core

import (
	"errors"
	"fmt"
	"time"
)

// Place is where in a chat a message stands or will stand. Only the adapter
// that made it can read Ref, which may be a bearer secret and is sealed at
// rest.
type Place struct {
	Ref Secret
	// MessageKey is the platform's stable name of the message, once known:
	// the same message seen through two interactions has the same key.
	MessageKey string
	// EditableUntil is when the platform stops accepting edits at Ref. Zero:
	// what is shown there cannot be edited at all.
	EditableUntil time.Time
	// Shown says that a message already stands there; otherwise the first
	// message is still to be delivered.
	Shown bool
}

// Reachable reports whether a card can be shown at p at time now: for the
// first time, or in place of what stands there.
func (p Place) Reachable(now time.Time) bool {
	return p.Ref != "" && now.Before(p.EditableUntil)
}

// DeliveryClass says what a failed delivery means for those that follow.
type DeliveryClass string

// Delivery classes.
const (
	// RetryLater: the platform named a time to wait; the lane waits.
	RetryLater DeliveryClass = "retry_later"
	// Temporary: repeat with growing intervals.
	Temporary DeliveryClass = "temporary"
	// PlaceGone: nothing can be shown at this place any more; another way to
	// the person may work.
	PlaceGone DeliveryClass = "place_gone"
	// TargetDead: the person or channel cannot be reached at all.
	TargetDead DeliveryClass = "target_dead"
	// InstallationDead: the credentials of the whole workspace are void.
	InstallationDead DeliveryClass = "installation_dead"
	// Invalid: the platform refuses this very message; repeating is useless.
	Invalid DeliveryClass = "invalid"
)

// DeliveryError is a failed delivery with what it means. Code is the
// platform's own word for it and holds no personal data.
type DeliveryError struct {
	Class DeliveryClass
	Code  string
	// After is the time to wait, for RetryLater.
	After time.Duration
	Err   error
}

// Error describes the class, the code and the cause.
func (e *DeliveryError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s (%s)", e.Class, e.Code)
	}
	return fmt.Sprintf("%s (%s): %v", e.Class, e.Code, e.Err)
}

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// ClassOf returns the class of err; an error of no known class is temporary.
func ClassOf(err error) DeliveryClass {
	var d *DeliveryError
	if errors.As(err, &d) {
		return d.Class
	}
	return Temporary
}
