package core

import (
	"errors"
	"time"
)

// Hours are the part of the week in which a person may be reminded: the days
// of the week, and from when to when by the clock of their zone.
type Hours struct {
	// Zone is the person's time zone.
	Zone *time.Location
	// From and To are times of day, counted from midnight by the clock on the
	// wall: 0 <= From < To <= 24 h.
	From, To time.Duration
	// Days are the days of the week, at least one.
	Days Weekdays
}

// Weekdays is a set of days of the week.
type Weekdays uint8

// Weekday sets.
const (
	// Workdays are Monday to Friday.
	Workdays Weekdays = 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday
	// EveryDay is all seven.
	EveryDay = Workdays | 1<<time.Saturday | 1<<time.Sunday
)

// Has reports whether d is in the set.
func (w Weekdays) Has(d time.Weekday) bool { return w&(1<<d) != 0 }

// DefaultHours are those of somebody who chose none: nine to five on
// workdays in their zone.
func DefaultHours(zone *time.Location) Hours {
	return Hours{Zone: zone, From: 9 * time.Hour, To: 17 * time.Hour, Days: Workdays}
}

// errNoHours says that there is no moment at which h would be open.
var errNoHours = errors.New("hours never open")

// Check refuses hours that never open.
func (h Hours) Check() error {
	if h.Zone == nil || h.From < 0 || h.From >= h.To || h.To > 24*time.Hour || h.Days&EveryDay == 0 {
		return errNoHours
	}
	return nil
}

// Open reports whether t is within the hours. What counts is the clock on the
// wall: an hour that is there twice when the clock is put back counts twice.
func (h Hours) Open(t time.Time) bool {
	local := t.In(h.Zone)
	at := sinceMidnight(local)
	return h.Days.Has(local.Weekday()) && at >= h.From && at < h.To
}

// Day names the person's day on which t is, as 2006-01-02.
func (h Hours) Day(t time.Time) string { return t.In(h.Zone).Format(time.DateOnly) }

// searchDays is how far [Hours.Next] looks: a week, and room for days that a
// zone left out when it changed sides of the date line.
const searchDays = 9

// Next returns the first moment from t on that is within the hours: t itself
// where it is, otherwise when they next open. Where that time of day does not
// exist because the clock is put forward over it, it is the moment at which
// the clock is put forward, if that is still before To. It returns the zero
// time for hours that never open.
func (h Hours) Next(t time.Time) time.Time {
	if h.Check() != nil {
		return time.Time{}
	}
	if h.Open(t) {
		return t
	}
	local := t.In(h.Zone)
	for day := range searchDays {
		opens := atWall(local.Year(), local.Month(), local.Day()+day, h.From, h.Zone)
		if !opens.Before(t) && h.Open(opens) {
			return opens
		}
	}
	return time.Time{}
}

// NextAfterDay is Next for the days after the one on which t is.
func (h Hours) NextAfterDay(t time.Time) time.Time {
	local := t.In(h.Zone)
	for day := range searchDays {
		midnight := atWall(local.Year(), local.Month(), local.Day()+1+day, 0, h.Zone)
		if midnight.After(t) && h.Day(midnight) != h.Day(t) {
			return h.Next(midnight)
		}
	}
	return time.Time{}
}

func sinceMidnight(t time.Time) time.Duration {
	hour, minute, second := t.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(t.Nanosecond())
}

// atWall returns the first moment of a day at which the clock on the wall
// shows the time of day or a later one.
func atWall(year int, month time.Month, day int, at time.Duration, zone *time.Location) time.Time {
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(at)
	t := time.Date(year, month, day, 0, 0, 0, int(at), zone)
	starts, ends := t.ZoneBounds()
	switch shown := wall(t); {
	case shown.Before(wanted):
		// The time does not exist, and t stands before the gap.
		return ends
	case shown.After(wanted):
		return starts
	}
	// The time may be there twice: t is the later one where the clock was put
	// back shortly before.
	if starts.IsZero() {
		return t
	}
	_, now := t.Zone()
	_, before := starts.Add(-time.Nanosecond).In(zone).Zone()
	if earlier := t.Add(time.Duration(now-before) * time.Second); earlier.Before(starts) && wall(earlier).Equal(wanted) {
		return earlier
	}
	return t
}

// wall is what the clock on the wall shows, as if it were UTC.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
