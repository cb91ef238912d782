package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// The rules of the house, held against a random world.
func TestRulesHoldInARandomWorld(t *testing.T) {
	t.Parallel()
	template := worldTemplate(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt, template)
		defer w.close()
		w.settleIn(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"":       w.check,
			"ask":    w.actAsk,
			"prove":  w.actProve,
			"guess":  w.actGuess,
			"claim":  w.actClaim,
			"follow": w.actFollow,
			// Twice as often as the others, because most of it begins there.
			"claim again":  w.actClaim,
			"follow again": w.actFollow,
			"unlink":       w.actUnlink,
			"erase":        w.actErase,
			"grant":        w.actGrant,
			"change":       w.actChange,
			"webhook":      w.actWebhook,
			"late":         w.actLate,
			"time":         w.actTime,
			"sweep":        w.actSweep,
			"work":         w.actWork,
			"deliver":      w.actDeliver,
			"go on":        w.actGoOn,
			"die":          w.actDie,
		})
		w.settle(rt)
		w.check(rt)
		rule4InTheEnd(rt, w)
		rule6InTheEnd(rt, w)
		rule8(rt, w)
	})
}

// check runs after every act.
func (w *world) check(rt *rapid.T) {
	rule1(rt, w)
	rule2(rt, w)
	rule3(rt, w)
	rule4(rt, w)
	w.checkWhatLeft(rt)
	w.steps++
}

// checkWhatLeft holds against the rules what was sent since it was called
// last, before anything changes of whom it is about.
func (w *world) checkWhatLeft(rt *rapid.T) {
	rule5(rt, w)
	rule7(rt, w)
	rule9(rt, w)
	w.out = nil
}

// A badge is shown to, and claimable by, only a member who has verified the
// address it was issued to. (Claims are held against it when they are made.)
func rule1(rt *rapid.T, w *world) {
	for i, who := range w.people {
		if !w.calm && i != w.steps%len(w.people) {
			// One at a time: looking at everybody costs more than the acts.
			continue
		}
		r := w.replicas[w.steps%len(w.replicas)]
		p, err := r.db.Person(w.ctx, who)
		if err != nil {
			rt.Fatal(err)
		}
		var addresses, badges, wantAddresses, wantBadges []string
		for _, a := range p.Addresses {
			addresses = append(addresses, a.Email.Normal)
		}
		for _, mail := range w.mails {
			if w.owns(who, mail) {
				wantAddresses = append(wantAddresses, mail)
			}
		}
		if p.Account != nil {
			views, err := r.db.BadgesOf(w.ctx, p.MemberID())
			if err != nil {
				rt.Fatal(err)
			}
			for _, v := range views {
				badges = append(badges, v.Badge.AwardID)
			}
		}
		for _, b := range w.badges {
			if w.owns(who, b.mail) {
				wantBadges = append(wantBadges, b.award)
			}
		}
		for _, list := range [][]string{addresses, badges, wantAddresses, wantBadges} {
			slices.Sort(list)
		}
		if !slices.Equal(addresses, wantAddresses) || !slices.Equal(badges, wantBadges) {
			rt.Fatalf("rule 1: %v sees %q and %q, want %q and %q", who, addresses, badges, wantAddresses, wantBadges)
		}
	}
}

// A badge has at most one open handoff. Pressing Claim twice yields the same
// handoff. A handoff link works once, and never after its end, whether or not
// any sweep ran. (Links are held against it when they are followed.)
func rule2(rt *rapid.T, w *world) {
	open := map[string]string{}
	w.look(rt, `SELECT badge_id, id FROM handoffs WHERE state IN ('preparing', 'open') AND expires_at > `+fmt.Sprint(w.now.UnixMilli()),
		func(scan func(...any) error) error {
			var badge, id string
			err := scan(&badge, &id)
			if open[badge] != "" {
				rt.Fatalf("rule 2: badge %s has two open handoffs", badge)
			}
			open[badge] = id
			return err
		})
	for _, b := range w.badges {
		want := ""
		if h := b.live(w.now); h != nil {
			want = h.id
		}
		if open[b.id] != want {
			rt.Fatalf("rule 2: the open handoff of %s is %q, want %q", b.award, open[b.id], want)
		}
	}
}

