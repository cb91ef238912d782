package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

const erasedCounter = "erased"

// The locks of an erasure come in one order, which is that of everybody else:
// accounts, verifications, members, badges, addresses, lanes, posts.

// EraseAddress implements [core.Tx].
func (t *tx) EraseAddress(ctx context.Context, normal string, now time.Time) error {
	owner, err := t.AddressOwner(ctx, normal)
	if err != nil && !errors.Is(err, core.ErrNotFound) {
		return err
	}
	if owner.MemberID == "" {
		if err := t.lockPeople(ctx, nil, texts{normal}); err != nil {
			return err
		}
		return t.eraseAddress(ctx, normal, now)
	}
	if err := t.lockPeople(ctx, texts{owner.MemberID}, texts{normal}); err != nil {
		return err
	}
	var others int
	err = t.get(ctx, &others, `SELECT count(*) FROM addresses WHERE member_id = ? AND normal <> ?`, owner.MemberID, normal)
	if err != nil {
		return err
	}
	if others == 0 {
		return t.eraseMembers(ctx, texts{owner.MemberID}, now)
	}
	if err := t.eraseAddress(ctx, normal, now); err != nil {
		return err
	}
	return t.TellHomes(ctx, owner.MemberID, now)
}

func (t *tx) eraseAddress(ctx context.Context, normal string, now time.Time) error {
	n, err := t.eraseAddresses(ctx, texts{normal}, now)
	if err != nil || n == 0 {
		return err
	}
	return t.Count(ctx, erasedCounter, 1)
}

// EraseMember implements [core.Tx].
func (t *tx) EraseMember(ctx context.Context, actor core.Identity, now time.Time) error {
	var member string
	err := t.get(ctx, &member, `SELECT member_id FROM accounts WHERE platform = ? AND tenant = ? AND user_id = ?`,
		actor.Platform, actor.Tenant, actor.User)
	if err != nil {
		return err
	}
	if err := t.lockPeople(ctx, texts{member}, nil); err != nil {
		return err
	}
	return t.eraseMembers(ctx, texts{member}, now)
}

// EraseAccountsOf implements [core.Tx].
func (t *tx) EraseAccountsOf(ctx context.Context, p core.Platform, tenant string, limit int, now time.Time) (int, error) {
	var found []accountRow
	err := t.all(ctx, &found, `SELECT `+accountColumns+` FROM accounts a
		WHERE a.platform = ? AND a.tenant = ? ORDER BY a.user_id LIMIT ?`, p, tenant, limit)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	members, ids := make(texts, 0, len(found)), make(texts, 0, len(found))
	for _, row := range found {
		members, ids = append(members, row.MemberID), append(ids, row.ID)
	}
	slices.Sort(members)
	members = slices.Compact(members)
	if err := t.lockPeople(ctx, members, nil); err != nil {
		return 0, err
	}
	// Who has an account elsewhere, or one that waits for the next batch.
	var staying []string
	err = t.all(ctx, &staying, `SELECT DISTINCT member_id FROM accounts
		WHERE member_id IN $texts AND NOT (id IN $texts)`, members, ids)
	if err != nil {
		return 0, err
	}
	whole := slices.DeleteFunc(members, func(id string) bool { return slices.Contains(staying, id) })
	if err := t.eraseMembers(ctx, whole, now); err != nil {
		return 0, err
	}
	return len(found), t.eraseAccounts(ctx, `a.id IN $texts`, ids, now)
}

// lockPeople locks members with their accounts, and the verifications of
// these and of the addresses. Key shares of accounts stay free: whoever adds a
// post needs one and may have a badge that is locked later.
func (t *tx) lockPeople(ctx context.Context, members, normals texts) error {
	var accounts, verifications texts
	err := t.all(ctx, &accounts, `SELECT id FROM accounts WHERE member_id IN $texts ORDER BY id FOR NO KEY UPDATE`, members)
	if err != nil {
		return err
	}
	err = t.all(ctx, &verifications, `SELECT id FROM verifications
		WHERE account_id IN $texts OR normal IN $texts ORDER BY id FOR UPDATE`, accounts, normals)
	if err != nil {
		return err
	}
	locked, err := t.LockMembers(ctx, members...)
	if err == nil && len(locked) < len(members) {
		// One of them joined another member since it was read: begin again.
		return core.ErrUnavailable
	}
	return err
}

