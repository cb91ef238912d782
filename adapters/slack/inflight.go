package slack

import (
	"context"
	"sync"
)

// inflight counts work that goes on behind an acknowledged request. Unlike a
// sync.WaitGroup it may grow while somebody waits, and waiting can end early.
type inflight struct {
	mu   sync.Mutex
	n    int
	idle chan struct{}
}

func (f *inflight) add() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
}

func (f *inflight) done() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n--
	if f.n == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// start runs work in a goroutine of its own and counts it.
func (f *inflight) start(work func()) {
	f.add()
	go func() {
		defer f.done()
		work()
	}()
}

// wait returns when nothing is going on, or with the cause of ctx's end.
func (f *inflight) wait(ctx context.Context) error {
	f.mu.Lock()
	if f.n == 0 {
		f.mu.Unlock()
		return nil
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
