package core_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// A month in which replicas die at any row that they change, clocks are put
// forward and back, badges move, and people stop and want quiet: everybody
// sees exactly what a simple model says, once, in their hours.
func TestMonthOfReminders(t *testing.T) {
	t.Parallel()
	template := worldTemplate(t)
	for _, replicas := range []int{2, 8} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%d replicas, seed %d", replicas, seed), func(t *testing.T) {
				t.Parallel()
				m := newMonth(t, template, replicas, seed)
				for range 31 * 24 {
					m.hour()
				}
				if m.reminders == 0 || m.kills == 0 {
					t.Errorf("%d reminders, %d kills: nothing was tried", m.reminders, m.kills)
				}
			})
		}
	}
}

// month is a small world of its own, from the middle of March on, when most
// clocks change.
type month struct {
	mortals
	people []*reminded
	// sent are messages by their delivery's key.
	sent map[string]*note
	at   map[string]*note

	badges, reminders int
}

// reminded is a person as the model knows them.
type reminded struct {
	id      core.Identity
	mail    string
	zone    *time.Location
	stopped bool
	quiet   time.Time
	// day is the last day with a reminder, and last what it was about.
	day    string
	last   map[*monthBadge]monthStep
	badges []*monthBadge
}

// monthBadge is a badge as the model knows it.
type monthBadge struct {
	name      string
	said      core.Observation
	since     time.Time
	wasPublic bool
	done      map[core.Policy]int
}

// note is a message in a chat.
type note struct {
	to   core.Identity
	text string
}

func newMonth(t *testing.T, template string, replicas int, seed uint64) *month {
	m := &month{
		mortals: mortals{t: t, rand: rand.New(rand.NewPCG(seed, 5)), now: time.Date(2026, 3, 14, 0, 30, 0, 0, time.UTC)},
		sent:    map[string]*note{}, at: map[string]*note{},
	}
	m.open(template, replicas, m)
	for i, name := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo",
		"America/Santiago", "Asia/Tehran", "America/Havana", "Pacific/Chatham", "Africa/Casablanca",
	} {
		m.join(i, name)
	}
	return m
}

func (m *month) join(i int, zoneName string) {
	p := &reminded{
		id: core.Identity{Platform: "slack", Tenant: "T1", User: fmt.Sprintf("U%d", i)}, zone: zone(m.t, zoneName),
		mail: fmt.Sprintf("p%d@example.org", i),
	}
	if i%3 == 2 {
		p.id.Platform, p.id.Tenant = "discord", ""
	}
	m.people = append(m.people, p)
	m.must(m.replicas[0].db.InTx(m.t.Context(), func(ctx context.Context, tx core.Tx) error {
		a, err := tx.EnsureAccount(ctx, core.Account{Identity: p.id, TimeZone: zoneName, DisplayName: p.mail}, m.now)
		if err != nil {
			return err
		}
		return tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: email(p.mail), VerifiedAt: m.now})
	}))
	m.award(p)
}

// award gives a person a badge that is pending.
func (m *month) award(p *reminded) {
	m.badges++
	b := &monthBadge{name: fmt.Sprintf("Badge %d.", m.badges), done: map[core.Policy]int{}}
	b.said = core.Observation{
		ProviderID: fmt.Sprintf("at-%d", m.badges), Recipient: email(p.mail),
		Template: core.Template{ID: fmt.Sprintf("template-%d", m.badges), Name: b.name},
	}
	if m.rand.IntN(2) == 0 {
		b.said.ExpiresAt = m.now.Add(time.Duration(m.rand.IntN(120*24)) * time.Hour)
	}
	p.badges = append(p.badges, b)
	m.say(b, core.StagePending)
}

// say lets the provider say that a badge is in a stage now.
func (m *month) say(b *monthBadge, stage core.Stage) {
	b.wasPublic = b.wasPublic || b.said.Stage == core.StagePublic
	if b.said.Stage != stage {
		b.since = m.now
	}
	b.said.Stage, b.said.At, b.said.ReadAt = stage, m.now, m.now
	m.must(m.any().obs.Apply(m.t.Context(), b.said))
}

