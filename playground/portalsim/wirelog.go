package portalsim

import "time"

// Exchange is one message in either direction, without its signature.
type Exchange struct {
	At time.Time
	// Webhook says that the portal was the one who sent.
	Webhook bool
	// Type is the message's, or why one was not taken.
	Type string
	Body string
	// Status is the answer's, or 0 where none came; Took is real time.
	Status int
	Took   time.Duration
}

// OnExchange lets f hear of every message in either direction; nil ends that.
// f must return at once and not call the server.
func (s *Server) OnExchange(f func(Exchange)) { s.tap.Listen(f) }

// tell tells of a message.
func (s *Server) tell(e Exchange) {
	e.At = s.clock.Now()
	s.tap.Tell(e)
}
