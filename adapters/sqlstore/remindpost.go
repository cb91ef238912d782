package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

// earlierReminder is the message of the last reminder of a member.
type earlierReminder struct {
	ID            string `db:"id"`
	AccountID     string `db:"account_id"`
	SubjectID     string `db:"subject_id"`
	EditableUntil int64  `db:"editable_until"`
	Shown         bool   `db:"shown"`
	CreatedAt     int64  `db:"created_at"`
}

// recent: what it is about is not too old to be called to mind with the next.
func (e *earlierReminder) recent(now time.Time) bool {
	return ms(now) < e.CreatedAt+editReminderFor.Milliseconds()
}

// editable: the next reminder takes its place, because it is still new or
// was never shown.
func (e *earlierReminder) editable(account string, now time.Time) bool {
	if e == nil || e.AccountID != account {
		return false
	}
	return !e.Shown || e.recent(now) && ms(now) < e.EditableUntil
}

func (t *tx) earlierReminders(ctx context.Context, posts texts) (map[string]*earlierReminder, error) {
	if len(posts) == 0 {
		return nil, nil
	}
	var found []earlierReminder
	err := t.all(ctx, &found, `SELECT id, account_id, subject_id, editable_until, shown, created_at FROM posts
		WHERE id IN $texts AND subject_kind = 'reminder'`, posts)
	out := make(map[string]*earlierReminder, len(found))
	for i := range found {
		out[found[i].ID] = &found[i]
	}
	return out, err
}

// storeReminders stores everything that a look has led to.
func (t *tx) storeReminders(ctx context.Context, now time.Time, plan reminding) error {
	if len(plan.queue) > 0 {
		if err := t.showReminders(ctx, now, &plan); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, `UPDATE members SET remind_at = u.next, reminded_on = u.day, reminder_post = u.post,
			-- The first reminder asks for the time zone.
			asked_zone = asked_zone OR (reminded_on <> '' AND reminded_on <> u.day)
		FROM $rows(id text, next bigint, day text, post text) WHERE members.id = u.id`, rows{plan.members})
	return err
}

func (t *tx) showReminders(ctx context.Context, now time.Time, plan *reminding) error {
	// What somebody asked to hear of again was done before.
	_, err := t.exec(ctx, `INSERT INTO reminder_steps (badge_id, policy, step, reminder)
		SELECT badge_id, policy, step, reminder
		FROM $rows(badge_id text, policy text, step int, reminder text) WHERE true
		ON CONFLICT (badge_id, policy, step) DO UPDATE SET reminder = excluded.reminder`, rows{plan.steps})
	if err != nil {
		return err
	}
	if len(plan.carried) > 0 {
		_, err := t.exec(ctx, `UPDATE reminder_steps SET reminder = u.to_id FROM $rows(from_id text, to_id text)
			WHERE reminder_steps.reminder = u.from_id AND NOT EXISTS (
				SELECT 1 FROM reminder_steps n WHERE n.reminder = u.to_id AND n.badge_id = reminder_steps.badge_id)`, rows{plan.carried})
		if err != nil {
			return err
		}
	}
	if err := t.wake(ctx, plan.lanes, now); err != nil {
		return err
	}
	if err := t.takePosts(ctx, plan); err != nil {
		return err
	}
	if len(plan.fresh) > 0 {
		_, err := t.exec(ctx, `INSERT INTO posts (id, account_id, subject_kind, subject_id, created_at)
			SELECT id, account_id, 'reminder', subject_id, CAST(? AS bigint)
			FROM $rows(id text, account_id text, subject_id text) WHERE true`, ms(now), rows{plan.fresh})
		if err != nil {
			return err
		}
	}
	return t.put(ctx, plan.queue, now)
}

// takePosts has earlier messages show the reminders of today. One that became
// something else since it was read, because somebody pressed a button in it,
// stays that: today's reminder is a message of its own.
func (t *tx) takePosts(ctx context.Context, plan *reminding) error {
	if len(plan.taken) == 0 {
		return nil
	}
	var kept texts
	err := t.all(ctx, &kept, `UPDATE posts SET subject_id = u.subject_id
		FROM $rows(id text, account_id text, subject_id text)
		WHERE posts.id = u.id AND posts.subject_kind = 'reminder' RETURNING posts.id`, rows{plan.taken})
	if err != nil || len(kept) == len(plan.taken) {
		return err
	}
	for _, p := range plan.taken {
		if slices.Contains(kept, p.ID) {
			continue
		}
		other := p.ID
		p.ID = core.NewID()
		plan.fresh = append(plan.fresh, p)
		for i := range plan.queue {
			if plan.queue[i].Ref == other {
				plan.queue[i].Ref = p.ID
			}
		}
		for i := range plan.members {
			if plan.members[i].Post == other {
				plan.members[i].Post = p.ID
			}
		}
	}
	return nil
}
