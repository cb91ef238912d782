package core

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"
)

// Wishes are what a person wants of reminders.
type Wishes struct {
	// Stopped: none at all.
	Stopped bool
	// SnoozedUntil is until when the person asked for quiet; zero for not.
	SnoozedUntil time.Time
	// Zone is the time zone that the person named (IANA), or empty.
	Zone string
	// From, To and Days are the hours that the person chose; zero for none.
	From, To time.Duration
	Days     Weekdays
	// AskedZone says that the person was asked for the time zone.
	AskedZone bool
}

// Remindable is a person whose time to be looked at has come.
type Remindable struct {
	MemberID string
	// Zone is what the platform of the account tells, or empty.
	Zone string
	// Reachable says that there is an account in a workspace that is alive.
	Reachable bool
	Wishes    Wishes
	Customs   Customs
	Occasions []Occasion
	// RemindedOn is the person's day of the last reminder, or empty.
	RemindedOn string
}

// Reminding is what is to be done for a person.
type Reminding struct {
	// Day is the person's day, and Steps what the reminder of that day is
	// about. Without steps there is none.
	Day   string
	Steps []Step
	// Next is when to look at the person again; zero for not before something
	// changes.
	Next time.Time
	// Reason says in a word why somebody with something due gets none now.
	Reason string
}

// Reasons for not reminding now of something that is due.
const (
	SkippedStopped     = "stopped"
	SkippedUnreachable = "unreachable"
	SkippedSnoozed     = "snoozed"
	SkippedHours       = "outside_hours"
	SkippedDay         = "one_a_day"
)

// SkipReasons are all of them.
func SkipReasons() []string {
	return []string{SkippedStopped, SkippedUnreachable, SkippedSnoozed, SkippedHours, SkippedDay}
}

// Decide decides whether a person is reminded at now.
func Decide(r Remindable, now time.Time) Reminding {
	steps, next := Due(r.Occasions, r.Customs.Plan, now)
	again, at := r.again(steps, now)
	steps = append(steps, again...)
	if !at.IsZero() && (next.IsZero() || at.Before(next)) {
		next = at
	}
	none := Reminding{}
	due := len(steps) > 0
	switch {
	case !due && next.IsZero():
		return none
	case r.Wishes.Stopped:
		return skipped(none, due, SkippedStopped)
	case !r.Reachable && due:
		// A workspace may come back without anything else changing.
		return skipped(Reminding{Next: now.Add(day)}, due, SkippedUnreachable)
	}
	hours := r.Customs.HoursFor(r.Wishes, r.Zone)
	if snoozed := r.Wishes.SnoozedUntil; now.Before(snoozed) {
		return skipped(Reminding{Next: opening(hours, snoozed, r.MemberID)}, due, SkippedSnoozed)
	}
	if !due {
		return Reminding{Next: opening(hours, next, r.MemberID)}
	}
	if !hours.Open(now) {
		return skipped(Reminding{Next: opening(hours, now, r.MemberID)}, due, SkippedHours)
	}
	tomorrow := spread(hours, hours.NextAfterDay(now), r.MemberID)
	day := hours.Day(now)
	if r.RemindedOn >= day {
		return skipped(Reminding{Next: tomorrow}, due, SkippedDay)
	}
	return Reminding{Day: day, Steps: steps, Next: tomorrow}
}

// again returns the steps of the last reminder that are due once more, because
// the person answered it by asking for quiet until later, beside those that
// are due anyway; and when they will be, zero for never. What they are about
// may have changed since: only what still holds is called to mind.
func (r Remindable) again(due []Step, now time.Time) (steps []Step, at time.Time) {
	until, hours := r.Wishes.SnoozedUntil, r.Customs.HoursFor(r.Wishes, r.Zone)
	// A reminder of long before the quiet began is not what was answered.
	if until.IsZero() || !now.Before(until.Add(usefulFor)) || r.RemindedOn >= hours.Day(until) ||
		r.RemindedOn < hours.Day(until.Add(-2*usefulFor)) {
		return nil, time.Time{}
	}
	for _, o := range r.Occasions {
		s := o.Last
		since, holds := o.Reason(s.Policy)
		over := s.Policy == PolicyExpiring && !now.Before(since)
		if !holds || over || len(r.Customs.Plan[s.Policy]) == 0 ||
			slices.ContainsFunc(due, func(d Step) bool { return d.BadgeID == s.BadgeID }) {
			continue
		}
		if now.Before(until) {
			return nil, until
		}
		steps = append(steps, s)
	}
	return steps, time.Time{}
}

func skipped(r Reminding, due bool, reason string) Reminding {
	if due {
		r.Reason = reason
	}
	return r
}

// opening is when somebody is looked at for something that is due at t.
func opening(h Hours, t time.Time, memberID string) time.Time {
	if h.Open(t) {
		return t
	}
	return spread(h, h.Next(t), memberID)
}

// spreadOver is over how long those are spread whose hours open at the same
// time, so that not everybody is reminded on the stroke of nine.
const spreadOver = time.Hour

// spread moves a time at which hours open by the person's own share.
func spread(h Hours, opens time.Time, memberID string) time.Time {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(memberID)) // It never fails.
	share := time.Duration(sum.Sum32()%uint32(spreadOver/time.Second)) * time.Second
	if later := opens.Add(share); h.Open(later) && h.Day(later) == h.Day(opens) {
		return later
	}
	return opens
}

