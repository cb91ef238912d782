package discord

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// gates remember until when calls must not be made, as Discord's answers
// said (https://discord.com/developers/docs/topics/rate-limits#header-format).
// Their time is the process's own: they count short intervals only.
type gates struct {
	mu sync.Mutex
	// global closes everything.
	global  time.Time
	closed  map[string]time.Time
	buckets map[string]bucket
	learned map[string]shape
	sweepAt int
}

// shape is what is known of the bucket of a template.
type shape struct {
	id     string
	limit  int
	window time.Duration
}

// bucket is what is left until reset.
type bucket struct {
	left  int
	reset time.Time
}

const gatesSweep = 1024

// told is what an answer closed, and for how long.
type told struct{ global, route time.Duration }

// key names the bucket of a route. The lock is held.
func (g *gates) key(r route) string {
	if s, ok := g.learned[r.template]; ok {
		return s.id + ":" + r.major
	}
	return r.exact
}

// enter returns how long a route is still closed. When it is open, one call
// of what is left in its bucket is set aside.
func (g *gates) enter(r route, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := g.key(r)
	until := later(g.global, later(g.closed[key], g.closed[r.exact]))
	if until.After(now) {
		return until.Sub(now)
	}
	b, ok := g.buckets[key]
	if !ok {
		return 0
	}
	if !b.reset.After(now) {
		// A new window begins with this call. How long it is has to be known
		// from an earlier one; without that the answer will tell.
		s := g.learned[r.template]
		if s.window == 0 {
			delete(g.buckets, key)
			return 0
		}
		g.buckets[key] = bucket{left: s.limit - 1, reset: now.Add(s.window)}
		return 0
	}
	if b.left < 1 {
		return b.reset.Sub(now)
	}
	b.left--
	g.buckets[key] = b
	return 0
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// observe reads what an answer says about the next call.
func (g *gates) observe(r route, n *note, now time.Time) told {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(now)
	id := n.header.Get("X-RateLimit-Bucket")
	if id != "" && len(id) <= 100 {
		g.learn(r.template, id, n.header)
	}
	key := g.key(r)
	if n.status == http.StatusTooManyRequests {
		limit := readRateLimit(n)
		switch {
		case limit.global:
			g.global = later(g.global, now.Add(limit.after))
			return told{global: limit.after}
		case limit.edge:
			// The network edge refuses the address, whatever is called.
			g.global = later(g.global, now.Add(limit.after))
			return told{}
		}
		g.close(key, now.Add(limit.after))
		return told{route: limit.after}
	}
	left, err := strconv.Atoi(n.header.Get("X-RateLimit-Remaining"))
	after, ok := seconds(n.header.Get("X-RateLimit-Reset-After"))
	if err != nil || left < 0 || !ok {
		return told{}
	}
	if id == "" {
		if left == 0 {
			g.close(key, now.Add(after))
		}
		return told{}
	}
	reset := now.Add(after)
	// Calls that are still on their way are set aside already.
	if b, ok := g.buckets[key]; ok && b.reset.After(now) && reset.Sub(b.reset) < 50*time.Millisecond {
		left = min(left, b.left)
	}
	if g.buckets == nil {
		g.buckets = map[string]bucket{}
	}
	g.buckets[key] = bucket{left: left, reset: reset}
	return told{}
}

// learn notes the bucket of a template, and its window from the answer to
// the first call of one. The lock is held.
func (g *gates) learn(template, id string, h http.Header) {
	s := g.learned[template]
	if s.id != id {
		s = shape{id: id}
	}
	limit, err := strconv.Atoi(h.Get("X-RateLimit-Limit"))
	if err == nil && limit > 0 {
		s.limit = limit
		if window, ok := seconds(h.Get("X-RateLimit-Reset-After")); ok && h.Get("X-RateLimit-Remaining") == strconv.Itoa(limit-1) {
			s.window = window
		}
	}
	if g.learned == nil {
		g.learned = map[string]shape{}
	}
	g.learned[template] = s
}

// shared returns the name and the rate of the limit by which replicas share
// a route. Until its window is known the rate is no limit of its own; then it
// is one that keeps any window below its limit, with two calls at once.
func (g *gates) shared(r route) (string, core.Rate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.learned[r.template]
	if !ok {
		return routeName(r.template + "/" + r.major), core.Rate{Interval: 20 * time.Millisecond, Burst: 50}
	}
	name := routeName(s.id + "/" + r.major)
	if s.window <= 0 || s.limit < 1 {
		return name, core.Rate{Interval: 20 * time.Millisecond, Burst: 50}
	}
	burst := min(2, s.limit)
	interval := s.window / time.Duration(s.limit-burst+1)
	return name, core.Rate{Interval: min(interval+interval/50, maxRouteInterval), Burst: burst}
}

// close closes one bucket. The lock is held.
func (g *gates) close(key string, until time.Time) {
	if g.closed == nil {
		g.closed = map[string]time.Time{}
	}
	g.closed[key] = later(g.closed[key], until)
}

// sweep forgets what is over. The lock is held.
func (g *gates) sweep(now time.Time) {
	if len(g.closed)+len(g.buckets) < max(g.sweepAt, gatesSweep) {
		return
	}
	for key, until := range g.closed {
		if !until.After(now) {
			delete(g.closed, key)
		}
	}
	for key, b := range g.buckets {
		if !b.reset.After(now) {
			delete(g.buckets, key)
		}
	}
	g.sweepAt = 2 * (len(g.closed) + len(g.buckets))
}

func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0) {
		return 0, false
	}
	if f > maxRetryAfter.Seconds() {
		return maxRetryAfter, true
	}
	return time.Duration(f * float64(time.Second)), true
}
