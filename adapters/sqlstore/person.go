package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

// accountColumns reads an [accountRow] from accounts a.
const accountColumns = `a.id AS account_id, a.platform, a.tenant, a.user_id, a.member_id, a.locale AS account_locale,
	a.time_zone, a.display_name, a.team`

type accountRow struct {
	ID          string `db:"account_id"`
	Platform    string `db:"platform"`
	Tenant      string `db:"tenant"`
	User        string `db:"user_id"`
	MemberID    string `db:"member_id"`
	Locale      string `db:"account_locale"`
	TimeZone    string `db:"time_zone"`
	DisplayName string `db:"display_name"`
	Team        string `db:"team"`
}

func (r accountRow) account() core.Account {
	return core.Account{
		ID:       r.ID,
		Identity: core.Identity{Platform: core.Platform(r.Platform), Tenant: r.Tenant, User: r.User},
		MemberID: r.MemberID, Locale: r.Locale, TimeZone: r.TimeZone, DisplayName: r.DisplayName, Team: r.Team,
	}
}

type addressRow struct {
	ID         string `db:"id"`
	MemberID   string `db:"member_id"`
	Shown      string `db:"shown"`
	Normal     string `db:"normal"`
	VerifiedAt int64  `db:"verified_at"`
}

func (r addressRow) address() core.Address {
	return core.Address{
		ID: r.ID, MemberID: r.MemberID,
		Email:      core.Email{Shown: r.Shown, Normal: r.Normal},
		VerifiedAt: at(r.VerifiedAt),
	}
}

// Person implements [core.PersonStore].
func (d *DB) Person(ctx context.Context, id core.Identity) (core.Person, error) {
	r := d.run()
	var accounts []struct {
		accountRow
		SeenAt int64 `db:"seen_at"`
	}
	err := r.all(ctx, &accounts, `SELECT `+accountColumns+`, a.seen_at FROM accounts a
		WHERE a.member_id = (SELECT member_id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?)
		ORDER BY a.created_at, a.id`, id.Platform, id.Tenant, id.User)
	if err != nil || len(accounts) == 0 {
		return core.Person{}, err
	}
	var p core.Person
	for _, row := range accounts {
		account := row.account()
		p.Accounts = append(p.Accounts, account)
		if account.Identity == id {
			p.Account, p.Seen = &account, at(row.SeenAt)
		}
	}
	var addresses []addressRow
	err = r.all(ctx, &addresses, `SELECT id, member_id, shown, normal, verified_at FROM addresses
		WHERE member_id = ? ORDER BY verified_at, id`, p.MemberID())
	if err != nil {
		return core.Person{}, err
	}
	for _, row := range addresses {
		p.Addresses = append(p.Addresses, row.address())
	}
	var waiting int
	err = r.get(ctx, &waiting, `SELECT count(*) FROM outbox
		WHERE lane IN (?, ?) AND kind = 'post' AND state = 'waiting'`, id.Lane(), id.HomeLane())
	p.Waiting = waiting > 0
	return p, err
}

