package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/simconsole"
)

// maxAdvance is how far one request moves the clock: the expiry of any badge
// can be reached, the end of the calendar cannot.
const maxAdvance = 5 * 366 * 24 * time.Hour

// clockwork is the shared clock with word of its changes.
type clockwork struct {
	clock   *simclock.Clock
	changes simchange.Signal
}

func newClockwork(clock *simclock.Clock) *clockwork {
	c := &clockwork{clock: clock}
	clock.OnMove(func(time.Time) { c.changes.Touch() })
	return c
}

// Changed returns a channel that is closed when the clock is next moved,
// stopped or started.
func (c *clockwork) Changed() <-chan struct{} { return c.changes.Changed() }

// clockState is what the clock shows.
type clockState struct {
	Now time.Time `json:"now"`
	// OffsetMS is how far the clock is ahead of real time, in milliseconds.
	OffsetMS int64 `json:"offset_ms"`
	Frozen   bool  `json:"frozen"`
	// Happens is what the clock was moved to.
	Happens string `json:"happens,omitempty"`
}

func (c *console) clockState(happens string) clockState {
	clock := c.clock.clock
	return clockState{Now: clock.Now(), OffsetMS: clock.Offset().Milliseconds(), Frozen: clock.Frozen(), Happens: happens}
}

func (c *console) serveClock(w http.ResponseWriter, _ *http.Request) {
	simconsole.WriteJSON(w, http.StatusOK, c.clockState(""))
}

// clockAct is the body of POST /clock; it holds one of them.
type clockAct struct {
	Advance string `json:"advance"`
	Next    bool   `json:"next"`
	Freeze  bool   `json:"freeze"`
	Resume  bool   `json:"resume"`
}

func (c *console) moveClock(w http.ResponseWriter, r *http.Request) {
	var act clockAct
	if !simconsole.ReadAct(w, r, &act) {
		return
	}
	happens := ""
	switch {
	case act.Advance != "":
		d, err := time.ParseDuration(act.Advance)
		if err != nil || d <= 0 || d > maxAdvance {
			simconsole.Refuse(w, http.StatusBadRequest, "advance takes a duration such as 1m, forward and at most five years")
			return
		}
		c.pass(r.Context(), d)
	case act.Next:
		due, ok := c.nextDue(r)
		if !ok {
			simconsole.Refuse(w, http.StatusConflict, "nothing is due: nothing will happen by itself")
			return
		}
		happens = due.What
		c.clock.clock.Advance(max(due.At.Sub(c.clock.clock.Now()), 0) + justAfter)
	case act.Freeze:
		c.clock.clock.Freeze()
		c.clock.changes.Touch()
	case act.Resume:
		c.clock.clock.Resume()
		c.clock.changes.Touch()
	default:
		simconsole.Refuse(w, http.StatusBadRequest, "say advance, next, freeze or resume")
		return
	}
	simconsole.WriteJSON(w, http.StatusOK, c.clockState(happens))
}

// Limits of the way that the clock takes: how often it stops, for how long in
// all, and for how long at one place. What is left then is jumped over.
const (
	maxStops   = 50
	passWithin = 15 * time.Second
	restWithin = 2 * time.Second
	restEvery  = 25 * time.Millisecond
)

// pass moves the clock forward by d. Where something has its time of day, such
// as a message in somebody's hours, the clock stops on the way until that is
// done: a jump over it would be a day on which the program slept.
func (c *console) pass(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, passWithin)
	defer cancel()
	for range maxStops {
		step, ok := c.nextStop(ctx)
		if !ok || step >= d {
			break
		}
		c.clock.clock.Advance(step)
		d -= step
		c.rest(ctx)
	}
	c.clock.clock.Advance(d)
}

// nextStop says how far away the next moment is at which something has its
// time.
func (c *console) nextStop(ctx context.Context) (time.Duration, bool) {
	work, err := c.work(ctx)
	now := c.clock.clock.Now()
	for _, d := range work.Due {
		if err == nil && d.Timely && d.At.After(now) {
			return d.At.Sub(now) + justAfter, true
		}
	}
	return 0, false
}

// rest waits for what the program has to send now.
func (c *console) rest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restWithin)
	defer cancel()
	for {
		work, err := c.work(ctx)
		now := c.clock.clock.Now()
		busy := slices.ContainsFunc(work.Deliveries, func(t Task) bool {
			return t.State == "running" || t.State == "ready" && !t.NextAt.After(now)
		})
		if err != nil || !busy {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(restEvery):
		}
	}
}

// justAfter is how far behind the next moment the clock is put: the times of
// what is due are kept in milliseconds.
const justAfter = time.Millisecond

// nextDue is what happens next by itself, if anything does.
func (c *console) nextDue(r *http.Request) (Due, bool) {
	// Where the program cannot say, there still are the simulators.
	work, err := c.work(r.Context())
	if err != nil && len(work.Due) == 0 {
		return Due{}, false
	}
	now := c.clock.clock.Now()
	for _, d := range work.Due {
		if d.At.After(now) {
			return d, true
		}
	}
	return Due{}, false
}

func sortedDue(due []Due) []Due {
	slices.SortStableFunc(due, func(a, b Due) int { return a.At.Compare(b.At) })
	return due
}
