package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

// callColumns reads a [callRow] from calls c with their accounts a.
const (
	callColumns = `c.id, c.team AS call_team, c.channel_name, c.state, c.words, c.picture_url, c.templates,
		c.locale AS call_locale, c.zone, c.cron, c.next_at, c.edition, c.claimed, c.total, ` + accountColumns
	callTables = `calls c JOIN accounts a ON a.id = c.account_id`
	// callTrouble is why the message of a call could not be posted.
	callTrouble = `COALESCE((SELECT o.cause FROM posts p JOIN outbox o ON o.ref = p.id AND o.kind = 'post'
		WHERE p.subject_kind = 'call' AND p.subject_id = c.id || '.' || c.edition AND NOT p.shown
			AND o.state IN ('waiting', 'dead') ORDER BY o.id DESC LIMIT 1), '') AS trouble`
)

type callRow struct {
	accountRow
	ID          string `db:"id"`
	CallTeam    string `db:"call_team"`
	ChannelName string `db:"channel_name"`
	State       string `db:"state"`
	Words       string `db:"words"`
	PictureURL  string `db:"picture_url"`
	Templates   string `db:"templates"`
	CallLocale  string `db:"call_locale"`
	Zone        string `db:"zone"`
	Cron        string `db:"cron"`
	NextAt      int64  `db:"next_at"`
	Edition     int    `db:"edition"`
	Claimed     int    `db:"claimed"`
	Total       int    `db:"total"`
	Trouble     string `db:"trouble"`
}

func (r callRow) call() (core.Call, error) {
	c := core.Call{
		ID: r.ID, Team: r.CallTeam, Channel: r.account(), ChannelName: r.ChannelName, State: core.CallState(r.State),
		Words: r.Words, PictureURL: r.PictureURL, Locale: r.CallLocale, Zone: r.Zone, Cron: r.Cron, NextAt: at(r.NextAt),
		Edition: r.Edition, Claimed: r.Claimed, Total: r.Total,
	}
	if err := json.Unmarshal([]byte(r.Templates), &c.Templates); err != nil {
		return c, fmt.Errorf("read templates of call: %w", err)
	}
	return c, nil
}

func (r callRow) view() (core.CallView, error) {
	c, err := r.call()
	return core.CallView{Call: c, Trouble: r.Trouble}, err
}

// Call implements [core.CallStore].
func (d *DB) Call(ctx context.Context, id string) (core.Call, error) {
	var row callRow
	if err := d.run().get(ctx, &row, `SELECT `+callColumns+` FROM `+callTables+` WHERE c.id = ?`, id); err != nil {
		return core.Call{}, err
	}
	return row.call()
}

// CallViewOf implements [core.CallStore].
func (d *DB) CallViewOf(ctx context.Context, id, team string) (core.CallView, error) {
	var row callRow
	err := d.run().get(ctx, &row, `SELECT `+callColumns+`, `+callTrouble+` FROM `+callTables+`
		WHERE c.id = ? AND c.team = ?`, id, team)
	if err != nil {
		return core.CallView{}, err
	}
	return row.view()
}

