package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// mailContext binds a sealed secret to the verification it belongs to.
func mailContext(verificationID string) string { return "mail:" + verificationID }

// target is a post that is to be told.
type target struct {
	ID        string `db:"id"`
	AccountID string `db:"account_id"`
	SubjectID string `db:"subject_id"`
	Platform  string `db:"platform"`
	Tenant    string `db:"tenant"`
	User      string `db:"user_id"`
	Home      bool   `db:"home"`
	fallback  bool
}

func (t target) lane() string {
	who := core.Identity{Platform: core.Platform(t.Platform), Tenant: t.Tenant, User: t.User}
	if t.Home {
		return who.HomeLane()
	}
	return who.Lane()
}

const targetQuery = `SELECT p.id, p.account_id, p.subject_id, a.platform, a.tenant, a.user_id, COALESCE(` + isHome + `, false) AS home
	FROM posts p JOIN accounts a ON a.id = p.account_id WHERE `

// subjectsOf names several subjects of one kind.
type subjectsOf struct {
	kind core.SubjectKind
	ids  []string
}

func subjects(kind core.SubjectKind, ids []string) subjectsOf { return subjectsOf{kind, ids} }

// Tell implements [core.Tx].
func (t *tx) Tell(ctx context.Context, postID string, fallback bool, now time.Time) error {
	var found target
	if err := t.get(ctx, &found, targetQuery+`p.id = ?`, postID); err != nil {
		return err
	}
	found.fallback = fallback
	return t.queuePosts(ctx, []target{found}, now)
}

// TellSubject implements [core.Tx].
func (t *tx) TellSubject(ctx context.Context, s core.Subject, fallback bool, now time.Time) error {
	return t.tell(ctx, subjects(s.Kind, []string{s.ID}), fallback, now)
}

func (t *tx) tellHandoffs(ctx context.Context, ids []string, fallback bool, now time.Time) error {
	return t.tell(ctx, subjects(core.SubjectHandoff, ids), fallback, now)
}

// tell queues deliveries for all posts of the subjects; with fallback, the
// newest post of each account and subject has it.
func (t *tx) tell(ctx context.Context, s subjectsOf, fallback bool, now time.Time) error {
	if len(s.ids) == 0 {
		return nil
	}
	if t.dialect.postgres {
		_, err := t.hot().exec(ctx, tellSQL, string(s.kind), texts(s.ids), fallback, ms(now), core.NewID())
		return err
	}
	var found []target
	err := t.all(ctx, &found, targetQuery+`p.subject_kind = ? AND p.subject_id IN $texts
		ORDER BY p.created_at, p.id`, s.kind, texts(s.ids))
	if err != nil {
		return err
	}
	if fallback {
		giveFallback(found, func(p target) string { return p.AccountID + "/" + p.SubjectID })
	}
	if s.kind == core.SubjectHandoff {
		var homes []target
		err := t.all(ctx, &homes, targetQuery+isHome+` AND a.member_id IN (SELECT h.member_id FROM handoffs h WHERE h.id IN $texts)`, texts(s.ids))
		if err != nil {
			return err
		}
		found = withHomes(found, homes)
	}
	return t.queuePosts(ctx, found, now)
}

// tellSQL is the same in one statement. It wakes the lanes before it adds to
// them, see [tx.queue], because what it adds depends on how many it woke. One
// id makes the keys of all: a random one for each costs the database 6 µs.
const tellSQL = `
WITH told AS MATERIALIZED (
	SELECT p.id, p.created_at, a.platform, a.tenant,
		` + laneOfPost + ` COLLATE "C" AS lane,
		$3::boolean AND row_number() OVER (
			PARTITION BY p.account_id, p.subject_id ORDER BY p.created_at DESC, p.id DESC) = 1 AS fallback
	FROM posts p JOIN accounts a ON a.id = p.account_id
	WHERE p.subject_kind = $1 AND p.subject_id = ANY ($2::text[])
	UNION ALL
	SELECT DISTINCT p.id, p.created_at, a.platform, a.tenant, ` + laneOfPost + ` COLLATE "C", false
	FROM handoffs h JOIN accounts a ON a.member_id = h.member_id JOIN posts p ON p.account_id = a.id
	WHERE $1 = 'handoff' AND h.id = ANY ($2::text[]) AND ` + isHome + `
		AND NOT (p.subject_kind = 'handoff' AND p.subject_id = ANY ($2::text[]))
), woken AS (
	INSERT INTO lanes (lane, platform, tenant, next_at, active)
	SELECT lane, platform, tenant, $4::bigint, true FROM told GROUP BY lane, platform, tenant ORDER BY lane
	ON CONFLICT (lane) DO UPDATE SET active = true, next_at = CASE
		WHEN lanes.active OR lanes.next_at > excluded.next_at THEN lanes.next_at ELSE excluded.next_at END
	RETURNING 1
)
INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
SELECT lane, 'post', id, '', id || '.' || $5::text, fallback, 'ready', $4::bigint, $4::bigint
FROM told WHERE (SELECT count(*) FROM woken) > 0 ORDER BY created_at, id
ON CONFLICT (ref) WHERE kind = 'post' AND state = 'ready'
	DO UPDATE SET fallback = outbox.fallback OR excluded.fallback`

