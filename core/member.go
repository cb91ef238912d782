package core

import "time"

// Account is a chat identity that Laurel has met, or a channel in which it
// posts, see [ChannelIdentity].
type Account struct {
	ID       string
	Identity Identity
	MemberID string
	// Locale is the language the platform last told, BCP 47, or empty.
	Locale string
	// TimeZone is an IANA name, or empty where the platform does not tell.
	TimeZone string
	// DisplayName is how the platform shows the person, or empty.
	DisplayName string
	// Team is the team or server in which the person was last met, e.g.
	// "slack:T1", or empty where that is not known.
	Team string
}

// Address is a verified e-mail address; it belongs to exactly one member.
type Address struct {
	ID         string
	MemberID   string
	Email      Email
	VerifiedAt time.Time
}

// Person is all that a chat identity may see of itself.
type Person struct {
	// Account is nil for somebody who never linked anything.
	Account   *Account
	Accounts  []Account
	Addresses []Address
	// Waiting says that messages could not reach the person by direct
	// message and wait for the next contact.
	Waiting bool
	// Seen is when the account was last noted as seen.
	Seen time.Time
}

// MemberID returns the member, or "" for somebody unknown.
func (p Person) MemberID() string {
	if p.Account == nil {
		return ""
	}
	return p.Account.MemberID
}

// BadgeView is a badge with what else is needed to show it to its owner.
type BadgeView struct {
	Badge Badge
	// Handoff is the newest handoff of the badge, or nil.
	Handoff *Handoff
	// Shared says that its owner has shown the badge to somebody.
	Shared bool
}

// VerificationState is where the proof of an address stands.
type VerificationState string

// Verification states.
const (
	VerificationOpen       VerificationState = "open"
	VerificationUsed       VerificationState = "used"
	VerificationExhausted  VerificationState = "exhausted"
	VerificationSuperseded VerificationState = "superseded"
	// VerificationLimited: accepted for the looks of it, but no mail is
	// sent, because too many were asked for.
	VerificationLimited VerificationState = "limited"
)

// Verification is one attempt to prove that an address is a person's own.
type Verification struct {
	ID       string
	Account  Account
	Email    Email
	CodeHash string
	// Tries is how many codes were compared.
	Tries     int
	State     VerificationState
	CreatedAt time.Time
	ExpiresAt time.Time
	// Workspace is where it was asked for, for the limit per workspace.
	Workspace string
}

// Dead reports whether no code and no link can confirm it any more at now.
func (v Verification) Dead(now time.Time) bool {
	return v.State != VerificationOpen && v.State != VerificationLimited || !now.Before(v.ExpiresAt)
}
