package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

type templateRow struct {
	ID          string `json:"id" db:"id"`
	Name        string `json:"name" db:"name"`
	Description string `json:"description" db:"description"`
	ImageURL    string `json:"image_url" db:"image_url"`
}

// SaveTemplates implements [core.BadgeStore].
func (d *DB) SaveTemplates(ctx context.Context, ts []core.Template, now time.Time) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error { return t.saveTemplates(ctx, ts, now) })
}

// saveTemplates stores the templates that have a name and are new or other
// than before. A later one of the same id wins.
func (t *tx) saveTemplates(ctx context.Context, ts []core.Template, now time.Time) error {
	byID := make(map[string]templateRow, len(ts))
	for _, template := range ts {
		if template.ID == "" || template.Name == "" {
			continue
		}
		byID[template.ID] = templateRow{
			ID: clean(template.ID), Name: clean(template.Name),
			Description: clean(template.Description), ImageURL: clean(template.ImageURL),
		}
	}
	if len(byID) == 0 {
		return nil
	}
	list := make([]templateRow, 0, len(byID))
	for _, row := range byID {
		list = append(list, row)
	}
	slices.SortFunc(list, func(a, b templateRow) int { return cmp.Compare(a.ID, b.ID) })
	_, err := t.exec(ctx, `INSERT INTO templates (id, name, description, image_url, updated_at)
		SELECT id, name, description, image_url, CAST(? AS bigint)
		FROM $rows(id text, name text, description text, image_url text) WHERE true ORDER BY id
		ON CONFLICT (id) DO UPDATE SET name = excluded.name,
			description = CASE WHEN excluded.description = '' THEN templates.description ELSE excluded.description END,
			image_url = CASE WHEN excluded.image_url = '' THEN templates.image_url ELSE excluded.image_url END,
			updated_at = excluded.updated_at
		WHERE templates.name <> excluded.name
			OR (excluded.description <> '' AND templates.description <> excluded.description)
			OR (excluded.image_url <> '' AND templates.image_url <> excluded.image_url)`, ms(now), rows{list})
	return err
}
