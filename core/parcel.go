package core

import "time"

// Parcel is a card whose delivery was leased by the statement that queued it,
// with all that is needed to make and send it: nothing is read for it again.
type Parcel struct {
	// Delivery is the delivery's id, Lane the account's, and Key the same for
	// all attempts.
	Delivery int64
	Lane     string
	Key      string
	QueuedAt time.Time
	Post     Post
	// View is the handoff as it was queued.
	View HandoffView
}

// Courier carries cards to where people are.
type Courier interface {
	// Lease returns until when the delivery of a card to somebody may be
	// leased for Carry, or zero where it should wait its turn.
	Lease(to Identity) time.Time
	// Carry sends a leased card as soon as it can. What is not carried in the
	// end is due again when its lease is over.
	Carry(p Parcel)
}
