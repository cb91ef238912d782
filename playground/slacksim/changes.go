package slacksim

import "context"

// bump counts a change and tells everyone who waits; s.mu is held.
func (s *Server) bump() {
	s.version++
	s.changes.Touch()
}

// Changed returns a channel that is closed at the next change of anything
// that can be seen. Take it before looking, or a change may be missed.
func (s *Server) Changed() <-chan struct{} { return s.changes.Changed() }

// Eventually waits until ok reports true, asking again at every change. The
// error is the context's.
func (s *Server) Eventually(ctx context.Context, ok func() bool) error {
	return s.changes.Eventually(ctx, ok)
}
