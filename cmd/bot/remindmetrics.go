package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// remindMetrics count what becomes of those who may have to be reminded.
type remindMetrics struct {
	looked, due, queued, steps, bundled prometheus.Counter
	skipped, dropped                    *prometheus.CounterVec
	late                                prometheus.Histogram
}

func newRemindMetrics(r prometheus.Registerer) *remindMetrics {
	m := &remindMetrics{
		looked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminders_looked_total", Help: "People looked at for reminders.",
		}),
		due: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminders_due_total", Help: "People with something due when they were looked at: they were reminded, or skipped.",
		}),
		queued: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminders_total", Help: "Reminders queued, one message each.",
		}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminder_steps_total", Help: "Steps of policies that the queued reminders are about.",
		}),
		bundled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminder_steps_bundled_total", Help: "Steps that came along in the message of another one.",
		}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_reminders_skipped_total", Help: "People with something due and no reminder, by reason.",
		}, []string{"reason"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_reminders_unsent_total", Help: "Queued reminders that were not sent, because their reason had gone by then.",
		}, []string{"reason"}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "laurel_reminders_late_seconds", Help: "How late the first of those due at once were looked at.",
			Buckets: []float64{10, 30, 60, 120, 300, 900, 3600, 6 * 3600, 24 * 3600},
		}),
	}
	r.MustRegister(m.looked, m.due, m.queued, m.steps, m.bundled, m.skipped, m.dropped, m.late)
	for _, reason := range core.SkipReasons() {
		m.skipped.WithLabelValues(reason)
	}
	for _, reason := range chat.UnsentReasons() {
		m.dropped.WithLabelValues(reason)
	}
	return m
}

// unsent counts a reminder that was queued and is not sent.
func (m *remindMetrics) unsent(reason string) { m.dropped.WithLabelValues(reason).Inc() }

func (m *remindMetrics) planned(n core.RemindCounts) {
	m.looked.Add(float64(n.Looked))
	due := n.Reminders
	for reason, count := range n.Skipped {
		m.skipped.WithLabelValues(reason).Add(float64(count))
		due += count
	}
	m.due.Add(float64(due))
	m.queued.Add(float64(n.Reminders))
	m.steps.Add(float64(n.Steps))
	m.bundled.Add(float64(n.Steps - n.Reminders))
	if n.Looked > 0 {
		m.late.Observe(n.Late.Seconds())
	}
}
