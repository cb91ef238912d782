package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

// notedStore notes what is asked of the store, by name and by what makes a
// statement another one. Whatever is not noted here must not be asked for.
type notedStore struct {
	core.Store
	real  core.Store
	calls []string
}

func (s *notedStore) note(format string, args ...any) {
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

func (s *notedStore) InTx(ctx context.Context, f func(context.Context, core.Tx) error) error {
	s.note("begin")
	defer s.note("end")
	return s.real.InTx(ctx, func(ctx context.Context, tx core.Tx) error { return f(ctx, &notedTx{store: s, real: tx}) })
}

func (s *notedStore) TakeTry(ctx context.Context, id string, actor core.Identity, most int, now time.Time) (core.Verification, error) {
	s.note("take try")
	return s.real.TakeTry(ctx, id, actor, most, now)
}

type notedTx struct {
	core.Tx
	store *notedStore
	real  core.Tx
}

func (t *notedTx) EnsureAccount(ctx context.Context, a core.Account, now time.Time) (core.Account, error) {
	t.store.note("account")
	return t.real.EnsureAccount(ctx, a, now)
}

func (t *notedTx) LockMembers(ctx context.Context, ids ...string) ([]string, error) {
	t.store.note("lock %d", len(ids))
	return t.real.LockMembers(ctx, ids...)
}

func (t *notedTx) CountVerifications(ctx context.Context, m, n, w string, since time.Time) (core.VerificationCounts, error) {
	t.store.note("count")
	return t.real.CountVerifications(ctx, m, n, w, since)
}

func (t *notedTx) AddVerification(ctx context.Context, v core.Verification) error {
	t.store.note("verification")
	return t.real.AddVerification(ctx, v)
}

func (t *notedTx) QueueMail(ctx context.Context, id string, secret core.Secret, now time.Time) error {
	t.store.note("mail of %d", len(secret.Reveal()))
	return t.real.QueueMail(ctx, id, secret, now)
}

func (t *notedTx) AddPost(ctx context.Context, p core.Post, now time.Time) (string, error) {
	t.store.note("post %s", p.Subject.Kind)
	return t.real.AddPost(ctx, p, now)
}

func (t *notedTx) Tell(ctx context.Context, post string, fallback bool, now time.Time) error {
	t.store.note("tell %v", fallback)
	return t.real.Tell(ctx, post, fallback, now)
}

func (t *notedTx) Audit(ctx context.Context, actor, kind, subject string, now time.Time) error {
	t.store.note("audit %s", kind)
	return t.real.Audit(ctx, actor, kind, subject, now)
}

// Rule 9: whoever asks for a code learns nothing about the address: neither
// from what is shown, nor from how long it takes, which is what the store is
// asked to do, nor from what a wrong code leads to.
func TestTheAnswerIsTheSameForEveryAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(bob, "linked@example.org")
	h.pending("1", "earned@example.org")
	h.pending("2", "linked@example.org")
	for i := range 5 {
		h.ask(core.Identity{Platform: "slack", Tenant: "T9", User: fmt.Sprint(i)}, "wanted@example.org")
	}
	h.sent()
	type look struct{ calls, card, tries string }
	var first look
	for i, kind := range []string{"unknown", "linked", "earned", "wanted"} {
		address := kind + "@example.org"
		asker := core.Identity{Platform: "discord", User: fmt.Sprint(100 + i)}
		noted := &notedStore{real: h.db}
		links := &core.Links{Store: noted, Clock: h, Keys: h.keys}
		v, err := links.Start(t.Context(), core.LinkRequest{
			Account: core.Account{Identity: asker}, Workspace: "w", Email: email(address), At: h.place(),
		})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		all := h.sent()
		var got look
		for _, one := range all {
			if one.kind == delivery.KindPost {
				got.card += fmt.Sprintf("%+v", one.card)
			}
			// The missing mail is all that tells the limit, and only to whoever
			// reads the mailbox.
			if one.kind == delivery.KindMail && one.none != (kind == "wanted") {
				t.Errorf("%s: mail dropped: %v", kind, one.none)
			}
		}
		got.card = strings.NewReplacer(address, "ADDRESS", v.ID, "ID").Replace(got.card)
		// Wrong codes, until there is no try left.
		for range core.MaxTries + 1 {
			_, err := links.EnterCode(t.Context(), asker, v.ID, "nothing")
			var wrong *core.WrongCodeError
			if errors.As(err, &wrong) {
				got.tries += fmt.Sprintf("left %d\n", wrong.Left)
			} else {
				got.tries += fmt.Sprintln(err)
			}
		}
		got.calls = strings.Join(noted.calls, "\n")
		if i == 0 {
			first = got
			if !strings.Contains(got.card, "ADDRESS") || strings.Count(got.tries, "left") != core.MaxTries {
				t.Fatalf("unexpected answer: %+v", got)
			}
			continue
		}
		if got.card != first.card {
			t.Errorf("%s: the card tells it apart:\n%s\n%s", kind, got.card, first.card)
		}
		if got.calls != first.calls {
			t.Errorf("%s: the store does something else:\n%s\n\n%s", kind, got.calls, first.calls)
		}
		if got.tries != first.tries {
			t.Errorf("%s: wrong codes tell it apart:\n%s\n%s", kind, got.tries, first.tries)
		}
	}
}

