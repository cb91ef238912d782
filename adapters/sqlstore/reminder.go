package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// chosenOf reads the account in which a member is reminded, or any if no
// workspace is alive.
const chosenOf = `SELECT ` + accountColumns + ` FROM accounts a LEFT JOIN installations i
		ON i.platform = a.platform AND i.tenant = a.tenant AND i.dead <> ''
	WHERE a.member_id = ? ORDER BY i.tenant IS NOT NULL, a.seen_at DESC, a.id DESC LIMIT 1`

// ReminderView implements [core.RemindStore].
func (d *DB) ReminderView(ctx context.Context, id string) (core.ReminderView, error) {
	member, day, _ := strings.Cut(id, ".")
	r := d.run()
	var row struct {
		wishesRow
		RemindedOn string `db:"reminded_on"`
		RemindFrom int64  `db:"remind_from"`
	}
	err := r.get(ctx, &row, `SELECT m.reminded_on, m.remind_from, `+wishesColumns+` FROM members m WHERE m.id = ?`, member)
	if err != nil {
		return core.ReminderView{}, err
	}
	view := core.ReminderView{MemberID: member, Day: day, Later: row.RemindedOn > day, Wishes: row.wishes()}
	customs, zoneKnown, err := r.customsFor(ctx, member, view.Wishes)
	if err != nil {
		return core.ReminderView{}, err
	}
	view.Hours, view.AskZone = customs.Hours, !zoneKnown && !view.Wishes.AskedZone
	var steps []struct {
		BadgeID string `db:"badge_id"`
		Policy  string `db:"policy"`
	}
	if err := r.all(ctx, &steps, `SELECT badge_id, policy FROM reminder_steps WHERE reminder = ?`, id); err != nil {
		return core.ReminderView{}, err
	}
	if len(steps) == 0 {
		return view, nil
	}
	why := make(map[string]core.Policy, len(steps))
	for _, s := range steps {
		why[s.BadgeID] = core.Policy(s.Policy)
	}
	due := dueMember{ID: member, RemindFrom: row.RemindFrom}
	occasions, err := r.occasionsOf(ctx, []dueMember{due}, texts{member})
	if err != nil {
		return core.ReminderView{}, err
	}
	holds := map[string]bool{}
	for _, o := range occasions[member] {
		_, holds[o.BadgeID] = o.Reason(why[o.BadgeID])
	}
	badges, err := d.BadgesOf(ctx, member)
	for _, b := range badges {
		if holds[b.Badge.ID] {
			view.Items = append(view.Items, core.ReminderItem{Policy: why[b.Badge.ID], View: b})
		}
	}
	return view, err
}

// customsFor returns what counts for a member, with the member's own hours,
// and whether their zone is the member's own.
func (r runner) customsFor(ctx context.Context, member string, w core.Wishes) (core.Customs, bool, error) {
	var account accountRow
	if err := r.get(ctx, &account, chosenOf, member); err != nil {
		return core.Customs{}, false, err
	}
	customs, err := r.customsOf(ctx, map[string]accountRow{member: account})
	if err != nil {
		return core.Customs{}, false, err
	}
	c := customs[account.Team]
	c.Hours = c.HoursFor(w, account.TimeZone)
	return c, w.Zone != "" || account.TimeZone != "", nil
}

// PostponeReminder implements [core.RemindStore].
func (d *DB) PostponeReminder(ctx context.Context, id string, gone bool, now time.Time) error {
	member, day, _ := strings.Cut(id, ".")
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var quiet int64
		err := t.get(ctx, &quiet, `UPDATE members SET remind_at = ?, reminded_on = '' WHERE id = ? AND reminded_on = ?
			AND EXISTS (SELECT 1 FROM posts p WHERE p.id = members.reminder_post AND p.subject_id = ? AND (NOT p.shown OR ?))
			RETURNING snoozed_until`,
			ms(now), member, day, id, gone)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var posts texts
		err = t.all(ctx, &posts, `DELETE FROM posts WHERE subject_kind = 'reminder' AND subject_id = ? AND (NOT shown OR ?)
			RETURNING id`, id, gone)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `DELETE FROM outbox WHERE ref IN $texts AND kind = 'post' AND state IN ('ready', 'waiting')`, posts)
		if err != nil {
			return err
		}
		if until := at(quiet); quiet > 0 && !now.Before(until) && now.Before(until.Add(againFor)) {
			return t.remindAgain(ctx, member, id, until)
		}
		_, err = t.exec(ctx, `DELETE FROM reminder_steps WHERE reminder = ?`, id)
		return err
	})
}

