package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// claimSQL is [tx.claim] in one statement, for the usual case: the badge is
// pending, none of its handoffs is stale. In any other it does nothing and
// returns no row. To start a plan takes PostgreSQL as long as to execute it, so
// what is rare is left to the steps. Its parts happen together, on what was
// there before it began; where one must come before the other it reads the
// other's rows: lanes are woken before posts are touched and anything is put
// into them, the order, that of their bytes, in which everybody locks. A lane in
// which nothing waits is given until the end of the lease: that time says that
// the delivery is leased, and no lane that was awake may keep the same.
//
// The handoff that is open already is looked for among the badge's own: while
// few are open PostgreSQL would rather look through all of them by an index of
// those, and keep to that when they are many. The concatenation keeps it from
// these indexes.
//
// A second claim waits at the badge's row and finds the first one's handoff;
// one that began before the first was there finds it only through the index
// that allows one open handoff, and does nothing. Address rows are locked so
// that no address is removed while its badge is claimed.
const (
	claimSQL          = claimBegin + claimMiddle + claimEnd
	announcedClaimSQL = claimBegin + claimEventLane + claimMiddle + claimEvent + claimEnd

	claimBegin = `
WITH owned AS MATERIALIZED (
	SELECT b.*, a.id AS account_id, a.member_id AS owner, a.locale AS account_locale,
		a.time_zone AS account_zone, a.display_name AS account_name, a.platform, a.tenant,
		(a.platform || ':' || a.tenant || ':' || a.user_id || CASE WHEN $8::text = '` + core.HomeKey + `' THEN '` + core.HomeLaneEnd + `' ELSE '' END) COLLATE "C" AS lane,
		$13::bigint > 0 AND NOT EXISTS (SELECT 1 FROM installations i
			WHERE i.platform = a.platform AND i.tenant = a.tenant AND i.dead <> '') AS leasing
	FROM accounts a
	JOIN addresses d ON d.member_id = a.member_id
	JOIN badges b ON b.recipient = d.normal
	WHERE a.platform = $1 AND a.tenant = $2 AND a.user_id = $3 AND b.id = $4 AND b.stage = 'pending'
	FOR NO KEY UPDATE OF b FOR SHARE OF d
), opened AS (
	INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
	SELECT $6::text, id, owner, 'open', $5::bigint, $7::bigint FROM owned
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
	SELECT owned.lane, owned.platform, owned.tenant,
		CASE WHEN owned.leasing THEN $13::bigint ELSE $5::bigint END, true
	FROM live, owned WHERE $8::text <> ''`

	claimEventLane = `
	UNION ALL
	SELECT ('event:' || badge_id) COLLATE "C", '', '', $5::bigint, true FROM opened ORDER BY 1`

	claimMiddle = `
	ON CONFLICT (lane) DO UPDATE SET active = true, next_at = CASE
		WHEN NOT lanes.active AND lanes.next_at <= $5::bigint THEN excluded.next_at
		WHEN lanes.next_at = $13::bigint THEN lanes.next_at + 1
		ELSE lanes.next_at END
	RETURNING lane, next_at
), post AS (
	INSERT INTO posts (id, account_id, subject_kind, subject_id, message_key, place_sealed, editable_until, shown, created_at)
	SELECT $8::text, owned.account_id, 'handoff', live.id, NULLIF($9::text, ''), $10::text, $11::bigint, $12::boolean, $5::bigint
	FROM woken, live, owned WHERE woken.lane = owned.lane
	ON CONFLICT (account_id, message_key) DO UPDATE SET
		subject_kind = excluded.subject_kind, subject_id = excluded.subject_id,
		place_sealed = excluded.place_sealed, editable_until = excluded.editable_until,
		shown = excluded.shown, created_at = excluded.created_at
	RETURNING id
), queued AS (
	INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, created_at,
		state, attempts, available_at, first_try_at)
	SELECT lane, 'post', id, '', id || '.' || $6::text, true, $5::bigint,
		CASE WHEN leased THEN 'sending' ELSE 'ready' END, CASE WHEN leased THEN 1 ELSE 0 END,
		CASE WHEN leased THEN $13::bigint ELSE $5::bigint END, CASE WHEN leased THEN $5::bigint ELSE 0 END
	FROM (SELECT woken.lane, post.id, owned.leasing AND woken.next_at = $13::bigint AS leased
		FROM woken, post, owned WHERE woken.lane = owned.lane) AS told
	ON CONFLICT (ref) WHERE kind = 'post' AND state = 'ready' DO UPDATE SET fallback = true
	RETURNING id, ref, delivery_key, state
), audited AS (
	INSERT INTO audit (at, actor, kind, subject)
	SELECT $5::bigint, member_id, 'badge.claim', badge_id FROM opened
)`

	claimEvent = `, announced AS (
	INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
	SELECT woken.lane, 'event', badge_id, 'badge.claimed', $14::text, false, 'ready', $5::bigint, $5::bigint
	FROM opened, woken WHERE woken.lane = ('event:' || badge_id) COLLATE "C"
)`

	claimEnd = `
SELECT ` + badgeColumns + `, h.id AS handoff_id, h.member_id AS handoff_member, h.state AS handoff_state,
	h.opened_at AS handoff_opened, h.expires_at AS handoff_expires,
	COALESCE(q.id, 0) AS delivery_id, COALESCE(q.ref, '') AS post_id, COALESCE(q.delivery_key, '') AS delivery_key,
	b.account_id, b.owner, b.account_locale, b.account_zone, b.account_name
FROM live h CROSS JOIN owned b LEFT JOIN templates t ON t.id = b.template_id
LEFT JOIN queued q ON q.state = 'sending'`
)

// ClaimStatement returns the statement by which PostgreSQL does a usual claim
// that the body's own system is not told of, for measuring it alone. Its
// arguments are $1 to $13: platform, tenant, user, badge, now, the handoff's id,
// when it runs out, the post's id, its message key, the sealed place, until when
// it can be edited, whether it is shown, until when the delivery is leased.
func ClaimStatement() string { return claimSQL }

// claimAtOnce returns [core.ErrUnmet] for everything but the usual case.
func (d *DB) claimAtOnce(ctx context.Context, p core.ClaimParams) (core.Opening, error) {
	if ctx.Value(inTxKey{}) != nil {
		return core.Opening{}, errNested
	}
	text, args := claimSQL, []any{
		p.Actor.Platform, p.Actor.Tenant, p.Actor.User, p.BadgeID, ms(p.Now), p.HandoffID, ms(p.ExpiresAt),
		p.PostID, clean(p.Place.MessageKey), d.sealPlace(p.Place), ms(p.Place.EditableUntil), p.Place.Shown,
		ms(p.LeaseUntil),
	}
	if p.Announce {
		text, args = announcedClaimSQL, append(args, p.EventID)
	}
	stmt, err := d.prepared.get(ctx, d.x, text)
	if err != nil {
		return core.Opening{}, wrap(ctx, err)
	}
	var row claimRow
	err = stmt.GetContext(ctx, &row, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return core.Opening{}, core.ErrUnmet
	}
	if err != nil {
		return core.Opening{}, wrap(ctx, err)
	}
	return row.opening(p), nil
}
