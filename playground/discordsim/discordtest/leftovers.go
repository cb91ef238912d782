package discordtest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// malformed are the errors that no bot gets which is right about Discord's
// formats and limits: an empty message, an invalid body, and no JSON.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
var malformed = []int{50006, 50035, 50109}

// leftovers lists what no expectation met, once the bot has settled.
func (c *Chat) leftovers(ctx context.Context) []string {
	return c.waits.Leftovers(ctx, c.ledger.Settle(), c.look)
}

// look compares what is there with what was met.
func (c *Chat) look() []string {
	l := c.ledger
	messages, forms := l.everything(c.sim)
	var out []string
	for _, m := range messages {
		met, known := l.Message(m.ID)
		now := draw(m)
		switch {
		case known && met == now:
		case m.Thinking:
			out = append(out, "the bot is thinking and has not answered:\n"+now)
		case known:
			out = append(out, fmt.Sprintf("a message was edited, which nobody expected:\n%sit was:\n%s", now, met))
		default:
			out = append(out, "a message that nobody expected:\n"+now)
		}
	}
	met := l.Messages()
	l.mu.Lock()
	gone, violations := maps.Clone(l.gone), l.violations
	l.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(met)) {
		if _, there := c.sim.Message(id); !there && !gone[id] {
			out = append(out, "a message was deleted, which nobody expected:\n"+met[id])
		}
	}
	for _, f := range forms {
		if !l.HasForm(f.ID) {
			out = append(out, "a form that nobody expected:\n"+drawForm(f))
		}
	}
	for _, r := range c.ledger.Refused(c.sim.Traffic().ByCode, malformed) {
		out = append(out, fmt.Sprintf("%d requests of the bot were refused with %d:\n%s", r.N, r.Code, c.refusalsOf(r.Code)))
	}
	for i, v := range c.sim.Violations() {
		if i >= violations {
			out = append(out, "the simulator answered against Discord's description: "+v)
		}
	}
	return out
}

// refusalsOf shows the requests that were refused with a code.
func (c *Chat) refusalsOf(code int) string {
	var b strings.Builder
	for _, e := range c.sim.Log() {
		if e.Direction == discordsim.FromBot && strings.Contains(e.Response, fmt.Sprintf(`"code":%d`, code)) {
			fmt.Fprintf(&b, "  %s %s %s\n  answered %s\n", e.Method, e.Path, e.Request, e.Response)
		}
	}
	return b.String()
}

// acceptAll takes what is there as met.
func (l *ledger) acceptAll(sim *discordsim.Server) {
	messages, forms := l.everything(sim)
	for _, m := range messages {
		l.met(m)
	}
	for _, f := range forms {
		l.metForm(f)
	}
	l.MeetRefusals(sim.Traffic().ByCode)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.violations = len(sim.Violations())
}

// everything is all that anybody sees. The state of one person, whom a test
// has named, tells who else there is.
func (l *ledger) everything(sim *discordsim.Server) (messages []discordsim.Message, forms []*discordsim.Modal) {
	l.mu.Lock()
	people := slices.Clone(l.people)
	l.mu.Unlock()
	seen := map[string]bool{}
	for i := 0; i < len(people); i++ {
		state := stateOf(sim, people[i])
		for _, u := range state.Users {
			if !slices.Contains(people, u.ID) {
				people = append(people, u.ID)
			}
		}
		for _, ch := range state.Channels {
			for _, m := range ch.Messages {
				if !seen[m.ID] {
					seen[m.ID] = true
					messages = append(messages, m)
				}
			}
		}
		forms = append(forms, sim.Modals(people[i])...)
	}
	return messages, forms
}

// stateOf is what a person sees; nothing when the person is unknown.
func stateOf(sim *discordsim.Server, userID string) discordsim.ConsoleState {
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/state?user="+url.QueryEscape(userID), http.NoBody)
	sim.ConsoleHandler().ServeHTTP(rec, req)
	var out discordsim.ConsoleState
	if json.Unmarshal(rec.Body.Bytes(), &out) != nil {
		return discordsim.ConsoleState{}
	}
	return out
}
