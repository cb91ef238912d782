// Package testpg gives tests a PostgreSQL server.
//
// New hands out a fresh, empty database on a server that the whole test
// process shares; StartServer starts a server for one test alone, which that
// test may stop, restart and suspend. Where LAUREL_TEST_POSTGRES names a
// running server, New uses that one, so that a run over many packages pays
// for one server only.
//
// Private servers need the PostgreSQL server programs of the machine. They
// listen on 127.0.0.1, ask for a random password, write nothing durably, and
// end with the test process however that ends.
package testpg

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lib/pq"
)

// EnvDSN names the environment variable that holds the DSN of a running
// server: a postgres:// URL of a superuser, with sslmode written out.
const EnvDSN = "LAUREL_TEST_POSTGRES"

// adminTimeout limits each statement that makes or drops a database. It is
// generous, because a loaded machine takes seconds where an idle one takes
// milliseconds.
const adminTimeout = 60 * time.Second

// errUnavailable says that this machine cannot run a PostgreSQL server.
var errUnavailable = errors.New("PostgreSQL is not available")

// shared starts the server of this process once. Nothing stops it: its
// supervisor does when the process ends.
var shared = sync.OnceValues(func() (*cluster, error) { return newCluster() })

// New returns the postgres:// DSN of a fresh, empty database, which is
// dropped when the test ends. Where PostgreSQL cannot be had the test is
// skipped by name, or fails when CI=true.
func New(tb testing.TB) string {
	tb.Helper()
	if dsn := os.Getenv(EnvDSN); dsn != "" {
		return newDatabase(tb, dsn)
	}
	c, err := shared()
	if err != nil {
		giveUp(tb, err)
	}
	return newDatabase(tb, c.dsn("postgres"))
}

// giveUp ends the test: an incomplete machine skips, anything else fails, and
// a complete run (CI=true) never passes by skipping.
func giveUp(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, errUnavailable) && os.Getenv("CI") != "true" {
		tb.Skipf("%v: install postgresql or set %s", err, EnvDSN)
	}
	tb.Fatalf("start PostgreSQL: %v", err)
}

// newDatabase creates a database on the server behind admin and drops it when
// the test ends.
func newDatabase(tb testing.TB, admin string) string {
	tb.Helper()
	dsn, err := createDatabase(admin)
	if err != nil {
		tb.Fatalf("create test database: %v", err)
	}
	tb.Cleanup(func() {
		if err := dropDatabase(admin, dsn); err != nil {
			tb.Errorf("drop test database: %v", err)
		}
	})
	return dsn
}

// createDatabase creates a database with a random name and returns its DSN.
func createDatabase(admin string) (string, error) {
	u, err := url.Parse(admin)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", errors.New("the server's DSN is not a postgres:// URL")
	}
	name := "laurel_test_" + strings.ToLower(rand.Text())
	// Nobody can be connected to template0, so that tests in parallel never
	// find their template in use.
	if err := execute(admin, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template0"); err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// dropDatabase drops the database behind dsn, cutting its connections.
func dropDatabase(admin, dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("the database's DSN is not a URL")
	}
	name := strings.TrimPrefix(u.Path, "/")
	return execute(admin, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)")
}

// execute runs one statement on a connection of its own.
func execute(dsn, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	_, err = db.ExecContext(ctx, statement)
	return errors.Join(err, db.Close())
}
