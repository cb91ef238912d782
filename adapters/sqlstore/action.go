package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// StartAction implements [core.ActionStore].
func (d *DB) StartAction(ctx context.Context, key string, now time.Time, stale time.Duration) (bool, error) {
	n, err := d.run().exec(ctx, `INSERT INTO actions (key, started_at, done) VALUES (?, ?, false)
		ON CONFLICT (key) DO UPDATE SET started_at = excluded.started_at
		WHERE NOT actions.done AND actions.started_at < ?`, clean(key), ms(now), ms(now.Add(-stale)))
	return n == 1, err
}

// FinishAction implements [core.ActionStore].
func (d *DB) FinishAction(ctx context.Context, key string, now time.Time) error {
	_, err := d.run().exec(ctx, `INSERT INTO actions (key, started_at, done) VALUES (?, ?, true)
		ON CONFLICT (key) DO UPDATE SET done = true`, clean(key), ms(now))
	return err
}

// ReleaseWaiting implements [core.ActionStore]. Of several deliveries of one
// post the first is enough: it shows what is true when it is sent.
func (d *DB) ReleaseWaiting(ctx context.Context, accountID string, there core.Place, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		account, err := t.lane(ctx, accountID)
		if err != nil {
			return err
		}
		home := account
		home.Lane = account.Lane + core.HomeLaneEnd
		both := texts{account.Lane, home.Lane}
		// Lanes are locked before their deliveries, as everywhere.
		var locked []string
		err = t.all(ctx, &locked, `SELECT lane FROM lanes WHERE lane IN $texts ORDER BY lane FOR UPDATE`, both)
		if err != nil {
			return err
		}
		var waiting []struct {
			ID  int64  `db:"id"`
			Ref string `db:"ref"`
		}
		err = t.all(ctx, &waiting, `SELECT id, ref FROM outbox
			WHERE lane IN $texts AND kind = 'post' AND state = 'waiting' ORDER BY id`, both)
		if err != nil || len(waiting) == 0 {
			return err
		}
		var posts texts
		for _, w := range waiting {
			posts = append(posts, w.Ref)
		}
		_, err = t.exec(ctx, `UPDATE posts SET place_sealed = ?, message_key = NULL, editable_until = ?, shown = ?
			WHERE id IN $texts`, t.db.sealPlace(there), ms(there.EditableUntil), there.Shown, posts)
		if err != nil {
			return err
		}
		for _, w := range waiting {
			_, err := t.exec(ctx, `UPDATE outbox SET state = 'sent', cause = 'superseded', done_at = ?
				WHERE id = ? AND EXISTS (
					SELECT 1 FROM outbox r WHERE r.ref = outbox.ref AND r.kind = 'post' AND r.state = 'ready')`, ms(now), w.ID)
			if err != nil {
				return err
			}
			_, err = t.exec(ctx, `UPDATE outbox SET state = 'ready', available_at = ?
				WHERE id = ? AND state = 'waiting'`, ms(now), w.ID)
			if err != nil {
				return err
			}
		}
		return t.wake(ctx, []laneRow{account, home}, now)
	})
}

// lane returns the lane of an account.
func (t *tx) lane(ctx context.Context, accountID string) (laneRow, error) {
	var row accountRow
	err := t.get(ctx, &row, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = ?`, accountID)
	return laneRow{Lane: row.account().Identity.Lane(), Platform: row.Platform, Tenant: row.Tenant}, err
}

// Audit implements [core.Tx].
func (t *tx) Audit(ctx context.Context, actor, kind, subject string, now time.Time) error {
	t.audits = append(t.audits, kind)
	_, err := t.exec(ctx, `INSERT INTO audit (at, actor, kind, subject) VALUES (?, ?, ?, ?)`, ms(now), actor, kind, subject)
	return err
}

// Count implements [core.Tx].
func (t *tx) Count(ctx context.Context, name string, n int64) error {
	_, err := t.exec(ctx, `INSERT INTO counters (name, value) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value`, name, n)
	return err
}
