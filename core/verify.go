package core

import (
	"context"
	"time"
)

// VerdictStatus is what a verification comes to. The zero value is no
// verdict; nothing but [VerdictGenuine] says that a badge may be relied on.
type VerdictStatus string

// What a verification can come to.
const (
	// VerdictGenuine: issued by the named issuer, unaltered, current.
	VerdictGenuine VerdictStatus = "genuine"
	// VerdictExpired: over, whoever issued it.
	VerdictExpired VerdictStatus = "expired"
	// VerdictNotYetValid: begins in the future.
	VerdictNotYetValid VerdictStatus = "not_yet_valid"
	// VerdictRevoked: taken back or suspended by its issuer.
	VerdictRevoked VerdictStatus = "revoked"
	// VerdictAltered: the signature does not fit what it signs.
	VerdictAltered VerdictStatus = "altered"
	// VerdictIssuerNotConfirmed: whole, but nothing shows that the named
	// issuer issued it.
	VerdictIssuerNotConfirmed VerdictStatus = "issuer_not_confirmed"
	// VerdictOtherRecipient: genuine, but not shown to be issued to the
	// address that was asked about.
	VerdictOtherRecipient VerdictStatus = "other_recipient"
	// VerdictUnreachable: a document that the verdict needs did not come.
	VerdictUnreachable VerdictStatus = "unreachable"
	// VerdictUnknown: its proof or status is of a kind that is not
	// understood, or there is none.
	VerdictUnknown VerdictStatus = "unknown"
	// VerdictMalformed: no badge, or one that breaks the rules of its format.
	VerdictMalformed VerdictStatus = "malformed"
)

// CheckResult is how one check went.
type CheckResult string

// How a check can go.
const (
	CheckPassed CheckResult = "passed"
	CheckFailed CheckResult = "failed"
	// CheckWarned: unusual, without changing the verdict.
	CheckWarned CheckResult = "warned"
	// CheckNotDone: was not or could not be checked.
	CheckNotDone CheckResult = "not_checked"
)

// Names of checks.
const (
	CheckInput       = "input"       // what was handed in could be read
	CheckFormat      = "format"      // the rules of its format are kept
	CheckSignature   = "signature"   // the proof fits what it signs
	CheckIssuer      = "issuer"      // the named issuer stands behind it
	CheckRevocation  = "revocation"  // not taken back
	CheckValidity    = "validity"    // begun, and not over
	CheckRecipient   = "recipient"   // issued to the address asked about
	CheckEndorsement = "endorsement" // others who vouch for it
	CheckSchema      = "schema"      // schemas that the badge names
	CheckRefresh     = "refresh"     // a newer version of the badge
)

// Check is one thing that was checked, or was not.
type Check struct {
	Name   string      `json:"name"`
	Result CheckResult `json:"result"`
	// Detail says it in English for an operator. It names no person.
	Detail string `json:"detail,omitempty"`
}

// VerifiedIssuer is who a badge says to be from.
type VerifiedIssuer struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
	// Confirmed says that this issuer was shown to stand behind the badge.
	Confirmed bool `json:"confirmed"`
}

// VerifiedRecipient is whom a badge is issued to, never in clear.
type VerifiedRecipient struct {
	// Kind of the identity, e.g. "email".
	Kind string `json:"kind,omitempty"`
	// Hash is the identity as the badge carries it, when it is hashed.
	Hash   string `json:"hash,omitempty"`
	Salted bool   `json:"salted,omitempty"`
}

// VerifiedAchievement is what a badge certifies. All of it is text of the
// issuer, to be shown as text.
type VerifiedAchievement struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// Criteria is a link, Narrative a text; either may be empty.
	Criteria  string `json:"criteria,omitempty"`
	Narrative string `json:"narrative,omitempty"`
	// Image is a link or a data URI. It was not fetched.
	Image string `json:"image,omitempty"`
}

// Endorsement is somebody who vouches for a badge, its class or its issuer.
type Endorsement struct {
	Issuer  string        `json:"issuer,omitempty"`
	Comment string        `json:"comment,omitempty"`
	Status  VerdictStatus `json:"status"`
}

// Verdict is the answer of a [Verifier].
type Verdict struct {
	Status VerdictStatus `json:"status"`
	// Reason says in English, for an operator, what decided. It holds nothing
	// that the badge or its issuer wrote to be read.
	Reason string `json:"reason,omitempty"`
	// RevocationReason is what stands beside a revocation, written by whoever
	// revoked: text of a stranger, to be shown as such.
	RevocationReason string `json:"revocation_reason,omitempty"`
	// Version of Open Badges, e.g. "2.0"; empty when it was not recognized.
	Version string `json:"version,omitempty"`
	// ID is the badge's own identifier, a link or a URN.
	ID          string              `json:"id,omitempty"`
	Issuer      VerifiedIssuer      `json:"issuer"`
	Recipient   VerifiedRecipient   `json:"recipient"`
	Achievement VerifiedAchievement `json:"achievement"`
	// IssuedAt and ExpiresAt are zero where the badge does not say.
	IssuedAt     time.Time     `json:"issued_at,omitzero"`
	ExpiresAt    time.Time     `json:"expires_at,omitzero"`
	Checks       []Check       `json:"checks"`
	Endorsements []Endorsement `json:"endorsements,omitempty"`
	// CheckedAt is when the verification began.
	CheckedAt time.Time `json:"checked_at"`
}

// Genuine reports whether the badge may be relied on now.
func (v Verdict) Genuine() bool { return v.Status == VerdictGenuine }

// Check returns the first check of that name that decided something against
// the badge, or else the first one; false when there is none.
func (v Verdict) Check(name string) (Check, bool) {
	var found Check
	ok := false
	for _, c := range v.Checks {
		if c.Name != name {
			continue
		}
		if c.Result == CheckFailed {
			return c, true
		}
		if !ok {
			found, ok = c, true
		}
	}
	return found, ok
}

// MaxBadgeFileBytes is the largest file that is looked at for a badge.
const MaxBadgeFileBytes = 10 << 20

// BadgeQuery is what is to be verified: a link or a file.
type BadgeQuery struct {
	// Link to a badge, a picture with a badge in it, or its public page.
	// Ignored when File is set.
	Link string
	// File is a picture with a badge in it, a JSON document or a signed
	// token, at most [MaxBadgeFileBytes].
	File []byte
	// Recipient is the address that the badge is thought to be issued to,
	// or empty. It is compared, and neither stored nor sent anywhere.
	Recipient string
}

// MaxVerdictSide is the largest side of a verdict's picture, in pixels.
const MaxVerdictSide = 512

// VerdictPictures gets the pictures that verdicts name, and makes them
// harmless. Implementations are safe for concurrent use.
type VerdictPictures interface {
	// VerdictPicture returns the picture behind [VerifiedAchievement.Image], a
	// link or a data URI, as a new PNG with sides of at most [MaxVerdictSide]
	// pixels, within seconds. [ErrNotFound] where there is nothing that can be
	// shown: no PNG, JPEG, GIF or WebP, or too large a one; drawings (SVG) are
	// not rendered. [ErrUnreachable] where it did not come.
	VerdictPicture(ctx context.Context, image string) ([]byte, error)
}

// Verifier answers whether a badge is genuine now, whoever issued it. There
// is always a verdict, at the latest after ten seconds; what a failing
// network or a hostile document leaves open is said in it. Implementations
// are safe for concurrent use.
type Verifier interface {
	Verify(ctx context.Context, q BadgeQuery) Verdict
}
