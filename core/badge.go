package core

import "time"

// Stage is where a badge stands on its way to being shown.
type Stage string

// Stages. A badge moves from granted to public; the last four are ends.
// Expiry is derived from [Badge.ExpiresAt] and never a stage.
const (
	// StageUnknown is a state of the provider that is not known here.
	StageUnknown Stage = "unknown"
	// StageGranted: the certification body decided, the provider does not
	// know yet.
	StageGranted Stage = "granted"
	// StagePending: offered by the provider, not yet accepted.
	StagePending Stage = "pending"
	// StageAccepted: accepted by its earner, visible to nobody else.
	StageAccepted Stage = "accepted"
	// StagePublic: accepted and visible to everybody.
	StagePublic Stage = "public"
	// StageRejected: refused by its earner; only a new award can follow.
	StageRejected Stage = "rejected"
	// StageRevoked: taken back by the issuer at the provider.
	StageRevoked Stage = "revoked"
	// StageReplaced: another badge took its place.
	StageReplaced Stage = "replaced"
	// StageWithdrawn: taken back by the body before the provider knew it.
	StageWithdrawn Stage = "withdrawn"
)

// Claimable reports whether a handoff may be opened for a badge in stage s.
func (s Stage) Claimable() bool { return s == StageGranted || s == StagePending }

// Held reports whether the earner holds the badge.
func (s Stage) Held() bool { return s == StageAccepted || s == StagePublic }

// Ended reports whether nothing more can follow for the badge.
func (s Stage) Ended() bool {
	return s == StageRejected || s == StageRevoked || s == StageReplaced || s == StageWithdrawn
}

// Badge is one template awarded to one e-mail address.
type Badge struct {
	ID string
	// AwardID is the certification body's own id, empty for a badge that
	// was only ever seen at the provider.
	AwardID string
	// ProviderID is the provider's id, empty while the badge is granted.
	ProviderID string
	Template   Template
	// Recipient is the address the badge was issued to.
	Recipient           Email
	FirstName, LastName string
	// Locale is the recipient's language as the body knows it (BCP 47).
	Locale string
	Stage  Stage
	// IssuedAt and ExpiresAt are zero where unknown or unlimited.
	IssuedAt, ExpiresAt time.Time
	Certificate         Certificate
	// AcceptURL is the provider's last seen link for accepting: personal,
	// possibly stale, to be read again before it is shown.
	AcceptURL string
	// BadgeURL is the public page.
	BadgeURL string
	// OwnerURL is the page on which the earner changes who sees the badge, or
	// empty where it is not known. It names the person.
	OwnerURL string
	// ReplacedBy is the provider's id of the badge that took its place.
	ReplacedBy string
	// ProviderTime is the provider's own time of the state that is stored.
	ProviderTime time.Time
	// ReadAt is when that state was read.
	ReadAt time.Time
}

// Certificate is the paper the badge stands for.
type Certificate struct{ Number, URL string }

// Template is what can be earned.
type Template struct {
	// ID is the provider's id.
	ID          string
	Name        string
	Description string
	ImageURL    string
}

// Award is one decision of the certification body as its own system tells
// it, by webhook or by file.
type Award struct {
	AwardID             string
	Recipient           Email
	FirstName, LastName string
	Locale              string
	TemplateID          string
	IssuedAt, ExpiresAt time.Time
	Certificate         Certificate
	// DecidedAt orders what is said about one award: an older decision never
	// overwrites a newer one.
	DecidedAt time.Time
}
