package slacksim

import (
	"net/http"
	"strconv"
	"time"
)

// FaultResponseURL stands for all response URLs in Fault.Method.
const FaultResponseURL = "response_url"

// FaultUpload stands for the addresses that files are uploaded to.
const FaultUpload = "upload_url"

// Fault is misbehaviour on order, for calls to the simulation.
type Fault struct {
	// Method is an API method, FaultResponseURL, FaultUpload, or "*" for
	// everything.
	Method string
	// Channel restricts it to calls that name this channel in their arguments.
	Channel string
	// Times is how often it happens; 0 stands for once, below 0 for always.
	Times int
	// Status answers with this HTTP status and does no work.
	Status int
	// Error answers 200 with ok false and this code, and does no work. With a
	// Status it is the body's error.
	Error string
	// RetryAfter is the Retry-After header in seconds; nil for none.
	RetryAfter *int
	// Delay comes before everything else, in real time.
	Delay time.Duration
	// DropAnswer does the work and cuts the connection instead of answering.
	DropAnswer bool
	// DropBefore cuts the connection and does no work.
	DropBefore bool
}

type fault struct {
	Fault
	left   int
	served int
}

// Ordered watches one ordered fault.
type Ordered struct {
	s *Server
	f *fault
}

// Served tells how often the fault has happened.
func (o *Ordered) Served() int {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	return o.f.served
}

// Cancel ends the fault.
func (o *Ordered) Cancel() {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	o.f.left = 0
}

// Fail orders a fault. Of several that match a call, the oldest happens.
func (s *Server) Fail(f Fault) *Ordered {
	s.mu.Lock()
	defer s.mu.Unlock()
	ordered := &fault{Fault: f, left: f.Times}
	if f.Times == 0 {
		ordered.left = 1
	}
	s.faults = append(s.faults, ordered)
	return &Ordered{s: s, f: ordered}
}

// FaultsServed tells how often any fault for the method has happened; "*"
// counts them all.
func (s *Server) FaultsServed(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.faults {
		if method == "*" || f.Method == method {
			n += f.served
		}
	}
	return n
}

func (s *Server) takeFault(method, channel string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.left == 0 || (f.Method != "*" && f.Method != method) || (f.Channel != "" && f.Channel != channel) {
			continue
		}
		if f.left > 0 {
			f.left--
		}
		f.served++
		s.bump()
		return f.Fault, true
	}
	return Fault{}, false
}

// answer renders the fault: Slack sends a page instead of JSON with a 5xx.
func (f Fault) answer() answer {
	status, code := f.Status, f.Error
	if status == 0 {
		status = http.StatusOK
	}
	var out answer
	if code == "" && status >= http.StatusInternalServerError {
		out = answer{
			status: status, body: []byte("<!DOCTYPE html><html><body>Server Error</body></html>"),
			headers: map[string]string{"Content-Type": "text/html; charset=utf-8"},
		}
	} else {
		if code == "" && status == http.StatusTooManyRequests {
			code = "ratelimited"
		}
		out = jsonAnswer(status, map[string]any{"ok": false, "error": code})
	}
	out.code = code
	if f.RetryAfter != nil {
		out.headers["Retry-After"] = strconv.Itoa(*f.RetryAfter)
	}
	return out
}
