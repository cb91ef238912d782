// Package discordtest is a small language for tests that act as people in the
// simulated Discord:
//
//	chat := discordtest.New(t, sim)
//	ada := chat.As(adaID)                       // in the direct channel
//	list := ada.Command("badges", "list", nil).ExpectEphemeral("1 badge")
//	list.Press("Claim").ExpectUpdate("2 minutes")
//	list.ExpectEdit("expired")                  // later, by the bot itself
//	ada.Command("badges", "link", nil).Modal("Link").
//		Fill("Address", "ada@example.org").Submit().ExpectEphemeral("sent")
//	ada.In(channelID).Command("badges", "help", nil).ExpectMessage("help")
//	ada.ExpectDM("accepted")
//
// Each expectation waits until it is true or a few seconds have passed, and
// then fails the test with what the person sees instead.
//
// A story is the same whichever way its interactions reach the bot. The way is
// chosen once, before it:
//
//	chat.OverHTTP(endpoint)  // signed requests to the bot's endpoint
//	chat.OverGateway()       // no endpoint: events to the bot's open sessions
package discordtest

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// DefaultPatience is how long expectations wait, in real time.
const DefaultPatience = 5 * time.Second

// Chat is the simulated Discord in one test.
type Chat struct {
	tb       testing.TB
	sim      *discordsim.Server
	patience time.Duration
}

// New returns a chat whose failed expectations end the test tb.
func New(tb testing.TB, sim *discordsim.Server) *Chat {
	tb.Helper()
	return &Chat{tb: tb, sim: sim, patience: DefaultPatience}
}

// WithPatience returns a chat whose expectations wait for d.
func (c *Chat) WithPatience(d time.Duration) *Chat {
	return &Chat{tb: c.tb, sim: c.sim, patience: d}
}

// OverHTTP makes interactions leave as signed requests to an endpoint, which
// has to pass Discord's check.
func (c *Chat) OverHTTP(endpoint string) *Chat {
	c.tb.Helper()
	ctx, cancel := c.context()
	defer cancel()
	if err := c.sim.SetInteractionsURL(ctx, endpoint); err != nil {
		c.tb.Fatal(err)
	}
	return c
}

// OverGateway makes interactions leave over the gateway, and waits until the
// bot has a connected session for every one of its shards.
func (c *Chat) OverGateway() *Chat {
	c.tb.Helper()
	ctx, cancel := c.context()
	defer cancel()
	if err := c.sim.SetInteractionsURL(ctx, ""); err != nil {
		c.tb.Fatal(err)
	}
	c.until(c.sim.Gateway().Ready, func() string {
		return fmt.Sprintf("the bot does not listen to all of its shards; sessions: %+v", c.sim.Gateway().Sessions())
	})
	return c
}

// As returns a person, in the direct channel with the bot.
func (c *Chat) As(userID string) *Person {
	c.tb.Helper()
	dm := c.sim.DM(userID)
	if dm == "" {
		c.tb.Fatalf("unknown person %q", userID)
	}
	return &Person{chat: c, id: userID, channel: dm, dm: dm}
}

func (c *Chat) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.tb.Context(), c.patience)
}

// until waits for ok; it fails the test with what describe says.
func (c *Chat) until(ok func() bool, describe func() string) {
	c.tb.Helper()
	ctx, cancel := c.context()
	defer cancel()
	if err := c.sim.Eventually(ctx, ok); err != nil {
		c.tb.Fatal(describe())
	}
}

// Person is somebody in a channel.
type Person struct {
	chat        *Chat
	id, channel string
	dm          string
}

// In returns the person in another channel.
func (p *Person) In(channelID string) *Person {
	return &Person{chat: p.chat, id: p.id, channel: channelID, dm: p.dm}
}

// Command runs a slash command; subcommand and options may be empty.
func (p *Person) Command(name, subcommand string, options map[string]any) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.context()
	defer cancel()
	res, err := p.chat.sim.Command(ctx, p.id, p.channel, name, subcommand, options)
	return p.reply("/"+name+" "+subcommand, res, err)
}

// Complete returns the names suggested while the person types into an option.
func (p *Person) Complete(command, subcommand, option, partial string) []string {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.context()
	defer cancel()
	choices, err := p.chat.sim.Autocomplete(ctx, p.id, p.channel, command, subcommand, option, partial)
	if err != nil {
		p.chat.tb.Fatalf("complete %s: %v", option, err)
	}
	var names []string
	for _, c := range choices {
		names = append(names, c.Name)
	}
	return names
}

