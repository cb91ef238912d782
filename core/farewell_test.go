package core_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

// home is a house of which everything that is stored can be looked at.
type home struct {
	*house
	bye *core.Farewells
	// installed are the workspaces for which the credentials work.
	installed map[string]bool
	raw       *sql.DB
	postgres  bool
}

// eachHome runs a test on both databases.
func eachHome(t *testing.T, f func(t *testing.T, h *home)) {
	t.Helper()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &home{installed: map[string]bool{}, postgres: name == "postgres"}
			driver, source := "postgres", ""
			if h.postgres {
				source = testpg.New(t)
				h.house = houseOn(t, source)
			} else {
				file := filepath.Join(t.TempDir(), "laurel.db")
				driver, source = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"
				h.house = houseOn(t, "sqlite:"+file)
			}
			h.must(h.db.Migrate(t.Context()))
			var err error
			h.raw, err = sql.Open(driver, source)
			h.must(err)
			t.Cleanup(func() { _ = h.raw.Close() })
			h.bye = &core.Farewells{
				Store: h.db, Clock: h, Log: slog.New(slog.DiscardHandler),
				Installed: func(_ context.Context, p core.Platform, tenant string) bool { return h.installed[string(p)+":"+tenant] },
			}
			f(t, h)
		})
	}
}

// stored is every value of every table, a line each.
func (h *home) stored() string {
	h.t.Helper()
	names := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
	if h.postgres {
		names = `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`
	}
	var tables []string
	h.rows(names, func(_ []string, values []any) { tables = append(tables, fmt.Sprint(values[0])) })
	var b strings.Builder
	for _, table := range tables {
		h.rows(`SELECT * FROM `+table, func(columns []string, values []any) {
			for i, v := range values {
				fmt.Fprintf(&b, "%s.%s: %v\n", table, columns[i], v)
			}
		})
	}
	return b.String()
}

func (h *home) rows(query string, row func(columns []string, values []any)) {
	h.t.Helper()
	rows, err := h.raw.QueryContext(h.t.Context(), query)
	h.must(err)
	columns, err := rows.Columns()
	h.must(err)
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		h.must(rows.Scan(places...))
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				values[i] = string(raw)
			}
		}
		row(columns, values)
	}
	h.must(errors.Join(rows.Err(), rows.Close()))
}

// holdsNone fails for each of the texts that is still stored.
func (h *home) holdsNone(texts ...string) {
	h.t.Helper()
	stored := h.stored()
	for _, text := range texts {
		for line := range strings.Lines(stored) {
			// What was done stays in the audit, by ids of what is gone.
			if !strings.HasPrefix(line, "audit.subject:") && strings.Contains(strings.ToLower(line), strings.ToLower(text)) {
				h.t.Errorf("rule 8: %q is still stored: %s", text, line)
			}
		}
	}
}

// settled is a person with two accounts, two addresses and everything that
// one can have, and all texts by which that could be found.
func (h *home) settled() (traces []string) {
	h.t.Helper()
	ctx := h.t.Context()
	note := func(more ...string) { traces = append(traces, more...) }
	a := h.link(ada, "Ada.One@example.org", "left@example.org")
	b := h.link(adaElse, "ada.two@example.org")
	note("ada.one@", "ada.two@", "ada.three@", "Name of U1", "Name of 1", a.ID, a.MemberID, b.ID, b.MemberID)

	// A badge of an address that was taken off has a handoff that stays.
	left := h.pending("left", "left@example.org")
	_, err := h.claims.Claim(ctx, ada, left, h.place())
	h.must(err)
	p, err := h.db.Person(ctx, ada)
	h.must(err)
	_, err = h.links.Unlink(ctx, ada, p.Addresses[1].ID)
	h.must(err)

	waits := h.pending("1", "Ada.One@example.org")
	granted := h.granted("a2", "ada.two@example.org")
	_, err = h.claims.Claim(ctx, ada, waits, h.place())
	h.must(err)
	_, err = h.claims.Claim(ctx, adaElse, granted, h.place())
	h.must(err)
	note(waits, granted)

	// The two become one, which tells the first.
	v, code := h.ask(adaElse, "Ada.One@example.org")
	_, err = h.links.EnterCode(ctx, adaElse, v.ID, code)
	h.must(err)
	// Not everything of it has arrived, and another address is on its way.
	_, err = h.links.Start(ctx, core.LinkRequest{
		Account: core.Account{Identity: ada}, Workspace: "slack:T1", Email: email("ada.three@example.org"), At: h.place(),
	})
	h.must(err)
	h.must(h.db.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
		return errors.Join(
			tx.QueueWork(ctx, "portal", "e1", "portal.event", `{"email":"ADA.ONE@Example.org","first_name":"Augusta"}`, h.now),
			tx.QueueWork(ctx, "portal", "e2", "portal.event", `{"email":"bob@example.org"}`, h.now),
		)
	}))
	note("augusta")
	return traces
}

func (h *home) person(who core.Identity) core.Person {
	h.t.Helper()
	p, err := h.db.Person(h.t.Context(), who)
	h.must(err)
	return p
}

