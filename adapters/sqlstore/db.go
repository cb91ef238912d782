package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/core/inbox"
)

// defaultMaxConns is the size of the pool from which on a claim gets no
// faster on PostgreSQL.
const defaultMaxConns = 16

// Config says which database to use.
type Config struct {
	// URL is postgres://… (or postgresql://…) or sqlite:FILE.
	URL  string
	Keys *core.Keys
	// Log gets what is no error of a call; nil means nowhere.
	Log *slog.Logger
	// MaxConns limits the connections to PostgreSQL; zero means 16.
	MaxConns int
}

// DB is the store.
type DB struct {
	x       *sqlx.DB
	dialect *dialect
	keys    *core.Keys
	log     *slog.Logger
	url     string
	// plug can be pulled where the database is a file, see Unplug.
	plug *plug
	// prepared are the statements of claims and deliveries.
	prepared statements
	// others is the round of looks past tenants that have their share.
	others round

	// audited hears of what was noted, see OnAudit.
	audited func(kind string)

	statsMu sync.Mutex
	stages  stageCounts
	survey  survey
}

var (
	_ core.Store     = (*DB)(nil)
	_ core.AwardSink = (*DB)(nil)
	_ inbox.Store    = (*DB)(nil)
	_ delivery.Store = (*DB)(nil)
)

// Open opens the store. A PostgreSQL server need not be up: every call fails
// with [core.ErrUnavailable] until it is. The file of SQLite is made where it
// is missing, readable by its owner only.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Keys == nil {
		return nil, errors.New("open store: no keys")
	}
	d := &DB{keys: cfg.Keys, log: cfg.Log, url: cfg.URL, survey: newSurvey()}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxConns <= 0 {
		cfg.MaxConns = defaultMaxConns
	}
	var err error
	switch {
	case isPostgres(cfg.URL):
		d.dialect = &dialect{postgres: true}
		d.x, err = openPostgres(cfg.URL, cfg.MaxConns)
	case strings.HasPrefix(cfg.URL, sqlitePrefix):
		d.dialect = &dialect{}
		d.plug = &plug{}
		d.x, err = openSQLite(ctx, strings.TrimPrefix(cfg.URL, sqlitePrefix), d.plug)
	default:
		err = errors.New("the URL has to begin with postgres:// or with sqlite: and a file")
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return d, nil
}

// OnAudit has f hear the kind of each note in the audit ([core.Tx.Audit]), once
// it is stored for good. It is set before the store is used; f is called by
// several goroutines. Claims, which are one statement, are not among them.
func (d *DB) OnAudit(f func(kind string)) { d.audited = f }

// Ping asks the database for an answer.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.run().get(ctx, &one, `SELECT 1`)
}

// Close closes all connections.
func (d *DB) Close() error {
	return errors.Join(d.prepared.close(), d.x.Close())
}

// run returns a runner for single statements outside of any transaction.
func (d *DB) run() runner { return runner{ext: d.x, dialect: d.dialect} }
