package discord

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// limiter remembers until when a route must not be called
// (https://discord.com/developers/docs/topics/rate-limits#header-format).
// Its time is the process's own: it counts short intervals only.
type limiter struct {
	mu     sync.Mutex
	global time.Time
	routes map[string]time.Time
}

const limiterSweep = 1024

// wait returns how long the route is still closed.
func (l *limiter) wait(route string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := l.routes[route]
	if l.global.After(until) {
		until = l.global
	}
	return max(0, until.Sub(now))
}

func (l *limiter) close(route string, global bool, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if global {
		l.global = until
		return
	}
	if l.routes == nil {
		l.routes = map[string]time.Time{}
	}
	if len(l.routes) >= limiterSweep {
		now := time.Now()
		for r, t := range l.routes {
			if !t.After(now) {
				delete(l.routes, r)
			}
		}
	}
	l.routes[route] = until
}

// observe reads what an answer says about the next call.
func (l *limiter) observe(route string, n *note, now time.Time) {
	if n.status == http.StatusTooManyRequests {
		r := readRateLimit(n)
		l.close(route, r.global, now.Add(r.after))
		return
	}
	if n.header.Get("X-RateLimit-Remaining") == "0" {
		if after, ok := seconds(n.header.Get("X-RateLimit-Reset-After")); ok {
			l.close(route, false, now.Add(after))
		}
	}
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
