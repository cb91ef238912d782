package discordsim

import "fmt"

// announce tells of a message to the sessions that asked for such events,
// https://discord.com/developers/docs/events/gateway-events#messages. What
// one person alone sees is told to nobody. The caller holds the lock.
func (s *Server) announce(event string, m *message, data func() any) {
	ch := s.channels[m.channelID]
	if m.onlyFor != "" || ch == nil || !s.present(ch) {
		return
	}
	need := intentGuildMessages
	if ch.kind == channelDM {
		need = intentDirectMessages
	}
	plain := s.readable(m, 0)
	s.broadcastIf(ch.GuildID, event, data, func(asked int) bool {
		return asked&need != 0 && (plain || asked&intentContent != 0)
	})
	if plain {
		return
	}
	s.broadcastIf(ch.GuildID, event, func() any { return hollow(data()) }, func(asked int) bool {
		return asked&need != 0 && asked&intentContent == 0
	})
}

// readable reports whether the bot may know what a message says: its own, what
// is said to it, and with the intent for contents everything,
// https://discord.com/developers/docs/events/gateway#message-content-intent.
func (s *Server) readable(m *message, intents int) bool {
	if m.author == "" || intents&intentContent != 0 {
		return true
	}
	for _, id := range m.mentions {
		if id == s.cfg.ApplicationID {
			return true
		}
	}
	ch := s.channels[m.channelID]
	return ch != nil && ch.kind == channelDM
}

// hollow takes out of a message what only the intent for contents shows.
func hollow(v any) any {
	if m, _ := v.(object); m["content"] != nil {
		m["content"], m["embeds"], m["attachments"], m["components"] = "", []any{}, []any{}, []any{}
	}
	return v
}

// messageEvent is a message with what the gateway says more,
// https://discord.com/developers/docs/events/gateway-events#message-create.
func (s *Server) messageEvent(m *message) object {
	o := s.messageObject(m)
	ch := s.channels[m.channelID]
	o["channel_type"] = ch.kind
	if m.nonce != nil {
		o["nonce"] = m.nonce
	}
	if g := s.guilds[ch.GuildID]; g != nil {
		member := s.ownMember(g)
		if u := s.users[m.author]; u != nil {
			member = s.member(g, u)
		}
		delete(member, "user")
		o["guild_id"], o["member"] = g.ID, member
	}
	return o
}

// messageGone is https://discord.com/developers/docs/events/gateway-events#message-delete.
func (s *Server) messageGone(m *message) object {
	o := object{"id": m.id, "channel_id": m.channelID}
	if ch := s.channels[m.channelID]; ch != nil && ch.GuildID != "" {
		o["guild_id"] = ch.GuildID
	}
	return o
}

// Say writes a message as a person, in a channel or, with an empty channelID,
// in the direct channel with the bot, and returns its id. Bots hear of it over
// the gateway if they asked.
func (s *Server) Say(userID, channelID, text string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, err := s.place(userID, channelID)
	if err != nil {
		return "", fmt.Errorf("say: %w", err)
	}
	if text == "" || len([]rune(text)) > maxContent {
		return "", fmt.Errorf("say: %w", ErrBadInput)
	}
	m := &message{channelID: ch.ID, kind: messageDefault, author: userID, content: text, mentions: mentionedUsers(text)}
	s.storeMessage(m)
	return m.id, nil
}
