package core_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// model is what people expect of the house. It knows nothing of replicas,
// transactions, deliveries or sweeps.
type model struct {
	// person numbers the people; accounts of one person have one number.
	person map[core.Identity]int
	// met are the accounts that the house knows.
	met map[core.Identity]bool
	// holds says who proved an address.
	holds map[string]int
	asks  []*ask
	// badges are in the order in which they were granted.
	badges  []*badge
	granted int
	// connected is how often an account was told that another one joined.
	connected map[core.Identity]int
	// erased are texts that may stand nowhere any more.
	erased map[string]bool
	last   int
}

// ask is one wish to prove an address.
type ask struct {
	id    string
	who   core.Identity
	mail  string
	at    time.Time
	tries int
	used  bool
	// over: used, out of tries, or another one took its place.
	over bool
}

// badge is one badge with its claims.
type badge struct {
	award, id, mail   string
	name, first, last string
	stage             core.Stage
	// said is when the provider said that, by its time and by ours.
	said, read time.Time
	// open is the handoff that is open, even if its time ran out.
	open     *handoff
	handoffs []*handoff
	// presses are the claims that have a message of their own.
	presses []core.Identity
	// events are what the body's own system is to be told.
	events []core.EventType
}

// handoff is the way to the provider that a claim opened.
type handoff struct {
	id        string
	by        core.Identity
	ends      time.Time
	preparing bool
}

func newModel() model {
	return model{
		person: map[core.Identity]int{}, met: map[core.Identity]bool{}, holds: map[string]int{},
		connected: map[core.Identity]int{}, erased: map[string]bool{},
	}
}

func (m *model) somebody() int {
	m.last++
	return m.last
}

// owns: who is the person who proved the address.
func (m *model) owns(who core.Identity, mail string) bool {
	n, held := m.holds[mail]
	return held && n == m.person[who]
}

func nameOfBadge(award string) string { return "Badge of " + award }

func (m *model) grant(mail string) *badge {
	m.granted++
	award := fmt.Sprintf("award-%03d", m.granted)
	return &badge{
		award: award, mail: mail, stage: core.StageGranted, name: nameOfBadge(award),
		first: "First-" + award, last: "Last-" + award,
	}
}

func (m *model) badgeOf(award string) *badge {
	if i := slices.IndexFunc(m.badges, func(b *badge) bool { return b.award == award }); i >= 0 {
		return m.badges[i]
	}
	return nil
}

// hear is rule 3: the newest thing that the provider said counts.
func (m *model) hear(o core.Observation) {
	b := m.badgeOf(o.ExternalID)
	if b == nil || o.At.Before(b.said) || o.At.Equal(b.said) && o.ReadAt.Before(b.read) {
		return
	}
	before := b.stage
	b.stage, b.said, b.read = o.Stage, o.At, o.ReadAt
	if b.stage == before {
		return
	}
	if b.stage.Held() && !before.Held() {
		b.events = append(b.events, core.EventAccepted)
	}
	switch b.stage {
	case core.StagePublic:
		b.events = append(b.events, core.EventPublic)
	case core.StageRejected:
		b.events = append(b.events, core.EventRejected)
	}
	if b.stage.Held() || b.stage.Ended() {
		b.open = nil
	}
}

// mayAsk: five times an hour, whatever for.
func (m *model) mayAsk(who core.Identity, now time.Time) bool {
	n := 0
	for _, a := range m.asks {
		if m.person[a.who] == m.person[who] && !a.at.Before(now.Add(-time.Hour)) {
			n++
		}
	}
	return n < 5
}

func (m *model) ask(a *ask) {
	for _, earlier := range m.asks {
		if earlier.who == a.who && earlier.mail == a.mail {
			earlier.over = true
		}
	}
	m.asks = append(m.asks, a)
	m.met[a.who] = true
	delete(m.erased, a.mail)
	delete(m.erased, nameOf(a.who))
}

func (m *model) askOf(id string) *ask {
	if i := slices.IndexFunc(m.asks, func(a *ask) bool { return a.id == id }); i >= 0 {
		return m.asks[i]
	}
	return nil
}

// dead: neither code nor link can prove anything any more.
func (a *ask) dead(now time.Time) bool { return a.over || !now.Before(a.at.Add(core.CodeTTL)) }

