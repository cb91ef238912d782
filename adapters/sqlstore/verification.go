package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

const verificationQuery = `SELECT v.id, v.shown, v.normal, v.code_hash, v.tries, v.state, v.created_at, v.expires_at,
	v.workspace, ` + accountColumns + ` FROM verifications v JOIN accounts a ON a.id = v.account_id `

type verificationRow struct {
	accountRow
	ID        string `db:"id"`
	Shown     string `db:"shown"`
	Normal    string `db:"normal"`
	CodeHash  string `db:"code_hash"`
	Tries     int    `db:"tries"`
	State     string `db:"state"`
	CreatedAt int64  `db:"created_at"`
	ExpiresAt int64  `db:"expires_at"`
	Workspace string `db:"workspace"`
}

func (r verificationRow) verification() core.Verification {
	return core.Verification{
		ID: r.ID, Account: r.account(), Email: core.Email{Shown: r.Shown, Normal: r.Normal},
		CodeHash: r.CodeHash, Tries: r.Tries, State: core.VerificationState(r.State),
		CreatedAt: at(r.CreatedAt), ExpiresAt: at(r.ExpiresAt), Workspace: r.Workspace,
	}
}

func (r runner) verification(ctx context.Context, id string) (core.Verification, error) {
	var row verificationRow
	err := r.get(ctx, &row, verificationQuery+`WHERE v.id = ?`, id)
	return row.verification(), err
}

// Verification implements [core.LinkStore].
func (d *DB) Verification(ctx context.Context, id string) (core.Verification, error) {
	return d.run().verification(ctx, id)
}

// TakeTry implements [core.LinkStore]. Verifications without a mail count
// tries like the others, so that nobody can tell them apart.
func (d *DB) TakeTry(ctx context.Context, id string, actor core.Identity, maxTries int, now time.Time) (core.Verification, error) {
	r := d.run()
	const mine = `id = ? AND account_id = (
		SELECT id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?)`
	n, err := r.exec(ctx, `UPDATE verifications SET tries = tries + 1
		WHERE `+mine+` AND state IN ('open', 'limited') AND tries < ? AND expires_at > ?`,
		id, actor.Platform, actor.Tenant, actor.User, maxTries, ms(now))
	if err != nil {
		return core.Verification{}, err
	}
	if n == 1 {
		return r.verification(ctx, id)
	}
	_, err = r.exec(ctx, `UPDATE verifications SET state = 'exhausted'
		WHERE `+mine+` AND state IN ('open', 'limited') AND tries >= ?`,
		id, actor.Platform, actor.Tenant, actor.User, maxTries)
	if err != nil {
		return core.Verification{}, err
	}
	v, err := r.verification(ctx, id)
	switch {
	case err == nil && v.Account.Identity == actor:
		return core.Verification{}, core.ErrGone
	case err == nil || errors.Is(err, core.ErrNotFound):
		return core.Verification{}, core.ErrNotFound
	default:
		return core.Verification{}, err
	}
}

// CountVerifications implements [core.Tx].
func (t *tx) CountVerifications(ctx context.Context, memberID, normal, workspace string, since time.Time) (core.VerificationCounts, error) {
	var row struct {
		Member    int `db:"by_member"`
		Address   int `db:"by_address"`
		Workspace int `db:"by_workspace"`
	}
	err := t.get(ctx, &row, `SELECT
		(SELECT count(*) FROM verifications v JOIN accounts a ON a.id = v.account_id
			WHERE a.member_id = ? AND v.created_at >= ?) AS by_member,
		(SELECT count(*) FROM verifications WHERE normal = ? AND created_at >= ?) AS by_address,
		(SELECT count(*) FROM verifications WHERE workspace = ? AND created_at >= ?) AS by_workspace`,
		memberID, ms(since), normal, ms(since), workspace, ms(since))
	return core.VerificationCounts{Member: row.Member, Address: row.Address, Workspace: row.Workspace}, err
}

// AddVerification implements [core.Tx].
func (t *tx) AddVerification(ctx context.Context, v core.Verification) error {
	_, err := t.exec(ctx, `INSERT INTO verifications
		(id, account_id, workspace, shown, normal, code_hash, tries, state, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.ID, v.Account.ID, clean(v.Workspace), v.Email.Shown, v.Email.Normal, v.CodeHash, v.Tries, v.State,
		ms(v.CreatedAt), ms(v.ExpiresAt))
	if err != nil {
		return err
	}
	var superseded []string
	err = t.all(ctx, &superseded, `UPDATE verifications SET state = 'superseded'
		WHERE account_id = ? AND normal = ? AND id <> ? AND state IN ('open', 'limited') RETURNING id`,
		v.Account.ID, v.Email.Normal, v.ID)
	if err != nil {
		return err
	}
	return t.tell(ctx, subjects(core.SubjectVerification, superseded), false, v.CreatedAt)
}

// UseVerification implements [core.Tx].
func (t *tx) UseVerification(ctx context.Context, id string, now time.Time) (core.Verification, error) {
	n, err := t.exec(ctx, `UPDATE verifications SET state = 'used'
		WHERE id = ? AND state = 'open' AND expires_at > ?`, id, ms(now))
	if err != nil {
		return core.Verification{}, err
	}
	if n == 0 {
		return core.Verification{}, core.ErrGone
	}
	return t.verification(ctx, id)
}
