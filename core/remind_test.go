package core_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// unshared is somebody in UTC whose badge is public and was never shown to
// anybody: one step, five days after.
func unshared(since time.Time) core.Remindable {
	return core.Remindable{
		MemberID: "m", Reachable: true, Customs: core.DefaultCustoms(),
		Occasions: []core.Occasion{{BadgeID: "b", Stage: core.StagePublic, Since: since, Done: map[core.Policy]int{}}},
	}
}

// Whoever answers a reminder by "next week" is reminded of the same next week,
// once, if it still holds.
func TestRemindedAgainNextWeek(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	monday := time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC)
	step := core.Step{BadgeID: "b", Policy: core.PolicyUnshared, Number: 1}
	answered := func(change func(*core.Remindable)) core.Remindable {
		r := unshared(monday.Add(-5 * day))
		r.Occasions[0].Done[core.PolicyUnshared], r.Occasions[0].Last = 1, step
		r.RemindedOn, r.Wishes.SnoozedUntil = "2026-11-09", monday.Add(7*day)
		if change != nil {
			change(&r)
		}
		return r
	}
	for name, tc := range map[string]struct {
		change func(*core.Remindable)
		at     time.Duration
		again  bool
		next   time.Duration // 0 for never.
	}{
		"the next day":           {at: day, next: 7 * day},
		"a moment before":        {at: 7*day - time.Second, next: 7 * day},
		"then":                   {at: 7 * day, again: true},
		"days later":             {at: 10 * day, again: true},
		"too late":               {at: 14 * day},
		"reminded since":         {at: 7 * day, change: func(r *core.Remindable) { r.RemindedOn = "2026-11-16" }},
		"last reminded long ago": {at: 7 * day, change: func(r *core.Remindable) { r.RemindedOn = "2026-11-01" }},
		"reminded a week before": {at: 7 * day, change: func(r *core.Remindable) { r.RemindedOn = "2026-11-03" }, again: true},
		"never reminded":         {at: 7 * day, change: func(r *core.Remindable) { r.RemindedOn = "" }},
		"shared meanwhile":       {at: 7 * day, change: func(r *core.Remindable) { r.Occasions[0].SharedAt = monday }},
		"another reason": {at: 7 * day, change: func(r *core.Remindable) {
			r.Occasions[0].Stage, r.Occasions[0].Since = core.StageAccepted, monday.Add(7*day)
		}, next: 9 * day},
		"nobody reminds of it now": {at: 7 * day, change: func(r *core.Remindable) { r.Customs.Plan = core.Plan{} }},
		"stopped":                  {at: 7 * day, change: func(r *core.Remindable) { r.Wishes.Stopped = true }},
		"no quiet":                 {at: 7 * day, change: func(r *core.Remindable) { r.Wishes.SnoozedUntil = time.Time{} }},
		"quiet ends on a Saturday": {at: 5 * day, change: func(r *core.Remindable) { r.Wishes.SnoozedUntil = monday.Add(5 * day) }, next: 7*day - time.Hour},
		"and then":                 {at: 7 * day, change: func(r *core.Remindable) { r.Wishes.SnoozedUntil = monday.Add(5 * day) }, again: true},
	} {
		now := monday.Add(tc.at)
		got := core.Decide(answered(tc.change), now)
		if again := slices.Equal(got.Steps, []core.Step{step}); again != tc.again || !again && len(got.Steps) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if tc.again {
			continue
		}
		if tc.next == 0 && !got.Next.IsZero() {
			t.Errorf("%s: looked at again at %s", name, got.Next)
		}
		// People whose hours open are spread over an hour.
		if want := monday.Add(tc.next); tc.next != 0 && (got.Next.Before(want) || got.Next.Sub(want) >= time.Hour) {
			t.Errorf("%s: looked at again at %s, want %s", name, got.Next, want)
		}
	}
}

// What is due anyway is not there twice.
func TestRemindedAgainBesideWhatIsDue(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 16, 10, 0, 0, 0, time.UTC)
	r := unshared(now.Add(-12 * day))
	last := core.Step{BadgeID: "a", Policy: core.PolicyPending, Number: 1}
	r.Occasions = append(r.Occasions, core.Occasion{
		BadgeID: "a", Stage: core.StagePending, Since: now.Add(-8 * day), Done: map[core.Policy]int{core.PolicyPending: 1}, Last: last,
	})
	r.Occasions[0].Done[core.PolicyUnshared] = 1
	r.Occasions[0].Last = core.Step{BadgeID: "b", Policy: core.PolicyUnshared, Number: 1}
	r.RemindedOn, r.Wishes.SnoozedUntil = "2026-11-09", now
	want := []core.Step{{BadgeID: "a", Policy: core.PolicyPending, Number: 3}, r.Occasions[0].Last}
	if got := core.Decide(r, now); !slices.Equal(got.Steps, want) {
		t.Errorf("got %v, want %v", got.Steps, want)
	}
}

// Whoever cannot be reached is looked at daily while something is due, and
// otherwise when it will be.
func TestUnreachableIsLookedAtWhenItMatters(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC)
	r := unshared(now)
	r.Reachable = false
	if got := core.Decide(r, now); got.Reason != "" || got.Next.Before(now.Add(5*day)) {
		t.Errorf("before it is due: %+v", got)
	}
	r = unshared(now.Add(-5 * day))
	r.Reachable = false
	if got := core.Decide(r, now); got.Reason != core.SkippedUnreachable || !got.Next.Equal(now.Add(day)) || len(got.Steps) > 0 {
		t.Errorf("when it is due: %+v", got)
	}
}

// slow is a store that looks at a few people at once at most, of whom there
// are some hundreds.
type slow struct {
	core.RemindStore
	people, most, looked int
	batches              []int
}

func (*slow) Replan(context.Context, time.Time, int) (bool, error) { return false, nil }

func (s *slow) PlanReminders(
	_ context.Context, _ time.Time, after core.Cursor, limit int, _ func(core.Remindable) core.Reminding,
) (core.RemindCounts, core.Cursor, error) {
	s.batches = append(s.batches, limit)
	if limit > s.most {
		return core.RemindCounts{}, after, core.ErrUnavailable
	}
	n := min(limit, s.people-s.looked)
	s.looked += n
	return core.RemindCounts{Looked: n}, core.Cursor{ID: strconv.Itoa(s.looked)}, nil
}

// Where many people at once are too many for the store, all of them are looked
// at nevertheless, a few at a time.
func TestPlanInSmallerBatches(t *testing.T) {
	t.Parallel()
	plan := func(s *slow) (core.RemindCounts, error) {
		return (&core.Reminders{Store: s, Clock: still(time.Date(2026, 11, 9, 10, 0, 0, 0, time.UTC))}).Plan(t.Context())
	}
	for _, most := range []int{500, 499, 70, 10, 1} {
		s := &slow{people: 200, most: most}
		if n, err := plan(s); err != nil || n.Looked != s.people {
			t.Errorf("at most %d at once: %d looked at, %v, in batches of %v", most, n.Looked, err, s.batches)
		}
	}
	s := &slow{people: 200}
	if _, err := plan(s); !errors.Is(err, core.ErrUnavailable) || len(s.batches) > 5 {
		t.Errorf("a store that is away: %v after %v", err, s.batches)
	}
}
