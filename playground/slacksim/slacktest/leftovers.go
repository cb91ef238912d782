package slacktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// quiet is how long nothing may happen before a chat believes that nothing
// more will, when the app cannot say so itself.
const quiet = 50 * time.Millisecond

// malformed are the errors that no app gets which is right about Slack's
// formats and limits. https://docs.slack.dev/reference/methods/chat.postMessage/
var malformed = []string{
	"invalid_blocks", "invalid_blocks_format", "invalid_attachments", "invalid_arguments", "invalid_form_data",
	"invalid_json", "invalid_payload", "invalid_metadata_format", "msg_too_long", "no_text", "view_too_large",
}

// leftovers waits until the app has settled and lists what no expectation met.
// The error of a settling that does not end is a leftover, too.
func (c *Chat) leftovers(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	c.ledger.mu.Lock()
	settle := c.ledger.settle
	c.ledger.mu.Unlock()
	if settle != nil {
		if err := settle(ctx); err != nil {
			return append(c.look(), fmt.Sprintf("the app does not settle: %v", err))
		}
		return c.look()
	}
	for {
		changed := c.sim.Changed()
		left := c.look()
		if len(left) > 0 {
			return left
		}
		timer := time.NewTimer(quiet)
		select {
		case <-changed:
			timer.Stop()
		case <-timer.C:
			return nil
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// look compares what is there with what was met.
func (c *Chat) look() []string {
	messages, views := everything(c.sim)
	l := c.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, m := range messages {
		met, known := l.messages[m.Ref()]
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
		if !l.views[v.ID] {
			out = append(out, "a form that nobody expected:\n"+drawView(v))
		}
	}
	refused := c.sim.Answers("*").Errors
	for _, code := range slices.Sorted(maps.Keys(refused)) {
		if n := refused[code] - l.refused[code]; n > 0 && slices.Contains(malformed, code) {
			out = append(out, fmt.Sprintf("%d requests of the app were refused with %s:\n%s", n, code, c.refusalsOf(code)))
		}
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
	refused := sim.Answers("*").Errors
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.refused, refused)
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

func lines(list []string) string { return strings.Join(list, "\n") }
