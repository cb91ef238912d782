package core

import (
	"context"
	"slices"
	"time"
)

// Customs are what a team has for those who have no wishes.
type Customs struct {
	Plan  Plan
	Hours Hours
	// CelebrateIn is the account of the channel in which badges are
	// celebrated, or empty.
	CelebrateIn string
}

// DefaultCustoms are those of a team that changed nothing.
func DefaultCustoms() Customs {
	return Customs{Plan: DefaultPlan(), Hours: DefaultHours(time.UTC)}
}

// Usual reports whether these are the customs of a team that changed nothing.
func (c Customs) Usual() bool {
	usual := DefaultCustoms()
	for _, p := range AllPolicies() {
		if !slices.Equal(c.Plan[p], usual.Plan[p]) {
			return false
		}
	}
	h := c.Hours
	return c.CelebrateIn == "" && h.From == usual.Hours.From && h.To == usual.Hours.To && h.Days == usual.Hours.Days &&
		h.Zone != nil && h.Zone.String() == usual.Hours.Zone.String()
}

// HoursFor returns when a person with these wishes may be reminded, whose
// platform tells the time zone (or "").
func (c Customs) HoursFor(w Wishes, zone string) Hours {
	h := c.Hours
	for _, name := range []string{w.Zone, zone} {
		if z, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			h.Zone = z
			break
		}
	}
	if w.Days != 0 {
		h.From, h.To, h.Days = w.From, w.To, w.Days
	}
	if h.Check() != nil {
		return DefaultHours(h.Zone)
	}
	return h
}

// CustomsChange is what is to change of a team's customs. What is nil stays as
// it is, so that two people who change different things at the same time do
// not undo one another's.
type CustomsChange struct {
	Plan        Plan
	Hours       *Hours
	CelebrateIn *string
}

// CustomsStore reads what teams chose.
type CustomsStore interface {
	// Customs returns those of a team, the usual ones where it chose none.
	Customs(ctx context.Context, team string) (Customs, error)
}
