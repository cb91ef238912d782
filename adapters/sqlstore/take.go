package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

type deliveryRow struct {
	ID         int64  `db:"id"`
	Lane       string `db:"lane"`
	Kind       string `db:"kind"`
	Ref        string `db:"ref"`
	Payload    string `db:"payload"`
	Key        string `db:"delivery_key"`
	Fallback   bool   `db:"fallback"`
	Attempts   int    `db:"attempts"`
	FirstTryAt int64  `db:"first_try_at"`
	CreatedAt  int64  `db:"created_at"`
	// Uncounted and LimitedSince: see [delivery.Delivery].
	Uncounted    int   `db:"uncounted"`
	LimitedSince int64 `db:"limited_since"`
}

// dueLane is a lane that may have something to send.
type dueLane struct {
	Lane   string `db:"lane"`
	Tenant string `db:"tenant"`
}

// tenantOf names who shares the slots of a dispatcher: the workspace of a
// lane, or what it is for where it has none.
const tenantOf = `CASE WHEN platform <> '' THEN platform || ':' || tenant
	WHEN lane LIKE 'mail:%' THEN 'mail' ELSE 'event' END`

// dueLanes locks lanes that may have something to send. What is in them is
// looked up by a second statement: a delivery that was added between the
// first statement's view and its lock would otherwise be overlooked, and its
// lane put to sleep.
const dueLanes = `SELECT lane, ` + tenantOf + ` AS tenant FROM lanes WHERE active AND next_at <= ?
	ORDER BY next_at, lane LIMIT ? FOR UPDATE SKIP LOCKED`

// dueLanesBut is the same without the lanes of some tenants, for SQLite.
const dueLanesBut = `SELECT lane, ` + tenantOf + ` AS tenant FROM lanes WHERE active AND next_at <= ?
	AND NOT (` + tenantOf + ` IN $texts)
	ORDER BY next_at, lane LIMIT ?`

// PostgreSQL does not pass all lanes of those tenants, of which there may be
// very many while this is asked again and again. It finds tenants by an index,
// from one to the next, and then the lanes of each: two statements, because
// the first has to say how far it came.
const (
	// tenantKey is what the index has: nothing for a lane that sleeps.
	tenantKey = `(CASE WHEN NOT active THEN NULL WHEN platform <> '' THEN platform || ':' || tenant
	WHEN lane LIKE 'mail:%' THEN 'mail' ELSE 'event' END) COLLATE "C"`
	nextTenants = `WITH RECURSIVE tenants (tenant) AS (
		(SELECT ` + tenantKey + ` FROM lanes WHERE ` + tenantKey + ` > ? ORDER BY ` + tenantKey + ` LIMIT 1)
		UNION ALL
		SELECT (SELECT ` + tenantKey + ` FROM lanes WHERE ` + tenantKey + ` > t.tenant ORDER BY ` + tenantKey + ` LIMIT 1)
		FROM tenants t WHERE t.tenant IS NOT NULL
	) SELECT tenant FROM tenants WHERE tenant IS NOT NULL LIMIT ?`
	dueLanesOf = `SELECT lane, ` + tenantOf + ` AS tenant FROM lanes
	WHERE active IS NOT FALSE AND next_at <= $2 AND lane = ANY (ARRAY(
		SELECT l.lane FROM unnest(CAST($1 AS text[])) AS t (tenant) CROSS JOIN LATERAL (
			SELECT lane, next_at FROM lanes WHERE ` + tenantKey + ` = t.tenant AND next_at <= $2
			ORDER BY ` + tenantKey + `, next_at, lane LIMIT $3) l
		ORDER BY l.next_at, l.lane LIMIT $3))
	ORDER BY next_at, lane FOR UPDATE SKIP LOCKED`
)

// otherTenants is how many tenants are passed at once.
const otherTenants = 200

// round remembers how far looks for others came: the next one goes on there,
// so that each tenant has its turn.
type round struct {
	mu    sync.Mutex
	after string
}

func (r *round) begin() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.after
}

