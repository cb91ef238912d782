package core_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
)

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestParseRepetition(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]error{
		"0 9 * * 1":           nil,
		"30 17 1 * *":         nil,
		"0 0 29 2 *":          nil,
		"0 9 * * MON-FRI":     nil,
		"0 9 1,15 * *":        nil,
		"0 9 13 * 5":          nil, // The thirteenth, and every Friday.
		"0 0 30 2 *":          core.ErrNever,
		"0 0 31 4,6,9,11 *":   core.ErrNever,
		"* * * * *":           core.ErrTooOften,
		"0 * * * *":           core.ErrTooOften,
		"0 9,10 1 1 *":        core.ErrTooOften,
		"*/30 9 * * *":        core.ErrTooOften,
		"0 0,12 * * 0":        core.ErrTooOften,
		"* * * * * *":         core.ErrTooOften, // With seconds.
		"*/5 * 9 * * 1":       core.ErrTooOften,
		"0 0 9 * * 1":         core.ErrNoRule,
		"0 0 0 30 2 *":        core.ErrNoRule,
		"0 9 * *":             core.ErrNoRule,
		"":                    core.ErrNoRule,
		"60 9 * * *":          core.ErrNoRule,
		"0 9 * * 1-":          core.ErrNoRule,
		"@daily":              core.ErrNoRule,
		"@every 1s":           core.ErrTooOften,
		"@hourly":             core.ErrTooOften,
		"@every":              core.ErrNoRule,
		"@every 1s @every 1s": core.ErrNoRule,
		"TZ=Europe/Berlin":    core.ErrNoRule,
		"CRON_TZ=UTC 0 9 * *": core.ErrNoRule,
		"0 9 */0 * *":         core.ErrNoRule,
		"tomorrow":            core.ErrNoRule,
		"0 9 * * 1\n":         core.ErrNoRule,
	} {
		if _, err := core.ParseRepetition(rule); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", rule, err, want)
		}
	}
}

func TestRepetitionOverChangesOfTheClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, zone, after, want string }{
		{"same day", "0 9 * * *", "Europe/Berlin", "2026-03-02T08:00:00+01:00", "2026-03-02T09:00:00+01:00"},
		{"on the dot", "0 9 * * *", "Europe/Berlin", "2026-03-02T09:00:00+01:00", "2026-03-03T09:00:00+01:00"},
		{"over the change to summer", "0 9 * * 1", "Europe/Berlin", "2026-03-23T09:00:00+01:00", "2026-03-30T09:00:00+02:00"},
		{"over the change to winter", "0 9 * * 1", "Europe/Berlin", "2026-10-19T09:00:00+02:00", "2026-10-26T09:00:00+01:00"},
		{"time that does not exist", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"after the time that did not exist", "30 2 * * *", "Europe/Berlin", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		{"time that is there twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"not the second time", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		{"from between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-26T02:30:00+01:00"},
		{"New York", "0 9 * * *", "America/New_York", "2026-03-07T09:00:00-05:00", "2026-03-08T09:00:00-04:00"},
		{"Lord Howe, half an hour", "10 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", "2026-10-04T02:30:00+11:00"},
		{"Cairo, midnight does not exist", "0 0 * * *", "Africa/Cairo", "2026-04-23T22:00:00+02:00", "2026-04-24T01:00:00+03:00"},
		{"Samoa, a day that never was", "0 9 * * *", "Pacific/Apia", "2011-12-29T18:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"Casablanca", "0 9 * * 1", "Africa/Casablanca", "2026-02-09T09:00:00+01:00", "2026-02-16T09:00:00Z"},
		{"Kolkata, none", "0 9 1 * *", "Asia/Kolkata", "2026-03-28T10:00:00+05:30", "2026-04-01T09:00:00+05:30"},
		{"leap day", "0 9 29 2 *", "UTC", "2026-03-01T00:00:00Z", "2028-02-29T09:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rule, err := core.ParseRepetition(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			z := zone(t, c.zone)
			if got, want := rule.Next(moment(t, c.after), z), moment(t, c.want); !got.Equal(want) {
				t.Errorf("after %s comes %s, want %s", c.after, got.In(z).Format(time.RFC3339), c.want)
			}
		})
	}
}

// Whatever the zone, a daily rule fires once on each of its days, in order.
func TestRepetitionFiresOnceADay(t *testing.T) {
	t.Parallel()
	names := []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney", "Africa/Cairo", "Africa/Casablanca",
		"Asia/Kolkata", "America/Havana", "Asia/Beirut", "Pacific/Chatham", "America/St_Johns", "Antarctica/Troll",
	}
	rapid.Check(t, func(rt *rapid.T) {
		z := zone(t, rapid.SampledFrom(names).Draw(rt, "zone"))
		at := time.Unix(rapid.Int64Range(1767225600, 1798761600).Draw(rt, "from"), 0)
		wall := time.Date(2026, 1, 1, rapid.IntRange(0, 23).Draw(rt, "hour"), rapid.IntRange(0, 59).Draw(rt, "minute"), 0, 0, time.UTC)
		rule, err := core.ParseRepetition(wall.Format("4 15 * * *"))
		if err != nil {
			rt.Fatal(err)
		}
		for range 10 {
			next := rule.Next(at, z)
			if !next.After(at) || next.Sub(at) > 27*time.Hour {
				rt.Fatalf("after %s comes %s", at.In(z), next.In(z))
			}
			if again := rule.Next(next, z); again.In(z).Format(time.DateOnly) == next.In(z).Format(time.DateOnly) {
				rt.Fatalf("twice on one day: %s and %s", next.In(z), again.In(z))
			}
			at = next
		}
	})
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	for text, want := range map[string]string{
		"2026-12-01 09:00": "2026-12-01T09:00:00+01:00",
		"2026-07-01 00:00": "2026-07-01T00:00:00+02:00",
		"2026-03-29 02:30": "2026-03-29T03:00:00+02:00",
		"2026-10-25 02:30": "2026-10-25T02:30:00+02:00",
	} {
		got, err := core.ParseMoment(text, berlin)
		if err != nil || !got.Equal(moment(t, want)) {
			t.Errorf("%s: %s, %v", text, got.In(berlin), err)
		}
	}
	for _, bad := range []string{"", "now", "2026-12-01", "2026-13-01 09:00", "2026-02-30 09:00", "09:00", "2026-12-01 25:00", "2026-12-01 09:00:00"} {
		if _, err := core.ParseMoment(bad, berlin); !errors.Is(err, core.ErrNoTime) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if got := core.WriteMoment(moment(t, "2026-12-01T09:00:00+01:00"), berlin); got != "2026-12-01 09:00" {
		t.Errorf("written as %s", got)
	}
}

func TestWeeklyAndMonthly(t *testing.T) {
	t.Parallel()
	berlin := zone(t, "Europe/Berlin")
	at := moment(t, "2026-11-23T23:30:00Z") // A Tuesday in Berlin.
	for rule, want := range map[string]string{
		core.Weekly(at, berlin):  "2026-12-01T00:30:00+01:00",
		core.Monthly(at, berlin): "2026-12-24T00:30:00+01:00",
		core.Monthly(moment(t, "2026-12-31T12:00:00Z"), zone(t, "UTC")): "2026-11-28T12:00:00+01:00",
	} {
		r, err := core.ParseRepetition(rule)
		if err != nil {
			t.Fatalf("%q: %v", rule, err)
		}
		if got := r.Next(at, berlin); !got.Equal(moment(t, want)) {
			t.Errorf("%q: %s", rule, got.In(berlin))
		}
	}
}
