package discordsim

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// gatewaySession is what IDENTIFY starts and RESUME goes on with.
type gatewaySession struct {
	id         string
	shard, of  int
	intents    int
	seq        int64 // of the last dispatch.
	acked      int64 // the last one that a heartbeat named.
	log        []sentDispatch
	conn       *gatewayConn // nil while nobody is connected.
	started    time.Time
	detached   time.Time
	resumes    int
	resumeHere int // of these, over resume_gateway_url.
}

type sentDispatch struct {
	seq  int64
	data []byte
}

// shardOf returns the shard of a guild among n; a direct message has none and
// goes to shard 0, https://discord.com/developers/docs/events/gateway#sharding.
func shardOf(guildID string, n int) int {
	if guildID == "" {
		return 0
	}
	return int((snowflakeNumber(guildID) >> 22) % uint64(n))
}

// receive handles one payload of a client. The caller holds the lock.
func (s *Server) receive(c *gatewayConn, kind int, data []byte) {
	if c.isFrozen() || c.isClosing() {
		return // Nobody hears it.
	}
	if kind != websocket.TextMessage || len(data) > maxPayload {
		s.hangUpSocket(c, CloseDecodeError)
		return
	}
	var in struct {
		Op   *int            `json:"op"`
		Data json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Op == nil {
		s.hangUpSocket(c, CloseDecodeError)
		return
	}
	if !s.maySend(c, *in.Op) {
		s.hangUpSocket(c, CloseRateLimited)
		return
	}
	switch *in.Op {
	case opHeartbeat:
		s.heartbeat(c, in.Data)
	case opIdentify:
		s.logFrame(FromBot, "IDENTIFY", data)
		s.gw.stats.Identifies++
		s.identify(c, in.Data)
	case opResume:
		s.logFrame(FromBot, "RESUME", data)
		s.gw.stats.Resumes++
		s.resume(c, in.Data)
	case opPresence, opVoiceState, opMembers, opSoundboard:
		// Taken, and nobody sees it.
		if c.session == nil {
			s.hangUpSocket(c, CloseNotAuthenticated)
		}
	default:
		s.hangUpSocket(c, CloseUnknownOpcode)
	}
}

// maySend counts what a connection sends,
// https://discord.com/developers/docs/events/gateway#rate-limiting.
func (s *Server) maySend(c *gatewayConn, code int) bool {
	if code == opHeartbeat && time.Since(c.beat) >= s.gw.cfg.Heartbeat/2 {
		return true
	}
	now := s.clock.Now()
	c.sends = slices.DeleteFunc(c.sends, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	c.sends = append(c.sends, now)
	return len(c.sends) <= s.gw.cfg.SendsPerMinute
}

func (s *Server) heartbeat(c *gatewayConn, data json.RawMessage) {
	var seq *int64
	if len(data) > 0 && json.Unmarshal(data, &seq) != nil {
		s.hangUpSocket(c, CloseDecodeError)
		return
	}
	if c.session != nil && seq != nil {
		c.session.acked = *seq
	}
	c.beat = time.Now()
	_ = c.ws.NetConn().SetReadDeadline(c.beat.Add(s.gw.cfg.HeartbeatTimeout))
	s.gw.stats.Heartbeats++
	s.touch()
	c.push(op(opAck, nil))
}

// identify starts a session,
// https://discord.com/developers/docs/events/gateway-events#identify.
func (s *Server) identify(c *gatewayConn, data json.RawMessage) {
	var in struct {
		Token      *string        `json:"token"`
		Properties map[string]any `json:"properties"`
		Compress   bool           `json:"compress"`
		Shard      *[]int         `json:"shard"`
		Intents    *int           `json:"intents"`
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Token == nil || in.Properties == nil {
		s.hangUpSocket(c, CloseDecodeError)
		return
	}
	if c.session != nil {
		s.hangUpSocket(c, CloseAlreadyAuthenticated)
		return
	}
	if !s.knows(*in.Token) {
		s.hangUpSocket(c, CloseAuthenticationFailed)
		return
	}
	shard, of := 0, 1
	if in.Shard != nil {
		if len(*in.Shard) != 2 {
			s.hangUpSocket(c, CloseInvalidShard)
			return
		}
		shard, of = (*in.Shard)[0], (*in.Shard)[1]
	}
	if s.countStart() {
		// Too many in 24 hours end all sessions and reset the token.
		s.revoke()
		return
	}
	switch {
	case of < 1 || shard < 0 || shard >= of:
		s.hangUpSocket(c, CloseInvalidShard)
		return
	case in.Intents == nil || *in.Intents < 0 || *in.Intents&^knownIntents != 0:
		s.hangUpSocket(c, CloseInvalidIntents)
		return
	case *in.Intents&privileged&^s.gw.cfg.PrivilegedIntents != 0:
		s.hangUpSocket(c, CloseDisallowedIntents)
		return
	case len(s.guildsOf(shard, of)) > s.gw.cfg.GuildsPerShard:
		s.hangUpSocket(c, CloseShardingRequired)
		return
	}
	now, bucket := s.clock.Now(), shard%s.gw.cfg.MaxConcurrency
	if last, seen := s.gw.identified[bucket]; seen && now.Sub(last) < s.gw.cfg.IdentifyEvery {
		s.gw.stats.IdentifiesTooSoon++
		c.push(op(opInvalidSession, false))
		return
	}
	s.gw.identified[bucket] = now

	secret := make([]byte, 16)
	// Read of crypto/rand never fails.
	_, _ = rand.Read(secret)
	sess := &gatewaySession{
		id: hex.EncodeToString(secret), shard: shard, of: of, intents: *in.Intents, conn: c, started: now,
	}
	c.session, c.compress = sess, in.Compress
	s.gw.sessions[sess.id] = sess
	s.gw.order = append(s.gw.order, sess)
	s.gw.stats.Started++
	s.sendTo(sess, "READY", encode(s.readyEvent(sess, c.version)))
	if sess.intents&intentGuilds != 0 {
		for _, id := range s.guildsOf(shard, of) {
			if !s.guilds[id].unavailable {
				s.sendTo(sess, "GUILD_CREATE", encode(s.guildCreate(s.guilds[id])))
			}
		}
	}
	s.touch()
}

// resume goes on with a session that lost its connection,
// https://discord.com/developers/docs/events/gateway#resuming.
func (s *Server) resume(c *gatewayConn, data json.RawMessage) {
	var in struct {
		Token     *string `json:"token"`
		SessionID *string `json:"session_id"`
		Seq       *int64  `json:"seq"`
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Token == nil || in.SessionID == nil || in.Seq == nil {
		s.hangUpSocket(c, CloseDecodeError)
		return
	}
	if c.session != nil {
		s.hangUpSocket(c, CloseAlreadyAuthenticated)
		return
	}
	if !s.knows(*in.Token) {
		s.hangUpSocket(c, CloseAuthenticationFailed)
		return
	}
	s.forgetSessions()
	sess := s.gw.sessions[*in.SessionID]
	if sess == nil {
		s.gw.stats.ResumesRefused++
		c.push(op(opInvalidSession, false))
		return
	}
	if *in.Seq < 0 || *in.Seq > sess.seq {
		s.gw.stats.ResumesRefused++
		s.endSession(sess)
		s.hangUpSocket(c, CloseInvalidSeq)
		return
	}
	if len(sess.log) > 0 && *in.Seq < sess.log[0].seq-1 { // More was missed than is kept.
		s.gw.stats.ResumesRefused++
		s.endSession(sess)
		c.push(op(opInvalidSession, false))
		return
	}
	if old := sess.conn; old != nil {
		old.session = nil
		old.cut()
	}
	sess.conn, c.session = c, sess
	sess.resumes++
	if c.resumed {
		sess.resumeHere++
	} else {
		s.gw.stats.ResumedElsewhere++
	}
	s.gw.stats.Resumed++
	for _, d := range sess.log {
		if d.seq > *in.Seq {
			s.gw.stats.Replayed++
			c.push(d.data)
		}
	}
	s.sendTo(sess, "RESUMED", encode(object{"_trace": []any{"simulated"}}))
	s.touch()
}

// sendTo dispatches an event to one session, now or when it resumes.
func (s *Server) sendTo(sess *gatewaySession, event string, data json.RawMessage) {
	sess.seq++
	frame := encode(payload{Type: &event, Seq: &sess.seq, Op: opDispatch, Data: data})
	sess.log = append(sess.log, sentDispatch{seq: sess.seq, data: frame})
	if over := len(sess.log) - s.gw.cfg.ReplayLimit; over > 0 {
		sess.log = slices.Delete(sess.log, 0, over)
	}
	s.gw.stats.Dispatches++
	if sess.conn != nil {
		sess.conn.push(frame)
	}
}

// broadcast dispatches an event of a guild ("" for a direct channel) to every
// session of its shard that asked for it, and returns how many there are.
// intents is 0 for events that need none.
func (s *Server) broadcast(guildID, event string, intents int, data any) int {
	return s.broadcastIf(guildID, event, func() any { return data }, func(asked int) bool { return asked&intents == intents })
}

// broadcastIf dispatches to the sessions of a guild's shard whose intents will
// do; the event is built only when there is one.
func (s *Server) broadcastIf(guildID, event string, data func() any, will func(asked int) bool) int {
	s.forgetSessions()
	raw, n := json.RawMessage(nil), 0
	for _, sess := range s.gw.order {
		if shardOf(guildID, sess.of) != sess.shard || !will(sess.intents) {
			continue
		}
		if raw == nil {
			raw = encode(data())
		}
		s.sendTo(sess, event, raw)
		n++
	}
	if n > 0 {
		s.logFrame(ToBot, event, raw)
	}
	return n
}

// knows reports whether a token is the bot's, with or without "Bot ".
func (s *Server) knows(token string) bool {
	return !s.revoked.Load() && strings.TrimPrefix(token, "Bot ") == s.cfg.BotToken
}

// hangUpSocket closes a connection by a code after what is queued. The caller
// holds the lock.
func (s *Server) hangUpSocket(c *gatewayConn, code int) {
	if c.isClosing() {
		return
	}
	s.gw.stats.Closes[code]++
	if c.session != nil {
		if endsSession(code) {
			s.endSession(c.session)
		} else {
			s.detach(c)
		}
	}
	c.enqueue(outFrame{code: code})
	s.touch()
}

// clientLeft notes how a connection ended. 1000 and 1001 end the session,
// https://discord.com/developers/docs/events/gateway#initiating-a-disconnect.
func (s *Server) clientLeft(c *gatewayConn, err error) {
	code := websocket.CloseAbnormalClosure
	var ce *websocket.CloseError
	if errors.As(err, &ce) && !c.isFrozen() {
		code = ce.Code
	}
	if !c.isClosing() {
		s.gw.stats.ClientCloses[code]++
	}
	if c.session == nil {
		return
	}
	if code == websocket.CloseNormalClosure || code == websocket.CloseGoingAway {
		s.endSession(c.session)
		return
	}
	s.detach(c)
}

// detach leaves the session of a connection for a RESUME.
func (s *Server) detach(c *gatewayConn) {
	c.session.conn, c.session.detached = nil, s.clock.Now()
	c.session = nil
}

// endSession forgets a session; its connection, if any, has to identify.
func (s *Server) endSession(sess *gatewaySession) {
	if sess.conn != nil {
		sess.conn.session = nil
		sess.conn = nil
	}
	delete(s.gw.sessions, sess.id)
	s.gw.order = slices.DeleteFunc(s.gw.order, func(o *gatewaySession) bool { return o == sess })
}

// forgetSessions ends the sessions that nobody resumed in time.
func (s *Server) forgetSessions() {
	now := s.clock.Now()
	for _, sess := range slices.Clone(s.gw.order) {
		if sess.conn == nil && now.Sub(sess.detached) >= s.gw.cfg.ResumeWithin {
			s.endSession(sess)
		}
	}
}

// logFrame notes a payload in the wire log.
func (s *Server) logFrame(direction, event string, data []byte) {
	s.record(Exchange{
		At: s.clock.Now(), Direction: direction, Method: "GATEWAY", Path: event, Request: string(bytes.TrimSpace(data)),
	})
}

// revoke ends all sessions; from now on the token is a stranger's.
func (s *Server) revoke() {
	s.revoked.Store(true)
	for c := range s.gw.conns {
		s.hangUpSocket(c, CloseAuthenticationFailed)
	}
	for _, sess := range slices.Clone(s.gw.order) {
		s.endSession(sess)
	}
	s.touch()
}

// guildsOf returns the ids of the bot's guilds in a shard, in order.
func (s *Server) guildsOf(shard, of int) []string {
	return slices.DeleteFunc(sortedKeys(s.guilds), func(id string) bool { return shardOf(id, of) != shard })
}