// PressOn presses a button of any message, also one of somebody else.
func (p *Person) PressOn(messageID, customIDOrLabel string, values ...string) *Reply {
	p.chat.tb.Helper()
	ctx, cancel := p.chat.context()
	defer cancel()
	res, err := p.chat.sim.Press(ctx, p.id, messageID, customIDOrLabel, values...)
	return p.reply("press "+customIDOrLabel, res, err)
}

// ExpectDM waits for a direct message of the bot that holds all texts, and
// returns the newest such.
func (p *Person) ExpectDM(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.In(p.dm).Expect(texts...)
}

// Expect waits for a message in the person's channel that holds all texts,
// and returns the newest such.
func (p *Person) Expect(texts ...string) *Shown {
	p.chat.tb.Helper()
	var found discordsim.Message
	p.chat.until(func() bool {
		for _, m := range p.chat.sim.Messages(p.channel, p.id) {
			if holds(m, texts) {
				found = m
			}
		}
		return found.ID != ""
	}, func() string { return fmt.Sprintf("no message with %q; the person sees:\n%s", texts, p.sees()) })
	return &Shown{by: p, id: found.ID}
}

// ExpectNothing fails when the person sees a message that holds all texts now.
func (p *Person) ExpectNothing(texts ...string) {
	p.chat.tb.Helper()
	for _, m := range p.chat.sim.Messages(p.channel, p.id) {
		if holds(m, texts) {
			p.chat.tb.Fatalf("unexpected message with %q; the person sees:\n%s", texts, p.sees())
		}
	}
}

// Messages returns what the person sees in the channel, oldest first.
func (p *Person) Messages() []discordsim.Message {
	return p.chat.sim.Messages(p.channel, p.id)
}

func (p *Person) sees() string {
	var b strings.Builder
	for _, m := range p.Messages() {
		b.WriteString(describe(m))
	}
	return b.String()
}

func (p *Person) reply(what string, res *discordsim.Result, err error) *Reply {
	p.chat.tb.Helper()
	if err != nil {
		p.chat.tb.Fatalf("%s: %v", what, err)
	}
	return &Reply{Result: res, by: p, what: what}
}

// Reply is what came of an act.
type Reply struct {
	Result *discordsim.Result
	by     *Person
	what   string
}

func (r *Reply) good() {
	r.by.chat.tb.Helper()
	if r.Result.Failed {
		r.by.chat.tb.Fatalf("%s: %s (%s)", r.what, r.Result.Notice, r.Result.Reason)
	}
}

// ExpectFailed expects that the bot gave no good answer in time.
func (r *Reply) ExpectFailed() {
	r.by.chat.tb.Helper()
	if !r.Result.Failed {
		r.by.chat.tb.Fatalf("%s: answered by callback %d, expected a failure", r.what, r.Result.Callback)
	}
}

// ExpectEphemeral expects an answer that only the person sees, and waits
// until it holds all texts (after a deferral it comes by an edit).
func (r *Reply) ExpectEphemeral(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	s := r.message(texts)
	if !s.Now().Ephemeral {
		r.by.chat.tb.Fatalf("%s: the answer is seen by everybody:\n%s", r.what, describe(s.Now()))
	}
	return s
}

// ExpectMessage expects an answer that everybody in the channel sees.
func (r *Reply) ExpectMessage(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	s := r.message(texts)
	if s.Now().Ephemeral {
		r.by.chat.tb.Fatalf("%s: the answer is ephemeral:\n%s", r.what, describe(s.Now()))
	}
	return s
}

// ExpectUpdate expects that the bot changed the pressed message instead of
// sending another, and waits until it holds all texts.
func (r *Reply) ExpectUpdate(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	r.good()
	if c := r.Result.Callback; c != discordsim.CallbackUpdate && c != discordsim.CallbackDeferUpdate {
		r.by.chat.tb.Fatalf("%s: answered by callback %d, expected an update", r.what, c)
	}
	return r.message(texts)
}

// ExpectFollowup waits for any message in the channel that holds all texts:
// a follow-up, or one sent besides.
func (r *Reply) ExpectFollowup(texts ...string) *Shown {
	r.by.chat.tb.Helper()
	r.good()
	return r.by.Expect(texts...)
}

