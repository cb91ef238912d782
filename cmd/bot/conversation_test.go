package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// A story told in these words is the same on every platform: what differs
// between the platforms lies below them.

// talker is somebody in a conversation.
type talker interface {
	// types sends a command and waits for a message that answers it with all
	// the texts. The argument is an address for link, a part of a badge's
	// name for claim, and empty for the others.
	types(command, argument string, texts ...string) shown
	// sees waits for a message in the conversation that says all the texts.
	sees(texts ...string) shown
	// reads waits for a message that says all the texts, whoever else sees it.
	reads(texts ...string) shown
	// isTold waits for a direct message.
	isTold(texts ...string) shown
}

// shown is a message that somebody sees.
type shown interface {
	press(label string)
	// pressTwice presses twice before anything can have changed.
	pressTwice(label string)
	// pressedBy lets somebody else press.
	pressedBy(other *newcomer, label string)
	// says waits until this very message says all the texts.
	says(texts ...string) shown
	// link is the handoff's link on the message.
	link() string
	// opens presses and waits for the form that this opens.
	opens(label, title string) form
}

// form is an open form with one input.
type form interface {
	// refused sends the form and waits for a complaint.
	refused(input, value, complaint string) form
	send(input, value string)
}

// newcomer is somebody nobody has seen before, with an address to which two
// badges were issued: one is at Credly, one only in the body's system.
type newcomer struct {
	talker
	t         *testing.T
	s         *stage
	platform  core.Platform
	slackID   string
	discordID string
	email     string
}

