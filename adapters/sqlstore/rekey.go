package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	// rekeyBatch is how many rows one transaction looks at and seals anew: few
	// enough that nothing that serves a person waits for it noticeably.
	rekeyBatch = 200
	// countBatch is how many rows one statement counts: a table of any size
	// is counted without a statement that runs into the store's time limits.
	countBatch = 10_000
)

// KeyUse counts the stored values that are sealed, by the key that sealed
// them.
type KeyUse struct {
	// First are sealed with the first key, Former with one of the others.
	First, Former int64
	// Unknown are sealed with a key that is not known: nothing can open them.
	Unknown int64
}

// Rekeyed is what was done so far.
type Rekeyed struct {
	// Sealed are the values that were sealed anew with the first key.
	Sealed int64
	// Discarded are the values that no key opens and that were emptied.
	Discarded int64
	// Unreadable are the values that no key opens and that were left.
	Unreadable int64
}

// RekeyOptions say how to go about it.
type RekeyOptions struct {
	// Discard empties values that no key opens: whoever reads them gets
	// nothing either way.
	Discard bool
	// Progress, when not nil, is told after every batch.
	Progress func(Rekeyed)
}

// sealedColumn is a column with sealed values. Whoever adds one to the schema
// adds it here.
type sealedColumn struct {
	// begin stands before the id of every row.
	begin string
	// edge finds the last id of the next rows behind one, in order of ids.
	edge string
	// count groups the values between two ids by what stands before the dot.
	count string
	// next reads what is not sealed with the first key between two ids. Rows
	// that somebody else holds are left for another time, so that this waits
	// for nobody while it holds others.
	next string
	// change stores values where the old ones still stand.
	change string
	// context is what binds a value to its row.
	context func(ref string) string
}

// Ids of keys have four characters.
var sealedColumns = []sealedColumn{
	{
		edge: `SELECT COALESCE(max(id), '') FROM (SELECT id FROM posts WHERE id > ? ORDER BY id LIMIT ?) w`,
		count: `SELECT substr(place_sealed, 1, 4) AS name, count(*) AS n FROM posts
			WHERE id > ? AND id <= ? AND place_sealed <> '' GROUP BY 1`,
		next: `SELECT id, id AS ref, place_sealed AS sealed FROM posts
			WHERE id > ? AND id <= ? AND place_sealed <> '' AND substr(place_sealed, 1, 4) <> ?
			ORDER BY posts.id FOR UPDATE SKIP LOCKED`,
		change: `UPDATE posts SET place_sealed = u.becomes FROM $rows(id text, was text, becomes text)
			WHERE posts.id = u.id AND posts.place_sealed = u.was`,
		context: func(string) string { return placeContext },
	},
	{
		begin: "0",
		edge: `SELECT COALESCE(CAST(max(id) AS text), '') FROM (
			SELECT id FROM outbox WHERE id > CAST(? AS bigint) ORDER BY id LIMIT ?) w`,
		count: `SELECT substr(payload, 1, 4) AS name, count(*) AS n FROM outbox
			WHERE id > CAST(? AS bigint) AND id <= CAST(? AS bigint) AND kind = 'mail' AND payload <> '' GROUP BY 1`,
		next: `SELECT CAST(id AS text) AS id, ref, payload AS sealed FROM outbox
			WHERE id > CAST(? AS bigint) AND id <= CAST(? AS bigint)
				AND kind = 'mail' AND payload <> '' AND substr(payload, 1, 4) <> ?
			ORDER BY outbox.id FOR UPDATE SKIP LOCKED`,
		change: `UPDATE outbox SET payload = u.becomes FROM $rows(id text, was text, becomes text)
			WHERE outbox.id = CAST(u.id AS bigint) AND outbox.payload = u.was`,
		context: mailContext,
	},
	{
		edge: `SELECT COALESCE(max(id), '') FROM (SELECT id FROM inquiries WHERE id > ? ORDER BY id LIMIT ?) w`,
		count: `SELECT substr(sealed, 1, 4) AS name, count(*) AS n FROM inquiries
			WHERE id > ? AND id <= ? AND sealed <> '' GROUP BY 1`,
		next: `SELECT id, id AS ref, sealed FROM inquiries
			WHERE id > ? AND id <= ? AND sealed <> '' AND substr(sealed, 1, 4) <> ?
			ORDER BY inquiries.id FOR UPDATE SKIP LOCKED`,
		change: `UPDATE inquiries SET sealed = u.becomes FROM $rows(id text, was text, becomes text)
			WHERE inquiries.id = u.id AND inquiries.sealed = u.was`,
		context: core.InquiryContext,
	},
	{
		edge: `SELECT COALESCE(max(id), '') FROM (SELECT id FROM role_connections WHERE id > ? ORDER BY id LIMIT ?) w`,
		count: `SELECT substr(tokens_sealed, 1, 4) AS name, count(*) AS n FROM role_connections
			WHERE id > ? AND id <= ? AND tokens_sealed <> '' GROUP BY 1`,
		next: `SELECT id, id AS ref, tokens_sealed AS sealed FROM role_connections
			WHERE id > ? AND id <= ? AND tokens_sealed <> '' AND substr(tokens_sealed, 1, 4) <> ?
			ORDER BY role_connections.id FOR UPDATE SKIP LOCKED`,
		change: `UPDATE role_connections SET tokens_sealed = u.becomes FROM $rows(id text, was text, becomes text)
			WHERE role_connections.id = u.id AND role_connections.tokens_sealed = u.was`,
		context: rolesContext,
	},
}

