// Package simwire keeps what travelled last between a simulated service and
// the app, and lets somebody listen.
package simwire

import "sync"

// Kept is how many exchanges a Log keeps.
const Kept = 500

// Tap lets one listener hear of every exchange E. The zero value is ready for
// use. Its lock is its own.
type Tap[E any] struct {
	mu    sync.Mutex
	hears func(E)
}

// Listen lets hears hear of every exchange from now on; nil ends that. It must
// return at once and not call the service.
func (t *Tap[E]) Listen(hears func(E)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hears = hears
}

// Tell tells of an exchange.
func (t *Tap[E]) Tell(e E) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hears != nil {
		t.hears(e)
	}
}

// Log is a tap that keeps the last exchanges.
type Log[E any] struct {
	Tap[E]

	mu   sync.Mutex
	ring []E
	next int // where the oldest is, once the ring is full.
}

// Add keeps an exchange and tells of it.
func (l *Log[E]) Add(e E) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < Kept {
		l.ring = append(l.ring, e)
	} else {
		l.ring[l.next] = e
		l.next = (l.next + 1) % Kept
	}
	l.Tell(e)
}

// All returns the last exchanges (at most Kept), oldest first; never nil.
func (l *Log[E]) All() []E {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]E, 0, len(l.ring))
	all = append(all, l.ring[l.next:]...)
	return append(all, l.ring[:l.next]...)
}
