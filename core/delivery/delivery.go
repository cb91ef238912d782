// Package delivery brings messages to where people are: in order within a
// lane, within the platform's limits, repeated until they arrive or are known
// not to, and never twice in what people see.
package delivery

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Kind is what is delivered.
type Kind string

// Kinds, with the meaning of Ref.
const (
	// KindPost: a card in a chat; the post's id.
	KindPost Kind = "post"
	// KindMail: the mail with a code; the verification's id.
	KindMail Kind = "mail"
	// KindEvent: an event for the body's own system; the badge's id. Payload
	// is the event's type.
	KindEvent Kind = "event"
)

// State is where a delivery stands.
type State string

// States.
const (
	StateReady   State = "ready"
	StateSending State = "sending"
	StateSent    State = "sent"
	// StateWaiting: the person cannot be reached now; shown at the next
	// contact.
	StateWaiting State = "waiting"
	// StateDead: given up; kept with its cause for the operator.
	StateDead State = "dead"
)

// Delivery is one message on its way.
type Delivery struct {
	ID   int64
	Lane string
	// Tenant names who shares slots with others: the workspace, or what the
	// lane is for where it has none.
	Tenant string
	Kind   Kind
	Ref    string
	// Payload is the opened secret of a mail, or the type of an event.
	Payload core.Secret
	// Key is stable over all attempts.
	Key string
	// Fallback: another way is tried when the place is gone.
	Fallback bool
	// Attempts counts this one.
	Attempts int
	// Uncounted is how many attempts before this one do not count towards
	// giving up, because they met a limit or the end of a process.
	Uncounted int
	// LimitedSince is since when it has met nothing but limits; zero when the
	// attempt before this one met none.
	LimitedSince time.Time
	// FirstTryAt is when the first attempt was made by which something may have
	// been shown, zero in that attempt.
	FirstTryAt time.Time
	CreatedAt  time.Time
	// Parcel, if not nil, is what a post shows and where, so that neither has
	// to be read.
	Parcel *core.Parcel
}

// Outcome is what became of an attempt.
type Outcome struct {
	Delivery Delivery
	// State is sent, ready (again at RetryAt), waiting or dead.
	State   State
	RetryAt time.Time
	// Uncounted: the attempt does not count towards giving up.
	Uncounted bool
	// Untried: it is as if nobody had tried, because what was met came before
	// anything could be shown. Only a first attempt can say so.
	Untried bool
	// LimitedSince: see [Delivery]; zero when this attempt met no limit.
	LimitedSince time.Time
	// Pause keeps the lane from sending for a while.
	Pause time.Duration
	// Cause is for the operator: no personal data.
	Cause string
	// Place, when not nil, is where the post stands from now on.
	Place *core.Place
	// SameMessage says that Place has the message key that the post had.
	SameMessage bool
	// DeadInstallation, when not nil, names a workspace whose credentials are
	// void: nothing more is sent there.
	DeadInstallation *core.Identity
}

// Store keeps deliveries.
type Store interface {
	core.PostStore
	// TakeDeliveries leases the oldest due delivery of up to n lanes until
	// now+lease. Within a lane nothing is taken while another is being sent.
	// A delivery whose lease ran out is due again. Lanes of dead
	// installations are left alone, and so are those of tenants that have
	// their share: fewer than n then does not mean that there are no more.
	TakeDeliveries(ctx context.Context, now time.Time, n int, lease time.Duration, share Share) ([]Delivery, error)
	// FinishDeliveries stores outcomes in one transaction. It reports whether
	// there is more to send in their lanes, now or later.
	FinishDeliveries(ctx context.Context, now time.Time, outcomes []Outcome) (more bool, err error)
}
