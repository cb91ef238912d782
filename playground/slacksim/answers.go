package slacksim

import (
	"net/http"
	"time"
)

// Answers counts how the calls of a method were answered, so that a test can
// show that what it prepared really happened.
type Answers struct {
	// Calls is how many arrived and were dealt with.
	Calls int
	// OK is how many were carried out and answered so.
	OK int
	// Limited is how many were told to come later: status 429 or the error
	// ratelimited, by a limit or by a fault.
	Limited int
	// Cut is how many got no answer but a cut connection.
	Cut int
	// Statuses and Errors count the answers by HTTP status and error code.
	Statuses map[int]int
	Errors   map[string]int
}

// Answers tells how calls of a method were answered so far; FaultResponseURL
// stands for response URLs and "*" for everything.
func (s *Server) Answers(method string) Answers {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Answers{Statuses: map[int]int{}, Errors: map[string]int{}}
	for name, a := range s.answers {
		if method != "*" && method != name {
			continue
		}
		out.Calls += a.Calls
		out.OK += a.OK
		out.Limited += a.Limited
		out.Cut += a.Cut
		for status, n := range a.Statuses {
			out.Statuses[status] += n
		}
		for code, n := range a.Errors {
			out.Errors[code] += n
		}
	}
	return out
}

// count notes how a call was answered.
func (s *Server) count(method string, out answer, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.answers[method]
	if a == nil {
		a = &Answers{Statuses: map[int]int{}, Errors: map[string]int{}}
		s.answers[method] = a
	}
	a.Calls++
	if cut {
		a.Cut++
		return
	}
	a.Statuses[out.status]++
	if out.code != "" {
		a.Errors[out.code]++
	}
	switch {
	case out.status == http.StatusTooManyRequests || out.code == "ratelimited":
		a.Limited++
	case out.status == http.StatusOK && out.code == "":
		a.OK++
	}
}

// SetLatency lets every call of a method wait for d, in real time, before
// anything else happens to it; faults come on top. FaultResponseURL stands
// for response URLs and "*" for all methods that have no latency of their
// own. 0 ends it.
func (s *Server) SetLatency(method string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency[method] = d
	if d <= 0 {
		delete(s.latency, method)
	}
}

func (s *Server) latencyOf(method string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.latency[method]; ok {
		return d
	}
	return s.latency["*"]
}