// CallsOf implements [core.CallStore].
func (d *DB) CallsOf(ctx context.Context, team string, offset, limit int) ([]core.CallView, error) {
	var found []callRow
	err := d.run().all(ctx, &found, `SELECT `+callColumns+`, `+callTrouble+` FROM `+callTables+` WHERE c.team = ?
		ORDER BY CASE WHEN c.state IN ('scheduled', 'open') THEN 0 ELSE 1 END, c.created_at DESC, c.id DESC
		LIMIT ? OFFSET ?`, team, limit, offset)
	if err != nil {
		return nil, err
	}
	views := make([]core.CallView, 0, len(found))
	for _, row := range found {
		v, err := row.view()
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// AddCall implements [core.CallStore].
func (d *DB) AddCall(ctx context.Context, c core.Call, draftID, who string, now time.Time) (core.Call, error) {
	var stored core.Call
	counted := d.countCall(ctx, core.Call{}, c)
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		stored = c
		n, err := t.exec(ctx, `DELETE FROM call_drafts WHERE id = ? AND team = ?`, draftID, c.Team)
		if err != nil {
			return err
		}
		if n == 0 {
			return core.ErrGone
		}
		if stored.Channel, err = t.EnsureAccount(ctx, c.Channel, now); err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO calls (id, team, account_id, state, words, created_at) VALUES (?, ?, ?, '', '', ?)`,
			c.ID, clean(c.Team), stored.Channel.ID, ms(now))
		if err != nil {
			return err
		}
		if err := t.saveCall(ctx, core.Call{}, &stored, counted, now); err != nil {
			return err
		}
		return t.Audit(ctx, who, "call.made", c.ID, now)
	})
	return stored, err
}

// ChangeCall implements [core.CallStore].
func (d *DB) ChangeCall(
	ctx context.Context, id, team, who, what string, now time.Time, change func(*core.Call) error,
) (core.Call, error) {
	counted, about, err := d.countChange(ctx, id, team, change)
	if err != nil {
		return core.Call{}, err
	}
	var after core.Call
	err = d.inTx(ctx, func(ctx context.Context, t *tx) error {
		before, err := t.lockCall(ctx, `c.id = ? AND c.team = ? FOR UPDATE OF c`, id, team)
		if err != nil {
			return err
		}
		after = before
		if err := change(&after); err != nil {
			return err
		}
		if after.Channel.ID != before.Channel.ID {
			if after.Channel, err = t.EnsureAccount(ctx, after.Channel, now); err != nil {
				return err
			}
		}
		if !slices.Equal(after.Templates, about) {
			counted = nil
		}
		if err := t.saveCall(ctx, before, &after, counted, now); err != nil {
			return err
		}
		return t.Audit(ctx, who, what, id, now)
	})
	return after, err
}

// countChange counts for what a change will most likely make of a call, and
// returns the templates that it counted.
func (d *DB) countChange(ctx context.Context, id, team string, change func(*core.Call) error) (*claimCount, []string, error) {
	v, err := d.CallViewOf(ctx, id, team)
	if err != nil {
		return nil, nil, err
	}
	after := v.Call
	if err := change(&after); err != nil {
		return nil, nil, err
	}
	return d.countCall(ctx, v.Call, after), after.Templates, nil
}

// OpenCall implements [core.CallStore]. The call is counted by the next
// [DB.RecountCalls], with all others whose time came.
func (d *DB) OpenCall(ctx context.Context, now time.Time, change func(*core.Call) error) (bool, error) {
	found := false
	err := d.inTx(ctx, func(ctx context.Context, t *tx) error {
		found = false
		before, err := t.lockCall(ctx, `c.next_at > 0 AND c.next_at <= ? ORDER BY c.next_at, c.id LIMIT 1
			FOR UPDATE OF c SKIP LOCKED`, ms(now))
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		after := before
		if err := change(&after); err != nil {
			return err
		}
		if err := t.saveCall(ctx, before, &after, nil, now); err != nil || after.Edition == before.Edition {
			return err
		}
		return t.Audit(ctx, "", "call.posted", after.ID, now)
	})
	return found, err
}

func (t *tx) lockCall(ctx context.Context, which string, args ...any) (core.Call, error) {
	var row callRow
	if err := t.get(ctx, &row, `SELECT `+callColumns+` FROM `+callTables+` WHERE `+which, args...); err != nil {
		return core.Call{}, err
	}
	return row.call()
}

// isCounted reports whether a change of a call shows new numbers: it is posted,
// or ends.
func isCounted(before, after core.Call) bool {
	return after.Edition > before.Edition || after.State == core.CallClosed && before.State == core.CallOpen
}

// countCall counts for a change of a call before the transaction that makes
// it: that takes a while where there are many badges, and nothing waits for
// it. Where it fails the call has the numbers it had.
func (d *DB) countCall(ctx context.Context, before, after core.Call) *claimCount {
	if !isCounted(before, after) {
		return nil
	}
	counts, err := d.run().countClaims(ctx, [][]string{after.Templates})
	if err != nil {
		d.log.WarnContext(ctx, "count badges of call", "call", after.ID, "err", err)
		return nil
	}
	return &counts[0]
}

// saveCall stores a call and tells what changed of it, with its numbers where
// it was counted. The locks of calls come before those of lanes and posts.
func (t *tx) saveCall(ctx context.Context, before core.Call, c *core.Call, counted *claimCount, now time.Time) error {
	posted := c.Edition > before.Edition
	newly, countedAt := 0, int64(0)
	switch {
	case counted != nil && isCounted(before, *c):
		c.Claimed, c.Total = counted.claimed, counted.total
		newly, countedAt = 1, ms(now)
	case posted:
		// It is counted as soon as somebody looks.
		newly = 1
	}
	templates := c.Templates
	if templates == nil {
		templates = []string{}
	}
	list, err := json.Marshal(templates)
	if err != nil {
		return fmt.Errorf("encode templates of call: %w", err)
	}
	_, err = t.exec(ctx, `UPDATE calls SET account_id = ?, channel_name = ?, state = ?, words = ?, picture_url = ?,
			templates = ?, locale = ?, zone = ?, cron = ?, next_at = ?, edition = ?, claimed = ?, total = ?,
			counted_at = CASE CAST(? AS int) WHEN 1 THEN CAST(? AS bigint) ELSE counted_at END
		WHERE id = ?`,
		c.Channel.ID, clean(c.ChannelName), c.State, clean(c.Words), clean(c.PictureURL), string(list), clean(c.Locale),
		clean(c.Zone), clean(c.Cron), ms(roundUp(c.NextAt)), c.Edition, c.Claimed, c.Total, newly, countedAt, c.ID)
	if err != nil {
		return err
	}
	if posted {
		return t.postCall(ctx, c, now)
	}
	if c.Edition == 0 {
		return nil
	}
	// A message that never got out has another chance now.
	subject := core.CallSubject(c.ID, c.Edition)
	var shown bool
	err = t.get(ctx, &shown, `SELECT count(*) > 0 FROM posts WHERE subject_kind = ? AND subject_id = ? AND shown`,
		subject.Kind, subject.ID)
	if err != nil {
		return err
	}
	return t.TellSubject(ctx, subject, !shown && c.State == core.CallOpen, now)
}

// postCall queues the message of the present edition, and the edit of the one
// before.
func (t *tx) postCall(ctx context.Context, c *core.Call, now time.Time) error {
	if c.Edition > 1 {
		if err := t.TellSubject(ctx, core.CallSubject(c.ID, c.Edition-1), false, now); err != nil {
			return err
		}
	}
	post, err := t.AddPost(ctx, core.Post{
		ID: core.NewID(), Account: c.Channel, Subject: core.CallSubject(c.ID, c.Edition),
	}, now)
	if err != nil {
		return err
	}
	return t.Tell(ctx, post, true, now)
}

// openRow is an open call that is to be counted.
type openRow struct {
	ID        string `db:"id"`
	Templates string `db:"templates"`
	Edition   int    `db:"edition"`
	Claimed   int    `db:"claimed"`
	Total     int    `db:"total"`
	CountedAt int64  `db:"counted_at"`
}

// RecountCalls implements [core.CallStore]. Badges are counted outside of any
// transaction: what another replica counted meanwhile stays.
func (d *DB) RecountCalls(ctx context.Context, now, before time.Time, limit int) (counted, told int, err error) {
	var open []openRow
	err = d.run().all(ctx, &open, `SELECT id, templates, edition, claimed, total, counted_at FROM calls
		WHERE state = 'open' AND counted_at <= ? ORDER BY counted_at, id LIMIT ?`, ms(before), limit)
	if err != nil || len(open) == 0 {
		return 0, 0, err
	}
	about := make([][]string, len(open))
	for i, c := range open {
		if err := json.Unmarshal([]byte(c.Templates), &about[i]); err != nil {
			return 0, 0, fmt.Errorf("read templates of call: %w", err)
		}
	}
	counts, err := d.run().countClaims(ctx, about)
	if err != nil {
		return 0, 0, err
	}
	for i, c := range open {
		changed, err := d.recount(ctx, now, c, counts[i])
		if err != nil {
			return counted, told, err
		}
		counted++
		if changed {
			told++
		}
	}
	return counted, told, nil
}

func (d *DB) recount(ctx context.Context, now time.Time, c openRow, n claimCount) (changed bool, err error) {
	err = d.inTx(ctx, func(ctx context.Context, t *tx) error {
		changed = false
		rows, err := t.exec(ctx, `UPDATE calls SET claimed = ?, total = ?, counted_at = ?
			WHERE id = ? AND state = 'open' AND edition = ? AND counted_at = ?`,
			n.claimed, n.total, ms(now), c.ID, c.Edition, c.CountedAt)
		if err != nil || rows == 0 || n == (claimCount{c.Claimed, c.Total}) {
			return err
		}
		changed = true
		return t.TellSubject(ctx, core.CallSubject(c.ID, c.Edition), false, now)
	})
	return changed, err
}

// claimCount is how many badges are accepted, of how many that have not
// ended.
type claimCount struct{ claimed, total int }

// countClaims counts the badges of each list of templates; an empty list
// stands for all.
func (r runner) countClaims(ctx context.Context, lists [][]string) ([]claimCount, error) {
	var named texts
	all := false
	for _, list := range lists {
		all = all || len(list) == 0
		named = append(named, list...)
	}
	slices.Sort(named)
	named = slices.Compact(named)
	if all {
		named = nil
	}
	found, err := r.countBadges(ctx, named, core.StageGranted, core.StagePending, core.StageAccepted, core.StagePublic)
	if err != nil {
		return nil, err
	}
	counts := make([]claimCount, len(lists))
	for i, list := range lists {
		for _, f := range found {
			if len(list) > 0 && !slices.Contains(list, f.Template) {
				continue
			}
			counts[i].total += f.N
			if f.stage.Held() {
				counts[i].claimed += f.N
			}
		}
	}
	return counts, nil
}
