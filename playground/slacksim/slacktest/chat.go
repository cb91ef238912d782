package slacktest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// DefaultPatience is how long an expectation waits, in real time.
const DefaultPatience = chattest.DefaultPatience

// Chat is a simulated workspace in one test.
type Chat struct {
	tb     testing.TB
	sim    *slacksim.Server
	waits  chattest.Waiter
	ledger *ledger
}

// Start starts a workspace on a free port of 127.0.0.1. It is closed when the
// test ends, which fails for leftovers.
func Start(tb testing.TB, cfg slacksim.Config) *Chat {
	tb.Helper()
	sim, err := slacksim.Start(cfg)
	if err != nil {
		tb.Fatalf("start the workspace: %v", err)
	}
	tb.Cleanup(func() {
		if err := sim.Close(); err != nil {
			tb.Errorf("close the workspace: %v", err)
		}
	})
	return New(tb, sim).Strict()
}

// New returns a chat in a workspace that somebody else started and closes.
// Leftovers do not matter until Strict.
func New(tb testing.TB, sim *slacksim.Server) *Chat {
	tb.Helper()
	return &Chat{tb: tb, sim: sim, waits: chattest.Waiter{TB: tb, Sim: sim, Patience: DefaultPatience}, ledger: newLedger()}
}

// Sim is the workspace, for what the language has no word for: its clock, its
// faults, its wire log.
func (c *Chat) Sim() *slacksim.Server { return c.sim }

// Within returns the same chat with expectations that wait at most d. How long
// an act may take, the simulation knows by itself.
func (c *Chat) Within(d time.Duration) *Chat {
	out := *c
	out.waits.Patience = d
	return &out
}

// Strict lets the test fail at its end for leftovers. What is there already
// is none.
func (c *Chat) Strict() *Chat {
	c.tb.Helper()
	c.ledger.acceptAll(c.sim)
	c.waits.FailForLeftovers(c.leftovers)
	return c
}

// Settle gives the chat a way to wait until the app has nothing left to do,
// which is better than to watch for a while whether anything comes.
func (c *Chat) Settle(settle func(context.Context) error) *Chat {
	c.ledger.SettleBy(settle)
	return c
}

// OverHTTP says where the app takes commands, presses and forms, and events;
// each may be empty. Slack keeps all three settings apart, an app may use one
// address for all.
func (c *Chat) OverHTTP(commands, interactions, events string) *Chat {
	c.sim.UseSocketMode(false)
	c.sim.SetCommandsURL(commands)
	c.sim.SetInteractionsURL(interactions)
	c.sim.SetEventsURL(events)
	return c
}

// Connected waits until the app has at least n Socket Mode connections that
// take payloads.
func (c *Chat) Connected(n int) *Chat {
	c.tb.Helper()
	ctx, cancel := c.waits.Expecting()
	defer cancel()
	if err := c.sim.WaitConnections(ctx, n); err != nil {
		c.tb.Fatalf("expected %d connections; there are %+v", n, c.sim.Connections())
	}
	return c
}

// Person adds somebody of this name to the workspace, in their conversation
// with the bot.
func (c *Chat) Person(name string) *Person {
	c.tb.Helper()
	id := c.ledger.next("U0PERSON", func(id string) bool {
		return slices.ContainsFunc(c.sim.Users(), func(u slacksim.User) bool { return u.ID == id })
	})
	c.sim.AddUser(slacksim.User{ID: id, Name: name, Email: name + "@example.org"})
	return c.As(id)
}

// As acts as somebody who is there already, in their conversation with the bot
// until In is called.
func (c *Chat) As(userID string) *Person {
	return &Person{chat: c, user: userID, channel: c.sim.DM(userID)}
}

// Channel adds a public channel with the bot and these people and returns its
// id.
func (c *Chat) Channel(name string, people ...*Person) string {
	id := c.ledger.next("C0CHANNEL", func(id string) bool {
		all := c.sim.Channels(c.sim.Config().BotUserID)
		return slices.ContainsFunc(all, func(ch slacksim.ChannelInfo) bool { return ch.ID == id })
	})
	members := []string{c.sim.Config().BotUserID}
	for _, p := range people {
		members = append(members, p.user)
	}
	c.sim.AddChannel(id, name, members...)
	return id
}

// ExpectNothingMore fails the test when anything is there, or comes while the
// app settles, that no expectation has met.
func (c *Chat) ExpectNothingMore() {
	c.tb.Helper()
	c.waits.ExpectNothingMore(c.leftovers)
}

// ExpectRefusal waits until one more request of the app was refused with this
// error code, such as invalid_blocks, which is then no leftover.
func (c *Chat) ExpectRefusal(code string) {
	c.tb.Helper()
	want := c.ledger.MeetRefusal(code)
	c.waits.Until(fmt.Sprintf("a request refused with %s", code), func() string {
		return fmt.Sprintf("refusals: %v", c.sim.Answers("*").Errors)
	}, func() bool { return c.sim.Answers("*").Errors[code] >= want })
}

// ledger is what the expectations of a test have met, and how many people and
// channels it has made.
type ledger struct {
	*chattest.Ledger[slacksim.MessageRef, string]

	mu   sync.Mutex
	made int
}

func newLedger() *ledger {
	return &ledger{Ledger: chattest.NewLedger[slacksim.MessageRef, string]()}
}

// next makes an id that is not taken.
func (l *ledger) next(prefix string, taken func(string) bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		l.made++
		if id := fmt.Sprintf("%s%03d", prefix, l.made); !taken(id) {
			return id
		}
	}
}

func (l *ledger) met(m slacksim.Message) { l.MeetMessage(m.Ref(), draw(m)) }

func (l *ledger) metView(v slacksim.View) { l.MeetForm(v.ID) }
