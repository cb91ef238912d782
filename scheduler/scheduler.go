// Package scheduler says what runs when, and on which replica. Nothing
// depends on a tick for being right: a tick only makes the truth visible
// sooner.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"

	"github.com/laurelbot/laurel/core"
)

// Store remembers which replica runs which slot of a job, and how it went.
type Store interface {
	// ClaimSlot returns true for the first replica that asks for the slot.
	ClaimSlot(ctx context.Context, job string, slot int64) (bool, error)
	// SaveJobResult stores how the last run of a job went.
	SaveJobResult(ctx context.Context, job string, started time.Time, took time.Duration, outcome string) error
}

// Job is something to be done every so often by one of the replicas. Run is
// short, may be repeated without harm, and returns a word on what it did.
type Job struct {
	// Name is stable: replicas recognise a job by it.
	Name string
	// Every divides an hour or a day without remainder, so that the ticks of
	// all replicas fall into the same slots.
	Every time.Duration
	// Timeout bounds one run.
	Timeout time.Duration
	Run     func(ctx context.Context) (outcome string, err error)
}

// Outcomes that are stored of a run: what it did, OutcomeOK where it had
// nothing to tell, or OutcomeFailed followed by the cause.
const (
	OutcomeOK     = "ok"
	OutcomeFailed = "failed: "
)

// Scheduler runs jobs until it is stopped.
type Scheduler struct {
	store  Store
	clock  core.Clock
	log    *slog.Logger
	cron   gocron.Scheduler
	jobs   []Job
	ctx    context.Context //nolint:containedctx // The scheduler's own life: gocron offers tasks no other.
	cancel context.CancelFunc
}

// errClaimed says that another replica runs this slot: no reason to worry.
var errClaimed = errors.New("slot runs elsewhere")

// stopWithin is how long a run may go on after the scheduler is to stop.
const stopWithin = 5 * time.Second

// New prepares the jobs; Start lets them run.
func New(store Store, clock core.Clock, log *slog.Logger, jobs []Job) (*Scheduler, error) {
	cron, err := gocron.NewScheduler(
		gocron.WithLocation(time.UTC),
		gocron.WithStopTimeout(stopWithin),
		gocron.WithLogger(quiet{}),
	)
	if err != nil {
		return nil, fmt.Errorf("make scheduler: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Scheduler{store: store, clock: clock, log: log, cron: cron, jobs: jobs, ctx: ctx, cancel: cancel}
	for _, job := range jobs {
		if err := s.add(job); err != nil {
			cancel()
			return nil, errors.Join(fmt.Errorf("schedule %s: %w", job.Name, err), cron.Shutdown())
		}
	}
	return s, nil
}

// add is the one way to a scheduled job, so that each has a stable name, its
// own lock, and a net under a panic.
func (s *Scheduler) add(job Job) error {
	_, err := s.cron.NewJob(
		gocron.DurationJob(job.Every),
		gocron.NewTask(func() { s.run(s.ctx, job) }),
		gocron.WithName(job.Name),
		gocron.WithStartAt(gocron.WithStartDateTimePast(s.boundary(job.Every))),
		gocron.WithSingletonMode(gocron.LimitModeReschedule),
		gocron.WithDistributedJobLocker(slotLocker{store: s.store, clock: s.clock, period: job.Every}),
		gocron.WithEventListeners(
			gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, name string, p any) {
				s.log.Error("panic in job", "job", name, "panic", fmt.Sprint(p))
			}),
			gocron.AfterLockError(func(_ uuid.UUID, name string, err error) {
				if !errors.Is(err, errClaimed) {
					s.log.Warn("claim slot of job", "job", name, "err", err)
				}
			}),
		),
	)
	return err
}

// boundary returns the machine's time at which the shared clock next passes a
// multiple of the period. Ticks that begin there lie in the middle of their
// slots: replicas that are a little apart agree on the slot, and none jitters
// across the border of two.
func (s *Scheduler) boundary(period time.Duration) time.Time {
	if period <= 0 {
		return time.Now()
	}
	now := s.clock.Now()
	return time.Now().Add(now.Truncate(period).Add(period).Sub(now))
}

// Start begins to tick.
func (s *Scheduler) Start() { s.cron.Start() }

// Stop ends ticking and waits, within limits, for what runs.
func (s *Scheduler) Stop() error {
	s.cancel()
	if err := s.cron.Shutdown(); err != nil {
		return fmt.Errorf("stop scheduler: %w", err)
	}
	return nil
}

// RunAll runs every job once, now and one after the other, whatever the
// slots say: for the moment after the clock was moved.
func (s *Scheduler) RunAll(ctx context.Context) {
	for _, job := range s.jobs {
		s.run(ctx, job)
	}
}

// run makes one run of a job and stores how it went. A panic is an outcome.
func (s *Scheduler) run(ctx context.Context, job Job) {
	started, begin := s.clock.Now(), time.Now()
	outcome, err := s.guarded(ctx, job)
	took := time.Since(begin)
	if err != nil {
		s.log.WarnContext(ctx, "job failed", "job", job.Name, "took", took, "err", err)
		outcome = OutcomeFailed + err.Error()
	}
	if outcome == "" {
		outcome = OutcomeOK
	}
	// Storing the outcome may outlive the run: the job's time may be up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if err := s.store.SaveJobResult(ctx, job.Name, started, took, outcome); err != nil {
		s.log.WarnContext(ctx, "store job result", "job", job.Name, "err", err)
	}
}

func (s *Scheduler) guarded(ctx context.Context, job Job) (outcome string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	return job.Run(ctx)
}
