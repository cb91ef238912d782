package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// goal is one line of the table at the end.
type goal struct {
	work, figure, want string
	// judged says that there is something to reach, met that it was.
	judged, met bool
}

// goals are what was measured, in order.
type goals struct{ all []goal }

// atLeast adds a figure that is to reach a value.
func (g *goals) atLeast(work string, got, want float64, format string) {
	g.add(goal{work, fmt.Sprintf(format, got), "≥ " + fmt.Sprintf(format, want), true, got >= want})
}

// atMost adds a figure that is not to exceed a value.
func (g *goals) atMost(work string, got, want float64, format string) {
	g.add(goal{work, fmt.Sprintf(format, got), "≤ " + fmt.Sprintf(format, want), true, got <= want})
}

// told adds a figure without a goal.
func (g *goals) told(work, figure string) { g.add(goal{work: work, figure: figure}) }

func (g *goals) add(one goal) { g.all = append(g.all, one) }

// missed returns how many were not reached.
func (g *goals) missed() (n int) {
	for _, one := range g.all {
		if one.judged && !one.met {
			n++
		}
	}
	return n
}

func (g *goals) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nwork\tfigure\tgoal\tmet")
	for _, one := range g.all {
		met := ""
		switch {
		case one.met:
			met = "yes"
		case one.judged:
			met = "no"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", one.work, one.figure, one.want, met)
	}
	_ = w.Flush() // A terminal that is gone needs no figures.
}
