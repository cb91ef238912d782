package core

import (
	"context"
	"errors"
	"time"
)

// Capability is something a credential provider may or may not be able to
// do. What it cannot do is declared, never faked.
type Capability uint

// Capabilities of a provider.
const (
	// CanIssue: Issue works.
	CanIssue Capability = 1 << iota
	// CanReplace: Replace works while the badge is pending.
	CanReplace
	// CanRevoke: Revoke works.
	CanRevoke
	// TellsAcceptance: Observation.Stage distinguishes pending from accepted.
	TellsAcceptance
	// TellsVisibility: Observation.Stage distinguishes accepted from public.
	TellsVisibility
	// PushesChanges: changes are pushed by webhook; everything works without.
	PushesChanges
)

// Has reports whether all of want are in c.
func (c Capability) Has(want Capability) bool { return c&want == want }

// Errors of a provider. Any other error is temporary: the call may be
// repeated later.
var (
	// ErrNoSuchBadge says that the provider does not know the badge.
	ErrNoSuchBadge = errors.New("badge unknown to the provider")
	// ErrRefused says that the provider understood and will not do it, however
	// often it is asked. The cause is for the operator.
	ErrRefused = errors.New("refused by the provider")
	// ErrUnauthorized says that the credentials are not accepted: an
	// operator has to act, the call may be repeated afterwards.
	ErrUnauthorized = errors.New("credentials not accepted by the provider")
)

// RetryAfterError is an error that names the time to wait.
type RetryAfterError struct {
	After time.Duration
	Err   error
}

// Error describes the cause.
func (e *RetryAfterError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryAfterError) Unwrap() error { return e.Err }

// Observation is what the provider says about one badge at one moment.
type Observation struct {
	ProviderID string
	// ExternalID is our own id of the person or award that was given when
	// issuing (Credly: issuer_earner_id), or empty.
	ExternalID string
	// Recipient is the address the badge was issued to.
	Recipient           Email
	FirstName, LastName string
	Locale              string
	Template            Template
	// Stage is pending, accepted, public, rejected, revoked, replaced or
	// unknown.
	Stage               Stage
	IssuedAt, ExpiresAt time.Time
	// AcceptURL is the personal link for accepting, only while pending.
	AcceptURL string
	// OwnerURL is the page on which the earner changes who sees the badge.
	OwnerURL string
	// BadgeURL is the public page.
	BadgeURL   string
	ReplacedBy string
	// At is the provider's own time of this state: the latest of its
	// change times. It orders observations.
	At time.Time
	// ReadAt is when it was read, by our clock; it orders observations of
	// the same At.
	ReadAt time.Time
}

// IssueRequest asks for one badge.
type IssueRequest struct {
	// ExternalID is stored with the badge at the provider and makes issuing
	// repeatable: the award's id.
	ExternalID          string
	TemplateID          string
	Recipient           Email
	FirstName, LastName string
	Locale              string
	IssuedAt, ExpiresAt time.Time
	Certificate         Certificate
}

// Provider issues credentials and says how they stand. Implementations are
// safe for concurrent use and keep the provider's rate limits themselves.
type Provider interface {
	// Name is the provider's name as people know it, e.g. "Credly".
	Name() string
	// Capabilities is what may be asked of the provider; always the same.
	Capabilities() Capability
	// Get reads one badge. [ErrNoSuchBadge] when it is unknown.
	Get(ctx context.Context, providerID string) (Observation, error)
	// ForPerson reads all badges of the person who owns the address, whatever
	// address each was issued to. No badge is not an error.
	ForPerson(ctx context.Context, address Email) ([]Observation, error)
	// Templates reads all active templates.
	Templates(ctx context.Context) ([]Template, error)
	// Issue issues a badge, or returns the existing one when the same badge
	// was already issued (a repeated call, or a lost answer). [ErrRefused]
	// when the provider will never issue it.
	Issue(ctx context.Context, r IssueRequest) (Observation, error)
	// Replace moves a pending badge to another address and returns the new
	// badge. [ErrRefused] when it is no longer pending.
	Replace(ctx context.Context, providerID string, r IssueRequest) (Observation, error)
	// Revoke takes a badge back; already revoked is not an error.
	Revoke(ctx context.Context, providerID, reason string) error
	// Event resolves a pushed event to the badge it is about, re-reading it
	// at the provider so that a forged push has no effect. An empty id means
	// that the event concerns no badge; [ErrNoSuchBadge] that it is unknown.
	Event(ctx context.Context, payload []byte) (providerID string, err error)
	// TrustedURL reports whether a link may be shown to a person as one of
	// the provider's.
	TrustedURL(link string) bool
}
