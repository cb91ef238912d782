package slacksim

import (
	"encoding/base64"
	"slices"
	"strings"
)

// historyDefault and historyMax bound one page of messages.
// https://docs.slack.dev/reference/methods/conversations.history/
const (
	historyDefault = 100
	historyMax     = 999
)

// conversationsOpen answers
// https://docs.slack.dev/reference/methods/conversations.open/ for one person.
func (s *Server) conversationsOpen(a args) (reply, *apiError) {
	var c *channel
	switch users := a.str("users"); {
	case a.str("channel") != "":
		c = s.channels[a.str("channel")]
		if c == nil || !c.IM {
			return nil, fail("channel_not_found")
		}
	case users == "":
		return nil, fail("users_list_not_supplied")
	case strings.Contains(users, ","):
		return nil, fail("method_not_supported_for_channel_type")
	default:
		u := s.users[users]
		switch {
		case u == nil:
			return nil, fail("user_not_found")
		case u.Deleted:
			return nil, fail("user_disabled")
		case u.Bot:
			return nil, fail("cannot_dm_bot")
		}
		c = s.dm(u.ID)
	}
	out := reply{"channel": map[string]any{"id": c.ID}}
	if a.flag("return_im") {
		out["channel"] = s.apiChannel(c)
	}
	if c.opened {
		out["no_op"], out["already_open"] = true, true
	}
	c.opened = true
	s.bump()
	return out, nil
}

func (s *Server) apiChannel(c *channel) map[string]any {
	out := map[string]any{
		"id": c.ID, "created": 1700000000, "is_archived": c.Archived, "is_im": c.IM, "is_mpim": false, "is_org_shared": false,
		"context_team_id": s.cfg.TeamID, "updated": 1700000000000,
	}
	if c.IM {
		out["user"], out["is_open"] = c.User, c.opened
		return out
	}
	out["name"], out["name_normalized"] = c.Name, c.Name
	out["is_channel"], out["is_group"], out["is_private"] = !c.Private, c.Private, c.Private
	out["is_member"], out["is_general"] = c.has(s.cfg.BotUserID), false
	out["is_shared"], out["is_ext_shared"], out["is_pending_ext_shared"], out["pending_shared"] = false, false, false, []any{}
	out["creator"], out["unlinked"], out["parent_conversation"], out["previous_names"] = SlackbotID, 0, nil, []any{}
	for _, words := range []string{"topic", "purpose"} {
		out[words] = map[string]any{"value": "", "creator": "", "last_set": 0}
	}
	return out
}

// scope names what a token needs to do verb in the channel, such as im:read.
func (c *channel) scope(verb string) string {
	switch {
	case c.IM:
		return "im:" + verb
	case c.Private:
		return "groups:" + verb
	default:
		return "channels:" + verb
	}
}

// visible finds a channel that the bot may know of.
func (s *Server) visible(id string) *channel {
	c := s.channels[id]
	if c == nil || (c.Private && !c.has(s.cfg.BotUserID)) {
		return nil
	}
	return c
}

// conversationsInfo answers
// https://docs.slack.dev/reference/methods/conversations.info/
func (s *Server) conversationsInfo(a args) (reply, *apiError) {
	c, refused := s.readable(a)
	if refused != nil {
		return nil, refused
	}
	out := s.apiChannel(c)
	if a.flag("include_num_members") && !c.IM {
		out["num_members"] = len(c.Members)
	}
	if a.flag("include_locale") {
		out["locale"] = "en-US"
	}
	return reply{"channel": out}, nil
}

// conversationsHistory answers
// https://docs.slack.dev/reference/methods/conversations.history/
func (s *Server) conversationsHistory(a args) (reply, *apiError) {
	c := s.visible(a.str("channel"))
	if c == nil {
		return nil, fail("channel_not_found")
	}
	if need := c.scope("history"); !s.scoped(need) {
		return nil, &apiError{code: "missing_scope", needed: need}
	}
	if !c.has(s.cfg.BotUserID) {
		return nil, fail("not_in_channel")
	}
	limit := a.number("limit", historyDefault)
	if limit < 1 || limit > historyMax {
		return nil, fail("invalid_limit")
	}
	oldest, latest, inclusive := a.str("oldest"), a.str("latest"), a.flag("inclusive")
	if cursor := a.str("cursor"); cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		next, ok := strings.CutPrefix(string(raw), "next_ts:")
		if err != nil || !ok {
			return nil, fail("invalid_cursor")
		}
		latest, inclusive = next, true
	}
	list, more := []map[string]any{}, ""
	for _, m := range slices.Backward(c.messages) {
		switch {
		case m.Ephemeral || m.Deleted || (m.ThreadTS != "" && m.ThreadTS != m.TS):
			continue
		case latest != "" && (later(m.TS, latest) || (m.TS == latest && !inclusive)):
			continue
		case oldest != "" && (later(oldest, m.TS) || (m.TS == oldest && !inclusive)):
			continue
		}
		if len(list) == limit {
			more = m.TS
			break
		}
		list = append(list, s.apiMessage(m, a.flag("include_all_metadata")))
	}
	out := reply{"messages": list, "has_more": more != "", "pin_count": 0}
	if more != "" {
		out["response_metadata"] = map[string]any{"next_cursor": base64.StdEncoding.EncodeToString([]byte("next_ts:" + more))}
	}
	return out, nil
}

// later compares two timestamps, of which the whole part may have any length.
func later(a, b string) bool {
	wholeA, restA, _ := strings.Cut(a, ".")
	wholeB, restB, _ := strings.Cut(b, ".")
	if len(wholeA) != len(wholeB) {
		return len(wholeA) > len(wholeB)
	}
	if wholeA != wholeB {
		return wholeA > wholeB
	}
	return (restA + "000000")[:6] > (restB + "000000")[:6]
}
