package sqlstore

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

const erasedCounter = "erased"

// EraseAddress implements [core.Tx].
func (t *tx) EraseAddress(ctx context.Context, normal string, now time.Time) error {
	known, err := t.writings(ctx, normal)
	if err != nil {
		return err
	}
	var badges, verifications []string
	if err := t.all(ctx, &badges, `SELECT id FROM badges WHERE recipient = ? ORDER BY id FOR UPDATE`, normal); err != nil {
		return err
	}
	if err := t.all(ctx, &verifications, `SELECT id FROM verifications WHERE normal = ? ORDER BY id FOR UPDATE`, normal); err != nil {
		return err
	}
	var owner addressRow
	err = t.get(ctx, &owner, `DELETE FROM addresses WHERE normal = ? RETURNING id, member_id, shown, normal, verified_at`, normal)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return err
	}
	if err := t.eraseInbox(ctx, known, now); err != nil {
		return err
	}
	if err := t.eraseSubjects(ctx, badges, verifications); err != nil {
		return err
	}
	if owner.MemberID != "" {
		if err := t.eraseMember(ctx, owner.MemberID); err != nil {
			return err
		}
	}
	if len(badges)+len(verifications) == 0 && owner.ID == "" {
		return nil
	}
	return t.Count(ctx, erasedCounter, 1)
}

// writings returns all ways in which the address is written anywhere.
func (t *tx) writings(ctx context.Context, normal string) ([]string, error) {
	var shown []string
	err := t.all(ctx, &shown, `SELECT recipient_shown FROM badges WHERE recipient = ?
		UNION SELECT shown FROM verifications WHERE normal = ?
		UNION SELECT shown FROM addresses WHERE normal = ?`, normal, normal, normal)
	return append(shown, normal), err
}

// eraseInbox empties stored messages that name the address, the one that
// asked for the erasure among them.
func (t *tx) eraseInbox(ctx context.Context, writings []string, now time.Time) error {
	find := "instr"
	if t.dialect.postgres {
		find = "strpos"
	}
	for _, w := range writings {
		_, err := t.exec(ctx, `UPDATE inbox SET payload = '', cause = '', event_key = 'erased:' || id, state = 'done',
				done_at = CASE done_at WHEN 0 THEN CAST(? AS bigint) ELSE done_at END
			WHERE `+find+`(payload, ?) > 0 OR `+find+`(lower(payload), ?) > 0 OR `+find+`(lower(event_key), ?) > 0`,
			ms(now), w, strings.ToLower(w), strings.ToLower(w))
		if err != nil {
			return err
		}
	}
	return nil
}

// eraseSubjects deletes badges and verifications with everything that shows
// or tells them.
func (t *tx) eraseSubjects(ctx context.Context, badges, verifications []string) error {
	var posts []string
	err := t.all(ctx, &posts, `DELETE FROM posts WHERE (subject_kind = 'badge' AND subject_id IN $texts)
			OR (subject_kind = 'handoff' AND subject_id IN (SELECT id FROM handoffs WHERE badge_id IN $texts))
			OR (subject_kind = 'verification' AND subject_id IN $texts) RETURNING id`,
		texts(badges), texts(badges), texts(verifications))
	if err != nil {
		return err
	}
	refs := append(append(texts(posts), badges...), verifications...)
	for _, step := range []struct {
		query string
		ids   texts
	}{
		{`DELETE FROM outbox WHERE ref IN $texts`, refs},
		{`DELETE FROM verifications WHERE id IN $texts`, verifications},
		{`DELETE FROM badges WHERE id IN $texts`, badges},
	} {
		if _, err := t.exec(ctx, step.query, step.ids); err != nil {
			return err
		}
	}
	return nil
}

// eraseMember deletes a member who has no address left, with all accounts.
func (t *tx) eraseMember(ctx context.Context, memberID string) error {
	if _, err := t.LockMembers(ctx, memberID); err != nil {
		return err
	}
	var left int
	if err := t.get(ctx, &left, `SELECT count(*) FROM addresses WHERE member_id = ?`, memberID); err != nil || left > 0 {
		return err
	}
	accounts, err := t.AccountsOf(ctx, memberID)
	if err != nil {
		return err
	}
	var lanes, ids texts
	for _, a := range accounts {
		lanes, ids = append(lanes, a.Identity.Lane()), append(ids, a.ID)
	}
	_, err = t.exec(ctx, `DELETE FROM outbox WHERE kind = 'mail' AND ref IN (
		SELECT id FROM verifications WHERE account_id IN $texts)`, ids)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		query string
		arg   any
	}{
		{`DELETE FROM outbox WHERE lane IN $texts`, lanes},
		{`DELETE FROM lanes WHERE lane IN $texts`, lanes},
		{`UPDATE audit SET actor = '' WHERE actor = ?`, memberID},
		// Posts and verifications go with their accounts.
		{`DELETE FROM accounts WHERE member_id = ?`, memberID},
		{`DELETE FROM members WHERE id = ?`, memberID},
	} {
		if _, err := t.exec(ctx, step.query, step.arg); err != nil {
			return err
		}
	}
	return nil
}
