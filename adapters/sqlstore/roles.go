package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"github.com/laurelbot/laurel/core"
)

// rolesContext binds sealed tokens to their connection.
func rolesContext(id string) string { return "roles:" + id }

// roleTokens are the tokens of a connection as they are sealed.
type roleTokens struct {
	Access  string `json:"access"`
	Refresh string `json:"refresh"`
}

func (d *DB) sealRoles(id string, t core.RoleTokens) (string, error) {
	plain, err := json.Marshal(roleTokens{Access: t.Access.Reveal(), Refresh: t.Refresh.Reveal()})
	if err != nil {
		return "", err
	}
	return d.keys.Seal(string(plain), rolesContext(id)), nil
}

// openRoles opens tokens; false where these keys do not. Those that were
// emptied, see [RekeyOptions], are none: the connection ends, and its person can
// make another.
func (d *DB) openRoles(id, sealed string, end int64) (tokens core.RoleTokens, readable bool) {
	if sealed == "" {
		return core.RoleTokens{}, true
	}
	var t roleTokens
	plain, err := d.keys.Open(sealed, rolesContext(id))
	if err != nil || json.Unmarshal([]byte(plain), &t) != nil {
		return core.RoleTokens{}, false
	}
	return core.RoleTokens{Access: core.Secret(t.Access), Refresh: core.Secret(t.Refresh), EndsAt: at(end)}, true
}

