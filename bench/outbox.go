package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/laurelbot/laurel/core/delivery"
)

const (
	// dispatchers are the processes that deliver together.
	dispatchers = 2
	// busyLanes each have lanePosts messages. Their limit, one a second, does
	// not hold them up before all had their first.
	busyLanes, lanePosts = 30_000, 2
	// A hot lane has hotPosts messages, and coldLanes one each.
	hotPosts, coldLanes = 100_000, 1000
	laneLimit           = time.Second
	outboxWithin        = 60 * time.Second
)

// dispatchArg is the first argument of a process that only delivers; its
// databases and key follow in the environment.
const dispatchArg = "dispatch"

// instantSender stands for a platform that takes every message at once.
type instantSender struct{}

// Send sends nothing.
func (instantSender) Send(_ context.Context, d delivery.Delivery) delivery.Outcome {
	return delivery.Outcome{Delivery: d, State: delivery.StateSent, Pause: laneLimit}
}

// dispatch delivers until its input ends; every line of it is a nudge.
func dispatch(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	s := &stage{settings: settings{secretKey: os.Getenv("BENCH_KEY")}}
	store, err := s.openStore(ctx, os.Getenv("BENCH_DATABASE_URL"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	senders := map[delivery.Kind]delivery.Sender{delivery.KindPost: instantSender{}}
	d := delivery.NewDispatcher(store, wallClock{}, slog.New(slog.NewTextHandler(os.Stderr, nil)), senders, nil)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		d.Run(ctx)
		close(done)
	}()
	fmt.Fprintln(out, "ready")
	for lines := bufio.NewScanner(in); lines.Scan(); {
		d.Nudge()
	}
	cancel()
	<-done
	return nil
}

// dispatcher is a process that delivers.
type dispatcher struct {
	cmd   *exec.Cmd
	input io.WriteCloser
}

func (s *stage) startDispatcher(ctx context.Context) (*dispatcher, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, dispatchArg) //nolint:gosec // It is this program.
	cmd.Env = append(os.Environ(), "BENCH_DATABASE_URL="+s.world.copyOf(spareDatabase), "BENCH_KEY="+s.settings.secretKey)
	cmd.Stderr = s.logsOf()
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start dispatcher: %w", err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start dispatcher: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start dispatcher: %w", err)
	}
	d := &dispatcher{cmd, input}
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("start dispatcher: %w", err), d.stop())
	}
	return d, nil
}

func (d *dispatcher) stop() error { return errors.Join(d.input.Close(), d.cmd.Wait()) }

var busyRows = []string{
	`INSERT INTO lanes (lane, platform, tenant, next_at, active)
	SELECT 'slack:` + slackTenant + `:U' || g, 'slack', '` + slackTenant + `', 0, false FROM generate_series(1, {lanes}) g`,
	`INSERT INTO outbox (lane, kind, ref, delivery_key, state, available_at, created_at)
	SELECT 'slack:` + slackTenant + `:U' || g, 'post', 'p' || g || '-' || n, 'k' || g || '-' || n, 'ready', 0, 0
	FROM generate_series(1, {posts}) n, generate_series(1, {lanes}) g`,
	`VACUUM ANALYZE`,
}

// The hot lane comes first wherever something is taken in order.
var hotRows = []string{
	`INSERT INTO lanes (lane, platform, tenant, next_at, active)
	SELECT 'slack:` + slackTenant + `:U' || g, 'slack', '` + slackTenant + `', 0, false FROM generate_series(0, {cold}) g`,
	`INSERT INTO outbox (lane, kind, ref, delivery_key, state, available_at, created_at)
	SELECT 'slack:` + slackTenant + `:U0', 'post', 'hot' || n, 'hot' || n, 'ready', 0, 0 FROM generate_series(1, {hot}) n`,
	`INSERT INTO outbox (lane, kind, ref, delivery_key, state, available_at, created_at)
	SELECT 'slack:` + slackTenant + `:U' || g, 'post', 'cold' || g, 'cold' || g, 'ready', 0, 0 FROM generate_series(1, {cold}) g`,
	`VACUUM ANALYZE`,
}

