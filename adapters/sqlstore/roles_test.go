package sqlstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/laurelbot/laurel/core"
)

func discordUser(user string) core.Identity { return core.Identity{Platform: "discord", User: user} }

func roleTokensOf(name string) core.RoleTokens {
	return core.RoleTokens{
		Access: core.Secret("access-" + name), Refresh: core.Secret("refresh-" + name), EndsAt: start.Add(7 * 24 * time.Hour),
	}
}

func (w *world) connectRoles(id core.Identity, name string) string {
	w.t.Helper()
	connection, err := w.ConnectRoles(w.t.Context(), id, roleTokensOf(name), start)
	w.must(err)
	return connection
}

func (w *world) takeRoles(now time.Time) []core.RoleConnection {
	w.t.Helper()
	taken, err := w.TakeRoles(w.t.Context(), now, now.Add(time.Minute), 10, "")
	w.must(err)
	return taken
}

// told finishes a connection as if the platform had been told.
func (w *world) toldRoles(c core.RoleConnection, now time.Time) {
	w.t.Helper()
	w.must(w.FinishRoles(w.t.Context(), core.RoleOutcome{Connection: c, Told: "1 0 -", ToldAt: now, Next: now.Add(24 * time.Hour)}))
}

func TestRoleConnections(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := discordUser("100000000000000001")
		id := w.connectRoles(ada, "one")
		if strings.Contains(w.dump(), "access-one") || strings.Contains(w.dump(), "refresh-one") {
			t.Error("tokens lie in the clear")
		}
		first := w.takeRoles(start)
		if len(first) != 1 || first[0].ID != id || first[0].Identity != ada || first[0].MemberID != "" || first[0].Tokens != roleTokensOf("one") {
			t.Fatalf("taken %+v", first)
		}
		if again := w.takeRoles(start.Add(59 * time.Second)); len(again) != 0 {
			t.Errorf("taken within its lease: %+v", again)
		}
		// Its taker is gone: another has it, and nothing of the first counts.
		second := w.takeRoles(start.Add(time.Minute))
		if len(second) != 1 {
			t.Fatalf("taken after its lease: %+v", second)
		}
		if err := w.SaveRoleTokens(ctx, first[0], roleTokensOf("late")); !errors.Is(err, core.ErrUnmet) {
			t.Errorf("tokens of a former taker: %v", err)
		}
		w.toldRoles(first[0], start)
		w.must(w.SaveRoleTokens(ctx, second[0], roleTokensOf("two")))
		// It is wanted while it is worked on: it stays due.
		a := w.account(ada, "ada@example.org")
		w.toldRoles(second[0], start.Add(time.Minute))
		third := w.takeRoles(start.Add(2 * time.Minute))
		if len(third) != 1 || third[0].MemberID != a.MemberID || third[0].Told != "1 0 -" || third[0].Tokens.Access != "access-two" {
			t.Fatalf("taken %+v", third)
		}
		w.toldRoles(third[0], start.Add(2*time.Minute))
		if early := w.takeRoles(start.Add(time.Hour)); len(early) != 0 {
			t.Errorf("taken before its time: %+v", early)
		}
		// Connected again, it is the same one, from the beginning.
		if same := w.connectRoles(ada, "three"); same != id {
			t.Errorf("another connection: %s", same)
		}
		if got := w.takeRoles(start); len(got) != 1 || got[0].Told != "" || got[0].Tokens.Refresh != "refresh-three" {
			t.Errorf("taken %+v", got)
		}
	})
}

