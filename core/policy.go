package core

import (
	"fmt"
	"slices"
	"time"
)

// Policy is a reason to remind a person of a badge.
type Policy string

// Policies, in the order in which they go before one another for one badge.
const (
	// PolicyExpiring: a badge that is held expires soon.
	PolicyExpiring Policy = "expiring"
	// PolicyFollowed: the way to the provider was taken, and the badge is not
	// accepted yet.
	PolicyFollowed Policy = "followed"
	// PolicyPending: earned, not accepted.
	PolicyPending Policy = "pending"
	// PolicyPrivate: accepted and visible to nobody else.
	PolicyPrivate Policy = "private"
	// PolicyUnshared: public and never shown to anybody.
	PolicyUnshared Policy = "unshared"
)

// AllPolicies returns every policy in the order of their constants.
func AllPolicies() []Policy {
	return []Policy{PolicyExpiring, PolicyFollowed, PolicyPending, PolicyPrivate, PolicyUnshared}
}

// Plan says after how many days each policy reminds: counted from when its
// reason arose, for PolicyExpiring back from the end. A policy without days
// never reminds.
type Plan map[Policy][]int

// DefaultPlan is the plan of a workspace that chose none.
func DefaultPlan() Plan {
	return Plan{
		PolicyPending: {1, 3, 7, 14, 30}, PolicyFollowed: {1}, PolicyPrivate: {2, 10},
		PolicyUnshared: {5}, PolicyExpiring: {90, 30, 7},
	}
}

// Limits of a plan.
const (
	MaxPlanSteps = 10
	MaxPlanDays  = 365
)

// DaysFault is what is wrong with the days of a policy, in a word; empty for
// nothing.
type DaysFault string

// Faults of days.
const (
	// DaysTooMany: more than [MaxPlanSteps].
	DaysTooMany DaysFault = "many"
	// DaysOutOfRange: less than a day, or more than [MaxPlanDays].
	DaysOutOfRange DaysFault = "range"
	// DaysOutOfOrder: they do not follow one another; those of
	// [PolicyExpiring] go down.
	DaysOutOfOrder DaysFault = "order"
)

// Fault says what is wrong with days of the policy.
func (p Policy) Fault(days []int) DaysFault {
	if len(days) > MaxPlanSteps {
		return DaysTooMany
	}
	for _, d := range days {
		if d < 1 || d > MaxPlanDays {
			return DaysOutOfRange
		}
	}
	for i := 1; i < len(days); i++ {
		if days[i] == days[i-1] || days[i] < days[i-1] != (p == PolicyExpiring) {
			return DaysOutOfOrder
		}
	}
	return ""
}

// Check refuses a plan with a policy that does not exist or with days that
// have a fault.
func (p Plan) Check() error {
	for policy, days := range p {
		if !slices.Contains(AllPolicies(), policy) {
			return fmt.Errorf("no policy %q: %w", policy, ErrUnmet)
		}
		if fault := policy.Fault(days); fault != "" {
			return fmt.Errorf("days of policy %s: %s: %w", policy, fault, ErrUnmet)
		}
	}
	return nil
}

// day is what plans count in. A step is due at the same distance in hours on
// every day; the person's hours then say at what time of day it is sent.
const day = 24 * time.Hour

// usefulFor is how long after it was due a step is still worth a message:
// after an outage, or for somebody who was away, the badges of last year are
// not all called to mind at once.
const usefulFor = 7 * day

// Occasion is a badge with what decides whether its person is reminded.
type Occasion struct {
	BadgeID string
	Stage   Stage
	// Since is when the badge came into its stage, or when its address was
	// proven if that was later: who has just seen the list needs no reminder
	// of what is old in it.
	Since time.Time
	// FollowedAt is when its last handoff was followed; zero for never.
	FollowedAt time.Time
	// ExpiresAt is zero where it never does.
	ExpiresAt time.Time
	// Renewed says that the person has a newer badge of the same template.
	Renewed bool
	// WasPublic says that it was public before, or that the person wants to
	// keep it private: who made it private again wants it so.
	WasPublic bool
	// SharedAt is when the person first shared it; zero for never.
	SharedAt time.Time
	// Done is how many steps of each policy are done.
	Done map[Policy]int
	// Last is the step by which the person's last reminder called it to mind,
	// or the zero one.
	Last Step
}

// Reason reports whether policy p applies to the badge now, and since when
// its days count.
func (o Occasion) Reason(p Policy) (since time.Time, ok bool) {
	switch p {
	case PolicyPending:
		return o.Since, o.Stage.Claimable()
	case PolicyFollowed:
		return o.FollowedAt, o.Stage.Claimable() && !o.FollowedAt.IsZero()
	case PolicyPrivate:
		return o.Since, o.Stage == StageAccepted && !o.WasPublic
	case PolicyUnshared:
		return o.Since, o.Stage == StagePublic && o.SharedAt.IsZero()
	case PolicyExpiring:
		return o.ExpiresAt, o.Stage.Held() && !o.ExpiresAt.IsZero() && !o.Renewed
	default:
		return time.Time{}, false
	}
}

// Step is one step of a policy for one badge; steps count from 1.
type Step struct {
	BadgeID string
	Policy  Policy
	Number  int
}

// next returns the step of p that is due at now, 0 for none, and when the one
// after now will be; zero for never. Of several that were missed only
// the last one is due: it says what the others would have said.
func (o Occasion) next(p Policy, days []int, now time.Time) (step int, at time.Time) {
	since, ok := o.Reason(p)
	if !ok {
		return 0, time.Time{}
	}
	for i := len(days); i > o.Done[p]; i-- {
		due, end := since.Add(time.Duration(days[i-1])*day), time.Time{}
		if p == PolicyExpiring {
			due, end = since.Add(-time.Duration(days[i-1])*day), since
		}
		switch useless := due.Add(usefulFor); {
		case due.After(now):
			at = due
			continue
		case now.Before(useless) && (end.IsZero() || now.Before(end)):
			return i, at
		}
		break
	}
	return 0, at
}

// Due returns the steps that are due at now, at most one for each badge, and
// when something will next be; zero for never.
func Due(occasions []Occasion, plan Plan, now time.Time) (steps []Step, next time.Time) {
	for _, o := range occasions {
		found := false
		for _, p := range AllPolicies() {
			number, at := o.next(p, plan[p], now)
			if number > 0 && !found {
				found = true
				steps = append(steps, Step{BadgeID: o.BadgeID, Policy: p, Number: number})
			}
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return steps, next
}
