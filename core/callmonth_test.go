package core_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// A month in which replicas die at any row that they change, clocks are put
// forward and back, and badges are accepted: each edition of each call stands
// in its channel once, when a calendar says so, and the last one counts right.
func TestMonthOfCalls(t *testing.T) {
	t.Parallel()
	template := worldTemplate(t)
	for _, replicas := range []int{2, 8} {
		t.Run(fmt.Sprintf("%d replicas", replicas), func(t *testing.T) {
			t.Parallel()
			m := newCallMonth(t, template, replicas)
			for range 31 * 4 {
				m.hours(6)
			}
			if m.kills == 0 || m.posts == 0 || m.edits == 0 {
				t.Errorf("%d kills, %d posts, %d edits: nothing was tried", m.kills, m.posts, m.edits)
			}
		})
	}
}

// callMonth is a small world of its own, from the middle of March on.
type callMonth struct {
	mortals
	calls []*calendar
	// seen are messages by their delivery's key.
	seen          map[string]*postedCall
	accepted, all int
	posts, edits  int
}

// calendar is a call as a calendar on a wall has it: on some days, at an hour.
type calendar struct {
	words  string
	zone   *time.Location
	days   func(t time.Time) bool
	hour   int
	since  time.Time
	id     string
	closed time.Time
}

// times says how often it was on the calendar until now.
func (c *calendar) times(now time.Time) int {
	if !c.closed.IsZero() {
		now = c.closed
	}
	n := 0
	for day := c.since.In(c.zone); ; day = day.AddDate(0, 0, 1) {
		at := time.Date(day.Year(), day.Month(), day.Day(), c.hour, 0, 0, 0, c.zone)
		if at.After(now) {
			return n
		}
		if at.After(c.since) && c.days(at) {
			n++
		}
	}
}

// postedCall is a message in a channel.
type postedCall struct {
	channel core.Identity
	card    chat.Card
}

func newCallMonth(t *testing.T, template string, replicas int) *callMonth {
	m := &callMonth{
		mortals: mortals{t: t, rand: rand.New(rand.NewPCG(uint64(replicas), 9)), now: time.Date(2026, 3, 14, 0, 30, 0, 0, time.UTC)},
		seen:    map[string]*postedCall{},
	}
	m.open(template, replicas, m)
	for range 20 {
		m.award(core.StagePending)
	}
	weekday := func(days ...time.Weekday) func(time.Time) bool {
		return func(t time.Time) bool {
			for _, d := range days {
				if t.Weekday() == d {
					return true
				}
			}
			return false
		}
	}
	m.announce("Europe/Berlin", "0 9 * * 1", 9, weekday(time.Monday))
	m.announce("America/New_York", "0 17 * * *", 17, func(time.Time) bool { return true })
	m.announce("Australia/Lord_Howe", "0 8 * * 0,6", 8, weekday(time.Saturday, time.Sunday))
	m.announce("Africa/Cairo", "0 12 1,15,31 * *", 12, func(t time.Time) bool { return t.Day() == 1 || t.Day() == 15 || t.Day() == 31 })
	m.announce("America/Santiago", "0 23 * * 5", 23, weekday(time.Friday))
	once := time.Date(2026, 3, 29, 15, 0, 0, 0, zone(t, "Asia/Tehran"))
	m.announce("Asia/Tehran", "", 15, func(t time.Time) bool { return t.Equal(once) })
	return m
}

func (m *callMonth) award(stage core.Stage) {
	m.all++
	m.say(m.all, stage)
}

func (m *callMonth) say(n int, stage core.Stage) {
	m.must(m.any().obs.Apply(m.t.Context(), core.Observation{
		ProviderID: fmt.Sprintf("at-%d", n), Recipient: email(fmt.Sprintf("p%d@example.org", n)), Stage: stage, At: m.now, ReadAt: m.now,
		Template: core.Template{ID: "template", Name: "Badge"},
	}))
}

