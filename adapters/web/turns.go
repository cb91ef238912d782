package web

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// How often one link may be used: a person needs a few clicks, and whoever
// has the link cannot keep the store busy with it. Nothing is known of who
// asks: others' links are not slowed down by it.
const (
	turnEvery = 500 * time.Millisecond
	turnBurst = 20
	// maxTurns bounds the memory of recently used links.
	maxTurns = 10_000
	// maxTurnBytes bounds how much of each is remembered.
	maxTurnBytes = 128
)

// turns limits how often each link is used, or each client comes.
type turns struct {
	clock core.Clock
	every time.Duration
	burst int
	mu    sync.Mutex
	// next is until when a link's turns are used up, less its burst.
	next map[string]time.Time
}

func newTurns(clock core.Clock, every time.Duration, burst int) *turns {
	return &turns{clock: clock, every: every, burst: burst, next: map[string]time.Time{}}
}

// take reports whether the link may be used now.
func (t *turns) take(link string) bool {
	now := t.clock.Now()
	if len(link) > maxTurnBytes {
		// What is asked for may be as long as a request's head.
		sum := sha256.Sum256([]byte(link))
		link = string(sum[:])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.next[link]
	if at.Before(now) {
		at = now
	}
	if at.Sub(now) >= time.Duration(t.burst)*t.every {
		return false
	}
	if len(t.next) >= maxTurns {
		clear(t.next)
	}
	t.next[link] = at.Add(t.every)
	return true
}
