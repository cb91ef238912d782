package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/laurelbot/laurel/core"
)

// Arguments for the words of [dialect].
type (
	texts []string
	ints  []int64
	// rows holds a slice of structs whose JSON names are the columns' names.
	rows struct{ slice any }
)

// inTxKey marks the context that the work of a transaction gets.
type inTxKey struct{}

// errNested says that the work of a transaction used the store beside it.
// With SQLite that would wait for itself.
var errNested = errors.New("store used beside its own transaction")

// runner runs statements, within a transaction or alone.
type runner struct {
	ext     sqlx.ExtContext
	dialect *dialect
	// inTx says that ext is a transaction.
	inTx bool
}

// exec runs a statement and returns how many rows it changed.
func (r runner) exec(ctx context.Context, query string, args ...any) (int64, error) {
	args, err := r.prepare(ctx, args)
	if err != nil {
		return 0, err
	}
	res, err := r.ext.ExecContext(ctx, r.dialect.sql(query), args...)
	if err != nil {
		return 0, wrap(ctx, err)
	}
	n, err := res.RowsAffected()
	return n, wrap(ctx, err)
}

// get reads one row into dest, or returns [core.ErrNotFound].
func (r runner) get(ctx context.Context, dest any, query string, args ...any) error {
	args, err := r.prepare(ctx, args)
	if err != nil {
		return err
	}
	err = sqlx.GetContext(ctx, r.ext, dest, r.dialect.sql(query), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return core.ErrNotFound
	}
	return wrap(ctx, err)
}

// all reads all rows into dest, a pointer to a slice.
func (r runner) all(ctx context.Context, dest any, query string, args ...any) error {
	args, err := r.prepare(ctx, args)
	if err != nil {
		return err
	}
	return wrap(ctx, sqlx.SelectContext(ctx, r.ext, dest, r.dialect.sql(query), args...))
}

// prepare turns arguments into what the driver of the dialect takes.
func (r runner) prepare(ctx context.Context, args []any) ([]any, error) {
	if !r.inTx && ctx.Value(inTxKey{}) != nil {
		return nil, errNested
	}
	for i, arg := range args {
		switch v := arg.(type) {
		case texts:
			if r.dialect.postgres {
				args[i] = pq.StringArray(v)
				continue
			}
			arg = []string(v)
		case ints:
			if r.dialect.postgres {
				args[i] = pq.Int64Array(v)
				continue
			}
			arg = []int64(v)
		case rows:
			arg = v.slice
		default:
			continue
		}
		data, err := json.Marshal(arg)
		if err != nil {
			return nil, fmt.Errorf("encode argument %d: %w", i+1, err)
		}
		args[i] = string(data)
	}
	return args, nil
}
