package sqlstore

import (
	"context"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	digestColumns = `d.id, d.team AS digest_team, d.channel_name, d.audience, d.every, d.zone, d.locale, d.from_at, d.next_at, ` +
		accountColumns
	digestTables = `digests d JOIN accounts a ON a.id = d.account_id`
)

type digestRow struct {
	accountRow
	ID          string `db:"id"`
	DigestTeam  string `db:"digest_team"`
	ChannelName string `db:"channel_name"`
	Audience    string `db:"audience"`
	Every       string `db:"every"`
	Zone        string `db:"zone"`
	Language    string `db:"locale"`
	From        int64  `db:"from_at"`
	Next        int64  `db:"next_at"`
}

func (r digestRow) digest() core.Digest {
	return core.Digest{
		ID: r.ID, Team: r.DigestTeam, Account: r.account(), ChannelName: r.ChannelName,
		Audience: core.Audience(r.Audience), Every: core.Every(r.Every), Zone: r.Zone, Locale: r.Language,
		From: at(r.From), Next: at(r.Next),
	}
}

func (r runner) digests(ctx context.Context, query string, args ...any) ([]core.Digest, error) {
	var found []digestRow
	err := r.all(ctx, &found, `SELECT `+digestColumns+` FROM `+digestTables+query, args...)
	out := make([]core.Digest, 0, len(found))
	for _, row := range found {
		out = append(out, row.digest())
	}
	return out, err
}

// Digests implements [core.DigestStore].
func (d *DB) Digests(ctx context.Context, team string) ([]core.Digest, error) {
	return d.run().digests(ctx, ` WHERE d.team = ? ORDER BY d.created_at, d.id`, clean(team))
}

// DueDigests implements [core.DigestStore].
func (d *DB) DueDigests(ctx context.Context, now time.Time, after core.Cursor, limit int) ([]core.Digest, error) {
	return d.run().digests(ctx, ` WHERE d.next_at > 0 AND d.next_at <= ?
			AND (d.next_at, d.id) > (CAST(? AS bigint), CAST(? AS text))
		ORDER BY d.next_at, d.id LIMIT ?`, ms(now), ms(after.At), after.ID, limit)
}

// DigestIssue implements [core.DigestStore].
func (d *DB) DigestIssue(ctx context.Context, id string) (core.DigestIssue, error) {
	var row struct {
		digestRow
		IssueFrom int64 `db:"issue_from"`
		IssueTo   int64 `db:"issue_to"`
	}
	err := d.run().get(ctx, &row, `SELECT `+digestColumns+`, i.from_at AS issue_from, i.to_at AS issue_to
		FROM `+digestTables+` JOIN digest_issues i ON i.digest_id = d.id WHERE i.id = ?`, id)
	return core.DigestIssue{ID: id, Digest: row.digest(), From: at(row.IssueFrom), To: at(row.IssueTo)}, err
}

// AddDigest implements [core.DigestTx].
func (t *tx) AddDigest(ctx context.Context, d core.Digest, limit int, now time.Time) error {
	// Two that are added at once are counted one after the other.
	var others []string
	err := t.all(ctx, &others, `SELECT id FROM digests WHERE team = ? ORDER BY id FOR UPDATE`, clean(d.Team))
	if err != nil {
		return err
	}
	n, err := t.exec(ctx, `INSERT INTO digests
			(id, team, account_id, channel_name, audience, every, zone, locale, from_at, next_at, created_at)
		SELECT CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text),
			CAST(? AS text), CAST(? AS text), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint)
		WHERE (SELECT count(*) FROM digests WHERE team = ?) < ?`,
		d.ID, clean(d.Team), d.Account.ID, clean(d.ChannelName), string(d.Audience), string(d.Every), clean(d.Zone),
		clean(d.Locale), ms(d.From), ms(d.Next), ms(now), clean(d.Team), limit)
	if err == nil && n == 0 {
		err = core.ErrTooManyDigests
	}
	return err
}

// RemoveDigest implements [core.DigestTx].
func (t *tx) RemoveDigest(ctx context.Context, id, team string) error {
	n, err := t.exec(ctx, `DELETE FROM digests WHERE id = ? AND team = ?`, clean(id), clean(team))
	if err == nil && n == 0 {
		err = core.ErrNotFound
	}
	return err
}

// LockDigest implements [core.DigestTx].
func (t *tx) LockDigest(ctx context.Context, id, team string) (core.Digest, error) {
	found, err := t.digests(ctx, ` WHERE d.id = ? AND d.team = ? FOR UPDATE OF d`, clean(id), clean(team))
	if err == nil && len(found) == 0 {
		err = core.ErrNotFound
	}
	if err != nil {
		return core.Digest{}, err
	}
	return found[0], nil
}

// MoveDigest implements [core.DigestTx].
func (t *tx) MoveDigest(ctx context.Context, d core.Digest, from, next time.Time) error {
	n, err := t.exec(ctx, `UPDATE digests SET from_at = ?, next_at = ? WHERE id = ? AND next_at = ?`,
		ms(from), ms(next), d.ID, ms(d.Next))
	if err == nil && n == 0 {
		err = core.ErrUnmet
	}
	return err
}

// AddDigestIssue implements [core.DigestTx].
func (t *tx) AddDigestIssue(ctx context.Context, i core.DigestIssue, since time.Time) (bool, error) {
	n, err := t.exec(ctx, `INSERT INTO digest_issues (id, digest_id, from_at, to_at)
		SELECT CAST(? AS text), CAST(? AS text), CAST(? AS bigint), CAST(? AS bigint)
		WHERE CAST(? AS bigint) = 0
			OR NOT EXISTS (SELECT 1 FROM digest_issues WHERE digest_id = ? AND to_at > ?)
		ON CONFLICT (digest_id, to_at) DO NOTHING`,
		i.ID, i.Digest.ID, ms(i.From), ms(i.To), ms(since), i.Digest.ID, ms(since))
	return n > 0, err
}
