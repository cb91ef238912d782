package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/laurelbot/laurel/core/delivery"
)

// readyWithin is how long the database may take to answer before this
// replica counts as not ready.
const readyWithin = time.Second

func (a *app) healthRoutes() {
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeLine(w, http.StatusOK, "ok")
	})
	a.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.draining.Load():
			writeLine(w, http.StatusServiceUnavailable, "stopping")
		case soon(r.Context(), a.db.Ping) != nil:
			writeLine(w, http.StatusServiceUnavailable, "database does not answer")
		default:
			if err := a.connected(); err != nil {
				writeLine(w, http.StatusServiceUnavailable, err.Error())
				return
			}
			writeLine(w, http.StatusOK, "ready")
		}
	})
	a.metrics.MustRegister(storeMetrics{a})
	a.mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}))
}

// soon asks the store for something and gives up after readyWithin, also
// where a silent connection keeps the driver from heeding its context.
func soon(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	answered := make(chan error, 1)
	go func() {
		defer cancel()
		answered <- ask(ctx)
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		select {
		case err := <-answered:
			return err
		default:
			return ctx.Err()
		}
	}
}

func writeLine(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(line + "\n"))
}

// deliveryMetrics counts attempts and how long they took.
func (a *app) deliveryMetrics() delivery.Observer {
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_delivery_attempts_total", Help: "Attempts at deliveries by kind and what became of them.",
	}, []string{"kind", "state"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "laurel_delivery_attempt_seconds", Help: "How long attempts at deliveries took.",
		Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 10),
	}, []string{"kind"})
	a.metrics.MustRegister(attempts, seconds)
	return func(d delivery.Delivery, o delivery.Outcome, took time.Duration) {
		attempts.WithLabelValues(string(d.Kind), string(o.State)).Inc()
		seconds.WithLabelValues(string(d.Kind)).Observe(took.Seconds())
	}
}
