// Package simfault is what the misbehaviour of all simulated services has in
// common: it is ordered, happens so often and is counted; and some of it is to
// keep somebody waiting, or to hang up.
package simfault

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Orders are the faults ordered from one service, oldest first. A fault F says
// in the platform's words what happens, and to whom. The zero value is ready
// for use. Its lock is its own.
type Orders[F any] struct {
	mu  sync.Mutex
	all []entry[F]
}

type entry[F any] struct {
	fault F
	*Order
}

// Order is one ordered fault.
type Order struct {
	times  int64
	served atomic.Int64
	off    atomic.Bool
}

// Served counts how often the fault has happened.
func (o *Order) Served() int { return int(o.served.Load()) }

// Cancel ends the fault.
func (o *Order) Cancel() { o.off.Store(true) }

func (o *Order) over() bool { return o.off.Load() || o.times > 0 && o.served.Load() >= o.times }

// Add orders a fault. It happens so many times: 0 stands for once, below 0 for
// until it is cancelled.
func (o *Orders[F]) Add(fault F, times int) *Order {
	if times == 0 {
		times = 1
	}
	order := &Order{times: int64(times)}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, entry[F]{fault, order})
	return order
}

// Take lets the oldest fault that fits happen and returns it; false when none
// does.
func (o *Orders[F]) Take(fits func(F) bool) (F, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = slices.DeleteFunc(o.all, func(e entry[F]) bool { return e.over() })
	for _, e := range o.all {
		if fits(e.fault) {
			e.served.Add(1)
			return e.fault, true
		}
	}
	var none F
	return none, false
}

// Clear ends all faults.
func (o *Orders[F]) Clear() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = nil
}

// Pause waits for d in real time, as on a slow network; false when the context
// ended first.
func Pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// HangUp ends a connection without an answer.
func HangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		// Only HTTP/1 is served, and its connections can be taken over.
		return
	}
	_ = conn.Close()
}
