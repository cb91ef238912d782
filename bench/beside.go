package main

import (
	"context"
	"fmt"
)

// measureBeside compares two builds of the bot, each started anew for every
// slice: an idea is measured by what it changes within a round.
func measureBeside(ctx context.Context, s *stage) error {
	builds := []string{s.binary, s.options.beside}
	kinds := []struct {
		name  string
		press func(context.Context, *stage) (slice, error)
	}{
		{"Slack", func(ctx context.Context, s *stage) (slice, error) { return s.press(ctx, s.slack()) }},
		{"Slack alone", func(ctx context.Context, s *stage) (slice, error) { return s.pressAlone(ctx, s.slack()) }},
	}
	ratios := map[string][]float64{}
	for i := range s.rounds {
		for _, kind := range kinds {
			var got [2]slice
			step := func(n int) func() error {
				return func() error {
					return s.withBot(ctx, builds[n], s.world.dsn, func() (err error) {
						got[n], err = kind.press(ctx, s)
						return err
					})
				}
			}
			if err := interleaved(i, step(0), step(1)); err != nil {
				return err
			}
			a, b := got[0], got[1]
			add := func(what string, ratio float64) {
				ratios[kind.name+what] = append(ratios[kind.name+what], ratio)
			}
			add(" acknowledged", a.claims/b.claims)
			add(" app's CPU", float64(a.app)/float64(b.app))
			add(" database's CPU", float64(a.database)/float64(b.database))
			if b.shown > 0 {
				add(" shown", a.shown/b.shown)
			}
			fmt.Fprintf(s.out, "%s: acknowledged %.0f and %.0f/s, app %.2f and %.2f ms, database %.2f and %.2f ms\n",
				kind.name, a.claims, b.claims, ms(a.app), ms(b.app), ms(a.database), ms(b.database))
		}
	}
	for _, kind := range kinds {
		for _, what := range []string{" acknowledged", " shown", " app's CPU", " database's CPU"} {
			if values := ratios[kind.name+what]; len(values) > 0 {
				fmt.Fprintf(s.out, "%s, of the other build's: %s\n", kind.name+what, spread(values, "%.2f"))
			}
		}
	}
	return nil
}
