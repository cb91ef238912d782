package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/laurelbot/laurel/core"
)

// remindDatabase is a copy of its own: what is planned there is never sent.
const remindDatabase = "remind"

const (
	// duePeople are those to be reminded at once, all of whose badges wait.
	duePeople = 5000
	// lookedPeople are looked at in each sweep beside an old snapshot.
	lookedPeople = 4000
	emptyPolls   = 300
	sweeps       = 6
)

// fixedClock stands still.
type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

// working is ten in the morning of a working day, in UTC, on which the first
// step of what was generated just now is due.
func working(now time.Time) time.Time {
	at := now.UTC().AddDate(0, 0, 1).Truncate(24 * time.Hour).Add(34 * time.Hour)
	for at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// measureReminders plans reminders in a database of the chosen size.
func measureReminders(ctx context.Context, s *stage) (err error) {
	err = s.world.admin(ctx, "DROP DATABASE IF EXISTS "+remindDatabase, "CREATE DATABASE "+remindDatabase+" TEMPLATE "+bareDatabase)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.world.admin(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+remindDatabase+" WITH (FORCE)"))
	}()
	dsn := s.world.copyOf(remindDatabase)
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, err := s.openStore(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := working(time.Now())
	// What the plan's tables are like after some weeks.
	later := now.AddDate(0, 0, 5).UnixMilli()
	if err := execAll(ctx, db, fmt.Sprintf(`UPDATE members SET remind_at = %d`, later), `VACUUM ANALYZE members`); err != nil {
		return err
	}
	planner := &core.Reminders{Store: store, Clock: fixedClock(now)}
	if err := s.planDue(ctx, db, planner, now); err != nil {
		return err
	}
	if err := s.pollEmpty(ctx, planner); err != nil {
		return err
	}
	return s.sweepBesideSnapshot(ctx, db, planner, now)
}

// due makes people due, those with the lowest ids.
func due(ctx context.Context, db *sql.DB, now time.Time, people int) error {
	return execAll(ctx, db, fmt.Sprintf(`UPDATE members SET remind_at = %d WHERE id IN (SELECT id FROM members ORDER BY id LIMIT %d)`,
		now.Add(-time.Minute).UnixMilli(), people))
}

// planDue plans the reminders of many people whose badges all wait.
func (s *stage) planDue(ctx context.Context, db *sql.DB, planner *core.Reminders, now time.Time) error {
	people := min(duePeople, s.members)
	if err := due(ctx, db, now, people); err != nil {
		return err
	}
	before, err := s.usage(os.Getpid())
	if err != nil {
		return err
	}
	began := time.Now()
	n, err := planner.Plan(ctx)
	took := time.Since(began)
	if err == nil && n.Reminders != people {
		err = fmt.Errorf("%d of %d people are reminded", n.Reminders, people)
	}
	if err != nil {
		return err
	}
	after, err := s.usage(os.Getpid())
	if err != nil {
		return err
	}
	var used usage
	used.app, used.database = after.each(before, n.Steps)
	fmt.Fprintf(s.out, "%d reminders of %d steps planned in %.0f ms; CPU for each step: app %v, database %v\n",
		n.Reminders, n.Steps, ms(took), used.app, used.database)
	s.goals.atLeast("steps of reminders planned and enqueued, per second", float64(n.Steps)/took.Seconds(), 30_000, "%.0f")
	s.goals.told("the same in messages, one a person", fmt.Sprintf("%.0f", float64(n.Reminders)/took.Seconds()))
	return nil
}

// pollEmpty looks where nobody is due.
func (s *stage) pollEmpty(ctx context.Context, planner *core.Reminders) error {
	took := make([]float64, 0, emptyPolls)
	for range emptyPolls {
		began := time.Now()
		if n, err := planner.Plan(ctx); err != nil || n.Looked > 0 {
			return errors.Join(err, fmt.Errorf("%d people are due", n.Looked))
		}
		took = append(took, ms(time.Since(began)))
	}
	s.goals.told("empty look for due reminders, median, ms", fmt.Sprintf("%.2f", median(took)))
	return nil
}

// sweepBesideSnapshot looks at many people again and again while somebody's
// snapshot keeps every version of their rows alive. Nobody is reminded: it is
// their day's second time.
func (s *stage) sweepBesideSnapshot(ctx context.Context, db *sql.DB, planner *core.Reminders, now time.Time) (err error) {
	snapshot, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, snapshot.Rollback()) }()
	var members int
	if err := snapshot.QueryRowContext(ctx, `SELECT count(*) FROM members`).Scan(&members); err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	people := min(lookedPeople, s.members)
	took := make([]float64, 0, sweeps)
	var first, last resident
	for sweep := range sweeps {
		if err := due(ctx, db, now, people); err != nil {
			return err
		}
		began := time.Now()
		n, err := planner.Plan(ctx)
		if err == nil && (n.Looked != people || n.Reminders != 0) {
			err = fmt.Errorf("%d looked at, %d reminded, of %d", n.Looked, n.Reminders, people)
		}
		if err != nil {
			return err
		}
		took = append(took, ms(time.Since(began)))
		if last, err = memory(os.Getpid()); err != nil {
			return err
		}
		if sweep == 0 {
			first = last
		}
	}
	s.goals.atMost("memory of this process after the sixth sweep, of that after the first", last.now/first.now, 1.3, "%.2f")
	fmt.Fprintf(s.out, "sweeps of %d people beside an old snapshot: %.0f ms\n", people, took)
	s.goals.atMost("six sweeps beside an old snapshot, the slowest of the fastest", slices.Max(took)/slices.Min(took), 1.3, "%.2f")
	return nil
}
