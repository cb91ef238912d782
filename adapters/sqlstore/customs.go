package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

type customsRow struct {
	Team        string `db:"team"`
	Plan        string `db:"plan"`
	Zone        string `db:"zone"`
	From        int    `db:"hours_from"`
	To          int    `db:"hours_to"`
	Days        int    `db:"days"`
	CelebrateIn string `db:"celebrate_in"`
}

func (r customsRow) customs() core.Customs {
	c := core.DefaultCustoms()
	var plan core.Plan
	if r.Plan != "" && json.Unmarshal([]byte(r.Plan), &plan) == nil && plan.Check() == nil {
		c.Plan = plan
	}
	if zone, err := time.LoadLocation(r.Zone); err == nil && r.Zone != "" {
		c.Hours.Zone = zone
	}
	if r.Days != 0 {
		c.Hours.From, c.Hours.To = minutes(r.From), minutes(r.To)
		c.Hours.Days = core.Weekdays(r.Days)
	}
	c.CelebrateIn = r.CelebrateIn
	return c
}

// customsOf returns the customs of the teams of the accounts, by team.
func (r runner) customsOf(ctx context.Context, accounts map[string]accountRow) (map[string]core.Customs, error) {
	out := map[string]core.Customs{"": core.DefaultCustoms()}
	var asked texts
	for _, a := range accounts {
		if _, known := out[a.Team]; !known {
			out[a.Team] = core.DefaultCustoms()
			asked = append(asked, a.Team)
		}
	}
	if len(asked) == 0 {
		return out, nil
	}
	var found []customsRow
	err := r.all(ctx, &found, `SELECT team, plan, zone, hours_from, hours_to, days, celebrate_in
		FROM customs WHERE team IN $texts`, asked)
	for _, row := range found {
		out[row.Team] = row.customs()
	}
	return out, err
}

// Customs implements [core.CustomsStore].
func (d *DB) Customs(ctx context.Context, team string) (core.Customs, error) {
	found, err := d.run().customsOf(ctx, map[string]accountRow{"": {Team: team}})
	return found[team], err
}

// SaveCustoms implements [core.Tx].
func (t *tx) SaveCustoms(ctx context.Context, team string, c core.CustomsChange, now time.Time) error {
	team = clean(team)
	_, err := t.exec(ctx, `INSERT INTO customs (team) VALUES (?) ON CONFLICT (team) DO NOTHING`, team)
	if err != nil {
		return err
	}
	if c.Plan != nil {
		plan, err := json.Marshal(c.Plan)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE customs SET plan = ? WHERE team = ?`, string(plan), team); err != nil {
			return err
		}
	}
	if h := c.Hours; h != nil {
		_, err := t.exec(ctx, `UPDATE customs SET zone = ?, hours_from = ?, hours_to = ?, days = ? WHERE team = ?`,
			h.Zone.String(), int(h.From/time.Minute), int(h.To/time.Minute), int(h.Days), team)
		if err != nil {
			return err
		}
	}
	if c.CelebrateIn != nil {
		if _, err := t.exec(ctx, `UPDATE customs SET celebrate_in = ? WHERE team = ?`, *c.CelebrateIn, team); err != nil {
			return err
		}
	}
	if c.Plan == nil && c.Hours == nil {
		return nil
	}
	return t.replan(ctx, team, now)
}

// DropCustoms implements [core.Tx].
func (t *tx) DropCustoms(ctx context.Context, team string, now time.Time) error {
	n, err := t.exec(ctx, `UPDATE customs SET plan = '', zone = '', hours_from = 0, hours_to = 0, days = 0, celebrate_in = ''
		WHERE team = ?`, clean(team))
	if err != nil || n == 0 {
		return err
	}
	return t.replan(ctx, clean(team), now)
}

// replanAtOnce is how many members are looked at again with the change
// itself, for which somebody waits.
const replanAtOnce = 500

// replan begins to have everybody in a team looked at again.
func (t *tx) replan(ctx context.Context, team string, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE customs SET replan_at = ?, replan_after = '' WHERE team = ?`, ms(now), team)
	if err != nil {
		return err
	}
	return t.replanSome(ctx, team, "", replanAtOnce, now)
}

// replanSome has the next members of a team looked at again whose customs are
// locked. Whoever is being looked at just now is waited for: that look may
// have begun with the former customs.
func (t *tx) replanSome(ctx context.Context, team, after string, limit int, now time.Time) error {
	var members texts
	err := t.all(ctx, &members, `SELECT DISTINCT member_id FROM accounts WHERE team = ? AND member_id > ?
		ORDER BY member_id LIMIT ?`, team, after, limit)
	if err != nil {
		return err
	}
	if len(members) > 0 {
		_, err := t.exec(ctx, `UPDATE members SET remind_at = ? WHERE id IN $texts AND NOT channel
			AND (remind_at = 0 OR remind_at > ?)`, ms(now), members, ms(now))
		if err != nil {
			return err
		}
	}
	if len(members) < limit {
		_, err := t.exec(ctx, `UPDATE customs SET replan_at = 0, replan_after = '' WHERE team = ?`, team)
		return err
	}
	_, err = t.exec(ctx, `UPDATE customs SET replan_after = ? WHERE team = ?`, members[len(members)-1], team)
	return err
}

// Replan implements [core.RemindStore].
func (d *DB) Replan(ctx context.Context, now time.Time, limit int) (bool, error) {
	found := false
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var next struct {
			Team  string `db:"team"`
			After string `db:"replan_after"`
		}
		err := t.get(ctx, &next, `SELECT team, replan_after FROM customs WHERE replan_at > 0
			ORDER BY replan_at, team LIMIT 1 FOR UPDATE SKIP LOCKED`)
		found = err == nil
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return t.replanSome(ctx, next.Team, next.After, limit, now)
	})
	return found && err == nil, err
}
