package discordsim

import (
	"encoding/json"
	"slices"
	"strconv"
)

func (s *Server) postMessage(c *call) (answer, *apiError) {
	ch, e := s.visible(c.args["channel"])
	if e != nil {
		return refuse(e)
	}
	if ch.ReadOnly {
		return refuse(errMissingPermissions())
	}
	if u := s.users[ch.recipient]; u != nil && u.dmsClosed {
		return refuse(errCannotDM())
	}
	body, e := c.object()
	if e != nil {
		return refuse(e)
	}
	files, e := s.fileSet(c.files, ch.ID)
	if e != nil {
		return refuse(e)
	}
	in, e := readMessage(newForm(), body, nil, files)
	if e != nil {
		return refuse(e)
	}
	now, key := s.clock.Now(), nonceKey(in.nonce)
	if in.enforceNonce && key != "" {
		if first, ok := s.nonces[key]; ok && now.Sub(first.at) < NonceWindow {
			if m := s.messages[first.messageID]; m != nil {
				return withNonce(s.messageObject(m), in.nonce)
			}
		}
	}
	m := &message{
		channelID: ch.ID, kind: messageDefault, content: in.content, embeds: in.embeds, components: in.components,
		// The ephemeral flag is for interactions: Discord ignores it here.
		flags:    in.flags & (FlagSuppressEmbeds | FlagSuppressNotifications | FlagComponentsV2),
		mentions: mentionedUsers(in.content), attachments: in.attachments, nonce: in.nonce,
	}
	s.storeMessage(m)
	if key != "" {
		s.nonces[key] = nonceUse{messageID: m.id, at: now}
	}
	return withNonce(s.messageObject(m), in.nonce)
}

// withNonce adds the nonce, which Discord shows in the answer to its sender only.
func withNonce(m object, nonce any) (answer, *apiError) {
	if nonce != nil {
		m["nonce"] = nonce
	}
	return ok(m)
}

func nonceKey(nonce any) string {
	switch n := nonce.(type) {
	case string:
		return n
	case json.Number:
		return n.String()
	}
	return ""
}

// getMessages lists newest first,
// https://discord.com/developers/docs/resources/message#get-channel-messages.
func (s *Server) getMessages(c *call) (answer, *apiError) {
	ch, e := s.visible(c.args["channel"])
	if e != nil {
		return refuse(e)
	}
	limit, e := queryInt(c.r, "limit", 50, 1, 100)
	if e != nil {
		return refuse(e)
	}
	q := c.r.URL.Query()
	before, after := snowflakeNumber(q.Get("before")), snowflakeNumber(q.Get("after"))
	var chosen []*message
	for _, m := range ch.messages {
		id := snowflakeNumber(m.id)
		if m.onlyFor == "" && (before == 0 || id < before) && id > after {
			chosen = append(chosen, m)
		}
	}
	if n := len(chosen); n > limit {
		if after > 0 {
			chosen = chosen[:limit]
		} else {
			chosen = chosen[n-limit:]
		}
	}
	list := make([]any, 0, len(chosen))
	for _, m := range slices.Backward(chosen) {
		list = append(list, s.legible(m))
	}
	return ok(list)
}

func snowflakeNumber(id string) uint64 {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// find returns a message that the bot can reach through its channel.
func (s *Server) find(c *call) (*message, *apiError) {
	ch, e := s.visible(c.args["channel"])
	if e != nil {
		return nil, e
	}
	m := s.messages[c.args["message"]]
	if m == nil || m.channelID != ch.ID || m.onlyFor != "" {
		return nil, errUnknownMessage()
	}
	return m, nil
}

func (s *Server) getMessage(c *call) (answer, *apiError) { return s.showFound(s.find(c)) }

func (s *Server) patchMessage(c *call) (answer, *apiError) {
	m, e := s.find(c)
	if e == nil && m.author != "" {
		e = errNotAuthor()
	}
	return s.editFound(c, m, e)
}

// deleteMessage deletes the bot's own: it may not manage those of others.
func (s *Server) deleteMessage(c *call) (answer, *apiError) {
	m, e := s.find(c)
	if e == nil && m.author != "" {
		e = errMissingPermissions()
		if s.channels[m.channelID].kind == channelDM {
			e = errNotInDM()
		}
	}
	return s.dropFound(m, e)
}

// showFound, editFound and dropFound go on after a message was looked for,
// whichever route it was looked for by.
func (s *Server) showFound(m *message, e *apiError) (answer, *apiError) {
	if e != nil {
		return refuse(e)
	}
	return ok(s.legible(m))
}

// legible is a message as far as the bot may read it.
func (s *Server) legible(m *message) any {
	o := s.messageObject(m)
	if !s.readable(m, s.gw.cfg.PrivilegedIntents) {
		return hollow(o)
	}
	return o
}

func (s *Server) editFound(c *call, m *message, e *apiError) (answer, *apiError) {
	if e != nil {
		return refuse(e)
	}
	body, e := c.object()
	if e != nil {
		return refuse(e)
	}
	files, e := s.fileSet(c.files, m.channelID)
	if e != nil {
		return refuse(e)
	}
	in, e := readMessage(newForm(), body, m, files)
	if e != nil {
		return refuse(e)
	}
	s.apply(m, in)
	return ok(s.messageObject(m))
}

func (s *Server) dropFound(m *message, e *apiError) (answer, *apiError) {
	if e != nil {
		return refuse(e)
	}
	s.dropMessage(m)
	return noContent()
}
