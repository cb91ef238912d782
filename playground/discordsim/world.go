package discordsim

import (
	"fmt"
	"slices"
	"strconv"
)

// Channel types used here,
// https://discord.com/developers/docs/resources/channel#channel-object-channel-types.
const (
	channelText = 0
	channelDM   = 1
)

// Permission bits used here,
// https://discord.com/developers/docs/topics/permissions.
const (
	permManageGuild  = 1 << 5
	permViewChannel  = 1 << 10
	permSendMessages = 1 << 11
	permEmbedLinks   = 1 << 14
	permAttachFiles  = 1 << 15
	permReadHistory  = 1 << 16
	permAppCommands  = 1 << 31
)

// User is a person (never the bot). ID is made when empty; Locale is one of
// https://discord.com/developers/docs/reference#locales, en-US when empty.
type User struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	GlobalName string `json:"global_name"`
	Locale     string `json:"locale"`
}

type user struct {
	User
	dmsClosed bool
	dm        string // channel id, empty until opened.
	installed bool   // has the application for themselves.
}

// Guild is a server in which the bot is installed. Locale is the preferred
// locale, en-US when empty.
type Guild struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Locale string `json:"locale"`
}

// Channel is a text channel of a guild. Hidden takes the bot's permission to
// see it (50001), ReadOnly that to post in it (50013).
type Channel struct {
	ID       string `json:"id"`
	GuildID  string `json:"guild_id"`
	Name     string `json:"name"`
	Hidden   bool   `json:"hidden,omitempty"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

type channel struct {
	Channel
	kind      int
	recipient string   // user id of a DM.
	people    []string // user ids of a group.
	messages  []*message
}

// AddUser adds or replaces a person and returns the id.
func (s *Server) AddUser(u User) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		u.ID = s.newID()
	}
	if u.Locale == "" {
		u.Locale = "en-US"
	}
	if old := s.users[u.ID]; old != nil {
		old.User = u
	} else {
		s.users[u.ID] = &user{User: u}
	}
	s.touch()
	return u.ID
}

// AddGuild adds or replaces a guild and returns the id. Ids made here fall to
// the shards in turn.
func (s *Server) AddGuild(g Guild) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.ID == "" {
		s.founded++
		g.ID = guildID(s.founded)
	}
	if g.Locale == "" {
		g.Locale = "en-US"
	}
	delete(s.foreign, g.ID)
	if old := s.guilds[g.ID]; old != nil {
		old.Guild = g
	} else {
		s.guilds[g.ID] = &guild{Guild: g, botRole: s.newID(), managerRole: s.newID()}
		s.broadcast(g.ID, "GUILD_CREATE", intentGuilds, s.guildCreate(s.guilds[g.ID]))
	}
	s.touch()
	return g.ID
}

// AddChannel adds a text channel, or replaces what is known of it but its
// messages, and returns the id. The error says that the guild is unknown.
func (s *Server) AddChannel(c Channel) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guilds[c.GuildID] == nil && s.foreign[c.GuildID] == nil {
		return "", fmt.Errorf("add channel: unknown guild %q", c.GuildID)
	}
	if c.ID == "" {
		c.ID = s.newID()
	}
	if old := s.channels[c.ID]; old != nil {
		old.Channel = c
		s.broadcast(c.GuildID, "CHANNEL_UPDATE", intentGuilds, s.channelObject(old))
	} else {
		ch := &channel{Channel: c, kind: channelText}
		s.channels[c.ID] = ch
		s.order = append(s.order, c.ID)
		if s.present(ch) {
			s.broadcast(c.GuildID, "CHANNEL_CREATE", intentGuilds, s.channelObject(ch))
		}
	}
	s.touch()
	return c.ID, nil
}

// RemoveChannel deletes a channel with its messages: the bot gets 10003.
func (s *Server) RemoveChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[id]
	if ch == nil {
		return
	}
	for _, m := range ch.messages {
		delete(s.messages, m.id)
	}
	if u := s.users[ch.recipient]; u != nil {
		u.dm = ""
	}
	if ch.kind == channelText && s.present(ch) {
		s.broadcast(ch.GuildID, "CHANNEL_DELETE", intentGuilds, s.channelObject(ch))
	}
	delete(s.channels, id)
	s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
	s.touch()
}

// SetDMsClosed closes or opens the direct messages of a person: sending to
// closed ones gives 50007, while opening the channel works, as at Discord.
func (s *Server) SetDMsClosed(userID string, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[userID]; u != nil {
		u.dmsClosed = closed
		s.touch()
	}
}

// DM returns the id of the direct channel between a person and the bot, and
// opens it when there is none yet. An unknown person has none ("").
func (s *Server) DM(userID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.openDM(userID)
	if ch == nil {
		return ""
	}
	return ch.ID
}

func (s *Server) openDM(userID string) *channel {
	u := s.users[userID]
	if u == nil {
		return nil
	}
	if u.dm != "" {
		return s.channels[u.dm]
	}
	ch := &channel{Channel: Channel{ID: s.newID()}, kind: channelDM, recipient: userID}
	u.dm = ch.ID
	s.channels[ch.ID] = ch
	s.order = append(s.order, ch.ID)
	s.touch()
	return ch
}

func (s *Server) newID() string { return s.flakes.next(s.clock.Now()) }

func (s *Server) botUser() map[string]any {
	return map[string]any{
		"id": s.cfg.ApplicationID, "username": "bot", "avatar": nil, "discriminator": "0000",
		"public_flags": 0, "flags": 0, "bot": true, "global_name": nil, "primary_guild": nil,
		"banner": nil, "accent_color": nil,
	}
}

func (u *user) object() map[string]any {
	var global any
	if u.GlobalName != "" {
		global = u.GlobalName
	}
	return map[string]any{
		"id": u.ID, "username": u.Name, "avatar": nil, "discriminator": "0", "public_flags": 0,
		"flags": 0, "global_name": global, "primary_guild": nil, "avatar_decoration_data": nil,
	}
}

func (s *Server) channelObject(ch *channel) map[string]any {
	var last any
	if n := len(ch.messages); n > 0 {
		last = ch.messages[n-1].id
	}
	if ch.kind == channelDM {
		recipients := []any{}
		if u := s.users[ch.recipient]; u != nil {
			recipients = append(recipients, u.object())
		}
		return map[string]any{
			"id": ch.ID, "type": channelDM, "flags": 0, "last_message_id": last, "recipients": recipients,
		}
	}
	if ch.kind == channelGroup {
		recipients := []any{}
		for _, id := range ch.people {
			if u := s.users[id]; u != nil {
				recipients = append(recipients, u.object())
			}
		}
		return map[string]any{
			"id": ch.ID, "type": channelGroup, "flags": 0, "last_message_id": last, "recipients": recipients,
			"name": ch.Name, "icon": nil, "owner_id": ch.people[0],
		}
	}
	return map[string]any{
		"id": ch.ID, "type": channelText, "flags": 0, "last_message_id": last, "guild_id": ch.GuildID,
		"name": ch.Name, "position": slices.Index(s.order, ch.ID), "parent_id": nil, "topic": nil,
		"nsfw": false, "rate_limit_per_user": 0, "permission_overwrites": s.overwrites(ch),
	}
}

// appPermissions are the bot's permissions in a channel, as a decimal string.
func (ch *channel) appPermissions() string {
	perms := botMay
	if ch.Hidden {
		perms &^= permViewChannel
	}
	if ch.ReadOnly {
		perms &^= permSendMessages
	}
	return strconv.Itoa(perms)
}
