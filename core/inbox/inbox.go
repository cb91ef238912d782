// Package inbox holds what came in from outside and what has to be done at
// the provider because of it: stored once before it is acknowledged, worked
// off in order of need, retried until it is done or given up.
package inbox

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Kind says what is to be done with an item.
type Kind string

// Kinds, with the meaning of the item's payload.
const (
	// KindIssue: issue a granted badge; the payload is the handoff's id.
	KindIssue Kind = "badge.issue"
	// KindProviderEvent: a pushed event of the provider, as it came.
	KindProviderEvent Kind = "provider.event"
	// KindReadPerson: read all badges of an address; the payload is its
	// normal form.
	KindReadPerson = Kind(core.WorkReadPerson)
	// KindReplace: move a badge to its changed address; the payload is the
	// badge's id.
	KindReplace Kind = "badge.replace"
	// KindRevoke: take back a withdrawn badge; the payload is the badge's id.
	KindRevoke = Kind(core.WorkRevoke)
	// KindCelebrate: a team celebrates in another channel; the payload is the
	// team.
	KindCelebrate = Kind(core.WorkCelebrate)
	// KindPortalEvent: a signed event of the body's own system, as it came.
	KindPortalEvent Kind = "portal.event"
	// KindInstallationEnded: the credentials of a workspace are void; the
	// payload is the platform and tenant, joined by a colon.
	KindInstallationEnded Kind = "installation.ended"
	// KindInstallationRemoved: a workspace removed the app, with the same
	// payload.
	KindInstallationRemoved Kind = "installation.removed"
)

// Priority of a kind: lower comes first. Somebody waits for an issued badge.
func (k Kind) Priority() int {
	switch k {
	case KindIssue:
		return 0
	case KindReadPerson, KindInstallationEnded, KindInstallationRemoved:
		return 1
	case KindProviderEvent, KindPortalEvent:
		return 2
	default:
		return 3
	}
}

// Message is something to be stored.
type Message struct {
	// Source and Key name the message: a second one of the same name is
	// dropped. Key comes from outside, e.g. an event id.
	Source, Key string
	Kind        Kind
	Payload     string
}

// Receiver stores messages before they are acknowledged.
type Receiver interface {
	// Receive stores m durably. It returns false when a message of the same
	// source and key is known already; that is no error.
	Receive(ctx context.Context, m Message) (isNew bool, err error)
}

// Item is a stored message handed to a worker.
type Item struct {
	ID       int64
	Message  Message
	Attempts int
	// ReceivedAt is when it was stored.
	ReceivedAt time.Time
}

// Store keeps the items.
type Store interface {
	Receiver
	// ReceiveAll stores messages together, all or none, and tells for each
	// what Receive would. Of several of the same name the first is new.
	ReceiveAll(ctx context.Context, messages []Message) (isNew []bool, err error)
	// TakeItems leases up to n due items, those of lower priority number
	// first, until now+lease. An item whose lease ran out is due again.
	TakeItems(ctx context.Context, now time.Time, n int, lease time.Duration) ([]Item, error)
	// FinishItem marks an item as done and forgets its payload.
	FinishItem(ctx context.Context, id int64, now time.Time) error
	// RetryItem makes an item due again at the given time and keeps the cause,
	// or parks it for good when at is zero.
	RetryItem(ctx context.Context, id int64, at time.Time, cause string) error
}
