package sqlstore

import (
	"context"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// maxAttempts limits how often a transaction begins again.
const maxAttempts = 4

// tx is one transaction.
type tx struct {
	runner
	db *DB
	// audits are the kinds of what was noted in it.
	audits []string
}

var _ core.Tx = (*tx)(nil)

// InTx implements [core.Store].
func (d *DB) InTx(ctx context.Context, f func(ctx context.Context, tx core.Tx) error) error {
	return d.inTx(ctx, func(ctx context.Context, t *tx) error { return f(ctx, t) })
}

func (d *DB) inTx(ctx context.Context, f func(ctx context.Context, t *tx) error) error {
	return d.again(ctx, func() error { return d.once(ctx, f) })
}

// again repeats work that lost against another transaction.
func (d *DB) again(ctx context.Context, work func() error) error {
	for attempt := 1; ; attempt++ {
		err := work()
		if err == nil || attempt == maxAttempts || ctx.Err() != nil || !repeatable(err, attempt) {
			return err
		}
	}
}

func repeatable(err error, attempt int) bool {
	switch codeOf(err) {
	case codeSerialization, codeDeadlock, codeUnique, conflict:
		// What is unique is looked for before it is stored: that it was there
		// after all means that somebody stored it just now.
		return true
	case codeLockTimeout:
		// Somebody holds the lock for long: a person waits for the answer.
		return attempt == 1
	case "":
		// The work itself found that it has to begin again.
		var failed *dbError
		return errors.Is(err, core.ErrUnavailable) && !errors.As(err, &failed)
	default:
		return false
	}
}

func (d *DB) once(ctx context.Context, f func(ctx context.Context, t *tx) error) error {
	if ctx.Value(inTxKey{}) != nil {
		return errNested
	}
	x, err := d.x.BeginTxx(ctx, nil)
	if err != nil {
		return wrap(ctx, err)
	}
	done := false
	defer func() {
		if !done {
			// The transaction is over in any case; a connection that cannot
			// even be told so is thrown away by the pool.
			_ = x.Rollback()
		}
	}()
	t := &tx{runner: runner{ext: x, dialect: d.dialect, inTx: true}, db: d}
	if err := f(context.WithValue(ctx, inTxKey{}, true), t); err != nil {
		return err
	}
	done = true
	if err := x.Commit(); err != nil {
		return wrap(ctx, err)
	}
	if d.audited != nil {
		for _, kind := range t.audits {
			d.audited(kind)
		}
	}
	return nil
}
