package slack

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/internal/registry"
)

// Kinds of requests, as they are counted.
const (
	kindCommand     = "command"
	kindInteraction = "interaction"
	kindPress       = "press"
	kindSubmit      = "submit"
	kindEvent       = "event"
	// kindEnvelope is what came by Socket Mode and could not be told apart.
	kindEnvelope = "envelope"
)

type metrics struct {
	requests *prometheus.CounterVec
	retries  prometheus.Counter
	lost     prometheus.Counter
	ack      *prometheus.HistogramVec
	// What follows is about Socket Mode.
	connections prometheus.Gauge
	connects    *prometheus.CounterVec
	disconnects *prometheus.CounterVec
}

// newMetrics registers the metrics at r.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_slack_requests_total",
			Help: "Requests of Slack by kind and outcome.",
		}, []string{"kind", "outcome"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_slack_retried_requests_total",
			Help: "Requests that Slack marked as repeated.",
		}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_slack_lost_answers_total",
			Help: "Answers to interactions that could not be shown.",
		}),
		ack: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "laurel_slack_ack_seconds",
			Help:    "Time until a request of Slack was acknowledged. Slack waits three seconds.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 2.5, 3},
		}, []string{"kind"}),
	}
	m.connections = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "laurel_slack_socket_connections",
		Help: "Open Socket Mode connections of this process. Slack allows ten per app.",
	})
	m.connects = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_slack_socket_connects_total",
		Help: "Attempts to open a Socket Mode connection by reason of their result.",
	}, []string{"reason"})
	m.disconnects = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_slack_socket_disconnects_total",
		Help: "Socket Mode connections that ended by reason.",
	}, []string{"reason"})
	err := errors.Join(
		registry.Register(r, &m.requests),
		registry.Register(r, &m.retries),
		registry.Register(r, &m.lost),
		registry.Register(r, &m.ack),
		registry.Register(r, &m.connections),
		registry.Register(r, &m.connects),
		registry.Register(r, &m.disconnects),
	)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return m, nil
}
