package credlysim

import (
	"slices"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

// Mischief is what happens to webhooks on their way. Credly promises neither
// order nor that each comes once, see https://www.credly.com/docs/webhooks.
type Mischief struct {
	// Twice sends everything twice in a row.
	Twice bool
	// Late holds each new webhook back for so long on the clock.
	Late time.Duration
	// Reversed sends the newest of those that are due first. It gathers them
	// for a few seconds of real time, so that there is something to reverse.
	Reversed bool
}

// gatherFor is how long webhooks are gathered that are to be reversed.
const gatherFor = 4 * time.Second

// SetMischief replaces what happens to webhooks from now on. What Late holds
// back stays so until its time.
func (s *Server) SetMischief(m Mischief) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mischief = m
	s.touch()
}

// muddle puts due webhooks in the order in which they leave; sending is held.
func (s *Server) muddle(due []*Delivery) []*Delivery {
	s.mu.Lock()
	m := s.mischief
	s.mu.Unlock()
	if m.Reversed && len(due) > 0 {
		if !simfault.Pause(s.stopped, gatherFor) {
			return nil
		}
		now := s.clock.Now()
		s.mu.Lock()
		due = slices.DeleteFunc(slices.Clone(s.queue), func(d *Delivery) bool { return d.NextAt.After(now) })
		s.mu.Unlock()
		slices.Reverse(due)
	}
	if !m.Twice {
		return due
	}
	twice := make([]*Delivery, 0, 2*len(due))
	for _, d := range due {
		twice = append(twice, d, d)
	}
	return twice
}

// NextWebhook is when the next waiting webhook is due; false when none waits.
func (s *Server) NextWebhook() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next time.Time
	for _, d := range s.queue {
		if next.IsZero() || d.NextAt.Before(next) {
			next = d.NextAt
		}
	}
	return next, !next.IsZero()
}
