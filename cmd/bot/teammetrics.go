package main

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// teamEvents are what happens to celebrations, digests and calls, by the kinds
// under which the audit notes it: those of a topic stand behind its point.
func teamEvents() map[string][]string {
	return map[string][]string{
		"celebration": {"asked", "share", "later", "never", "back", "shown", "taken_back"},
		"digest":      {"added", "removed", "issued", "asked"},
		"call":        {"made", "posted", "changed", "ended"},
	}
}

// countTeamEvents counts them; the function that it returns is told of each
// note in the audit.
func countTeamEvents(r prometheus.Registerer) func(kind string) {
	counters := map[string]*prometheus.CounterVec{
		"celebration": prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_celebrations_total", Help: "Badges that somebody was asked about, that were shown or taken back, and decisions about them.",
		}, []string{"event"}),
		"digest": prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_digests_total", Help: "Digests that were issued, by time or because somebody asked, and that began or ended to be.",
		}, []string{"event"}),
		"call": prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "laurel_calls_total", Help: "Calls that were made, posted when their time came, changed, or ended.",
		}, []string{"event"}),
	}
	for topic, events := range teamEvents() {
		r.MustRegister(counters[topic])
		for _, event := range events {
			counters[topic].WithLabelValues(event)
		}
	}
	return func(kind string) {
		topic, event, _ := strings.Cut(kind, ".")
		if c := counters[topic]; c != nil {
			c.WithLabelValues(event).Inc()
		}
	}
}