func TestLimitsOfAsking(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	start := func(who core.Identity, workspace, address string) error {
		_, err := h.links.Start(t.Context(), core.LinkRequest{
			Account: core.Account{Identity: who}, Workspace: workspace, Email: email(address), At: h.place(),
		})
		return err
	}
	for i := range 5 {
		h.must(start(ada, "w1", fmt.Sprintf("a%d@example.org", i)))
		h.pass(time.Minute)
	}
	h.wants(start(ada, "w1", "a9@example.org"), core.ErrTooMany)
	// Neither another workspace nor another account of the same member helps.
	h.wants(start(ada, "w2", "a9@example.org"), core.ErrTooMany)
	h.must(start(bob, "w1", "a9@example.org"))
	// What was refused is not counted: an hour after the first one it is free
	// again.
	h.pass(56 * time.Minute)
	h.must(start(ada, "w1", "a9@example.org"))
	h.wants(start(ada, "w1", "a9@example.org"), core.ErrTooMany)

	h.pass(2 * time.Hour)
	for i := range 200 {
		h.must(start(core.Identity{Platform: "slack", Tenant: "T3", User: fmt.Sprint(i)}, "busy", fmt.Sprintf("x%d@example.org", i)))
	}
	h.wants(start(ada, "busy", "x@example.org"), core.ErrTooMany)
	h.must(start(ada, "quiet", "x@example.org"))
}

func TestEnterCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	v, right := h.ask(ada, "ada@example.org")

	_, err := h.links.EnterCode(ctx, bob, v.ID, right)
	h.wants(err, core.ErrNotFound)
	_, err = h.links.EnterCode(ctx, ada, core.NewID(), right)
	h.wants(err, core.ErrNotFound)
	_, err = h.links.EnterCode(ctx, ada, v.ID, "")
	var wrong *core.WrongCodeError
	if !errors.As(err, &wrong) || wrong.Left != core.MaxTries-1 || strings.Contains(err.Error(), right) {
		t.Fatalf("got %v", err)
	}
	got, err := h.links.EnterCode(ctx, ada, v.ID, right)
	h.must(err)
	if got.ID != v.ID || got.Email.Normal != "ada@example.org" {
		t.Errorf("proved %+v", got)
	}
	_, err = h.links.EnterCode(ctx, ada, v.ID, right)
	h.wants(err, core.ErrGone)
	p, err := h.db.Person(ctx, ada)
	h.must(err)
	if len(p.Addresses) != 1 || p.Addresses[0].Email.Normal != "ada@example.org" || p.MemberID() == "" {
		t.Errorf("person %+v", p)
	}
	if got := titles(h.sent(), ada); !slices.Equal(got, []string{"Linked"}) {
		t.Errorf("told %q", got)
	}
	items := h.items()
	if len(items) != 1 || items[0].Message.Kind != "provider.person" || items[0].Message.Payload != "ada@example.org" {
		t.Fatalf("to do: %+v", items)
	}
	// When the badges were looked up, the card counts them.
	h.pending("1", "ada@example.org")
	h.must(h.links.Found(ctx, items[0].Message.Source, items[0].Message.Key))
	all := h.sent()
	if got := titles(all, ada); !slices.Equal(got, []string{"Linked"}) || !strings.Contains(all[0].card.Text.String(), "1 badge is waiting") {
		t.Errorf("told %+v", all)
	}
	h.must(h.links.Found(ctx, "refresh", items[0].Message.Key))
	if all := h.sent(); len(all) != 0 {
		t.Errorf("told %+v", all)
	}
	// Proving the same address again moves nothing.
	v, right = h.ask(ada, "ada@example.org")
	_, err = h.links.EnterCode(ctx, ada, v.ID, right)
	h.must(err)
	again, err := h.db.Person(ctx, ada)
	h.must(err)
	if len(again.Addresses) != 1 || again.Addresses[0] != p.Addresses[0] || again.MemberID() != p.MemberID() {
		t.Errorf("person %+v", again)
	}
}

