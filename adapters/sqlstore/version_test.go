package sqlstore

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

// eachVersion runs a test on both dialects with a store whose schema can be
// moved.
func eachVersion(t *testing.T, f func(t *testing.T, w *world, p *goose.Provider)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"postgres": testpg.New, "sqlite": sqliteURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openStore(t, url(t))
			dialect := goose.DialectSQLite3
			if d.dialect.postgres {
				dialect = goose.DialectPostgres
			}
			p, err := newProvider(dialect, d.x.DB, name)
			if err != nil {
				t.Fatal(err)
			}
			f(t, &world{DB: d, t: t}, p)
		})
	}
}

// What a program of version 1 says about deliveries, word for word: in a
// rolling restart it goes on saying it while the schema is newer.
var version1 = struct{ insert, take, finish string }{
	insert: `INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
		SELECT lane, kind, ref, payload, key, fallback, 'ready', CAST(? AS bigint), CAST(? AS bigint)
		FROM $rows(n int, lane text, kind text, ref text, payload text, key text, fallback boolean) WHERE true ORDER BY n
		ON CONFLICT (ref) WHERE kind = 'post' AND state = 'ready'
			DO UPDATE SET fallback = outbox.fallback OR excluded.fallback`,
	take: `UPDATE outbox SET state = 'sending', attempts = attempts + 1, available_at = ?,
			first_try_at = CASE first_try_at WHEN 0 THEN ? ELSE first_try_at END
		WHERE state = 'ready' AND ref = ?`,
	finish: `UPDATE outbox SET state = 'ready', cause = 'busy', available_at = ? WHERE state = 'sending' AND attempts = ?`,
}

// dumpBut is [world.dump] in order and without some tables.
func (w *world) dumpBut(tables ...string) string {
	w.t.Helper()
	lines := slices.DeleteFunc(strings.Split(w.dump(), "\n"), func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return slices.Contains(tables, name)
	})
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// From version 1 with data in it to the newest, with both programs at work,
// and back.
func TestFromVersion1AndBack(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, w *world, p *goose.Provider) {
		ctx := t.Context()
		exec := func(query string, args ...any) {
			t.Helper()
			_, err := w.run().exec(ctx, query, args...)
			w.must(err)
		}
		old := func(ref string) {
			t.Helper()
			exec(version1.insert, ms(start), ms(start), rows{[]queueRow{{
				Lane: "slack:T1:U1", Kind: "post", Ref: ref, Key: "key-" + ref, Fallback: true,
			}}})
		}
		_, err := p.UpTo(ctx, 1)
		w.must(err)
		exec(`INSERT INTO members (id, created_at) VALUES ('m', 1)`)
		exec(`INSERT INTO accounts (id, platform, tenant, user_id, member_id, seen_at, created_at)
			VALUES ('a', 'slack', 'T1', 'U1', 'm', 1, 1)`)
		exec(`INSERT INTO addresses (id, member_id, shown, normal, verified_at, next_refresh_at)
			VALUES ('d', 'm', 'ada@example.org', 'ada@example.org', 1, 1)`)
		exec(`INSERT INTO badges (id, provider_id, template_id, recipient_shown, recipient, stage, created_at, updated_at)
			VALUES ('b', 'p1', 't', 'ada@example.org', 'ada@example.org', 'pending', 1, 1)`)
		for i, id := range []string{"post-1", "post-2"} {
			exec(`INSERT INTO posts (id, account_id, subject_kind, subject_id, created_at) VALUES (?, 'a', 'badge', 'b', ?)`,
				id, ms(start)+int64(i))
			old(id)
		}
		exec(`INSERT INTO lanes (lane, platform, tenant, next_at, active) VALUES ('slack:T1:U1', 'slack', 'T1', ?, true)`, ms(start))
		// Limited twice under the old program, which counted that.
		for n := range 2 {
			exec(version1.take, ms(start), ms(start), "post-1")
			exec(version1.finish, ms(start), n+1)
		}
		before := w.dumpBut("goose_db_version", "outbox", "members", "badges", "accounts", "addresses")

		w.must(w.Migrate(ctx))
		if after := w.dumpBut("goose_db_version", "outbox", "members", "badges", "accounts", "addresses"); after != before {
			t.Errorf("data changed on the way up:\n%s\nwas\n%s", after, before)
		}
		// Who was here before is looked at, and nothing old counts.
		if n := w.count(`SELECT count(*) FROM members WHERE id = 'm' AND remind_at > 0 AND remind_from = remind_at`); n != 1 {
			t.Error("the member is not looked at for reminders")
		}
		if n := w.count(`SELECT count(*) FROM badges WHERE id = 'b' AND stage_at = 0`); n != 1 {
			t.Error("the badge is not as it was")
		}
		if n := w.count(`SELECT count(*) FROM accounts WHERE id = 'a' AND member_id = 'm' AND team = 'slack:T1'`); n != 1 {
			t.Error("the account is not in its team")
		}
		d := w.take(start, 10)
		if len(d) != 1 || d[0].Ref != "post-1" || d[0].Attempts != 3 || d[0].Uncounted != 0 || !d[0].LimitedSince.IsZero() {
			t.Fatalf("taken %+v", d)
		}
		o := delivery.Failed(d[0], &core.DeliveryError{Class: core.RetryLater, After: time.Second}, start, delivery.PostBackoff)
		w.finish(start, o)
		// The old program goes on beside it.
		old("post-3")
		exec(version1.take, ms(start), ms(start), "post-1")
		exec(version1.finish, ms(start), 4)
		if n := w.count(`SELECT count(*) FROM outbox WHERE attempts = 4 AND uncounted = 1 AND state = 'ready'`); n != 1 {
			t.Error("the old program's attempt is not in the books")
		}
		_, err = w.TakePermits(ctx, "slack", start, 1, core.Rate{Interval: time.Second, Burst: 1}, 0)
		w.must(err)

		_, err = p.DownTo(ctx, 1)
		w.must(err)
		if current, _, err := w.SchemaVersion(ctx); err != nil || current != 1 {
			t.Fatalf("version %d: %v", current, err)
		}
		old("post-4")
		if n := w.count(`SELECT count(*) FROM outbox`); n != 4 {
			t.Errorf("%d deliveries on the way back, want 4", n)
		}
		w.must(w.Migrate(context.WithoutCancel(ctx)))
		if got := w.take(start.Add(time.Hour), 10); len(got) != 1 || got[0].Ref != "post-1" {
			t.Errorf("taken after up, down and up: %+v", got)
		}
	})
}

