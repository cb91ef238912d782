package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// save changes customs.
func (w *world) save(team string, c core.CustomsChange, now time.Time) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx core.Tx) error { return tx.SaveCustoms(ctx, team, c, now) })
}

// inTeam notes that an account was met in a team.
func (w *world) inTeam(id core.Identity, team string) core.Account {
	w.t.Helper()
	var a core.Account
	w.tx(func(ctx context.Context, tx core.Tx) (err error) {
		a, err = tx.EnsureAccount(ctx, core.Account{Identity: id, Team: team}, start)
		return err
	})
	return a
}

// Who changes one thing leaves the others as they are, and other teams alone.
func TestCustomsPartByPart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		tokyo, err := time.LoadLocation("Asia/Tokyo")
		w.must(err)
		want := core.DefaultCustoms()
		same := func(when string) {
			t.Helper()
			got, err := w.Customs(t.Context(), "slack:T1")
			w.must(err)
			if !maps.EqualFunc(got.Plan, want.Plan, slices.Equal) || got.CelebrateIn != want.CelebrateIn ||
				got.Hours.Zone.String() != want.Hours.Zone.String() || got.Hours.From != want.Hours.From ||
				got.Hours.To != want.Hours.To || got.Hours.Days != want.Hours.Days {
				t.Errorf("%s: %+v, want %+v", when, got, want)
			}
		}
		same("at first")
		want.Plan = core.Plan{core.PolicyPending: {2}, core.PolicyExpiring: {}}
		w.save("slack:T1", core.CustomsChange{Plan: want.Plan}, start)
		same("with a plan")
		want.Hours = core.Hours{Zone: tokyo, From: 0, To: 24 * time.Hour, Days: core.EveryDay}
		w.save("slack:T1", core.CustomsChange{Hours: &want.Hours}, start)
		same("with hours")
		want.CelebrateIn = "a7"
		w.save("slack:T1", core.CustomsChange{CelebrateIn: &want.CelebrateIn}, start)
		same("with a channel")
		w.save("slack:T2", core.CustomsChange{Plan: core.Plan{}}, start)
		same("with another team")
		if got, err := w.Customs(t.Context(), "slack:T3"); err != nil || !got.Usual() {
			t.Errorf("a team that chose nothing: %+v, %v", got, err)
		}
		// What is stored and is no plan, e.g. of a later version, is none.
		_, err = w.run().exec(t.Context(), `UPDATE customs SET plan = '{"daily":[1]}', zone = 'Mars/Base' WHERE team = 'slack:T2'`)
		w.must(err)
		if got, err := w.Customs(t.Context(), "slack:T2"); err != nil || !got.Usual() {
			t.Errorf("a team with nonsense: %+v, %v", got, err)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.DropCustoms(ctx, "slack:T1", start) })
		want = core.DefaultCustoms()
		same("in the end")
	})
}

// After a change everybody in the team is looked at again, and nobody else,
// however many they are and whatever dies between.
func TestReplanATeam(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const people, teams = replanAtOnce + 30, 2
		w.tx(func(ctx context.Context, tx core.Tx) error {
			for n := range teams * people {
				_, err := tx.EnsureAccount(ctx, core.Account{
					Identity: slackUser(fmt.Sprintf("U%d.%d", n/people, n%people)), Team: fmt.Sprintf("slack:T%d", n/people),
				}, start)
				if err != nil {
					return err
				}
			}
			return nil
		})
		w.inTeam(core.ChannelIdentity("slack", "T0", "C1"), "slack:T0")
		due := func() int { return w.count(`SELECT count(*) FROM members WHERE remind_at = ?`, ms(start)) }

		nowhere := ""
		w.save("slack:T0", core.CustomsChange{CelebrateIn: &nowhere}, start)
		if n := due(); n != 0 {
			t.Errorf("%d are looked at again because of a channel", n)
		}
		later := slackUser("U0.0")
		_, err := w.run().exec(t.Context(), `UPDATE members SET remind_at = ? WHERE id = `+memberOf, ms(start.Add(-time.Hour)),
			later.Platform, later.Tenant, later.User)
		w.must(err)
		w.save("slack:T0", core.CustomsChange{Plan: core.Plan{core.PolicyPending: {2}}}, start)
		if n := due(); n < replanAtOnce-2 || n > replanAtOnce {
			t.Errorf("%d are looked at again at once", n)
		}
		steps := 0
		for more := true; more; steps++ {
			more, err = w.Replan(t.Context(), start, 7)
			w.must(err)
			if more && steps == 2 {
				// Another change begins anew.
				w.save("slack:T0", core.CustomsChange{Plan: core.Plan{core.PolicyPending: {3}}}, start)
			}
		}
		// One of them was to be looked at before that in any case.
		if n := due(); n != people-1 {
			t.Errorf("%d of %d are looked at again", n, people-1)
		}
		if steps < 5 || steps > 12 {
			t.Errorf("it took %d steps of 7", steps)
		}
		if n := w.count(`SELECT count(*) FROM members WHERE remind_at <> 0`); n != people {
			t.Errorf("%d of all people are looked at, want %d", n, people)
		}
	})
}

// A new plan counts for who was planned by the former one.
func TestPlanAfterAChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.account(slackUser("U1"), "ada@example.org")
		w.inTeam(slackUser("U1"), "slack:T1")
		w.observe(pending("p1", "ada@example.org"))
		next := func() time.Time {
			w.plan(start)
			return at(int64(w.count(`SELECT max(remind_at) FROM members`)))
		}
		day := 24 * time.Hour
		if got := next(); got.Before(start.Add(day)) || got.After(start.Add(day+time.Hour)) {
			t.Errorf("by the usual plan: %v", got)
		}
		w.save("slack:T1", core.CustomsChange{Plan: core.Plan{core.PolicyPending: {2}}}, start)
		if got := next(); got.Before(start.Add(2*day)) || got.After(start.Add(2*day+time.Hour)) {
			t.Errorf("by the new plan: %v", got)
		}
		w.save("slack:T1", core.CustomsChange{Plan: core.Plan{}}, start)
		if got := next(); !got.IsZero() {
			t.Errorf("by none: %v", got)
		}
		hours := core.Hours{Zone: time.UTC, From: 20 * time.Hour, To: 21 * time.Hour, Days: core.EveryDay}
		w.save("slack:T1", core.CustomsChange{Plan: core.Plan{core.PolicyPending: {1}}, Hours: &hours}, start)
		if got := next(); got.Hour() != 20 || got.Day() != start.Day()+1 {
			t.Errorf("in the new hours: %v", got)
		}
	})
}