// A badge's stage is what the provider last said, ordered by the provider's
// own time; late, doubled or reordered webhooks never move it back.
func rule3(rt *rapid.T, w *world) {
	stages := map[string]core.Stage{}
	w.look(rt, `SELECT id, stage FROM badges`, func(scan func(...any) error) error {
		var id, stage string
		err := scan(&id, &stage)
		stages[id] = core.Stage(stage)
		return err
	})
	if len(stages) != len(w.badges) {
		rt.Fatalf("rule 3: %d badges, want %d", len(stages), len(w.badges))
	}
	for _, b := range w.badges {
		if stages[b.id] != b.stage {
			rt.Fatalf("rule 3: %s is %s, the provider last said %s", b.award, stages[b.id], b.stage)
		}
	}
}

// Every notification reaches its place once: at least once through any crash,
// at most once in what people see.
func rule4(rt *rapid.T, w *world) {
	direct := map[string]int{}
	for _, m := range w.phones.all {
		if m.direct {
			direct[m.post]++
		}
		if direct[m.post] > 1 {
			rt.Fatalf("rule 4: %v sees %q twice", m.to, m.card.Title)
		}
	}
}

// rule4InTheEnd: everything arrived, and what stands where it can be edited is
// what is true.
func rule4InTheEnd(rt *rapid.T, w *world) {
	seen := map[string]bool{}
	for _, m := range w.phones.all {
		seen[m.post] = true
	}
	posts := map[string]string{}
	count := map[string]int{}
	w.look(rt, `SELECT p.id, p.subject_kind, COALESCE(h.badge_id, p.subject_id) FROM posts p
		LEFT JOIN handoffs h ON h.id = p.subject_id`, func(scan func(...any) error) error {
		var id, kind, subject string
		err := scan(&id, &kind, &subject)
		posts[id] = kind
		count[kind+subject]++
		return err
	})
	for _, b := range w.badges {
		if count["handoff"+b.id] != len(b.presses) {
			rt.Fatalf("rule 4: %d messages follow the claims of %s, want %d", count["handoff"+b.id], b.award, len(b.presses))
		}
		rule4Events(rt, w, b)
	}
	for id, kind := range posts {
		if (kind == "handoff" || kind == "verification") && !seen[id] {
			rt.Fatalf("rule 4: a %s card never arrived", kind)
		}
		rule4Truth(rt, w, id)
	}
}

// rule4Events: the body's own system was told every change of a badge, in
// order, each under an id that tells repetitions.
func rule4Events(rt *rapid.T, w *world, b *badge) {
	var got []core.EventType
	known := map[string]bool{}
	for _, e := range w.told {
		if e.Badge.ID == b.id && !known[e.ID] {
			known[e.ID] = true
			got = append(got, e.Type)
		}
	}
	if !slices.Equal(got, b.events) {
		rt.Fatalf("rule 4: of %s was told %v, want %v", b.award, got, b.events)
	}
}

func rule4Truth(rt *rapid.T, w *world, id string) {
	r := w.replicas[0]
	post, err := r.db.Post(w.ctx, id)
	if err != nil {
		rt.Fatal(err)
	}
	if !post.Place.Reachable(w.now) {
		return
	}
	if a := w.askOf(post.Subject.ID); post.Subject.Kind == core.SubjectVerification && (a == nil || !a.used) {
		// That its time ran out is not told: the card says until when it lives.
		return
	}
	card, err := r.comp.Compose(w.ctx, post)
	m := w.phones.at[post.Place.Ref.Reveal()]
	if err != nil || card.Title == goneTitle || m != nil && m.card.Title == goneTitle {
		// No longer that person's: nothing new is shown there, not even when
		// the address is proved again.
		return
	}
	if m == nil || m.card.Title != card.Title {
		rt.Fatalf("rule 4: %v sees %+v, true is %q", post.Account.Identity, m, card.Title)
	}
}

