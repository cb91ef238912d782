package discordsim

import (
	"maps"
	"slices"
	"time"
)

// GatewayStats counts what happened at the gateway since the start.
type GatewayStats struct {
	// Open connections now, the most at one time, and all there were.
	Open, MostOpen, Connections int
	// Identifies and Resumes count what bots sent (op 2, op 6), Started and
	// Resumed what was granted.
	Identifies, Started, Resumes, Resumed int
	// IdentifiesTooSoon were refused by op 9 for max_concurrency, and
	// ResumesRefused by op 9 or 4007.
	IdentifiesTooSoon, ResumesRefused int
	// ResumedElsewhere came over another URL than resume_gateway_url.
	ResumedElsewhere int
	// StartsLeft is session_start_limit.remaining.
	StartsLeft int
	Heartbeats int
	// Dispatches counts events given to sessions, Interactions those of them
	// that are INTERACTION_CREATE, and Replayed what a RESUME sent again.
	Dispatches, Interactions, Replayed int
	// Reconnects and Invalidations count op 7 and op 9 on order, Dropped and
	// Frozen the connections cut and stopped on order.
	Reconnects, Invalidations, Dropped, Frozen int
	// Closes counts the connections that the gateway closed, by code, and
	// ClientCloses those that the bot closed; 1006 is the end without a close
	// frame, also of those dropped on order.
	Closes, ClientCloses map[int]int
}

// GatewaySession describes a session.
type GatewaySession struct {
	ID string
	// Shard is [shard id, number of shards].
	Shard   [2]int
	Intents int
	// Connected is false while the session waits for a RESUME.
	Connected bool
	Frozen    bool
	// Seq is the number of the last dispatch, Acked that of the last one
	// which a heartbeat named.
	Seq, Acked int64
	// Resumes counts the RESUMEs; AtResumeURL those over resume_gateway_url.
	Resumes, AtResumeURL int
	Started              time.Time
}

// Gateway is the gateway of a simulated Discord, for tests. Where a method
// takes the id of a session, "" means all of them, and the number returned is
// how many it happened to: a test has to look whether it is as expected.
type Gateway struct{ s *Server }

// Gateway returns the gateway. It takes connections at all times; interactions
// leave over it while no interactions endpoint is set, see SetInteractionsURL.
//
// To refuse GET /gateway and /gateway/bot, order a Fault on "/gateway/**"; to
// refuse, delay or break handshakes, one on "/socket/**".
func (s *Server) Gateway() Gateway { return Gateway{s: s} }

// Stats returns what was counted.
func (g Gateway) Stats() GatewayStats {
	s := g.s
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.gw.stats
	st.Open = len(s.gw.conns)
	st.StartsLeft, _ = s.startsLeft()
	st.Closes, st.ClientCloses = maps.Clone(st.Closes), maps.Clone(st.ClientCloses)
	return st
}

// Sessions returns the sessions, connected and waiting for a RESUME, in the
// order in which they were started.
func (g Gateway) Sessions() []GatewaySession {
	s := g.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetSessions()
	out := make([]GatewaySession, 0, len(s.gw.order))
	for _, sess := range s.gw.order {
		out = append(out, GatewaySession{
			ID: sess.id, Shard: [2]int{sess.shard, sess.of}, Intents: sess.intents, Connected: sess.conn != nil,
			Frozen: sess.conn != nil && sess.conn.isFrozen(), Seq: sess.seq, Acked: sess.acked,
			Resumes: sess.resumes, AtResumeURL: sess.resumeHere, Started: sess.started,
		})
	}
	return out
}

// Ready reports whether a bot listens to every shard: for one number of
// shards each has a session that is connected and not frozen.
func (g Gateway) Ready() bool {
	s := g.s
	s.mu.Lock()
	defer s.mu.Unlock()
	have := map[int]map[int]bool{}
	for _, sess := range s.gw.order {
		if sess.conn == nil || sess.conn.isFrozen() {
			continue
		}
		if have[sess.of] == nil {
			have[sess.of] = map[int]bool{}
		}
		have[sess.of][sess.shard] = true
		if len(have[sess.of]) == sess.of {
			return true
		}
	}
	return false
}

// each does something to the connected sessions that are meant.
func (g Gateway) each(id string, do func(*Server, *gatewaySession)) int {
	s := g.s
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, sess := range slices.Clone(s.gw.order) {
		if sess.conn != nil && (id == "" || id == sess.id) {
			do(s, sess)
			n++
		}
	}
	if n > 0 {
		s.touch()
	}
	return n
}

// Drop cuts a connection without a close frame. The session waits for a RESUME.
func (g Gateway) Drop(id string) int {
	return g.each(id, func(s *Server, sess *gatewaySession) {
		s.gw.stats.Dropped++
		c := sess.conn
		s.detach(c)
		c.cut()
	})
}

// Freeze makes a zombie of a connection: it stays open, but nothing is sent,
// acknowledged or heard, until Thaw or until the bot gives it up. What is
// dispatched meanwhile is kept for the RESUME.
func (g Gateway) Freeze(id string) int {
	return g.each(id, func(s *Server, sess *gatewaySession) {
		if sess.conn.isFrozen() {
			return
		}
		s.gw.stats.Frozen++
		sess.conn.freeze(true)
		_ = sess.conn.ws.NetConn().SetReadDeadline(time.Time{})
	})
}

// Thaw ends Freeze: what was held back is sent.
func (g Gateway) Thaw(id string) int {
	return g.each(id, func(s *Server, sess *gatewaySession) {
		sess.conn.freeze(false)
		_ = sess.conn.ws.NetConn().SetReadDeadline(time.Now().Add(s.gw.cfg.HeartbeatTimeout))
	})
}

// AskReconnect sends op 7: the bot has to reconnect and resume.
func (g Gateway) AskReconnect(id string) int {
	return g.each(id, func(s *Server, sess *gatewaySession) {
		s.gw.stats.Reconnects++
		sess.conn.push(op(opReconnect, nil))
	})
}

// AskHeartbeat sends op 1: the bot has to send a heartbeat at once.
func (g Gateway) AskHeartbeat(id string) int {
	return g.each(id, func(_ *Server, sess *gatewaySession) { sess.conn.push(op(opHeartbeat, nil)) })
}

// Invalidate sends op 9. A resumable session waits for a RESUME, on this
// connection or another; otherwise it is over and the bot has to identify.
func (g Gateway) Invalidate(id string, resumable bool) int {
	return g.each(id, func(s *Server, sess *gatewaySession) {
		s.gw.stats.Invalidations++
		c := sess.conn
		if resumable {
			s.detach(c)
		} else {
			s.endSession(sess)
		}
		c.push(op(opInvalidSession, resumable))
	})
}

// Close closes a connection by a code, see the constants Close….
func (g Gateway) Close(id string, code int) int {
	return g.each(id, func(s *Server, sess *gatewaySession) { s.hangUpSocket(sess.conn, code) })
}

// Dispatch sends any event to the sessions of a guild's shard ("" for direct
// messages: shard 0), connected or waiting, whatever their intents.
func (g Gateway) Dispatch(guildID, event string, data any) int {
	s := g.s
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broadcast(guildID, event, 0, data)
}

// SetTokenRevoked takes the bot's token away, or gives it back: 401 for every
// request, 4004 at the gateway, whose sessions end.
func (s *Server) SetTokenRevoked(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.revoke()
		return
	}
	s.revoked.Store(false)
	s.gw.starts = 0
}
