package slacksim

import (
	"net/http"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
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

// Fail orders a fault. Of several that match a call, the oldest happens.
func (s *Server) Fail(f Fault) *simfault.Order { return s.faults.Add(f, f.Times) }

// DoubleDelivery lets everything that goes to the app be sent twice while it
// is on: Slack promises to deliver at least once, not exactly once.
// https://docs.slack.dev/apis/events-api/#retries
func (s *Server) DoubleDelivery(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.double = on
}

func (s *Server) takeFault(method, channel string) (Fault, bool) {
	f, ok := s.faults.Take(func(f Fault) bool {
		return (f.Method == "*" || f.Method == method) && (f.Channel == "" || f.Channel == channel)
	})
	if ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.bump()
	}
	return f, ok
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
