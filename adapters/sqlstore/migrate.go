package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/migrations"
)

// How often and how many times a replica asks for the lock of another one
// that is migrating: for a minute in all.
const (
	lockEverySeconds = 1
	lockTries        = 60
)

// How often, and after which waits, a table is asked for again that somebody
// reads for long, a backup for instance.
const (
	tableTries = 60
	tableWait  = time.Second
)

// Migrate brings the schema to the newest version. Replicas that start at
// the same time wait for one another. It has no time limit but ctx.
func (d *DB) Migrate(ctx context.Context) error {
	if !d.dialect.postgres {
		p, err := newProvider(goose.DialectSQLite3, d.x.DB, "sqlite")
		if err != nil {
			return err
		}
		return up(ctx, p)
	}
	db, err := openPatient(d.url)
	if err != nil {
		return fmt.Errorf("open database for migrating: %w", err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockEverySeconds, lockTries))
	if err != nil {
		return errors.Join(fmt.Errorf("make migration lock: %w", err), db.Close())
	}
	p, err := newProvider(goose.DialectPostgres, db, "postgres", goose.WithSessionLocker(locker))
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(up(ctx, p), db.Close())
}

func newProvider(dialect goose.Dialect, db *sql.DB, dir string, opts ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(migrations.FS, dir)
	if err != nil {
		return nil, fmt.Errorf("find migrations: %w", err)
	}
	opts = append(opts, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	p, err := goose.NewProvider(dialect, db, files, opts...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

func up(ctx context.Context, p *goose.Provider) error {
	for try := 1; ; try++ {
		_, err := p.Up(ctx)
		switch {
		case err == nil:
			return nil
		case pq.As(err, codeLockTimeout) != nil && try < tableTries:
			if wait := pause(ctx, tableWait); wait != nil {
				return fmt.Errorf("migrate: %w", wait)
			}
		case isLost(err):
			return fmt.Errorf("migrate: %w: %w", core.ErrUnavailable, err)
		default:
			return fmt.Errorf("migrate: %w", err)
		}
	}
}

// SchemaVersion returns the version of the database, 0 for an empty one, and
// the newest version this program knows.
func (d *DB) SchemaVersion(ctx context.Context) (current, latest int64, err error) {
	dir := "sqlite"
	exists := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`
	if d.dialect.postgres {
		dir = "postgres"
		exists = `SELECT count(*) FROM pg_class WHERE oid = to_regclass('goose_db_version')`
	}
	p, err := newProvider(goose.DialectSQLite3, d.x.DB, dir)
	if err != nil {
		return 0, 0, err
	}
	for _, source := range p.ListSources() {
		latest = max(latest, source.Version)
	}
	var tables int
	if err := d.run().get(ctx, &tables, exists); err != nil || tables == 0 {
		return 0, latest, err
	}
	err = d.run().get(ctx, &current, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	return current, latest, err
}
