package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

// neverAsk is what members have who do not want to be asked.
const neverAsk = "never"

// consentQuery reads [consentRow]s. While no channel shows a badge, its channel
// is that in which the team celebrates by now whose channel it was asked for.
const consentQuery = `SELECT ` + badgeColumns + `, c.question, c.n AS number, c.state AS decision, c.batch, ` + accountColumns + `,
		h.id AS channel_id, h.platform AS channel_platform, h.tenant AS channel_tenant, h.user_id AS channel_user,
		h.member_id AS channel_member, h.locale AS channel_locale, h.display_name AS channel_name,
		EXISTS (SELECT 1 FROM addresses d WHERE d.normal = b.recipient AND d.member_id = a.member_id) AS owned,
		EXISTS (SELECT 1 FROM customs u WHERE u.celebrate_in = h.id) AS chosen, m.celebrate = '` + neverAsk + `' AS never_ask
	FROM celebrations c JOIN badges b ON b.id = c.badge_id LEFT JOIN templates t ON t.id = b.template_id
	JOIN accounts a ON a.id = c.person_id JOIN members m ON m.id = a.member_id
	JOIN accounts h ON h.id = CASE c.batch WHEN '' THEN COALESCE((SELECT n.id
		FROM accounts o JOIN customs u ON u.team = o.team JOIN accounts n ON n.id = u.celebrate_in
		WHERE o.id = c.account_id AND o.team <> ''), c.account_id) ELSE c.account_id END
	WHERE `

type consentRow struct {
	badgeRow
	accountRow
	Question        string `db:"question"`
	Number          int    `db:"number"`
	Decision        string `db:"decision"`
	Batch           string `db:"batch"`
	ChannelID       string `db:"channel_id"`
	ChannelPlatform string `db:"channel_platform"`
	ChannelTenant   string `db:"channel_tenant"`
	ChannelUser     string `db:"channel_user"`
	ChannelMember   string `db:"channel_member"`
	ChannelLocale   string `db:"channel_locale"`
	ChannelName     string `db:"channel_name"`
	Owned           bool   `db:"owned"`
	Chosen          bool   `db:"chosen"`
	NeverAsk        bool   `db:"never_ask"`
}

func (r consentRow) consent() core.Consent {
	return core.Consent{
		Badge: r.badge(), Question: r.Question, Number: r.Number, State: core.ConsentState(r.Decision), Batch: r.Batch,
		Person: r.account(), Owned: r.Owned, Chosen: r.Chosen, NeverAsk: r.NeverAsk,
		Channel: core.Account{
			ID: r.ChannelID, MemberID: r.ChannelMember, Locale: r.ChannelLocale, DisplayName: r.ChannelName,
			Identity: core.Identity{Platform: core.Platform(r.ChannelPlatform), Tenant: r.ChannelTenant, User: r.ChannelUser},
		},
	}
}

func (r runner) consents(ctx context.Context, query string, arg string) ([]core.Consent, error) {
	var found []consentRow
	err := r.all(ctx, &found, query, arg)
	out := make([]core.Consent, 0, len(found))
	for _, row := range found {
		out = append(out, row.consent())
	}
	return out, err
}

const (
	consentsOfQuestion = consentQuery + `c.question = ? ORDER BY c.n`
	consentsOfBatch    = consentQuery + `c.batch = ? AND c.batch <> '' ORDER BY c.asked_at, c.badge_id`
	consentOfBadge     = consentQuery + `c.badge_id = ?`
)

// Consents implements [core.CelebrateStore].
func (d *DB) Consents(ctx context.Context, question string) ([]core.Consent, error) {
	return d.run().consents(ctx, consentsOfQuestion, question)
}

// Celebrated implements [core.CelebrateStore].
func (d *DB) Celebrated(ctx context.Context, batch string) ([]core.Consent, error) {
	return d.run().consents(ctx, consentsOfBatch, batch)
}

// Consents implements [core.CelebrateStore].
func (t *tx) Consents(ctx context.Context, question string) ([]core.Consent, error) {
	return t.consents(ctx, consentsOfQuestion, question)
}

