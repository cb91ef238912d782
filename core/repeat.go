package core

import (
	"errors"
	"regexp"
	"time"

	"github.com/robfig/cron/v3"
)

// Why a time or a rule is not taken.
var (
	// ErrNoTime: it is not written as a time.
	ErrNoTime = errors.New("not a time")
	// ErrNoRule: it is not written as a rule.
	ErrNoRule = errors.New("not a rule")
	// ErrNever: no day is like the rule.
	ErrNever = errors.New("rule never fires")
	// ErrTooOften: the rule fires more than once a day.
	ErrTooOften = errors.New("rule fires too often")
)

// momentLayout is how people write a time.
const momentLayout = "2006-01-02 15:04"

// ParseMoment reads a time as 2026-12-01 09:00 by the clock on the wall of a
// zone; [ErrNoTime]. A time that does not exist there, because the clock is
// put forward over it, is the moment at which that happens; of one that is
// there twice it is the first.
func ParseMoment(text string, zone *time.Location) (time.Time, error) {
	t, err := time.Parse(momentLayout, text)
	if err != nil {
		return time.Time{}, ErrNoTime
	}
	return onWall(t, zone).UTC(), nil
}

// WriteMoment writes a time as [ParseMoment] reads it.
func WriteMoment(t time.Time, zone *time.Location) string { return t.In(zone).Format(momentLayout) }

// onWall is the moment at which the clock of a zone shows what wall does.
func onWall(wall time.Time, zone *time.Location) time.Time {
	year, month, day := wall.Date()
	return atWall(year, month, day, sinceMidnight(wall), zone)
}

// Repetition says when something happens again and again.
type Repetition struct{ rule cron.Schedule }

const (
	// maxRule is far longer than any rule that says something.
	maxRule = 100
	// leastBetween is the least time between two moments of a rule.
	leastBetween = 24 * time.Hour
)

// ruleLetters are those of the fields, and of the names of intervals behind
// "@", which are understood to be refused. The parser knows more than these: a
// zone of its own.
var ruleLetters = regexp.MustCompile(`^@?[0-9A-Za-z*,/ -]+$`)

// ParseRepetition reads a rule of five fields: minute, hour, day of the month,
// month, day of the week (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/crontab.html).
// [ErrNoRule], [ErrNever], or [ErrTooOften] for one that fires more often
// than once a day.
func ParseRepetition(rule string) (Repetition, error) {
	if len(rule) > maxRule || !ruleLetters.MatchString(rule) {
		return Repetition{}, ErrNoRule
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(rule)
	if err != nil {
		return Repetition{}, otherRule(rule)
	}
	if err := tooOften(parsed); err != nil {
		return Repetition{}, err
	}
	return Repetition{rule: parsed}, nil
}

// tooOften returns [ErrNever] or [ErrTooOften] for a rule that deserves it. A
// day of a rule has the same times as each of its days: two that follow one
// another show whether there are several, wherever in a day one begins. The
// year is one of 366 days.
func tooOften(rule cron.Schedule) error {
	first := rule.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	if first.IsZero() {
		return ErrNever
	}
	for range 2 {
		next := rule.Next(first)
		if !next.IsZero() && next.Sub(first) < leastBetween {
			return ErrTooOften
		}
		first = next
	}
	return nil
}

// otherRule judges what is written as a rule of another kind, with seconds or
// by the name of an interval: it is not taken, and who wants something each
// second or each hour is told that this is too often.
func otherRule(rule string) error {
	parsed, err := cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(rule)
	if err == nil && errors.Is(tooOften(parsed), ErrTooOften) {
		return ErrTooOften
	}
	return ErrNoRule
}

// Next returns the first moment after t that is like the rule by the clock on
// the wall of a zone. A time of day that does not exist on some day, because
// the clock is put forward over it, is the moment at which that happens; one
// that is there twice counts once, the first time. It returns the zero time
// where there is none within some years.
func (r Repetition) Next(t time.Time, zone *time.Location) time.Time {
	// The rule is asked in a world without changes of the clock. What the wall
	// shows may be earlier than it was before, hence the tries.
	const tries = 4
	shown := wall(t.In(zone))
	for range tries {
		if shown = r.rule.Next(shown); shown.IsZero() {
			return time.Time{}
		}
		if at := onWall(shown, zone); at.After(t) {
			return at.UTC()
		}
	}
	return time.Time{}
}

// Weekly is the rule for the day of the week and the time of day that t has in
// a zone.
func Weekly(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("4 15 * * ") + weekdayNumber(t.In(zone).Weekday())
}

// Monthly is the rule for the day of the month, at most the 28th, and the time
// of day that t has in a zone.
func Monthly(t time.Time, zone *time.Location) string {
	local := t.In(zone)
	if local.Day() > 28 {
		local = local.AddDate(0, 0, 28-local.Day())
	}
	return local.Format("4 15 2 * *")
}

func weekdayNumber(d time.Weekday) string { return string(rune('0' + int(d))) }
