package slacksim

import "slices"

// SlackbotID is the author of Slack's own messages, such as a failed command.
const SlackbotID = "USLACKBOT"

// User is a person of the workspace.
type User struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	RealName string `json:"real_name"`
	// Locale is an IETF tag such as de-DE; en-US when empty.
	Locale string `json:"locale"`
	// TZ is a zone name; Etc/UTC when empty.
	TZ    string `json:"tz"`
	Email string `json:"email"`
	// Deleted marks a deactivated person.
	Deleted bool `json:"deleted"`
	Bot     bool `json:"bot"`
	// Admin and Owner are what users.info tells; an owner is an admin too.
	Admin bool `json:"admin,omitempty"`
	Owner bool `json:"owner,omitempty"`
}

// ChannelInfo is a conversation as the state views show it.
type ChannelInfo struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// IM marks the direct conversation between the bot and User.
	IM      bool   `json:"im"`
	User    string `json:"user,omitempty"`
	Private bool   `json:"private"`
	// Archived channels take no messages, see Archive.
	Archived bool     `json:"archived,omitempty"`
	Members  []string `json:"members"`
}

type channel struct {
	ChannelInfo
	opened   bool // by conversations.open or by a message
	messages []*Message
	// allowance is how many messages may still be posted, see Limits.
	allowance bucket
}

func (c *channel) has(userID string) bool { return slices.Contains(c.Members, userID) }

// AddUser adds a person, or replaces the one with the same id.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.Locale == "" {
		u.Locale = "en-US"
	}
	if u.TZ == "" {
		u.TZ = "Etc/UTC"
	}
	if u.RealName == "" {
		u.RealName = u.Name
	}
	if _, known := s.users[u.ID]; !known {
		s.userIDs = append(s.userIDs, u.ID)
	}
	s.users[u.ID] = &u
	s.bump()
}

// AddChannel adds a public channel with its members. The bot is a member only
// if its user id is among them, see Config.BotUserID and Join.
func (s *Server) AddChannel(id, name string, members ...string) {
	s.addChannel(ChannelInfo{ID: id, Name: name, Members: members})
}

// AddPrivateChannel adds a channel whose existence only members know of.
func (s *Server) AddPrivateChannel(id, name string, members ...string) {
	s.addChannel(ChannelInfo{ID: id, Name: name, Members: members, Private: true})
}

func (s *Server) addChannel(info ChannelInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info.Members = slices.Clone(info.Members)
	if _, known := s.channels[info.ID]; !known {
		s.chanIDs = append(s.chanIDs, info.ID)
	}
	s.channels[info.ID] = &channel{ChannelInfo: info}
	s.bump()
}

// Join makes someone a member of a channel; unknown channels are ignored.
func (s *Server) Join(channelID, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[channelID]; c != nil && !c.has(userID) {
		c.Members = append(c.Members, userID)
		s.bump()
	}
}

// Leave ends a membership.
func (s *Server) Leave(channelID, userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[channelID]; c != nil {
		c.Members = slices.DeleteFunc(c.Members, func(id string) bool { return id == userID })
		s.bump()
	}
}

// Users lists the people of the workspace in the order of their coming.
func (s *Server) Users() []User {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]User, 0, len(s.userIDs))
	for _, id := range s.userIDs {
		out = append(out, *s.users[id])
	}
	return out
}

// Channels lists what a person sees: the channels they are in and their
// direct conversation with the bot.
func (s *Server) Channels(userID string) []ChannelInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ChannelInfo
	for _, id := range s.chanIDs {
		if c := s.channels[id]; c.has(userID) {
			info := c.ChannelInfo
			info.Members = slices.Clone(info.Members)
			out = append(out, info)
		}
	}
	return out
}

// DM returns the id of the direct conversation between the person and the
// bot, which exists from the first time it is asked for.
func (s *Server) DM(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dm(userID).ID
}

func (s *Server) dm(userID string) *channel {
	for _, c := range s.channels {
		if c.IM && c.User == userID {
			return c
		}
	}
	c := &channel{ChannelInfo: ChannelInfo{
		ID: s.nextID("D"), Name: "directmessage", IM: true, User: userID, Private: true,
		Members: []string{userID, s.cfg.BotUserID},
	}}
	s.channels[c.ID] = c
	s.chanIDs = append(s.chanIDs, c.ID)
	s.bump()
	return c
}
