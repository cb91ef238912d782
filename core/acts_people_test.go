package core_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// actAsk: somebody wants to prove an address.
func (w *world) actAsk(rt *rapid.T) {
	who, mail := w.drawPerson(rt), w.drawMail(rt)
	w.ask1(rt, w.replica(rt), who, mail)
	if rapid.Bool().Draw(rt, "and reads the mail") {
		w.actProve(rt)
	}
}

func (w *world) ask1(rt *rapid.T, r *replica, who core.Identity, mail string) {
	may := w.mayAsk(who, w.now)
	var v core.Verification
	fate, err := w.attempt(rt, func() (err error) {
		v, err = r.links.Start(w.ctx, core.LinkRequest{
			Account: core.Account{Identity: who, DisplayName: nameOf(who)}, Workspace: "w", Email: email(mail), At: w.place(who),
		})
		return err
	})
	if fate != done {
		return
	}
	w.answered(rt, fmt.Sprintf("asked too often: %v", !may), answerOf(err))
	if !may {
		if !errors.Is(err, core.ErrTooMany) {
			rt.Fatalf("%v asked too often and got %v", who, err)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	w.ask(&ask{id: v.ID, who: who, mail: mail, at: w.now})
}

// actProve: somebody reads the mailbox and enters the code, or follows the link.
func (w *world) actProve(rt *rapid.T) {
	r := w.replica(rt)
	w.letThrough(rt, r)
	if len(w.letters) == 0 {
		rt.Skip("no letter")
	}
	l := w.letters[len(w.letters)-1]
	if rapid.IntRange(0, 2).Draw(rt, "any letter") == 2 {
		l = rapid.SampledFrom(w.letters).Draw(rt, "letter")
	}
	if a := w.askOf(l.id); a != nil && !a.dead(w.now) && rapid.IntRange(0, 3).Draw(rt, "just too late") == 3 {
		w.now = a.at.Add(core.CodeTTL)
	}
	w.prove1(rt, r, l, rapid.Bool().Draw(rt, "by link"))
}

func (w *world) prove1(rt *rapid.T, r *replica, l letter, byLink bool) {
	a := w.askOf(l.id)
	fate, err := w.attempt(rt, func() error {
		if byLink {
			return r.links.Confirm(w.ctx, l.token)
		}
		_, err := r.links.EnterCode(w.ctx, l.who, l.id, l.code)
		return err
	})
	if fate == undone {
		return
	}
	// A code that was compared counts, even if nothing came of it.
	right := a != nil && !a.dead(w.now)
	if a != nil && !byLink {
		right = a.try(w.now)
	}
	if fate == half {
		return
	}
	if !right {
		w.refused(rt, "what is of no use any more proved an address", err)
		return
	}
	if err != nil {
		rt.Fatalf("who read the mail was refused: %v", err)
	}
	w.prove(a)
}

// actGuess: somebody enters a code without having read the mail.
func (w *world) actGuess(rt *rapid.T) {
	if len(w.asks) == 0 {
		rt.Skip("nothing asked")
	}
	a, r := rapid.SampledFrom(w.asks).Draw(rt, "asked"), w.replica(rt)
	who := a.who
	if rapid.IntRange(0, 3).Draw(rt, "by anybody") == 3 {
		who = w.drawPerson(rt)
	}
	for range rapid.SampledFrom([]int{1, 1, core.MaxTries + 1}).Draw(rt, "guesses") {
		w.guess(rt, r, a, who)
	}
}

func (w *world) guess(rt *rapid.T, r *replica, a *ask, who core.Identity) {
	fate, err := w.attempt(rt, func() error {
		_, err := r.links.EnterCode(w.ctx, who, a.id, "not it")
		return err
	})
	if fate == undone {
		return
	}
	facts, want := "guess of another", answerOf(core.ErrNotFound)
	if who == a.who {
		facts, want = "guess of what is over", answerOf(core.ErrGone)
		if a.try(w.now) {
			facts = fmt.Sprintf("guess %d", a.tries)
			want = fmt.Sprintf("wrong, %d left", core.MaxTries-a.tries)
		}
	}
	if fate == half {
		return
	}
	w.answered(rt, facts, answerOf(err))
	if got := answerOf(err); got != want {
		rt.Fatalf("%s: got %q, want %q", facts, got, want)
	}
}

// actClaim: somebody presses Claim.
func (w *world) actClaim(rt *rapid.T) {
	r := w.replica(rt)
	b, who := w.drawClaim(rt)
	want, wantErr := w.claim(b, who, w.now)
	r.claims.Courier = nil
	if rapid.Bool().Draw(rt, "carries the card") {
		r.claims.Courier = courier{w}
	}
	var got core.Claimed
	fate, err := w.attempt(rt, func() (err error) {
		got, err = r.claims.Claim(w.ctx, who, b.id, w.place(who))
		return err
	})
	if fate != done {
		return
	}
	if got.Result != want || !errors.Is(err, wantErr) {
		rt.Fatalf("rules 1 and 2: %v claims %s: got %v, %v, want %v, %v", who, b.award, got.Result, err, want, wantErr)
	}
	if got.Parcel != nil {
		w.carry(rt, r, delivery.Of(*got.Parcel), w.now)
	}
	switch want {
	case core.ClaimOpened:
		b.opened(w.nameOfOpen(rt, r, who, b), who, w.now)
		b.presses = append(b.presses, who)
		if b.open.preparing && rapid.Bool().Draw(rt, "issued at once") {
			w.calmly(func() { w.workOff(rt, r) })
		}
	case core.ClaimAlreadyOpen:
		b.presses = append(b.presses, who)
	}
}

// drawClaim draws mostly what somebody can claim.
func (w *world) drawClaim(rt *rapid.T) (*badge, core.Identity) {
	badges, people := slices.Clone(w.badges), w.people
	if rapid.IntRange(0, 3).Draw(rt, "anything by anybody") < 3 {
		badges = slices.DeleteFunc(badges, func(b *badge) bool { return !b.stage.Claimable() || len(w.owners(b.mail)) == 0 })
	}
	if len(badges) == 0 {
		rt.Skip("no badge")
	}
	b := rapid.SampledFrom(badges).Draw(rt, "badge")
	if owners := w.owners(b.mail); len(owners) > 0 && rapid.IntRange(0, 3).Draw(rt, "by anybody") < 3 {
		people = owners
	}
	return b, rapid.SampledFrom(people).Draw(rt, "person")
}

func (w *world) owners(mail string) []core.Identity {
	return slices.DeleteFunc(slices.Clone(w.people), func(who core.Identity) bool { return !w.owns(who, mail) })
}

// nameOfOpen is the id of the open handoff, which nobody is told.
func (w *world) nameOfOpen(rt *rapid.T, r *replica, who core.Identity, b *badge) string {
	state, err := r.db.ClaimState(w.ctx, who, b.id, w.now)
	if err != nil || state.Open == nil {
		rt.Fatalf("rule 2: a claim opened no handoff: %v", err)
	}
	return state.Open.ID
}

// actFollow: somebody presses the button behind a link that anybody ever saw.
func (w *world) actFollow(rt *rapid.T) {
	r := w.replica(rt)
	w.letThrough(rt, r)
	if len(w.tokens) == 0 {
		rt.Skip("no link")
	}
	token := w.tokens[len(w.tokens)-1]
	if rapid.IntRange(0, 2).Draw(rt, "any link") == 2 {
		token = rapid.SampledFrom(w.tokens).Draw(rt, "link")
	}
	id, _ := w.keys.ParseToken(core.PurposeHandoff, token)
	b, h := w.handoffOf(id)
	if h != nil && b.live(w.now) == h && rapid.IntRange(0, 2).Draw(rt, "at the last moment") == 2 {
		w.now = h.ends.Add(-time.Millisecond)
	}
	may := h != nil && w.mayFollow(b, h, w.now)
	heard := len(w.provider.said)
	slow := time.Duration(rapid.SampledFrom([]int{0, 0, 1, 3}).Draw(rt, "seconds that the provider takes")) * time.Second
	w.provider.answers = func() { w.now = w.now.Add(slow) }
	defer func() { w.provider.answers = func() {} }()
	var link string
	fate, err := w.attempt(rt, func() (err error) {
		link, err = r.passes.Follow(w.ctx, token)
		return err
	})
	if fate != undone {
		for _, o := range w.provider.said[heard:] {
			w.hear(o)
		}
	}
	if fate != done {
		return
	}
	// What was open when it was pressed may have ended while the provider was
	// asked.
	if !may || !w.mayFollow(b, h, w.now) {
		w.refused(rt, "rule 2: a link worked twice, after its end, or for another", err)
		return
	}
	if err != nil || link != w.provider.truth[b.award].AcceptURL {
		rt.Fatalf("a good link led to %q, %v", link, err)
	}
	b.open = nil
}

// actUnlink: somebody takes an address off the list, perhaps another's.
func (w *world) actUnlink(rt *rapid.T) {
	mail, who, r := w.drawMail(rt), w.drawPerson(rt), w.replica(rt)
	var id string
	w.look(rt, `SELECT id FROM addresses WHERE normal = '`+mail+`'`, func(scan func(...any) error) error { return scan(&id) })
	if id == "" {
		rt.Skip("nobody's")
	}
	fate, err := w.attempt(rt, func() error {
		_, err := r.links.Unlink(w.ctx, who, id)
		return err
	})
	if fate != done {
		return
	}
	if !w.owns(who, mail) {
		if !errors.Is(err, core.ErrNotFound) {
			rt.Fatalf("%v took an address off another's list: %v", who, err)
		}
		return
	}
	if err != nil {
		rt.Fatal(err)
	}
	w.unlink(mail)
}

// refused: the answer to what has no effect.
func (w *world) refused(rt *rapid.T, what string, err error) {
	if !errors.Is(err, core.ErrGone) && !errors.Is(err, core.ErrNotFound) {
		rt.Fatalf("%s: %v", what, err)
	}
}

// answered notes what somebody was answered, by all that it may depend on.
func (w *world) answered(rt *rapid.T, facts, answer string) {
	before, known := w.answers[facts]
	if known && before != answer {
		rt.Fatalf("rule 9: %s: once %q, once %q", facts, before, answer)
	}
	w.answers[facts] = answer
}

// answerOf is an error as a person is told it.
func answerOf(err error) string {
	var wrong *core.WrongCodeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("wrong, %d left", wrong.Left)
	}
	for _, told := range []error{core.ErrNotFound, core.ErrGone, core.ErrTooMany} {
		if errors.Is(err, told) {
			return told.Error()
		}
	}
	return fmt.Sprint(err)
}

// settleIn lets some people be there already: what they asked for is proved,
// and they have a badge to claim.
func (w *world) settleIn(rt *rapid.T) {
	n := rapid.SampledFrom([]int{1, 2, 2, 0}).Draw(rt, "people already there")
	known := rapid.Bool().Draw(rt, "their badges are at the provider")
	w.calmly(func() {
		r := w.replicas[0]
		for i, mail := range w.mails[:n] {
			w.grant1(rt, r, mail, known)
			w.receiveAll(rt, r)
			w.ask1(rt, r, w.people[i], mail)
			w.letThrough(rt, r)
			w.prove1(rt, r, w.letters[len(w.letters)-1], false)
		}
	})
}

// actErase: the body asks for a person to be forgotten.
func (w *world) actErase(rt *rapid.T) {
	if rapid.IntRange(0, 2).Draw(rt, "rarely") > 0 {
		rt.Skip("not now")
	}
	mail, r := w.drawMail(rt), w.replica(rt)
	if !w.must(rt, func() error { return r.work.Erase(w.ctx, email(mail)) }) {
		return
	}
	for _, who := range w.erase(mail) {
		// What they were told until now stays with them.
		w.connected[who] = w.connectedSeen(who)
	}
	w.letters = slices.DeleteFunc(w.letters, func(l letter) bool { return w.askOf(l.id) == nil })
	rule8(rt, w)
}

// errRollBack ends a transaction that only looked.
var errRollBack = errors.New("only looking")

func email(s string) core.Email { return core.Email{Shown: s, Normal: s} }
