package core

import (
	"context"
	"time"
)

// HomeKey is the message key of a home: a page of the platform's own that a
// person opens, such as the tab of that name in Slack, and that holds what
// the bot put there last. It has one key on every platform and for everybody,
// and no message has the like.
const HomeKey = "home"

// HomeStore knows homes. A home is a post like any other, of the account whose
// home it is, from when it is first opened by somebody who is known: whatever
// changes for its person is shown there too, see [Tx.TellHomes].
type HomeStore interface {
	// HomesOf returns the homes of all accounts of a member, oldest account
	// first.
	HomesOf(ctx context.Context, memberID string) ([]Post, error)
	// RenewHome notes that somebody looked at a home, which is forgotten when
	// nobody does for a long time. It changes nothing for one that is gone.
	RenewHome(ctx context.Context, postID string, now time.Time) error
}