func (r *Reply) message(texts []string) *Shown {
	r.by.chat.tb.Helper()
	r.good()
	if r.Result.MessageID == "" {
		r.by.chat.tb.Fatalf("%s: answered by callback %d without a message", r.what, r.Result.Callback)
	}
	return (&Shown{by: r.by, id: r.Result.MessageID}).ExpectEdit(texts...)
}

// ExpectLink expects that a link button was pressed and returns its address.
func (r *Reply) ExpectLink() string {
	r.by.chat.tb.Helper()
	if r.Result.Link == "" {
		r.by.chat.tb.Fatalf("%s: no link", r.what)
	}
	return r.Result.Link
}

// Modal expects a form with this in its title.
func (r *Reply) Modal(title string) *Form {
	r.by.chat.tb.Helper()
	r.good()
	m := r.Result.Modal
	if m == nil {
		r.by.chat.tb.Fatalf("%s: answered by callback %d, expected a form", r.what, r.Result.Callback)
	}
	if !strings.Contains(m.Title, title) {
		r.by.chat.tb.Fatalf("%s: the form is titled %q, expected %q", r.what, m.Title, title)
	}
	return &Form{Modal: m, by: r.by, values: map[string]any{}}
}

// Form is an open modal being filled.
type Form struct {
	Modal  *discordsim.Modal
	by     *Person
	values map[string]any
}

// Fill gives an input, named by label or custom id, a value. See
// discordsim.Server.Submit for its types.
func (f *Form) Fill(name string, value any) *Form {
	values := maps.Clone(f.values)
	values[name] = value
	return &Form{Modal: f.Modal, by: f.by, values: values}
}

// Submit sends the form.
func (f *Form) Submit() *Reply {
	f.by.chat.tb.Helper()
	ctx, cancel := f.by.chat.context()
	defer cancel()
	res, err := f.by.chat.sim.Submit(ctx, f.by.id, f.Modal, f.values)
	return f.by.reply("submit "+f.Modal.Title, res, err)
}

// Shown is a message that a person has before them.
type Shown struct {
	by *Person
	id string
}

// ID returns the message's id.
func (s *Shown) ID() string { return s.id }

// Now returns the message as it is now; a deleted one ends the test.
func (s *Shown) Now() discordsim.Message {
	s.by.chat.tb.Helper()
	m, ok := s.by.chat.sim.Message(s.id)
	if !ok {
		s.by.chat.tb.Fatal("the message was deleted")
	}
	return m
}

// Press presses a button of the message as the person who sees it.
func (s *Shown) Press(customIDOrLabel string, values ...string) *Reply {
	s.by.chat.tb.Helper()
	return s.by.PressOn(s.id, customIDOrLabel, values...)
}

// ExpectEdit waits until the message holds all texts.
func (s *Shown) ExpectEdit(texts ...string) *Shown {
	s.by.chat.tb.Helper()
	s.by.chat.until(func() bool {
		m, ok := s.by.chat.sim.Message(s.id)
		return ok && !m.Thinking && holds(m, texts)
	}, func() string {
		m, _ := s.by.chat.sim.Message(s.id)
		return fmt.Sprintf("message without %q:\n%s", texts, describe(m))
	})
	return s
}

// ExpectNoButton waits until the message has no enabled button of this label
// or custom id.
func (s *Shown) ExpectNoButton(customIDOrLabel string) *Shown {
	s.by.chat.tb.Helper()
	s.by.chat.until(func() bool {
		m, _ := s.by.chat.sim.Message(s.id)
		b, ok := m.Button(customIDOrLabel)
		return !ok || b.Disabled
	}, func() string { return fmt.Sprintf("button %q still there:\n%s", customIDOrLabel, describe(s.Now())) })
	return s
}

// ExpectDeleted waits until the message is gone.
func (s *Shown) ExpectDeleted() {
	s.by.chat.tb.Helper()
	s.by.chat.until(func() bool {
		_, ok := s.by.chat.sim.Message(s.id)
		return !ok
	}, func() string { return "message still there:\n" + describe(s.Now()) })
}

// holds reports whether a message shows all texts, buttons' labels included.
func holds(m discordsim.Message, texts []string) bool {
	all := describe(m)
	for _, t := range texts {
		if !strings.Contains(all, t) {
			return false
		}
	}
	return true
}

func describe(m discordsim.Message) string {
	var b strings.Builder
	b.WriteString(m.Text())
	for _, c := range m.Buttons() {
		b.WriteString("\n[" + c.Label + "]")
		if c.URL != "" {
			b.WriteString("(" + c.URL + ")")
		}
	}
	return b.String() + "\n"
}