// Whatever changes the badges of a person has the connection looked at.
func TestRolesFollowChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := discordUser("100000000000000001")
		a := w.account(ada, "ada@example.org")
		slack := w.account(slackUser("U1"), "ada@example.com")
		w.connectRoles(ada, "one")
		bruno := w.connectRoles(discordUser("100000000000000002"), "bruno")
		settle := func() {
			t.Helper()
			for _, c := range w.takeRoles(start) {
				w.toldRoles(c, start)
			}
		}
		settle()
		o := pending("p1", "ada@example.org")
		steps := []struct {
			name string
			do   func()
		}{
			{"new badge", func() { w.observe(o) }},
			{"public", func() {
				o.Stage, o.At, o.ReadAt = core.StagePublic, o.At.Add(time.Minute), o.ReadAt.Add(time.Minute)
				w.observe(o)
			}},
			{"revoked", func() {
				o.Stage, o.At, o.ReadAt = core.StageRevoked, o.At.Add(time.Minute), o.ReadAt.Add(time.Minute)
				w.observe(o)
			}},
			{"joined", func() {
				w.tx(func(ctx context.Context, tx core.Tx) error {
					return tx.JoinMembers(ctx, slack.MemberID, a.MemberID, start)
				})
			}},
			{"address removed", func() {
				p, err := w.Person(ctx, ada)
				w.must(err)
				for _, d := range p.Addresses {
					if d.Email.Normal == "ada@example.com" {
						w.tx(func(ctx context.Context, tx core.Tx) error {
							_, err := tx.RemoveAddress(ctx, d.ID, ada, start)
							return err
						})
					}
				}
			}},
			{"address added", func() {
				w.tx(func(ctx context.Context, tx core.Tx) error {
					return tx.AddAddress(ctx, core.Address{ID: core.NewID(), MemberID: a.MemberID, Email: email("ada@example.net"), VerifiedAt: start})
				})
			}},
			{"address erased", func() {
				w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseAddress(ctx, "ada@example.net", start) })
			}},
		}
		for _, step := range steps {
			step.do()
			taken := w.takeRoles(start)
			if len(taken) != 1 || taken[0].Identity != ada || taken[0].Ending || taken[0].MemberID != a.MemberID {
				t.Errorf("%s: taken %+v", step.name, taken)
			}
			for _, c := range taken {
				w.toldRoles(c, start)
			}
		}
		if n := w.count(`SELECT count(*) FROM role_connections WHERE id = ? AND wanted = 0`, bruno); n != 1 {
			t.Error("somebody else's connection was looked at")
		}
	})
}

// A person who is forgotten leaves nothing but the tokens that are needed to
// take back what was told.
func TestEraseRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := discordUser("100000000000000001")
		w.account(ada, "ada@example.org")
		w.connectRoles(ada, "one")
		w.toldRoles(w.takeRoles(start)[0], start)
		if s, err := w.RoleStanding(ctx, ada); err != nil || !s.ToldAt.Equal(start) {
			t.Errorf("standing %+v, %v", s, err)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, ada, start) })
		if strings.Contains(w.dump(), ada.User) {
			t.Error("the person is still there")
		}
		if _, err := w.RoleStanding(ctx, ada); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("standing: %v", err)
		}
		taken := w.takeRoles(start)
		if len(taken) != 1 || !taken[0].Ending || taken[0].Tokens != roleTokensOf("one") || taken[0].Told != "" {
			t.Fatalf("taken %+v", taken)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.DropRoles(ctx, taken[0]) })
		err := w.InTx(ctx, func(ctx context.Context, tx core.Tx) error { return tx.DropRoles(ctx, taken[0]) })
		if n := w.count(`SELECT count(*) FROM role_connections`); n != 0 || !errors.Is(err, core.ErrUnmet) {
			t.Errorf("%d left, dropped twice: %v", n, err)
		}

		// By the person's own wish it ends with its name, so that it can be made
		// again at once.
		id := w.connectRoles(ada, "two")
		end := func(ctx context.Context, tx core.Tx) error { return tx.DisconnectRoles(ctx, ada, start) }
		w.tx(end)
		if err := w.InTx(ctx, end); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("disconnected twice: %v", err)
		}
		if same := w.connectRoles(ada, "three"); same != id {
			t.Errorf("another connection: %s", same)
		}
		if got := w.takeRoles(start); len(got) != 1 || got[0].Ending {
			t.Errorf("taken %+v", got)
		}
	})
}

// Several replicas take each connection once.
func TestRolesAreTakenOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, user := range []string{"1", "2", "3", "4", "5", "6"} {
			w.connectRoles(discordUser(user), user)
		}
		counts := make([]int, 4)
		errs := race(len(counts), func(i int) error {
			taken, err := w.TakeRoles(t.Context(), start, start.Add(time.Minute), 10, "")
			counts[i] = len(taken)
			return err
		})
		w.must(errors.Join(errs...))
		total := 0
		for _, n := range counts {
			total += n
		}
		if total != 6 {
			t.Errorf("taken %v, want six altogether", counts)
		}
	})
}

