package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Installation is one workspace's grant of credentials.
type Installation struct {
	Platform core.Platform
	Tenant   string
	// Dead says why nothing is sent there; empty while it is alive.
	Dead  string
	Since time.Time
}

// MarkInstallation notes that an installation is dead and why, or with an
// empty text that it is alive again; what waited for it is then sent.
func (d *DB) MarkInstallation(ctx context.Context, platform core.Platform, tenant, dead string, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		return t.markInstallation(ctx, platform, tenant, dead, now)
	})
}

func (t *tx) markInstallation(ctx context.Context, platform core.Platform, tenant, dead string, now time.Time) error {
	_, err := t.exec(ctx, `INSERT INTO installations (platform, tenant, dead, since) VALUES (?, ?, ?, ?)
		ON CONFLICT (platform, tenant) DO UPDATE SET dead = excluded.dead, since = excluded.since
		WHERE (installations.dead = '') <> (excluded.dead = '')`, platform, tenant, clean(dead), ms(now))
	if err != nil || dead != "" {
		return err
	}
	// Lanes that are awake as well: a dispatcher that still saw the dead
	// installation may be about to put one to sleep.
	_, err = t.exec(ctx, `UPDATE lanes SET active = true,
			next_at = CASE WHEN next_at > ? THEN next_at ELSE ? END
		WHERE platform = ? AND tenant = ? AND EXISTS (
			SELECT 1 FROM outbox o WHERE o.lane = lanes.lane AND o.state IN ('ready', 'sending'))`,
		ms(now), ms(now), platform, tenant)
	return err
}

// Installations returns all installations of which something is known.
func (d *DB) Installations(ctx context.Context) ([]Installation, error) {
	var found []struct {
		Platform string `db:"platform"`
		Tenant   string `db:"tenant"`
		Dead     string `db:"dead"`
		Since    int64  `db:"since"`
	}
	err := d.run().all(ctx, &found, `SELECT platform, tenant, dead, since FROM installations ORDER BY platform, tenant`)
	out := make([]Installation, 0, len(found))
	for _, row := range found {
		out = append(out, Installation{
			Platform: core.Platform(row.Platform), Tenant: row.Tenant, Dead: row.Dead, Since: at(row.Since),
		})
	}
	return out, err
}
