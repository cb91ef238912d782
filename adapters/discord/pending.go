package discord

import (
	"context"
	"sync"
	"time"
)

// pendingWait is how long a message waits for the acknowledgement of its
// interaction; after that Discord has given the interaction up.
const pendingWait = 3 * time.Second

// pending holds the interactions that this process has not acknowledged yet.
// Discord knows nothing to edit before that, so a message that is ready
// sooner waits here for a moment, in place of being refused and repeated.
type pending struct {
	mu    sync.Mutex
	gates map[string]chan struct{}
}

// open notes an interaction by its token and returns what closes it.
func (p *pending) open(token string) (acknowledged func()) {
	gate := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gates == nil {
		p.gates = make(map[string]chan struct{})
	}
	p.gates[token] = gate
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.gates[token] == gate {
			delete(p.gates, token)
		}
		close(gate)
	}
}

// wait returns when the interaction is acknowledged, is none of this
// process, or has waited long enough.
func (p *pending) wait(ctx context.Context, token string) {
	p.mu.Lock()
	gate := p.gates[token]
	p.mu.Unlock()
	if gate == nil {
		return
	}
	timer := time.NewTimer(pendingWait)
	defer timer.Stop()
	select {
	case <-gate:
	case <-timer.C:
	case <-ctx.Done():
	}
}
