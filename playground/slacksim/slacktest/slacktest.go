// Package slacktest is a small language for tests that act as people in a
// simulated workspace. Each step fails the test at once when it does not come
// true within the harness's patience; nothing sleeps.
//
//	h := slacktest.New(t, sim)
//	ada := h.As("U1")
//	ada.Command("/badges", "").ExpectEphemeral("welcome").Press("Claim")
//	ada.Modal("Your address").Fill("E-mail", "ada@example.org").Submit()
//	ada.ExpectDM("two minutes").ExpectEdit("expired")
//
// A story is the same over HTTP and over Socket Mode. For the latter call
// sim.UseSocketMode(true) before the app starts, and Connected before people
// act: without a connection they meet a failure, as at Slack.
package slacktest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// Patience is how long a step waits for what it expects, in real time.
const Patience = 10 * time.Second

// Harness binds a workspace to a test.
type Harness struct {
	tb       testing.TB
	sim      *slacksim.Server
	patience time.Duration
}

// New returns a harness with the usual Patience.
func New(tb testing.TB, sim *slacksim.Server) *Harness {
	tb.Helper()
	return &Harness{tb: tb, sim: sim, patience: Patience}
}

// Within returns a harness that waits at most d.
func (h *Harness) Within(d time.Duration) *Harness {
	return &Harness{tb: h.tb, sim: h.sim, patience: d}
}

// As acts as a person, in their conversation with the bot until In is called.
func (h *Harness) As(userID string) *Person {
	return &Person{h: h, user: userID, channel: h.sim.DM(userID)}
}

// Connected waits until the app has at least n Socket Mode connections that
// take payloads.
func (h *Harness) Connected(n int) *Harness {
	h.tb.Helper()
	ctx, cancel := h.context()
	defer cancel()
	if err := h.sim.WaitConnections(ctx, n); err != nil {
		h.tb.Fatalf("expected %d connections; there are %+v", n, h.sim.Connections())
	}
	return h
}

func (h *Harness) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(h.tb.Context(), h.patience)
}

// wait fails the test with what is there when ok does not come true.
func (h *Harness) wait(what string, seen func() string, ok func() bool) {
	h.tb.Helper()
	ctx, cancel := h.context()
	defer cancel()
	if err := h.sim.Eventually(ctx, ok); err != nil {
		h.tb.Fatalf("expected %s; there is:\n%s", what, seen())
	}
}

// Person is somebody in one channel.
type Person struct {
	h       *Harness
	user    string
	channel string
	// Last is what came of the last request to the app; nil before the first.
	Last *slacksim.Result
}

// In goes on in another channel.
func (p *Person) In(channelID string) *Person {
	return &Person{h: p.h, user: p.user, channel: channelID}
}

// Command types a slash command; the app must answer it well.
func (p *Person) Command(command, text string) *Person {
	p.h.tb.Helper()
	ctx, cancel := p.h.context()
	defer cancel()
	return p.did(p.h.sim.Command(ctx, p.user, p.channel, command, text))
}

// OpenHome opens the home tab.
func (p *Person) OpenHome() *Person {
	p.h.tb.Helper()
	ctx, cancel := p.h.context()
	defer cancel()
	return p.did(p.h.sim.OpenHome(ctx, p.user, "home"))
}

func (p *Person) did(res *slacksim.Result, err error) *Person {
	p.h.tb.Helper()
	if err != nil {
		p.h.tb.Fatalf("act as %s: %v", p.user, err)
	}
	if !res.OK() {
		p.h.tb.Fatalf("act as %s: status %d, user error %q, problems %v, field errors %v", p.user, res.Status, res.UserError, res.Problems, res.FieldErrors)
	}
	p.Last = res
	return p
}

// ExpectEphemeral waits for a message that only this person sees, in the
// channel, saying all the texts. Of several the newest counts.
func (p *Person) ExpectEphemeral(all ...string) *Shown {
	p.h.tb.Helper()
	return p.expect(p.channel, true, "an ephemeral message", all)
}

// ExpectMessage waits for a lasting message in the channel saying all texts.
func (p *Person) ExpectMessage(all ...string) *Shown {
	p.h.tb.Helper()
	return p.expect(p.channel, false, "a message", all)
}

// ExpectDM waits for a lasting message in the conversation with the bot.
func (p *Person) ExpectDM(all ...string) *Shown {
	p.h.tb.Helper()
	return p.expect(p.h.sim.DM(p.user), false, "a direct message", all)
}

func (p *Person) expect(channel string, ephemeral bool, what string, all []string) *Shown {
	p.h.tb.Helper()
	var found *Shown
	p.h.wait(fmt.Sprintf("%s saying %q", what, all), func() string { return p.screen(channel) }, func() bool {
		for _, m := range p.h.sim.Messages(channel, p.user) {
			if !m.Deleted && m.Ephemeral == ephemeral && says(m.Plain()+buttons(m.Elements()), all) {
				found = &Shown{Message: m, p: p}
			}
		}
		return found != nil
	})
	return found
}

// screen draws what the person sees, for a failed test.
func (p *Person) screen(channel string) string {
	var b strings.Builder
	for _, m := range p.h.sim.Messages(channel, p.user) {
		fmt.Fprintf(&b, "[%s ephemeral=%t deleted=%t revision=%d] %s%s\n", m.User, m.Ephemeral, m.Deleted, m.Revision, m.Plain(), buttons(m.Elements()))
	}
	for _, v := range p.h.sim.Views(p.user) {
		fmt.Fprintf(&b, "[view] %s %v\n", v.Plain(), v.Errors)
	}
	return b.String()
}

