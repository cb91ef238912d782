package credlysim

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

// Fault is misbehaviour on order. The first fault that fits a request is
// used for it.
type Fault struct {
	// Method and Path (a substring) say which requests; empty fits all.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Times is how often; 0 is once, negative until ClearFaults.
	Times int `json:"times"`
	// Status and Body are answered instead of working, when Status is set.
	Status int    `json:"status"`
	Body   string `json:"body"`
	// RetryAfter is said with Status, in whole seconds.
	RetryAfter time.Duration `json:"retry_after"`
	// Delay is waited before anything else, in real time.
	Delay time.Duration `json:"delay"`
	// DropAnswer does the work and cuts the connection instead of
	// answering; DropBefore cuts it without working. Go's HTTP client
	// repeats a GET by itself when a kept connection is cut.
	DropAnswer bool `json:"drop_answer"`
	DropBefore bool `json:"drop_before"`
}

// Fail orders misbehaviour.
func (s *Server) Fail(f Fault) *simfault.Order { return s.faults.Add(f, f.Times) }

// ClearFaults ends all misbehaviour.
func (s *Server) ClearFaults() { s.faults.Clear() }

// SetLatency is added to every answer from now on, in real time.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// Served returns how many requests came in.
func (s *Server) Served() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// ServedBy returns how many requests came in by method and kind of path, such
// as "POST /v1/organizations/{id}/badges".
func (s *Server) ServedBy() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.served)
}

// takeFault counts a request, finds the fault for it (the zero one is none)
// and returns the time to wait.
func (s *Server) takeFault(r *http.Request) (Fault, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.served[r.Method+" "+kindOf(r.URL.Path)]++
	f, _ := s.faults.Take(func(f Fault) bool {
		return (f.Method == "" || f.Method == r.Method) && strings.Contains(r.URL.Path, f.Path)
	})
	return f, s.latency + f.Delay
}

// idSegment is what differs from one object to the next in a path.
var idSegment = regexp.MustCompile(`/[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}`)

// kindOf is a path without what differs from one object to the next.
func kindOf(path string) string {
	return tokenSegment.ReplaceAllString(idSegment.ReplaceAllString(path, "/{id}"), "/go/{token}")
}

// heldAnswer collects an answer, so that it can be logged or lost.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

var _ http.ResponseWriter = (*heldAnswer)(nil)

func (a *heldAnswer) Header() http.Header { return a.header }

func (a *heldAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *heldAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *heldAnswer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	// Who does not read the answer has hung up.
	_, _ = w.Write(a.body.Bytes())
}

// serve is what every request passes: count, wait, misbehave, work, log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeJSON(w, http.StatusRequestEntityTooLarge, object{"message": "request is too large"})
		return
	}
	began := time.Now()
	fault, wait := s.takeFault(r)
	if !simfault.Pause(r.Context(), wait) {
		s.log(Exchange{
			At: s.clock.Now(), Method: r.Method, URL: redactURL(r.URL), Auth: redactAuth(r.Header.Get("Authorization")),
			Fault: true, Took: time.Since(began),
		})
		return
	}
	seen := Exchange{At: s.clock.Now(), Method: r.Method, URL: redactURL(r.URL), Auth: redactAuth(r.Header.Get("Authorization"))}
	seen.Request = redactBody(r.Header.Get("Content-Type"), body)
	if fault.DropBefore {
		seen.Fault = true
		s.log(seen)
		simfault.HangUp(w)
		return
	}
	a := &heldAnswer{header: http.Header{}}
	if fault.Status != 0 {
		seen.Fault = true
		a.header.Set("Content-Type", "application/json; charset=utf-8")
		if fault.RetryAfter > 0 {
			a.header.Set("Retry-After", strconv.Itoa(int(fault.RetryAfter.Seconds())))
		}
		a.status = fault.Status
		a.body.WriteString(fault.Body)
	} else {
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.routes.ServeHTTP(a, r)
		a.WriteHeader(http.StatusOK)
	}
	seen.Took = time.Since(began)
	seen.Status, seen.Response = a.status, redactBody(a.header.Get("Content-Type"), a.body.Bytes())
	seen.Fault = seen.Fault || fault.DropAnswer
	s.log(seen)
	if fault.DropAnswer {
		simfault.HangUp(w)
		return
	}
	a.send(w)
}