// measureOutbox lets two processes deliver without any delay of the
// platform.
func measureOutbox(ctx context.Context, s *stage) error {
	var speed, cold []float64
	for range s.few() {
		took, used, err := s.deliver(ctx, replaced(busyRows, "{lanes}", fmt.Sprint(busyLanes), "{posts}", fmt.Sprint(lanePosts)), busyLanes*lanePosts)
		if err != nil {
			return err
		}
		rate := float64(busyLanes*lanePosts) / took.Seconds()
		took, _, err = s.deliver(ctx, replaced(hotRows, "{hot}", fmt.Sprint(hotPosts), "{cold}", fmt.Sprint(coldLanes)), coldLanes+1)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "delivered %.0f/s with %d processes, CPU each: app %v, database %v; %d cold lanes served behind a hot one in %.0f ms\n",
			rate, dispatchers, used.app, used.database, coldLanes, ms(took))
		speed, cold = append(speed, rate), append(cold, ms(took))
	}
	s.goals.atLeast("outbox with two processes, order and limits on, per second", median(speed), 15_000, "%.0f")
	s.goals.atMost("1,000 cold lanes behind a hot one with 100,000, all served, ms", median(cold), 1000, "%.0f")
	return nil
}

// deliver makes rows, lets them be delivered, and returns how long it took
// until so many messages were sent and every lane had its first.
func (s *stage) deliver(ctx context.Context, statements []string, want int) (took time.Duration, used usage, err error) {
	ctx, cancel := context.WithTimeout(ctx, outboxWithin)
	defer cancel()
	db, err := s.world.spare(ctx, s)
	if err != nil {
		return 0, used, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := execAll(ctx, db, statements...); err != nil {
		return 0, used, err
	}
	var running []*dispatcher
	defer func() {
		for _, d := range running {
			err = errors.Join(err, d.stop())
		}
	}()
	for range dispatchers {
		d, err := s.startDispatcher(ctx)
		if err != nil {
			return 0, used, err
		}
		running = append(running, d)
	}
	if err := execAll(ctx, db, `UPDATE lanes SET active = true`); err != nil {
		return 0, used, err
	}
	before, err := s.usageOf(running)
	if err != nil {
		return 0, used, err
	}
	began := time.Now()
	for _, d := range running {
		if _, err := io.WriteString(d.input, "\n"); err != nil {
			return 0, used, fmt.Errorf("nudge dispatcher: %w", err)
		}
	}
	// Counting costs the same database: for many it is asked less often.
	pause := max(20*time.Millisecond, time.Duration(want)*2*time.Microsecond)
	err = await(ctx, pause, func() (bool, error) {
		var n, waiting int
		err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM outbox WHERE done_at > 0), (SELECT count(*) FROM lanes
			WHERE active AND next_at = 0)`).Scan(&n, &waiting)
		if err != nil {
			return false, fmt.Errorf("count deliveries: %w", err)
		}
		return n >= want && waiting == 0, nil
	})
	if err != nil {
		return 0, used, err
	}
	took = time.Since(began)
	after, err := s.usageOf(running)
	used.app, used.database = after.each(before, want)
	return took, used, errors.Join(err, checkOutbox(ctx, db))
}

// usageOf is what the dispatchers and the database used.
func (s *stage) usageOf(running []*dispatcher) (all usage, err error) {
	for _, d := range running {
		t, err := timesOf(d.cmd.Process.Pid)
		if err != nil {
			return usage{}, err
		}
		all.app += t.own
	}
	all.database, err = family(s.world.pid)
	return all, err
}

// checkOutbox checks that nothing was sent twice, and nothing before what
// was queued in its lane before it or sooner after that than allowed.
func checkOutbox(ctx context.Context, db *sql.DB) error {
	var twice, wrong int
	err := db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM outbox WHERE attempts > 1),
		(SELECT count(*) FROM (SELECT done_at, first_try_at, lag(done_at, 1, 0::bigint) OVER w AS before, lag(id) OVER w AS other
			FROM outbox WINDOW w AS (PARTITION BY lane ORDER BY id)) o
			WHERE first_try_at > 0 AND other IS NOT NULL AND (before = 0 OR first_try_at < before + $1))`,
		laneLimit.Milliseconds()-50).Scan(&twice, &wrong)
	if err != nil {
		return fmt.Errorf("check deliveries: %w", err)
	}
	if twice+wrong > 0 {
		return fmt.Errorf("%d deliveries were sent twice, %d out of order or too soon", twice, wrong)
	}
	return nil
}