// From version 5 with data in it to version 6, which is filled as well, and
// back: what was there before is there again, and nothing else.
func TestFromVersion5AndBack(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, w *world, p *goose.Provider) {
		ctx := t.Context()
		exec := func(query string) {
			t.Helper()
			_, err := w.run().exec(ctx, query)
			w.must(err)
		}
		_, err := p.UpTo(ctx, 5)
		w.must(err)
		exec(`INSERT INTO members (id, created_at, remind_at, zone, stopped, reminder_post) VALUES
			('m', 1, 7, 'Asia/Tokyo', true, 'post'), ('n', 1, 0, '', false, '')`)
		exec(`INSERT INTO accounts (id, platform, tenant, user_id, member_id, seen_at, created_at) VALUES
			('a', 'slack', 'T1', 'U1', 'm', 1, 1), ('b', 'discord', '', '7', 'n', 1, 1)`)
		exec(`INSERT INTO addresses (id, member_id, shown, normal, verified_at, next_refresh_at)
			VALUES ('d', 'm', 'ada@example.org', 'ada@example.org', 1, 1)`)
		exec(`INSERT INTO badges (id, provider_id, template_id, recipient_shown, recipient, stage, created_at, updated_at, was_public)
			VALUES ('b', 'p1', 't', 'ada@example.org', 'ada@example.org', 'public', 1, 1, true)`)
		exec(`INSERT INTO posts (id, account_id, subject_kind, subject_id, created_at) VALUES ('post', 'a', 'reminder', 'm.2026-11-02', 1)`)
		exec(`INSERT INTO reminder_steps (badge_id, policy, step, reminder) VALUES ('b', 'pending', 1, 'm.2026-11-02')`)
		exec(`INSERT INTO outbox (lane, kind, ref, payload, delivery_key, fallback, state, available_at, created_at)
			VALUES ('slack:T1:U1', 'post', 'post', '', 'k', true, 'ready', 1, 1)`)
		exec(`INSERT INTO customs (platform, tenant, zone) VALUES ('slack', 'T1', 'Asia/Tokyo')`)
		before := w.dumpBut("goose_db_version", "customs")

		_, err = p.UpTo(ctx, 6)
		w.must(err)
		if teams := w.texts(`SELECT team FROM accounts ORDER BY id`); !slices.Equal(teams, []string{"slack:T1", ""}) {
			t.Errorf("teams %q", teams)
		}
		if n := w.count(`SELECT count(*) FROM members WHERE NOT channel AND celebrate = ''`); n != 2 {
			t.Errorf("%d of 2 people are people", n)
		}
		if n := w.count(`SELECT count(*) FROM badges WHERE accepted_at = 1 AND public_at = 1`); n != 1 {
			t.Error("the badge was never public")
		}
		exec(`INSERT INTO members (id, channel, created_at) VALUES ('c', true, 1)`)
		exec(`INSERT INTO accounts (id, platform, tenant, user_id, member_id, seen_at, created_at, team)
			VALUES ('c', 'slack', 'T1', '#C1', 'c', 1, 1, 'slack:T1')`)
		exec(`INSERT INTO customs (team, plan, celebrate_in, replan_at) VALUES ('slack:T1', '{}', 'c', 1)`)
		exec(`INSERT INTO digests (id, team, account_id, audience, every, from_at, next_at, created_at)
			VALUES ('d', 'slack:T1', 'c', 'team', 'week', 1, 2, 1)`)
		exec(`INSERT INTO digest_issues (id, digest_id, from_at, to_at) VALUES ('issue', 'd', 0, 1)`)
		exec(`INSERT INTO posts (id, account_id, subject_kind, subject_id, created_at) VALUES
			('p1', 'c', 'call', 'call', 1), ('p2', 'a', 'consent', 'b', 1), ('p3', 'c', 'celebration', 'x', 1), ('p4', 'c', 'digest', 'issue', 1)`)

		_, err = p.DownTo(ctx, 5)
		w.must(err)
		if after := w.dumpBut("goose_db_version", "customs"); after != before {
			t.Errorf("after up and down:\n%s\nwas\n%s", after, before)
		}
		w.must(w.Migrate(context.WithoutCancel(ctx)))
		if current, latest, err := w.SchemaVersion(ctx); err != nil || current != latest {
			t.Errorf("version %d of %d: %v", current, latest, err)
		}
	})
}

