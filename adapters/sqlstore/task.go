package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/laurelbot/laurel/core"
)

// tellTasksOf is how many messages that show tasks are brought up to date at
// once: who has more has not looked at the older ones for long.
const tellTasksOf = 20

// TaskFacts implements [core.TaskStore].
func (d *DB) TaskFacts(ctx context.Context, memberID string) (core.TaskFacts, error) {
	return d.run().TaskFacts(ctx, memberID)
}

// TaskFacts implements [core.TaskTx].
func (r runner) TaskFacts(ctx context.Context, memberID string) (core.TaskFacts, error) {
	f := core.TaskFacts{MemberID: memberID}
	var held []badgeRow
	err := r.all(ctx, &held, `SELECT `+badgeColumns+` FROM addresses d JOIN badges b ON b.recipient = d.normal
			LEFT JOIN templates t ON t.id = b.template_id
		WHERE d.member_id = ? AND b.stage IN ('accepted', 'public')
		ORDER BY b.issued_at DESC, b.created_at DESC, b.id DESC`, memberID)
	if err != nil {
		return f, err
	}
	for _, row := range held {
		f.Badges = append(f.Badges, row.badge())
	}
	var addresses []struct {
		addressRow
		Known bool `db:"known"`
	}
	// A badge is held by an account that has its address.
	err = r.all(ctx, &addresses, `SELECT d.id, d.member_id, d.shown, d.normal, d.verified_at,
			d.at_provider OR EXISTS (SELECT 1 FROM badges b
				WHERE b.recipient = d.normal AND b.stage IN ('accepted', 'public')) AS known
		FROM addresses d WHERE d.member_id = ? ORDER BY d.verified_at, d.id`, memberID)
	if err != nil {
		return f, err
	}
	for _, row := range addresses {
		f.Addresses = append(f.Addresses, core.HeldAddress{Address: row.address(), Known: row.Known})
	}
	var said []struct {
		Task  string `db:"task"`
		Scope string `db:"scope"`
		Said  string `db:"said"`
		At    int64  `db:"said_at"`
	}
	err = r.all(ctx, &said, `SELECT task, scope, said, said_at FROM member_tasks WHERE member_id = ? ORDER BY said_at, task, scope`, memberID)
	for _, row := range said {
		f.Said = append(f.Said, core.Said{
			Ref: core.TaskRef{Kind: core.TaskKind(row.Task), Scope: row.Scope}, What: core.Saying(row.Said), At: at(row.At),
		})
	}
	return f, err
}

// SaveTask implements [core.TaskTx]. Whoever keeps a badge private is not
// reminded of that, and whoever takes that back may be.
func (t *tx) SaveTask(ctx context.Context, memberID string, ref core.TaskRef, what core.Saying, now time.Time) (bool, error) {
	query, args := `INSERT INTO member_tasks (member_id, task, scope, said, said_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (member_id, task, scope) DO UPDATE SET said = excluded.said, said_at = excluded.said_at
			WHERE member_tasks.said <> excluded.said`,
		[]any{memberID, ref.Kind, ref.Scope, what, ms(now)}
	if what == "" {
		query, args = `DELETE FROM member_tasks WHERE member_id = ? AND task = ? AND scope = ?`, args[:3]
	}
	n, err := t.exec(ctx, query, args...)
	if err != nil || n == 0 {
		return false, err
	}
	if ref.Kind != core.TaskPublic {
		return true, nil
	}
	return true, t.touchMember(ctx, memberID, now)
}

// NoteKnown implements [core.TaskTx].
func (t *tx) NoteKnown(ctx context.Context, normal string, known bool) (string, error) {
	var member string
	err := t.get(ctx, &member, `UPDATE addresses SET at_provider = ? WHERE normal = ? AND at_provider <> ?
		RETURNING member_id`, known, normal, known)
	if errors.Is(err, core.ErrNotFound) {
		return "", nil
	}
	return member, err
}

// TellTasks implements [core.TaskTx].
func (t *tx) TellTasks(ctx context.Context, memberID string, fallback bool, now time.Time) error {
	var found []target
	err := t.all(ctx, &found, targetQuery+`a.member_id = ? AND (p.subject_kind = 'tasks'
			OR p.subject_kind = 'badge' AND EXISTS (SELECT 1 FROM badges b
				WHERE b.id = p.subject_id AND b.stage IN ('accepted', 'public'))
			OR p.subject_kind = 'handoff' AND EXISTS (SELECT 1 FROM handoffs h JOIN badges b ON b.id = h.badge_id
				WHERE h.id = p.subject_id AND b.stage IN ('accepted', 'public')))
		ORDER BY p.created_at DESC, p.id DESC LIMIT ?`, memberID, tellTasksOf)
	if err != nil {
		return err
	}
	newest := map[string]bool{}
	for i, p := range found {
		// The subject of a card about all badges is the account.
		if fallback && p.SubjectID == p.AccountID && !newest[p.AccountID] {
			newest[p.AccountID], found[i].fallback = true, true
		}
	}
	var homes []target
	if err := t.all(ctx, &homes, targetQuery+isWatched+` AND a.member_id = ?`, ms(now.Add(-watchHomes)), memberID); err != nil {
		return err
	}
	return t.queuePosts(ctx, withHomes(found, homes), now)
}

// joinTasks carries over what one member said to the other. That something is
// done counts more than that it is not wanted.
func (t *tx) joinTasks(ctx context.Context, from, into string) error {
	_, err := t.exec(ctx, `UPDATE member_tasks SET said = 'done' WHERE member_id = ? AND said <> 'done' AND EXISTS (
		SELECT 1 FROM member_tasks f WHERE f.member_id = ? AND f.task = member_tasks.task
			AND f.scope = member_tasks.scope AND f.said = 'done')`, into, from)
	if err != nil {
		return err
	}
	// What both said goes with the member that is no more.
	_, err = t.exec(ctx, `UPDATE member_tasks SET member_id = ? WHERE member_id = ? AND NOT EXISTS (
		SELECT 1 FROM member_tasks f WHERE f.member_id = ? AND f.task = member_tasks.task
			AND f.scope = member_tasks.scope)`, into, from, into)
	return err
}

// forgetTasks deletes what was said about something that is gone.
func (t *tx) forgetTasks(ctx context.Context, scopes texts) error {
	if len(scopes) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `DELETE FROM member_tasks WHERE scope <> '' AND scope IN $texts`, scopes)
	return err
}