// eraseMembers deletes locked members with everything that belongs to them.
// Of what they did the audit stays, without saying who it was.
func (t *tx) eraseMembers(ctx context.Context, members texts, now time.Time) error {
	if len(members) == 0 {
		return nil
	}
	var normals []string
	err := t.all(ctx, &normals, `SELECT normal FROM addresses WHERE member_id IN $texts ORDER BY normal`, members)
	if err != nil {
		return err
	}
	if _, err := t.eraseAddresses(ctx, normals, now); err != nil {
		return err
	}
	if err := t.eraseAccounts(ctx, `a.member_id IN $texts`, members, now); err != nil {
		return err
	}
	// Handoffs of badges that are no longer the member's stay with the badge.
	_, err = t.exec(ctx, `UPDATE handoffs SET member_id = '' WHERE member_id IN $texts AND badge_id IN (
		SELECT subject FROM audit WHERE actor IN $texts AND kind = 'badge.claim')`, members, members)
	if err != nil {
		return err
	}
	for _, m := range members {
		// Reminders of badges that are no longer the member's; see [core.ReminderID].
		_, err := t.exec(ctx, `DELETE FROM reminder_steps WHERE reminder > ? AND reminder < ?`, m+".", m+"/")
		if err != nil {
			return err
		}
	}
	for _, query := range []string{
		`UPDATE audit SET actor = '' WHERE actor IN $texts`,
		`DELETE FROM members WHERE id IN $texts`,
	} {
		if _, err := t.exec(ctx, query, members); err != nil {
			return err
		}
	}
	return t.Count(ctx, erasedCounter, int64(len(members)))
}

// eraseAddresses deletes addresses with the badges and the verifications that
// name them, whoever asked for these. It returns how many rows there were.
func (t *tx) eraseAddresses(ctx context.Context, normals texts, now time.Time) (int, error) {
	if len(normals) == 0 {
		return 0, nil
	}
	if err := t.touchRoles(ctx, normals, now); err != nil {
		return 0, err
	}
	known, err := t.writings(ctx, normals)
	if err != nil {
		return 0, err
	}
	var badges, verifications texts
	if err := t.all(ctx, &badges, `SELECT id FROM badges WHERE recipient IN $texts ORDER BY id FOR UPDATE`, normals); err != nil {
		return 0, err
	}
	err = t.all(ctx, &verifications, `SELECT id FROM verifications WHERE normal IN $texts ORDER BY id FOR UPDATE`, normals)
	if err != nil {
		return 0, err
	}
	var deleted texts
	if err := t.all(ctx, &deleted, `DELETE FROM addresses WHERE normal IN $texts RETURNING id`, normals); err != nil {
		return 0, err
	}
	if err := t.forgetTasks(ctx, slices.Concat(deleted, badges)); err != nil {
		return 0, err
	}
	if err := t.eraseInbox(ctx, known, now); err != nil {
		return 0, err
	}
	return len(badges) + len(verifications) + len(deleted), t.eraseSubjects(ctx, badges, verifications, now)
}

// writing is one way in which an address is written somewhere.
type writing struct {
	Text  string `json:"w"`
	Lower string `json:"l"`
}

// writings returns all ways in which the addresses are written anywhere.
func (t *tx) writings(ctx context.Context, normals texts) ([]writing, error) {
	var shown []string
	err := t.all(ctx, &shown, `SELECT recipient_shown FROM badges WHERE recipient IN $texts
		UNION SELECT shown FROM verifications WHERE normal IN $texts
		UNION SELECT shown FROM addresses WHERE normal IN $texts`, normals, normals, normals)
	all := make([]writing, 0, len(shown)+len(normals))
	for _, text := range append(shown, normals...) {
		all = append(all, writing{Text: text, Lower: strings.ToLower(text)})
	}
	return all, err
}

// eraseInbox empties stored messages that name one of the addresses, the one
// that asked for the erasure among them. What was worked off holds nothing
// but its key.
func (t *tx) eraseInbox(ctx context.Context, writings []writing, now time.Time) error {
	find := "instr"
	if t.dialect.postgres {
		find = "strpos"
	}
	_, err := t.exec(ctx, `UPDATE inbox SET payload = '', cause = '', event_key = 'erased:' || id, state = 'done',
			done_at = CASE done_at WHEN 0 THEN CAST(? AS bigint) ELSE done_at END
		WHERE (payload <> '' OR `+find+`(event_key, '@') > 0) AND EXISTS (
			SELECT 1 FROM $rows(w text, l text) WHERE `+find+`(payload, u.w) > 0
				OR `+find+`(lower(payload), u.l) > 0 OR `+find+`(lower(event_key), u.l) > 0)`,
		ms(now), rows{writings})
	return err
}