// newcomer adds somebody to the world who uses the given platform.
func (s *stage) newcomer(t *testing.T, platform core.Platform) *newcomer {
	t.Helper()
	*s.people++
	n := *s.people
	p := &newcomer{
		t: t, s: s, platform: platform, slackID: fmt.Sprintf("U0NEW%05d", n),
		discordID: fmt.Sprintf("3000000000000%05d", n), email: fmt.Sprintf("newcomer%d@example.org", n),
	}
	name := fmt.Sprintf("Newcomer %d", n)
	s.slack.AddUser(slacksim.User{ID: p.slackID, Name: name, RealName: name, Locale: "en-US", TZ: "Europe/London", Email: p.email})
	s.slack.Join(generalChannel, p.slackID)
	s.discord.AddUser(discordsim.User{ID: p.discordID, Name: name, GlobalName: name, Locale: "en-GB"})
	s.credly.DropWebhooks(true)
	defer s.credly.DropWebhooks(false)
	if _, err := s.credly.Issue(credlysim.IssueRequest{
		RecipientEmail: p.email, FirstName: "New", LastName: name, TemplateID: templateAssociate,
		IssuedAt: s.clock.Now().AddDate(0, 0, -9).Format(time.RFC3339), Locale: "en",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.portal.Grant(t.Context(), portalsim.Award{
		Email: p.email, FirstName: "New", LastName: name, Locale: "en", TemplateID: templateManager,
		IssuedAt: s.clock.Now().AddDate(0, 0, -1), ExpiresAt: s.clock.Now().AddDate(5, 0, -1),
	}); err != nil {
		t.Fatal(err)
	}
	p.talker = p.at(platform, false)
	return p
}

// at is the person in the conversation with the bot, or in the team channel.
func (p *newcomer) at(platform core.Platform, team bool) talker {
	if platform == "slack" {
		who := slacktest.New(p.t, p.s.slack).Within(20 * time.Second).As(p.slackID)
		if team {
			who = who.In(generalChannel)
		}
		return slackTalker{p, who}
	}
	who := discordtest.New(p.t, p.s.discord).Within(20 * time.Second).As(p.discordID)
	if team {
		who = who.In(discordChannel)
	}
	return discordTalker{p, who}
}

// other is the platform that the person does not use.
func (p *newcomer) other() core.Platform {
	if p.platform == "slack" {
		return "discord"
	}
	return "slack"
}

// proves links the person's address in a conversation.
func (p *newcomer) proves(in talker) shown {
	p.t.Helper()
	n := len(p.s.mail.Messages(p.email))
	card := in.types("link", p.email, "Check your mail", p.email)
	card.opens("Enter code", "Enter the code").send("code", p.s.codeFor(p.email, n+1))
	card = card.says("Linked", "2 badges are waiting")
	p.s.rest()
	return card
}

// lists links the address and shows the list.
func (p *newcomer) lists() shown {
	p.t.Helper()
	p.proves(p)
	return p.types("list", "", "Your badges", "2 badges are waiting for you")
}

// claims goes as far as a link that is ready.
func (p *newcomer) claims() shown {
	p.t.Helper()
	list := p.lists()
	list.press("Claim")
	return list.says("Ready", p.email)
}

// twice lets two presses leave at the same moment; one of them may find that
// the button is gone.
func twice(t *testing.T, press func(context.Context) error) {
	t.Helper()
	var group sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		group.Go(func() { errs[i] = press(t.Context()) })
	}
	group.Wait()
	if errs[0] != nil && errs[1] != nil {
		t.Fatal(errs[0])
	}
}

type slackTalker struct {
	p   *newcomer
	who *slacktest.Person
}

func (c slackTalker) types(command, argument string, texts ...string) shown {
	c.p.t.Helper()
	c.who.Command("/badges", strings.TrimSpace(command+" "+argument))
	return slackShown{c, c.who.ExpectEphemeral(texts...)}
}

func (c slackTalker) sees(texts ...string) shown {
	c.p.t.Helper()
	return slackShown{c, c.who.ExpectEphemeral(texts...)}
}

func (c slackTalker) reads(texts ...string) shown {
	c.p.t.Helper()
	return slackShown{c, c.who.Expect(texts...)}
}

func (c slackTalker) isTold(texts ...string) shown {
	c.p.t.Helper()
	return slackShown{c, c.who.ExpectDM(texts...)}
}

type slackShown struct {
	c slackTalker
	m *slacktest.Shown
}

func (m slackShown) press(label string) { m.c.p.t.Helper(); m.m.Press(label) }

func (m slackShown) pressTwice(label string) {
	m.c.p.t.Helper()
	twice(m.c.p.t, func(ctx context.Context) error {
		_, err := m.c.p.s.slack.PressAs(ctx, m.c.p.slackID, m.m.Message, label)
		return err
	})
}

func (m slackShown) pressedBy(other *newcomer, label string) {
	m.c.p.t.Helper()
	m.m.PressedBy(other.slackID, label)
}

func (m slackShown) says(texts ...string) shown {
	m.c.p.t.Helper()
	return slackShown{m.c, m.m.ExpectEdit(texts...)}
}

func (m slackShown) link() string {
	m.c.p.t.Helper()
	return m.m.ExpectLink("Continue to")
}

func (m slackShown) opens(label, title string) form {
	m.c.p.t.Helper()
	m.m.Press(label)
	return slackForm{m.c, m.c.who.Modal(title)}
}

type slackForm struct {
	c slackTalker
	f *slacktest.Form
}

func (f slackForm) refused(input, value, complaint string) form {
	f.c.p.t.Helper()
	return slackForm{f.c, f.f.Fill(input, value).SubmitExpectingError(complaint)}
}

func (f slackForm) send(input, value string) { f.c.p.t.Helper(); f.f.Fill(input, value).Submit() }

type discordTalker struct {
	p   *newcomer
	who *discordtest.Person
}

func (c discordTalker) types(command, argument string, texts ...string) shown {
	c.p.t.Helper()
	options := map[string]any(nil)
	switch {
	case command == "link":
		options = map[string]any{"address": argument}
	case command == "verify" && argument != "":
		options = map[string]any{"link": argument}
	case command == "claim" && argument != "":
		choices, err := c.p.s.discord.Autocomplete(c.p.t.Context(), c.p.discordID, "", "badges", "claim", "badge", argument)
		if err != nil || len(choices) != 1 {
			c.p.t.Fatalf("completions: %v, %v", choices, err)
		}
		options = map[string]any{"badge": choices[0].Value}
	}
	return discordShown{c, c.who.Command("badges", command, options).ExpectFollowup(texts...)}
}

func (c discordTalker) sees(texts ...string) shown {
	c.p.t.Helper()
	return discordShown{c, c.who.Expect(texts...)}
}

func (c discordTalker) reads(texts ...string) shown { c.p.t.Helper(); return c.sees(texts...) }

func (c discordTalker) isTold(texts ...string) shown {
	c.p.t.Helper()
	return discordShown{c, c.who.ExpectDM(texts...)}
}

type discordShown struct {
	c discordTalker
	m *discordtest.Shown
}

func (m discordShown) press(label string) { m.c.p.t.Helper(); m.m.Press(label) }

func (m discordShown) pressTwice(label string) {
	m.c.p.t.Helper()
	twice(m.c.p.t, func(ctx context.Context) error {
		_, err := m.c.p.s.discord.Press(ctx, m.c.p.discordID, m.m.ID(), label)
		return err
	})
}

func (m discordShown) pressedBy(other *newcomer, label string) {
	m.c.p.t.Helper()
	m.m.PressedBy(other.discordID, label)
}

func (m discordShown) says(texts ...string) shown {
	m.c.p.t.Helper()
	return discordShown{m.c, m.m.ExpectEdit(texts...)}
}

func (m discordShown) link() string {
	m.c.p.t.Helper()
	return m.m.ExpectLink("Continue to")
}

func (m discordShown) opens(label, title string) form {
	m.c.p.t.Helper()
	return &discordForm{m, label, title, m.m.Press(label).Modal(title)}
}

// discordForm is sent once: Discord closes a form that was sent, and what is
// wrong comes as a message. To try again the button is pressed again.
type discordForm struct {
	on           discordShown
	label, title string
	f            *discordtest.Form
}

func (f *discordForm) refused(input, value, complaint string) form {
	f.on.c.p.t.Helper()
	f.f.Fill(input, value).Submit().ExpectEphemeral(complaint)
	return f.on.opens(f.label, f.title)
}

func (f *discordForm) send(input, value string) {
	f.on.c.p.t.Helper()
	f.f.Fill(input, value).Submit()
}
