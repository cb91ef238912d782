package discordtest

import (
	"fmt"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// Shown is a message that a person was shown.
type Shown struct {
	by *Person
	id string
	// then is the snapshot that met the expectation.
	then discordsim.Message
}

// ID returns the message's id.
func (s *Shown) ID() string { return s.id }

// Person goes back to who was shown the message.
func (s *Shown) Person() *Person { return s.by }

// Failing returns the message for one press that the bot is to answer badly.
func (s *Shown) Failing() *Shown { return &Shown{by: s.by.Failing(), id: s.id, then: s.then} }

// Now returns the message as it is now; a deleted one fails the test.
func (s *Shown) Now() discordsim.Message {
	s.by.chat.tb.Helper()
	m, ok := s.by.chat.sim.Message(s.id)
	if !ok {
		s.by.chat.tb.Fatalf("the message was deleted; it was:\n%s", draw(s.then))
	}
	return m
}

// Press presses what has this label or custom id, or chooses the values of a
// menu by its placeholder or custom id, in the message as it is now.
func (s *Shown) Press(customIDOrLabel string, values ...string) *Reply {
	s.by.chat.tb.Helper()
	return s.by.PressOn(s.id, customIDOrLabel, values...)
}

// PressedBy lets anybody press in the message, whether they see it or not: a
// forged press.
func (s *Shown) PressedBy(userID, customIDOrLabel string) *Reply {
	s.by.chat.tb.Helper()
	who := *s.by
	who.id, who.channel, who.dm = userID, s.Now().ChannelID, s.by.chat.sim.DM(userID)
	return who.PressOn(s.id, customIDOrLabel)
}

// Choose picks an option, by label or value, of a menu, by placeholder or
// custom id.
func (s *Shown) Choose(menu, option string) *Reply {
	s.by.chat.tb.Helper()
	now := s.Now()
	for _, c := range acted(now.Components) {
		if c.CustomID != menu && c.Placeholder != menu {
			continue
		}
		for _, o := range c.Options {
			if o.Label == option || o.Value == option {
				return s.Press(c.CustomID, o.Value)
			}
		}
	}
	s.by.chat.tb.Fatalf("choose %q of %q: not offered:\n%s", option, menu, draw(now))
	return nil
}

// ExpectEdit waits until this very message was edited since the snapshot and
// says all the texts.
func (s *Shown) ExpectEdit(texts ...string) *Shown {
	s.by.chat.tb.Helper()
	return s.becomes("an edit", texts, func(m discordsim.Message) bool {
		return !m.Edited.Equal(s.then.Edited) || draw(m) != draw(s.then)
	})
}

// ExpectDeleted waits until the message is gone.
func (s *Shown) ExpectDeleted() {
	s.by.chat.tb.Helper()
	s.by.chat.waits.Until("the message deleted", s.by.screen, func() bool {
		_, ok := s.by.chat.sim.Message(s.id)
		return !ok
	})
	s.by.chat.ledger.metGone(s.id)
}

// ExpectButton waits until the message has enabled buttons or menus of these
// labels or custom ids.
func (s *Shown) ExpectButton(labels ...string) *Shown {
	s.by.chat.tb.Helper()
	for _, label := range labels {
		s.becomes(fmt.Sprintf("a button %q", label), nil, func(m discordsim.Message) bool { return pressable(m, label) })
	}
	return s
}

// ExpectNoButton waits until the message has no enabled button or menu of this
// label or custom id.
func (s *Shown) ExpectNoButton(label string) *Shown {
	s.by.chat.tb.Helper()
	s.becomes(fmt.Sprintf("no button %q", label), nil, func(m discordsim.Message) bool { return !pressable(m, label) })
	return s
}

// ExpectLink waits until the message has a link button, or a link in its text,
// whose label contains the text, and returns its address.
func (s *Shown) ExpectLink(label string) string {
	s.by.chat.tb.Helper()
	address := ""
	s.becomes(fmt.Sprintf("a link %q", label), nil, func(m discordsim.Message) bool {
		address = linkOf(m, label)
		return address != ""
	})
	return address
}

// becomes waits until the message says all texts and is as ok says.
func (s *Shown) becomes(what string, texts []string, ok func(discordsim.Message) bool) *Shown {
	s.by.chat.tb.Helper()
	var now discordsim.Message
	s.by.chat.waits.Until(fmt.Sprintf("%s saying %q", what, texts), func() string {
		m, there := s.by.chat.sim.Message(s.id)
		if !there {
			return "  the message is deleted"
		}
		return draw(m) + "and the person sees:\n" + s.by.screen()
	}, func() bool {
		var there bool
		now, there = s.by.chat.sim.Message(s.id)
		return there && !now.Thinking && chattest.Says(draw(now), texts) && ok(now)
	})
	return s.by.shown(now)
}

// pressable finds what a person could press by its label or custom id.
func pressable(m discordsim.Message, label string) bool {
	for _, c := range acted(m.Components) {
		if (c.CustomID == label && label != "" || name(c) == label) && !c.Disabled {
			return true
		}
	}
	return false
}
