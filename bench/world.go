package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/seed"
	"github.com/laurelbot/laurel/internal/testpg"
)

// The first databases are copies of each other on one server: what pgbench
// and the peer claim in their own is never delivered by the bot. The spare one
// has the schema and a template, and is filled by those who measure there.
const (
	botDatabase   = "laurel"
	bareDatabase  = "bare"
	peerDatabase  = "peer"
	spareDatabase = "spare"
)

// claimedOf is how many badges there are for one that was claimed yesterday.
const claimedOf = 10

// world is the database server with its generated rows.
type world struct {
	server *testpg.Durable
	// dsn is the bot's database, bare that of pgbench.
	dsn, bare string
	db        *sql.DB
	pid       int
	// before are the rows of yesterday.
	before counts
}

func startWorld() (*world, error) {
	server, err := testpg.StartDurable("shared_buffers=256MB", "max_wal_size=4GB")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	w := &world{server: server, dsn: server.DSN(botDatabase), bare: server.DSN(bareDatabase)}
	if w.pid, err = server.PID(); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return w, nil
}

func (w *world) close() error {
	var err error
	if w.db != nil {
		err = w.db.Close()
	}
	return errors.Join(err, w.server.Stop())
}

// admin runs statements on the server's own database, one at a time.
func (w *world) admin(ctx context.Context, statements ...string) error {
	db, err := sql.Open("postgres", w.server.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	for _, one := range statements {
		if _, err := db.ExecContext(ctx, one); err != nil {
			return errors.Join(fmt.Errorf("prepare server: %w", err), db.Close())
		}
	}
	return db.Close()
}

// fill generates the rows once the schema is there, and copies the database.
func (w *world) fill(ctx context.Context, o options) error {
	db, err := sql.Open("postgres", w.dsn)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	now := time.Now()
	people := seed.World{Badges: o.badges, People: o.members, Tenant: slackTenant, Now: now, Later: now.Add(30 * 24 * time.Hour)}
	yesterday := replaced(
		history, "{badges}", fmt.Sprint(o.badges/claimedOf), "{members}", fmt.Sprint(o.members), "{badge}", seed.BadgePrefix,
		"{tenant}", slackTenant, "{handoff}", handoffPrefix, "{post}", postPrefix, "{before}", fmt.Sprint(now.Add(-12*time.Hour).UnixMilli()),
	)
	err = people.Fill(ctx, db)
	if err == nil {
		err = execAll(ctx, db, yesterday...)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	copies := []string{bareDatabase}
	if o.peer {
		copies = append(copies, peerDatabase)
	}
	for _, name := range copies {
		if err := w.admin(ctx, "CREATE DATABASE "+name+" TEMPLATE "+botDatabase); err != nil {
			return err
		}
	}
	if err := w.admin(ctx, "CHECKPOINT"); err != nil {
		return err
	}
	if w.db, err = sql.Open("postgres", w.dsn); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	w.db.SetMaxOpenConns(1)
	w.before, err = w.counts(ctx, w.dsn)
	return err
}

// copyOf returns the URL of a database.
func (w *world) copyOf(name string) string { return w.server.DSN(name) }

// spare makes the spare database anew and opens it.
func (w *world) spare(ctx context.Context, s *stage) (*sql.DB, error) {
	if err := w.admin(ctx, "DROP DATABASE IF EXISTS "+spareDatabase, "CREATE DATABASE "+spareDatabase+" TEMPLATE template0"); err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.binary, s.settings, w.copyOf(spareDatabase)); err != nil {
		return nil, err
	}
	db, err := sql.Open("postgres", w.copyOf(spareDatabase))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return db, nil
}

// replaced puts values for names into statements.
func replaced(statements []string, namesAndValues ...string) []string {
	names := strings.NewReplacer(namesAndValues...)
	out := make([]string, 0, len(statements))
	for _, one := range statements {
		out = append(out, names.Replace(one))
	}
	return out
}

// execAll runs statements in turn.
func execAll(ctx context.Context, db *sql.DB, statements ...string) error {
	for _, one := range statements {
		if _, err := db.ExecContext(ctx, one); err != nil {
			return fmt.Errorf("generate rows: %w", err)
		}
	}
	return nil
}

// history is what yesterday left: tables that are empty at first are planned
// for as if they were to stay so.
var history = []string{
	`INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at, followed_at)
	SELECT '{handoff}' || lpad('9' || lpad(g::text, 10, '0'), 12, '0'), '{badge}' || lpad(g::text, 12, '0'),
		'm' || lpad((g % {members} + 1)::text, 35, '0'), 'followed', {before}, {before} + 120000, {before} + 60000
	FROM generate_series(1, {badges}) g`,
	`INSERT INTO posts (id, account_id, subject_kind, subject_id, message_key, place_sealed, editable_until, shown, created_at)
	SELECT '{post}' || lpad('9' || lpad(g::text, 10, '0'), 12, '0'), 's' || lpad((g % {members} + 1)::text, 35, '0'), 'handoff',
		'{handoff}' || lpad('9' || lpad(g::text, 10, '0'), 12, '0'), 'D0BENCH001:1600000000.' || g, repeat('p', 230),
		{before} + 1800000, true, {before}
	FROM generate_series(1, {badges}) g`,
	`INSERT INTO lanes (lane, platform, tenant, next_at, active)
	SELECT platform || ':' || tenant || ':' || user_id, platform, tenant, {before}, false FROM accounts`,
	`INSERT INTO outbox (lane, kind, ref, delivery_key, fallback, state, attempts, available_at, created_at, done_at)
	SELECT 'slack:{tenant}:U' || lpad((g % {members} + 1)::text, 10, '0'), 'post',
		'{post}' || lpad('9' || lpad(g::text, 10, '0'), 12, '0'), '-', true, 'sent', 1, {before}, {before}, {before}
	FROM generate_series(1, {badges}) g`,
	`INSERT INTO audit (at, actor, kind, subject)
	SELECT {before}, 'm' || lpad((g % {members} + 1)::text, 35, '0'), 'badge.claim', '{badge}' || lpad(g::text, 12, '0')
	FROM generate_series(1, {badges}) g`,
	`VACUUM ANALYZE`,
}

// counts are the rows that every claim leaves once.
type counts struct{ handoffs, audits, deliveries int }

func (c counts) minus(o counts) counts {
	return counts{c.handoffs - o.handoffs, c.audits - o.audits, c.deliveries - o.deliveries}
}

func (w *world) counts(ctx context.Context, dsn string) (c counts, err error) {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return c, fmt.Errorf("open database: %w", err)
	}
	err = db.QueryRowContext(ctx, `SELECT (SELECT count(DISTINCT badge_id) FROM handoffs WHERE state = 'open'),
		(SELECT count(*) FROM audit WHERE kind = 'badge.claim'),
		(SELECT count(*) FROM outbox WHERE kind = 'post')`).Scan(&c.handoffs, &c.audits, &c.deliveries)
	return c, errors.Join(err, db.Close())
}