// Tokens that no key opens are not taken for none, unless they were emptied.
func TestRoleTokensWithoutTheirKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.turned('x').connectRoles(discordUser("1"), "lost")
		got := w.takeRoles(start)
		if len(got) != 1 || got[0].Tokens != (core.RoleTokens{}) || !got[0].Unreadable {
			t.Fatalf("taken %+v", got)
		}
		later := start.Add(10 * time.Minute)
		w.must(w.FinishRoles(t.Context(), core.RoleOutcome{Connection: got[0], Next: later}))
		other := w.turned('x').takeRoles(later)
		if len(other) != 1 || other[0].Tokens != roleTokensOf("lost") || other[0].Unreadable {
			t.Errorf("taken with its key %+v", other)
		}
		if done := w.rekey(RekeyOptions{Discard: true}); done.Discarded != 1 {
			t.Errorf("emptied: %+v", done)
		}
		if got := w.takeRoles(later.Add(time.Minute)); len(got) != 1 || got[0].Tokens != (core.RoleTokens{}) || got[0].Unreadable {
			t.Errorf("taken when emptied %+v", got)
		}
	})
}

// A connection that ends is known to be old once its person has another.
func TestNewerRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := discordUser("100000000000000001")
		newer := func(c core.RoleConnection, want bool) {
			t.Helper()
			if got, err := w.NewerRoles(ctx, c, ada); err != nil || got != want {
				t.Errorf("newer %v, %v", got, err)
			}
		}
		w.connectRoles(discordUser("2"), "bruno")
		w.account(ada, "ada@example.org")
		w.connectRoles(ada, "one")
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.DisconnectRoles(ctx, ada, start) })
		var old core.RoleConnection
		for _, c := range w.takeRoles(start) {
			if c.Ending {
				old = c
			}
		}
		newer(old, false)
		w.connectRoles(ada, "two")
		newer(old, true)
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, ada, start) })
		again := w.takeRoles(start)
		if len(again) != 1 || again[0].Identity.User != "" {
			t.Fatalf("taken %+v", again)
		}
		newer(again[0], false)
		id := w.connectRoles(ada, "three")
		newer(again[0], true)
		for _, c := range w.takeRoles(start) {
			newer(c, false)
			w.toldRoles(c, start)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.RetellRoles(ctx, ada, start) })
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.RetellRoles(ctx, core.Identity{Platform: "discord"}, start)
		})
		if got := w.takeRoles(start); len(got) != 1 || got[0].ID != id || got[0].Told != "" {
			t.Errorf("told anew: %+v", got)
		}
		if n, err := w.CountRoles(ctx); err != nil || n != 3 {
			t.Errorf("%d connections, %v", n, err)
		}
	})
}

// Up to connections, with some of them, and back: nothing else changes.
func TestRolesMigrateAndBack(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, w *world, p *goose.Provider) {
		ctx := t.Context()
		w.must(w.Migrate(ctx))
		_, err := p.DownTo(ctx, 9)
		w.must(err)
		_, err = w.run().exec(ctx, `INSERT INTO members (id, created_at) VALUES ('m', 1)`)
		w.must(err)
		_, err = w.run().exec(ctx, `INSERT INTO accounts (id, platform, tenant, user_id, member_id, seen_at, created_at)
			VALUES ('a', 'discord', '', '1', 'm', 1, 1)`)
		w.must(err)
		before := w.dumpBut("goose_db_version")
		w.must(w.Migrate(ctx))
		w.connectRoles(discordUser("1"), "one")
		if got := w.takeRoles(start); len(got) != 1 || got[0].MemberID != "m" {
			t.Errorf("taken %+v", got)
		}
		w.post(core.Account{ID: "a"}, core.Subject{Kind: core.SubjectRoles, ID: "a"}, core.Place{}, start)
		_, err = w.run().exec(ctx, `DELETE FROM audit`)
		w.must(err)
		_, err = p.DownTo(ctx, 9)
		w.must(err)
		if after := w.dumpBut("goose_db_version"); after != before {
			t.Errorf("after up and down:\n%s\nwas\n%s", after, before)
		}
	})
}
