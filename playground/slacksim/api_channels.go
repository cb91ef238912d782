package slacksim

import (
	"slices"
	"strings"
)

// listDefault is how many conversations or members a page holds unless asked
// otherwise. https://docs.slack.dev/reference/methods/conversations.list/
const listDefault = 100

// channelTypes are the kinds of conversation that can be listed, with the
// scope for each.
var channelTypes = map[string]string{
	"public_channel": "channels:read", "private_channel": "groups:read", "mpim": "mpim:read", "im": "im:read",
}

// kind is the conversation's name among channelTypes.
func (c *channel) kind() string {
	switch {
	case c.IM:
		return "im"
	case c.Private:
		return "private_channel"
	default:
		return "public_channel"
	}
}

// conversationsList answers
// https://docs.slack.dev/reference/methods/conversations.list/
func (s *Server) conversationsList(a args) (reply, *apiError) {
	asked := a.str("types")
	if asked == "" {
		asked = "public_channel"
	}
	types := strings.Split(strings.ReplaceAll(asked, " ", ""), ",")
	for _, kind := range types {
		need, known := channelTypes[kind]
		if !known {
			return nil, fail("invalid_types")
		}
		if !s.scoped(need) {
			return nil, &apiError{code: "missing_scope", needed: need}
		}
	}
	var ids []string
	for _, id := range s.chanIDs {
		c := s.visible(id)
		switch {
		case c == nil, !slices.Contains(types, c.kind()):
		case c.IM && !c.opened, c.Archived && a.flag("exclude_archived"):
		default:
			ids = append(ids, id)
		}
	}
	ids, next, refused := a.page(ids, "team", listDefault)
	if refused != nil {
		return nil, refused
	}
	list := make([]any, 0, len(ids))
	for _, id := range ids {
		one := s.apiChannel(s.channels[id])
		if !s.channels[id].IM {
			one["num_members"] = len(s.channels[id].Members)
		}
		list = append(list, one)
	}
	return reply{"channels": list, "response_metadata": nextCursor(next)}, nil
}

// conversationsMembers answers
// https://docs.slack.dev/reference/methods/conversations.members/
func (s *Server) conversationsMembers(a args) (reply, *apiError) {
	c, refused := s.readable(a)
	if refused != nil {
		return nil, refused
	}
	ids, next, refused := a.page(c.Members, "user", listDefault)
	if refused != nil {
		return nil, refused
	}
	return reply{"members": slices.Clone(ids), "response_metadata": nextCursor(next)}, nil
}

// conversationsJoin answers
// https://docs.slack.dev/reference/methods/conversations.join/
func (s *Server) conversationsJoin(a args) (reply, *apiError) {
	c := s.visible(a.str("channel"))
	switch {
	case c == nil:
		return nil, fail("channel_not_found")
	case c.Private:
		return nil, fail("method_not_supported_for_channel_type")
	case c.Archived:
		return nil, fail("is_archived")
	}
	out := reply{}
	if c.has(s.cfg.BotUserID) {
		out["warning"] = "already_in_channel"
	} else {
		c.Members = append(c.Members, s.cfg.BotUserID)
		s.bump()
	}
	out["channel"] = s.apiChannel(c)
	return out, nil
}

// readable finds the channel of a call that needs the scope to read it.
func (s *Server) readable(a args) (*channel, *apiError) {
	c := s.visible(a.str("channel"))
	if c == nil {
		return nil, fail("channel_not_found")
	}
	if need := c.scope("read"); !s.scoped(need) {
		return nil, &apiError{code: "missing_scope", needed: need}
	}
	return c, nil
}

// Archive archives a channel, or brings it back: it stays in lists, and
// nothing can be posted to it. Unknown channels are ignored.
func (s *Server) Archive(channelID string, archived bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[channelID]; c != nil && !c.IM {
		c.Archived = archived
		s.bump()
	}
}
