package sqlstore

import (
	"cmp"
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

type handoffRow struct {
	ID        string `db:"id"`
	BadgeID   string `db:"badge_id"`
	MemberID  string `db:"member_id"`
	State     string `db:"state"`
	OpenedAt  int64  `db:"opened_at"`
	ExpiresAt int64  `db:"expires_at"`
}

const handoffColumns = `id, badge_id, member_id, state, opened_at, expires_at`

func (r handoffRow) handoff() core.Handoff {
	return core.Handoff{
		ID: r.ID, BadgeID: r.BadgeID, MemberID: r.MemberID, State: core.HandoffState(r.State),
		OpenedAt: at(r.OpenedAt), ExpiresAt: at(r.ExpiresAt),
	}
}

// ClaimState implements [core.ClaimStore].
func (d *DB) ClaimState(ctx context.Context, actor core.Identity, badgeID string, now time.Time) (core.ClaimState, error) {
	r := d.run()
	var row badgeRow
	err := r.get(ctx, &row, `SELECT `+badgeColumns+` FROM `+badgeTables+`
		JOIN addresses d ON d.normal = b.recipient JOIN accounts a ON a.member_id = d.member_id
		WHERE b.id = ? AND a.platform = ? AND a.tenant = ? AND a.user_id = ?`,
		badgeID, actor.Platform, actor.Tenant, actor.User)
	if err != nil {
		return core.ClaimState{}, err
	}
	state := core.ClaimState{Badge: row.badge()}
	var open []handoffRow
	err = r.all(ctx, &open, `SELECT `+handoffColumns+` FROM handoffs
		WHERE badge_id = ? AND state IN ('preparing', 'open') AND expires_at > ?`, badgeID, ms(now))
	if err == nil && len(open) > 0 {
		h := open[0].handoff()
		state.Open = &h
	}
	return state, err
}

// HandoffView implements [core.ClaimStore].
func (d *DB) HandoffView(ctx context.Context, handoffID string) (core.HandoffView, error) {
	var row struct {
		badgeRow
		HandoffID string `db:"handoff_id"`
		MemberID  string `db:"handoff_member"`
		State     string `db:"handoff_state"`
		OpenedAt  int64  `db:"handoff_opened"`
		EndsAt    int64  `db:"handoff_expires"`
		Owned     bool   `db:"owned"`
		SeenBy    string `db:"seen_by"`
		AnyOf     string `db:"any_of"`
	}
	err := d.hot().get(ctx, &row, `SELECT `+badgeColumns+`,
			h.id AS handoff_id, h.member_id AS handoff_member, h.state AS handoff_state,
			h.opened_at AS handoff_opened, h.expires_at AS handoff_expires,
			d.id IS NOT NULL AS owned,
			COALESCE((SELECT a.locale FROM posts p JOIN accounts a ON a.id = p.account_id
				WHERE p.subject_kind = 'handoff' AND p.subject_id = h.id AND a.locale <> ''
				ORDER BY p.created_at DESC, p.id DESC LIMIT 1), '') AS seen_by,
			COALESCE((SELECT a.locale FROM accounts a WHERE a.member_id = h.member_id AND a.locale <> ''
				ORDER BY a.seen_at DESC, a.id DESC LIMIT 1), '') AS any_of
		FROM handoffs h JOIN badges b ON b.id = h.badge_id LEFT JOIN templates t ON t.id = b.template_id
		LEFT JOIN addresses d ON d.normal = b.recipient AND d.member_id = h.member_id
		WHERE h.id = ?`, handoffID)
	if err != nil {
		return core.HandoffView{}, err
	}
	return core.HandoffView{
		Handoff: core.Handoff{
			ID: row.HandoffID, BadgeID: row.ID, MemberID: row.MemberID, State: core.HandoffState(row.State),
			OpenedAt: at(row.OpenedAt), ExpiresAt: at(row.EndsAt),
		},
		Badge: row.badge(), Owned: row.Owned, Locale: cmp.Or(row.SeenBy, row.AnyOf),
	}, nil
}

// FollowHandoff implements [core.ClaimStore].
func (d *DB) FollowHandoff(ctx context.Context, handoffID string, now, pollAt time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var followed []string
		err := t.all(ctx, &followed, `UPDATE handoffs SET state = 'followed', followed_at = ?
			WHERE id = ? AND state = 'open' AND expires_at > ? RETURNING badge_id`, ms(now), handoffID, ms(now))
		if err != nil {
			return err
		}
		if len(followed) == 0 {
			return core.ErrGone
		}
		var recipients texts
		err = t.all(ctx, &recipients, `UPDATE badges SET next_poll_at = ? WHERE id = ? RETURNING recipient`,
			ms(pollAt), followed[0])
		if err != nil {
			return err
		}
		if err := t.touch(ctx, recipients, now); err != nil {
			return err
		}
		return t.tellHandoffs(ctx, []string{handoffID}, false, now)
	})
}

