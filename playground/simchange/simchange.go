// Package simchange lets tests and pages wait until a simulated service has
// changed, instead of looking again and again.
package simchange

import (
	"context"
	"fmt"
	"sync"
)

// Signal tells of the changes of one service. The zero value is ready for
// use. Its lock is its own: it may be touched under the service's.
type Signal struct {
	mu   sync.Mutex
	next chan struct{}
}

// Changed returns a channel that is closed at the next change. Take it before
// looking, or a change may be missed.
func (s *Signal) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.next
}

// Touch tells everyone who waits that something changed.
func (s *Signal) Touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}

// Eventually returns nil as soon as ok reports true. It asks at once and again
// after every change; the error is the context's.
func (s *Signal) Eventually(ctx context.Context, ok func() bool) error {
	for {
		changed := s.Changed()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for a change: %w", ctx.Err())
		}
	}
}