// awaitSent waits until no delivery is on its way.
func (w *world) awaitSent(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	return await(ctx, 50*time.Millisecond, func() (bool, error) {
		var n int
		err := w.db.QueryRowContext(ctx, `SELECT count(*) FROM outbox WHERE state <> 'sent'`).Scan(&n)
		if err != nil {
			return false, fmt.Errorf("count deliveries: %w", err)
		}
		return n == 0, nil
	})
}

// await looks again and again until it is so.
func await(ctx context.Context, pause time.Duration, isSo func() (bool, error)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if so, err := isSo(); so || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// bareIdle waits until the sessions of pgbench have ended: what they used is
// counted for the server only then.
func (w *world) bareIdle(ctx context.Context) error {
	return await(ctx, 10*time.Millisecond, func() (bool, error) {
		var n int
		err := w.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1`, bareDatabase).Scan(&n)
		if err != nil {
			return false, fmt.Errorf("wait for sessions to end: %w", err)
		}
		return n == 0, nil
	})
}

// environment tells PostgreSQL's own programs where a database is.
func environment(dsn string) ([]string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("the URL of the database cannot be read")
	}
	password, _ := u.User.Password()
	return []string{
		"PGHOST=" + u.Hostname(), "PGPORT=" + u.Port(), "PGUSER=" + u.User.Username(), "PGPASSWORD=" + password,
		"PGDATABASE=" + strings.TrimPrefix(u.Path, "/"), "PGSSLMODE=disable",
	}, nil
}
