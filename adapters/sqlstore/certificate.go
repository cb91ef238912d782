package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Keeping implements [core.CertificateStore].
func (d *DB) Keeping(ctx context.Context, memberID string) (core.Keeping, error) {
	r := d.run()
	var row struct {
		Elsewhere bool   `db:"elsewhere"`
		Links     int    `db:"certificate_links"`
		Locale    string `db:"locale"`
	}
	err := r.get(ctx, &row, `SELECT m.elsewhere, m.certificate_links, COALESCE((SELECT a.locale FROM accounts a
			WHERE a.member_id = m.id ORDER BY a.seen_at DESC, a.id DESC LIMIT 1), '') AS locale
		FROM members m WHERE m.id = ?`, memberID)
	if err != nil {
		return core.Keeping{}, err
	}
	k := core.Keeping{Elsewhere: row.Elsewhere, Links: row.Links, Locale: row.Locale}
	var addresses []addressRow
	err = r.all(ctx, &addresses, `SELECT id, member_id, shown, normal, verified_at FROM addresses
		WHERE member_id = ? ORDER BY verified_at, id`, memberID)
	for _, a := range addresses {
		k.Addresses = append(k.Addresses, a.address().Email)
	}
	return k, err
}

// ListElsewhere implements [core.CertificateStore].
func (d *DB) ListElsewhere(ctx context.Context, actor core.Identity, on bool, now time.Time) error {
	kind := "elsewhere.off"
	if on {
		kind = "elsewhere.on"
	}
	return d.keep(ctx, actor, kind, now, `UPDATE members SET elsewhere = ? WHERE id = `+memberOf+` RETURNING id`, on)
}

// EndCertificateLinks implements [core.CertificateStore].
func (d *DB) EndCertificateLinks(ctx context.Context, actor core.Identity, now time.Time) error {
	return d.keep(ctx, actor, "certificates.end_links", now,
		`UPDATE members SET certificate_links = certificate_links + 1 WHERE id = `+memberOf+` RETURNING id`)
}

// keep changes the member of an identity and notes who did what.
func (d *DB) keep(ctx context.Context, actor core.Identity, kind string, now time.Time, update string, args ...any) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var member string
		err := t.get(ctx, &member, update, append(args[:len(args):len(args)], actor.Platform, actor.Tenant, actor.User)...)
		if err != nil {
			return err
		}
		return t.Audit(ctx, member, kind, "", now)
	})
}