// hour lets something happen, and everything be done that is due.
func (m *month) hour() {
	m.now = m.now.Add(time.Hour)
	for _, p := range m.people {
		m.live(p)
	}
	start, before := m.now, m.kills
	m.attempt(3, 12, m.plan)
	m.attempt(3, 12, m.deliver)
	if m.kills > before {
		// Another one goes on; what was in the hands of the dead is due again
		// after their lease.
		m.must(m.plan(m.any()))
		m.now = m.now.Add(2 * lease)
		m.must(m.deliver(m.any()))
	}
	m.now = start
	for _, p := range m.people {
		m.missed(p)
	}
}

// live lets a person and their badges do something, rarely.
func (m *month) live(p *reminded) {
	if m.rand.IntN(60) > 0 {
		return
	}
	b := p.badges[m.rand.IntN(len(p.badges))]
	switch m.rand.IntN(9) {
	case 0, 1:
		if len(p.badges) < 4 {
			m.award(p)
		}
	case 2, 3:
		m.say(b, core.StageAccepted)
	case 4:
		m.say(b, core.StagePublic)
	case 5:
		m.say(b, core.StageRevoked)
	case 6:
		p.stopped, p.quiet = true, time.Time{}
		m.wish(p)
	case 7:
		p.quiet = m.now.Add(7 * 24 * time.Hour)
		m.wish(p)
	default:
		p.stopped, p.quiet = false, time.Time{}
		m.wish(p)
	}
}

func (m *month) wish(p *reminded) {
	m.must(m.any().db.SaveWishes(m.t.Context(), p.id, core.Wishes{Stopped: p.stopped, SnoozedUntil: p.quiet}, m.now))
}

func (m *month) plan(r *mortal) error {
	_, err := (&core.Reminders{Store: r.db, Clock: m}).Plan(m.t.Context())
	return err
}

// Pause implements [chat.Messenger].
func (m *month) Pause() time.Duration { return 0 }

// Show implements [chat.Messenger]: an edit.
func (m *month) Show(_ context.Context, at core.Place, c chat.Card, _ string) (core.Place, error) {
	m.see(m.at[at.Ref.Reveal()], c)
	return at, nil
}

// Remove implements [chat.Messenger].
func (m *month) Remove(context.Context, core.Place) error {
	m.t.Error("a reminder was removed")
	return nil
}

// Direct implements [chat.Messenger]: a new message, once for each key.
func (m *month) Direct(_ context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	if m.sent[key] == nil {
		m.sent[key] = &note{to: to}
		m.at[key] = m.sent[key]
		m.see(m.sent[key], c)
	}
	return core.Place{Ref: core.Secret(key), MessageKey: key, EditableUntil: m.now.Add(10000 * time.Hour), Shown: true}, nil
}

// see holds what a person sees against the model.
func (m *month) see(n *note, c chat.Card) {
	text := readable(c)
	if n.text == text {
		return
	}
	n.text = text
	got := reasonsOf(c)
	if len(got) == 0 {
		return
	}
	for _, p := range m.people {
		if p.id == n.to {
			m.remindedOf(p, dayOf(c), got)
		}
	}
}

// dayOf is the day that a reminder names.
func dayOf(c chat.Card) string {
	for _, run := range c.Text {
		if run.Day {
			return run.Time.Format(time.DateOnly)
		}
	}
	return ""
}

// reasonsOf reads from a card which badges it is about, and why.
func reasonsOf(c chat.Card) map[string]core.Policy {
	words := map[core.Policy]string{
		core.PolicyPending: "Earned and waiting", core.PolicyFollowed: "You were at", core.PolicyPrivate: "only you can see it",
		core.PolicyUnshared: "nobody has seen it", core.PolicyExpiring: "It expires on",
	}
	out := map[string]core.Policy{}
	for _, item := range c.Items {
		name, why, _ := strings.Cut(item.Text.String(), "\n")
		for policy, part := range words {
			if strings.Contains(why, part) {
				out[name] = policy
			}
		}
	}
	return out
}

