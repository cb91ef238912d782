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

// spread describes values by their median and range.
func spread(values []float64, format string) string {
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(values), slices.Min(values), slices.Max(values))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (r round) print(out io.Writer, i int) {
	fmt.Fprintf(out, "round %d: pgbench %.0f/s, database %.2f ms each\n", i+1, r.pgbench, ms(r.bare))
	for _, p := range r.platforms() {
		fmt.Fprintf(out, "  %-8s %.0f/s acknowledged (%.2f of pgbench), %.0f/s shown (%.2f); p50 %.1f ms, p99 %.1f ms; CPU per claim: bot %.2f ms, database %.2f ms\n",
			p.name, p.claims, p.claims/r.pgbench, p.shown, p.shown/r.pgbench, ms(p.p50), ms(p.p99), ms(p.app), ms(p.database))
	}
}

type named struct {
	name string
	slice
}

// platforms returns what was measured, by name.
func (r round) platforms() []named {
	all := []named{{"Slack", r.slack}}
	if r.discord.claims > 0 {
		all = append(all, named{"Discord", r.discord})
	}
	return all
}

// summary prints medians and ranges over all rounds, ratios first.
func summary(out io.Writer, rounds []round, t trips, rss resident) {
	each := func(platform int, f func(round, slice) float64) (values []float64) {
		for _, r := range rounds {
			values = append(values, f(r, r.platforms()[platform].slice))
		}
		return values
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nmedian (range) over %d rounds", len(rounds))
	platforms := rounds[0].platforms()
	for _, p := range platforms {
		fmt.Fprintf(w, "\t%s", p.name)
	}
	fmt.Fprintln(w)
	for _, line := range []struct {
		name, format string
		value        func(round, slice) float64
	}{
		{"acknowledged, of pgbench", "%.2f", func(r round, s slice) float64 { return s.claims / r.pgbench }},
		{"shown, of pgbench", "%.2f", func(r round, s slice) float64 { return s.shown / r.pgbench }},
		{"bot's CPU, of the bare statement's", "%.2f", func(r round, s slice) float64 { return float64(s.app) / float64(r.bare) }},
		{"database's CPU, of the bare statement's", "%.2f", func(r round, s slice) float64 { return float64(s.database) / float64(r.bare) }},
		{"acknowledged per second, here", "%.0f", func(_ round, s slice) float64 { return s.claims }},
		{"shown per second, here", "%.0f", func(_ round, s slice) float64 { return s.shown }},
		{"p50 in ms, here", "%.1f", func(_ round, s slice) float64 { return ms(s.p50) }},
		{"p99 in ms, here", "%.1f", func(_ round, s slice) float64 { return ms(s.p99) }},
		{"bot's CPU per claim in ms, here", "%.2f", func(_ round, s slice) float64 { return ms(s.app) }},
	} {
		fmt.Fprint(w, line.name)
		for i := range platforms {
			fmt.Fprintf(w, "\t%s", spread(each(i, line.value), line.format))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // A terminal that is gone needs no figures.
	fmt.Fprintf(out, "round trips of one claim: %.0f until acknowledged, %.0f until shown and stored\n", t.claim, t.shown)
	fmt.Fprintf(out, "memory of the bot: %.0f MB, at most %.0f MB\n", rss.now, rss.most)
}