// Celebrated implements [core.CelebrateStore].
func (t *tx) Celebrated(ctx context.Context, batch string) ([]core.Consent, error) {
	return t.consents(ctx, consentsOfBatch, batch)
}

// Consent implements [core.CelebrateTx].
func (t *tx) Consent(ctx context.Context, badgeID string) (core.Consent, error) {
	var row consentRow
	err := t.get(ctx, &row, consentOfBadge, badgeID)
	return row.consent(), err
}

// LockBadges implements [core.CelebrateTx].
func (t *tx) LockBadges(ctx context.Context, ids ...string) error {
	var locked []string
	return t.all(ctx, &locked, `SELECT id FROM badges WHERE id IN $texts ORDER BY id FOR UPDATE`, texts(ids))
}

// Ask implements [core.CelebrateTx].
func (t *tx) Ask(ctx context.Context, badgeID, accountID string, since, now time.Time) (core.Asked, error) {
	var channel string
	err := t.get(ctx, &channel, `SELECT h.id FROM accounts a JOIN members m ON m.id = a.member_id
		JOIN customs u ON u.team = a.team JOIN accounts h ON h.id = u.celebrate_in
		WHERE a.id = ? AND a.team <> '' AND m.celebrate <> ?`, accountID, neverAsk)
	if errors.Is(err, core.ErrNotFound) {
		return core.Asked{}, core.ErrUnmet
	}
	if err != nil {
		return core.Asked{}, err
	}
	var open struct {
		Question string `db:"subject_id"`
		PostID   string `db:"id"`
	}
	err = t.get(ctx, &open, `SELECT p.id, p.subject_id FROM posts p
		WHERE p.account_id = ? AND p.subject_kind = 'consent' AND p.created_at > ? AND (NOT p.shown OR p.editable_until > ?)
			AND EXISTS (SELECT 1 FROM celebrations c
				WHERE c.question = p.subject_id AND c.account_id = ? AND c.state = 'asked')
		ORDER BY p.created_at DESC, p.id DESC LIMIT 1`, accountID, ms(since), ms(now), channel)
	if errors.Is(err, core.ErrNotFound) {
		open.Question, err = core.NewID(), nil
	}
	if err != nil {
		return core.Asked{}, err
	}
	// A number is never used again, even if its badge is gone: a button that
	// names it may still be pressed.
	var number int
	err = t.get(ctx, &number, `UPDATE members SET asked = asked + 1 WHERE id = (SELECT member_id FROM accounts WHERE id = ?)
		RETURNING asked`, accountID)
	if err != nil {
		return core.Asked{}, err
	}
	n, err := t.exec(ctx, `INSERT INTO celebrations (badge_id, question, n, person_id, account_id, state, asked_at)
		VALUES (?, ?, ?, ?, ?, 'asked', ?) ON CONFLICT (badge_id) DO NOTHING`,
		badgeID, open.Question, number, accountID, channel, ms(now))
	if err == nil && n == 0 {
		err = core.ErrUnmet
	}
	return core.Asked{Question: open.Question, PostID: open.PostID}, err
}

// SetConsent implements [core.CelebrateTx].
func (t *tx) SetConsent(ctx context.Context, badgeID string, to core.ConsentState) error {
	_, err := t.exec(ctx, `UPDATE celebrations SET state = ? WHERE badge_id = ?`, to, badgeID)
	return err
}

// SetNeverAsk implements [core.CelebrateTx].
func (t *tx) SetNeverAsk(ctx context.Context, actor core.Identity, never bool) ([]string, error) {
	wish := ""
	if never {
		wish = neverAsk
	}
	n, err := t.exec(ctx, `UPDATE members SET celebrate = ? WHERE id = `+memberOf,
		wish, actor.Platform, actor.Tenant, actor.User)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, core.ErrNotFound
	}
	if !never {
		return nil, nil
	}
	var questions []string
	err = t.all(ctx, &questions, `UPDATE celebrations SET state = 'declined' WHERE state = 'asked' AND person_id IN (
			SELECT id FROM accounts WHERE member_id = `+memberOf+`)
		RETURNING question`, actor.Platform, actor.Tenant, actor.User)
	return questions, err
}