func (r *round) end(after string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.after = after
}

// due locks up to n lanes that may have something to send, none of them of
// the tenants that have their share.
func (t *tx) due(ctx context.Context, now time.Time, n int, full []string) ([]dueLane, error) {
	var due []dueLane
	switch {
	case len(full) == 0:
		err := t.hot().all(ctx, &due, dueLanes, ms(now), n)
		return due, err
	case !t.dialect.postgres:
		err := t.all(ctx, &due, dueLanesBut, ms(now), texts(full), n)
		return due, err
	}
	after := t.db.others.begin()
	for again := after != ""; ; {
		var tenants []string
		err := t.hot().all(ctx, &tenants, nextTenants, after, otherTenants)
		if err != nil {
			return nil, err
		}
		after = ""
		if len(tenants) == otherTenants {
			after = tenants[len(tenants)-1]
		}
		t.db.others.end(after)
		tenants = slices.DeleteFunc(tenants, func(one string) bool { return slices.Contains(full, one) })
		if len(tenants) > 0 {
			err := t.hot().all(ctx, &due, dueLanesOf, texts(tenants), ms(now), n)
			if err != nil || len(due) > 0 {
				return due, err
			}
		}
		// Nothing is due there: on to the next ones, and to the first ones if
		// it did not begin with them.
		if after == "" {
			if !again {
				return nil, nil
			}
			again = false
		}
	}
}

// takeHeads leases the oldest unfinished delivery of each locked lane if it
// is due. A lane whose head is not yet due sleeps until then, one without a
// head or of a dead installation until it is woken.
const takeHeads = `
WITH head AS MATERIALIZED (
	SELECT l.lane, o.id, o.available_at, o.first_try_at
	FROM lanes l LEFT JOIN LATERAL (
		SELECT id, available_at, first_try_at FROM outbox
		WHERE outbox.lane = l.lane AND state IN ('ready', 'sending') ORDER BY id LIMIT 1
	) o ON NOT EXISTS (
		SELECT 1 FROM installations i WHERE i.platform = l.platform AND i.tenant = l.tenant AND i.dead <> '')
	WHERE l.lane = ANY ($1::text[])
), paced AS (
	UPDATE lanes l SET active = head.id IS NOT NULL,
		next_at = CASE WHEN head.id IS NULL THEN l.next_at
			WHEN head.available_at > $2::bigint THEN head.available_at ELSE $3::bigint END
	FROM head WHERE l.lane = head.lane
)
UPDATE outbox o SET state = 'sending', attempts = o.attempts + 1, available_at = $3::bigint,
	first_try_at = CASE o.first_try_at WHEN 0 THEN $2::bigint ELSE o.first_try_at END
FROM head WHERE o.id = head.id AND head.available_at <= $2::bigint
RETURNING o.id, o.lane, o.kind, o.ref, o.payload, o.delivery_key, o.fallback, o.attempts,
	head.first_try_at, o.created_at, o.uncounted, o.limited_since`

