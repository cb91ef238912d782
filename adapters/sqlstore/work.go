package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

// workRow is an inbox item to be stored. Its time is the database's.
type workRow struct {
	Source   string `json:"source"`
	Key      string `json:"key"`
	Kind     string `json:"kind"`
	Priority int    `json:"priority"`
	Payload  string `json:"payload"`
}

func (r runner) queueWork(ctx context.Context, items []workRow) error {
	_, err := r.exec(ctx, `INSERT INTO inbox (source, event_key, kind, priority, payload, state, available_at, received_at)
		SELECT source, key, kind, priority, payload, 'ready', (SELECT now_ms FROM clock), (SELECT now_ms FROM clock)
		FROM $rows(source text, key text, kind text, priority int, payload text)
		WHERE true ON CONFLICT (source, event_key) DO NOTHING`, rows{items})
	return err
}

// QueueWork implements [core.Tx].
func (t *tx) QueueWork(ctx context.Context, source, key string, kind core.WorkKind, payload string, now time.Time) error {
	_, err := t.exec(ctx, `INSERT INTO inbox (source, event_key, kind, priority, payload, state, available_at, received_at)
		VALUES (?, ?, ?, ?, ?, 'ready', ?, ?) ON CONFLICT (source, event_key) DO NOTHING`,
		source, clean(key), kind, inbox.Kind(kind).Priority(), clean(payload), ms(now), ms(now))
	return err
}

type itemRow struct {
	ID         int64  `db:"id"`
	Source     string `db:"source"`
	Key        string `db:"event_key"`
	Kind       string `db:"kind"`
	Payload    string `db:"payload"`
	Attempts   int    `db:"attempts"`
	ReceivedAt int64  `db:"received_at"`
	Priority   int    `db:"priority"`
}

// TakeItems implements [inbox.Store].
func (d *DB) TakeItems(ctx context.Context, now time.Time, n int, lease time.Duration) ([]inbox.Item, error) {
	var taken []itemRow
	err := d.again(ctx, func() error {
		taken = nil
		return d.run().all(ctx, &taken, `UPDATE inbox SET state = 'running', attempts = attempts + 1, available_at = ?
			WHERE id IN (
				SELECT id FROM inbox WHERE state IN ('ready', 'running') AND available_at <= ?
				ORDER BY priority, available_at, id LIMIT ? FOR UPDATE SKIP LOCKED)
			RETURNING id, source, event_key, kind, payload, attempts, received_at, priority`,
			ms(now.Add(lease)), ms(now), n)
	})
	slices.SortFunc(taken, func(a, b itemRow) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID))
	})
	items := make([]inbox.Item, 0, len(taken))
	for _, row := range taken {
		items = append(items, inbox.Item{
			ID:       row.ID,
			Message:  inbox.Message{Source: row.Source, Key: row.Key, Kind: inbox.Kind(row.Kind), Payload: row.Payload},
			Attempts: row.Attempts, ReceivedAt: at(row.ReceivedAt),
		})
	}
	return items, err
}

// FinishItem implements [inbox.Store].
func (d *DB) FinishItem(ctx context.Context, id int64, now time.Time) error {
	_, err := d.run().exec(ctx, `UPDATE inbox SET state = 'done', payload = '', cause = '', done_at = ? WHERE id = ?`,
		ms(now), id)
	return err
}

// RetryItem implements [inbox.Store]. A parked item keeps its payload until
// it is tidied away.
func (d *DB) RetryItem(ctx context.Context, id int64, due time.Time, cause string) error {
	if due.IsZero() {
		_, err := d.run().exec(ctx, `UPDATE inbox SET state = 'parked', cause = ?,
			done_at = (SELECT now_ms FROM clock) WHERE id = ? AND state <> 'done'`, clean(cause), id)
		return err
	}
	_, err := d.run().exec(ctx, `UPDATE inbox SET state = 'ready', cause = ?, available_at = ?
		WHERE id = ? AND state <> 'done'`, clean(cause), ms(due), id)
	return err
}
