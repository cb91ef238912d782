package core

import (
	"strings"

	"github.com/google/uuid"
)

// Platform names a chat platform, e.g. "slack".
type Platform string

// Identity is a chat identity as the platform tells it: it is proven by the
// platform's signature on the request that carried it.
type Identity struct {
	Platform Platform
	// Tenant is the team or enterprise on platforms whose user ids are only
	// unique there, and empty where they are global.
	Tenant string
	// User is the platform's user id, or that of [ChannelIdentity].
	User string
}

// channelMark begins the User of a channel: no platform has a user id like it.
const channelMark = "#"

// ChannelIdentity is the identity under which messages to a whole channel are
// kept: a channel is an account like any other, without a person behind it.
func ChannelIdentity(p Platform, tenant, channel string) Identity {
	return Identity{Platform: p, Tenant: tenant, User: channelMark + channel}
}

// Channel returns the platform's id of the channel, and false for a person.
func (i Identity) Channel() (string, bool) { return strings.CutPrefix(i.User, channelMark) }

// Lane names the queue of messages to this person: messages within a lane
// are delivered one after the other, lanes do not wait for each other.
func (i Identity) Lane() string {
	return string(i.Platform) + ":" + i.Tenant + ":" + i.User
}

// HomeLaneEnd ends the lanes of homes: no platform has a user id like it.
const HomeLaneEnd = ":home"

// HomeLane names the queue of what is shown in this person's home, see
// [HomeKey]. When much changes at once platforms let homes wait for long, and
// no message waits for them.
func (i Identity) HomeLane() string { return i.Lane() + HomeLaneEnd }

// NewID returns a new opaque identifier. Identifiers grow with time, which
// keeps the indexes of the store compact, and are not secrets.
func NewID() string {
	id, err := uuid.NewV7()
	if err != nil {
		// The system's source of randomness is gone: nothing that needs an
		// unguessable value could go on safely.
		panic("core: read randomness: " + err.Error())
	}
	return id.String()
}
