package sqlstore

import (
	"context"
	"time"
)

// slotAhead is by how much a slot has to lie ahead to be of a time before the
// shared clock was put back, as it may be when another server takes over.
const slotAhead = time.Minute

// ClaimSlot returns true for the one caller of all replicas that may run the
// job in this slot. Slots are Unix times in milliseconds; nobody frees one,
// but those of before the clock was put back count no more: otherwise nothing
// would be run until it comes there again.
func (d *DB) ClaimSlot(ctx context.Context, job string, slot int64) (bool, error) {
	const claim = `INSERT INTO job_runs (job, slot) VALUES (?, ?) ON CONFLICT DO NOTHING`
	n, err := d.run().exec(ctx, claim, job, slot)
	if err != nil || n == 1 {
		return n == 1, err
	}
	n, err = d.run().exec(ctx, `DELETE FROM job_runs WHERE job = ? AND slot >= ? AND EXISTS (
		SELECT 1 FROM job_runs f WHERE f.job = ? AND f.slot > ?)`, job, slot, job, slot+slotAhead.Milliseconds())
	if err != nil || n == 0 {
		return false, err
	}
	n, err = d.run().exec(ctx, claim, job, slot)
	return n == 1, err
}

// JobResult is how a job last went.
type JobResult struct {
	Job     string
	Started time.Time
	Took    time.Duration
	// Outcome is "ok" or what went wrong: no personal data.
	Outcome string
}

// SaveJobResult keeps how a job went, unless a later run is known.
func (d *DB) SaveJobResult(ctx context.Context, job string, started time.Time, took time.Duration, outcome string) error {
	_, err := d.run().exec(ctx, `INSERT INTO job_results (job, started_at, duration_ms, outcome) VALUES (?, ?, ?, ?)
		ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at, duration_ms = excluded.duration_ms,
			outcome = excluded.outcome
		WHERE job_results.started_at <= excluded.started_at`, job, ms(started), took.Milliseconds(), clean(outcome))
	return err
}

// JobResults returns the last result of every job, by name.
func (d *DB) JobResults(ctx context.Context) ([]JobResult, error) {
	var found []struct {
		Job      string `db:"job"`
		Started  int64  `db:"started_at"`
		Duration int64  `db:"duration_ms"`
		Outcome  string `db:"outcome"`
	}
	err := d.run().all(ctx, &found, `SELECT job, started_at, duration_ms, outcome FROM job_results ORDER BY job`)
	out := make([]JobResult, 0, len(found))
	for _, row := range found {
		out = append(out, JobResult{
			Job: row.Job, Started: at(row.Started), Took: time.Duration(row.Duration) * time.Millisecond,
			Outcome: row.Outcome,
		})
	}
	return out, err
}
