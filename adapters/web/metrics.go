package web

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/internal/registry"
)

// newMetrics returns the counter of requests.
func newMetrics(reg prometheus.Registerer) (*prometheus.CounterVec, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_web_requests_total",
		Help: "Requests for pages, by page and status.",
	}, []string{"page", "status"})
	err := registry.Register(reg, &requests)
	return requests, err
}
