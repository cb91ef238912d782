package sqlstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func (w *world) verification(a core.Account, address string, now time.Time) core.Verification {
	w.t.Helper()
	v := core.Verification{
		ID: core.NewID(), Account: a, Email: email(address), CodeHash: "hash", State: core.VerificationOpen,
		CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute), Workspace: "slack:T1",
	}
	w.tx(func(ctx context.Context, tx core.Tx) error { return tx.AddVerification(ctx, v) })
	return v
}

func TestEnsureAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		p, err := w.Person(t.Context(), ada)
		w.must(err)
		if p.Account != nil || p.MemberID() != "" {
			t.Errorf("unknown person %+v", p)
		}
		errs := race(8, func(int) error {
			return w.InTx(context.WithoutCancel(t.Context()), func(ctx context.Context, tx core.Tx) error {
				_, err := tx.EnsureAccount(ctx, core.Account{Identity: ada, Locale: "de", TimeZone: "Europe/Vienna"}, start)
				return err
			})
		})
		tally(t, errs, nil)
		if n := w.count(`SELECT count(*) FROM accounts`); n != 1 {
			t.Errorf("%d accounts, want 1", n)
		}
		if n := w.count(`SELECT count(*) FROM members`); n != 1 {
			t.Errorf("%d members, want 1", n)
		}
		var a core.Account
		w.tx(func(ctx context.Context, tx core.Tx) (err error) {
			a, err = tx.EnsureAccount(ctx, core.Account{Identity: ada, DisplayName: "Ada"}, start.Add(time.Second))
			return err
		})
		if a.Locale != "de" || a.TimeZone != "Europe/Vienna" || a.DisplayName != "Ada" {
			t.Errorf("account %+v, want what was known and the name", a)
		}
		got, err := w.Account(t.Context(), a.ID)
		w.must(err)
		if got != a {
			t.Errorf("account %+v, want %+v", got, a)
		}
		if _, err := w.Account(t.Context(), "nothing"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("unknown account: %v", err)
		}
	})
}

func TestTriesAreCountedBeforeTheyAreCompared(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		w.account(slackUser("U2"))
		v := w.verification(a, "ada@example.org", start)
		now := start.Add(time.Minute)
		take := func(actor core.Identity, at time.Time) error {
			_, err := w.TakeTry(context.WithoutCancel(t.Context()), v.ID, actor, 5, at)
			return err
		}
		for name, err := range map[string]error{
			"somebody else": take(slackUser("U2"), now),
			"nobody":        take(slackUser("U9"), now),
		} {
			if !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%s: %v, want ErrNotFound", name, err)
			}
		}
		if _, err := w.TakeTry(t.Context(), "nothing", a.Identity, 5, now); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("unknown verification: %v, want ErrNotFound", err)
		}
		if err := take(a.Identity, v.ExpiresAt); !errors.Is(err, core.ErrGone) {
			t.Errorf("at its end: %v, want ErrGone", err)
		}
		n := tally(t, race(100, func(int) error { return take(a.Identity, now) }), nil, core.ErrGone)
		if n[0] != 5 {
			t.Errorf("%d tries compared, want 5", n[0])
		}
		got, err := w.Verification(t.Context(), v.ID)
		w.must(err)
		if got.State != core.VerificationExhausted || got.Tries != 5 || got.Account.ID != a.ID || got.Email != v.Email {
			t.Errorf("verification %+v", got)
		}
	})
}

func TestUseVerificationOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		v := w.verification(a, "ada@example.org", start)
		use := func(now time.Time) error {
			return w.InTx(context.WithoutCancel(t.Context()), func(ctx context.Context, tx core.Tx) error {
				_, err := tx.UseVerification(ctx, v.ID, now)
				return err
			})
		}
		if err := use(v.ExpiresAt); !errors.Is(err, core.ErrGone) {
			t.Errorf("at its end: %v, want ErrGone", err)
		}
		n := tally(t, race(8, func(int) error { return use(start.Add(time.Minute)) }), nil, core.ErrGone)
		if n[0] != 1 {
			t.Errorf("used %d times, want once", n[0])
		}
		if _, err := w.TakeTry(t.Context(), v.ID, a.Identity, 5, start); !errors.Is(err, core.ErrGone) {
			t.Errorf("try after use: %v, want ErrGone", err)
		}
	})
}