// windows calls f with the ids between which the rows of a column lie, size
// rows at a time.
func (d *DB) windows(ctx context.Context, c sealedColumn, size int, f func(after, last string) error) error {
	for after := c.begin; ; {
		var last string
		if err := d.run().get(ctx, &last, c.edge, after, size); err != nil || last == "" {
			return err
		}
		if err := f(after, last); err != nil {
			return err
		}
		after = last
	}
}

// KeyUse counts sealed values. It reads all of them.
func (d *DB) KeyUse(ctx context.Context) (KeyUse, error) {
	var use KeyUse
	former := d.keys.FormerKeyIDs()
	for _, c := range sealedColumns {
		err := d.windows(ctx, c, countBatch, func(after, last string) error {
			var counts []countRow
			if err := d.run().all(ctx, &counts, c.count, after, last); err != nil {
				return err
			}
			for _, row := range counts {
				switch {
				case row.Name == d.keys.KeyID():
					use.First += row.N
				case slices.Contains(former, row.Name):
					use.Former += row.N
				default:
					use.Unknown += row.N
				}
			}
			return nil
		})
		if err != nil {
			return KeyUse{}, err
		}
	}
	return use, nil
}

// Rekey seals every value anew that was not sealed with the first key. It
// may run while the bot serves, more than once and on several machines: each
// batch is a transaction, a value that changed meanwhile is left as it is,
// and what an interruption leaves undone the next call finds. Values that
// are sealed with a former key while it runs may be overlooked; [DB.KeyUse]
// counts them.
func (d *DB) Rekey(ctx context.Context, o RekeyOptions) (Rekeyed, error) {
	var done Rekeyed
	for _, c := range sealedColumns {
		err := d.windows(ctx, c, rekeyBatch, func(after, last string) error {
			begin := time.Now()
			part, err := d.rekeyBatch(ctx, c, after, last, o.Discard)
			if err != nil {
				return err
			}
			done.Sealed += part.Sealed
			done.Discarded += part.Discarded
			done.Unreadable += part.Unreadable
			if o.Progress != nil {
				o.Progress(done)
			}
			// Others get as much time as this took.
			return pause(ctx, time.Since(begin))
		})
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return wrap(ctx, ctx.Err())
	}
}

type sealedRow struct {
	ID     string `db:"id"`
	Ref    string `db:"ref"`
	Sealed string `db:"sealed"`
}

type resealedRow struct {
	ID      string `json:"id"`
	Was     string `json:"was"`
	Becomes string `json:"becomes"`
}

// rekeyBatch seals anew what lies behind after, up to last.
func (d *DB) rekeyBatch(ctx context.Context, c sealedColumn, after, last string, discard bool) (done Rekeyed, err error) {
	err = d.inTx(ctx, func(ctx context.Context, t *tx) error {
		done = Rekeyed{}
		var found []sealedRow
		if err := t.all(ctx, &found, c.next, after, last, d.keys.KeyID()); err != nil {
			return err
		}
		var resealed, emptied []resealedRow
		for _, row := range found {
			plain, err := d.keys.Open(row.Sealed, c.context(row.Ref))
			switch {
			case err == nil:
				resealed = append(resealed, resealedRow{row.ID, row.Sealed, d.keys.Seal(plain, c.context(row.Ref))})
			case discard:
				emptied = append(emptied, resealedRow{ID: row.ID, Was: row.Sealed})
			default:
				done.Unreadable++
			}
		}
		if done.Sealed, err = t.reseal(ctx, c, resealed); err != nil {
			return err
		}
		done.Discarded, err = t.reseal(ctx, c, emptied)
		return err
	})
	return done, err
}

func (t *tx) reseal(ctx context.Context, c sealedColumn, list []resealedRow) (int64, error) {
	if len(list) == 0 {
		return 0, nil
	}
	return t.exec(ctx, c.change, rows{list})
}
