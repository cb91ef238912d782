package core_test

import (
	"slices"
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
