package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/bench/seed"
	"github.com/laurelbot/laurel/core"
)

// Handoffs to be expired, each with a message to be edited, among old ones.
const (
	staleHandoffs = 50_000
	oldHandoffs   = 200_000
)

var staleRows = []string{
	`INSERT INTO members (id, created_at) SELECT 'm' || lpad(g::text, 35, '0'), 1 FROM generate_series(1, 5000) g`,
	`INSERT INTO accounts (id, platform, tenant, user_id, member_id, seen_at, created_at)
	SELECT 's' || lpad(g::text, 35, '0'), 'slack', '` + slackTenant + `', 'U' || g, 'm' || lpad(g::text, 35, '0'), 1, 1
	FROM generate_series(1, 5000) g`,
	`INSERT INTO badges (id, template_id, recipient_shown, recipient, stage, created_at, updated_at)
	SELECT '` + seed.BadgePrefix + `' || lpad(g::text, 12, '0'), 't', 'Person.' || g % 5000 || '@example.org',
		'person.' || g % 5000 || '@example.org', 'pending', 1, 1 FROM generate_series(1, {all}) g`,
	`INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
	SELECT '` + handoffPrefix + `' || lpad(g::text, 12, '0'), '` + seed.BadgePrefix + `' || lpad(g::text, 12, '0'),
		'm' || lpad((g % 5000 + 1)::text, 35, '0'), CASE WHEN g % {every} = 0 THEN 'open' ELSE 'followed' END, 1, 1000 + g
	FROM generate_series(1, {all}) g`,
	`INSERT INTO posts (id, account_id, subject_kind, subject_id, message_key, place_sealed, shown, created_at)
	SELECT '` + postPrefix + `' || lpad(g::text, 12, '0'), 's' || lpad((g % 5000 + 1)::text, 35, '0'), 'handoff',
		'` + handoffPrefix + `' || lpad(g::text, 12, '0'), 'D0BENCH001:' || g, repeat('p', 230), true, 1
	FROM generate_series(1, {all}) g`,
	`VACUUM ANALYZE`,
}

// timedStore times what sweeps ask of the store.
type timedStore struct {
	core.Store
	longest time.Duration
}

// ExpireHandoffs expires a batch.
func (t *timedStore) ExpireHandoffs(ctx context.Context, now time.Time, after core.Cursor, limit int) (int, core.Cursor, error) {
	began := time.Now()
	defer func() { t.longest = max(t.longest, time.Since(began)) }()
	return t.Store.ExpireHandoffs(ctx, now, after, limit)
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

// openStore opens a database as the bot does.
func (s *stage) openStore(ctx context.Context, dsn string) (*sqlstore.DB, error) {
	secret, err := base64.StdEncoding.DecodeString(s.settings.secretKey)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	keys, err := core.NewKeys(secret)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return sqlstore.Open(ctx, sqlstore.Config{URL: dsn, Keys: keys})
}

// measureExpiry sweeps stale handoffs as the bot's job does.
func measureExpiry(ctx context.Context, s *stage) (err error) {
	var speed, longest []float64
	for range s.few() {
		rate, slowest, used, err := s.expire(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "expired %.0f handoffs/s, the slowest batch in %.0f ms; CPU each: app %v, database %v\n", rate, ms(slowest), used.app, used.database)
		speed, longest = append(speed, rate), append(longest, ms(slowest))
	}
	s.goals.atLeast("stale handoffs expired, per second", median(speed), 20_000, "%.0f")
	s.goals.atMost("slowest batch of expiry, all its statements, ms", median(longest), 150, "%.0f")
	return nil
}

// expire sweeps once, over rows of its own.
func (s *stage) expire(ctx context.Context) (perSecond float64, slowest time.Duration, used usage, err error) {
	db, err := s.world.spare(ctx, s)
	if err != nil {
		return 0, 0, used, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const all = staleHandoffs + oldHandoffs
	if err := execAll(ctx, db, replaced(staleRows, "{all}", fmt.Sprint(all), "{every}", fmt.Sprint(all/staleHandoffs))...); err != nil {
		return 0, 0, used, err
	}
	store, err := s.openStore(ctx, s.world.copyOf(spareDatabase))
	if err != nil {
		return 0, 0, used, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	timed := &timedStore{Store: store}
	sweeper := core.Sweeper{Store: timed, Clock: wallClock{}}
	before, err := s.usage(os.Getpid())
	if err != nil {
		return 0, 0, used, err
	}
	began := time.Now()
	n, err := sweeper.Expire(ctx)
	took := time.Since(began)
	if err == nil && n != staleHandoffs {
		err = fmt.Errorf("%d of %d handoffs were expired", n, staleHandoffs)
	}
	if err != nil {
		return 0, 0, used, err
	}
	after, err := s.usage(os.Getpid())
	used.app, used.database = after.each(before, n)
	return float64(n) / took.Seconds(), timed.longest, used, err
}
