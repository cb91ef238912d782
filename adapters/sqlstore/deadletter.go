package sqlstore

import (
	"context"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

var _ delivery.DeadLetterStore = (*DB)(nil)

// idle returns the condition of a filter with its arguments. Which workspace
// a message was for is read from its lane: the row of a lane that has nothing
// to send is tidied away.
func idle(f delivery.DeadLetterFilter) (string, []any) {
	where, args := `state IN ('waiting', 'dead')`, []any{}
	add := func(condition string, values ...any) {
		where += " AND " + condition
		args = append(args, values...)
	}
	if len(f.IDs) > 0 {
		add(`id IN $ints`, ints(f.IDs))
	}
	if f.Kind != "" {
		add(`kind = ?`, string(f.Kind))
	}
	if f.State != "" {
		add(`state = ?`, string(f.State))
	}
	if f.Platform != "" {
		prefix := clean(string(f.Platform)) + ":"
		add(`kind = 'post' AND substr(lane, 1, length(CAST(? AS text))) = CAST(? AS text)`, prefix, prefix)
	}
	if f.Cause != "" {
		// LIKE would not tell letters of different case apart in both dialects.
		add(`replace(cause, CAST(? AS text), '') <> cause`, clean(f.Cause))
	}
	return where, args
}

// workspace reads platform and tenant from the lane of a post.
func workspace(lane, kind string) (platform, tenant string) {
	if delivery.Kind(kind) != delivery.KindPost {
		return "", ""
	}
	platform, rest, _ := strings.Cut(strings.TrimSuffix(lane, core.HomeLaneEnd), ":")
	return platform, rest[:max(strings.LastIndex(rest, ":"), 0)]
}

type deadRow struct {
	ID        int64  `db:"id"`
	Lane      string `db:"lane"`
	Kind      string `db:"kind"`
	State     string `db:"state"`
	Attempts  int    `db:"attempts"`
	Cause     string `db:"cause"`
	CreatedAt int64  `db:"created_at"`
	DoneAt    int64  `db:"done_at"`
}

// DeadLetters implements [delivery.DeadLetterStore]. The filter comes before
// the order, because few of all deliveries are dead and an index knows them.
func (d *DB) DeadLetters(ctx context.Context, f delivery.DeadLetterFilter, after int64, limit int) ([]delivery.DeadLetter, error) {
	where, args := idle(f)
	var found []deadRow
	err := d.run().all(ctx, &found, `WITH dead AS MATERIALIZED (
			SELECT id, lane, kind, state, attempts, cause, created_at, done_at FROM outbox WHERE `+where+`)
		SELECT id, lane, kind, state, attempts, cause, created_at, done_at FROM dead WHERE id > ? ORDER BY id LIMIT ?`,
		append(args, after, limit)...)
	out := make([]delivery.DeadLetter, 0, len(found))
	for _, row := range found {
		platform, tenant := workspace(row.Lane, row.Kind)
		out = append(out, delivery.DeadLetter{
			ID: row.ID, Kind: delivery.Kind(row.Kind), Platform: core.Platform(platform), Tenant: tenant,
			State: delivery.State(row.State), Attempts: row.Attempts, Cause: row.Cause,
			CreatedAt: at(row.CreatedAt), DoneAt: at(row.DoneAt),
		})
	}
	return out, err
}

// Drop implements [delivery.DeadLetterStore].
func (d *DB) Drop(ctx context.Context, _ time.Time, f delivery.DeadLetterFilter) (int, error) {
	where, args := idle(f)
	n, err := d.run().exec(ctx, `DELETE FROM outbox WHERE `+where, args...)
	return int(n), err
}

// letter is a dead letter that is to be sent again.
type letter struct {
	ID       int64  `db:"id"`
	Lane     string `db:"lane"`
	Kind     string `db:"kind"`
	Ref      string `db:"ref"`
	Fallback bool   `db:"fallback"`
}

// Resend implements [delivery.DeadLetterStore]. The attempts that were made
// stay in the books as uncounted ones: a late outcome of one of them is
// recognised by its number.
func (d *DB) Resend(ctx context.Context, now time.Time, f delivery.DeadLetterFilter) (int, error) {
	where, args := idle(f)
	var sent int
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		sent = 0
		var letters []letter
		err := t.all(ctx, &letters, `SELECT id, lane, kind, ref, fallback FROM outbox
			WHERE kind <> 'mail' AND `+where+` ORDER BY outbox.id`, append([]any{}, args...)...)
		if err != nil || len(letters) == 0 {
			return err
		}
		// Lanes come first, as everywhere: who holds one adds nothing to it
		// beside this.
		lanes := make([]laneRow, 0, len(letters))
		for _, l := range letters {
			platform, tenant := workspace(l.Lane, l.Kind)
			lanes = append(lanes, laneRow{Lane: l.Lane, Platform: platform, Tenant: tenant})
		}
		if err := t.wake(ctx, lanes, now); err != nil {
			return err
		}
		sent, err = t.resend(ctx, letters, now)
		return err
	})
	return sent, err
}

// resend makes the first letter of each post ready, unless another delivery
// of it is, and all letters that are about no post.
func (t *tx) resend(ctx context.Context, letters []letter, now time.Time) (int, error) {
	var posts, fallback texts
	for _, l := range letters {
		if delivery.Kind(l.Kind) == delivery.KindPost {
			posts = append(posts, l.Ref)
		}
	}
	var ready []string
	err := t.all(ctx, &ready, `SELECT ref FROM outbox WHERE kind = 'post' AND state = 'ready' AND ref IN $texts`, posts)
	if err != nil {
		return 0, err
	}
	taken := make(map[string]bool, len(letters))
	for _, ref := range ready {
		taken[ref] = true
	}
	var again, superseded ints
	for _, l := range letters {
		post := delivery.Kind(l.Kind) == delivery.KindPost
		if post && taken[l.Ref] {
			superseded = append(superseded, l.ID)
			if l.Fallback {
				fallback = append(fallback, l.Ref)
			}
			continue
		}
		if post {
			taken[l.Ref] = true
		}
		again = append(again, l.ID)
	}
	n, err := t.exec(ctx, `UPDATE outbox SET state = 'ready', available_at = ?, uncounted = attempts, limited_since = 0, done_at = 0
		WHERE id IN $ints AND state IN ('waiting', 'dead')`, ms(now), again)
	if err != nil || len(superseded) == 0 {
		return int(n), err
	}
	_, err = t.exec(ctx, `UPDATE outbox SET state = 'sent', cause = 'superseded', done_at = ?
		WHERE id IN $ints AND state IN ('waiting', 'dead')`, ms(now), superseded)
	if err != nil || len(fallback) == 0 {
		return int(n), err
	}
	_, err = t.exec(ctx, `UPDATE outbox SET fallback = true WHERE kind = 'post' AND state = 'ready' AND ref IN $texts`, fallback)
	return int(n), err
}
