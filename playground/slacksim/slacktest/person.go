package slacktest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// Person is somebody in one channel.
type Person struct {
	chat    *Chat
	user    string
	channel string
	failing bool
}

// ID is the person's user id.
func (p *Person) ID() string { return p.user }

// Channel is the id of the channel that the person is in.
func (p *Person) Channel() string { return p.channel }

// In goes on in another channel.
func (p *Person) In(channelID string) *Person {
	out := *p
	out.channel = channelID
	return &out
}

// Failing returns the person for one act that the app is to answer badly or
// not at all; the act fails the test when it is answered well.
func (p *Person) Failing() *Person {
	out := *p
	out.failing = true
	return &out
}

// calm is the person after an act.
func (p *Person) calm() *Person {
	out := *p
	out.failing = false
	return &out
}

// Command types a slash command, such as "/badges" with the text "help".
func (p *Person) Command(command, text string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.Command(ctx, p.user, p.channel, command, text)
	return p.did(strings.TrimSpace(command+" "+text), nil, res, err)
}

// Shortcut chooses the app's global shortcut of this callback id.
func (p *Person) Shortcut(callbackID string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.Shortcut(ctx, p.user, callbackID)
	return p.did("shortcut "+callbackID, nil, res, err)
}

// Say writes a message. In the conversation with the bot the app is told.
func (p *Person) Say(text string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.Say(ctx, p.user, p.channel, text)
	if err == nil && res == nil {
		return &Reply{Result: &slacksim.Result{}, by: p.calm(), what: "say"}
	}
	return p.did("say "+text, nil, res, err)
}

// OpenHome opens the app's home tab and waits until the app has published it.
func (p *Person) OpenHome() *Home {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.OpenHome(ctx, p.user, "home")
	p.did("open the home tab", nil, res, err)
	return p.Home()
}

// Home waits until the app has published the person's home tab.
func (p *Person) Home() *Home {
	p.chat.tb.Helper()
	return (&Home{p: p.calm()}).Expect()
}

// Join makes the person a member of the channel and tells the app, where it is
// a member and takes events.
// https://docs.slack.dev/reference/events/member_joined_channel/
func (p *Person) Join(channelID string) *Person {
	p.chat.tb.Helper()
	p.chat.sim.Join(channelID, p.user)
	p.membership("member_joined_channel", channelID)
	return p.In(channelID)
}

// Leave ends the person's membership and tells the app in the same way.
// https://docs.slack.dev/reference/events/member_left_channel/
func (p *Person) Leave(channelID string) {
	p.chat.tb.Helper()
	p.chat.sim.Leave(channelID, p.user)
	p.membership("member_left_channel", channelID)
}

func (p *Person) membership(event, channelID string) {
	p.chat.tb.Helper()
	cfg := p.chat.sim.Config()
	told := false
	for _, ch := range p.chat.sim.Channels(cfg.BotUserID) {
		told = told || ch.ID == channelID
	}
	if !told {
		return
	}
	ctx, cancel := p.chat.waits.Acting()
	defer cancel()
	res, err := p.chat.sim.Event(ctx, map[string]any{
		"type": event, "user": p.user, "channel": channelID, "channel_type": "C", "team": cfg.TeamID,
	})
	if errors.Is(err, slacksim.ErrNoURL) {
		return // The app takes no events.
	}
	p.did(event, nil, res, err)
}

// did judges what came of an act.
func (p *Person) did(what string, on *Shown, res *slacksim.Result, err error) *Reply {
	p.chat.tb.Helper()
	if err != nil {
		p.chat.tb.Fatalf("%s as %s: %v; there is:\n%s", what, p.user, err, p.screen(p.channel))
	}
	switch {
	case p.failing && res.OK():
		p.chat.tb.Fatalf("%s as %s: expected a failure, the app answered %d %s", what, p.user, res.Status, res.Body)
	case !p.failing && !res.OK():
		p.chat.tb.Fatalf("%s as %s: %s", what, p.user, trouble(res))
	}
	return &Reply{Result: res, by: p.calm(), on: on, what: what}
}