// Whoever asks to be forgotten leaves nothing, in whichever chat they ask,
// and can come back.
func TestForget(t *testing.T) {
	t.Parallel()
	eachHome(t, func(t *testing.T, h *home) {
		ctx := t.Context()
		h.link(bob, "bob@example.org")
		other := h.pending("9", "bob@example.org")
		traces := h.settled()
		h.wants(h.bye.Forget(ctx, core.Identity{Platform: "slack", Tenant: "T2", User: "U1"}), core.ErrNotFound)
		if p := h.person(ada); len(p.Accounts) != 2 || len(p.Addresses) != 2 {
			t.Fatalf("the person before: %+v", p)
		}

		h.must(h.bye.Forget(ctx, adaElse))
		h.holdsNone(append(traces, ":T1:U1", "discord::1")...)
		for _, who := range []core.Identity{ada, adaElse} {
			if p := h.person(who); p.Account != nil {
				t.Errorf("still known: %+v", p)
			}
		}
		h.wants(h.bye.Forget(ctx, ada), core.ErrNotFound)
		stored := h.stored()
		for _, kept := range []string{"audit.kind: person.forgotten", "audit.kind: badge.claim", "counters.name: erased", "bob@example.org", "inbox.event_key: e2"} {
			if !strings.Contains(stored, kept) {
				t.Errorf("%q is gone as well", kept)
			}
		}
		if h.stage(other) != core.StagePending || len(h.person(bob).Addresses) != 1 {
			t.Error("somebody else's things are gone")
		}
		// What was on its way arrives nowhere.
		for _, one := range h.sent() {
			t.Errorf("sent after all: %+v", one)
		}

		// A newcomer like any other: what the provider has comes back.
		v, code := h.ask(ada, "Ada.One@example.org")
		_, err := h.links.EnterCode(ctx, ada, v.ID, code)
		h.must(err)
		h.must(h.rec.ReadPerson(ctx, email("Ada.One@example.org")))
		badges, err := h.db.BadgesOf(ctx, h.person(ada).MemberID())
		if err != nil || len(badges) != 1 || badges[0].Badge.ProviderID != "at-1" || badges[0].Handoff != nil {
			t.Errorf("back with %+v, %v", badges, err)
		}
	})
}

