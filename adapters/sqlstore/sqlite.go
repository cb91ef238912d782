package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // Registers the driver "sqlite".
)

const sqlitePrefix = "sqlite:"

// sqliteOptions: a log beside the file so that a crash loses nothing that
// was committed, and write transactions that queue at their beginning
// instead of failing at their end
// (https://www.sqlite.org/pragma.html, https://www.sqlite.org/lang_transaction.html).
const sqliteOptions = "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)" +
	"&_pragma=synchronous(NORMAL)&_txlock=immediate"

// openSQLite opens a file with one connection: SQLite has one writer anyway,
// and so no statement ever finds the file locked by another of this process.
func openSQLite(ctx context.Context, file string, plug *plug) (*sqlx.DB, error) {
	if file == "" || strings.HasPrefix(file, ":memory:") {
		return nil, errors.New("sqlite: needs the name of a file")
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make database file: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make database file: %w", err)
	}
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)
	name = "file:" + name + sqliteOptions
	known, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open database file: %w", err)
	}
	// Only its driver was wanted: nothing is open yet.
	_ = known.Close()
	db := sql.OpenDB(plugged{plug: plug, driver: known.Driver(), name: name})
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database file: %w", err), db.Close())
	}
	// sqlx knows the placeholders of this driver under its other name.
	return sqlx.NewDb(db, "sqlite3"), nil
}
