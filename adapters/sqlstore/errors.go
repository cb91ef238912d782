package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/laurelbot/laurel/core"
)

// Codes of PostgreSQL that mean more than a failed statement
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeUnique        = "23505"
	codeLockTimeout   = "55P03"
	codeCancelled     = "57014"
	codeReadOnly      = "25006"
)

// conflict is the code of an own error: something was changed beside this
// transaction, which begins again.
const conflict = "conflict"

// dbError is a failed statement. Its text holds no value of any row, unlike
// that of the driver's error, which it does not wrap for that reason.
type dbError struct {
	code string
	text string
	// unavailable: the database could not be reached or had to give up.
	unavailable bool
	// cause is the context's error, or nil.
	cause error
}

// Error describes the failure.
func (e *dbError) Error() string { return e.text }

// Is reports whether the store was unavailable.
func (e *dbError) Is(target error) bool { return e.unavailable && target == core.ErrUnavailable }

// Unwrap returns the error of the context that ended.
func (e *dbError) Unwrap() error { return e.cause }

// errConflict makes the transaction begin again.
func errConflict() error {
	return &dbError{code: conflict, text: "changed by somebody else meanwhile", unavailable: true}
}

// wrap turns an error of the driver into one of the store.
func wrap(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var known *dbError
	if errors.As(err, &known) {
		return err
	}
	// A cancelled statement comes back as an error of the server.
	if cause := ctx.Err(); cause != nil {
		return &dbError{text: "statement interrupted: " + cause.Error(), unavailable: true, cause: cause}
	}
	if e := pq.As(err); e != nil {
		return wrapPostgres(e)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return wrapSQLite(lite)
	}
	if isLost(err) {
		return &dbError{text: "connection to database lost: " + err.Error(), unavailable: true}
	}
	// A failed conversion quotes the value behind these words.
	text, _, _ := strings.Cut(err.Error(), ": converting")
	text, _, _ = strings.Cut(text, ", storing")
	return &dbError{text: text}
}

func isLost(err error) bool {
	var network net.Error
	var number syscall.Errno
	return errors.As(err, &network) || errors.As(err, &number) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pq.ErrSSLNotSupported)
}

func wrapPostgres(e *pq.Error) error {
	code := string(e.Code)
	out := &dbError{code: code, text: "statement failed: SQLSTATE " + code}
	if e.Constraint != "" {
		out.text += " on " + e.Constraint
	}
	switch e.Code.Class() {
	case "08", "53", "57", "58":
		out.unavailable = true
		out.text += ": " + e.Message
	case "28", "3D", "42":
		// Wrong credentials, missing database, wrong statement: no row is
		// involved.
		out.text += ": " + e.Message
	}
	switch pqerror.Code(code) {
	case codeSerialization, codeDeadlock, codeLockTimeout, codeCancelled, codeReadOnly:
		out.unavailable = true
	}
	return out
}

func wrapSQLite(e *sqlite.Error) error {
	out := &dbError{text: "statement failed: " + e.Error()}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
		out.unavailable = true
	}
	return out
}

func codeOf(err error) string {
	var e *dbError
	if errors.As(err, &e) {
		return e.code
	}
	return ""
}
