package discordsim

import (
	"maps"
	"net/http"
	"strings"
	"time"
)

// Limits of Discord, https://discord.com/developers/docs/topics/rate-limits.
const (
	// GlobalLimit is how many requests with a bot token are allowed per second.
	GlobalLimit = 50
	// InvalidWindow is the time over which invalid requests are counted.
	InvalidWindow = 10 * time.Minute
	// InvalidRequestLimit is the number of them that leads to a ban.
	InvalidRequestLimit = 10_000
	// BanFor is how long a ban lasts. Discord says only "temporarily".
	BanFor = time.Hour
)

// Traffic counts the REST requests since the start, or since ResetTraffic.
// Time is that of the simulator's clock.
type Traffic struct {
	// Requests counts all; ByStatus their answers, with 0 for those that got
	// none; ByCode the codes of JSON errors (10062, 40060, …).
	Requests         int
	ByStatus, ByCode map[int]int
	// ByScope counts 429s by X-RateLimit-Scope: "user", "global", "shared",
	// and "" for those of the proxy in front.
	ByScope map[string]int
	// Faulted counts requests to which a Fault happened.
	Faulted int
	// WorstSecond and Worst1100ms are the most requests towards the global
	// limit that arrived within any 1.0 s and 1.1 s, refused ones included.
	// Interaction endpoints do not count towards it.
	WorstSecond, Worst1100ms int
	// Repeated404 counts requests of a method and path that had been answered
	// by 404 before.
	Repeated404 int
	// Invalid counts the 401s, 403s and 429s of the last ten minutes,
	// InvalidShared the 429s of scope "shared" beside them, which do not count
	// towards the ban. MostInvalid is the highest that Invalid has been.
	Invalid, InvalidShared, MostInvalid int
	// Banned says that a ban is on; BannedRequests were answered by it.
	Banned         bool
	BannedRequests int
}

// traffic is what Traffic is made of. The server's lock guards it.
type traffic struct {
	total   Traffic
	recent  []time.Time // towards the global limit, of the last 1.1 s.
	invalid []time.Time
	shared  []time.Time
	lost    map[string]bool // method and path of 404s.
	banned  time.Time       // end of the ban.
}

func newTraffic() traffic {
	return traffic{
		total: Traffic{ByStatus: map[int]int{}, ByCode: map[int]int{}, ByScope: map[string]int{}},
		lost:  map[string]bool{},
	}
}

// Traffic returns what was counted.
func (s *Server) Traffic() Traffic {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, now := s.traffic.total, s.clock.Now()
	out.Invalid = s.traffic.countInvalid(now)
	s.traffic.shared = since(s.traffic.shared, now, InvalidWindow)
	out.InvalidShared = len(s.traffic.shared)
	out.Banned = now.Before(s.traffic.banned)
	out.ByStatus, out.ByCode, out.ByScope = maps.Clone(out.ByStatus), maps.Clone(out.ByCode), maps.Clone(out.ByScope)
	return out
}

// ResetTraffic forgets what was counted, invalid requests and a ban included.
func (s *Server) ResetTraffic() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traffic = newTraffic()
}

// InvalidRequests counts the requests of the last ten minutes that were
// answered by 401, 403 or 429, those of scope "shared" left out,
// https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans.
func (s *Server) InvalidRequests() int { return s.Traffic().Invalid }

func (t *traffic) countInvalid(now time.Time) int {
	t.invalid = since(t.invalid, now, InvalidWindow)
	return len(t.invalid)
}

// since keeps the times that are younger than window.
func since(times []time.Time, now time.Time, window time.Duration) []time.Time {
	i := 0
	for i < len(times) && now.Sub(times[i]) >= window {
		i++
	}
	return times[i:]
}

// interactionPath reports whether a path is of the endpoints that the global
// limit leaves out,
// https://discord.com/developers/docs/interactions/receiving-and-responding#endpoints.
func interactionPath(path string) bool {
	return strings.HasPrefix(path, "/interactions/") || strings.HasPrefix(path, "/webhooks/")
}

// arrive counts a request before it is served and reports whether a ban
// answers it.
func (s *Server) arrive(method, path string) (banned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, now := &s.traffic, s.clock.Now()
	t.total.Requests++
	if t.lost[method+" "+path] {
		t.total.Repeated404++
	}
	if now.Before(t.banned) {
		t.total.BannedRequests++
		return true
	}
	// GET /gateway needs no token, and people's tokens have limits of their own.
	if interactionPath(path) || path == "/gateway" || strings.HasPrefix(path, "/users/@me/applications/") || strings.Contains(path, "oauth2/token") {
		return false
	}
	const second, longer = time.Second, 1100 * time.Millisecond
	t.recent = append(since(t.recent, now, longer), now)
	t.total.Worst1100ms = max(t.total.Worst1100ms, len(t.recent))
	t.total.WorstSecond = max(t.total.WorstSecond, len(since(t.recent, now, second)))
	return false
}

// leave counts an answer. The caller holds the lock.
func (s *Server) leave(method, path string, out *reply, dropped bool) {
	t, now := &s.traffic, s.clock.Now()
	if out.ban {
		t.total.ByStatus[out.status]++
		return
	}
	if dropped {
		t.total.ByStatus[0]++
		return
	}
	t.total.ByStatus[out.status]++
	if out.code != 0 {
		t.total.ByCode[out.code]++
	}
	switch out.status {
	case http.StatusNotFound:
		t.lost[method+" "+path] = true
	case http.StatusTooManyRequests:
		scope := out.header.Get("X-RateLimit-Scope")
		t.total.ByScope[scope]++
		if scope == scopeShared {
			t.shared = append(since(t.shared, now, InvalidWindow), now)
			return
		}
		s.countInvalid(now)
	case http.StatusUnauthorized, http.StatusForbidden:
		s.countInvalid(now)
	}
}

// countInvalid counts an invalid request; one too many begins a ban.
func (s *Server) countInvalid(now time.Time) {
	t := &s.traffic
	t.invalid = append(t.invalid, now)
	n := t.countInvalid(now)
	t.total.MostInvalid = max(t.total.MostInvalid, n)
	if n >= s.cfg.InvalidLimit {
		t.banned = now.Add(s.cfg.BanFor)
	}
}

// refuseBanned answers as the proxy in front of Discord answers a banned
// address: no JSON, no rate-limit headers.
func (s *Server) refuseBanned(out *reply) {
	out.ban = true
	out.status = http.StatusTooManyRequests
	out.header.Set("Content-Type", "text/html; charset=UTF-8")
	out.body = []byte("<!doctype html><html><head><title>Access denied | discord.com used Cloudflare to restrict access</title></head>" +
		"<body><h1>Error 1015</h1><p>You are being rate limited.</p></body></html>")
}
