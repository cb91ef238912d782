package sqlstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/laurelbot/laurel/core/inbox"
)

const receiveOne = `INSERT INTO inbox
		(source, event_key, kind, priority, payload, state, available_at, received_at)
	SELECT CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS int), CAST(? AS text), 'ready', now_ms, now_ms
	FROM clock WHERE true ON CONFLICT (source, event_key) DO NOTHING`

// receiveMany stores in the order of the names: two replicas that store the
// same events at once wait for one another and never both.
const receiveMany = `INSERT INTO inbox (source, event_key, kind, priority, payload, state, available_at, received_at)
	SELECT source, key, kind, priority, payload, 'ready', (SELECT now_ms FROM clock), (SELECT now_ms FROM clock)
	FROM $rows(source text, key text, kind text, priority int, payload text) WHERE true
	ON CONFLICT (source, event_key) DO NOTHING
	RETURNING source, event_key`

// Receive implements [inbox.Receiver].
func (d *DB) Receive(ctx context.Context, m inbox.Message) (bool, error) {
	n, err := d.hot().exec(ctx, receiveOne,
		m.Source, clean(m.Key), m.Kind, m.Kind.Priority(), clean(m.Payload))
	return n == 1, err
}

// messageName is what a message is known by.
type messageName struct {
	Source string `db:"source"`
	Key    string `db:"event_key"`
}

// ReceiveAll implements [inbox.Store].
func (d *DB) ReceiveAll(ctx context.Context, messages []inbox.Message) ([]bool, error) {
	items := make([]workRow, 0, len(messages))
	for _, m := range messages {
		items = append(items, workRow{
			Source: m.Source, Key: clean(m.Key), Kind: string(m.Kind), Priority: m.Kind.Priority(), Payload: clean(m.Payload),
		})
	}
	sorted := slices.Clone(items)
	slices.SortStableFunc(sorted, func(a, b workRow) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Key, b.Key))
	})
	var stored []messageName
	err := d.again(ctx, func() error {
		stored = nil
		return d.hot().all(ctx, &stored, receiveMany, rows{sorted})
	})
	if err != nil {
		return nil, err
	}
	fresh := make(map[messageName]bool, len(stored))
	for _, name := range stored {
		fresh[name] = true
	}
	isNew := make([]bool, len(items))
	for i, item := range items {
		name := messageName{item.Source, item.Key}
		isNew[i] = fresh[name]
		delete(fresh, name)
	}
	return isNew, nil
}