// LatestBatch implements [core.CelebrateTx].
func (t *tx) LatestBatch(ctx context.Context, channelID string, since time.Time, most int) (batch, postID string, err error) {
	var found struct {
		Batch  string `db:"subject_id"`
		PostID string `db:"id"`
		Badges int    `db:"badges"`
	}
	err = t.get(ctx, &found, `SELECT p.id, p.subject_id,
			(SELECT count(*) FROM celebrations c WHERE c.batch = p.subject_id) AS badges
		FROM posts p WHERE p.account_id = ? AND p.subject_kind = 'celebration' AND p.created_at > ?
		ORDER BY p.created_at DESC, p.id DESC LIMIT 1`, channelID, ms(since))
	if err == nil && found.Badges >= most {
		err = core.ErrNotFound
	}
	return found.Batch, found.PostID, err
}

// SetBatch implements [core.CelebrateTx].
func (t *tx) SetBatch(ctx context.Context, badgeID, batch, channelID string) error {
	_, err := t.exec(ctx, `UPDATE celebrations SET batch = ?, account_id = COALESCE(NULLIF(CAST(? AS text), ''), account_id)
		WHERE badge_id = ?`, batch, channelID, badgeID)
	return err
}

// Unshown implements [core.CelebrateStore].
func (d *DB) Unshown(ctx context.Context, team string, since time.Time, after string, limit int) ([]string, error) {
	return d.run().unshown(ctx, team, since, after, limit)
}

// Unshown implements [core.CelebrateStore].
func (t *tx) Unshown(ctx context.Context, team string, since time.Time, after string, limit int) ([]string, error) {
	return t.unshown(ctx, team, since, after, limit)
}

// unshown begins at the channels of a team: only what was asked for one of
// them is read.
func (r runner) unshown(ctx context.Context, team string, since time.Time, after string, limit int) ([]string, error) {
	var badges []string
	err := r.all(ctx, &badges, `SELECT c.badge_id FROM accounts h JOIN celebrations c ON c.account_id = h.id
			JOIN badges b ON b.id = c.badge_id
		WHERE h.team = ? AND h.user_id LIKE '#%' AND c.batch = '' AND c.state IN ('asked', 'agreed')
			AND (c.asked_at > ? OR b.stage_at > ?) AND c.badge_id > ?
		ORDER BY c.badge_id LIMIT ?`, clean(team), ms(since), ms(since), after, limit)
	return badges, err
}

// batchesOf returns the celebrations that show some badges, or some people by
// their accounts.
func (t *tx) batchesOf(ctx context.Context, badges, people texts) (texts, error) {
	var batches texts
	err := t.all(ctx, &batches, `SELECT DISTINCT batch FROM celebrations
		WHERE batch <> '' AND (badge_id IN $texts OR person_id IN $texts)`, badges, people)
	return batches, err
}

// lanesOfBatches chooses the lanes of the channels with some celebrations.
const lanesOfBatches = `SELECT a.platform || ':' || a.tenant || ':' || a.user_id FROM posts p JOIN accounts a ON a.id = p.account_id
	WHERE p.subject_kind = 'celebration' AND p.subject_id IN $texts`

// forgetConsents forgets what was decided about locked badges that are nobody's
// any more, and takes back what is shown of them.
func (t *tx) forgetConsents(ctx context.Context, badges texts, now time.Time) error {
	if len(badges) == 0 {
		return nil
	}
	var gone []struct {
		Batch    string `db:"batch"`
		Question string `db:"question"`
	}
	err := t.all(ctx, &gone, `DELETE FROM celebrations WHERE badge_id IN $texts RETURNING batch, question`, badges)
	if err != nil {
		return err
	}
	var batches, questions []string
	for _, row := range gone {
		questions = append(questions, row.Question)
		if row.Batch != "" {
			batches = append(batches, row.Batch)
		}
	}
	if err := t.tell(ctx, subjects(core.SubjectCelebration, batches), false, now); err != nil {
		return err
	}
	return t.tell(ctx, subjects(core.SubjectConsent, questions), false, now)
}