// trouble says why a result is not good.
func trouble(res *slacksim.Result) string {
	parts := []string{fmt.Sprintf("the app answered status %d", res.Status)}
	if res.TimedOut {
		parts[0] = "the app did not answer in time"
	}
	if res.UserError != "" {
		parts = append(parts, "the person sees the error "+res.UserError)
	}
	for _, problem := range res.Problems {
		parts = append(parts, "Slack would not take: "+problem)
	}
	for block, complaint := range res.FieldErrors {
		parts = append(parts, fmt.Sprintf("at %s: %s", block, complaint))
	}
	if res.Err != nil && !errors.Is(res.Err, context.DeadlineExceeded) {
		parts = append(parts, res.Err.Error())
	}
	return strings.Join(parts, "; ")
}

// ExpectEphemeral waits for a message that only this person sees, in the
// channel, saying all the texts. Of several the newest counts.
func (p *Person) ExpectEphemeral(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect(p.channel, "an ephemeral message", texts, func(m slacksim.Message) bool { return m.Ephemeral })
}

// ExpectMessage waits for a lasting message in the channel saying all texts.
func (p *Person) ExpectMessage(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect(p.channel, "a message", texts, func(m slacksim.Message) bool { return !m.Ephemeral })
}

// Expect waits for a message of either kind in the channel saying all texts.
func (p *Person) Expect(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect(p.channel, "a message", texts, func(slacksim.Message) bool { return true })
}

// ExpectDM waits for a lasting message in the conversation with the bot.
func (p *Person) ExpectDM(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect(p.chat.sim.DM(p.user), "a direct message", texts, func(m slacksim.Message) bool { return !m.Ephemeral })
}

// ExpectNothing fails the test when the person sees a message in the channel
// that says all texts, now. To be sure of what may come yet, expect something
// that comes later, or see Chat.ExpectNothingMore.
func (p *Person) ExpectNothing(texts ...string) {
	p.chat.tb.Helper()
	for _, m := range p.chat.sim.Messages(p.channel, p.user) {
		if !m.Deleted && chattest.Says(draw(m), texts) {
			p.chat.tb.Fatalf("expected no message saying %q; there is:\n%s", texts, p.screen(p.channel))
		}
	}
}

// Messages returns what the person sees in the channel, oldest first.
func (p *Person) Messages() []slacksim.Message {
	return p.chat.sim.Messages(p.channel, p.user)
}

func (p *Person) expect(channel, what string, texts []string, fits func(slacksim.Message) bool) *Shown {
	p.chat.tb.Helper()
	var found *slacksim.Message
	p.chat.waits.Until(fmt.Sprintf("%s for %s saying %q", what, p.user, texts), func() string { return p.screen(channel) }, func() bool {
		for _, m := range p.chat.sim.Messages(channel, p.user) {
			if !m.Deleted && fits(m) && chattest.Says(draw(m), texts) {
				found = &m
			}
		}
		return found != nil
	})
	p.chat.ledger.met(*found)
	return &Shown{Message: *found, p: p.calm()}
}

// screen draws what the person sees, for a failed test.
func (p *Person) screen(channel string) string {
	var b strings.Builder
	for _, m := range p.chat.sim.Messages(channel, p.user) {
		fmt.Fprintf(&b, "%s, edited %d times:\n%s", m.User, m.Revision, draw(m))
	}
	for _, v := range p.chat.sim.Views(p.user) {
		fmt.Fprintf(&b, "open form:\n%s", drawView(v))
		for block, complaint := range v.Errors {
			fmt.Fprintf(&b, "  (at %s: %s)\n", block, complaint)
		}
	}
	if b.Len() == 0 {
		return "  nothing"
	}
	return b.String()
}
