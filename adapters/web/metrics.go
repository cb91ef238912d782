package web

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// newMetrics returns the counter of requests, registered where reg is not
// nil. A counter that an earlier instance left is used on.
func newMetrics(reg prometheus.Registerer) (*prometheus.CounterVec, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_web_requests_total",
		Help: "Requests for pages, by page and status.",
	}, []string{"page", "status"})
	if reg == nil {
		return requests, nil
	}
	err := reg.Register(requests)
	var known prometheus.AlreadyRegisteredError
	if errors.As(err, &known) {
		if old, ok := known.ExistingCollector.(*prometheus.CounterVec); ok {
			return old, nil
		}
	}
	return requests, err
}
