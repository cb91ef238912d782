package core_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// Rule 7: badges are accepted, made public and private, revoked; people agree,
// decline and take back, by cards of any age; addresses come and go, people
// are erased, replicas die at any row, answers of the platform are lost. A
// channel never shows what nobody agreed to, and in the end everything that
// somebody agreed to, once.
func TestNothingIsCelebratedWithoutConsent(t *testing.T) {
	t.Parallel()
	template := worldTemplate(t)
	for seed, replicas := range []int{2, 2, 8, 8} {
		t.Run(fmt.Sprintf("%d replicas, seed %d", replicas, seed), func(t *testing.T) {
			t.Parallel()
			p := newParty(t, template, replicas, uint64(seed))
			begin := p.now
			for range 300 {
				p.step()
				if p.rand.IntN(4) == 0 {
					p.calmDown()
				}
			}
			p.calmDown()
			p.apart()
			if days := p.now.Sub(begin).Hours() / 24; days < 28 {
				t.Errorf("only %.0f days", days)
			}
			if p.celebrated == 0 || p.asked == 0 || p.kills == 0 || p.moves < 5 {
				t.Errorf("%d celebrated, %d taken back, %d asked, %d moves, %d kills: nothing was tried",
					p.celebrated, p.takenBack, p.asked, p.moves, p.kills)
			}
		})
	}
}

// guest is a person as the model knows them.
type guest struct {
	id     core.Identity
	name   string
	mail   string
	linked bool
	never  bool
	badges []*partyBadge
	// cards are all that the person ever saw of questions.
	cards []chat.Card
}

// partyBadge is a badge as the model knows it.
type partyBadge struct {
	name  string
	said  core.Observation
	state core.ConsentState
	// stands is the channel that shows it; a zero one for none.
	stands core.Identity
	// askedAt is when its owner was asked, stageAt when it came into its stage.
	askedAt, stageAt time.Time
}

func (b *partyBadge) held() bool { return b.said.Stage.Held() }

// hung is a message in a channel.
type hung struct {
	in      core.Identity
	card    chat.Card
	removed bool
}

func newPartyGuest(p *party, i int) *guest {
	g := &guest{
		id:   core.Identity{Platform: "slack", Tenant: "T1", User: fmt.Sprintf("U%d", i)},
		mail: fmt.Sprintf("p%d@example.org", i), name: fmt.Sprintf("Guest %d.", i),
	}
	if i%2 == 1 {
		g.id = core.Identity{Platform: "discord", User: fmt.Sprint(i)}
	}
	p.guests = append(p.guests, g)
	return g
}

func teamOf(g *guest) string {
	if g.id.Platform == "slack" {
		return "slack:T1"
	}
	return "discord:42"
}

// arrive links the address of a guest.
func (p *party) arrive(g *guest) {
	g.linked = p.try(func(r *mortal) error {
		return r.db.InTx(p.t.Context(), func(ctx context.Context, tx core.Tx) error {
			a, err := tx.EnsureAccount(ctx, core.Account{Identity: g.id, DisplayName: g.name, Team: teamOf(g)}, p.now)
			if err != nil {
				return err
			}
			return tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: email(g.mail), VerifiedAt: p.now})
		})
	})
}

// step lets one thing happen.
func (p *party) step() {
	p.now = p.now.Add(time.Duration(p.rand.IntN(25)) * time.Minute)
	if p.rand.IntN(8) == 0 {
		p.now = p.now.Add(time.Duration(p.rand.IntN(48)) * time.Hour)
	}
	g := p.guests[p.rand.IntN(len(p.guests))]
	if !g.linked {
		p.arrive(g)
		return
	}
	switch p.rand.IntN(16) {
	case 13:
		p.choose(teamOf(g), append(channelsOf(teamOf(g)), core.Identity{})[p.rand.IntN(3)])
	case 0, 1:
		p.award(g)
	case 2, 3, 4:
		p.change(g, core.StageAccepted)
	case 5, 6, 7:
		p.change(g, core.StagePublic)
	case 8:
		p.change(g, []core.Stage{core.StageRevoked, core.StagePending, core.StageAccepted}[p.rand.IntN(3)])
	case 9, 10, 11, 12:
		p.press(g)
	default:
		p.leave(g)
	}
}

