package slacktest

import (
	"context"
	"fmt"
	"strings"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// malformed are the errors that no app gets which is right about Slack's
// formats and limits. https://docs.slack.dev/reference/methods/chat.postMessage/
var malformed = []string{
	"invalid_blocks", "invalid_blocks_format", "invalid_attachments", "invalid_arguments", "invalid_form_data",
	"invalid_json", "invalid_payload", "invalid_metadata_format", "msg_too_long", "no_text", "view_too_large",
}

// leftovers lists what no expectation met, once the bot has settled.
func (c *Chat) leftovers(ctx context.Context) []string {
	return c.waits.Leftovers(ctx, c.ledger.Settle(), c.look)
}

// look compares what is there with what was met.
func (c *Chat) look() []string {
	messages, views := everything(c.sim)
	var out []string
	for _, m := range messages {
		met, known := c.ledger.Message(m.Ref())
		now := draw(m)
		switch {
		case m.Via == "user" || m.Deleted && !known || known && met == now:
		case m.Deleted:
			out = append(out, "a message was deleted, which nobody expected:\n"+met)
		case known:
			out = append(out, fmt.Sprintf("a message was edited, which nobody expected:\n%sit was:\n%s", now, met))
		default:
			out = append(out, "a message that nobody expected:\n"+now)
		}
	}
	for _, v := range views {
		if !c.ledger.HasForm(v.ID) {
			out = append(out, "a form that nobody expected:\n"+drawView(v))
		}
	}
	for _, r := range c.ledger.Refused(c.sim.Answers("*").Errors, malformed) {
		out = append(out, fmt.Sprintf("%d requests of the app were refused with %s:\n%s", r.N, r.Code, c.refusalsOf(r.Code)))
	}
	return out
}

// refusalsOf shows the requests that were refused with a code.
func (c *Chat) refusalsOf(code string) string {
	var b strings.Builder
	for _, e := range c.sim.Log() {
		if e.Direction == slacksim.DirectionIn && strings.Contains(e.Response, `"`+code+`"`) {
			fmt.Fprintf(&b, "  %s %s\n  answered %s\n", e.Path, e.Request, e.Response)
		}
	}
	return b.String()
}

// acceptAll takes what is there as met.
func (l *ledger) acceptAll(sim *slacksim.Server) {
	messages, views := everything(sim)
	for _, m := range messages {
		l.met(m)
	}
	for _, v := range views {
		l.metView(v)
	}
	l.MeetRefusals(sim.Answers("*").Errors)
}

// everything is all that anybody sees.
func everything(sim *slacksim.Server) (messages []slacksim.Message, views []slacksim.View) {
	channels := map[string]bool{}
	people := []string{sim.Config().BotUserID}
	for _, u := range sim.Users() {
		people = append(people, u.ID)
	}
	for _, id := range people {
		for _, ch := range sim.Channels(id) {
			if !channels[ch.ID] {
				channels[ch.ID] = true
				messages = append(messages, sim.Messages(ch.ID, "")...)
			}
		}
		views = append(views, sim.Views(id)...)
	}
	return messages, views
}
