package testpg_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
)

// patience limits every wait of these tests.
const patience = 60 * time.Second

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var n int
	if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	const table = `SELECT count(*) FROM information_schema.tables WHERE table_name = 'apart'`
	a, b := open(t, testpg.New(t)), open(t, testpg.New(t))
	execute(t, a, `CREATE TABLE apart (id int)`)
	if n := count(t, a, table); n != 1 {
		t.Errorf("own table is seen %d times, want once", n)
	}
	if n := count(t, b, table); n != 0 {
		t.Errorf("the other database's table is seen %d times, want never", n)
	}
}

func TestDatabaseIsDroppedAfterTheTest(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) {
		db := open(t, testpg.New(t))
		if err := db.QueryRowContext(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	db := open(t, testpg.New(t))
	var n int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_database WHERE datname = $1`, name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("database %s is still there", name)
	}
}

func TestServerKeepsRowsAcrossStopAndStart(t *testing.T) {
	t.Parallel()
	s := testpg.StartServer(t)
	db := open(t, s.NewDatabase())
	execute(t, db, `CREATE TABLE kept (id int)`)
	execute(t, db, `INSERT INTO kept VALUES (1)`)
	addr := s.Addr()

	s.Stop()
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("a stopped server answered")
	}
	s.Start()
	s.Restart()

	if s.Addr() != addr {
		t.Errorf("address moved from %s to %s", addr, s.Addr())
	}
	if n := count(t, db, `SELECT count(*) FROM kept`); n != 1 {
		t.Errorf("%d rows after the restart, want 1", n)
	}
}

func TestSuspendedServerIsSilent(t *testing.T) {
	t.Parallel()
	s := testpg.StartServer(t)
	db := open(t, s.NewDatabase())
	db.SetMaxOpenConns(1)
	count(t, db, `SELECT 1`)

	s.Suspend()
	answered := make(chan error, 1)
	go func() {
		var n int
		answered <- db.QueryRowContext(context.WithoutCancel(t.Context()), `SELECT 1`).Scan(&n)
	}()
	select {
	case err := <-answered:
		t.Fatalf("a suspended server answered: %v", err)
	case <-time.After(300 * time.Millisecond):
	}

	s.Resume()
	select {
	case err := <-answered:
		if err != nil {
			t.Fatalf("query across the suspension: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("a resumed server does not answer")
	}
}
