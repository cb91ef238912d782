package slacksim

import (
	"context"
	"slices"
	"time"

	"github.com/laurelbot/laurel/playground/simfault"
)

// Connection is one open Socket Mode connection, as a snapshot.
type Connection struct {
	ID     string    `json:"id"`
	Opened time.Time `json:"opened"`
	// Frozen, Warned and Leaving tell what was done to it: see
	// FreezeConnections and RefreshConnections.
	Frozen  bool `json:"frozen"`
	Warned  bool `json:"warned"`
	Leaving bool `json:"leaving"`
	// Sent and Acked count the envelopes.
	Sent  int `json:"sent"`
	Acked int `json:"acked"`
}

// SocketStats counts what happened to connections since the start.
type SocketStats struct {
	// Opened is how many connections were opened overall, Most how many were
	// open at the same time.
	Opened int `json:"opened"`
	Most   int `json:"most"`
	// TurnedAway is how many were told to disconnect instead of hello: the
	// eleventh, or any while Socket Mode is off.
	TurnedAway int `json:"turned_away"`
	// LargeAcks were dropped for their size of 20 KiB or more; StrayAcks for
	// being late, unreadable, or on another connection than their envelope.
	LargeAcks int `json:"large_acks"`
	StrayAcks int `json:"stray_acks"`
}

// UseSocketMode switches Socket Mode on or off at run time, as in an app's
// settings. While it is on, nothing goes out by HTTP but VerifyURL and forged
// requests. Switching it off tells every connection link_disabled and closes
// it. Wait with WaitConnections before people act: an interaction that finds
// no connection fails as at Slack.
func (s *Server) UseSocketMode(on bool) {
	s.mu.Lock()
	s.socketMode = on
	all := slices.Clone(s.sockets)
	for _, c := range all {
		c.leaving = c.leaving || !on
	}
	s.bump()
	s.mu.Unlock()
	s.wake()
	if on {
		return
	}
	for _, c := range all {
		_ = c.disconnect(reasonDisabled, time.Second)
		c.goodbye()
	}
}

// SocketMode tells whether Socket Mode is on.
func (s *Server) SocketMode() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socketMode
}

// Connections lists the open connections that have said hello, oldest first.
func (s *Server) Connections() []Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Connection{}
	for _, c := range s.sockets {
		if c.ready {
			out = append(out, Connection{
				ID: c.id, Opened: c.opened, Frozen: c.frozen.Load(), Warned: c.warned, Leaving: c.leaving, Sent: c.sent, Acked: c.acked,
			})
		}
	}
	return out
}

// WaitConnections waits until at least n connections take payloads; those
// that are frozen or about to leave do not count. The error is the context's.
func (s *Server) WaitConnections(ctx context.Context, n int) error {
	return s.Eventually(ctx, func() bool {
		able := 0
		for _, c := range s.Connections() {
			if !c.Frozen && !c.Warned && !c.Leaving {
				able++
			}
		}
		return able >= n
	})
}

// Sockets tells what happened to connections since the start.
func (s *Server) Sockets() SocketStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socketStats
}

// chosen finds open connections by id; without ids it is all of them. s.mu is
// held.
func (s *Server) chosen(ids []string) []*socket {
	var out []*socket
	for _, c := range s.sockets {
		if c.ready && (len(ids) == 0 || slices.Contains(ids, c.id)) {
			out = append(out, c)
		}
	}
	return out
}

// DropConnections cuts connections without a close frame, all when no ids are
// given, and tells how many it cut. It returns when they are gone.
func (s *Server) DropConnections(ids ...string) int {
	s.mu.Lock()
	all := s.chosen(ids)
	s.mu.Unlock()
	for _, c := range all {
		c.cut()
		<-c.done
	}
	return len(all)
}

// FreezeConnections makes connections silent, all when no ids are given, and
// tells how many: they stay open and get their share of the payloads, but no
// ping and no payload reaches the client, and its acknowledgements are lost.
func (s *Server) FreezeConnections(ids ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.chosen(ids)
	for _, c := range all {
		c.frozen.Store(true)
	}
	s.bump()
	return len(all)
}

// RefreshConnections renews connections as Slack does every few hours, all
// when no ids are given, and tells how many: the client is warned; after
// Config.RefreshNotice it is asked to refresh and gets nothing new; once it
// has acknowledged what it has, or after another RefreshNotice, the
// connection is closed. A client that leaves earlier is not waited for.
func (s *Server) RefreshConnections(ids ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0
	}
	n := 0
	for _, c := range s.chosen(ids) {
		if c.warned || c.leaving {
			continue
		}
		c.warned = true
		n++
		s.work.Go(func() { s.refresh(c) })
	}
	s.bump()
	return n
}

func (s *Server) refresh(c *socket) {
	if c.disconnect(reasonWarning, s.cfg.AckTimeout) != nil {
		return
	}
	timer := time.NewTimer(s.cfg.RefreshNotice)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.done:
		return
	}
	s.mu.Lock()
	c.leaving = true
	s.bump()
	s.mu.Unlock()
	if c.disconnect(reasonRefresh, s.cfg.AckTimeout) != nil {
		return
	}
	within, cancel := context.WithTimeout(s.life, s.cfg.RefreshNotice)
	defer cancel()
	// Time being up is as good a reason to close as having nothing left.
	_ = s.Eventually(within, func() bool { return !s.owes(c) })
	c.goodbye()
}

// owes tells whether a connection has envelopes to acknowledge.
func (s *Server) owes(c *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, waits := range s.envelopes {
		if waits.on == c {
			return true
		}
	}
	return false
}

// DelayDelivery lets everything that goes to the app wait for d first, in
// real time and over either transport; 0 ends that. The wait is part of the
// three seconds in which the app has to answer.
func (s *Server) DelayDelivery(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// hold waits for what DelayDelivery asks, at most as long as the context.
func (s *Server) hold(ctx context.Context) {
	s.mu.Lock()
	d := s.delay
	s.mu.Unlock()
	simfault.Pause(ctx, d)
}
