package discordsim

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Values of X-RateLimit-Scope,
// https://discord.com/developers/docs/topics/rate-limits#header-format.
const (
	scopeUser   = "user"
	scopeGlobal = "global"
	scopeShared = "shared"
)

// maxBuckets is how many buckets are kept before those are forgotten whose
// window is over: interaction tokens make one each.
const maxBuckets = 4096

type bucket struct {
	used  int
	reset time.Time
}

type limiter struct {
	buckets map[string]*bucket
	global  bucket
}

// take uses one request of a bucket and returns how many are left, or how
// long to wait when there is none.
func (b *bucket) take(now time.Time, limit int, window time.Duration) (left int, wait time.Duration) {
	if !now.Before(b.reset) {
		b.used, b.reset = 0, now.Add(window)
	}
	if b.used >= limit {
		return 0, b.reset.Sub(now)
	}
	b.used++
	return limit - b.used, 0
}

// allow writes the rate-limit headers of a route and, when limits are
// enforced, refuses with 429. Without enforcement each request sees a fresh
// bucket, so that a client never waits for a clock that stands still.
func (s *Server) allow(r *route, c *call, out *reply) bool {
	if r.limit == 0 {
		return true
	}
	now := s.clock.Now()
	if s.enforce && r.bot && c.user == "" {
		if _, wait := s.limits.global.take(now, s.cfg.GlobalPerSecond, time.Second); wait > 0 {
			limited(out, wait, scopeGlobal)
			return false
		}
	}
	// Buckets are per method and path with the major parameters,
	// https://discord.com/developers/docs/topics/rate-limits#rate-limits.
	name := r.method + " " + r.path
	major := c.args["channel"] + c.args["guild"] + c.args["token"] + c.user
	left, wait, reset := r.limit-1, time.Duration(0), now.Add(r.window)
	if s.enforce {
		b := s.limits.buckets[name+" "+major]
		if b == nil {
			s.limits.forget(now)
			b = &bucket{}
			s.limits.buckets[name+" "+major] = b
		}
		left, wait = b.take(now, r.limit, r.window)
		reset = b.reset
	}
	sum := sha256.Sum256([]byte(name))
	out.header.Set("X-RateLimit-Limit", strconv.Itoa(r.limit))
	out.header.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	out.header.Set("X-RateLimit-Reset", strconv.FormatFloat(float64(reset.UnixMilli())/1000, 'f', 3, 64))
	out.header.Set("X-RateLimit-Reset-After", strconv.FormatFloat(reset.Sub(now).Seconds(), 'f', 3, 64))
	out.header.Set("X-RateLimit-Bucket", hex.EncodeToString(sum[:8]))
	if wait > 0 {
		limited(out, wait, scopeUser)
		return false
	}
	return true
}

// forget drops buckets that are full again, once there are many.
func (l *limiter) forget(now time.Time) {
	if len(l.buckets) < maxBuckets {
		return
	}
	maps.DeleteFunc(l.buckets, func(_ string, b *bucket) bool { return !now.Before(b.reset) })
}

// limited writes a 429 answer.
func limited(out *reply, wait time.Duration, scope string) {
	out.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	out.header.Set("X-RateLimit-Scope", scope)
	if scope == scopeGlobal {
		out.header.Set("X-RateLimit-Global", "true")
	}
	out.json(http.StatusTooManyRequests, object{
		"message": "You are being rate limited.", "retry_after": wait.Seconds(), "global": scope == scopeGlobal, "code": 0,
	})
}