// One member's address, code, link or badge never appears in a message that
// others can see, in a log line, or in an error text.
func rule5(rt *rapid.T, w *world) {
	for _, s := range w.out {
		if s.to == (core.Identity{}) {
			continue
		}
		for _, mail := range w.mails {
			asked := slices.ContainsFunc(w.asks, func(a *ask) bool { return a.who == s.to && a.mail == mail })
			if strings.Contains(s.text, mail) && !w.owns(s.to, mail) && !asked {
				rt.Fatalf("rule 5: %v reads of %s: %s", s.to, mail, s.text)
			}
		}
		for _, b := range w.badges {
			if strings.Contains(s.text, b.name) && !w.owns(s.to, b.mail) {
				rt.Fatalf("rule 5: %v reads of %s: %s", s.to, b.award, s.text)
			}
		}
		for _, l := range w.letters {
			if strings.Contains(s.text, l.code) || strings.Contains(s.text, l.token) {
				rt.Fatalf("rule 5: a chat shows a mailed code: %s", s.text)
			}
		}
	}
	for _, secret := range w.personal() {
		if strings.Contains(w.errs.String(), secret) || strings.Contains(w.log.String(), secret) {
			rt.Fatalf("rule 5: %q stands in an error or a log line:\n%s\n%s", secret, w.errs.String(), w.log.String())
		}
	}
	w.errs.Reset()
	w.log.Reset()
}

// Linking an address that is verified elsewhere moves nothing silently:
// whoever proves the mailbox joins that member, and the other accounts of
// that member are told. (Who is whom is held by rule 1 after every act.)
func rule6InTheEnd(rt *rapid.T, w *world) {
	for _, who := range w.people {
		if got := w.connectedSeen(who); got != w.connected[who] {
			rt.Fatalf("rule 6: %v was told %d times that another account joined, want %d", who, got, w.connected[who])
		}
	}
}

// Titles of cards, as the catalogue has them.
const (
	goneTitle      = "This is no longer yours to claim"
	connectedTitle = "Another account is connected to you"
)

func (w *world) connectedSeen(who core.Identity) int {
	n := 0
	for _, m := range w.phones.all {
		if m.to == who && m.card.Title == connectedTitle {
			n++
		}
	}
	return n
}

// Nothing about a person is announced without their consent, and nobody here
// ever consented to anything: what leaves goes to the person's own accounts,
// to the address that is to be proved, and to the body that granted the badge.
func rule7(rt *rapid.T, w *world) {
	for _, s := range w.out {
		switch {
		case s.mail != "":
			if a := w.askOf(s.about.ID); a != nil && a.mail != s.mail {
				rt.Fatalf("rule 7: the code for %s went to %s", a.mail, s.mail)
			}
		case s.to == (core.Identity{}):
			if !slices.ContainsFunc(w.badges, func(b *badge) bool { return b.id == s.about.ID && strings.Contains(s.text, b.award) }) {
				rt.Fatalf("rule 7: the body was told what it did not grant: %s", s.text)
			}
		default:
			for _, other := range w.people {
				if strings.Contains(s.text, nameOf(other)) && w.person[other] != w.person[s.to] {
					rt.Fatalf("rule 7: %v reads of %v: %s", s.to, other, s.text)
				}
			}
		}
	}
}

// Deleting a member leaves no personal data, only counters.
func rule8(rt *rapid.T, w *world) {
	stored := ""
	for text := range w.erased {
		if stored == "" {
			stored = w.dump(rt)
		}
		if before, after, found := strings.Cut(stored, text); found {
			row, _, _ := strings.Cut(after, "\n")
			rt.Fatalf("rule 8: %q is still stored: %s", text, before[strings.LastIndex(before, "\n")+1:]+text+row)
		}
	}
}

// The answer to "is this address known?" is the same for known and unknown
// addresses: the card of an address that is to be proved says the same of
// every one. (What asking and guessing are answered is held when it is done.)
func rule9(rt *rapid.T, w *world) {
	for _, s := range w.out {
		a := w.askOf(s.about.ID)
		if s.about.Kind != core.SubjectVerification || a == nil || a.used {
			continue
		}
		until := chat.Text{{Time: a.at.Add(core.CodeTTL)}}.String()
		text := strings.NewReplacer(a.mail, "ADDRESS", a.id, "ID", until, "UNTIL").Replace(s.text)
		w.answered(rt, fmt.Sprintf("card of what is over: %v", a.dead(w.now)), text)
	}
}
