package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
)

// actAsk: somebody wants to prove an address.
func (w *world) actAsk(rt *rapid.T) { w.ask1(rt, w.replica(rt), w.drawPerson(rt), w.drawMail(rt)) }

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
	w.prove1(rt, r, rapid.SampledFrom(w.letters).Draw(rt, "letter"), rapid.Bool().Draw(rt, "by link"))
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
	a, who, r := rapid.SampledFrom(w.asks).Draw(rt, "asked"), w.drawPerson(rt), w.replica(rt)
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
	b, who, r := w.drawBadge(rt), w.drawPerson(rt), w.replica(rt)
	want, wantErr := w.claim(b, who, w.now)
	var got core.ClaimResult
	fate, err := w.attempt(rt, func() (err error) {
		got, _, err = r.claims.Claim(w.ctx, who, b.id, w.place(who))
		return err
	})
	if fate != done {
		return
	}
	if got != want || !errors.Is(err, wantErr) {
		rt.Fatalf("rules 1 and 2: %v claims %s: got %v, %v, want %v, %v", who, b.award, got, err, want, wantErr)
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
	token := rapid.SampledFrom(w.tokens).Draw(rt, "link")
	id, _ := w.keys.ParseToken(core.PurposeHandoff, token)
	b, h := w.handoffOf(id)
	may := h != nil && w.mayFollow(b, h, w.now)
	heard := len(w.provider.said)
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
// and they have a badge that is pending.
func (w *world) settleIn(rt *rapid.T) {
	n := rapid.IntRange(0, len(w.mails)).Draw(rt, "people already there")
	w.calmly(func() {
		r := w.replicas[0]
		for i, mail := range w.mails[:n] {
			w.grant1(rt, r, mail, true)
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

// idOf is the id of a badge that was granted just now.
func (w *world) idOf(rt *rapid.T, r *replica, award string) string {
	var id string
	err := r.db.InTx(w.ctx, func(ctx context.Context, tx core.Tx) error {
		c, err := tx.SaveObservation(ctx, core.Observation{ExternalID: award}, w.now, core.PollPlan{})
		id = c.After.ID
		return errors.Join(err, errRollBack)
	})
	if !errors.Is(err, errRollBack) {
		rt.Fatal(err)
	}
	return id
}
