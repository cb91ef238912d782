package core

import (
	"cmp"
	"slices"
	"time"
)

// RenewalNotice is how long before its end a certificate is said to expire
// soon: as long before as reminders usually begin, see [DefaultPlan].
const RenewalNotice = 90 * day

// Validity is how a certificate stands for the one who keeps track of it: its
// stage, and for what is held the time.
type Validity string

// Validities.
const (
	// ValidityExpired: held, and over.
	ValidityExpired Validity = "expired"
	// ValidityExpiring: held, and over within [RenewalNotice].
	ValidityExpiring Validity = "expiring"
	ValidityValid    Validity = "valid"
	// ValidityLasting: held, and no end is known.
	ValidityLasting Validity = "lasting"
	// ValidityWaiting: earned and not accepted yet.
	ValidityWaiting Validity = "waiting"
	// ValidityUnknown: the provider's state is not known here.
	ValidityUnknown  Validity = "unknown"
	ValidityReplaced Validity = "replaced"
	// ValidityDeclined: refused by its earner.
	ValidityDeclined Validity = "declined"
	// ValidityRevoked: taken back, at the provider or before it knew.
	ValidityRevoked Validity = "revoked"
)

// AllValidities returns every validity in the order in which they are listed.
func AllValidities() []Validity {
	return []Validity{
		ValidityExpiring, ValidityExpired, ValidityValid, ValidityLasting, ValidityWaiting, ValidityUnknown,
		ValidityReplaced, ValidityDeclined, ValidityRevoked,
	}
}

// Held reports whether it stands for something that its earner holds, whether
// or not it is over.
func (s Validity) Held() bool {
	return s == ValidityExpired || s == ValidityExpiring || s == ValidityValid || s == ValidityLasting
}

// Credential is a certificate or a badge as its earner keeps track of it.
type Credential struct {
	// ID is the same for the same badge as long as it is known here; for one
	// from elsewhere it is the provider's.
	ID string
	// ProviderID is the provider's id, or empty.
	ProviderID string
	// Name may be empty.
	Name string
	// Issuer is who issued it, as far as known.
	Issuer      string
	Certificate Certificate
	// IssuedAt and ExpiresAt are zero where unknown or unlimited. Their days
	// are those of UTC, as with the provider.
	IssuedAt, ExpiresAt time.Time
	// Stage is empty for one from elsewhere.
	Stage    Stage
	Validity Validity
	// Days is how many days there are from today to the day of ExpiresAt, or
	// since it; 0 for today and where there is no such day.
	Days int
	// Successor is the name of what took the place of one that was replaced,
	// where that is known and has a name.
	Successor string
	// Renewed says that the same was earned again, and that one is held and
	// not over.
	Renewed bool
	// PageURL is where everybody can look at it, or empty.
	PageURL string
	// Picture is the token of the address of its picture, or empty.
	Picture string
	// Elsewhere says that it is not one of this server's issuer.
	Elsewhere bool
}

// Public reports whether everybody can look at it.
func (c Credential) Public() bool { return c.PageURL != "" }

// validityOf says how a badge of the stage stands at now.
func validityOf(s Stage, expires, now time.Time) Validity {
	switch {
	case s.Claimable():
		return ValidityWaiting
	case s == StageRejected:
		return ValidityDeclined
	case s == StageRevoked, s == StageWithdrawn:
		return ValidityRevoked
	case s == StageReplaced:
		return ValidityReplaced
	case !s.Held():
		return ValidityUnknown
	case expires.IsZero():
		return ValidityLasting
	case !now.Before(expires):
		return ValidityExpired
	case expires.Sub(now) <= RenewalNotice:
		return ValidityExpiring
	}
	return ValidityValid
}

// daysBetween counts the days from one day of UTC to another, in either
// direction.
func daysBetween(a, b time.Time) int {
	if a.IsZero() || b.IsZero() {
		return 0
	}
	days := int(b.UTC().Truncate(day).Sub(a.UTC().Truncate(day)) / day)
	return max(days, -days)
}

// credentials are a person's badges as they keep track of them.
func credentials(badges []BadgeView, now time.Time) []Credential {
	out := make([]Credential, 0, len(badges))
	names, current := make(map[string]string, len(badges)), make(map[string]bool, len(badges))
	for _, v := range badges {
		b := v.Badge
		names[b.ProviderID] = b.Template.Name
		if b.Stage.Held() && (b.ExpiresAt.IsZero() || now.Before(b.ExpiresAt)) {
			current[b.Template.ID] = true
		}
	}
	for _, v := range badges {
		b := v.Badge
		c := Credential{
			ID: b.ID, ProviderID: b.ProviderID, Name: b.Template.Name, Certificate: b.Certificate,
			IssuedAt: b.IssuedAt, ExpiresAt: b.ExpiresAt, Stage: b.Stage,
			Validity: validityOf(b.Stage, b.ExpiresAt, now), Days: daysBetween(now, b.ExpiresAt),
		}
		if b.ReplacedBy != "" {
			c.Successor = names[b.ReplacedBy]
		}
		c.Renewed = c.Validity == ValidityExpired && current[b.Template.ID]
		out = append(out, c)
	}
	return sorted(out)
}

// sorted puts first what somebody may have to do something about; what was
// renewed comes after everything that is held.
func sorted(all []Credential) []Credential {
	order := AllValidities()
	place := func(c Credential) int {
		if c.Renewed {
			return slices.Index(order, ValidityWaiting)
		}
		return slices.Index(order, c.Validity)
	}
	slices.SortStableFunc(all, func(a, b Credential) int {
		return cmp.Or(place(a)-place(b), a.ExpiresAt.Compare(b.ExpiresAt), b.IssuedAt.Compare(a.IssuedAt))
	})
	return all
}