// award gives a guest a badge that is pending; nobody has more than three.
func (p *party) award(g *guest) {
	if len(g.badges) == 3 {
		return
	}
	p.made++
	b := &partyBadge{name: fmt.Sprintf("Badge %d.", p.made)}
	b.said = core.Observation{
		ProviderID: fmt.Sprintf("at-%d", p.made), Recipient: email(g.mail), BadgeURL: fmt.Sprintf("https://www.credly.com/badges/%d", p.made),
		Template: core.Template{ID: fmt.Sprintf("template-%d", p.made), Name: b.name},
	}
	g.badges = append(g.badges, b)
	if !p.say(b, core.StagePending) {
		g.badges = g.badges[:len(g.badges)-1]
	}
}

// say lets the provider say that a badge is in a stage now.
func (p *party) say(b *partyBadge, stage core.Stage) bool {
	o := b.said
	p.now = p.now.Add(time.Millisecond)
	o.Stage, o.At, o.ReadAt = stage, p.now, p.now
	ok := p.try(func(r *mortal) error { return r.obs.Apply(p.t.Context(), o) })
	if ok {
		b.said = o
	}
	return ok
}

// change is what happens to a badge at the provider.
func (p *party) change(g *guest, stage core.Stage) {
	if len(g.badges) == 0 {
		return
	}
	b := g.badges[p.rand.IntN(len(g.badges))]
	held, before := b.held(), b.said.Stage
	if !p.say(b, stage) || b.said.Stage == before {
		return
	}
	b.stageAt = p.now
	if b.held() && !held && !g.never && b.state == "" && p.chosen[teamOf(g)].User != "" {
		b.state, b.askedAt = core.ConsentAsked, p.now
		p.asked++
	}
	p.settled(g, b)
}

// settled is what becomes of a badge when it, or what was decided about it,
// has changed: one that may be seen stands where it stood, or where its team
// celebrates now.
func (p *party) settled(g *guest, b *partyBadge) {
	switch {
	case !g.linked || b.state != core.ConsentAgreed || b.said.Stage != core.StagePublic:
		b.stands = core.Identity{}
	case b.stands.User == "":
		b.stands = p.chosen[teamOf(g)]
	}
}

// press lets a guest press a button of any card that they ever saw.
func (p *party) press(g *guest) {
	if g.never && p.rand.IntN(4) == 0 {
		if p.try(func(r *mortal) error { return p.desk(r).Allow(p.t.Context(), g.id) }) {
			g.never = false
		}
		return
	}
	if len(g.cards) == 0 {
		return
	}
	card := g.cards[len(g.cards)-1]
	if p.rand.IntN(3) == 0 {
		card = g.cards[p.rand.IntN(len(g.cards))]
	}
	buttons := slices.DeleteFunc(slices.Clone(card.Buttons), func(b chat.Button) bool {
		return decisionOf(b).Question == "" || decisionOf(b).Choice == core.ChooseNever && p.rand.IntN(4) > 0
	})
	if len(buttons) == 0 {
		return
	}
	d := decisionOf(buttons[p.rand.IntN(len(buttons))])
	var gone bool
	ok := p.try(func(r *mortal) error {
		at := core.Place{}
		err := p.desk(r).Decide(p.t.Context(), g.id, d, at)
		gone = errors.Is(err, core.ErrNotFound)
		if gone {
			return nil
		}
		return err
	})
	if ok && !gone {
		p.decided(g, card, d)
	}
}

// decided is what the model makes of a press on a card.
func (p *party) decided(g *guest, card chat.Card, d core.Decision) {
	saw := func(state core.ConsentState) []*partyBadge {
		return slices.DeleteFunc(slices.Clone(g.badges), func(b *partyBadge) bool {
			return b.state != state || !slices.ContainsFunc(card.Items, func(i chat.Item) bool { return nameIn(i) == b.name && decidable(card, i) })
		})
	}
	switch d.Choice {
	case core.ChooseShare:
		from := saw(core.ConsentAsked)
		if len(from) == 0 {
			from = saw(core.ConsentDeclined)
		}
		for _, b := range from {
			b.state = core.ConsentAgreed
			p.settled(g, b)
			p.celebrated++
		}
	case core.ChooseBack:
		for _, b := range g.badges {
			if b.state == core.ConsentAgreed && p.questions[b.name] == d.Question {
				b.state = core.ConsentDeclined
				p.settled(g, b)
				p.takenBack++
			}
		}
	case core.ChooseNever:
		g.never = true
		for _, b := range g.badges {
			if b.state == core.ConsentAsked {
				b.state = core.ConsentDeclined
			}
		}
	default:
		for _, b := range saw(core.ConsentAsked) {
			b.state = core.ConsentDeclined
		}
	}
}