// postsAbout are the posts that show badges or verifications.
const postsAbout = `((subject_kind = 'badge' AND subject_id IN $texts)
	OR (subject_kind = 'handoff' AND subject_id IN (SELECT id FROM handoffs WHERE badge_id IN $texts))
	OR (subject_kind = 'verification' AND subject_id IN $texts))`

// eraseSubjects deletes badges and verifications with everything that shows
// or tells them; celebrations take them back. The lanes of their posts come
// first, as everywhere: what became of a delivery is stored in its lane before
// its post.
func (t *tx) eraseSubjects(ctx context.Context, badges, verifications texts, now time.Time) error {
	batches, err := t.batchesOf(ctx, badges, nil)
	if err != nil {
		return err
	}
	own := make(texts, 0, len(badges)+len(verifications))
	for _, id := range badges {
		own = append(own, eventLane(id))
	}
	for _, id := range verifications {
		own = append(own, mailLane(id))
	}
	var locked []string
	err = t.all(ctx, &locked, `SELECT l.lane FROM lanes l WHERE l.lane IN $texts OR l.lane IN (
			SELECT `+laneOfPost+` FROM posts p JOIN accounts a ON a.id = p.account_id
			WHERE `+postsAbout+`) OR l.lane IN (`+lanesOfBatches+`) ORDER BY l.lane FOR UPDATE`,
		own, badges, badges, verifications, batches)
	if err != nil {
		return err
	}
	if err := t.tell(ctx, subjects(core.SubjectCelebration, batches), false, now); err != nil {
		return err
	}
	var posts texts
	err = t.all(ctx, &posts, `DELETE FROM posts WHERE `+postsAbout+` RETURNING id`, badges, badges, verifications)
	if err != nil {
		return err
	}
	return t.steps(ctx,
		step{`DELETE FROM outbox WHERE ref IN $texts`, slices.Concat(posts, badges, verifications)},
		step{`DELETE FROM lanes WHERE lane IN $texts`, own},
		step{`DELETE FROM verifications WHERE id IN $texts`, verifications},
		step{`DELETE FROM reminder_steps WHERE badge_id IN $texts`, badges},
		step{`DELETE FROM badges WHERE id IN $texts`, badges},
	)
}

// eraseAccounts deletes the accounts a that a condition chooses, with their
// posts, verifications and deliveries, and what tells others of them.
func (t *tx) eraseAccounts(ctx context.Context, which string, chosen texts, now time.Time) error {
	var found []accountRow
	err := t.all(ctx, &found, `SELECT `+accountColumns+` FROM accounts a WHERE `+which+` ORDER BY a.id`, chosen)
	if err != nil || len(found) == 0 {
		return err
	}
	var lanes, ids texts
	for _, row := range found {
		who := row.account().Identity
		lanes, ids = append(lanes, who.Lane(), who.HomeLane()), append(ids, row.ID)
	}
	if err := t.forgetRoles(ctx, ids, now); err != nil {
		return err
	}
	var mails, posts texts
	err = t.all(ctx, &mails, `SELECT id FROM verifications WHERE account_id IN $texts`, ids)
	if err != nil {
		return err
	}
	for _, id := range mails {
		lanes = append(lanes, mailLane(id))
	}
	batches, err := t.batchesOf(ctx, nil, ids)
	if err != nil {
		return err
	}
	var locked []string
	err = t.all(ctx, &locked, `SELECT lane FROM lanes WHERE lane IN $texts OR lane IN (`+lanesOfBatches+`)
		ORDER BY lane FOR UPDATE`, lanes, batches)
	if err != nil {
		return err
	}
	if err := t.tell(ctx, subjects(core.SubjectCelebration, batches), false, now); err != nil {
		return err
	}
	err = t.all(ctx, &posts, `DELETE FROM posts WHERE subject_kind = 'joined' AND subject_id IN $texts RETURNING id`, ids)
	if err != nil {
		return err
	}
	return t.steps(ctx,
		step{`DELETE FROM outbox WHERE ref IN $texts`, posts},
		step{`DELETE FROM outbox WHERE lane IN $texts`, lanes},
		step{`DELETE FROM lanes WHERE lane IN $texts`, lanes},
		// Posts, verifications and celebrations go with their accounts.
		step{`DELETE FROM accounts WHERE id IN $texts`, ids},
	)
}

// step is a statement about some rows.
type step struct {
	query string
	about texts
}

func (t *tx) steps(ctx context.Context, all ...step) error {
	for _, s := range all {
		if len(s.about) == 0 {
			continue
		}
		if _, err := t.exec(ctx, s.query, s.about); err != nil {
			return err
		}
	}
	return nil
}