// Whatever else the person and their devices do at that moment, it is done
// before and deleted, or comes after and finds nothing, or somebody new.
func TestForgetBesideEverythingElse(t *testing.T) {
	t.Parallel()
	eachHome(t, func(t *testing.T, h *home) {
		ctx := t.Context()
		for round := range 5 {
			mail := fmt.Sprintf("ada%d@example.org", round)
			a := h.link(ada, mail)
			badge := h.pending(fmt.Sprint(round), mail)
			v, code := h.ask(ada, "more."+mail)
			agree := h.askedToCelebrate(fmt.Sprint("public", round), mail)
			var group sync.WaitGroup
			for name, f := range map[string]func() error{
				"forget": func() error { return h.bye.Forget(ctx, ada) },
				"agree":  agree,
				"claim":  func() error { _, err := h.claims.Claim(ctx, ada, badge, h.place()); return err },
				"prove":  func() error { _, err := h.links.EnterCode(ctx, ada, v.ID, code); return err },
				"ask": func() error {
					_, err := h.links.Start(ctx, core.LinkRequest{Account: core.Account{Identity: ada}, Email: email("new@example.org"), At: h.place()})
					return err
				},
			} {
				group.Go(func() {
					err := f()
					if name == "forget" && err != nil || err != nil && !errors.Is(err, core.ErrNotFound) && !errors.Is(err, core.ErrGone) {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			group.Wait()
			h.holdsNone(mail, a.ID, a.MemberID, badge)
			if err := h.bye.Forget(ctx, ada); err != nil && !errors.Is(err, core.ErrNotFound) {
				t.Error(err)
			}
		}
	})
}

// askedToCelebrate is Ada's public badge of which her team may not know yet;
// what is returned agrees to it.
func (h *home) askedToCelebrate(id, mail string) (agree func() error) {
	h.t.Helper()
	ctx := h.t.Context()
	h.must(h.db.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
		channel, err := tx.EnsureAccount(ctx, core.Account{Identity: core.ChannelIdentity("slack", "T1", "C1")}, h.now)
		if err != nil {
			return err
		}
		if _, err := tx.EnsureAccount(ctx, core.Account{Identity: ada, Team: "slack:T1"}, h.now); err != nil {
			return err
		}
		return tx.SaveCustoms(ctx, "slack:T1", core.CustomsChange{CelebrateIn: &channel.ID}, h.now)
	}))
	o := h.award(id, mail)
	o.BadgeURL = "https://www.credly.com/badges/" + id
	h.say(o, core.StagePending)
	h.say(o, core.StagePublic)
	var d core.Decision
	h.rows(`SELECT question, n FROM celebrations`, func(_ []string, values []any) {
		n, ok := values[1].(int64)
		if !ok {
			h.t.Fatalf("number %v", values[1])
		}
		d = core.Decision{Choice: core.ChooseShare, Question: fmt.Sprint(values[0]), Numbers: []int{int(n)}}
	})
	s := &core.Celebrations{Store: h.db, Clock: h, Provider: h.prov}
	return func() error { return s.Decide(ctx, ada, d, h.place()) }
}

// The people of a workspace that removed the bot are kept for some hours and
// then gone; those who are elsewhere as well lose only their account there.
func TestRemovedWorkspace(t *testing.T) {
	t.Parallel()
	eachHome(t, func(t *testing.T, h *home) {
		ctx := t.Context()
		sweep := func(want int) {
			t.Helper()
			if n, err := h.bye.Sweep(ctx); n != want || err != nil {
				t.Fatalf("erased %d accounts, %v, want %d", n, err, want)
			}
		}
		traces := h.settled()
		for i := range 60 {
			h.link(core.Identity{Platform: "slack", Tenant: "T1", User: fmt.Sprintf("UMANY%d", i)}, fmt.Sprintf("many%d@example.org", i))
		}
		elsewhere := core.Identity{Platform: "slack", Tenant: "T2", User: "U7"}
		h.link(elsewhere, "else@example.org")
		h.pending("many", "many7@example.org")
		h.sent()
		h.say(h.prov.badges["at-many"], core.StageAccepted)

		// Credentials that are void remove nobody, however long.
		h.must(h.db.MarkInstallation(ctx, "slack", "T1", "token_revoked", h.now))
		h.pass(48 * time.Hour)
		sweep(0)
		h.must(h.bye.Remove(ctx, "slack", "T1"))
		h.pass(core.KeepRemoved - time.Minute)
		sweep(0)
		h.must(h.bye.Remove(ctx, "slack", "T1"))
		if h.person(ada).Account == nil {
			t.Fatal("gone before its time")
		}
		h.pass(time.Minute)
		sweep(61)
		sweep(0)

		h.holdsNone("UMANY", "many7", "slack:T1:U", "Name of U1", traces[5])
		p := h.person(adaElse)
		if len(p.Accounts) != 1 || len(p.Addresses) != 2 || h.person(ada).Account != nil {
			t.Errorf("who is elsewhere as well: %+v", p)
		}
		badges, err := h.db.BadgesOf(ctx, p.MemberID())
		if err != nil || len(badges) != 2 {
			t.Errorf("badges %+v, %v", badges, err)
		}
		if h.person(elsewhere).Account == nil {
			t.Error("somebody of another workspace is gone")
		}
		stored := h.stored()
		for _, want := range []string{"audit.kind: workspace.erased", "audit.subject: slack:T1\n", "installations.removed_at: 0\n", "installations.dead: token_revoked\n"} {
			if !strings.Contains(stored, want) {
				t.Errorf("not stored: %q", want)
			}
		}
		// It comes back: whoever is there now is new, and is not erased.
		h.link(ada, "new@example.org")
		h.pass(48 * time.Hour)
		sweep(0)
		if p := h.person(ada); p.Account == nil || len(p.Accounts) != 1 {
			t.Errorf("the newcomer: %+v", p)
		}
		// It goes once more, as does the other's only workspace.
		h.must(h.bye.Remove(ctx, "slack", "T1"))
		h.must(h.bye.Remove(ctx, "slack", "T2"))
		h.pass(core.KeepRemoved)
		sweep(2)
		h.holdsNone("new@", "else@", ":T2:")
	})
}

// A workspace that has the bot again keeps everything, whether the
// credentials tell it or a person who acts there; and what waited is sent.
func TestWorkspaceComesBack(t *testing.T) {
	t.Parallel()
	eachHome(t, func(t *testing.T, h *home) {
		ctx := t.Context()
		h.link(ada, "ada@example.org")
		badge := h.pending("1", "ada@example.org")
		sweep := func() {
			t.Helper()
			if n, err := h.bye.Sweep(ctx); n != 0 || err != nil {
				t.Fatalf("erased %d accounts, %v", n, err)
			}
		}
		for how, back := range map[string]func(){
			"credentials": func() { h.installed["slack:T1"] = true },
			"a person":    func() { h.link(ada) },
		} {
			h.installed["slack:T1"] = true
			h.must(h.bye.Remove(ctx, "slack", "T1"))
			// Credentials that still work a moment after are no return.
			sweep()
			h.installed["slack:T1"] = false
			if _, err := h.claims.Claim(ctx, ada, badge, h.place()); err != nil {
				t.Fatal(err)
			}
			if all := titles(h.sent(), ada); len(all) != 0 {
				t.Errorf("%s: sent to a workspace that removed the bot: %q", how, all)
			}
			h.pass(time.Hour)
			back()
			sweep()
			if all := titles(h.sent(), ada); len(all) == 0 {
				t.Errorf("%s: what waited was not sent", how)
			}
			h.installed["slack:T1"] = false
			h.pass(48 * time.Hour)
			sweep()
			if len(h.person(ada).Addresses) != 1 {
				t.Fatalf("%s: something is lost", how)
			}
		}
	})
}
