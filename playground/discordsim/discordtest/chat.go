package discordtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// DefaultPatience is how long an expectation waits, in real time.
const DefaultPatience = 10 * time.Second

// Chat is a simulated Discord in one test.
type Chat struct {
	tb       testing.TB
	sim      *discordsim.Server
	patience time.Duration
	ledger   *ledger
}

// Start starts a Discord on a free port of 127.0.0.1. It is closed when the
// test ends, which fails for leftovers.
func Start(tb testing.TB, cfg discordsim.Config) *Chat {
	tb.Helper()
	sim, err := discordsim.Start(cfg)
	if err != nil {
		tb.Fatalf("start Discord: %v", err)
	}
	tb.Cleanup(func() {
		if err := sim.Close(); err != nil {
			tb.Errorf("close Discord: %v", err)
		}
	})
	return New(tb, sim).Strict()
}

// New returns a chat in a Discord that somebody else started and closes.
// Leftovers do not matter until Strict.
func New(tb testing.TB, sim *discordsim.Server) *Chat {
	tb.Helper()
	return &Chat{tb: tb, sim: sim, patience: DefaultPatience, ledger: newLedger()}
}

// Sim is the simulation, for what the language has no word for: its clock, its
// faults, its gateway, its wire log.
func (c *Chat) Sim() *discordsim.Server { return c.sim }

// Within returns the same chat with expectations that wait at most d. How long
// an act may take, the simulation knows by itself.
func (c *Chat) Within(d time.Duration) *Chat {
	out := *c
	out.patience = d
	return &out
}

// Strict lets the test fail at its end for leftovers. What is there already
// is none.
func (c *Chat) Strict() *Chat {
	c.tb.Helper()
	c.ledger.acceptAll(c.sim)
	c.tb.Cleanup(func() {
		if c.tb.Failed() {
			return // What is left over is a consequence.
		}
		for _, leftover := range c.leftovers(context.Background()) {
			c.tb.Errorf("left over: %s", leftover)
		}
	})
	return c
}

// Settle gives the chat a way to wait until the bot has nothing left to do,
// which is better than to watch for a while whether anything comes.
func (c *Chat) Settle(settle func(context.Context) error) *Chat {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	c.ledger.settle = settle
	return c
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
	c.wait("the bot to listen to all of its shards", func() string {
		return fmt.Sprintf("  sessions: %+v", c.sim.Gateway().Sessions())
	}, c.sim.Gateway().Ready)
	return c
}

// Registered waits until the bot has registered these commands.
func (c *Chat) Registered(names ...string) *Chat {
	c.tb.Helper()
	c.wait(fmt.Sprintf("the commands %q", names), func() string { return fmt.Sprintf("  commands: %+v", c.sim.Commands()) }, func() bool {
		all := c.sim.Commands()
		for _, name := range names {
			if !slices.ContainsFunc(all, func(cmd discordsim.Command) bool { return cmd.Name == name }) {
				return false
			}
		}
		return true
	})
	return c
}

// Person adds somebody of this name, in the direct channel with the bot.
func (c *Chat) Person(name string) *Person {
	c.tb.Helper()
	return c.As(c.sim.AddUser(discordsim.User{Name: name}))
}

// As acts as somebody who is there already, in the direct channel with the bot
// until In is called.
func (c *Chat) As(userID string) *Person {
	c.tb.Helper()
	dm := c.sim.DM(userID)
	if dm == "" {
		c.tb.Fatalf("unknown person %q", userID)
	}
	c.ledger.knows(userID)
	return &Person{chat: c, id: userID, channel: dm, dm: dm}
}

// Channel adds a text channel of one guild, in which the bot is installed, and
// returns its id. People need not be given: everybody is in the guild.
func (c *Chat) Channel(name string, _ ...*Person) string {
	c.tb.Helper()
	id, err := c.sim.AddChannel(discordsim.Channel{GuildID: c.guild(), Name: name})
	if err != nil {
		c.tb.Fatal(err)
	}
	return id
}

// guild is the one guild of the channels made here.
func (c *Chat) guild() string {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	if c.ledger.guild == "" {
		c.ledger.guild = c.sim.AddGuild(discordsim.Guild{Name: "test"})
	}
	return c.ledger.guild
}

// ExpectNothingMore fails the test when anything is there, or comes while the
// bot settles, that no expectation has met.
func (c *Chat) ExpectNothingMore() {
	c.tb.Helper()
	ctx, cancel := c.context()
	defer cancel()
	if left := c.leftovers(ctx); len(left) > 0 {
		c.tb.Fatalf("expected nothing more; there is:\n%s", lines(left))
	}
}

// ExpectRefusal waits until one more request of the bot was refused with this
// JSON error code, such as 50035, which is then no leftover.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
func (c *Chat) ExpectRefusal(code int) {
	c.tb.Helper()
	want := c.ledger.refusal(code)
	c.wait(fmt.Sprintf("a request refused with %d", code), func() string {
		return fmt.Sprintf("  refusals by code: %v", c.sim.Traffic().ByCode)
	}, func() bool { return c.sim.Traffic().ByCode[code] >= want })
}

func (c *Chat) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.tb.Context(), c.patience)
}

// acting bounds an act.
func (c *Chat) acting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.tb.Context(), max(c.patience, DefaultPatience))
}

// wait fails the test with what is there when ok does not come true.
func (c *Chat) wait(what string, seen func() string, ok func() bool) {
	c.tb.Helper()
	ctx, cancel := c.context()
	defer cancel()
	if err := c.sim.Eventually(ctx, ok); err != nil {
		c.tb.Fatalf("expected %s; there is:\n%s", what, seen())
	}
}

// ledger is what the expectations of a test have met.
type ledger struct {
	mu       sync.Mutex
	guild    string
	people   []string
	messages map[string]string // by id, as it looked when it was met.
	gone     map[string]bool   // those whose deletion was expected.
	forms    map[string]bool
	refused  map[int]int
	// violations were there before.
	violations int
	settle     func(context.Context) error
}

func newLedger() *ledger {
	return &ledger{messages: map[string]string{}, gone: map[string]bool{}, forms: map[string]bool{}, refused: map[int]int{}}
}

func (l *ledger) refusal(code int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[code]++
	return l.refused[code]
}

func (l *ledger) knows(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.people, userID) {
		l.people = append(l.people, userID)
	}
}

func (l *ledger) met(m discordsim.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages[m.ID] = draw(m)
}

func (l *ledger) metGone(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone[id] = true
}

func (l *ledger) metForm(m *discordsim.Modal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forms[m.ID] = true
}
