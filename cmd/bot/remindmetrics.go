package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
)

// remindMetrics count what becomes of those who may have to be reminded.
type remindMetrics struct {
	looked, sent, steps prometheus.Counter
	skipped             *prometheus.CounterVec
	late                prometheus.Histogram
}

func newRemindMetrics(r prometheus.Registerer) *remindMetrics {
	m := &remindMetrics{
		looked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminders_looked_total", Help: "People looked at for reminders.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminders_total", Help: "Reminders queued, one message each.",
		}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_reminder_steps_total", Help: "Steps of policies that the queued reminders are about.",
		}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_reminders_skipped_total", Help: "People with something due and no reminder, by reason.",
		}, []string{"reason"}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "laurel_reminders_late_seconds", Help: "How late the first of those due at once were looked at.",
			Buckets: []float64{10, 30, 60, 120, 300, 900, 3600, 6 * 3600, 24 * 3600},
		}),
	}
	r.MustRegister(m.looked, m.sent, m.steps, m.skipped, m.late)
	return m
}

func (m *remindMetrics) planned(n core.RemindCounts) {
	m.looked.Add(float64(n.Looked))
	m.sent.Add(float64(n.Reminders))
	m.steps.Add(float64(n.Steps))
	for reason, count := range n.Skipped {
		m.skipped.WithLabelValues(reason).Add(float64(count))
	}
	if n.Looked > 0 {
		m.late.Observe(n.Late.Seconds())
	}
}
