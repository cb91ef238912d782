package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// AddressOwner implements [core.Tx].
func (t *tx) AddressOwner(ctx context.Context, normal string) (core.Address, error) {
	var row addressRow
	err := t.get(ctx, &row, `SELECT id, member_id, shown, normal, verified_at FROM addresses WHERE normal = ?`, normal)
	return row.address(), err
}

// AddAddress implements [core.Tx]. Everything of a new address is due to be
// read at the provider at once.
func (t *tx) AddAddress(ctx context.Context, a core.Address) error {
	n, err := t.exec(ctx, `INSERT INTO addresses (id, member_id, shown, normal, verified_at, next_refresh_at)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (normal) DO NOTHING`,
		a.ID, a.MemberID, a.Email.Shown, a.Email.Normal, ms(a.VerifiedAt), ms(a.VerifiedAt))
	if err == nil && n == 0 {
		// Somebody proved it meanwhile: begin again and find that member.
		err = errConflict()
	}
	if err != nil {
		return err
	}
	return t.touchMember(ctx, a.MemberID, a.VerifiedAt)
}

// RemoveAddress implements [core.Tx].
func (t *tx) RemoveAddress(ctx context.Context, addressID string, actor core.Identity, now time.Time) (core.Address, error) {
	// Whoever decides about one of its badges just now has it locked and reads
	// whose it is.
	var badges texts
	err := t.all(ctx, &badges, `SELECT id FROM badges WHERE recipient = (
			SELECT normal FROM addresses WHERE id = ? AND member_id = `+memberOf+`)
		ORDER BY id FOR UPDATE`, addressID, actor.Platform, actor.Tenant, actor.User)
	if err != nil {
		return core.Address{}, err
	}
	var row addressRow
	err = t.get(ctx, &row, `DELETE FROM addresses WHERE id = ? AND member_id = (
			SELECT member_id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?)
		RETURNING id, member_id, shown, normal, verified_at`,
		addressID, actor.Platform, actor.Tenant, actor.User)
	if err != nil {
		return core.Address{}, err
	}
	if err := t.forgetTasks(ctx, append(texts{row.ID}, badges...)); err != nil {
		return core.Address{}, err
	}
	var closed []string
	err = t.all(ctx, &closed, `UPDATE handoffs SET state = 'failed', closed_at = ?
		WHERE state IN ('preparing', 'open') AND badge_id IN (SELECT id FROM badges WHERE recipient = ?)
		RETURNING id`, ms(now), row.Normal)
	if err != nil {
		return core.Address{}, err
	}
	if err := t.touchRolesOf(ctx, texts{row.MemberID}, now); err != nil {
		return core.Address{}, err
	}
	if err := t.forgetConsents(ctx, badges, now); err != nil {
		return core.Address{}, err
	}
	return row.address(), t.tellHandoffs(ctx, closed, false, now)
}

// DueRefreshes implements [core.BadgeStore].
func (d *DB) DueRefreshes(ctx context.Context, now time.Time, limit int, next time.Duration) ([]core.Email, error) {
	var due []addressRow
	err := d.again(ctx, func() error {
		due = nil
		return d.run().all(ctx, &due, `UPDATE addresses SET next_refresh_at = ? WHERE id IN (
				SELECT id FROM addresses WHERE next_refresh_at <= ?
				ORDER BY next_refresh_at, id LIMIT ? FOR UPDATE SKIP LOCKED)
			RETURNING id, member_id, shown, normal, verified_at`, ms(now.Add(next)), ms(now), limit)
	})
	emails := make([]core.Email, 0, len(due))
	for _, row := range due {
		emails = append(emails, row.address().Email)
	}
	return emails, err
}
