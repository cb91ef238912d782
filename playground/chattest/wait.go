package chattest

import (
	"context"
	"testing"
	"time"
)

// DefaultPatience is how long an expectation waits, in real time.
const DefaultPatience = 10 * time.Second

// Simulation is a simulated chat whose changes can be waited for.
type Simulation interface {
	// Changed returns a channel that is closed at the next change of what
	// anybody can see.
	Changed() <-chan struct{}
	// Eventually waits until ok reports true, asking again at every change;
	// the error is the context's.
	Eventually(ctx context.Context, ok func() bool) error
}

// Waiter lets a test wait for what happens in a simulated chat.
type Waiter struct {
	TB  testing.TB
	Sim Simulation
	// Patience is how long an expectation waits at most.
	Patience time.Duration
}

// Expecting bounds an expectation.
func (w Waiter) Expecting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.TB.Context(), w.Patience)
}

// Acting bounds an act. How long a bot may take to answer is up to the
// simulation, however little patience the expectations have.
func (w Waiter) Acting() (context.Context, context.CancelFunc) {
	return context.WithTimeout(w.TB.Context(), max(w.Patience, DefaultPatience))
}

// Until fails the test with what is seen when ok does not come true.
func (w Waiter) Until(what string, seen func() string, ok func() bool) {
	w.TB.Helper()
	ctx, cancel := w.Expecting()
	defer cancel()
	if err := w.Sim.Eventually(ctx, ok); err != nil {
		w.TB.Fatalf("expected %s; there is:\n%s", what, seen())
	}
}
