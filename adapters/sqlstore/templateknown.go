package sqlstore

import (
	"context"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// TemplateKnown reports whether a template of this id was ever read.
func (d *DB) TemplateKnown(ctx context.Context, id string) (bool, error) {
	var found string
	err := d.run().get(ctx, &found, `SELECT id FROM templates WHERE id = ?`, id)
	if errors.Is(err, core.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
