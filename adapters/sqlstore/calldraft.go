package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/core"
)

func isNotFound(err error) bool { return errors.Is(err, core.ErrNotFound) }

// SaveCallDraft implements [core.CallStore].
func (d *DB) SaveCallDraft(ctx context.Context, draft core.CallDraft, now time.Time) error {
	fields := make(map[string]string, len(draft.Fields))
	for name, value := range draft.Fields {
		fields[clean(name)] = clean(value)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("encode draft: %w", err)
	}
	n, err := d.run().exec(ctx, `INSERT INTO call_drafts (id, team, call_id, zone, fields, created_at)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET call_id = excluded.call_id, zone = excluded.zone, fields = excluded.fields,
			created_at = excluded.created_at
		WHERE call_drafts.team = excluded.team`,
		clean(draft.ID), clean(draft.Team), clean(draft.CallID), clean(draft.Zone), string(data), ms(now))
	if err == nil && n == 0 {
		return core.ErrNotFound
	}
	return err
}

// CallDraft implements [core.CallStore].
func (d *DB) CallDraft(ctx context.Context, id string) (core.CallDraft, error) {
	var row struct {
		ID     string `db:"id"`
		Team   string `db:"team"`
		CallID string `db:"call_id"`
		Zone   string `db:"zone"`
		Fields string `db:"fields"`
	}
	err := d.run().get(ctx, &row, `SELECT id, team, call_id, zone, fields FROM call_drafts WHERE id = ?`, id)
	if err != nil {
		return core.CallDraft{}, err
	}
	draft := core.CallDraft{ID: row.ID, Team: row.Team, CallID: row.CallID, Zone: row.Zone}
	if err := json.Unmarshal([]byte(row.Fields), &draft.Fields); err != nil {
		return core.CallDraft{}, fmt.Errorf("read draft: %w", err)
	}
	return draft, nil
}

// DropCallDraft implements [core.CallStore].
func (d *DB) DropCallDraft(ctx context.Context, id, team string) error {
	_, err := d.run().exec(ctx, `DELETE FROM call_drafts WHERE id = ? AND team = ?`, id, team)
	return err
}

// CallTemplates implements [core.CallStore].
func (d *DB) CallTemplates(ctx context.Context, named []string, limit int) ([]core.Template, error) {
	var found []templateRow
	err := d.run().all(ctx, &found, `SELECT id, name, description, image_url FROM templates
		ORDER BY CASE WHEN id IN $texts THEN 0 ELSE 1 END, updated_at DESC, id LIMIT ?`, texts(named), limit)
	out := make([]core.Template, 0, len(found))
	for _, row := range found {
		out = append(out, core.Template{ID: row.ID, Name: row.Name, Description: row.Description, ImageURL: row.ImageURL})
	}
	return out, err
}