// try is one code that somebody enters: whether it is compared at all. What
// is known of the address plays no part (rule 9).
func (a *ask) try(now time.Time) bool {
	if a.dead(now) {
		return false
	}
	if a.tries == core.MaxTries {
		a.over = true
		return false
	}
	a.tries++
	return true
}

// prove is rule 6: who proves a mailbox is the person who proved it before,
// and the other accounts of that person are told.
func (m *model) prove(a *ask) {
	a.used, a.over = true, true
	me := m.person[a.who]
	them, held := m.holds[a.mail]
	if !held {
		m.holds[a.mail] = me
		return
	}
	if them == me {
		return
	}
	for who, n := range m.person {
		if n == me {
			m.person[who] = them
		}
	}
	for mail, n := range m.holds {
		if n == me {
			m.holds[mail] = them
		}
	}
	for who, n := range m.person {
		if n == them && who != a.who && m.met[who] {
			m.connected[who]++
		}
	}
}

// claim is rules 1 and 2 for a press on Claim.
func (m *model) claim(b *badge, who core.Identity, now time.Time) (core.ClaimResult, error) {
	switch {
	case !m.owns(who, b.mail):
		return 0, core.ErrNotFound
	case !b.stage.Claimable():
		return core.ClaimNotOpen, nil
	case b.live(now) != nil:
		return core.ClaimAlreadyOpen, nil
	default:
		return core.ClaimOpened, nil
	}
}

// opened is a new handoff; it lives two minutes from when the provider has
// the badge.
func (b *badge) opened(id string, by core.Identity, now time.Time) {
	b.open = &handoff{id: id, by: by, ends: now.Add(core.DefaultHandoffTTL)}
	if b.stage == core.StageGranted {
		b.open.preparing, b.open.ends = true, now.Add(core.IssueWithin)
	}
	b.handoffs = append(b.handoffs, b.open)
	b.events = append(b.events, core.EventClaimed)
}

func (b *badge) issued(h *handoff, now time.Time) {
	if b.open == h && b.stage == core.StagePending {
		h.preparing, h.ends = false, now.Add(core.DefaultHandoffTTL)
	}
}

// live is the handoff of which the time has not run out, or nil.
func (b *badge) live(now time.Time) *handoff {
	if b.open != nil && now.Before(b.open.ends) {
		return b.open
	}
	return nil
}

// mayFollow is rule 2 for a link.
func (m *model) mayFollow(b *badge, h *handoff, now time.Time) bool {
	return b.live(now) == h && !h.preparing && b.stage == core.StagePending && m.owns(h.by, b.mail)
}

func (m *model) handoffOf(id string) (*badge, *handoff) {
	for _, b := range m.badges {
		for _, h := range b.handoffs {
			if h.id == id {
				return b, h
			}
		}
	}
	return nil, nil
}

func (m *model) unlink(mail string) {
	delete(m.holds, mail)
	for _, b := range m.badges {
		if b.mail == mail {
			b.open = nil
		}
	}
}

// erase is rule 8: everything of the address goes, and with the last address
// the person with all accounts. It returns the accounts that are gone.
func (m *model) erase(mail string) []core.Identity {
	owner, held := m.holds[mail]
	delete(m.holds, mail)
	m.erased[mail] = true
	m.badges = slices.DeleteFunc(m.badges, func(b *badge) bool {
		if b.mail == mail {
			m.erased[b.first], m.erased[b.last] = true, true
		}
		return b.mail == mail
	})
	var gone []core.Identity
	for _, n := range m.holds {
		held = held && n != owner
	}
	for who, n := range m.person {
		if held && n == owner {
			gone = append(gone, who)
		}
	}
	slices.SortFunc(gone, func(a, b core.Identity) int { return strings.Compare(a.Lane(), b.Lane()) })
	for _, who := range gone {
		m.person[who] = m.somebody()
		delete(m.met, who)
		m.erased[nameOf(who)] = true
	}
	for _, b := range m.badges {
		b.presses = slices.DeleteFunc(b.presses, func(who core.Identity) bool { return slices.Contains(gone, who) })
	}
	m.asks = slices.DeleteFunc(m.asks, func(a *ask) bool { return a.mail == mail || slices.Contains(gone, a.who) })
	return gone
}
