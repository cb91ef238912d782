package sqlstore

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"postgres": testpg.New, "sqlite": sqliteURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openStore(t, url(t))
			current, latest, err := d.SchemaVersion(t.Context())
			if err != nil || current != 0 || latest < 1 {
				t.Fatalf("empty database: version %d of %d: %v", current, latest, err)
			}
			for range 2 {
				if err := d.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			current, latest, err = d.SchemaVersion(t.Context())
			if err != nil || current != latest {
				t.Fatalf("after migrating: version %d of %d: %v", current, latest, err)
			}
		})
	}
}

func TestEightReplicasMigrateAtOnce(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	replicas := make([]*DB, 8)
	for i := range replicas {
		replicas[i] = openStore(t, dsn)
	}
	tally(t, race(len(replicas), func(i int) error {
		return replicas[i].Migrate(context.WithoutCancel(t.Context()))
	}), nil)
	w := &world{DB: replicas[0], t: t}
	_, latest, err := w.SchemaVersion(t.Context())
	w.must(err)
	if n := w.count(`SELECT count(*) FROM goose_db_version WHERE version_id > 0`); n != int(latest) {
		t.Errorf("%d migrations applied, want each of the %d once", n, latest)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mysql://localhost/x", "sqlite:", "sqlite::memory:", "postgres://u:geheim@[::1/x"} {
		_, err := Open(t.Context(), Config{URL: url, Keys: testKeys(t)})
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := Open(t.Context(), Config{URL: sqliteURL(t)}); err == nil {
		t.Error("opened without keys")
	}
	url := sqliteURL(t) + "odd ?#%name"
	openStore(t, url)
	info, err := os.Stat(strings.TrimPrefix(url, sqlitePrefix))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("database file: %v %v", info, err)
	}
}

func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		_, err := w.run().exec(t.Context(), `INSERT INTO addresses (id, member_id, shown, normal, verified_at, next_refresh_at)
			VALUES ('x', ?, ?, ?, 0, 0)`, a.MemberID, "ada@example.org", "ada@example.org")
		if err == nil || strings.Contains(err.Error(), "example.org") || errors.Is(err, core.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
		var number int
		err = w.run().get(t.Context(), &number, `SELECT normal FROM addresses`)
		if err == nil || strings.Contains(err.Error(), "example.org") {
			t.Errorf("error %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.Ping(ctx); !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		clock, err := w.Clock(t.Context())
		w.must(err)
		if off := time.Since(clock.Now()).Abs(); off > time.Minute {
			t.Errorf("clock is off by %v on the same machine", off)
		}
		for _, step := range []string{`DROP VIEW clock`, `CREATE VIEW clock AS SELECT 4000000000000 AS now_ms`} {
			_, err := w.run().exec(t.Context(), step)
			w.must(err)
		}
		w.must(clock.Sync(t.Context()))
		moved := time.UnixMilli(4000000000000)
		first := clock.Now()
		if first.Before(moved) || first.After(moved.Add(time.Minute)) || first.Location() != time.UTC {
			t.Errorf("clock says %v, want about %v", first, moved)
		}
		clock.Close()
		_, err = w.run().exec(t.Context(), `DROP VIEW clock`)
		w.must(err)
		if err := clock.Sync(t.Context()); err == nil {
			t.Error("read a clock that is gone")
		}
		if clock.Now().Before(first) {
			t.Error("clock went back without its source")
		}
	})
}
