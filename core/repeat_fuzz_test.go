package core

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/fuzzing"
)

// A rule that is taken fires, at most once a day, and later each time; what is
// written as a time is read back as the same.
func FuzzParseRepetition(f *testing.F) {
	for _, s := range []string{
		"0 9 * * 1", "30 17 1 * *", "0 0 29 2 *", "0 9 13 * 5", "0 0 30 2 *", "* * * * *", "0 9 * * MON-FRI", "*/7 * * * *",
		"TZ=UTC 0 9 * * *", "@daily", "@every 1s", "* * * * * *", "0 9 */0 * *", "0 9 1-31/2 1-12 0", "5-5 9 * * ?", "2026-12-01 09:00", "2026-03-29 02:30",
		"0 9 99999999999999999999 * *", "0 9 1,,2 * *", "0 9 -1 * *", "0 23 31 12 6",
	} {
		f.Add(s)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var rule Repetition
		var err error
		fuzzing.Soon(t, func() { rule, err = ParseRepetition(s) })
		if err == nil {
			at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			fuzzing.Soon(t, func() {
				for range 5 {
					next := rule.Next(at, zone)
					if next.IsZero() || !next.After(at) || next.In(zone).Format(time.DateOnly) == at.In(zone).Format(time.DateOnly) && at.Day() > 1 {
						t.Fatalf("%q: after %s comes %s", s, at, next)
					}
					at = next
				}
			})
		}
		if at, err := ParseMoment(s, zone); err == nil {
			if again, err := ParseMoment(WriteMoment(at, zone), zone); err != nil || !again.Equal(at) {
				t.Errorf("%q is %s, then %s, %v", s, at, again, err)
			}
		}
	})
}
