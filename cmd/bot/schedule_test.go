package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
)

func TestScheduleIsShown(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		key := secretKey('k')
		if status, _, errs := command(t, databaseURL, key, "migrate"); status != 0 {
			t.Fatal(errs)
		}
		status, out, errs := command(t, databaseURL, key, "schedule")
		if status != 0 || errs != "" {
			t.Fatalf("status %d: %s", status, errs)
		}
		for _, want := range []string{"JOB", "NEXT", "remind", "expire-handoffs", "never"} {
			if !strings.Contains(out, want) {
				t.Errorf("the list lacks %q:\n%s", want, out)
			}
		}
		status, out, errs = command(t, databaseURL, key, "schedule", "--json")
		if status != 0 || errs != "" {
			t.Fatalf("status %d: %s", status, errs)
		}
		for line := range strings.Lines(out) {
			var j scheduled
			if err := json.Unmarshal([]byte(line), &j); err != nil || j.Job == "" || j.Every <= 0 {
				t.Errorf("%q: %v", line, err)
			}
		}
	})
}

func TestScheduleSaysHowLongARunTook(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]string{0: "<1ms", time.Millisecond: "1ms", 90 * time.Second: "1m30s"} {
		if got := tookText(took); got != want {
			t.Errorf("%v: %q, want %q", took, got, want)
		}
	}
}

func TestScheduleJoinsRuns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 7, 0, time.UTC)
	ran := sqlstore.JobResult{Job: "remind", Started: now.Add(-7 * time.Second), Took: time.Millisecond, Outcome: "3 reminded"}
	for _, j := range schedule([]sqlstore.JobResult{ran, {Job: "of an older version"}}, now) {
		if !j.Next.After(now) || j.Next.Sub(now) > j.Every {
			t.Errorf("%s: next %s", j.Job, j.Next)
		}
		want := scheduled{Job: "remind", Every: time.Minute, Next: now.Truncate(time.Minute).Add(time.Minute), Last: ran.Started, Took: ran.Took, Outcome: ran.Outcome}
		if j.Job == "remind" && j != want {
			t.Errorf("got %+v, want %+v", j, want)
		}
		if j.Job == "of an older version" {
			t.Error("a job that is no more is listed")
		}
	}
}
