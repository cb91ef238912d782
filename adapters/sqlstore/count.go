package sqlstore

import (
	"context"
	"slices"

	"github.com/laurelbot/laurel/core"
)

// Of how many templates one statement counts badges at least, and in how many
// parts those of more are counted, one stage at a time. With millions of badges
// a statement that counted all of them would be cut off by its time limit.
const (
	countChunk = 10
	countParts = 50
)

// templatesThere are those of which there are badges, found by an index from
// one to the next.
const templatesThere = `WITH RECURSIVE there (id) AS (
		SELECT min(template_id) FROM badges
		UNION ALL
		SELECT (SELECT min(b.template_id) FROM badges b WHERE b.template_id > there.id) FROM there WHERE there.id IS NOT NULL
	) SELECT id FROM there WHERE id IS NOT NULL`

const countInStage = `SELECT template_id, count(*) AS n FROM badges
	WHERE template_id IN $texts AND stage = ? GROUP BY template_id`

// badgeCount is how many badges of a template are in a stage.
type badgeCount struct {
	Template string `db:"template_id"`
	N        int    `db:"n"`
	stage    core.Stage
}

// countBadges counts the badges of templates, or of all for nil, that are in
// one of the stages. An index is all that is read.
func (r runner) countBadges(ctx context.Context, templates texts, stages ...core.Stage) ([]badgeCount, error) {
	if templates == nil {
		var there []string
		if err := r.all(ctx, &there, templatesThere); err != nil {
			return nil, err
		}
		templates = there
	}
	var counts []badgeCount
	for chunk := range slices.Chunk(templates, max(countChunk, len(templates)/countParts)) {
		for _, stage := range stages {
			var found []badgeCount
			err := r.all(ctx, &found, countInStage, chunk, string(stage))
			if err != nil {
				return nil, err
			}
			for _, one := range found {
				one.stage = stage
				counts = append(counts, one)
			}
		}
	}
	return counts, nil
}
