package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// MarkSharedBy implements [core.ShareStore].
func (d *DB) MarkSharedBy(ctx context.Context, badgeID string, o core.Outlet, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `UPDATE badges SET shared_at = ? WHERE id = ? AND shared_at = 0 AND stage = ?`,
			ms(now), badgeID, core.StagePublic)
		if err != nil || n == 0 {
			return err
		}
		var owners []string
		err = t.all(ctx, &owners, `SELECT d.member_id FROM badges b JOIN addresses d ON d.normal = b.recipient WHERE b.id = ?`, badgeID)
		if err != nil {
			return err
		}
		owner := ""
		if len(owners) == 1 {
			owner = owners[0]
		}
		if err := t.TellHomes(ctx, owner, now); err != nil {
			return err
		}
		if err := t.Count(ctx, "shared."+string(o), 1); err != nil {
			return err
		}
		return t.Audit(ctx, owner, "badge.shared", badgeID, now)
	})
}
