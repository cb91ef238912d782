package discordsim

import (
	"slices"
	"strconv"
	"time"
)

// Permissions that everyone has, and those that the bot's own role adds.
const (
	everyoneMay = permViewChannel | permSendMessages | permEmbedLinks | permReadHistory | permAppCommands
	botMay      = permViewChannel | permSendMessages | permEmbedLinks | permAttachFiles | permReadHistory | permAppCommands
)

// joined is when everybody joined every guild.
func joined() string { return time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC).Format(time.RFC3339) }

// SetManager gives a person the role of a guild's managers, which may manage
// the server (MANAGE_GUILD), or takes it away. Unknown ids are ignored.
func (s *Server) SetManager(guildID, userID string, manages bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, u := s.guilds[guildID], s.users[userID]
	if g == nil {
		g = s.foreign[guildID]
	}
	if g == nil || u == nil {
		return
	}
	g.managers = slices.DeleteFunc(g.managers, func(id string) bool { return id == userID })
	if manages {
		g.managers = append(g.managers, userID)
	}
	s.touch()
}

// role is https://discord.com/developers/docs/topics/permissions#role-object.
func role(id, name string, permissions, position int) object {
	return object{
		"id": id, "name": name, "permissions": strconv.Itoa(permissions), "position": position, "color": 0,
		"colors": object{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil},
		"hoist":  false, "managed": false, "mentionable": false, "icon": nil, "unicode_emoji": nil, "flags": 0,
	}
}

// roles of a guild: everyone's, whose id is the guild's, the managers', and
// the one that came with the bot.
func (s *Server) roles(g *guild) []any {
	own := role(g.botRole, "bot", botMay, 1)
	own["managed"], own["tags"] = true, object{"bot_id": s.cfg.ApplicationID}
	all := []any{role(g.ID, "@everyone", everyoneMay, 0), own, role(g.managerRole, "Managers", everyoneMay|permManageGuild, 2)}
	return append(all, s.linkedIn(g.ID)...)
}

// overwrites take from the bot what a channel does not let it do,
// https://discord.com/developers/docs/topics/permissions#permission-overwrites.
func (s *Server) overwrites(ch *channel) []any {
	g, denied := s.guilds[ch.GuildID], 0
	if ch.Hidden {
		denied |= permViewChannel
	}
	if ch.ReadOnly {
		denied |= permSendMessages
	}
	if g == nil || denied == 0 {
		return []any{}
	}
	return []any{object{"id": g.botRole, "type": 0, "allow": "0", "deny": strconv.Itoa(denied)}}
}

// memberObject is https://discord.com/developers/docs/resources/guild#guild-member-object.
func memberObject(who object, roles ...any) object {
	return object{
		"user": who, "nick": nil, "avatar": nil, "banner": nil, "roles": append([]any{}, roles...),
		"joined_at": joined(), "premium_since": nil, "deaf": false, "mute": false, "flags": 0, "pending": false,
		"communication_disabled_until": nil,
	}
}

// member is a person as a member of a guild; everybody is one of every guild.
func (s *Server) member(g *guild, u *user) object {
	roles := s.linkedOf(g.ID, u.ID)
	if slices.Contains(g.managers, u.ID) {
		roles = append(roles, g.managerRole)
	}
	return memberObject(u.object(), roles...)
}

// ownMember is the bot as a member.
func (s *Server) ownMember(g *guild) object { return memberObject(s.botUser(), g.botRole) }

// actingMember is a member as interactions show one: with the permissions in
// the channel, https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-structure.
func (s *Server) actingMember(g *guild, u *user) object {
	out, may := s.member(g, u), everyoneMay
	if slices.Contains(g.managers, u.ID) {
		may |= permManageGuild
	}
	out["permissions"] = strconv.Itoa(may)
	return out
}

// inside finds a guild that the bot is in.
func (s *Server) inside(c *call) (*guild, *apiError) {
	id := c.args["guild"]
	if !isSnowflake(id) {
		f := newForm()
		f.at("guild_id").add("NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
		return nil, f.err()
	}
	if g := s.guilds[id]; g != nil {
		return g, nil
	}
	for _, ch := range s.channels {
		if ch.GuildID == id { // It is there, and the bot was removed.
			return nil, errMissingAccess()
		}
	}
	return nil, errUnknownGuild()
}

// getGuild answers https://discord.com/developers/docs/resources/guild#get-guild.
func (s *Server) getGuild(c *call) (answer, *apiError) {
	g, e := s.inside(c)
	if e != nil {
		return refuse(e)
	}
	o := s.guildObject(g)
	if c.r.URL.Query().Get("with_counts") == "true" {
		o["approximate_member_count"], o["approximate_presence_count"] = len(s.users)+1, len(s.users)+1
	}
	return ok(o)
}

// getGuildChannels answers
// https://discord.com/developers/docs/resources/guild#get-guild-channels: all
// of them, whether the bot may see them or not.
func (s *Server) getGuildChannels(c *call) (answer, *apiError) {
	g, e := s.inside(c)
	if e != nil {
		return refuse(e)
	}
	return ok(s.guildChannels(g))
}

func (s *Server) guildChannels(g *guild) []any {
	out := []any{}
	for _, id := range s.order {
		if ch := s.channels[id]; ch.kind == channelText && ch.GuildID == g.ID {
			out = append(out, s.channelObject(ch))
		}
	}
	return out
}

// getGuildRoles answers https://discord.com/developers/docs/resources/guild#get-guild-roles.
func (s *Server) getGuildRoles(c *call) (answer, *apiError) {
	g, e := s.inside(c)
	if e != nil {
		return refuse(e)
	}
	return ok(s.roles(g))
}

// getGuildMember answers https://discord.com/developers/docs/resources/guild#get-guild-member.
func (s *Server) getGuildMember(c *call) (answer, *apiError) {
	g, e := s.inside(c)
	if e != nil {
		return refuse(e)
	}
	id := c.args["user"]
	switch u := s.users[id]; {
	case !isSnowflake(id):
		f := newForm()
		f.at("user_id").add("NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
		return refuse(f.err())
	case id == s.cfg.ApplicationID:
		return ok(s.ownMember(g))
	case u == nil:
		return refuse(errUnknownMember())
	default:
		return ok(s.member(g, u))
	}
}
