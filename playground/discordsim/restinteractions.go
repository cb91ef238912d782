package discordsim

import "net/http"

// postCallback is the first answer by REST,
// https://discord.com/developers/docs/interactions/receiving-and-responding#create-interaction-response.
func (s *Server) postCallback(c *call) (answer, *apiError) {
	it := s.interactions[c.args["interaction"]]
	if it == nil || it.token != c.args["token"] {
		return refuse(errUnknownInteraction())
	}
	files, e := s.fileSet(c.files, it.channel.ID)
	if e != nil {
		return refuse(e)
	}
	if e := s.acknowledge(it, c.body, files); e != nil {
		return refuse(e)
	}
	if c.r.URL.Query().Get("with_response") != "true" {
		return noContent()
	}
	about := object{"id": it.id, "type": it.kind, "channel_id": it.channel.ID}
	if it.channel.GuildID != "" {
		about["guild_id"] = it.channel.GuildID
	}
	out := object{"interaction": about}
	if m := s.messages[it.original]; m != nil {
		about["response_message_id"] = m.id
		about["response_message_loading"] = m.flags&FlagLoading != 0
		about["response_message_ephemeral"] = m.flags&FlagEphemeral != 0
		// A deferral has no resource to show.
		if it.callback == CallbackMessage || it.callback == CallbackUpdate {
			out["resource"] = object{"type": it.callback, "message": s.messageObject(m)}
		}
	}
	return answer{status: http.StatusOK, body: out}, nil
}

// hook finds the interaction of a webhook route. Before the first answer
// there is no webhook yet.
func (s *Server) hook(c *call) (*interaction, *apiError) {
	if c.args["app"] != s.cfg.ApplicationID {
		return nil, errUnknownWebhook()
	}
	it := s.byToken[c.args["token"]]
	switch {
	case it == nil, it.state != stateAnswered, it.kind == interactionAutocomplete:
		return nil, errUnknownWebhook()
	case s.clock.Now().Sub(it.created) >= TokenLifetime:
		return nil, errInvalidWebhookToken()
	}
	return it, nil
}

// hookMessage finds a message that an interaction's token may touch.
func (s *Server) hookMessage(c *call) (*message, *apiError) {
	it, e := s.hook(c)
	if e != nil {
		return nil, e
	}
	id := c.args["message"]
	if id == "@original" {
		id = it.original
	}
	m := s.messages[id]
	if m == nil || id != it.original && str(m.meta, "id") != it.id {
		return nil, errUnknownMessage()
	}
	return m, nil
}

// postFollowup sends a further message. Right after a deferral it edits the
// waiting message instead, whose ephemeral state stays,
// https://discord.com/developers/docs/interactions/receiving-and-responding#create-followup-message.
func (s *Server) postFollowup(c *call) (answer, *apiError) {
	it, e := s.hook(c)
	if e != nil {
		return refuse(e)
	}
	body, e := c.object()
	if e != nil {
		return refuse(e)
	}
	files, e := s.fileSet(c.files, it.channel.ID)
	if e != nil {
		return refuse(e)
	}
	in, e := readMessage(newForm(), body, nil, files)
	if e != nil {
		return refuse(e)
	}
	if m := s.messages[it.original]; m != nil && m.flags&FlagLoading != 0 {
		s.apply(m, in)
		return ok(s.messageObject(m))
	}
	if e := it.limitFollowups(); e != nil {
		return refuse(e)
	}
	return ok(s.messageObject(s.respond(it, in, in.flags&^FlagLoading)))
}

func (s *Server) getHookMessage(c *call) (answer, *apiError) { return s.showFound(s.hookMessage(c)) }

func (s *Server) patchHookMessage(c *call) (answer, *apiError) {
	m, e := s.hookMessage(c)
	return s.editFound(c, m, e)
}

func (s *Server) deleteHookMessage(c *call) (answer, *apiError) {
	return s.dropFound(s.hookMessage(c))
}