func TestNewVerificationSupersedes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"))
		old := w.verification(a, "ada@example.org", start)
		other := w.verification(a, "else@example.org", start)
		post := w.post(a, core.Subject{Kind: core.SubjectVerification, ID: old.ID}, core.Place{Ref: "r"}, start)
		w.verification(a, "ada@example.org", start.Add(time.Minute))
		for id, want := range map[string]core.VerificationState{
			old.ID: core.VerificationSuperseded, other.ID: core.VerificationOpen,
		} {
			v, err := w.Verification(t.Context(), id)
			w.must(err)
			if v.State != want {
				t.Errorf("state %s, want %s", v.State, want)
			}
		}
		if got := w.texts(`SELECT ref FROM outbox`); len(got) != 1 || got[0] != post {
			t.Errorf("told %v, want the superseded one's post", got)
		}
		var n core.VerificationCounts
		w.tx(func(ctx context.Context, tx core.Tx) (err error) {
			n, err = tx.CountVerifications(ctx, a.MemberID, "ada@example.org", "slack:T1", start)
			return err
		})
		if n != (core.VerificationCounts{Member: 3, Address: 2, Workspace: 3}) {
			t.Errorf("counts %+v", n)
		}
		w.tx(func(ctx context.Context, tx core.Tx) (err error) {
			n, err = tx.CountVerifications(ctx, a.MemberID, "ada@example.org", "slack:T1", start.Add(time.Second))
			return err
		})
		if n != (core.VerificationCounts{Member: 1, Address: 1, Workspace: 1}) {
			t.Errorf("later counts %+v", n)
		}
	})
}

func TestRemoveAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org", "two@example.org")
		w.account(slackUser("U2"), "eve@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		w.claimed(p)
		person, err := w.Person(t.Context(), ada)
		w.must(err)
		if len(person.Addresses) != 2 {
			t.Fatalf("addresses %+v", person.Addresses)
		}
		var id string
		w.must(w.run().get(t.Context(), &id, `SELECT id FROM addresses WHERE normal = ?`, "ada@example.org"))
		remove := func(actor core.Identity) error {
			return w.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error {
				a, err := tx.RemoveAddress(ctx, id, actor, start)
				if err == nil && a.Email.Normal != "ada@example.org" {
					t.Errorf("removed %+v", a)
				}
				return err
			})
		}
		if err := remove(slackUser("U2")); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("somebody else's address: %v, want ErrNotFound", err)
		}
		w.must(remove(ada))
		view, err := w.HandoffView(t.Context(), p.HandoffID)
		w.must(err)
		if view.Handoff.State != core.HandoffFailed || view.Owned {
			t.Errorf("handoff after removal %+v", view)
		}
		badges, err := w.BadgesOf(t.Context(), person.MemberID())
		w.must(err)
		if len(badges) != 0 {
			t.Errorf("still shows %+v", badges)
		}
	})
}

