package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/jmoiron/sqlx"
)

// statements are those that PostgreSQL keeps prepared. Planning costs more
// than running most of what a claim and its delivery need. Statements are constants,
// so the set stays small; the pool prepares each again on each of its
// connections by itself.
type statements struct {
	mu    sync.RWMutex
	known map[string]*sqlx.Stmt
}

func (h *statements) find(query string) *sqlx.Stmt {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.known[query]
}

func (h *statements) get(ctx context.Context, db *sqlx.DB, query string) (*sqlx.Stmt, error) {
	if stmt := h.find(query); stmt != nil {
		return stmt, nil
	}
	// Not under the lock: whoever needs another statement does not wait for a
	// database that does not answer.
	stmt, err := db.PreparexContext(ctx, query)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	first := h.known[query]
	if first == nil {
		if h.known == nil {
			h.known = map[string]*sqlx.Stmt{}
		}
		h.known[query] = stmt
	}
	h.mu.Unlock()
	if first != nil {
		return first, stmt.Close()
	}
	return stmt, nil
}

func (h *statements) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, stmt := range h.known {
		errs = append(errs, stmt.Close())
	}
	h.known = nil
	return errors.Join(errs...)
}

// hot returns a runner for statements that are run so often that PostgreSQL
// is to keep them prepared.
func (d *DB) hot() runner {
	r := d.run()
	if d.dialect.postgres {
		r.ext = prepared{ExtContext: r.ext, db: d}
	}
	return r
}

// prepare makes the statements ready for [tx.hot] of a transaction that is
// about to begin. Where that fails they are run unprepared, and find the same
// failure if it is still there.
func (d *DB) prepare(ctx context.Context, queries ...string) {
	if !d.dialect.postgres || ctx.Value(inTxKey{}) != nil {
		return
	}
	for _, query := range queries {
		if _, err := d.prepared.get(ctx, d.x, d.dialect.sql(query)); err != nil {
			return
		}
	}
}

// hot is the same within the transaction, for statements that were prepared
// before it.
func (t *tx) hot() runner {
	r := t.runner
	if x, ok := r.ext.(*sqlx.Tx); ok && t.dialect.postgres {
		r.ext = prepared{ExtContext: r.ext, db: t.db, tx: x}
	}
	return r
}

// prepared runs statements that are kept prepared, within tx if there is one.
// Where one could not be prepared it is run as it is: what keeps it from
// being prepared keeps it from being run, and is told then.
type prepared struct {
	sqlx.ExtContext
	db *DB
	tx *sqlx.Tx
}

func (p prepared) stmt(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if p.tx == nil {
		return p.db.prepared.get(ctx, p.db.x, query)
	}
	if stmt := p.db.prepared.find(query); stmt != nil {
		return p.tx.StmtxContext(ctx, stmt), nil
	}
	return nil, errNotPrepared
}

// errNotPrepared says that a statement of a transaction was not prepared
// before it. Within it that would take a second connection, and might wait
// for one that waits for the same.
var errNotPrepared = errors.New("statement is not prepared")

// QueryContext implements [sqlx.QueryerContext].
func (p prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := p.stmt(ctx, query)
	if err != nil {
		return p.ExtContext.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryxContext implements [sqlx.QueryerContext].
func (p prepared) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	stmt, err := p.stmt(ctx, query)
	if err != nil {
		return p.ExtContext.QueryxContext(ctx, query, args...)
	}
	return stmt.QueryxContext(ctx, args...)
}

// QueryRowxContext implements [sqlx.QueryerContext].
func (p prepared) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	stmt, err := p.stmt(ctx, query)
	if err != nil {
		return p.ExtContext.QueryRowxContext(ctx, query, args...)
	}
	return stmt.QueryRowxContext(ctx, args...)
}

// ExecContext implements [sqlx.ExecerContext].
func (p prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := p.stmt(ctx, query)
	if err != nil {
		return p.ExtContext.ExecContext(ctx, query, args...)
	}
	return stmt.ExecContext(ctx, args...)
}
