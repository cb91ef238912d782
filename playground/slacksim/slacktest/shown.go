package slacktest

import (
	"fmt"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// Shown is a message that a person was shown.
type Shown struct {
	// Message is the snapshot that met the expectation.
	slacksim.Message

	p *Person
}

// Person goes back to who was shown the message.
func (m *Shown) Person() *Person { return m.p }

// Failing returns the message for one press that the app is to answer badly.
func (m *Shown) Failing() *Shown { return &Shown{Message: m.Message, p: m.p.Failing()} }

// Now returns the message as it is now; a deleted one fails the test.
func (m *Shown) Now() slacksim.Message {
	m.p.chat.tb.Helper()
	now, ok := m.p.chat.sim.Message(m.Ref())
	if !ok || now.Deleted {
		m.p.chat.tb.Fatalf("the message was deleted; it was:\n%s", draw(m.Message))
	}
	return now
}

// Press presses what has this label, action id or value, in the message as it
// is now.
func (m *Shown) Press(what string) *Reply {
	m.p.chat.tb.Helper()
	ctx, cancel := m.p.chat.waits.Acting()
	defer cancel()
	res, err := m.p.chat.sim.Press(ctx, m.p.user, m.Ref(), what)
	return m.p.In(m.Channel).did("press "+what, m, res, err)
}

// Again presses in the message as it was when it was shown, whatever it looks
// like by now: a late or a doubled press.
func (m *Shown) Again(what string) *Reply {
	m.p.chat.tb.Helper()
	return m.PressedBy(m.p.user, what)
}

// PressedBy lets anybody press in the message as it was when it was shown,
// whether they see it or not: a forged press.
func (m *Shown) PressedBy(userID, what string) *Reply {
	m.p.chat.tb.Helper()
	ctx, cancel := m.p.chat.waits.Acting()
	defer cancel()
	who := *m.p
	who.user, who.channel = userID, m.Channel
	res, err := m.p.chat.sim.PressAs(ctx, userID, m.Message, what)
	return who.did("press "+what, m, res, err)
}

// Choose picks an option, by label or value, of a menu, by placeholder or
// action id.
func (m *Shown) Choose(menu, option string) *Reply {
	m.p.chat.tb.Helper()
	now := m.Now()
	value, ok := optionOf(now.Blocks, now.Elements(), menu, option)
	if !ok {
		m.p.chat.tb.Fatalf("choose %q of %q: not offered:\n%s", option, menu, draw(now))
	}
	return m.Press(value)
}

// ExpectEdit waits until this very message was edited since the snapshot and
// says all the texts.
func (m *Shown) ExpectEdit(texts ...string) *Shown {
	m.p.chat.tb.Helper()
	out := &Shown{p: m.p}
	m.p.chat.waits.Until(fmt.Sprintf("an edit saying %q", texts), func() string { return m.p.screen(m.Channel) }, func() bool {
		now, ok := m.p.chat.sim.Message(m.Ref())
		out.Message = now
		return ok && !now.Deleted && now.Revision > m.Revision && chattest.Says(draw(now), texts)
	})
	m.p.chat.ledger.met(out.Message)
	return out
}

// ExpectDeleted waits until the message is deleted.
func (m *Shown) ExpectDeleted() {
	m.p.chat.tb.Helper()
	var now slacksim.Message
	m.p.chat.waits.Until("the message deleted", func() string { return m.p.screen(m.Channel) }, func() bool {
		now, _ = m.p.chat.sim.Message(m.Ref())
		return now.Deleted
	})
	m.p.chat.ledger.met(now)
}

// ExpectButton waits until the message has what can be pressed of these labels
// or action ids.
func (m *Shown) ExpectButton(labels ...string) *Shown {
	m.p.chat.tb.Helper()
	for _, label := range labels {
		m.becomes(fmt.Sprintf("a button %q", label), func(now slacksim.Message) bool { return button(now.Elements(), label) })
	}
	return m
}

// ExpectNoButton waits until the message has nothing to press of this label or
// action id.
func (m *Shown) ExpectNoButton(label string) *Shown {
	m.p.chat.tb.Helper()
	m.becomes(fmt.Sprintf("no button %q", label), func(now slacksim.Message) bool { return !button(now.Elements(), label) })
	return m
}

// ExpectLink waits until the message has a link button, or a link in its text,
// whose label contains the text, and returns its address.
func (m *Shown) ExpectLink(label string) string {
	m.p.chat.tb.Helper()
	address := ""
	m.becomes(fmt.Sprintf("a link %q", label), func(now slacksim.Message) bool {
		address = linkOf(now.Plain(), now.Elements(), label)
		return address != ""
	})
	return address
}

// becomes waits until the message is as ok says.
func (m *Shown) becomes(what string, ok func(slacksim.Message) bool) {
	m.p.chat.tb.Helper()
	var now slacksim.Message
	m.p.chat.waits.Until(what, func() string { return m.p.screen(m.Channel) }, func() bool {
		now, _ = m.p.chat.sim.Message(m.Ref())
		return !now.Deleted && ok(now)
	})
	m.p.chat.ledger.met(now)
}
