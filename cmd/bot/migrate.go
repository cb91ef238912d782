package main

import (
	"context"
	"fmt"
)

type migrateCmd struct{}

// Run brings the schema up to date; it may run on several machines at once.
func (migrateCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	db, _, err := openStore(ctx, s, newLog(s, t.err))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.Migrate(ctx); err != nil {
		return fmt.Errorf("bring DATABASE_URL up to date: %w", err)
	}
	current, latest, err := db.SchemaVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	_, err = fmt.Fprintf(t.out, "schema is at version %d of %d\n", current, latest)
	return err
}
