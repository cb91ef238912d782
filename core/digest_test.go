package core_test

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Digests come at nine by the clock on the wall, whatever was done to it.
func TestDigestTimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		zone             string
		every            core.Every
		now, last, after string
	}{
		{"UTC", core.EveryWeek, "2026-11-04T12:00:00Z", "2026-11-02T09:00:00Z", "2026-11-09T09:00:00Z"},
		{"UTC", core.EveryWeek, "2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z", "2026-11-09T09:00:00Z"},
		{"UTC", core.EveryWeek, "2026-11-02T08:59:59Z", "2026-10-26T09:00:00Z", "2026-11-02T09:00:00Z"},
		{"UTC", core.EveryWeek, "2026-11-01T23:00:00Z", "2026-10-26T09:00:00Z", "2026-11-02T09:00:00Z"},
		{"UTC", core.EveryMonth, "2026-12-31T12:00:00Z", "2026-12-01T09:00:00Z", "2027-01-01T09:00:00Z"},
		{"UTC", core.EveryMonth, "2027-01-01T08:00:00Z", "2026-12-01T09:00:00Z", "2027-01-01T09:00:00Z"},
		// The week in which clocks are put forward has an hour less, the one in
		// which they are put back one more.
		{"Europe/Berlin", core.EveryWeek, "2026-03-27T12:00:00Z", "2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z"},
		{"Europe/Berlin", core.EveryWeek, "2026-10-24T12:00:00Z", "2026-10-19T07:00:00Z", "2026-10-26T08:00:00Z"},
		{"America/New_York", core.EveryWeek, "2026-03-06T12:00:00Z", "2026-03-02T14:00:00Z", "2026-03-09T13:00:00Z"},
		{"America/New_York", core.EveryMonth, "2026-11-15T12:00:00Z", "2026-11-01T14:00:00Z", "2026-12-01T14:00:00Z"},
		{"Australia/Lord_Howe", core.EveryWeek, "2026-04-03T00:00:00Z", "2026-03-29T22:00:00Z", "2026-04-05T22:30:00Z"},
		{"Asia/Kolkata", core.EveryMonth, "2026-02-10T00:00:00Z", "2026-02-01T03:30:00Z", "2026-03-01T03:30:00Z"},
		// Monday where it is Sunday elsewhere, and the other way round.
		{"Pacific/Kiritimati", core.EveryWeek, "2026-11-01T20:00:00Z", "2026-11-01T19:00:00Z", "2026-11-08T19:00:00Z"},
		{"Pacific/Pago_Pago", core.EveryWeek, "2026-11-02T19:59:00Z", "2026-10-26T20:00:00Z", "2026-11-02T20:00:00Z"},
		// Samoa left out a Friday.
		{"Pacific/Apia", core.EveryWeek, "2011-12-30T12:00:00Z", "2011-12-26T19:00:00Z", "2012-01-01T19:00:00Z"},
	} {
		zone, now := zone(t, tt.zone), moment(t, tt.now)
		if got := tt.every.Last(now, zone); !got.Equal(moment(t, tt.last)) {
			t.Errorf("%s, %s at %s: last %s, want %s", tt.zone, tt.every, tt.now, got.UTC(), tt.last)
		}
		if got := tt.every.Next(now, zone); !got.Equal(moment(t, tt.after)) {
			t.Errorf("%s, %s at %s: next %s, want %s", tt.zone, tt.every, tt.now, got.UTC(), tt.after)
		}
	}
}

// Over ten years of hours in zones of all kinds, the next digest is always
// ahead, the last never, and nothing lies between.
func TestDigestTimesFollowOneAnother(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/St_Johns", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Chatham",
		"Pacific/Apia", "America/Sao_Paulo", "Asia/Tehran",
	} {
		zone := zone(t, name)
		for _, every := range []core.Every{core.EveryWeek, core.EveryMonth} {
			now := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
			next := every.Next(now, zone)
			for end := now.AddDate(10, 0, 0); now.Before(end); now = now.Add(7 * time.Hour) {
				for !now.Before(next) {
					following := every.Next(next, zone)
					if last := every.Last(following.Add(-time.Nanosecond), zone); !last.Equal(next) || !following.After(next) {
						t.Fatalf("%s, %s: %s is followed by %s, before which was %s", name, every, next, following, last)
					}
					local := following.In(zone)
					if every == core.EveryWeek && local.Weekday() != time.Monday || every == core.EveryMonth && local.Day() != 1 || local.Hour() != 9 {
						t.Fatalf("%s, %s: %s", name, every, local)
					}
					next = following
				}
				if got := every.Next(now, zone); !got.Equal(next) {
					t.Fatalf("%s, %s at %s: next %s, want %s", name, every, now, got, next)
				}
			}
		}
	}
}

// One that comes when the next is due as well is overtaken.
func TestDigestIsOvertaken(t *testing.T) {
	t.Parallel()
	i := core.DigestIssue{
		Digest: core.Digest{Every: core.EveryWeek, Zone: "Europe/Berlin"}, To: moment(t, "2026-11-02T08:00:00Z"),
	}
	for at, want := range map[string]bool{
		"2026-11-02T08:00:00Z": false, "2026-11-09T07:59:59Z": false, "2026-11-09T08:00:00Z": true, "2027-01-01T00:00:00Z": true,
	} {
		if got := i.Overtaken(moment(t, at)); got != want {
			t.Errorf("at %s: %t, want %t", at, got, want)
		}
	}
	if zone := (core.Digest{Zone: "Europe/Nowhere"}).Location(); zone != time.UTC {
		t.Errorf("an unknown zone is %s", zone)
	}
}