// Account implements [core.PersonStore].
func (d *DB) Account(ctx context.Context, id string) (core.Account, error) {
	var row accountRow
	err := d.run().get(ctx, &row, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = ?`, id)
	return row.account(), err
}

// EnsureAccount implements [core.Tx].
func (t *tx) EnsureAccount(ctx context.Context, a core.Account, now time.Time) (core.Account, error) {
	seen, err := t.seeAccount(ctx, a, now)
	if !errors.Is(err, core.ErrNotFound) {
		return seen, err
	}
	member := core.NewID()
	_, channel := a.Identity.Channel()
	if _, err := t.exec(ctx, `INSERT INTO members (id, channel, created_at) VALUES (?, ?, ?)`, member, channel, ms(now)); err != nil {
		return core.Account{}, err
	}
	n, err := t.exec(ctx, `INSERT INTO accounts (id, platform, tenant, user_id, member_id, seen_at, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (platform, tenant, user_id) DO NOTHING`,
		core.NewID(), a.Identity.Platform, clean(a.Identity.Tenant), clean(a.Identity.User), member, ms(now), ms(now))
	if err != nil {
		return core.Account{}, err
	}
	if n == 0 {
		// Somebody else was faster: the new member has no use.
		return core.Account{}, errConflict()
	}
	return t.seeAccount(ctx, a, now)
}

func (t *tx) seeAccount(ctx context.Context, a core.Account, now time.Time) (core.Account, error) {
	var row accountRow
	err := t.get(ctx, &row, `UPDATE accounts AS a SET
			seen_at = CASE WHEN ? > a.seen_at THEN ? ELSE a.seen_at END,
			locale = COALESCE(NULLIF(?, ''), a.locale),
			time_zone = COALESCE(NULLIF(?, ''), a.time_zone),
			display_name = COALESCE(NULLIF(?, ''), a.display_name),
			team = COALESCE(NULLIF(?, ''), a.team)
		WHERE platform = ? AND tenant = ? AND user_id = ?
		RETURNING id AS account_id, platform, tenant, user_id, member_id, locale AS account_locale, time_zone, display_name,
			team`,
		ms(now), ms(now), clean(a.Locale), clean(a.TimeZone), clean(a.DisplayName), clean(a.Team),
		a.Identity.Platform, clean(a.Identity.Tenant), clean(a.Identity.User))
	return row.account(), err
}

// LockMembers implements [core.Tx].
func (t *tx) LockMembers(ctx context.Context, ids ...string) ([]string, error) {
	var locked []string
	err := t.all(ctx, &locked, `SELECT id FROM members WHERE id IN $texts ORDER BY id FOR UPDATE`, texts(ids))
	return locked, err
}

// AccountsOf implements [core.Tx].
func (t *tx) AccountsOf(ctx context.Context, memberID string) ([]core.Account, error) {
	var found []accountRow
	err := t.all(ctx, &found, `SELECT `+accountColumns+` FROM accounts a
		WHERE a.member_id = ? ORDER BY a.seen_at DESC, a.id DESC`, memberID)
	accounts := make([]core.Account, 0, len(found))
	for _, row := range found {
		accounts = append(accounts, row.account())
	}
	return accounts, err
}

// JoinMembers implements [core.Tx].
func (t *tx) JoinMembers(ctx context.Context, from, into string, now time.Time) error {
	// Handoffs go first: they are found by the addresses that they belong to,
	// and those of an address that was taken off by what the member claimed.
	_, err := t.exec(ctx, `UPDATE handoffs SET member_id = ? WHERE member_id = ? AND badge_id IN (
		SELECT b.id FROM badges b JOIN addresses d ON d.normal = b.recipient WHERE d.member_id = ?
		UNION SELECT subject FROM audit WHERE actor = ? AND kind = 'badge.claim')`, into, from, from, from)
	if err != nil {
		return err
	}
	for _, step := range []string{
		`UPDATE addresses SET member_id = ? WHERE member_id = ?`,
		`UPDATE accounts SET member_id = ? WHERE member_id = ?`,
		`UPDATE audit SET actor = ? WHERE actor = ?`,
	} {
		if _, err := t.exec(ctx, step, into, from); err != nil {
			return err
		}
	}
	if err := t.joinTasks(ctx, from, into); err != nil {
		return err
	}
	// What somebody does not want counts for the whole person from now on, and
	// so does the reminder that one of them had today. Hours and zone are those
	// of who chose some. Links to certificates that are out showed those of one
	// of them, and end.
	_, err = t.exec(ctx, `UPDATE members SET
			remind_at = ?,
			stopped = members.stopped OR f.stopped,
			snoozed_until = CASE WHEN f.snoozed_until > members.snoozed_until THEN f.snoozed_until ELSE members.snoozed_until END,
			reminded_on = CASE WHEN f.reminded_on > members.reminded_on THEN f.reminded_on ELSE members.reminded_on END,
			remind_from = CASE WHEN f.remind_from > members.remind_from THEN f.remind_from ELSE members.remind_from END,
			zone = CASE members.zone WHEN '' THEN f.zone ELSE members.zone END,
			hours_from = CASE members.days WHEN 0 THEN f.hours_from ELSE members.hours_from END,
			hours_to = CASE members.days WHEN 0 THEN f.hours_to ELSE members.hours_to END,
			days = CASE members.days WHEN 0 THEN f.days ELSE members.days END,
			asked_zone = members.asked_zone OR f.asked_zone,
			celebrate = CASE f.celebrate WHEN 'never' THEN 'never' ELSE members.celebrate END,
			elsewhere = members.elsewhere AND f.elsewhere,
			asked = members.asked + f.asked,
			certificate_links = members.certificate_links + 1
		FROM members f WHERE members.id = ? AND f.id = ?`, ms(now), into, from)
	if err != nil {
		return err
	}
	if err := t.touchRolesOf(ctx, texts{into}, now); err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM members WHERE id = ?`, from)
	return err
}