// ConnectRoles implements [core.RoleStore].
func (d *DB) ConnectRoles(ctx context.Context, id core.Identity, tokens core.RoleTokens, now time.Time) (string, error) {
	var connection string
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var known []string
		err := t.all(ctx, &known, `SELECT id FROM role_connections
			WHERE platform = ? AND tenant = ? AND user_id = ? AND user_id <> '' FOR UPDATE`, id.Platform, clean(id.Tenant), clean(id.User))
		if err != nil {
			return err
		}
		connection = core.NewID()
		if len(known) == 1 {
			connection = known[0]
		}
		sealed, err := d.sealRoles(connection, tokens)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO role_connections (id, platform, tenant, user_id, tokens_sealed, tokens_end, since, due_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
				tokens_sealed = excluded.tokens_sealed, tokens_end = excluded.tokens_end, since = excluded.since, due_at = excluded.due_at,
				ending = false, told = '', told_at = 0, failures = 0, leased_until = 0, revision = role_connections.revision + 1`,
			connection, id.Platform, clean(id.Tenant), clean(id.User), sealed, ms(tokens.EndsAt), ms(now), ms(now))
		if err != nil {
			return err
		}
		var owners []string
		err = t.all(ctx, &owners, `SELECT member_id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?`,
			id.Platform, clean(id.Tenant), clean(id.User))
		if err != nil {
			return err
		}
		owner := ""
		if len(owners) == 1 {
			owner = owners[0]
		}
		return t.Audit(ctx, owner, "roles.connected", "", now)
	})
	return connection, err
}

// RoleStanding implements [core.RoleStore].
func (d *DB) RoleStanding(ctx context.Context, id core.Identity) (core.RoleStanding, error) {
	var row struct {
		Since  int64 `db:"since"`
		ToldAt int64 `db:"told_at"`
	}
	err := d.run().get(ctx, &row, `SELECT since, told_at FROM role_connections
		WHERE platform = ? AND tenant = ? AND user_id = ? AND user_id <> '' AND NOT ending`, id.Platform, id.Tenant, id.User)
	return core.RoleStanding{Since: at(row.Since), ToldAt: at(row.ToldAt)}, err
}

// roleRow is a connection that was taken.
type roleRow struct {
	ID        string `db:"id"`
	Platform  string `db:"platform"`
	Tenant    string `db:"tenant"`
	User      string `db:"user_id"`
	Sealed    string `db:"tokens_sealed"`
	TokensEnd int64  `db:"tokens_end"`
	Ending    bool   `db:"ending"`
	Since     int64  `db:"since"`
	Told      string `db:"told"`
	ToldAt    int64  `db:"told_at"`
	Failures  int    `db:"failures"`
	Revision  int64  `db:"revision"`
	Wanted    int64  `db:"wanted"`
}

// TakeRoles implements [core.RoleStore].
func (d *DB) TakeRoles(ctx context.Context, now, lease time.Time, limit int, only string) ([]core.RoleConnection, error) {
	var taken []core.RoleConnection
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		var rows []roleRow
		taken = nil
		err := t.all(ctx, &rows, `UPDATE role_connections SET leased_until = ?, revision = revision + 1 WHERE id IN (
				SELECT id FROM role_connections WHERE due_at <= ? AND leased_until <= ?
					AND (CAST(? AS text) = '' OR id = CAST(? AS text))
				ORDER BY due_at, id LIMIT ? FOR UPDATE SKIP LOCKED)
			RETURNING id, platform, tenant, user_id, tokens_sealed, tokens_end, ending, since, told, told_at, failures, revision, wanted`,
			ms(lease), ms(now), ms(now), only, only, limit)
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make(texts, 0, len(rows))
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		var owners []struct {
			ID       string `db:"id"`
			MemberID string `db:"member_id"`
		}
		err = t.all(ctx, &owners, `SELECT r.id, a.member_id FROM role_connections r
			JOIN accounts a ON a.platform = r.platform AND a.tenant = r.tenant AND a.user_id = r.user_id WHERE r.id IN $texts`, ids)
		if err != nil {
			return err
		}
		member := make(map[string]string, len(owners))
		for _, o := range owners {
			member[o.ID] = o.MemberID
		}
		for _, row := range rows {
			tokens, readable := d.openRoles(row.ID, row.Sealed, row.TokensEnd)
			taken = append(taken, core.RoleConnection{
				ID:       row.ID,
				Identity: core.Identity{Platform: core.Platform(row.Platform), Tenant: row.Tenant, User: row.User},
				MemberID: member[row.ID], Tokens: tokens, Unreadable: !readable,
				Ending: row.Ending, Since: at(row.Since), Told: row.Told, ToldAt: at(row.ToldAt), Failures: row.Failures,
				Revision: row.Revision, Wanted: row.Wanted,
			})
		}
		return nil
	})
	return taken, err
}

// NewerRoles implements [core.RoleStore].
func (d *DB) NewerRoles(ctx context.Context, c core.RoleConnection, owner core.Identity) (bool, error) {
	var n int
	err := d.run().get(ctx, &n, `SELECT count(*) FROM role_connections
		WHERE platform = ? AND tenant = ? AND user_id = ? AND user_id <> '' AND NOT ending AND (id <> ? OR revision <> ?)`,
		owner.Platform, owner.Tenant, owner.User, c.ID, c.Revision)
	return n > 0, err
}

// CountRoles returns how many connections there are, those that end among them.
func (d *DB) CountRoles(ctx context.Context) (int, error) {
	var n int
	err := d.run().get(ctx, &n, `SELECT count(*) FROM role_connections`)
	return n, err
}

// SaveRoleTokens implements [core.RoleStore].
func (d *DB) SaveRoleTokens(ctx context.Context, c core.RoleConnection, tokens core.RoleTokens) error {
	sealed, err := d.sealRoles(c.ID, tokens)
	if err != nil {
		return err
	}
	return d.again(ctx, func() error {
		n, err := d.run().exec(ctx, `UPDATE role_connections SET tokens_sealed = ?, tokens_end = ? WHERE id = ? AND revision = ?`,
			sealed, ms(tokens.EndsAt), c.ID, c.Revision)
		if err == nil && n == 0 {
			return core.ErrUnmet
		}
		return err
	})
}

// FinishRoles implements [core.RoleStore].
func (d *DB) FinishRoles(ctx context.Context, o core.RoleOutcome) error {
	return d.again(ctx, func() error {
		_, err := d.run().exec(ctx, `UPDATE role_connections SET leased_until = 0, told = ?, told_at = ?, failures = ?,
				due_at = CASE WHEN wanted = ? THEN ? ELSE due_at END
			WHERE id = ? AND revision = ?`,
			o.Told, ms(o.ToldAt), o.Failures, o.Connection.Wanted, ms(roundUp(o.Next)), o.Connection.ID, o.Connection.Revision)
		return err
	})
}

// DisconnectRoles implements [core.RoleTx].
func (t *tx) DisconnectRoles(ctx context.Context, id core.Identity, now time.Time) error {
	n, err := t.exec(ctx, `UPDATE role_connections SET ending = true, since = ?, due_at = ?, failures = 0, wanted = wanted + 1
		WHERE platform = ? AND tenant = ? AND user_id = ? AND user_id <> '' AND NOT ending`,
		ms(now), ms(now), id.Platform, id.Tenant, id.User)
	if err == nil && n == 0 {
		return core.ErrNotFound
	}
	return err
}

// DropRoles implements [core.RoleTx].
func (t *tx) DropRoles(ctx context.Context, c core.RoleConnection) error {
	n, err := t.exec(ctx, `DELETE FROM role_connections WHERE id = ? AND revision = ?`, c.ID, c.Revision)
	if err == nil && n == 0 {
		return core.ErrUnmet
	}
	return err
}

// RetellRoles implements [core.RoleTx].
func (t *tx) RetellRoles(ctx context.Context, id core.Identity, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE role_connections SET told = '', due_at = ?, wanted = wanted + 1
		WHERE platform = ? AND tenant = ? AND user_id = ? AND user_id <> '' AND NOT ending`,
		ms(now), id.Platform, id.Tenant, id.User)
	return err
}

