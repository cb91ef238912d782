package slacksim

import (
	"regexp"
	"slices"
	"strings"
)

// Conversations lists what a person can choose in a menu of conversations:
// public channels, whether they are in them or not, private ones that they are
// in, and their conversation with the bot. Slack does not say whether its menus
// leave out archived channels, so they are offered and an app has to be ready.
// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element/
func (s *Server) Conversations(userID string) []ChannelInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conversations(userID)
}

func (s *Server) conversations(userID string) []ChannelInfo {
	out := []ChannelInfo{}
	for _, id := range s.chanIDs {
		if c := s.channels[id]; !c.Private || c.has(userID) {
			info := c.ChannelInfo
			info.Members = slices.Clone(info.Members)
			out = append(out, info)
		}
	}
	return out
}

// kind is what a menu offers: "user", "channel" or "conversation".
func (e Element) kind() string {
	return strings.TrimSuffix(strings.TrimPrefix(e.Type, "multi_"), "s_select")
}

// offer tells each menu of a view what its person can choose there; s.mu is
// held.
func (s *Server) offer(all []Element, v *view) []Element {
	for i, e := range all {
		switch e.kind() {
		case "user":
			all[i].offered = s.offeredUsers()
		case "channel", "conversation":
			all[i].offered = s.offeredConversations(e, v.user)
		default:
			continue
		}
		begins := e.raw["default_to_current_conversation"] == true &&
			slices.ContainsFunc(all[i].offered, func(o Option) bool { return o.Value == v.from })
		if begins {
			all[i].current = v.from
		}
	}
	return all
}

func (s *Server) offeredUsers() []Option {
	out := []Option{}
	for _, id := range s.userIDs {
		if u := s.users[id]; !u.Deleted {
			out = append(out, Option{Label: u.RealName, Value: u.ID})
		}
	}
	return out
}

// offeredConversations keeps to the filter of the menu.
// https://docs.slack.dev/reference/block-kit/composition-objects/conversation-filter-object/
func (s *Server) offeredConversations(e Element, userID string) []Option {
	filter, _ := e.raw["filter"].(map[string]any)
	include, restricted := filter["include"].([]any)
	out := []Option{}
	for _, c := range s.conversations(userID) {
		kind := "public"
		switch {
		case c.IM:
			kind = "im"
			c.Name = s.users[s.cfg.BotUserID].RealName
		case c.Private:
			kind = "private"
		}
		switch {
		case e.kind() == "channel" && kind != "public",
			restricted && !slices.Contains(include, any(kind)),
			kind == "im" && filter["exclude_bot_users"] == true:
		default:
			out = append(out, Option{Label: c.Name, Value: c.ID})
		}
	}
	return out
}

// idPattern is what ids of people and conversations look like.
var idPattern = regexp.MustCompile(`^[CDGUW][0-9A-Z]+$`)

// picked finds what is given among what is offered, by name. An id is taken as
// it is: what was offered to the person may be gone when the form is sent.
func (e Element) picked(given string) (id, complaint string) {
	if given == "" || e.offered == nil || idPattern.MatchString(given) {
		return given, ""
	}
	for _, o := range e.offered {
		if o.Label == strings.TrimPrefix(given, "#") {
			return o.Value, ""
		}
	}
	return given, "Choose one of the list."
}

// pickedAll does so with several, with commas between.
func (e Element) pickedAll(given string) (ids []string, complaint string) {
	ids = []string{}
	for part := range strings.SplitSeq(given, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, wrong := e.picked(part)
		if wrong != "" {
			complaint = wrong
		}
		ids = append(ids, id)
	}
	return ids, complaint
}

// Inputs lists what can be pressed or filled in in an open view, with what its
// person is offered there.
func (s *Server) Inputs(viewID string) []Element {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.views[viewID]
	if v == nil || !v.open {
		return nil
	}
	return s.offer(v.snapshot().Elements(), v)
}

// Initial is what an input holds before anybody touched it, in the form in
// which [Server.Submit] takes it.
func (e Element) Initial() string { return initial(e) }

// Offered is what can be chosen of the element.
func (e Element) Offered() []Option {
	if e.offered != nil {
		return slices.Clone(e.offered)
	}
	return slices.Clone(e.Options)
}
