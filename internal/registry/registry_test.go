package registry_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/internal/registry"
)

func counter(name string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: "Made up."}, labels)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	first, second, other := counter("a_total", "kind"), counter("a_total", "kind"), counter("a_total", "reason")
	for _, c := range []**prometheus.CounterVec{&first, &second} {
		if err := registry.Register(reg, c); err != nil {
			t.Fatal(err)
		}
	}
	first.WithLabelValues("x").Inc()
	second.WithLabelValues("x").Inc()
	families, err := reg.Gather()
	if err != nil || len(families) != 1 || families[0].GetMetric()[0].GetCounter().GetValue() != 2 {
		t.Errorf("counted %v, %v; want 2 of both", families, err)
	}
	if err := registry.Register(reg, &other); err == nil {
		t.Error("two of one name with other labels were taken")
	}
	if err := registry.Register(nil, &other); err != nil {
		t.Errorf("without a registerer: %v", err)
	}
}
