package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/faults/rig"
)

// oldSnapshot is F16: a transaction stays open while much is swept.
type oldSnapshot struct{}

func (oldSnapshot) Name() string { return "old snapshot open during six sweeps" }

func (oldSnapshot) Criterion() string {
	return "sweeps do not grow: the last three within 30 % of the first three"
}

func (o oldSnapshot) Run(ctx context.Context, r *rig.Rig) (Figure, error) {
	return on(ctx, r, rig.Config{Name: "f16"}, func(s *rig.Stage, found *findings) (_ Figure, err error) {
		if err := s.StartBots(ctx, 1); err != nil {
			return "", err
		}
		tx, err := s.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		if err != nil {
			return "", fmt.Errorf("begin: %w", err)
		}
		defer func() { err = errors.Join(err, tx.Rollback()) }()
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM handoffs`).Scan(&n); err != nil {
			return "", fmt.Errorf("take snapshot: %w", err)
		}
		rows := rig.Pick(r, 30_000, 2000)
		var took []time.Duration
		for sweep := range rig.Pick(r, 6, 2) {
			one, err := o.sweep(ctx, s, sweep, rows)
			if err != nil {
				return "", err
			}
			took = append(took, one)
		}
		held, err := s.Count(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND backend_xmin IS NOT NULL AND state = 'idle in transaction'`)
		found.add(err)
		found.want(held > 0, "no session held an old snapshot")
		half := len(took) / 2
		first, last := least(took[:half]), least(took[half:])
		ratio := last.Seconds() / first.Seconds()
		limit := 1.3
		if r.Short {
			limit = 3
		}
		found.want(ratio <= limit, "the sweeps grew to %.2f times", ratio)
		text := fmt.Sprintf("%d sweeps of %d:", len(took), rows)
		for _, one := range took {
			text += " " + ms(one)
		}
		return Figure(fmt.Sprintf("%s; %.2f times", text, ratio)), nil
	})
}

func least(of []time.Duration) time.Duration {
	out := of[0]
	for _, one := range of {
		out = min(out, one)
	}
	return out
}

// sweep lets handoffs run out and returns how long the bot's job took.
func (oldSnapshot) sweep(ctx context.Context, s *rig.Stage, sweep, rows int) (time.Duration, error) {
	before, err := s.Count(ctx, `SELECT now_ms FROM clock`)
	if err != nil {
		return 0, err
	}
	_, err = s.DB.ExecContext(ctx, `INSERT INTO handoffs (id, badge_id, member_id, state, opened_at, expires_at)
		SELECT '00000000-0000-7000-a' || lpad($1::text, 3, '0') || '-' || lpad(row_number() OVER (ORDER BY id)::text, 12, '0'),
			id, 'm' || lpad('1', 35, '0'), 'open', $2::bigint - 130000, $2::bigint - 10000
		FROM badges ORDER BY id LIMIT $3`, sweep, before, rows)
	if err != nil {
		return 0, fmt.Errorf("generate rows: %w", err)
	}
	var took time.Duration
	err = rig.Await(ctx, time.Minute, "a sweep", func() (bool, error) {
		if err := rig.Sleep(ctx, 100*time.Millisecond); err != nil {
			return false, err
		}
		var ms int
		var outcome string
		err := s.DB.QueryRowContext(ctx, `SELECT duration_ms, outcome FROM job_results
			WHERE job = 'expire-handoffs' AND started_at >= $1 AND outcome <> 'ok'`, before).Scan(&ms, &outcome)
		if errors.Is(err, sql.ErrNoRows) {
			return false, nil
		}
		if err == nil && !strings.HasPrefix(outcome, fmt.Sprint(rows)+" ") {
			err = fmt.Errorf("the sweep was told as %q, want %d", outcome, rows)
		}
		took = time.Duration(ms) * time.Millisecond
		return err == nil, err
	})
	return took, err
}
