package core_test

import (
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// A badge is followed from the day it came into its stage; each row moves the
// clock by a day and names the steps that are new then.
func TestPlanDayByDay(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		o    core.Occasion
		want map[int]core.Step
	}{
		{
			name: "pending", o: core.Occasion{Stage: core.StagePending},
			want: map[int]core.Step{1: {Policy: core.PolicyPending, Number: 1}, 3: {Policy: core.PolicyPending, Number: 2}, 7: {Policy: core.PolicyPending, Number: 3}, 14: {Policy: core.PolicyPending, Number: 4}, 30: {Policy: core.PolicyPending, Number: 5}},
		},
		{name: "granted is pending for the person", o: core.Occasion{Stage: core.StageGranted}, want: map[int]core.Step{1: {Policy: core.PolicyPending, Number: 1}, 3: {Policy: core.PolicyPending, Number: 2}, 7: {Policy: core.PolicyPending, Number: 3}, 14: {Policy: core.PolicyPending, Number: 4}, 30: {Policy: core.PolicyPending, Number: 5}}},
		{
			name: "followed and not accepted goes before pending", o: core.Occasion{Stage: core.StagePending, FollowedAt: start.Add(48 * time.Hour)},
			want: map[int]core.Step{1: {Policy: core.PolicyPending, Number: 1}, 3: {Policy: core.PolicyFollowed, Number: 1}, 4: {Policy: core.PolicyPending, Number: 2}, 7: {Policy: core.PolicyPending, Number: 3}, 14: {Policy: core.PolicyPending, Number: 4}, 30: {Policy: core.PolicyPending, Number: 5}},
		},
		{name: "private", o: core.Occasion{Stage: core.StageAccepted}, want: map[int]core.Step{2: {Policy: core.PolicyPrivate, Number: 1}, 10: {Policy: core.PolicyPrivate, Number: 2}}},
		{name: "private again", o: core.Occasion{Stage: core.StageAccepted, WasPublic: true}},
		{name: "public and never shared", o: core.Occasion{Stage: core.StagePublic}, want: map[int]core.Step{5: {Policy: core.PolicyUnshared, Number: 1}}},
		{name: "shared", o: core.Occasion{Stage: core.StagePublic, SharedAt: start}},
		{
			name: "expiring", o: core.Occasion{Stage: core.StagePublic, SharedAt: start, ExpiresAt: start.Add(95 * 24 * time.Hour)},
			want: map[int]core.Step{5: {Policy: core.PolicyExpiring, Number: 1}, 65: {Policy: core.PolicyExpiring, Number: 2}, 88: {Policy: core.PolicyExpiring, Number: 3}},
		},
		{name: "renewed", o: core.Occasion{Stage: core.StagePublic, SharedAt: start, Renewed: true, ExpiresAt: start.Add(95 * 24 * time.Hour)}},
		{name: "rejected", o: core.Occasion{Stage: core.StageRejected}},
		{name: "revoked", o: core.Occasion{Stage: core.StageRevoked, ExpiresAt: start.Add(8 * 24 * time.Hour)}},
		{name: "unknown", o: core.Occasion{Stage: core.StageUnknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := c.o
			o.BadgeID, o.Since, o.Done = "b", start, map[core.Policy]int{}
			for d := range 120 {
				now := start.Add(time.Duration(d) * 24 * time.Hour)
				steps, next := core.Due([]core.Occasion{o}, core.DefaultPlan(), now)
				want, expected := c.want[d]
				want.BadgeID = "b"
				if expected != (len(steps) == 1) || expected && steps[0] != want {
					t.Fatalf("day %d: due %v, want %v", d, steps, want)
				}
				for _, s := range steps {
					o.Done[s.Policy] = s.Number
				}
				// Who looks when told to misses nothing.
				if _, tomorrow := c.want[d+1]; tomorrow && len(steps) == 0 && next.After(now.Add(24*time.Hour)) {
					t.Fatalf("day %d: next look %s is too late", d, next)
				}
			}
		})
	}
}

func TestPlanAfterAnOutage(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o := core.Occasion{BadgeID: "b", Stage: core.StagePending, Since: start}
	for days, want := range map[int]int{0: 0, 1: 1, 2: 1, 8: 3, 13: 3, 20: 4, 21: 0, 29: 0, 36: 5, 37: 0, 400: 0} {
		steps, next := core.Due([]core.Occasion{o}, core.DefaultPlan(), start.Add(time.Duration(days)*24*time.Hour))
		got := 0
		if len(steps) > 0 {
			got = steps[0].Number
		}
		if got != want {
			t.Errorf("after %d days step %d is due, want %d", days, got, want)
		}
		if days < 30 && next.IsZero() || days >= 30 && !next.IsZero() {
			t.Errorf("after %d days the next look is %s", days, next)
		}
	}
}

func TestPlanBundles(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	steps, next := core.Due([]core.Occasion{
		{BadgeID: "a", Stage: core.StagePending, Since: start},
		{BadgeID: "b", Stage: core.StageAccepted, Since: start.Add(-24 * time.Hour)},
		{BadgeID: "c", Stage: core.StageRejected, Since: start},
		{BadgeID: "d", Stage: core.StagePending, Since: start.Add(12 * time.Hour)},
	}, core.DefaultPlan(), start.Add(25*time.Hour))
	want := []core.Step{{BadgeID: "a", Policy: core.PolicyPending, Number: 1}, {BadgeID: "b", Policy: core.PolicyPrivate, Number: 1}}
	if !slices.Equal(steps, want) || !next.Equal(start.Add(36*time.Hour)) {
		t.Errorf("due %v, next %s", steps, next)
	}
}

func TestPlanCheck(t *testing.T) {
	t.Parallel()
	if err := core.DefaultPlan().Check(); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]core.Plan{
		"unknown":                 {"weekly": {1}},
		"zero":                    {core.PolicyPending: {0, 1}},
		"too late":                {core.PolicyPending: {366}},
		"backwards":               {core.PolicyPending: {3, 1}},
		"twice":                   {core.PolicyPending: {3, 3}},
		"expiring forwards":       {core.PolicyExpiring: {7, 30}},
		"more than anybody wants": {core.PolicyPending: {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
	} {
		if p.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := (core.Plan{core.PolicyPending: nil}).Check(); err != nil {
		t.Errorf("none: %v", err)
	}
}
