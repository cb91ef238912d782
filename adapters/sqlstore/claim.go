package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

const issueSource = "issue"

// Claim implements [core.ClaimStore].
func (d *DB) Claim(ctx context.Context, p core.ClaimParams) (core.Handoff, error) {
	var h core.Handoff
	work := func() (err error) {
		h, err = d.claimAtOnce(ctx, p)
		return err
	}
	if !d.dialect.postgres {
		work = func() error {
			return d.once(ctx, func(ctx context.Context, t *tx) (err error) {
				h, err = t.claim(ctx, p)
				return err
			})
		}
	}
	if err := d.again(ctx, work); err != nil {
		return core.Handoff{}, err
	}
	return h, nil
}

// claim opens a handoff step by step, for SQLite: a step costs no round trip
// there, and no other writer is at work.
func (t *tx) claim(ctx context.Context, p core.ClaimParams) (core.Handoff, error) {
	var badge struct {
		Stage     string `db:"stage"`
		AccountID string `db:"account_id"`
		MemberID  string `db:"member_id"`
	}
	err := t.get(ctx, &badge, `SELECT b.stage, a.id AS account_id, a.member_id
		FROM accounts a JOIN addresses d ON d.member_id = a.member_id JOIN badges b ON b.recipient = d.normal
		WHERE a.platform = ? AND a.tenant = ? AND a.user_id = ? AND b.id = ? AND b.stage IN ('granted', 'pending')`,
		p.Actor.Platform, p.Actor.Tenant, p.Actor.User, p.BadgeID)
	if errors.Is(err, core.ErrNotFound) {
		return core.Handoff{}, core.ErrUnmet
	}
	if err != nil {
		return core.Handoff{}, err
	}
	var stale []string
	err = t.all(ctx, &stale, `UPDATE handoffs SET state = 'expired', closed_at = ?
		WHERE badge_id = ? AND state IN ('preparing', 'open') AND expires_at <= ? RETURNING id`,
		ms(p.Now), p.BadgeID, ms(p.Now))
	if err != nil {
		return core.Handoff{}, err
	}
	state, expires := core.HandoffOpen, p.ExpiresAt
	granted := core.Stage(badge.Stage) == core.StageGranted
	if granted {
		state, expires = core.HandoffPreparing, p.IssueBy
	}
	var row handoffRow
	err = t.get(ctx, &row, `INSERT INTO handoffs (`+handoffColumns+`) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (badge_id) WHERE state IN ('preparing', 'open') DO NOTHING RETURNING `+handoffColumns,
		p.HandoffID, p.BadgeID, badge.MemberID, state, ms(p.Now), ms(expires))
	if errors.Is(err, core.ErrNotFound) {
		return core.Handoff{}, core.ErrUnmet
	}
	if err != nil {
		return core.Handoff{}, err
	}
	if p.PostID != "" {
		post, err := t.AddPost(ctx, core.Post{
			ID: p.PostID, Account: core.Account{ID: badge.AccountID},
			Subject: core.Subject{Kind: core.SubjectHandoff, ID: p.HandoffID}, Place: p.Place,
		}, p.Now)
		if err != nil {
			return core.Handoff{}, err
		}
		if err := t.Tell(ctx, post, true, p.Now); err != nil {
			return core.Handoff{}, err
		}
	}
	if err := t.tellHandoffs(ctx, stale, false, p.Now); err != nil {
		return core.Handoff{}, err
	}
	if err := t.Audit(ctx, badge.MemberID, "badge.claim", p.BadgeID, p.Now); err != nil {
		return core.Handoff{}, err
	}
	if granted {
		k := inbox.KindIssue
		if err := t.QueueWork(ctx, issueSource, p.HandoffID, core.WorkKind(k), p.HandoffID, p.Now); err != nil {
			return core.Handoff{}, err
		}
	}
	if p.Announce {
		if err := t.QueueEvent(ctx, core.EventClaimed, p.BadgeID, p.EventID, p.Now); err != nil {
			return core.Handoff{}, err
		}
	}
	return row.handoff(), nil
}