// againFor is for how long after somebody's quiet a reminder that is taken
// back is one of before it.
const againFor = 6 * 24 * time.Hour

// remindAgain makes what a reminder was about that of one before the quiet:
// some of it may be due for no other reason than that the quiet is over.
func (t *tx) remindAgain(ctx context.Context, member, id string, until time.Time) error {
	// Two days before are before the day of its end in every zone.
	before := until.Add(-48 * time.Hour).Format(time.DateOnly)
	if _, err := t.exec(ctx, `UPDATE members SET reminded_on = ? WHERE id = ?`, before, member); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE reminder_steps SET reminder = ? WHERE reminder = ?`, core.ReminderID(member, before), id)
	return err
}

// memberOf finds the member of an identity.
const memberOf = `(SELECT member_id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?)`

// WishesOf implements [core.RemindStore].
func (d *DB) WishesOf(ctx context.Context, actor core.Identity) (core.WishesView, error) {
	r := d.run()
	var row struct {
		wishesRow
		ID       string `db:"id"`
		NeverAsk bool   `db:"never_ask"`
	}
	err := r.get(ctx, &row, `SELECT m.id, m.celebrate = '`+neverAsk+`' AS never_ask, `+wishesColumns+` FROM members m WHERE m.id = `+memberOf,
		actor.Platform, actor.Tenant, actor.User)
	if err != nil {
		return core.WishesView{}, err
	}
	view := core.WishesView{Wishes: row.wishes(), NeverAsk: row.NeverAsk}
	customs, known, err := r.customsFor(ctx, row.ID, view.Wishes)
	view.Hours, view.Plan, view.ZoneKnown = customs.Hours, customs.Plan, known
	return view, err
}

// SaveWishes implements [core.RemindStore].
func (d *DB) SaveWishes(ctx context.Context, actor core.Identity, w core.Wishes, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var member string
		err := t.get(ctx, &member, `UPDATE members SET stopped = ?, snoozed_until = ?, zone = ?, hours_from = ?, hours_to = ?,
				days = ?, asked_zone = ?, remind_at = ?
			WHERE id = `+memberOf+` RETURNING id`,
			w.Stopped, ms(w.SnoozedUntil), clean(w.Zone), int(w.From/time.Minute), int(w.To/time.Minute), int(w.Days),
			w.AskedZone, ms(now), actor.Platform, actor.Tenant, actor.User)
		if err != nil {
			return err
		}
		if err := t.Audit(ctx, member, "wishes.changed", "", now); err != nil {
			return err
		}
		return t.TellHomes(ctx, member, now)
	})
}

// MarkShared implements [core.RemindStore].
func (d *DB) MarkShared(ctx context.Context, actor core.Identity, badgeID string, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `UPDATE badges SET shared_at = CASE shared_at WHEN 0 THEN CAST(? AS bigint) ELSE shared_at END
			WHERE id = ? AND recipient IN (SELECT normal FROM addresses WHERE member_id = `+memberOf+`)`,
			ms(now), badgeID, actor.Platform, actor.Tenant, actor.User)
		if err == nil && n == 0 {
			err = core.ErrNotFound
		}
		if err != nil {
			return err
		}
		return t.tellHomes(ctx, `a.member_id = `+memberOf, now, actor.Platform, actor.Tenant, actor.User)
	})
}
