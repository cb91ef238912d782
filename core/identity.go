package core

import "github.com/google/uuid"

// Platform names a chat platform, e.g. "slack".
type Platform string

// Identity is a chat identity as the platform tells it: it is proven by the
// platform's signature on the request that carried it.
type Identity struct {
	Platform Platform
	// Tenant is the team or enterprise on platforms whose user ids are only
	// unique there, and empty where they are global.
	Tenant string
	// User is the platform's user id.
	User string
}

// Lane names the queue of messages to this person: messages within a lane
// are delivered one after the other, lanes do not wait for each other.
func (i Identity) Lane() string {
	return string(i.Platform) + ":" + i.Tenant + ":" + i.User
}

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