// announce makes a call by a rule, or once.
func (m *callMonth) announce(zoneName, rule string, hour int, days func(time.Time) bool) {
	c := &calendar{words: fmt.Sprintf("Call %d.", len(m.calls)), zone: zone(m.t, zoneName), hour: hour, days: days, since: m.now}
	at := m.now
	for {
		at = at.Add(time.Hour).Truncate(time.Hour)
		if local := at.In(c.zone); local.Hour() == hour && local.Minute() == 0 && days(local) {
			break
		}
		if local := at.Add(30 * time.Minute).In(c.zone); local.Hour() == hour && local.Minute() == 0 && days(local) {
			at = at.Add(30 * time.Minute)
			break
		}
	}
	draft := core.CallDraft{ID: core.NewID(), Team: "team"}
	m.must(m.any().db.SaveCallDraft(m.t.Context(), draft, m.now))
	platform := core.Platform("slack")
	if len(m.calls)%2 == 1 {
		platform = "discord"
	}
	made, err := m.desk(m.any()).Publish(m.t.Context(), "", draft.ID, core.Call{
		Team: "team", Words: c.words, Zone: zoneName, Channel: core.Account{Identity: core.ChannelIdentity(platform, "", c.words)},
	}, at, rule)
	m.must(err)
	c.id = made.ID
	m.calls = append(m.calls, c)
}

// hours lets time pass, something happen, and everything be done that is due.
func (m *callMonth) hours(n int) {
	m.now = m.now.Add(time.Duration(n) * time.Hour)
	if m.rand.IntN(10) == 0 && m.accepted < m.all {
		m.accepted++
		m.say(m.accepted, core.StageAccepted)
	}
	if c := m.calls[m.rand.IntN(len(m.calls))]; m.rand.IntN(80) == 0 && c.closed.IsZero() {
		_, err := m.desk(m.any()).End(m.t.Context(), "", "team", c.id)
		m.must(err)
		c.closed = m.now
	}
	start, before := m.now, m.kills
	m.attempt(2, 8, m.tick)
	m.attempt(2, 8, m.deliver)
	if m.kills > before {
		// Another one goes on; what was in the hands of the dead is due again
		// after their lease.
		m.must(m.tick(m.any()))
		m.now = m.now.Add(2 * lease)
		m.must(m.deliver(m.any()))
	}
	m.now = start
	m.check()
}

// desk keeps calls for a replica.
func (m *callMonth) desk(r *mortal) *core.Calls { return &core.Calls{Store: r.db, Clock: m} }

func (m *callMonth) tick(r *mortal) error {
	_, _, err := m.desk(r).Tick(m.t.Context())
	return err
}

// Remove implements [chat.Messenger].
func (m *callMonth) Remove(context.Context, core.Place) error {
	m.t.Error("a call was removed")
	return nil
}

// Pause implements [chat.Messenger].
func (m *callMonth) Pause() time.Duration { return 0 }

// Show implements [chat.Messenger]: an edit.
func (m *callMonth) Show(_ context.Context, at core.Place, c chat.Card, _ string) (core.Place, error) {
	if p := m.seen[at.Ref.Reveal()]; readable(p.card) != readable(c) {
		p.card = c
		m.edits++
	}
	return at, nil
}

// Direct implements [chat.Messenger]: a new message, once for each key.
func (m *callMonth) Direct(_ context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	if m.seen[key] == nil {
		m.seen[key] = &postedCall{channel: to, card: c}
		m.posts++
	}
	return core.Place{Ref: core.Secret(key), MessageKey: key, EditableUntil: m.now.Add(10000 * time.Hour), Shown: true}, nil
}

// check holds what stands in every channel against its calendar.
func (m *callMonth) check() {
	for _, c := range m.calls {
		var messages, open, newer, closed int
		count := ""
		for _, p := range m.seen {
			if p.card.Text.String() != c.words {
				continue
			}
			messages++
			footer := p.card.Footer.String()
			switch {
			case len(p.card.Buttons) == 1:
				open++
				count = footer
			case strings.Contains(footer, "newer call"):
				newer++
			case strings.Contains(footer, "is closed"):
				closed++
			}
		}
		want := c.times(m.now)
		if messages != want || open+newer+closed != messages {
			m.t.Fatalf("%s: %s in %s stands there %d times (%d open, %d followed, %d closed), want %d",
				m.now, c.words, c.zone, messages, open, newer, closed, want)
		}
		if want == 0 {
			continue
		}
		if newer != want-1 || open != 1 && c.closed.IsZero() || closed != 1 && !c.closed.IsZero() {
			m.t.Fatalf("%s: of %s %d are open, %d followed, %d closed", m.now, c.words, open, newer, closed)
		}
		if now := fmt.Sprintf("%d of %d claimed", m.accepted, m.all); open == 1 && count != now {
			m.t.Fatalf("%s: %s says %q, want %q", m.now, c.words, count, now)
		}
	}
}
