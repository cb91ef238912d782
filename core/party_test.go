package core_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// party is a small world in which badges are celebrated.
type party struct {
	mortals
	guests []*guest
	// sent are messages by their delivery's key, at by their place; walls are
	// those in channels.
	sent  map[string]*partyNote
	walls map[string]*hung
	// questions say in which one a badge was asked about.
	questions map[string]string
	// chosen is where each team celebrates; a zero one for nowhere.
	chosen map[string]core.Identity
	// calm: no answer is lost.
	calm bool

	made, asked, celebrated, takenBack, moves int
}

// partyNote is a message to a guest.
type partyNote struct {
	to   core.Identity
	card chat.Card
}

func newParty(t *testing.T, template string, replicas int, seed uint64) *party {
	p := &party{
		mortals: mortals{t: t, rand: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)},
		sent:    map[string]*partyNote{}, walls: map[string]*hung{}, questions: map[string]string{}, chosen: map[string]core.Identity{},
	}
	p.open(template, replicas, p)
	for i := range 4 {
		g := newPartyGuest(p, i)
		p.choose(teamOf(g), channelsOf(teamOf(g))[0])
	}
	return p
}

// channelsOf are the channels of a team.
func channelsOf(team string) []core.Identity {
	if team == "slack:T1" {
		return []core.Identity{core.ChannelIdentity("slack", "T1", "C1"), core.ChannelIdentity("slack", "T1", "C2")}
	}
	return []core.Identity{core.ChannelIdentity("discord", "", "9"), core.ChannelIdentity("discord", "", "8")}
}

// choose has a team celebrate in a channel, or nowhere. What follows from it
// is tried until it is done, as the inbox does, by replicas that die over it.
func (p *party) choose(team string, channel core.Identity) {
	ok := p.try(func(r *mortal) error {
		return r.db.InTx(p.t.Context(), func(ctx context.Context, tx core.Tx) error {
			account := core.Account{}
			if channel.User != "" {
				var err error
				if account, err = tx.EnsureAccount(ctx, core.Account{Identity: channel, DisplayName: "launch", Team: team}, p.now); err != nil {
					return err
				}
			}
			return tx.SaveCustoms(ctx, team, core.CustomsChange{CelebrateIn: &account.ID}, p.now)
		})
	})
	if !ok {
		return
	}
	p.chosen[team] = channel
	if channel.User == "" {
		return
	}
	for _, g := range p.guests {
		for _, b := range g.badges {
			fresh := p.now.Sub(b.askedAt) < week || p.now.Sub(b.stageAt) < week
			if teamOf(g) == team && fresh {
				p.settled(g, b)
			}
		}
	}
	for done := false; !done; {
		done = p.try(func(r *mortal) error { return p.desk(r).Moved(p.t.Context(), team) })
	}
	p.moves++
}

// week is for how long a badge that nobody saw is worth a celebration.
const week = 7 * 24 * time.Hour

func (p *party) desk(r *mortal) *core.Celebrations {
	return &core.Celebrations{Store: r.db, Clock: p, Provider: r.obs.Provider}
}

// try lets a replica do something, and perhaps die over it. Now and then what
// is due is delivered before, by somebody who may die over it.
func (p *party) try(f func(r *mortal) error) bool {
	p.t.Helper()
	if p.rand.IntN(3) == 0 {
		p.attempt(4, 8, p.deliver)
	}
	return p.attempt(4, 8, f)
}

// errLost is what is known of a call whose answer was lost.
var errLost = errors.New("connection reset before the answer")

func (p *party) lost() error {
	if !p.calm && p.rand.IntN(12) == 0 {
		return errLost
	}
	return nil
}

// Pause implements [chat.Messenger].
func (p *party) Pause() time.Duration { return 0 }

// Show implements [chat.Messenger].
func (p *party) Show(_ context.Context, at core.Place, c chat.Card, _ string) (core.Place, error) {
	key := at.Ref.Reveal()
	if n := p.sent[key]; n != nil {
		n.card = c
		p.reads(n.to, c)
		return at, p.lost()
	}
	h := p.walls[key]
	if h == nil || h.removed {
		return at, &core.DeliveryError{Class: core.PlaceGone, Code: "message_not_found"}
	}
	h.card = c
	p.hangs(h.in, c)
	return at, p.lost()
}

// Direct implements [chat.Messenger]: a new message, once for each key.
func (p *party) Direct(_ context.Context, to core.Identity, c chat.Card, key string, _ time.Time) (core.Place, error) {
	place := core.Place{Ref: core.Secret(key), MessageKey: key, EditableUntil: p.now.Add(10000 * time.Hour), Shown: true}
	if _, channel := to.Channel(); channel {
		if p.walls[key] == nil || p.walls[key].removed {
			p.walls[key] = &hung{in: to, card: c}
			p.hangs(to, c)
		}
		return place, p.lost()
	}
	if p.sent[key] == nil {
		p.sent[key] = &partyNote{to: to, card: c}
		p.reads(to, c)
	}
	return place, p.lost()
}

// Remove implements [chat.Messenger].
func (p *party) Remove(_ context.Context, at core.Place) error {
	if h := p.walls[at.Ref.Reveal()]; h != nil {
		h.removed = true
	}
	return p.lost()
}

// shownIn are the lines that a celebration names people in.
func shownIn(c chat.Card) map[string]bool {
	out := map[string]bool{}
	for _, i := range c.Items {
		line, _, _ := strings.Cut(i.Text.String(), "\n")
		out[line] = true
	}
	return out
}

// nameIn is the badge that an item of a question names.
func nameIn(i chat.Item) string {
	name, _, _ := strings.Cut(i.Text.String(), "\n")
	return name
}

// isAsked: nothing is said about an item of a question but its name.
func isAsked(i chat.Item) bool { return !strings.Contains(i.Text.String(), "\n") }

// decidable: the first button of a card is about the items that stand first.
func decidable(c chat.Card, i chat.Item) bool {
	return isAsked(i) == isAsked(c.Items[0])
}

// decisionOf reads what a button of a question decides.
func decisionOf(b chat.Button) core.Decision {
	verb, opaque, ok := chat.ParseID(b.ID)
	parts := strings.Split(opaque, ".")
	if !ok || verb != chat.VerbConsent || len(parts) != 3 {
		return core.Decision{}
	}
	d := core.Decision{Choice: core.Choice(parts[0]), Question: parts[1]}
	for _, text := range strings.Split(parts[2], "-") {
		if n, err := strconv.Atoi(text); err == nil {
			d.Numbers = append(d.Numbers, n)
		}
	}
	return d
}
