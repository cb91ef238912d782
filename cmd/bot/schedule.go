package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
)

type scheduleCmd struct {
	JSON bool `help:"Print one JSON object per line." name:"json"`
}

// scheduled is a job with its runs. Last is zero for one that never ran.
type scheduled struct {
	Job     string        `json:"job"`
	Every   time.Duration `json:"every_ns"`
	Next    time.Time     `json:"next"`
	Last    time.Time     `json:"last,omitzero"`
	Took    time.Duration `json:"took_ns"`
	Outcome string        `json:"outcome,omitempty"`
}

// Run lists every job with its next and its last run. All replicas of one
// database share these, whichever of them runs a job.
func (c *scheduleCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	return withStore(ctx, s, t, func(store *sqlstore.DB, now time.Time) error {
		results, err := store.JobResults(ctx)
		if err != nil {
			return fmt.Errorf("read job results: %w", err)
		}
		return c.print(t, schedule(results, now))
	})
}

func (c *scheduleCmd) print(t *terminal, jobs []scheduled) error {
	if c.JSON {
		out := json.NewEncoder(t.out)
		for _, j := range jobs {
			if err := out.Encode(j); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tEVERY\tNEXT\tLAST\tTOOK\tOUTCOME")
	for _, j := range jobs {
		last, took := "never", ""
		if !j.Last.IsZero() {
			last, took = j.Last.UTC().Format(time.RFC3339), tookText(j.Took)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", j.Job, j.Every, j.Next.UTC().Format(time.RFC3339), last, took, printable(j.Outcome))
	}
	return table.Flush()
}

// tookText says how long a run took, which is kept in milliseconds.
func tookText(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	return d.String()
}

// schedule joins what is to run with what ran.
func schedule(results []sqlstore.JobResult, now time.Time) []scheduled {
	last := make(map[string]sqlstore.JobResult, len(results))
	for _, r := range results {
		last[r.Job] = r
	}
	var out []scheduled
	for _, j := range (&app{}).jobs() {
		r := last[j.Name]
		out = append(out, scheduled{
			Job: j.Name, Every: j.Every, Next: now.Truncate(j.Every).Add(j.Every),
			Last: r.Started, Took: r.Took, Outcome: r.Outcome,
		})
	}
	return out
}
