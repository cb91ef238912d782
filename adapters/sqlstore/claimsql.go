package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// claimSQL is [tx.claim] in one statement. Its parts happen together, on what
// was there before it began; where one must come before the other it counts
// the other's rows:
//   - a handoff that outlived its time is closed before the new one is
//     inserted, or the index that allows one open handoff refuses it. It is
//     looked for among the badge's own: while few handoffs are open PostgreSQL
//     would rather look through all of them by an index of those, and keep to
//     that when they are many. The concatenation keeps it from these indexes;
//   - lanes are woken before posts are touched and anything is put into them,
//     the order, that of their bytes, in which everybody locks. A lane in which nothing waits is
//     given until the end of the lease: that time says that the delivery is
//     leased, and no lane that was awake may keep the same.
//
// A second claim waits at the badge's row and finds the first one's handoff;
// one that began before the first was there finds it only through that index,
// does nothing, and has to be made again. Address rows are locked so that no
// address is removed while its badge is claimed.
const claimSQL = `
WITH owned AS MATERIALIZED (
	SELECT b.*, a.id AS account_id, a.member_id AS owner, a.locale AS account_locale,
		a.time_zone AS account_zone, a.display_name AS account_name, a.platform, a.tenant,
		(a.platform || ':' || a.tenant || ':' || a.user_id) COLLATE "C" AS lane,
		$16::bigint > 0 AND NOT EXISTS (SELECT 1 FROM installations i
			WHERE i.platform = a.platform AND i.tenant = a.tenant AND i.dead <> '') AS leasing
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
	SELECT $6::text, id, owner,
		CASE stage WHEN 'granted' THEN 'preparing' ELSE 'open' END, $5::bigint,
		CASE stage WHEN 'granted' THEN $8::bigint ELSE $7::bigint END
	FROM owned WHERE (SELECT count(*) FROM stale) >= 0
	ON CONFLICT (badge_id) WHERE state IN ('preparing', 'open') DO NOTHING
	RETURNING id, badge_id, member_id, state, opened_at, expires_at
), live AS MATERIALIZED (
	SELECT id, badge_id, member_id, state, opened_at, expires_at FROM opened
	UNION ALL
	SELECT h.id, h.badge_id, h.member_id, h.state, h.opened_at, h.expires_at FROM handoffs h, owned
	WHERE h.badge_id = owned.id AND h.badge_id = $4 AND h.state || '' IN ('preparing', 'open') AND h.expires_at > $5::bigint
		AND NOT EXISTS (SELECT 1 FROM opened)
), woken AS (
	INSERT INTO lanes (lane, platform, tenant, next_at, active)
	SELECT lane, platform, tenant, CASE WHEN bool_or(leasing) THEN $16::bigint ELSE $5::bigint END, true FROM (
		SELECT owned.lane, owned.platform, owned.tenant, owned.leasing FROM live, owned WHERE $9::text <> ''
		UNION ALL
		SELECT (a.platform || ':' || a.tenant || ':' || a.user_id) COLLATE "C", a.platform, a.tenant, false
		FROM stale
		JOIN posts p ON p.subject_kind = 'handoff' AND p.subject_id = stale.id
		JOIN accounts a ON a.id = p.account_id
		UNION ALL
		SELECT ('event:' || badge_id) COLLATE "C", '', '', false FROM opened WHERE $14::boolean
	) AS l GROUP BY lane, platform, tenant ORDER BY lane
	ON CONFLICT (lane) DO UPDATE SET active = true, next_at = CASE
		WHEN NOT lanes.active AND lanes.next_at <= $5::bigint THEN excluded.next_at
		WHEN lanes.next_at = $16::bigint THEN lanes.next_at + 1
		ELSE lanes.next_at END
	RETURNING lane, next_at
), post AS (
	INSERT INTO posts (id, account_id, subject_kind, subject_id, message_key, place_sealed, editable_until, shown, created_at)
	SELECT $9::text, owned.account_id, 'handoff', live.id, NULLIF($10::text, ''), $11::text, $12::bigint, $13::boolean, $5::bigint
	FROM live, owned WHERE $9::text <> '' AND (SELECT count(*) FROM woken) > 0
	ON CONFLICT (account_id, message_key) DO UPDATE SET
		subject_kind = excluded.subject_kind, subject_id = excluded.subject_id,
		place_sealed = excluded.place_sealed, editable_until = excluded.editable_until,
		shown = excluded.shown, created_at = excluded.created_at
	RETURNING id
), told AS MATERIALIZED (
	SELECT post.id, owned.lane, true AS fallback, owned.leasing AND EXISTS (
		SELECT 1 FROM woken WHERE woken.lane = owned.lane AND woken.next_at = $16::bigint) AS leased
	FROM post, owned
	UNION ALL
	SELECT p.id, a.platform || ':' || a.tenant || ':' || a.user_id, false, false
	FROM stale
	JOIN posts p ON p.subject_kind = 'handoff' AND p.subject_id = stale.id
	JOIN accounts a ON a.id = p.account_id
	WHERE p.id NOT IN (SELECT id FROM post)
), queued AS (
	INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, created_at,
		state, attempts, available_at, first_try_at)
	SELECT lane, 'post', id, '', id || '.' || $6::text, fallback, $5::bigint,
		CASE WHEN leased THEN 'sending' ELSE 'ready' END, CASE WHEN leased THEN 1 ELSE 0 END,
		CASE WHEN leased THEN $16::bigint ELSE $5::bigint END, CASE WHEN leased THEN $5::bigint ELSE 0 END
	FROM told WHERE (SELECT count(*) FROM woken) > 0
	UNION ALL
	SELECT 'event:' || badge_id, 'event', badge_id, 'badge.claimed', $15::text, false, $5::bigint,
		'ready', 0, $5::bigint, 0
	FROM opened WHERE $14::boolean AND (SELECT count(*) FROM woken) > 0
	ON CONFLICT (ref) WHERE kind = 'post' AND state = 'ready'
		DO UPDATE SET fallback = outbox.fallback OR excluded.fallback
	RETURNING id, ref, delivery_key, state
), audited AS (
	INSERT INTO audit (at, actor, kind, subject)
	SELECT $5::bigint, member_id, 'badge.claim', badge_id FROM opened
), issuing AS (
	INSERT INTO inbox (source, event_key, kind, priority, payload, state, available_at, received_at)
	SELECT 'issue', id, 'badge.issue', 0, id, 'ready', $5::bigint, $5::bigint FROM opened WHERE state = 'preparing'
	ON CONFLICT (source, event_key) DO NOTHING
)
SELECT ` + badgeColumns + `, h.id AS handoff_id, h.member_id AS handoff_member, h.state AS handoff_state,
	h.opened_at AS handoff_opened, h.expires_at AS handoff_expires,
	COALESCE(q.id, 0) AS delivery_id, COALESCE(q.ref, '') AS post_id, COALESCE(q.delivery_key, '') AS delivery_key,
	b.account_id, b.owner, b.account_locale, b.account_zone, b.account_name
FROM live h CROSS JOIN owned b LEFT JOIN templates t ON t.id = b.template_id
LEFT JOIN queued q ON q.state = 'sending'`

// ClaimStatement returns the statement by which PostgreSQL does a claim, with
// its arguments $1 to $16 in the order of Claim, for measuring it alone.
func ClaimStatement() string { return claimSQL }

func (d *DB) claimAtOnce(ctx context.Context, p core.ClaimParams) (core.Opening, error) {
	if ctx.Value(inTxKey{}) != nil {
		return core.Opening{}, errNested
	}
	stmt, err := d.prepared.get(ctx, d.x, claimSQL)
	if err != nil {
		return core.Opening{}, wrap(ctx, err)
	}
	var row claimRow
	err = stmt.GetContext(
		ctx, &row, p.Actor.Platform, p.Actor.Tenant, p.Actor.User, p.BadgeID, ms(p.Now), p.HandoffID,
		ms(p.ExpiresAt), ms(p.IssueBy), p.PostID, clean(p.Place.MessageKey), d.sealPlace(p.Place),
		ms(p.Place.EditableUntil), p.Place.Shown, p.Announce, p.EventID, ms(p.LeaseUntil),
	)
	if errors.Is(err, sql.ErrNoRows) {
		return core.Opening{}, core.ErrUnmet
	}
	if err != nil {
		return core.Opening{}, wrap(ctx, err)
	}
	return row.opening(p), nil
}
