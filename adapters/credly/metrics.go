package credly

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/internal/registry"
)

type metrics struct {
	requests      *prometheus.CounterVec
	seconds       *prometheus.HistogramVec
	unknownEvents prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_credly_requests_total",
			Help: "Requests to Credly by operation and outcome.",
		}, []string{"operation", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "laurel_credly_request_seconds",
			Help:    "Time that requests to Credly took, without waiting for their turn.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2, 4, 8, 16},
		}, []string{"operation"}),
		unknownEvents: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_credly_unknown_events_total",
			Help: "Events of Credly whose type is not known here.",
		}),
	}
	return m, errors.Join(
		registry.Register(reg, &m.requests), registry.Register(reg, &m.seconds), registry.Register(reg, &m.unknownEvents),
	)
}
