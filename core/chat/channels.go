package chat

import (
	"context"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// Why nothing can be posted in a channel.
var (
	// ErrNoChannel: there is no such channel, or the bot is not in it, which
	// a platform does not always tell apart.
	ErrNoChannel = errors.New("no such channel, or not in it")
	// ErrArchived: nothing can be posted there any more.
	ErrArchived = errors.New("channel is archived")
	// ErrMayNotPost: the bot sees the channel and lacks a permission.
	ErrMayNotPost = errors.New("may not post in the channel")
)

// ChannelInfo is what is known of a channel.
type ChannelInfo struct {
	// Name is without the sign in front of it.
	Name string
	// Team is the team or server that it belongs to, see [Action.Team]; empty
	// where the identity's tenant says it.
	Team string
}

// Channels looks at the channels of one platform.
type Channels interface {
	// Channel returns what is known of a channel in which the bot can post,
	// with pictures; see [core.ChannelIdentity]. [ErrNoChannel],
	// [ErrArchived] or [ErrMayNotPost] where it cannot; any other error means
	// that the platform could not be asked.
	Channel(ctx context.Context, id core.Identity) (ChannelInfo, error)
}