func TestJoinMembers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada, other := slackUser("U1"), core.Identity{Platform: "discord", User: "77"}
		from, into := w.account(ada, "ada@example.org"), w.account(other, "two@example.org")
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.EnsureAccount(ctx, core.Account{Identity: ada, Team: "slack:T1"}, start)
			return err
		})
		_, err := w.run().exec(t.Context(), `UPDATE members SET celebrate = 'never', stopped = true WHERE id = ?`, from.MemberID)
		w.must(err)
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		w.claimed(p)
		w.tx(func(ctx context.Context, tx core.Tx) error {
			locked, err := tx.LockMembers(ctx, into.MemberID, "missing", from.MemberID)
			if err != nil || len(locked) != 2 {
				t.Errorf("locked %v: %v", locked, err)
			}
			return tx.JoinMembers(ctx, from.MemberID, into.MemberID, start)
		})
		person, err := w.Person(t.Context(), ada)
		w.must(err)
		if person.MemberID() != into.MemberID || len(person.Accounts) != 2 || len(person.Addresses) != 2 || person.Account.Identity != ada {
			t.Errorf("person %+v", person)
		}
		if person.Account.Team != "slack:T1" {
			t.Errorf("is in team %q", person.Account.Team)
		}
		// What either of them did not want, the person does not want.
		n := w.count(`SELECT count(*) FROM members WHERE celebrate = 'never' AND stopped AND remind_at = ?`, ms(start))
		if n != 1 {
			t.Error("wishes are not carried over")
		}
		view, err := w.HandoffView(t.Context(), p.HandoffID)
		w.must(err)
		if !view.Owned || view.Handoff.MemberID != into.MemberID {
			t.Errorf("handoff %+v", view)
		}
		if n := w.count(`SELECT count(*) FROM members`); n != 1 {
			t.Errorf("%d members, want 1", n)
		}
		// The claim is open to the joined account as well.
		state, err := w.ClaimState(t.Context(), other, badge, start)
		w.must(err)
		if state.Open == nil {
			t.Error("the joined account does not see the open handoff")
		}
	})
}

func TestEraseAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const address = "ada.lovelace@example.org"
		ada := slackUser("UADA")
		a := w.account(ada, address)
		w.account(slackUser("UEVE"), "eve@example.org")
		granted := award("a1", address)
		granted.Recipient.Shown = "Ada.Lovelace@Example.org"
		granted.FirstName, granted.LastName = "Augusta", "Lovelace"
		w.claimed(claimOf(ada, w.grant(granted), start))
		w.observe(pending("p2", address))
		v := w.verification(a, address, start)
		w.post(a, core.Subject{Kind: core.SubjectVerification, ID: v.ID}, core.Place{Ref: "r", MessageKey: "k"}, start)
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return errors.Join(
				tx.QueueMail(ctx, v.ID, "12345678", start),
				tx.QueueWork(ctx, "link", "x", "provider.person", address, start),
				tx.QueueWork(ctx, "portal", "evt-"+address, "portal.event", `{"email":"Ada.Lovelace@Example.org"}`, start),
				tx.QueueWork(ctx, "portal", "other", "portal.event", `{"email":"eve@example.org"}`, start),
				tx.Audit(ctx, a.MemberID, "address.proved", v.ID, start),
			)
		})
		eve := w.grant(award("a9", "eve@example.org"))
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseAddress(ctx, address, start) })
		text := strings.ToLower(w.dump())
		for _, trace := range []string{"lovelace", "augusta", "uada", a.ID, a.MemberID, "n-a1"} {
			if strings.Contains(text, strings.ToLower(trace)) {
				t.Errorf("%q is still there:\n%s", trace, text)
			}
		}
		if _, err := w.Badge(t.Context(), eve); err != nil {
			t.Errorf("somebody else's badge: %v", err)
		}
		if n := w.count(`SELECT value FROM counters WHERE name = 'erased'`); n != 1 {
			t.Errorf("counted %d, want 1", n)
		}
		items, err := w.TakeItems(t.Context(), start, 10, time.Minute)
		w.must(err)
		if len(items) != 2 { // Somebody else's event, and the issuing of a handoff that is gone.
			t.Errorf("items left: %+v", items)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseAddress(ctx, address, start) })
	})
}

func TestEraseKeepsMemberWithAnotherAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org", "two@example.org")
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseAddress(ctx, "ada@example.org", start) })
		p, err := w.Person(t.Context(), ada)
		w.must(err)
		if p.Account == nil || len(p.Addresses) != 1 || p.Addresses[0].Email.Normal != "two@example.org" {
			t.Errorf("person %+v", p)
		}
	})
}

func TestDueRefreshes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.account(slackUser("U1"), "a@example.org", "b@example.org", "c@example.org")
		first, err := w.DueRefreshes(t.Context(), start, 2, time.Hour)
		w.must(err)
		second, err := w.DueRefreshes(t.Context(), start, 2, time.Hour)
		w.must(err)
		if len(first) != 2 || len(second) != 1 {
			t.Errorf("due %v and %v, want two and one", first, second)
		}
		again, err := w.DueRefreshes(t.Context(), start.Add(time.Hour), 5, time.Hour)
		w.must(err)
		if len(again) != 3 {
			t.Errorf("due after an hour %v, want all", again)
		}
	})
}

func TestInTxRollsBackAndRefusesNesting(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		sentinel := errors.New("no")
		err := w.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error {
			if _, err := tx.EnsureAccount(ctx, core.Account{Identity: slackUser("U1")}, start); err != nil {
				return err
			}
			if _, err := w.Person(ctx, slackUser("U1")); !errors.Is(err, errNested) {
				t.Errorf("store within a transaction: %v", err)
			}
			return sentinel
		})
		if !errors.Is(err, sentinel) {
			t.Errorf("error %v, want that of the work", err)
		}
		if n := w.count(`SELECT count(*) FROM accounts`); n != 0 {
			t.Error("a failed transaction left an account")
		}
		tries := 0
		w.tx(func(context.Context, core.Tx) error {
			if tries++; tries < 3 {
				return core.ErrUnavailable
			}
			return nil
		})
		if tries != 3 {
			t.Errorf("work that asked to begin again ran %d times, want 3", tries)
		}
	})
}

// Two accounts that turn out to be one person's: they are reminded once on a
// day, and what either of them wanted counts.
func TestRemindersOfWhoJoined(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		now := monday()
		ada := w.account(slackUser("U1"), "ada@example.org")
		other := w.account(core.Identity{Platform: "discord", User: "1"}, "two@example.org")
		w.observe(pending("p1", "ada@example.org"))
		w.plan(now)
		w.observe(pending("p2", "two@example.org"))
		until := now.Add(30 * 24 * time.Hour)
		w.must(w.SaveWishes(t.Context(), other.Identity, core.Wishes{
			Zone: "Asia/Tokyo", From: 8 * time.Hour, To: 24 * time.Hour, Days: core.EveryDay, AskedZone: true,
		}, now))
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.JoinMembers(ctx, ada.MemberID, other.MemberID, now)
		})
		if n := w.plan(now.Add(time.Minute)); n.Reminders != 0 || n.Skipped[core.SkippedDay] != 1 {
			t.Errorf("reminded twice on a day: %+v", n)
		}
		v, err := w.WishesOf(t.Context(), slackUser("U1"))
		w.must(err)
		if v.Wishes.Zone != "Asia/Tokyo" || v.Wishes.To != 24*time.Hour || v.Wishes.Days != core.EveryDay || !v.Wishes.AskedZone {
			t.Errorf("wishes %+v", v.Wishes)
		}
		// The other way round.
		third := w.account(slackUser("U3"), "three@example.org")
		w.must(w.SaveWishes(t.Context(), third.Identity, core.Wishes{SnoozedUntil: until}, now))
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.JoinMembers(ctx, third.MemberID, other.MemberID, now)
		})
		v, err = w.WishesOf(t.Context(), third.Identity)
		w.must(err)
		if !v.Wishes.SnoozedUntil.Equal(until) || v.Wishes.Zone != "Asia/Tokyo" || v.Wishes.From != 8*time.Hour {
			t.Errorf("wishes %+v", v.Wishes)
		}
	})
}
