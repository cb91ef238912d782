package credly

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
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
	var err [3]error
	m.requests, err[0] = register(reg, m.requests)
	m.seconds, err[1] = register(reg, m.seconds)
	m.unknownEvents, err[2] = register(reg, m.unknownEvents)
	if e := errors.Join(err[:]...); e != nil {
		return nil, e
	}
	return m, nil
}

// register adds c to reg, or returns the one that is there already.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) (C, error) {
	if reg == nil {
		return c, nil
	}
	err := reg.Register(c)
	var known prometheus.AlreadyRegisteredError
	if errors.As(err, &known) {
		if same, ok := known.ExistingCollector.(C); ok {
			return same, nil
		}
	}
	if err != nil {
		return c, fmt.Errorf("register metric: %w", err)
	}
	return c, nil
}
