package main

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
)

// counted reads every counter, and how often each histogram was told of
// something, by name and labels.
func counted(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += "/" + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// Who has something due is reminded or skipped, and what comes along in one
// message is bundled.
func TestRemindersAreCounted(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	m := newRemindMetrics(r)
	m.planned(core.RemindCounts{})
	m.planned(core.RemindCounts{
		Looked: 9, Reminders: 2, Steps: 7, Late: time.Minute, Skipped: map[string]int{core.SkippedHours: 3, core.SkippedStopped: 1},
	})
	m.unsent("done")
	got := counted(t, r)
	for name, want := range map[string]float64{
		"laurel_reminders_looked_total": 9, "laurel_reminders_due_total": 6, "laurel_reminders_total": 2,
		"laurel_reminder_steps_total": 7, "laurel_reminder_steps_bundled_total": 5, "laurel_reminders_late_seconds": 1,
		"laurel_reminders_skipped_total/outside_hours": 3, "laurel_reminders_skipped_total/stopped": 1, "laurel_reminders_skipped_total/snoozed": 0,
		"laurel_reminders_unsent_total/done": 1, "laurel_reminders_unsent_total/stopped": 0,
	} {
		if n, known := got[name]; !known || n != want {
			t.Errorf("%s: %v (known: %t), want %v", name, n, known, want)
		}
	}
}

// What is noted in the audit is counted by its topic.
func TestTeamEventsAreCounted(t *testing.T) {
	t.Parallel()
	r := prometheus.NewPedanticRegistry()
	count := countTeamEvents(r)
	for _, kind := range []string{"celebration.asked", "celebration.asked", "digest.issued", "call.made", "team.hours", "badge.shared", ""} {
		count(kind)
	}
	got := counted(t, r)
	for name, want := range map[string]float64{
		"laurel_celebrations_total/asked": 2, "laurel_celebrations_total/shown": 0, "laurel_digests_total/issued": 1,
		"laurel_digests_total/asked": 0, "laurel_calls_total/made": 1, "laurel_calls_total/posted": 0,
	} {
		if n, known := got[name]; !known || n != want {
			t.Errorf("%s: %v (known: %t), want %v", name, n, known, want)
		}
	}
	if sum := len(got); sum != 15 {
		t.Errorf("%d counters, want only those of the topics: %v", sum, got)
	}
}
