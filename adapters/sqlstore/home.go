package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

// isHome chooses posts p that are homes.
const isHome = `p.message_key = '` + core.HomeKey + `'`

// watchHomes is for how long a home is kept current after it was opened. Who
// opens it again sees what is true then; before that nobody sees it. So an
// import of thousands of badges writes to the homes of a few.
const watchHomes = 2 * renewHomes

// isWatched chooses homes that somebody may be looking at, by the time after
// which they were opened.
const isWatched = isHome + ` AND p.created_at > ?`

// laneOfPost is the lane of a post p to an account a: homes have one of their
// own, see [core.Identity.HomeLane].
const laneOfPost = `(a.platform || ':' || a.tenant || ':' || a.user_id || CASE WHEN ` + isHome + ` THEN '` + core.HomeLaneEnd + `' ELSE '' END)`

// HomesOf implements [core.HomeStore].
func (d *DB) HomesOf(ctx context.Context, memberID string) ([]core.Post, error) {
	var found []postRow
	err := d.run().all(ctx, &found, postQuery+isHome+` AND a.member_id = ? ORDER BY a.created_at, a.id`, memberID)
	homes := make([]core.Post, 0, len(found))
	for _, row := range found {
		homes = append(homes, d.post(ctx, row))
	}
	return homes, err
}

// RenewHome implements [core.HomeStore]. Whoever looks often writes once a day.
func (d *DB) RenewHome(ctx context.Context, postID string, now time.Time) error {
	_, err := d.run().exec(ctx, `UPDATE posts SET created_at = ? WHERE id = ? AND message_key = '`+core.HomeKey+`' AND created_at < ?`,
		ms(now), postID, ms(now.Add(-renewHomes)))
	return err
}

// TellHomes implements [core.Tx].
func (t *tx) TellHomes(ctx context.Context, memberID string, now time.Time) error {
	return t.tellHomes(ctx, `a.member_id = ?`, now, memberID)
}

// tellHomesTo does the same for whom the addresses belong to.
func (t *tx) tellHomesTo(ctx context.Context, normals texts, now time.Time) error {
	if len(normals) == 0 {
		return nil
	}
	return t.tellHomes(ctx, `a.member_id IN (SELECT d.member_id FROM addresses d WHERE d.normal IN $texts)`, now, normals)
}

func (t *tx) tellHomes(ctx context.Context, whose string, now time.Time, args ...any) error {
	var homes []target
	args = append([]any{ms(now.Add(-watchHomes))}, args...)
	if err := t.all(ctx, &homes, targetQuery+isWatched+` AND `+whose, args...); err != nil {
		return err
	}
	return t.queuePosts(ctx, homes, now)
}

// withHomes adds homes to what is told: each post is told once.
func withHomes(told, homes []target) []target {
	for _, h := range homes {
		if !slices.ContainsFunc(told, func(p target) bool { return p.ID == h.ID }) {
			told = append(told, h)
		}
	}
	return told
}
