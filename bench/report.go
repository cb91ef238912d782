package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"
)

// median returns the middle of values, or the middle between the two middle
// ones; 0 for none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// quantile returns the smallest value that a part q of all does not exceed.
func quantile(values []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// spread describes values by their median and range; zeros are what was not
// measured.
func spread(values []float64, format string) string {
	if len(values) == 0 || slices.Max(values) == 0 {
		return "-"
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(values), slices.Min(values), slices.Max(values))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r round) print(out io.Writer, i int) {
	fmt.Fprintf(out, "round %d: pgbench %.0f/s, database %.2f ms each\n", i+1, r.pgbench, ms(r.bare))
	for _, p := range r.slices() {
		fmt.Fprintf(out, "  %-14s %.0f/s acknowledged (%.2f of pgbench)", p.name, p.claims, p.claims/r.pgbench)
		if p.shown > 0 {
			fmt.Fprintf(out, ", %.0f/s shown (%.2f)", p.shown, p.shown/r.pgbench)
		}
		fmt.Fprintf(out, "; p50 %.1f ms, p99 %.1f ms; CPU per claim: app %.2f ms, database %.2f ms\n",
			ms(p.p50), ms(p.p99), ms(p.app), ms(p.database))
	}
}

type named struct {
	name string
	slice
}

// slices returns what was measured, by name.
func (r round) slices() []named {
	var all []named
	for _, one := range []named{
		{"Slack", r.slack}, {"Slack alone", r.slackAlone}, {"Discord", r.discord}, {"Discord alone", r.discordAlone}, {"peer", r.peer},
	} {
		if one.claims > 0 {
			all = append(all, one)
		}
	}
	return all
}

// summary prints medians and ranges over all rounds, ratios first.
func summary(out io.Writer, rounds []round) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nmedian (range) over %d rounds", len(rounds))
	columns := rounds[0].slices()
	for _, p := range columns {
		fmt.Fprintf(w, "\t%s", p.name)
	}
	fmt.Fprintln(w)
	for _, line := range []struct {
		name, format string
		value        func(round, slice) float64
	}{
		{"acknowledged, of pgbench", "%.2f", func(r round, s slice) float64 { return s.claims / r.pgbench }},
		{"shown, of pgbench", "%.2f", func(r round, s slice) float64 { return s.shown / r.pgbench }},
		{"app's CPU, of the bare statement's", "%.2f", func(r round, s slice) float64 { return float64(s.app) / float64(r.bare) }},
		{"database's CPU, of the bare statement's", "%.2f", func(r round, s slice) float64 { return float64(s.database) / float64(r.bare) }},
		{"acknowledged per second, here", "%.0f", func(_ round, s slice) float64 { return s.claims }},
		{"shown per second, here", "%.0f", func(_ round, s slice) float64 { return s.shown }},
		{"p50 in ms, here", "%.1f", func(_ round, s slice) float64 { return ms(s.p50) }},
		{"p99 in ms, here", "%.1f", func(_ round, s slice) float64 { return ms(s.p99) }},
		{"app's CPU per claim in ms, here", "%.2f", func(_ round, s slice) float64 { return ms(s.app) }},
	} {
		fmt.Fprint(w, line.name)
		for i := range columns {
			values := make([]float64, 0, len(rounds))
			for _, r := range rounds {
				values = append(values, line.value(r, r.slices()[i].slice))
			}
			fmt.Fprintf(w, "\t%s", spread(values, line.format))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // A terminal that is gone needs no figures.
}
