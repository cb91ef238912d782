package core

import (
	"context"
	"time"
)

// EventType is a change that the certification body's own system is told.
type EventType string

// Event types.
const (
	EventClaimed  EventType = "badge.claimed"
	EventAccepted EventType = "badge.accepted"
	EventRejected EventType = "badge.rejected"
	EventPublic   EventType = "badge.public"
)

// Event is one change, told once under its ID and repeated until received.
type Event struct {
	// ID is the same each time the event is sent.
	ID   string
	Type EventType
	At   time.Time
	// Badge is the badge as it is when the event is sent.
	Badge Badge
}

// EventSink is the certification body's own system.
type EventSink interface {
	// Publish sends one event. A nil error means it was received; a
	// [RetryAfterError] names a time to wait; every other error is temporary.
	Publish(ctx context.Context, e Event) error
}
