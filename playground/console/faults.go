package console

import (
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"sync"
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

	mu      sync.Mutex
	running map[string]running
	pushed  map[string]int
	changed chan struct{}
}

func newFaultBoard(all []*fault) *faultBoard {
	return &faultBoard{all: all, running: map[string]running{}, pushed: map[string]int{}, changed: make(chan struct{})}
}

// Changed returns a channel that is closed when a switch is next used.
func (b *faultBoard) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

func (b *faultBoard) touch() {
	close(b.changed)
	b.changed = make(chan struct{})
}

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
	defer b.touch()
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
	b.touch()
}

func (c *console) serveFaults(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"faults": c.faults.state()})
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
	if !readAct(w, r, &act) {
		return
	}
	if act.Reset {
		c.faults.reset()
	} else if !c.faults.set(act.ID, act.On, act.Seconds) {
		refuse(w, http.StatusNotFound, "there is no such switch, or it cannot be used here")
		return
	}
	c.serveFaults(w, r)
}

func refuse(w http.ResponseWriter, status int, why string) {
	writeJSON(w, status, map[string]string{"error": why})
}

// readAct reads a JSON body, or refuses the request.
func readAct(w http.ResponseWriter, r *http.Request, act any) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "send application/json")
		return false
	}
	if err := json.NewDecoder(r.Body).Decode(act); err != nil {
		refuse(w, http.StatusBadRequest, "the body is not readable")
		return false
	}
	return true
}
