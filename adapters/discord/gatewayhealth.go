package discord

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxGrace is how much later than its interval an acknowledgement may come.
const maxGrace = 5 * time.Second

// gatewayHealth is what is known of the gateway's connections. Its time is
// the process's own.
type gatewayHealth struct {
	mu     sync.Mutex
	count  int
	wrong  string
	since  time.Time
	store  time.Time // The last answer of the lease store.
	begun  time.Time
	byLead map[int]*shardHealth
	// refused holds why a shard that this replica gave up was refused.
	refused map[int]refusal
}

type refusal struct {
	reason string
	since  time.Time
}

type shardHealth struct {
	alive, since time.Time
	interval     time.Duration
	doing        string
}

func (h *gatewayHealth) begin(now time.Time) {
	h.begun, h.byLead, h.refused = now, map[int]*shardHealth{}, map[int]refusal{}
}

// trouble notes what keeps the whole gateway from working, or that nothing
// does.
func (h *gatewayHealth) trouble(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wrong == "" || what == "" {
		h.since = time.Now()
	}
	h.wrong = what
}

// shards begins anew with another number of shards.
func (h *gatewayHealth) shards(count int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count, h.refused = count, map[int]refusal{}
}

// asked notes that the lease store answered.
func (h *gatewayHealth) asked() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.store = time.Now()
}

// elsewhere notes that another replica leads a shard: nothing is wrong.
func (h *gatewayHealth) elsewhere(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.refused, id)
}

func (h *gatewayHealth) leads(id int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byLead[id] != nil
}

func (h *gatewayHealth) lead(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byLead[id] = &shardHealth{since: time.Now(), doing: "connecting"}
}

// leave notes that a shard is no longer led here, and why it was refused,
// if it was.
func (h *gatewayHealth) leave(id int, refused string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byLead, id)
	if refused == "" {
		return
	}
	was, ok := h.refused[id]
	if !ok {
		was.since = time.Now()
	}
	was.reason = refused
	h.refused[id] = was
}

// alive notes a sign of life of a shard with its interval of heartbeats.
func (h *gatewayHealth) alive(id int, interval time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.refused, id)
	if s := h.byLead[id]; s != nil {
		s.alive, s.interval, s.doing = time.Now(), interval, ""
	}
}

// doing notes what a shard is about in place of receiving.
func (h *gatewayHealth) doing(id int, what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.byLead[id]; s != nil {
		s.doing = what
	}
}

// check says what is wrong now.
func (h *gatewayHealth) check(now time.Time, ttl time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wrong != "" {
		return fmt.Errorf("%s, since %s", h.wrong, stamp(h.since))
	}
	var all []error
	for id := range h.count {
		if r, ok := h.refused[id]; ok {
			all = append(all, fmt.Errorf("%s, since %s", r.reason, stamp(r.since)))
		}
		s := h.byLead[id]
		if s == nil || !s.alive.IsZero() && now.Sub(s.alive) <= s.interval+min(maxGrace, s.interval/2) {
			continue
		}
		doing := s.doing
		if doing == "" {
			doing = "reconnecting"
		}
		if s.alive.IsZero() {
			all = append(all, fmt.Errorf("shard %d has no session since %s: %s", id, stamp(s.since), doing))
		} else {
			all = append(all, fmt.Errorf("shard %d has no acknowledged heartbeat since %s: %s", id, stamp(s.alive), doing))
		}
	}
	if len(all) > 0 {
		return errors.Join(all...)
	}
	if len(h.byLead) == h.count && h.count > 0 {
		return nil
	}
	switch {
	case h.store.IsZero() && now.Sub(h.begun) <= ttl:
		return fmt.Errorf("it begins, since %s", stamp(h.begun))
	case h.store.IsZero():
		return fmt.Errorf("the store does not say who leads, since %s", stamp(h.begun))
	case now.Sub(h.store) > 2*ttl:
		return fmt.Errorf("the store does not say who leads, since %s", stamp(h.store))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
