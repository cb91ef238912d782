package discordsim

import (
	"context"
	"fmt"
)

// Changed returns a channel that is closed at the next change of anything a
// person could see, and of what Traffic and Gateway count. Take it before looking, then wait on it.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Version counts the changes so far.
func (s *Server) Version() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// Eventually returns nil as soon as ok returns true. It asks at once and
// again after every change; the error is that of the context.
func (s *Server) Eventually(ctx context.Context, ok func() bool) error {
	for {
		next := s.Changed()
		if ok() {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("wait for change: %w", ctx.Err())
		}
	}
}

// touch announces a change. The caller holds the lock.
func (s *Server) touch() {
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}
