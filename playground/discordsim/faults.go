package discordsim

import (
	"net/http"
	"strings"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

// Fault is a misbehaviour on order. The zero parts of it do not happen: a
// fault with only a Delay makes a good answer slow.
type Fault struct {
	// Method is the HTTP method, empty for any.
	Method string
	// PathPattern is matched against the path below /api/vN; * stands for one
	// segment, a last ** for the rest. Empty matches all.
	PathPattern string
	// Times is how often it happens: 0 is once, negative until cleared.
	Times int
	// Status is the status answered instead of serving the request.
	Status int
	// Code and Message fill the JSON error; an empty Message is made.
	Code    int
	Message string
	// RetryAfter, in seconds, makes the answer a rate limit (429).
	RetryAfter *float64
	// Global says that the rate limit is the global one.
	Global bool
	// Shared says that it is that of a resource which others use too; such
	// answers do not count as invalid requests.
	Shared bool
	// Delay is real time that passes before anything happens.
	Delay time.Duration
	// DropAnswer serves the request and then closes the connection.
	DropAnswer bool
	// DropBefore closes the connection and serves nothing.
	DropBefore bool
	// HTMLBody answers by a page, as a proxy in front of Discord does.
	HTMLBody bool
}

// Fail orders a fault; of several that match, the oldest happens.
func (s *Server) Fail(f Fault) *simfault.Order { return s.faults.Add(f, f.Times) }

// takeFault returns the fault that happens to a request; the zero one is none.
func (s *Server) takeFault(method, path string, socket bool) Fault {
	f, happens := s.faults.Take(func(f Fault) bool {
		return (f.Method == "" || f.Method == method) && globMatch(f.PathPattern, path)
	})
	if happens && !socket {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.traffic.total.Faulted++
	}
	return f
}

func globMatch(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, w := range want {
		if w == "**" {
			return true
		}
		if i >= len(got) || w != "*" && w != got[i] {
			return false
		}
	}
	return len(want) == len(got)
}

func (f Fault) scope() string {
	switch {
	case f.Global:
		return scopeGlobal
	case f.Shared:
		return scopeShared
	}
	return scopeUser
}

func (f Fault) fails() bool { return f.Status != 0 || f.RetryAfter != nil || f.HTMLBody }

func (f Fault) reply(out *reply) {
	status := f.Status
	if status == 0 {
		status = http.StatusBadGateway
		if f.RetryAfter != nil {
			status = http.StatusTooManyRequests
		}
	}
	if f.RetryAfter != nil {
		limited(out, time.Duration(*f.RetryAfter*float64(time.Second)), f.scope())
	} else {
		message := f.Message
		if message == "" {
			message = http.StatusText(status)
		}
		out.json(status, object{"message": message, "code": f.Code})
		out.code = f.Code
	}
	if f.HTMLBody {
		// A proxy in front of Discord knows no buckets.
		out.header.Del("X-RateLimit-Scope")
		out.header.Del("X-RateLimit-Global")
		out.code = 0
		out.header.Set("Content-Type", "text/html")
		out.body = []byte("<html><head><title>" + http.StatusText(status) + "</title></head><body>" + http.StatusText(status) + "</body></html>")
	}
	out.status = status
}