// remindedOf: a person sees the reasons of a reminder. They are those of
// today, or what is left of the last one.
func (m *month) remindedOf(p *reminded, day string, got map[string]core.Policy) {
	if p.day == day {
		return
	}
	if today := m.now.In(p.zone).Format(time.DateOnly); day != today {
		m.t.Fatalf("%s: %s in %s sees a reminder of %s", m.now, p.id.User, p.zone, day)
	}
	due := m.due(p)
	want := map[string]core.Policy{}
	for b, s := range due {
		want[b.name] = s.policy
	}
	if !m.awake(p) || p.stopped || m.now.Before(p.quiet) || !maps.Equal(got, want) {
		m.t.Fatalf("%s: %s in %s is reminded of %v, due is %v", m.now, p.id.User, p.zone, got, want)
	}
	for b, s := range due {
		b.done[s.policy] = s.step
	}
	p.day, p.last = day, due
	m.reminders++
}

// missed: at the end of the hours of a day everything that was due was said.
func (m *month) missed(p *reminded) {
	local := m.now.In(p.zone)
	if local.Hour() != 16 || !m.awake(p) || p.stopped || m.now.Before(p.quiet) || p.day == local.Format(time.DateOnly) {
		return
	}
	if due := m.due(p); len(due) > 0 {
		m.t.Fatalf("%s: %s in %s was not reminded of %d badges", m.now, p.id.User, p.zone, len(due))
	}
}

func (m *month) awake(p *reminded) bool {
	local := m.now.In(p.zone)
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	return !weekend && local.Hour() >= 9 && local.Hour() < 17
}

type monthStep struct {
	policy core.Policy
	step   int
}

// due is what the plan says, read word for word.
func (m *month) due(p *reminded) map[*monthBadge]monthStep {
	out := map[*monthBadge]monthStep{}
	for _, b := range p.badges {
		stage := b.said.Stage
		try := func(policy core.Policy, applies bool, at func(days int) time.Time, days ...int) {
			if _, found := out[b]; found || !applies {
				return
			}
			for i := len(days); i > b.done[policy]; i-- {
				if since := at(days[i-1]); !m.now.Before(since) {
					if m.now.Before(since.Add(7 * 24 * time.Hour)) {
						out[b] = monthStep{policy, i}
					}
					return
				}
			}
		}
		after := func(days int) time.Time { return b.since.Add(time.Duration(days) * 24 * time.Hour) }
		before := func(days int) time.Time { return b.said.ExpiresAt.Add(-time.Duration(days) * 24 * time.Hour) }
		held := stage == core.StageAccepted || stage == core.StagePublic
		try(core.PolicyExpiring, held && !b.said.ExpiresAt.IsZero() && m.now.Before(b.said.ExpiresAt), before, 90, 30, 7)
		try(core.PolicyPending, stage == core.StagePending, after, 1, 3, 7, 14, 30)
		try(core.PolicyPrivate, stage == core.StageAccepted && !b.wasPublic, after, 2, 10)
		try(core.PolicyUnshared, stage == core.StagePublic, after, 5)
	}
	m.again(p, out)
	return out
}

// again adds what somebody was reminded of before they asked for a quiet week,
// once the week is over.
func (m *month) again(p *reminded, out map[*monthBadge]monthStep) {
	const week = 7 * 24 * time.Hour
	on := func(t time.Time) string { return t.In(p.zone).Format(time.DateOnly) }
	if p.quiet.IsZero() || m.now.Before(p.quiet) || !m.now.Before(p.quiet.Add(week)) ||
		p.day >= on(p.quiet) || p.day < on(p.quiet.Add(-2*week)) {
		return
	}
	for b, s := range p.last {
		holds := map[core.Policy]bool{
			core.PolicyPending: b.said.Stage == core.StagePending, core.PolicyPrivate: b.said.Stage == core.StageAccepted && !b.wasPublic,
			core.PolicyUnshared: b.said.Stage == core.StagePublic,
			core.PolicyExpiring: (b.said.Stage == core.StageAccepted || b.said.Stage == core.StagePublic) && m.now.Before(b.said.ExpiresAt),
		}
		if _, found := out[b]; !found && holds[s.policy] {
			out[b] = s
		}
	}
}
