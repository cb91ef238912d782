package discordsim

import "context"

// Changed returns a channel that is closed at the next change of anything a
// person could see, and of what Traffic and Gateway count. Take it before
// looking, or a change may be missed.
func (s *Server) Changed() <-chan struct{} { return s.changes.Changed() }

// Version counts the changes so far.
func (s *Server) Version() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// Eventually returns nil as soon as ok returns true. It asks at once and
// again after every change; the error is that of the context.
func (s *Server) Eventually(ctx context.Context, ok func() bool) error {
	return s.changes.Eventually(ctx, ok)
}

// touch announces a change. The caller holds the lock.
func (s *Server) touch() {
	s.version++
	s.changes.Touch()
}
