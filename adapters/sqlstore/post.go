package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// placeContext binds sealed places to their column.
const placeContext = "posts.place"

type postRow struct {
	accountRow
	ID            string `db:"id"`
	SubjectKind   string `db:"subject_kind"`
	SubjectID     string `db:"subject_id"`
	MessageKey    string `db:"message_key"`
	PlaceSealed   string `db:"place_sealed"`
	EditableUntil int64  `db:"editable_until"`
	Shown         bool   `db:"shown"`
}

// Post implements [core.PostStore]. A place that can no longer be unsealed,
// because the secret key changed, comes back without its Ref: nothing can be
// shown there, another way to the person is tried.
func (d *DB) Post(ctx context.Context, id string) (core.Post, error) {
	var row postRow
	if err := d.hot().get(ctx, &row, postQuery+`p.id = ?`, id); err != nil {
		return core.Post{}, err
	}
	return d.post(ctx, row), nil
}

// postQuery reads [postRow]s.
const postQuery = `SELECT p.id, p.subject_kind, p.subject_id,
		COALESCE(p.message_key, '') AS message_key, p.place_sealed, p.editable_until, p.shown, ` + accountColumns + `
	FROM posts p JOIN accounts a ON a.id = p.account_id WHERE `

func (d *DB) post(ctx context.Context, row postRow) core.Post {
	return core.Post{
		ID: row.ID, Account: row.account(),
		Subject: core.Subject{Kind: core.SubjectKind(row.SubjectKind), ID: row.SubjectID},
		Place: core.Place{
			Ref: d.openPlace(ctx, row), MessageKey: row.MessageKey,
			EditableUntil: at(row.EditableUntil), Shown: row.Shown,
		},
	}
}

func (d *DB) openPlace(ctx context.Context, row postRow) core.Secret {
	if row.PlaceSealed == "" {
		return ""
	}
	ref, err := d.keys.Open(row.PlaceSealed, placeContext)
	if err != nil {
		d.log.WarnContext(ctx, "open place", "post", row.ID, "err", err)
	}
	return core.Secret(ref)
}

func (d *DB) sealPlace(p core.Place) string {
	if p.Ref == "" {
		return ""
	}
	return d.keys.Seal(p.Ref.Reveal(), placeContext)
}

// lockLane locks the lanes of an account, if it has any.
const lockLane = `SELECT l.lane FROM accounts a JOIN lanes l ON l.lane IN (
		a.platform || ':' || a.tenant || ':' || a.user_id, a.platform || ':' || a.tenant || ':' || a.user_id || '` + core.HomeLaneEnd + `')
	WHERE a.id = ? ORDER BY l.lane FOR UPDATE OF l`

// AddPost implements [core.Tx]. A message that is a post already is changed,
// and its lanes are locked before: what became of a delivery is stored in the
// lane first and in the post after it, and two that begin at opposite ends
// wait for each other.
func (t *tx) AddPost(ctx context.Context, p core.Post, now time.Time) (string, error) {
	if t.dialect.postgres && p.Place.MessageKey != "" {
		var locked []string
		if err := t.all(ctx, &locked, lockLane, p.Account.ID); err != nil {
			return "", err
		}
	}
	var id string
	err := t.get(ctx, &id, `INSERT INTO posts
			(id, account_id, subject_kind, subject_id, message_key, place_sealed, editable_until, shown, created_at)
		VALUES (?, ?, ?, ?, NULLIF(?, ''), ?, ?, ?, ?)
		ON CONFLICT (account_id, message_key) DO UPDATE SET
			subject_kind = excluded.subject_kind, subject_id = excluded.subject_id,
			place_sealed = excluded.place_sealed, editable_until = excluded.editable_until,
			shown = excluded.shown, created_at = excluded.created_at
		RETURNING id`,
		p.ID, p.Account.ID, p.Subject.Kind, p.Subject.ID, clean(p.Place.MessageKey), t.db.sealPlace(p.Place),
		ms(p.Place.EditableUntil), p.Place.Shown, ms(now))
	return id, err
}

// ForgetPost implements [core.ActionStore]. A home is followed whatever it
// shows.
func (d *DB) ForgetPost(ctx context.Context, actor core.Identity, messageKey string) error {
	if messageKey == "" || messageKey == core.HomeKey {
		return nil
	}
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var forgotten []string
		err := t.all(ctx, &forgotten, `DELETE FROM posts WHERE message_key = ? AND account_id = (
				SELECT id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?)
			RETURNING id`, messageKey, actor.Platform, actor.Tenant, actor.User)
		if err != nil || len(forgotten) == 0 {
			return err
		}
		_, err = t.exec(ctx, `DELETE FROM outbox
			WHERE ref IN $texts AND kind = 'post' AND state IN ('ready', 'waiting')`, texts(forgotten))
		return err
	})
}
