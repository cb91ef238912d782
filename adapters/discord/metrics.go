package discord

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/internal/registry"
)

type metrics struct {
	interactions *prometheus.CounterVec
	refused      *prometheus.CounterVec
	ack          *prometheus.HistogramVec
	calls        *prometheus.CounterVec
	invalid      *prometheus.CounterVec
	expired      prometheus.Counter
	identifies   prometheus.Counter
	connections  *prometheus.CounterVec
	leading      prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		interactions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_discord_interactions_total",
			Help: "Interactions by kind and how they were answered.",
		}, []string{"kind", "outcome"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_discord_refused_total",
			Help: "Requests that were refused, by reason.",
		}, []string{"reason"}),
		ack: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "laurel_discord_ack_seconds",
			Help:    "Time until an interaction was acknowledged; Discord gives three seconds.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 1.5, 2, 2.5, 3},
		}, []string{"kind"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_discord_calls_total",
			Help: "Calls of the REST API by kind and outcome.",
		}, []string{"kind", "outcome"}),
		invalid: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_discord_invalid_requests_total",
			Help: "Calls answered with 401, 403 or 429: 10,000 within ten minutes lead to a ban.",
		}, []string{"status"}),
		expired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_discord_expired_interactions_total",
			Help: "Interactions that Discord had given up before they were acknowledged.",
		}),
		identifies: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "laurel_discord_gateway_identifies_total",
			Help: "Sessions asked for at the gateway: after 1,000 within a day Discord resets the token.",
		}),
		connections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_discord_gateway_connections_total",
			Help: "Connections to the gateway that ended, by what ended them.",
		}, []string{"end"}),
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "laurel_discord_gateway_shards",
			Help: "Shards of the gateway that this replica leads.",
		}),
	}
	return m, errors.Join(
		registry.Register(reg, &m.interactions), registry.Register(reg, &m.refused), registry.Register(reg, &m.ack),
		registry.Register(reg, &m.calls), registry.Register(reg, &m.invalid),
		registry.Register(reg, &m.expired), registry.Register(reg, &m.identifies), registry.Register(reg, &m.connections), registry.Register(reg, &m.leading),
	)
}

func (m *metrics) acknowledged(kind, outcome string, took time.Duration) {
	m.interactions.WithLabelValues(kind, outcome).Inc()
	m.ack.WithLabelValues(kind).Observe(took.Seconds())
}

// answered counts a call's status for the invalid request budget
// (https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
func (m *metrics) answered(status int) {
	if status == 401 || status == 403 || status == 429 {
		m.invalid.WithLabelValues(strconv.Itoa(status)).Inc()
	}
}