// touchRoles has the connections looked at of those members to whom these
// addresses belong. Their locks come after those of members and before those
// of lanes.
func (t *tx) touchRoles(ctx context.Context, normals texts, now time.Time) error {
	return t.wantRoles(ctx, identitiesOfAddresses, normals, now)
}

// touchRolesOf does the same for members.
func (t *tx) touchRolesOf(ctx context.Context, members texts, now time.Time) error {
	return t.wantRoles(ctx, identitiesOfMembers, members, now)
}

const (
	identitiesOfAddresses = `SELECT a.platform, a.tenant, a.user_id FROM accounts a
		JOIN addresses d ON d.member_id = a.member_id WHERE d.normal IN $texts`
	identitiesOfMembers = `SELECT a.platform, a.tenant, a.user_id FROM accounts a WHERE a.member_id IN $texts`
)

func (t *tx) wantRoles(ctx context.Context, identities string, chosen texts, now time.Time) error {
	_, err := t.exec(ctx, wantRolesOf+`(`+identities+`)`, ms(now), ms(now), chosen)
	return err
}

// wantRolesOf says that there is a user, as the index does: without that
// PostgreSQL does not see that it may use it, and reads every connection
// whenever any badge changes.
const wantRolesOf = `UPDATE role_connections SET wanted = wanted + 1, due_at = CASE WHEN due_at > ? THEN ? ELSE due_at END
	WHERE NOT ending AND user_id <> '' AND (platform, tenant, user_id) IN `

// forgetRoles lets the connections of accounts end without saying whose they
// were: only the tokens stay that are needed to take back what was told.
func (t *tx) forgetRoles(ctx context.Context, accounts texts, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE role_connections SET user_id = '', tenant = '', told = '', told_at = 0, failures = 0,
			since = CASE WHEN ending THEN since ELSE ? END, ending = true, due_at = ?, wanted = wanted + 1
		WHERE user_id <> '' AND (platform, tenant, user_id) IN (
			SELECT a.platform, a.tenant, a.user_id FROM accounts a WHERE a.id IN $texts)`, ms(now), ms(now), accounts)
	return err
}
