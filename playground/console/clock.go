package console

import (
	"encoding/json"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/laurelbot/laurel/playground/simclock"
)

// maxAdvance is how far one request moves the clock: the expiry of any badge
// can be reached, the end of the calendar cannot.
const maxAdvance = 5 * 366 * 24 * time.Hour

// clockwork is the shared clock with word of its changes.
type clockwork struct {
	clock *simclock.Clock

	mu      sync.Mutex
	changed chan struct{}
}

func newClockwork(clock *simclock.Clock) *clockwork {
	c := &clockwork{clock: clock, changed: make(chan struct{})}
	clock.OnMove(func(time.Time) { c.touch() })
	return c
}

// Changed returns a channel that is closed when the clock is next moved,
// stopped or started.
func (c *clockwork) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *clockwork) touch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
}

// clockState is what the clock shows.
type clockState struct {
	Now time.Time `json:"now"`
	// OffsetMS is how far the clock is ahead of real time, in milliseconds.
	OffsetMS int64 `json:"offset_ms"`
	Frozen   bool  `json:"frozen"`
}

func (c *console) serveClock(w http.ResponseWriter, _ *http.Request) {
	clock := c.clock.clock
	writeJSON(w, http.StatusOK, clockState{
		Now: clock.Now(), OffsetMS: clock.Offset().Milliseconds(), Frozen: clock.Frozen(),
	})
}

// clockAct is the body of POST /clock; it holds one of them.
type clockAct struct {
	Advance string `json:"advance"`
	Freeze  bool   `json:"freeze"`
	Resume  bool   `json:"resume"`
}

func (c *console) moveClock(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, why string) { writeJSON(w, status, map[string]string{"error": why}) }
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		refuse(http.StatusUnsupportedMediaType, "send application/json")
		return
	}
	var act clockAct
	if err := json.NewDecoder(r.Body).Decode(&act); err != nil {
		refuse(http.StatusBadRequest, "the body is not readable")
		return
	}
	switch {
	case act.Advance != "":
		d, err := time.ParseDuration(act.Advance)
		if err != nil || d <= 0 || d > maxAdvance {
			refuse(http.StatusBadRequest, "advance takes a duration such as 1m, forward and at most five years")
			return
		}
		c.clock.clock.Advance(d)
	case act.Freeze:
		c.clock.clock.Freeze()
		c.clock.touch()
	case act.Resume:
		c.clock.clock.Resume()
		c.clock.touch()
	default:
		refuse(http.StatusBadRequest, "say advance, freeze or resume")
		return
	}
	c.serveClock(w, r)
}
