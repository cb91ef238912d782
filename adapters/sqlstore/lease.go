package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

var _ core.LeaseStore = (*DB)(nil)

// TakeLease implements [core.LeaseStore] in one statement, so that of several
// who ask at once one gets it.
func (d *DB) TakeLease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (bool, error) {
	n, err := d.run().exec(ctx, `INSERT INTO leases (name, holder, until) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until <= ?`,
		clean(name), clean(holder), ms(now.Add(ttl)), ms(now))
	return n == 1, err
}

// ReleaseLease implements [core.LeaseStore].
func (d *DB) ReleaseLease(ctx context.Context, name, holder string) error {
	_, err := d.run().exec(ctx, `DELETE FROM leases WHERE name = ? AND holder = ?`, clean(name), clean(holder))
	return err
}
