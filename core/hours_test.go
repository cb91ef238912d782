package core_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestHoursNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone, at, want string
		hours                core.Hours
	}{
		{name: "within", zone: "Europe/Berlin", at: "2026-03-02T09:30:00+01:00", want: "2026-03-02T09:30:00+01:00"},
		{name: "opens", zone: "Europe/Berlin", at: "2026-03-02T04:00:00+01:00", want: "2026-03-02T09:00:00+01:00"},
		{name: "closes", zone: "Europe/Berlin", at: "2026-03-02T17:00:00+01:00", want: "2026-03-03T09:00:00+01:00"},
		{name: "weekend with the clock put forward", zone: "Europe/Berlin", at: "2026-03-27T18:00:00+01:00", want: "2026-03-30T09:00:00+02:00"},
		{name: "put back", zone: "Europe/Berlin", at: "2026-10-23T18:00:00+02:00", want: "2026-10-26T09:00:00+01:00"},
		{name: "New York, Sunday the clock is put forward", zone: "America/New_York", at: "2026-03-08T01:30:00-05:00", want: "2026-03-08T03:00:00-04:00", hours: core.Hours{From: 2*time.Hour + 30*time.Minute, To: 5 * time.Hour, Days: core.EveryDay}},
		{name: "New York, the hour that is there twice", zone: "America/New_York", at: "2026-11-01T00:00:00-04:00", want: "2026-11-01T01:30:00-04:00", hours: core.Hours{From: time.Hour + 30*time.Minute, To: 5 * time.Hour, Days: core.EveryDay}},
		{name: "Lord Howe, half an hour", zone: "Australia/Lord_Howe", at: "2026-10-04T01:00:00+10:30", want: "2026-10-04T02:30:00+11:00", hours: core.Hours{From: 2*time.Hour + 10*time.Minute, To: 5 * time.Hour, Days: core.EveryDay}},
		{name: "Sydney", zone: "Australia/Sydney", at: "2026-10-02T20:00:00+10:00", want: "2026-10-05T09:00:00+11:00"},
		{name: "Cairo, midnight does not exist", zone: "Africa/Cairo", at: "2026-04-23T22:00:00+02:00", want: "2026-04-24T01:00:00+03:00", hours: core.Hours{From: 0, To: 5 * time.Hour, Days: core.EveryDay}},
		{name: "Samoa, a day that never was", zone: "Pacific/Apia", at: "2011-12-29T18:00:00-10:00", want: "2011-12-31T09:00:00+14:00", hours: core.Hours{From: 9 * time.Hour, To: 17 * time.Hour, Days: core.EveryDay}},
		{name: "Casablanca, back for Ramadan", zone: "Africa/Casablanca", at: "2026-02-13T18:00:00+01:00", want: "2026-02-16T09:00:00Z"},
		{name: "Kolkata, none", zone: "Asia/Kolkata", at: "2026-03-28T10:00:00+05:30", want: "2026-03-30T09:00:00+05:30"},
		{name: "São Paulo, none any more", zone: "America/Sao_Paulo", at: "2026-10-17T10:00:00-03:00", want: "2026-10-19T09:00:00-03:00"},
		{name: "Troll, two hours", zone: "Antarctica/Troll", at: "2026-03-29T00:30:00Z", want: "2026-03-29T03:00:00+02:00", hours: core.Hours{From: time.Hour + 30*time.Minute, To: 5 * time.Hour, Days: core.EveryDay}},
		{name: "the gap covers the hours", zone: "America/New_York", at: "2026-03-08T01:30:00-05:00", want: "2026-03-09T02:00:00-04:00", hours: core.Hours{From: 2 * time.Hour, To: 3 * time.Hour, Days: core.EveryDay}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := c.hours
			if h.Days == 0 {
				h = core.DefaultHours(nil)
			}
			h.Zone = zone(t, c.zone)
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			want, err := time.Parse(time.RFC3339, c.want)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Next(at); !got.Equal(want) {
				t.Errorf("next after %s is %s, want %s", c.at, got.In(h.Zone).Format(time.RFC3339), c.want)
			}
		})
	}
}

// Next is never early, always open, and what looking at every minute finds,
// in zones whose clocks are put forward and back in every way there is.
func TestHoursNextIsTheFirst(t *testing.T) {
	t.Parallel()
	names := []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney", "Africa/Cairo",
		"Africa/Casablanca", "Asia/Kolkata", "America/Sao_Paulo", "Antarctica/Troll", "Pacific/Apia",
		"America/Havana", "Asia/Beirut", "Pacific/Chatham", "America/St_Johns", "Asia/Tehran", "America/Santiago",
	}
	zones := make(map[string]*time.Location, len(names))
	for _, name := range names {
		zones[name] = zone(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		h := core.Hours{Zone: zones[rapid.SampledFrom(names).Draw(t, "zone")]}
		from := rapid.IntRange(0, 22*4).Draw(t, "from")
		to := rapid.IntRange(from+4, 24*4).Draw(t, "to")
		h.From, h.To = time.Duration(from)*15*time.Minute, time.Duration(to)*15*time.Minute
		h.Days = core.Weekdays(rapid.IntRange(1, 127).Draw(t, "days"))
		// Within two days of a change of the clock, where there is one.
		at := time.Date(rapid.IntRange(2009, 2030).Draw(t, "year"), time.January, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 3).Draw(t, "change") {
			if _, end := at.In(h.Zone).ZoneBounds(); !end.IsZero() {
				at = end
			}
		}
		at = at.Truncate(time.Minute).Add(time.Duration(rapid.IntRange(-48*60, 48*60).Draw(t, "minutes")) * time.Minute)

		got := h.Next(at)
		want := at
		for !h.Open(want) {
			want = want.Add(time.Minute)
			if want.Sub(at) > 10*24*time.Hour {
				t.Skip("a day that never was, and the only one of the week")
			}
		}
		// In an hour that is there twice the second one is left alone.
		if !h.Open(got) || got.Before(want) || got.Sub(want) > 0 && !reopens(h, want) {
			t.Fatalf("%s in %s: next is %s, first is %s", at, h.Zone, got.In(h.Zone), want.In(h.Zone))
		}
		after := h.NextAfterDay(at)
		if !h.Open(after) || h.Day(after) <= h.Day(at) {
			t.Fatalf("%s in %s: after this day comes %s", at, h.Zone, after.In(h.Zone))
		}
	})
}

// reopens: the clock is put back to within the hours, which had closed.
func reopens(h core.Hours, t time.Time) bool {
	starts, _ := t.In(h.Zone).ZoneBounds()
	return t.Sub(starts) < 3*time.Hour
}

func TestHoursThatNeverOpen(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]core.Hours{
		"no zone":   {From: 1, To: 2, Days: core.EveryDay},
		"no day":    {Zone: time.UTC, From: 1, To: 2},
		"backwards": {Zone: time.UTC, From: 2, To: 1, Days: core.EveryDay},
		"too long":  {Zone: time.UTC, From: 2, To: 25 * time.Hour, Days: core.EveryDay},
		"negative":  {Zone: time.UTC, From: -1, To: time.Hour, Days: core.EveryDay},
	} {
		if h.Check() == nil || !h.Next(time.Unix(0, 0)).IsZero() {
			t.Errorf("%s: accepted", name)
		}
	}
}