// ReminderID names the reminder of a person's day.
func ReminderID(memberID, day string) string { return memberID + "." + day }

// RemindCounts is what a look at several people led to.
type RemindCounts struct {
	// Looked is how many people were looked at.
	Looked int
	// Reminders and Steps are what was queued: messages, and what they are
	// about together.
	Reminders, Steps int
	// Late is the longest time by which somebody was looked at too late.
	Late time.Duration
	// Skipped counts those with something due and no reminder, by reason.
	Skipped map[string]int
}

func (c *RemindCounts) add(o RemindCounts) {
	c.Looked += o.Looked
	c.Reminders += o.Reminders
	c.Steps += o.Steps
	c.Late = max(c.Late, o.Late)
	for reason, n := range o.Skipped {
		if c.Skipped == nil {
			c.Skipped = map[string]int{}
		}
		c.Skipped[reason] += n
	}
}

// ReminderView is what a reminder shows.
type ReminderView struct {
	MemberID string
	// Day is the person's day that the reminder belongs to.
	Day string
	// Later says that the person was reminded again since.
	Later  bool
	Wishes Wishes
	// Hours are those of the person.
	Hours Hours
	// AskZone says that the zone is the workspace's and that the person was
	// not asked for another yet.
	AskZone bool
	// Items are the badges whose reason still holds, those to be claimed
	// first.
	Items []ReminderItem
}

// ReminderItem is a badge that a reminder is about, and why.
type ReminderItem struct {
	Policy Policy
	View   BadgeView
}

// WishesView is what a person wants, and what follows from it.
type WishesView struct {
	Wishes Wishes
	// Hours are those of the person.
	Hours Hours
	// ZoneKnown says that the zone is the person's own, and not that of the
	// workspace.
	ZoneKnown bool
	// Plan is that of the person's team.
	Plan Plan
	// NeverAsk says that the person does not want to be asked whether their
	// team may know of a badge.
	NeverAsk bool
}

// RemindStore keeps what reminders need.
type RemindStore interface {
	// ReminderView returns what a reminder shows now, or [ErrNotFound].
	ReminderView(ctx context.Context, id string) (ReminderView, error)
	// PostponeReminder takes a reminder back that nobody has seen yet: its
	// steps are due again, and the person is looked at again. With gone it
	// also does so where its message was shown, because it is there no more.
	PostponeReminder(ctx context.Context, id string, gone bool, now time.Time) error
	// WishesOf returns what the actor wants, or [ErrNotFound] for somebody
	// unknown.
	WishesOf(ctx context.Context, actor Identity) (WishesView, error)
	// SaveWishes stores what the actor wants and has the person looked at
	// again. [ErrNotFound] for somebody unknown.
	SaveWishes(ctx context.Context, actor Identity, w Wishes, now time.Time) error
	// MarkShared notes that the actor shared a badge of theirs, the first
	// time. [ErrNotFound] when it is not theirs.
	MarkShared(ctx context.Context, actor Identity, badgeID string, now time.Time) error
	// PlanReminders takes up to limit people after the cursor whose time to
	// be looked at has come, in the order of (time, id), asks decide about
	// each, and stores what it says: the steps as done, the message with its
	// delivery, and the next look. In one transaction, and no person is
	// looked at by two at once.
	PlanReminders(ctx context.Context, now time.Time, after Cursor, limit int,
		decide func(Remindable) Reminding) (RemindCounts, Cursor, error)
	// Replan has up to limit people looked at again of one team whose customs
	// changed, and remembers how far it came. It returns false when there was
	// no such team.
	Replan(ctx context.Context, now time.Time, limit int) (bool, error)
}

// remindBatch bounds one transaction of planning, and fewerAtOnce is by how
// much it shrinks where that fails.
const (
	remindBatch = 500
	fewerAtOnce = 8
)

// Reminders plans reminders.
type Reminders struct {
	Store RemindStore
	Clock Clock
}

// Plan looks at everybody whose time has come, with those in teams whose
// customs changed.
func (r *Reminders) Plan(ctx context.Context) (RemindCounts, error) {
	var total RemindCounts
	for more := true; more; {
		var err error
		if more, err = r.Store.Replan(ctx, r.Clock.Now(), remindBatch); err != nil {
			return total, fmt.Errorf("look again at teams: %w", err)
		}
	}
	var after Cursor
	for batch := remindBatch; ; {
		now := r.Clock.Now()
		n, next, err := r.Store.PlanReminders(ctx, now, after, batch, func(p Remindable) Reminding {
			return Decide(p, now)
		})
		if errors.Is(err, ErrUnavailable) && batch > 1 && ctx.Err() == nil {
			// People with very many badges may take longer than a statement may:
			// they must not keep everybody behind them from being looked at.
			batch = max(batch/fewerAtOnce, 1)
			continue
		}
		if err != nil {
			return total, fmt.Errorf("plan reminders: %w", err)
		}
		total.add(n)
		if n.Looked < batch {
			return total, nil
		}
		after, batch = next, min(2*batch, remindBatch)
	}
}