func TestACodeDies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		kill func(h *house, v core.Verification)
	}{
		{"by time", func(h *house, _ core.Verification) { h.pass(core.CodeTTL) }},
		{"by a newer one", func(h *house, _ core.Verification) { h.ask(ada, "ada@example.org") }},
		{"by use of its link", func(h *house, v core.Verification) {
			token, err := h.keys.Token(core.PurposeEmail, v.ID)
			h.must(err)
			h.must(h.links.Confirm(h.t.Context(), token))
		}},
		{"by wrong tries", func(h *house, v core.Verification) {
			for i := range core.MaxTries {
				_, err := h.links.EnterCode(h.t.Context(), ada, v.ID, "no")
				var wrong *core.WrongCodeError
				if !errors.As(err, &wrong) || wrong.Left != core.MaxTries-1-i {
					h.t.Errorf("try %d: %v", i, err)
				}
			}
			// The try that is refused closes the link as well.
			_, err := h.links.EnterCode(h.t.Context(), ada, v.ID, "no")
			h.wants(err, core.ErrGone)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			v, right := h.ask(ada, "ada@example.org")
			token, err := h.keys.Token(core.PurposeEmail, v.ID)
			h.must(err)
			look, err := h.links.Look(t.Context(), token)
			h.must(err)
			if look.Dead || look.Verification.Email.Shown != "ada@example.org" {
				t.Errorf("look %+v", look)
			}
			tt.kill(h, v)
			_, err = h.links.EnterCode(t.Context(), ada, v.ID, right)
			h.wants(err, core.ErrGone)
			h.wants(h.links.Confirm(t.Context(), token), core.ErrGone)
			look, err = h.links.Look(t.Context(), token)
			h.must(err)
			if !look.Dead {
				t.Errorf("look %+v", look)
			}
		})
	}
}

func TestForgedEmailLinks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	v, _ := h.ask(ada, "ada@example.org")
	unknown, err := h.keys.Token(core.PurposeEmail, core.NewID())
	h.must(err)
	other, err := h.keys.Token(core.PurposeHandoff, v.ID)
	h.must(err)
	for _, token := range []string{"", "x", v.ID, other} {
		_, err := h.links.Look(t.Context(), token)
		h.wants(err, core.ErrNotFound)
		h.wants(h.links.Confirm(t.Context(), token), core.ErrNotFound)
	}
	_, err = h.links.Look(t.Context(), unknown)
	h.wants(err, core.ErrNotFound)
	h.wants(h.links.Confirm(t.Context(), unknown), core.ErrGone)
}

func TestUnlink(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	h.link(bob, "bob@example.org")
	badge := h.pending("1", "ada@example.org")
	claimed, err := h.claims.Claim(t.Context(), ada, badge, h.place())
	if err != nil || claimed.Result != core.ClaimOpened {
		t.Fatal(claimed, err)
	}
	h.sent()
	p, err := h.db.Person(t.Context(), ada)
	h.must(err)
	id := p.Addresses[0].ID
	_, err = h.links.Unlink(t.Context(), bob, id)
	h.wants(err, core.ErrNotFound)
	_, err = h.links.Unlink(t.Context(), ada, "malformed")
	h.wants(err, core.ErrNotFound)
	removed, err := h.links.Unlink(t.Context(), ada, id)
	h.must(err)
	if removed.Email.Normal != "ada@example.org" {
		t.Errorf("removed %+v", removed)
	}
	_, err = h.links.Unlink(t.Context(), ada, id)
	h.wants(err, core.ErrNotFound)
	_, err = h.claims.Claim(t.Context(), ada, badge, h.place())
	h.wants(err, core.ErrNotFound)
}

