package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/scheduler"
)

// storeMetrics shows how the store stands at the moment somebody asks.
type storeMetrics struct{ a *app }

var _ prometheus.Collector = storeMetrics{}

func deliveriesDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_deliveries", "Deliveries that are not done, and dead ones that are kept, by state.", []string{"state"}, nil)
}

func oldestDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_delivery_oldest_ready_seconds", "How long the oldest ready delivery has waited.", nil, nil)
}

func inboxDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_inbox_items", "Inbox items that are not done, by state.", []string{"state"}, nil)
}

func badgesDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_badges", "Badges by stage.", []string{"stage"}, nil)
}

func membersDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_members", "People who linked an account.", nil, nil)
}

func jobSecondsDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_job_last_duration_seconds", "How long the last run of a job took.", []string{"job"}, nil)
}

func jobAgeDesc() *prometheus.Desc {
	return prometheus.NewDesc("laurel_job_last_run_age_seconds", "How long ago the last run of a job began.", []string{"job", "outcome"}, nil)
}

// Describe tells what Collect will give.
func (storeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		deliveriesDesc(), oldestDesc(), inboxDesc(), badgesDesc(), membersDesc(), jobSecondsDesc(), jobAgeDesc(),
	} {
		ch <- d
	}
}

// Collect reads the store. Where it does not answer in time the figures are
// missing, which is what there is to say.
func (m storeMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx := context.Background()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now := m.a.clock.Now()
	stats, jobs, err := m.read(ctx)
	if err != nil {
		m.a.log.WarnContext(ctx, "read figures of the store", "err", err)
		return
	}
	for state, n := range stats.Deliveries {
		gauge(deliveriesDesc(), float64(n), string(state))
	}
	for state, n := range stats.Inbox {
		gauge(inboxDesc(), float64(n), state)
	}
	for stage, n := range stats.Badges {
		gauge(badgesDesc(), float64(n), string(stage))
	}
	gauge(membersDesc(), float64(stats.Members))
	oldest := time.Duration(0)
	if !stats.OldestReady.IsZero() {
		oldest = max(0, now.Sub(stats.OldestReady))
	}
	gauge(oldestDesc(), oldest.Seconds())
	for _, j := range jobs {
		outcome := "ok"
		if strings.HasPrefix(j.Outcome, scheduler.OutcomeFailed) {
			outcome = "failed"
		}
		gauge(jobSecondsDesc(), j.Took.Seconds(), j.Job)
		gauge(jobAgeDesc(), max(0, now.Sub(j.Started)).Seconds(), j.Job, outcome)
	}
}

type figures struct {
	stats sqlstore.Stats
	jobs  []sqlstore.JobResult
}

// read reads everything that is shown. An answer that comes too late is
// nobody's any more.
func (m storeMetrics) read(ctx context.Context) (sqlstore.Stats, []sqlstore.JobResult, error) {
	found := make(chan figures, 1)
	err := soon(ctx, func(ctx context.Context) error {
		stats, err := m.a.db.Stats(ctx)
		if err != nil {
			return fmt.Errorf("read statistics: %w", err)
		}
		jobs, err := m.a.db.JobResults(ctx)
		if err != nil {
			return fmt.Errorf("read job results: %w", err)
		}
		found <- figures{stats, jobs}
		return nil
	})
	if err != nil {
		return sqlstore.Stats{}, nil, err
	}
	f := <-found
	return f.stats, f.jobs, nil
}