// A backup that reads the tables keeps a migration waiting, but not those who
// work: the migration steps back again and again until it gets its turn.
func TestMigrationLetsOthersWorkBehindABackup(t *testing.T) {
	t.Parallel()
	d := openStore(t, testpg.New(t))
	w := &world{DB: d, t: t}
	p, err := newProvider(goose.DialectPostgres, d.x.DB, "postgres")
	w.must(err)
	_, err = p.UpTo(t.Context(), 1)
	w.must(err)
	backup, err := d.x.BeginTxx(t.Context(), nil)
	w.must(err)
	_, err = backup.ExecContext(t.Context(), `LOCK TABLE outbox IN ACCESS SHARE MODE`)
	w.must(err)
	migrated := make(chan error, 1)
	go func() { migrated <- d.Migrate(context.WithoutCancel(t.Context())) }()
	for deadline := time.Now().Add(20 * time.Second); w.count(lockWaits) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the migration does not wait for the table")
		}
	}
	// Whoever adds to the table gets through while the backup still reads it.
	// On a slow machine that may take more than one attempt.
	w.must(untilFree(func() error {
		_, err := w.run().exec(t.Context(), version1.insert, ms(start), ms(start), rows{[]queueRow{{Lane: "l", Kind: "post", Ref: "p", Key: "k"}}})
		return err
	}))
	w.must(backup.Rollback())
	select {
	case err := <-migrated:
		w.must(err)
	case <-time.After(20 * time.Second):
		t.Fatal("the migration did not end")
	}
	if current, latest, err := w.SchemaVersion(t.Context()); err != nil || current != latest {
		t.Errorf("version %d of %d: %v", current, latest, err)
	}
}