// leave lets a guest take the address off, or have everything erased.
func (p *party) leave(g *guest) {
	if p.rand.IntN(3) > 0 {
		return
	}
	if p.rand.IntN(2) == 0 {
		if p.try(func(r *mortal) error {
			return r.db.InTx(p.t.Context(), func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, g.id, p.now) })
		}) {
			g.linked, g.never, g.badges, g.cards = false, false, nil, nil
		}
		return
	}
	person, err := p.any().db.Person(p.t.Context(), g.id)
	p.must(err)
	if p.try(func(r *mortal) error {
		links := &core.Links{Store: r.db, Clock: p}
		_, err := links.Unlink(p.t.Context(), g.id, person.Addresses[0].ID)
		return err
	}) {
		g.linked = false
		for _, b := range g.badges {
			b.state, b.stands = "", core.Identity{}
		}
	}
}

// hangs checks what a channel shows at the moment at which it shows it.
func (p *party) hangs(in core.Identity, c chat.Card) {
	for line := range shownIn(c) {
		if !p.agreed(in)[line] {
			p.t.Fatalf("%s: %v shows %q without consent", p.now, in, line)
		}
	}
}

// agreed is what a channel may show.
func (p *party) agreed(in core.Identity) map[string]bool {
	out := map[string]bool{}
	for _, g := range p.guests {
		for _, b := range g.badges {
			if b.stands == in {
				out[g.name+" earned "+b.name] = true
			}
		}
	}
	return out
}

// reads checks what a guest is asked at the moment at which they see it.
func (p *party) reads(to core.Identity, c chat.Card) {
	for _, g := range p.guests {
		if g.id != to {
			continue
		}
		g.cards = append(g.cards, c)
		for _, i := range c.Items {
			for _, b := range c.Buttons {
				if d := decisionOf(b); d.Question != "" {
					p.questions[nameIn(i)] = d.Question
				}
			}
			if g.never && isAsked(i) {
				p.t.Fatalf("%s: %v is asked in spite of all", p.now, to)
			}
		}
	}
}

// calmDown lets everything arrive, and holds it against the model.
func (p *party) calmDown() {
	p.calm = true
	defer func() { p.calm = false }()
	for left := 1; left > 0; {
		p.now = p.now.Add(2 * lease)
		p.must(p.deliver(p.any()))
		p.must(p.raw.QueryRowContext(p.t.Context(), `SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending')`).Scan(&left))
	}
	for _, in := range append(channelsOf("slack:T1"), channelsOf("discord:42")...) {
		got := map[string]bool{}
		for _, h := range p.walls {
			if h.in != in || h.removed {
				continue
			}
			lines := shownIn(h.card)
			if len(lines) == 0 {
				p.t.Fatalf("%s: an empty celebration %q stands in %v", p.now, h.card.Title, in)
			}
			for line := range lines {
				if got[line] {
					p.t.Fatalf("%s: %v shows %q twice", p.now, in, line)
				}
				got[line] = true
			}
		}
		if want := p.agreed(in); !maps.Equal(got, want) {
			p.t.Fatalf("%s: %v shows %v, want %v", p.now, in, got, want)
		}
	}
	for _, g := range p.guests {
		p.knows(g)
	}
}

// knows: a guest can answer everything that is unanswered.
func (p *party) knows(g *guest) {
	got := map[string]int{}
	for _, n := range p.sent {
		if n.to == g.id {
			for _, i := range n.card.Items {
				if isAsked(i) {
					got[nameIn(i)]++
				}
			}
		}
	}
	for _, b := range g.badges {
		if g.linked && b.state == core.ConsentAsked && b.held() && got[b.name] != 1 {
			p.t.Fatalf("%s: %v is asked %d times about %s", p.now, g.id, got[b.name], b.name)
		}
	}
}

// apart: no two celebrations of a channel began within an hour.
func (p *party) apart() {
	rows, err := p.raw.QueryContext(p.t.Context(), `SELECT account_id, created_at FROM posts WHERE subject_kind = 'celebration' ORDER BY created_at`)
	p.must(err)
	last := map[string]int64{}
	for rows.Next() {
		var channel string
		var at int64
		p.must(rows.Scan(&channel, &at))
		if before, ok := last[channel]; ok && at-before < time.Hour.Milliseconds() {
			p.t.Errorf("two celebrations within %d ms", at-before)
		}
		last[channel] = at
	}
	p.must(errors.Join(rows.Err(), rows.Close()))
}
