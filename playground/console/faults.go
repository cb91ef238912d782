package console

import (
	"net/http"
	"slices"
	"sync"

	"github.com/laurelbot/laurel/playground/simchange"
	"github.com/laurelbot/laurel/playground/simconsole"
)

// fault is one thing that can be broken by hand.
type fault struct {
	ID   string `json:"id"`
	Part string `json:"part"`
	Name string `json:"name"`
	// Help says in one sentence what it does, Watch what the app should do.
	Help  string `json:"help"`
	Watch string `json:"watch"`
	// Seconds is what can be chosen beside it, with its default; nil: nothing.
	Seconds *int `json:"seconds,omitempty"`
	// Push does something once instead of staying on.
	Push bool `json:"push"`
	// Missing says why it cannot be used here.
	Missing string `json:"missing,omitempty"`

	// on breaks and returns how often it happened and how to mend it.
	on func(seconds int) (served func() int, off func())
}

// faultState is a fault as the page shows it.
type faultState struct {
	*fault

	On bool `json:"on"`
	// Hits is how often it happened since it was switched on; for a push, how
	// often it was pushed.
	Hits int `json:"hits"`
}

// running is a fault that is on.
type running struct {
	served  func() int
	off     func()
	seconds int
}

// faultBoard is all switches.
type faultBoard struct {
	all []*fault

	changes simchange.Signal

	mu      sync.Mutex
	running map[string]running
	pushed  map[string]int
}

func newFaultBoard(all []*fault) *faultBoard {
	return &faultBoard{all: all, running: map[string]running{}, pushed: map[string]int{}}
}

// Changed returns a channel that is closed when a switch is next used.
func (b *faultBoard) Changed() <-chan struct{} { return b.changes.Changed() }

func (b *faultBoard) state() []faultState {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]faultState, 0, len(b.all))
	for _, f := range b.all {
		s := faultState{fault: f, Hits: b.pushed[f.ID]}
		if r, on := b.running[f.ID]; on {
			s.On, s.Hits = true, r.served()
			if f.Seconds != nil {
				chosen, copied := r.seconds, *f
				copied.Seconds = &chosen
				s.fault = &copied
			}
		}
		out = append(out, s)
	}
	return out
}

// set uses a switch; false when there is none that can be used.
func (b *faultBoard) set(id string, on bool, seconds int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.all, func(f *fault) bool { return f.ID == id })
	if i < 0 || b.all[i].Missing != "" {
		return false
	}
	f := b.all[i]
	defer b.changes.Touch()
	if f.Push {
		f.on(seconds)
		b.pushed[id]++
		return true
	}
	if was, running := b.running[id]; running {
		was.off()
		delete(b.running, id)
	}
	if on {
		if f.Seconds != nil && (seconds < 1 || seconds > 600) {
			seconds = *f.Seconds
		}
		served, off := f.on(seconds)
		b.running[id] = running{served: served, off: off, seconds: seconds}
	}
	return true
}

func (b *faultBoard) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.running {
		r.off()
	}
	clear(b.running)
	clear(b.pushed)
	b.changes.Touch()
}

func (c *console) serveFaults(w http.ResponseWriter, _ *http.Request) {
	simconsole.WriteJSON(w, http.StatusOK, map[string]any{"faults": c.faults.state()})
}

// faultAct is the body of POST /faults.
type faultAct struct {
	ID      string `json:"id"`
	On      bool   `json:"on"`
	Seconds int    `json:"seconds"`
	// Reset switches everything off.
	Reset bool `json:"reset"`
}

func (c *console) setFault(w http.ResponseWriter, r *http.Request) {
	var act faultAct
	if !simconsole.ReadAct(w, r, &act) {
		return
	}
	if act.Reset {
		c.faults.reset()
	} else if !c.faults.set(act.ID, act.On, act.Seconds) {
		simconsole.Refuse(w, http.StatusNotFound, "there is no such switch, or it cannot be used here")
		return
	}
	c.serveFaults(w, r)
}