// Rule 6: whoever proves a mailbox that is verified elsewhere joins that
// member, with all addresses and open handoffs, and the others are told.
func TestJoining(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	slackAccount := h.link(ada, "ada@example.org")
	h.link(adaElse, "other@example.org")
	badge := h.pending("1", "other@example.org")
	if got, err := h.claims.Claim(ctx, adaElse, badge, h.place()); err != nil || got.Result != core.ClaimOpened {
		t.Fatal(got, err)
	}
	h.sent()

	v, right := h.ask(adaElse, "ada@example.org")
	_, err := h.links.EnterCode(ctx, adaElse, v.ID, right)
	h.must(err)

	for _, who := range []core.Identity{ada, adaElse} {
		p, err := h.db.Person(ctx, who)
		h.must(err)
		addresses := make([]string, 0, len(p.Addresses))
		for _, a := range p.Addresses {
			addresses = append(addresses, a.Email.Normal)
		}
		slices.Sort(addresses)
		if p.MemberID() != slackAccount.MemberID || len(p.Accounts) != 2 ||
			!slices.Equal(addresses, []string{"ada@example.org", "other@example.org"}) {
			t.Errorf("%v is %+v", who, p)
		}
		// An account stays where it is; only whose it is changes.
		for _, a := range p.Accounts {
			if a.Team != "team of "+a.Identity.User {
				t.Errorf("%v is in team %q", a.Identity, a.Team)
			}
		}
	}
	all := h.sent()
	if got := titles(all, ada); !slices.Equal(got, []string{"Another account is connected to you"}) {
		t.Errorf("the other account was told %q", got)
	}
	if got := titles(all, adaElse); !slices.Equal(got, []string{"Linked"}) {
		t.Errorf("the joining account was told %q", got)
	}
	for _, one := range all {
		text := one.card.Summary + one.card.Text.String()
		if one.to == ada && (!strings.Contains(text, "Discord") || !strings.Contains(text, "Name of 1") || strings.Contains(text, "@example.org")) {
			t.Errorf("told %q", text)
		}
	}
	// The handoff that was open is now seen, and found again, by both.
	state, err := h.db.ClaimState(ctx, ada, badge, h.now)
	h.must(err)
	if state.Open == nil || state.Open.MemberID != slackAccount.MemberID {
		t.Fatalf("open handoff %+v", state.Open)
	}
	if got, err := h.claims.Claim(ctx, ada, badge, h.place()); err != nil || got.Result != core.ClaimAlreadyOpen {
		t.Errorf("claim by the other account: %+v, %v", got, err)
	}
	token, err := h.keys.Token(core.PurposeHandoff, state.Open.ID)
	h.must(err)
	_, err = h.passes.Follow(ctx, token)
	h.must(err)
}

// Two people who prove each other's mailbox at the same moment end as one
// member, whoever is first.
func TestJoiningInBothDirectionsAtOnce(t *testing.T) {
	t.Parallel()
	h := houseOn(t, testpg.New(t))
	ctx := t.Context()
	h.must(h.db.Migrate(ctx))
	for round := range 8 {
		one := core.Identity{Platform: "slack", Tenant: "T1", User: fmt.Sprint(round)}
		two := core.Identity{Platform: "discord", User: fmt.Sprint(round)}
		mails := []string{fmt.Sprintf("one-%d@example.org", round), fmt.Sprintf("two-%d@example.org", round)}
		h.link(one, mails[0])
		h.link(two, mails[1])
		v1, code1 := h.ask(one, mails[1])
		v2, code2 := h.ask(two, mails[0])
		var gate, group sync.WaitGroup
		gate.Add(1)
		errs := make([]error, 2)
		group.Go(func() {
			gate.Wait()
			_, errs[0] = h.links.EnterCode(ctx, one, v1.ID, code1)
		})
		group.Go(func() {
			gate.Wait()
			_, errs[1] = h.links.EnterCode(ctx, two, v2.ID, code2)
		})
		gate.Done()
		group.Wait()
		h.must(errors.Join(errs...))
		p, err := h.db.Person(ctx, one)
		h.must(err)
		q, err := h.db.Person(ctx, two)
		h.must(err)
		if p.MemberID() != q.MemberID() || len(p.Accounts) != 2 || len(p.Addresses) != 2 {
			t.Fatalf("round %d: %+v and %+v", round, p, q)
		}
	}
}
