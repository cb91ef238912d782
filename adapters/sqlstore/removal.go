package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

var _ core.InstallationStore = (*DB)(nil)

// removedCause is why nothing is sent to a workspace that removed the bot.
const removedCause = "removed by the workspace"

// RemoveInstallation implements [core.InstallationStore].
func (d *DB) RemoveInstallation(ctx context.Context, p core.Platform, tenant string, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		if err := t.markInstallation(ctx, p, tenant, removedCause, now); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE installations SET removed_at = ?
			WHERE platform = ? AND tenant = ? AND removed_at = 0`, ms(now), p, tenant)
		return err
	})
}

// KeepInstallation implements [core.InstallationStore].
func (d *DB) KeepInstallation(ctx context.Context, r core.Removal, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.endRemoval(ctx, r)
		if err != nil || n == 0 {
			return err
		}
		return t.markInstallation(ctx, r.Platform, r.Tenant, "", now)
	})
}

// EndRemoval implements [core.InstallationStore].
func (d *DB) EndRemoval(ctx context.Context, r core.Removal) error {
	_, err := d.run().endRemoval(ctx, r)
	return err
}

// endRemoval changes nothing when the workspace came and went again.
func (r runner) endRemoval(ctx context.Context, which core.Removal) (int64, error) {
	return r.exec(ctx, `UPDATE installations SET removed_at = 0 WHERE platform = ? AND tenant = ? AND removed_at = ?`,
		which.Platform, which.Tenant, ms(which.At))
}

// Removals implements [core.InstallationStore].
func (d *DB) Removals(ctx context.Context) ([]core.Removal, error) {
	var found []struct {
		Platform string `db:"platform"`
		Tenant   string `db:"tenant"`
		At       int64  `db:"removed_at"`
		Seen     int64  `db:"seen"`
	}
	err := d.run().all(ctx, &found, `SELECT i.platform, i.tenant, i.removed_at, COALESCE((
			SELECT max(a.seen_at) FROM accounts a WHERE a.platform = i.platform AND a.tenant = i.tenant), 0) AS seen
		FROM installations i WHERE i.removed_at > 0 ORDER BY i.removed_at, i.platform, i.tenant`)
	out := make([]core.Removal, 0, len(found))
	for _, row := range found {
		out = append(out, core.Removal{
			Platform: core.Platform(row.Platform), Tenant: row.Tenant, At: at(row.At), Seen: at(row.Seen),
		})
	}
	return out, err
}