// claimSQL is the same in one statement. Its parts happen together, on what
// was there before it began; where one must come before the other it counts
// the other's rows:
//   - a handoff that outlived its time is closed before the new one is
//     inserted, or the index that allows one open handoff refuses it. It is
//     looked for among the badge's own: while few handoffs are open PostgreSQL
//     would rather look through all of them by an index of those, and keep to
//     that when they are many. The concatenation keeps it from these indexes;
//   - lanes are woken before posts are touched and anything is put into them,
//     the order in which everybody locks.
//
// A second claim waits at the badge's row, then finds the first one's handoff
// through that index. Address rows are locked so that no address is removed
// while its badge is claimed.
const claimSQL = `
WITH owned AS MATERIALIZED (
	SELECT b.id, b.stage, a.id AS account_id, a.member_id, a.platform, a.tenant,
		a.platform || ':' || a.tenant || ':' || a.user_id AS lane
	FROM accounts a
	JOIN addresses d ON d.member_id = a.member_id
	JOIN badges b ON b.recipient = d.normal
	WHERE a.platform = $1 AND a.tenant = $2 AND a.user_id = $3
		AND b.id = $4 AND b.stage IN ('granted', 'pending')
	FOR NO KEY UPDATE OF b FOR SHARE OF d
), stale AS (
	UPDATE handoffs h SET state = 'expired', closed_at = $5::bigint FROM owned
	WHERE h.badge_id = owned.id AND h.badge_id = $4 AND h.state || '' IN ('preparing', 'open') AND h.expires_at <= $5::bigint
	RETURNING h.id
), opened AS (
	INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
	SELECT $6::text, id, member_id,
		CASE stage WHEN 'granted' THEN 'preparing' ELSE 'open' END, $5::bigint,
		CASE stage WHEN 'granted' THEN $8::bigint ELSE $7::bigint END
	FROM owned WHERE (SELECT count(*) FROM stale) >= 0
	ON CONFLICT (badge_id) WHERE state IN ('preparing', 'open') DO NOTHING
	RETURNING id, badge_id, member_id, state, opened_at, expires_at
), woken AS (
	INSERT INTO lanes (lane, platform, tenant, next_at, active)
	SELECT lane, platform, tenant, $5::bigint, true FROM (
		SELECT owned.lane, owned.platform, owned.tenant FROM opened, owned WHERE $9::text <> ''
		UNION
		SELECT a.platform || ':' || a.tenant || ':' || a.user_id, a.platform, a.tenant
		FROM stale
		JOIN posts p ON p.subject_kind = 'handoff' AND p.subject_id = stale.id
		JOIN accounts a ON a.id = p.account_id
		UNION
		SELECT 'event:' || badge_id, '', '' FROM opened WHERE $14::boolean
	) AS l ORDER BY lane
	ON CONFLICT (lane) DO UPDATE SET active = true, next_at = CASE
		WHEN lanes.active OR lanes.next_at > excluded.next_at THEN lanes.next_at ELSE excluded.next_at END
	RETURNING 1
), post AS (
	INSERT INTO posts (id, account_id, subject_kind, subject_id, message_key, place_sealed, editable_until, shown, created_at)
	SELECT $9::text, owned.account_id, 'handoff', opened.id, NULLIF($10::text, ''), $11::text, $12::bigint, $13::boolean, $5::bigint
	FROM opened, owned WHERE $9::text <> '' AND (SELECT count(*) FROM woken) > 0
	ON CONFLICT (account_id, message_key) DO UPDATE SET
		subject_kind = excluded.subject_kind, subject_id = excluded.subject_id,
		place_sealed = excluded.place_sealed, editable_until = excluded.editable_until,
		shown = excluded.shown, created_at = excluded.created_at
	RETURNING id
), told AS MATERIALIZED (
	SELECT post.id, owned.lane, true AS fallback FROM post, owned
	UNION ALL
	SELECT p.id, a.platform || ':' || a.tenant || ':' || a.user_id, false
	FROM stale
	JOIN posts p ON p.subject_kind = 'handoff' AND p.subject_id = stale.id
	JOIN accounts a ON a.id = p.account_id
	WHERE p.id NOT IN (SELECT id FROM post)
), queued AS (
	INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
	SELECT lane, 'post', id, '', id || '.' || $6::text, fallback, 'ready', $5::bigint, $5::bigint
	FROM told WHERE (SELECT count(*) FROM woken) > 0
	UNION ALL
	SELECT 'event:' || badge_id, 'event', badge_id, 'badge.claimed', $15::text, false, 'ready', $5::bigint, $5::bigint
	FROM opened WHERE $14::boolean AND (SELECT count(*) FROM woken) > 0
	ON CONFLICT (ref) WHERE kind = 'post' AND state = 'ready'
		DO UPDATE SET fallback = outbox.fallback OR excluded.fallback
), audited AS (
	INSERT INTO audit (at, actor, kind, subject)
	SELECT $5::bigint, member_id, 'badge.claim', badge_id FROM opened
), issuing AS (
	INSERT INTO inbox (source, event_key, kind, priority, payload, state, available_at, received_at)
	SELECT 'issue', id, 'badge.issue', 0, id, 'ready', $5::bigint, $5::bigint FROM opened WHERE state = 'preparing'
	ON CONFLICT (source, event_key) DO NOTHING
)
SELECT id, badge_id, member_id, state, opened_at, expires_at FROM opened`

// ClaimStatement returns the statement by which PostgreSQL does a claim, with
// its arguments $1 to $15 in the order of Claim, for measuring it alone.
func ClaimStatement() string { return claimSQL }

func (d *DB) claimAtOnce(ctx context.Context, p core.ClaimParams) (core.Handoff, error) {
	if ctx.Value(inTxKey{}) != nil {
		return core.Handoff{}, errNested
	}
	stmt, err := d.prepared.get(ctx, d.x, claimSQL)
	if err != nil {
		return core.Handoff{}, wrap(ctx, err)
	}
	var row handoffRow
	err = stmt.QueryRowContext(
		ctx, p.Actor.Platform, p.Actor.Tenant, p.Actor.User, p.BadgeID, ms(p.Now), p.HandoffID,
		ms(p.ExpiresAt), ms(p.IssueBy), p.PostID, clean(p.Place.MessageKey), d.sealPlace(p.Place),
		ms(p.Place.EditableUntil), p.Place.Shown, p.Announce, p.EventID,
	).Scan(&row.ID, &row.BadgeID, &row.MemberID, &row.State, &row.OpenedAt, &row.ExpiresAt)
	if errors.Is(err, sql.ErrNoRows) {
		return core.Handoff{}, core.ErrUnmet
	}
	if err != nil {
		return core.Handoff{}, wrap(ctx, err)
	}
	return row.handoff(), nil
}