// TakeDeliveries implements [delivery.Store].
func (d *DB) TakeDeliveries(ctx context.Context, now time.Time, n int, lease time.Duration, share delivery.Share) ([]delivery.Delivery, error) {
	var taken []deliveryRow
	tenants := map[string]string{}
	full := share.Full()
	if len(full) > 0 {
		d.prepare(ctx, nextTenants, dueLanesOf, takeHeads)
	} else {
		d.prepare(ctx, dueLanes, takeHeads)
	}
	err := d.inTx(ctx, func(ctx context.Context, t *tx) (err error) {
		taken = nil
		due, err := t.due(ctx, now, n, full)
		if err != nil {
			return err
		}
		lanes := within(share, due, tenants)
		if len(lanes) == 0 {
			return nil
		}
		if t.dialect.postgres {
			return t.hot().all(ctx, &taken, takeHeads, texts(lanes), ms(now), ms(now.Add(lease)))
		}
		taken, err = t.takeEach(ctx, lanes, now, now.Add(lease))
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(taken, func(a, b deliveryRow) int { return cmp.Compare(a.ID, b.ID) })
	out := make([]delivery.Delivery, 0, len(taken))
	for _, row := range taken {
		out = append(out, delivery.Delivery{
			ID: row.ID, Lane: row.Lane, Tenant: tenants[row.Lane], Kind: delivery.Kind(row.Kind), Ref: row.Ref,
			Payload: d.openPayload(ctx, row), Key: row.Key, Fallback: row.Fallback,
			Attempts: row.Attempts, Uncounted: row.Uncounted, LimitedSince: at(row.LimitedSince),
			FirstTryAt: at(row.FirstTryAt), CreatedAt: at(row.CreatedAt),
		})
	}
	return out, nil
}

// within returns the lanes that the tenants' shares leave room for. The
// others stay as they are: locked until the transaction ends, due after it.
func within(share delivery.Share, due []dueLane, tenants map[string]string) []string {
	clear(tenants)
	count := map[string]int{}
	lanes := make([]string, 0, len(due))
	for _, l := range due {
		if left, limited := share.Left(l.Tenant); limited && count[l.Tenant] >= left {
			continue
		}
		count[l.Tenant]++
		tenants[l.Lane] = l.Tenant
		lanes = append(lanes, l.Lane)
	}
	return lanes
}

// openPayload opens the secret of a mail. One that cannot be opened, because
// the secret key changed, comes out empty.
func (d *DB) openPayload(ctx context.Context, row deliveryRow) core.Secret {
	if delivery.Kind(row.Kind) != delivery.KindMail {
		return core.Secret(row.Payload)
	}
	secret, err := d.keys.Open(row.Payload, mailContext(row.Ref))
	if err != nil {
		d.log.WarnContext(ctx, "open secret of mail", "delivery", row.ID, "err", err)
	}
	return core.Secret(secret)
}

// takeEach does the work of takeHeads lane by lane, for SQLite, which knows
// no statement that changes two tables.
func (t *tx) takeEach(ctx context.Context, lanes []string, now, until time.Time) ([]deliveryRow, error) {
	var taken []deliveryRow
	for _, lane := range lanes {
		var head []struct {
			ID          int64 `db:"id"`
			AvailableAt int64 `db:"available_at"`
			FirstTryAt  int64 `db:"first_try_at"`
		}
		err := t.all(ctx, &head, `SELECT o.id, o.available_at, o.first_try_at FROM outbox o
			WHERE o.lane = ? AND o.state IN ('ready', 'sending') AND NOT EXISTS (
				SELECT 1 FROM lanes l JOIN installations i ON i.platform = l.platform AND i.tenant = l.tenant
				WHERE l.lane = o.lane AND i.dead <> '')
			ORDER BY o.id LIMIT 1`, lane)
		if err != nil {
			return nil, err
		}
		if len(head) == 0 {
			if _, err := t.exec(ctx, `UPDATE lanes SET active = false WHERE lane = ?`, lane); err != nil {
				return nil, err
			}
			continue
		}
		next := ms(until)
		if head[0].AvailableAt > ms(now) {
			next = head[0].AvailableAt
		}
		if _, err := t.exec(ctx, `UPDATE lanes SET next_at = ? WHERE lane = ?`, next, lane); err != nil {
			return nil, err
		}
		if head[0].AvailableAt > ms(now) {
			continue
		}
		var row deliveryRow
		err = t.get(ctx, &row, `UPDATE outbox SET state = 'sending', attempts = attempts + 1, available_at = ?,
				first_try_at = CASE first_try_at WHEN 0 THEN ? ELSE first_try_at END
			WHERE id = ?
			RETURNING id, lane, kind, ref, payload, delivery_key, fallback, attempts, first_try_at, created_at,
				uncounted, limited_since`,
			ms(until), ms(now), head[0].ID)
		if err != nil {
			return nil, err
		}
		row.FirstTryAt = head[0].FirstTryAt
		taken = append(taken, row)
	}
	return taken, nil
}
