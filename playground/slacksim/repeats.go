package slacksim

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// repeatAfter is how long after a failure an event is sent again: at once,
// after about a minute, after about five.
// https://docs.slack.dev/apis/events-api/#retries
var repeatAfter = [...]time.Duration{0, time.Minute, 5 * time.Minute}

// Reasons of a repetition, as the headers and envelopes name them. For Socket
// Mode none but the timeout is known.
const (
	reasonHTTPTimeout = "http_timeout"
	reasonHTTPError   = "http_error"
	reasonConnection  = "connection_failed"
	reasonTimeout     = "timeout"
)

// EventStats counts events, each once however often it was sent.
type EventStats struct {
	// Sent is how many there were.
	Sent int `json:"sent"`
	// Taken is how many the app acknowledged.
	Taken int `json:"taken"`
	// Waiting is how many are being sent again or will be.
	Waiting int `json:"waiting"`
	// Lost is how many were given up: the last repetition failed, or the app
	// wanted none.
	Lost int `json:"lost"`
	// Repeated counts the repetitions.
	Repeated int `json:"repeated"`
}

// Events tells what became of the events so far.
func (s *Server) Events() EventStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// repeat is an event that is to be sent again.
type repeat struct {
	parcel parcel
	due    time.Time // by the simulation's clock
}

// wake lets the repeater look for work.
func (s *Server) wake() {
	select {
	case s.stir <- struct{}{}:
	default:
	}
}

// settle decides after an attempt to send an event whether it is sent again.
func (s *Server) settle(out *Result) {
	s.mu.Lock()
	defer s.wake()
	defer s.mu.Unlock()
	defer s.bump()
	p := out.parcel
	first := p.retry == 0
	if first {
		s.events.Sent++
	} else {
		s.events.Waiting--
		s.events.Repeated++
	}
	switch {
	case out.UserError == "":
		s.events.Taken++
		return
	case p.retry == len(repeatAfter), s.cfg.NoEventRetries, out.Header.Get("X-Slack-No-Retry") == "1":
		s.events.Lost++
		return
	}
	switch {
	case out.Connection != "" || out.Status == 0 && s.socketMode:
		p.reason = reasonTimeout
	case out.TimedOut:
		p.reason = reasonHTTPTimeout
	case out.Status == 0:
		p.reason = reasonConnection
	default:
		p.reason = reasonHTTPError
	}
	s.events.Waiting++
	s.repeats = append(s.repeats, repeat{parcel: p.again(), due: s.clock.Now().Add(repeatAfter[p.retry])})
}

// again is the parcel's next repetition.
func (p parcel) again() parcel {
	p.retry++
	return p
}

// runRepeats sends events again until the simulation is closed.
func (s *Server) runRepeats() {
	for {
		due, rest := s.takeDue()
		for _, r := range due {
			s.work.Go(func() { s.sendAgain(r) })
		}
		timer := time.NewTimer(rest)
		select {
		case <-s.life.Done():
			timer.Stop()
			return
		case <-s.stir:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// takeDue takes what is to be sent now, and tells when to look again at the
// latest; a moved clock, a new event and a new connection come earlier. While
// Socket Mode has no connection, everything waits for one.
func (s *Server) takeDue() (due []repeat, rest time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest = time.Hour
	if s.socketMode && !slices.ContainsFunc(s.sockets, func(c *socket) bool { return c.ready && !c.leaving }) {
		return nil, rest
	}
	now := s.clock.Now()
	s.repeats = slices.DeleteFunc(s.repeats, func(r repeat) bool {
		if wait := r.due.Sub(now); wait > 0 {
			rest = min(rest, wait)
			return false
		}
		due = append(due, r)
		return true
	})
	return due, rest
}

func (s *Server) sendAgain(r repeat) {
	out, err := s.deliver(s.life, r.parcel)
	if s.life.Err() != nil {
		return
	}
	if err == nil && errors.Is(out.Err, ErrNoConnection) {
		// The last connection went in between: this was no attempt.
		s.mu.Lock()
		s.repeats = append(s.repeats, r)
		s.mu.Unlock()
		s.wake()
		return
	}
	if err != nil {
		// The app's address was taken away in the meantime.
		out = &Result{Endpoint: r.parcel.to, parcel: r.parcel, Header: http.Header{}, UserError: userErrorDispatch, Err: err}
	}
	s.settle(out)
}
