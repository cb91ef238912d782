package core

import "time"

// DefaultHandoffTTL is how long a handoff may be followed: the two minutes
// of the certification body's guide.
const DefaultHandoffTTL = 2 * time.Minute

// HandoffState is where a handoff stands.
type HandoffState string

// Handoff states. Only preparing and open count as open; a badge has at most
// one of these.
const (
	// HandoffPreparing: the badge is being issued; the two minutes have not
	// begun.
	HandoffPreparing HandoffState = "preparing"
	// HandoffOpen: the link can be followed until it expires.
	HandoffOpen HandoffState = "open"
	// HandoffFollowed: the link was used; the badge is not yet accepted.
	HandoffFollowed HandoffState = "followed"
	// HandoffExpired: nobody followed the link in time.
	HandoffExpired HandoffState = "expired"
	// HandoffCompleted: the badge was seen accepted.
	HandoffCompleted HandoffState = "completed"
	// HandoffFailed: the badge could not be issued, or ended meanwhile.
	HandoffFailed HandoffState = "failed"
)

// Handoff is the single-use passage from the chat to the provider.
type Handoff struct {
	ID       string
	BadgeID  string
	MemberID string
	State    HandoffState
	OpenedAt time.Time
	// ExpiresAt is the moment from which on the link is dead, whatever State
	// says: no job has to run for that.
	ExpiresAt time.Time
}

// Live reports whether the link works at now.
func (h Handoff) Live(now time.Time) bool {
	return h.State == HandoffOpen && now.Before(h.ExpiresAt)
}

// StateAt returns the state as it is at now, which may be ahead of what is
// stored when no sweep has run yet.
func (h Handoff) StateAt(now time.Time) HandoffState {
	if (h.State == HandoffOpen || h.State == HandoffPreparing) && !now.Before(h.ExpiresAt) {
		return HandoffExpired
	}
	return h.State
}