// TellBadge implements [core.Tx]. Posts that show the badge itself count
// with those of its handoffs.
func (t *tx) TellBadge(ctx context.Context, badgeID string, fallback bool, now time.Time) (int, error) {
	var found []target
	err := t.all(ctx, &found, targetQuery+`(p.subject_kind = 'handoff' AND p.subject_id IN (
			SELECT id FROM handoffs WHERE badge_id = ?)) OR (p.subject_kind = 'badge' AND p.subject_id = ?)
		ORDER BY p.created_at, p.id`, badgeID, badgeID)
	if err != nil {
		return 0, err
	}
	if fallback {
		giveFallback(found, func(p target) string { return p.AccountID })
	}
	// A reminder that names the badge, or one that it renews, changes with it,
	// where it still stands, and so does the home of its owner.
	var others []target
	err = t.all(ctx, &others, targetQuery+`p.subject_kind = 'reminder' AND p.subject_id IN (
			SELECT s.reminder FROM badges b JOIN badges o ON o.recipient = b.recipient AND o.template_id = b.template_id
			JOIN reminder_steps s ON s.badge_id = o.id WHERE b.id = ?)
		UNION ALL `+targetQuery+isWatched+` AND a.member_id = (
			SELECT d.member_id FROM badges b JOIN addresses d ON d.normal = b.recipient WHERE b.id = ?)`,
		badgeID, ms(now.Add(-watchHomes)), badgeID)
	if err != nil {
		return 0, err
	}
	return len(found), t.queuePosts(ctx, withHomes(found, others), now)
}

// giveFallback marks the last post of each group.
func giveFallback(posts []target, group func(target) string) {
	newest := make(map[string]int, len(posts))
	for i, p := range posts {
		newest[group(p)] = i
	}
	for _, i := range newest {
		posts[i].fallback = true
	}
}

// laneRow is a lane that gets something to send.
type laneRow struct {
	Lane     string `json:"lane"`
	Platform string `json:"platform"`
	Tenant   string `json:"tenant"`
}

type queueRow struct {
	N        int    `json:"n"`
	Lane     string `json:"lane"`
	Kind     string `json:"kind"`
	Ref      string `json:"ref"`
	Payload  string `json:"payload"`
	Key      string `json:"key"`
	Fallback bool   `json:"fallback"`
}

func (t *tx) queuePosts(ctx context.Context, posts []target, now time.Time) error {
	lanes := make([]laneRow, 0, len(posts))
	queue := make([]queueRow, 0, len(posts))
	for i, p := range posts {
		lanes = append(lanes, laneRow{Lane: p.lane(), Platform: p.Platform, Tenant: p.Tenant})
		queue = append(queue, queueRow{
			N: i, Lane: p.lane(), Kind: string(delivery.KindPost), Ref: p.ID, Key: core.NewID(), Fallback: p.fallback,
		})
	}
	return t.queue(ctx, lanes, queue, now)
}

// mailLane is the lane of the mail of a verification.
func mailLane(verificationID string) string { return "mail:" + verificationID }

// eventLane is the lane of what the body is told about a badge.
func eventLane(badgeID string) string { return "event:" + badgeID }

// QueueMail implements [core.Tx].
func (t *tx) QueueMail(ctx context.Context, verificationID string, secret core.Secret, now time.Time) error {
	lane := mailLane(verificationID)
	return t.queue(ctx, []laneRow{{Lane: lane}}, []queueRow{{
		Lane: lane, Kind: string(delivery.KindMail), Ref: verificationID, Key: core.NewID(),
		Payload: t.db.keys.Seal(secret.Reveal(), mailContext(verificationID)),
	}}, now)
}

// QueueEvent implements [core.Tx].
func (t *tx) QueueEvent(ctx context.Context, e core.EventType, badgeID, eventID string, now time.Time) error {
	lane := eventLane(badgeID)
	return t.queue(ctx, []laneRow{{Lane: lane}}, []queueRow{{
		Lane: lane, Kind: string(delivery.KindEvent), Ref: badgeID, Key: eventID, Payload: string(e),
	}}, now)
}

// queue wakes the lanes and then adds to them. In this order, because the
// dispatcher holds a lane while it looks for what is to be sent there.
func (t *tx) queue(ctx context.Context, lanes []laneRow, queue []queueRow, now time.Time) error {
	if len(queue) == 0 {
		return nil
	}
	if err := t.wake(ctx, lanes, now); err != nil {
		return err
	}
	return t.put(ctx, queue, now)
}

// put adds to lanes that were woken before.
func (t *tx) put(ctx context.Context, queue []queueRow, now time.Time) error {
	_, err := t.exec(ctx, `INSERT INTO outbox
			(lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
		SELECT lane, kind, ref, payload, key, fallback, 'ready', CAST(? AS bigint), CAST(? AS bigint)
		FROM $rows(n int, lane text, kind text, ref text, payload text, key text, fallback boolean) WHERE true ORDER BY n
		ON CONFLICT (ref) WHERE kind = 'post' AND state = 'ready'
			DO UPDATE SET fallback = outbox.fallback OR excluded.fallback`, ms(now), ms(now), rows{queue})
	return err
}

// wake makes the dispatcher look at the lanes. It locks them in the order of
// their bytes, as everybody does, whatever the order of the database is.
func (t *tx) wake(ctx context.Context, lanes []laneRow, now time.Time) error {
	slices.SortFunc(lanes, func(a, b laneRow) int { return cmp.Compare(a.Lane, b.Lane) })
	lanes = slices.Compact(lanes)
	_, err := t.exec(ctx, `INSERT INTO lanes (lane, platform, tenant, next_at, active)
		SELECT lane, platform, tenant, CAST(? AS bigint), true
		FROM $rows(lane text COLLATE "C", platform text, tenant text) WHERE true ORDER BY lane
		ON CONFLICT (lane) DO UPDATE SET active = true, next_at = CASE
			WHEN lanes.active OR lanes.next_at > excluded.next_at THEN lanes.next_at ELSE excluded.next_at END`,
		ms(now), rows{lanes})
	return err
}