func buttons(all []slacksim.Element) string {
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintf(&b, " (%s)", e.Label)
	}
	return b.String()
}

func says(text string, all []string) bool {
	for _, part := range all {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// Shown is a message that the person was shown.
type Shown struct {
	// Message is the snapshot that met the expectation.
	slacksim.Message
	p *Person
}

// Press presses what has this action id, value or label; the app must take it.
func (m *Shown) Press(what string) *Shown {
	m.p.h.tb.Helper()
	ctx, cancel := m.p.h.context()
	defer cancel()
	m.p.did(m.p.h.sim.Press(ctx, m.p.user, m.Ref(), what))
	return m
}

// Again presses in the message as it was when it was shown, whatever it looks
// like by now.
func (m *Shown) Again(what string) *Shown {
	m.p.h.tb.Helper()
	return m.PressedBy(m.p.user, what)
}

// PressedBy lets anybody press in the message, whether they see it or not.
func (m *Shown) PressedBy(userID, what string) *Shown {
	m.p.h.tb.Helper()
	ctx, cancel := m.p.h.context()
	defer cancel()
	m.p.did(m.p.h.sim.PressAs(ctx, userID, m.Message, what))
	return m
}

// ExpectEdit waits until this very message was edited and says all the texts.
func (m *Shown) ExpectEdit(all ...string) *Shown {
	m.p.h.tb.Helper()
	out := &Shown{p: m.p}
	m.p.h.wait(fmt.Sprintf("an edit saying %q", all), func() string { return m.p.screen(m.Channel) }, func() bool {
		now, ok := m.p.h.sim.Message(m.Ref())
		out.Message = now
		return ok && !now.Deleted && now.Revision > m.Revision && says(now.Plain()+buttons(now.Elements()), all)
	})
	return out
}

// ExpectGone waits until the message is deleted.
func (m *Shown) ExpectGone() {
	m.p.h.tb.Helper()
	m.p.h.wait("the message deleted", func() string { return m.p.screen(m.Channel) }, func() bool {
		now, ok := m.p.h.sim.Message(m.Ref())
		return ok && now.Deleted
	})
}

// Person goes back to who was shown the message.
func (m *Shown) Person() *Person { return m.p }

// Modal waits until the topmost view has this title.
func (p *Person) Modal(title string) *Modal {
	p.h.tb.Helper()
	out := &Modal{p: p, values: map[string]string{}}
	p.h.wait(fmt.Sprintf("a modal %q", title), func() string { return p.screen(p.channel) }, func() bool {
		views := p.h.sim.Views(p.user)
		if len(views) == 0 {
			return false
		}
		out.View = views[len(views)-1]
		return out.Title == title
	})
	return out
}

// ExpectNoModal waits until no view is open.
func (p *Person) ExpectNoModal() *Person {
	p.h.tb.Helper()
	p.h.wait("no modal", func() string { return p.screen(p.channel) }, func() bool { return len(p.h.sim.Views(p.user)) == 0 })
	return p
}

// Modal is a form that the person has open.
type Modal struct {
	slacksim.View
	p      *Person
	values map[string]string
}

// Fill enters a value into the input with this label, block id or action id.
func (m *Modal) Fill(input, value string) *Modal {
	m.values[input] = value
	return m
}

// Submit sends the form; the app must take it.
func (m *Modal) Submit() *Person {
	m.p.h.tb.Helper()
	res := m.send()
	if len(res.FieldErrors) > 0 {
		m.p.h.tb.Fatalf("submit %q: field errors %v", m.Title, res.FieldErrors)
	}
	return m.p.did(res, nil)
}

// SubmitExpectingError sends the form and wants a complaint that contains the
// text, from the app or from the person's client. The form stays open.
func (m *Modal) SubmitExpectingError(text string) *Modal {
	m.p.h.tb.Helper()
	res := m.send()
	for _, complaint := range res.FieldErrors {
		if strings.Contains(complaint, text) {
			return m
		}
	}
	m.p.h.tb.Fatalf("submit %q: want a complaint saying %q, got %v (status %d, problems %v)", m.Title, text, res.FieldErrors, res.Status, res.Problems)
	return m
}

// Press presses a button inside the form.
func (m *Modal) Press(what string) *Modal {
	m.p.h.tb.Helper()
	ctx, cancel := m.p.h.context()
	defer cancel()
	m.p.did(m.p.h.sim.PressView(ctx, m.p.user, m.ID, what))
	return m
}

// Close closes the form without sending it.
func (m *Modal) Close() *Person {
	m.p.h.tb.Helper()
	ctx, cancel := m.p.h.context()
	defer cancel()
	return m.p.did(m.p.h.sim.CloseView(ctx, m.p.user, m.ID))
}

func (m *Modal) send() *slacksim.Result {
	m.p.h.tb.Helper()
	ctx, cancel := m.p.h.context()
	defer cancel()
	res, err := m.p.h.sim.Submit(ctx, m.p.user, m.ID, m.values)
	if err != nil {
		m.p.h.tb.Fatalf("submit %q: %v", m.Title, err)
	}
	return res
}
