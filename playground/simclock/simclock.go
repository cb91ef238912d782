// Package simclock is the clock that the simulated services share: it runs
// with real time and can be moved forward.
package simclock

import (
	"sync"
	"time"
)

// Clock is a clock whose offset from real time can be moved. The zero value
// is not usable; see New and NewFrozen.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	frozen time.Time
	moved  []func(time.Time)
}

// New returns a clock that shows real time until it is moved.
func New() *Clock { return &Clock{} }

// NewFrozen returns a clock that stands at t and only moves by Advance.
func NewFrozen(t time.Time) *Clock { return &Clock{frozen: t.UTC()} }

// Now returns the simulated time in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return time.Now().UTC().Add(c.offset)
}

// Offset returns how far the clock is ahead of real time; a frozen clock
// reports the difference at the moment of the call.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return time.Until(c.frozen)
	}
	return c.offset
}

// Advance moves the clock forward by d and then calls every function given
// to OnMove, in the order in which they were given.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	if c.frozen.IsZero() {
		c.offset += d
	} else {
		c.frozen = c.frozen.Add(d)
	}
	now, moved := c.now(), c.moved
	c.mu.Unlock()
	for _, f := range moved {
		f(now)
	}
}

// Freeze stops the clock at the time it shows; Resume lets it run on.
func (c *Clock) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = c.now()
}

// Resume lets a frozen clock run on from the time it shows.
func (c *Clock) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen.IsZero() {
		return
	}
	c.offset = time.Until(c.frozen)
	c.frozen = time.Time{}
}

// OnMove registers f to be called after each Advance.
func (c *Clock) OnMove(f func(time.Time)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved = append(c.moved, f)
}
