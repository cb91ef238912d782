package chattest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// quiet is how long nothing may happen before a test believes that nothing
// more will, when the bot cannot say so itself.
const quiet = 50 * time.Millisecond

// Leftovers waits until the bot has settled and lists what no expectation met,
// as look finds it. Without a way to settle it watches for a while whether
// anything comes. The error of a settling that does not end is a leftover, too.
func (w Waiter) Leftovers(ctx context.Context, settle func(context.Context) error, look func() []string) []string {
	ctx, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	if settle != nil {
		if err := settle(ctx); err != nil {
			return append(look(), fmt.Sprintf("the bot does not settle: %v", err))
		}
		return look()
	}
	for {
		changed := w.Sim.Changed()
		if left := look(); len(left) > 0 {
			return left
		}
		timer := time.NewTimer(quiet)
		select {
		case <-changed:
			timer.Stop()
		case <-timer.C:
			return nil
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// FailForLeftovers lets the test fail at its end for what leftovers lists.
func (w Waiter) FailForLeftovers(leftovers func(context.Context) []string) {
	w.TB.Helper()
	w.TB.Cleanup(func() {
		if w.TB.Failed() {
			return // What is left over is a consequence.
		}
		for _, leftover := range leftovers(context.Background()) {
			w.TB.Errorf("left over: %s", leftover)
		}
	})
}

// ExpectNothingMore fails the test at once for what leftovers lists.
func (w Waiter) ExpectNothingMore(leftovers func(context.Context) []string) {
	w.TB.Helper()
	ctx, cancel := w.Expecting()
	defer cancel()
	if left := leftovers(ctx); len(left) > 0 {
		w.TB.Fatalf("expected nothing more; there is:\n%s", strings.Join(left, "\n"))
	}
}
