package discordsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func TestGlobalLimitAndWindows(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{EnforceRateLimits: true, GlobalPerSecond: 6})
	w := populate(t, s)
	get := func(path string) (int, http.Header) {
		t.Helper()
		status, h, _ := call(t, s, "GET", path, nil, true)
		return status, h
	}
	for range 4 {
		get("/users/@me")
	}
	s.Clock().Advance(999 * time.Millisecond)
	for range 2 {
		get("/channels/" + w.channel)
	}
	status, h := get("/users/@me")
	if status != 429 || h.Get("X-RateLimit-Global") != "true" || h.Get("X-RateLimit-Scope") != "global" || h.Get("Retry-After") != "1" {
		t.Fatalf("%d %v", status, h)
	}
	s.Clock().Advance(time.Millisecond)
	get("/users/@me")
	// Interaction endpoints are outside the global limit.
	for range 10 {
		call(t, s, "POST", "/interactions/1/x/callback", obj{"type": 5}, false)
	}
	tr := s.Traffic()
	if tr.WorstSecond != 7 || tr.Worst1100ms != 8 || tr.ByScope["global"] != 1 || tr.ByStatus[429] != 1 || tr.ByStatus[200] != 7 ||
		tr.ByStatus[404] != 10 || tr.ByCode[10062] != 10 || tr.Repeated404 != 9 || tr.Requests != 18 || tr.Invalid != 1 {
		t.Fatalf("%+v", tr)
	}
}

func TestInvalidRequestsLeadToABan(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{InvalidLimit: 5})
	wait := 1.0
	shared := s.Fail(discordsim.Fault{PathPattern: "/users/@me", RetryAfter: &wait, Shared: true, Times: 3})
	for range 3 {
		if status, h, _ := call(t, s, "GET", "/users/@me", nil, true); status != 429 || h.Get("X-RateLimit-Scope") != "shared" {
			t.Fatalf("%d %v", status, h)
		}
	}
	storm := s.Fail(discordsim.Fault{PathPattern: "/users/@me", Status: 403, Code: 50001, Times: 2})
	for range 2 {
		call(t, s, "GET", "/users/@me", nil, true)
	}
	for range 2 {
		call(t, s, "GET", "/users/@me", nil, false)
	}
	tr := s.Traffic()
	if tr.Invalid != 4 || tr.InvalidShared != 3 || tr.ByScope["shared"] != 3 || tr.Faulted != 5 || tr.Banned || shared.Served() != 3 || storm.Served() != 2 {
		t.Fatalf("%+v", tr)
	}
	// What is ten minutes old no longer counts.
	s.Clock().Advance(discordsim.InvalidWindow)
	if tr := s.Traffic(); tr.Invalid != 0 || tr.InvalidShared != 0 || tr.MostInvalid != 4 {
		t.Fatalf("%+v", tr)
	}
	for range 5 {
		call(t, s, "GET", "/users/@me", nil, false)
	}
	status, h, _ := call(t, s, "GET", "/gateway", nil, true)
	if status != 429 || h.Get("Content-Type") != "text/html; charset=UTF-8" || h.Get("X-RateLimit-Scope") != "" {
		t.Fatalf("banned: %d %v", status, h)
	}
	if tr := s.Traffic(); !tr.Banned || tr.BannedRequests != 1 || tr.Invalid != 5 {
		t.Fatalf("%+v", tr)
	}
	s.Clock().Advance(discordsim.BanFor)
	if status, _, _ := call(t, s, "GET", "/users/@me", nil, true); status != 200 {
		t.Fatalf("after the ban: %d", status)
	}
	s.ResetTraffic()
	if tr := s.Traffic(); tr.Requests != 0 || tr.MostInvalid != 0 {
		t.Fatalf("%+v", tr)
	}
}

func TestFaultsOfProxies(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	half := 0.5
	for _, tt := range []struct {
		name   string
		fault  discordsim.Fault
		status int
		kind   string
		retry  string
	}{
		{"HTML 429", discordsim.Fault{RetryAfter: &half, HTMLBody: true}, 429, "text/html", "1"},
		{"HTML 503", discordsim.Fault{Status: 503, HTMLBody: true}, 503, "text/html", ""},
		{"502", discordsim.Fault{Status: 502}, 502, "application/json", ""},
	} {
		f := s.Fail(tt.fault)
		status, h, _ := call(t, s, "GET", "/users/@me", nil, true)
		if status != tt.status || h.Get("Content-Type") != tt.kind || h.Get("Retry-After") != tt.retry || h.Get("X-RateLimit-Scope") != "" || f.Served() != 1 {
			t.Errorf("%s: %d %v", tt.name, status, h)
		}
	}
	if tr := s.Traffic(); tr.ByScope[""] != 1 || tr.ByStatus[503] != 1 || tr.Faulted != 3 {
		t.Errorf("%+v", tr)
	}
}
