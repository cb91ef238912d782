package discordtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/chattest"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// DefaultPatience is how long an expectation waits, in real time.
const DefaultPatience = chattest.DefaultPatience

// Chat is a simulated Discord in one test.
type Chat struct {
	tb     testing.TB
	sim    *discordsim.Server
	waits  chattest.Waiter
	ledger *ledger
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
	return &Chat{tb: tb, sim: sim, waits: chattest.Waiter{TB: tb, Sim: sim, Patience: DefaultPatience}, ledger: newLedger()}
}

// Sim is the simulation, for what the language has no word for: its clock, its
// faults, its gateway, its wire log.
func (c *Chat) Sim() *discordsim.Server { return c.sim }

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

// Settle gives the chat a way to wait until the bot has nothing left to do,
// which is better than to watch for a while whether anything comes.
func (c *Chat) Settle(settle func(context.Context) error) *Chat {
	c.ledger.SettleBy(settle)
	return c
}

// OverHTTP makes interactions leave as signed requests to an endpoint, which
// has to pass Discord's check.
func (c *Chat) OverHTTP(endpoint string) *Chat {
	c.tb.Helper()
	ctx, cancel := c.waits.Expecting()
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
	ctx, cancel := c.waits.Expecting()
	defer cancel()
	if err := c.sim.SetInteractionsURL(ctx, ""); err != nil {
		c.tb.Fatal(err)
	}
	c.waits.Until("the bot to listen to all of its shards", func() string {
		return fmt.Sprintf("  sessions: %+v", c.sim.Gateway().Sessions())
	}, c.sim.Gateway().Ready)
	return c
}

// Registered waits until the bot has registered these commands.
func (c *Chat) Registered(names ...string) *Chat {
	c.tb.Helper()
	c.waits.Until(fmt.Sprintf("the commands %q", names), func() string { return fmt.Sprintf("  commands: %+v", c.sim.Commands()) }, func() bool {
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
	c.waits.ExpectNothingMore(c.leftovers)
}

// ExpectRefusal waits until one more request of the bot was refused with this
// JSON error code, such as 50035, which is then no leftover.
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
func (c *Chat) ExpectRefusal(code int) {
	c.tb.Helper()
	want := c.ledger.MeetRefusal(code)
	c.waits.Until(fmt.Sprintf("a request refused with %d", code), func() string {
		return fmt.Sprintf("  refusals by code: %v", c.sim.Traffic().ByCode)
	}, func() bool { return c.sim.Traffic().ByCode[code] >= want })
}

// ledger is what the expectations of a test have met, and whom it has named.
type ledger struct {
	*chattest.Ledger[string, int]

	mu     sync.Mutex
	guild  string
	people []string
	gone   map[string]bool // messages whose deletion was expected.
	// violations were there before.
	violations int
}

func newLedger() *ledger {
	return &ledger{Ledger: chattest.NewLedger[string, int](), gone: map[string]bool{}}
}

func (l *ledger) knows(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.people, userID) {
		l.people = append(l.people, userID)
	}
}

func (l *ledger) met(m discordsim.Message) { l.MeetMessage(m.ID, draw(m)) }

func (l *ledger) metGone(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone[id] = true
}

func (l *ledger) metForm(m *discordsim.Modal) { l.MeetForm(m.ID) }