// The statements of expiry. PostgreSQL gets the list as an array: a plan that
// does not know how long it is then looks each of them up.
const (
	closeStale = `UPDATE handoffs SET state = 'expired', closed_at = ? WHERE id `
	staleList  = `SELECT id FROM handoffs WHERE state IN ('preparing', 'open') AND expires_at <= ?
		AND (expires_at, id) > (CAST(? AS bigint), CAST(? AS text))
	ORDER BY expires_at, id LIMIT ? FOR UPDATE SKIP LOCKED`
	expireArray = closeStale + `= ANY (ARRAY(` + staleList + `)) RETURNING id, expires_at`
	expireList  = closeStale + `IN (` + staleList + `) RETURNING id, expires_at`
)

// ExpireHandoffs implements [core.ClaimStore].
func (d *DB) ExpireHandoffs(ctx context.Context, now time.Time, after core.Cursor, limit int) (int, core.Cursor, error) {
	var expired []struct {
		ID        string `db:"id"`
		ExpiresAt int64  `db:"expires_at"`
	}
	query := expireList
	if d.dialect.postgres {
		query = expireArray
	}
	d.prepare(ctx, query, tellSQL)
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		expired = nil
		err := t.hot().all(ctx, &expired, query, ms(now), ms(now), ms(after.At), after.ID, limit)
		if err != nil {
			return err
		}
		ids := make([]string, 0, len(expired))
		for _, h := range expired {
			ids = append(ids, h.ID)
		}
		return t.tellHandoffs(ctx, ids, true, now)
	})
	if err != nil || len(expired) == 0 {
		return 0, after, err
	}
	last := core.Cursor{}
	for _, h := range expired {
		c := core.Cursor{At: at(h.ExpiresAt), ID: h.ID}
		if order := c.At.Compare(last.At); order > 0 || order == 0 && c.ID > last.ID {
			last = c
		}
	}
	return len(expired), last, nil
}

// OpenHandoff implements [core.Tx]. One whose time to be prepared ran out
// is no longer preparing, whatever is stored.
func (t *tx) OpenHandoff(ctx context.Context, id string, now, expiresAt time.Time) error {
	n, err := t.exec(ctx, `UPDATE handoffs SET state = 'open', expires_at = ?
		WHERE id = ? AND state = 'preparing' AND expires_at > ?`, ms(expiresAt), id, ms(now))
	if err == nil && n == 0 {
		err = core.ErrUnmet
	}
	return err
}

// CloseHandoffs implements [core.Tx].
func (t *tx) CloseHandoffs(ctx context.Context, badgeID string, from []core.HandoffState, to core.HandoffState, now time.Time) error {
	states := make(texts, 0, len(from))
	for _, s := range from {
		states = append(states, string(s))
	}
	_, err := t.exec(ctx, `UPDATE handoffs SET state = ?, closed_at = ? WHERE badge_id = ? AND state IN $texts`,
		to, ms(now), badgeID, states)
	return err
}
