package discordsim

import (
	"maps"
	"strconv"
)

// guild is a guild with what only the simulator knows.
type guild struct {
	Guild
	unavailable bool
	// botRole and managerRole are ids; managers are those who have it.
	botRole, managerRole string
	managers             []string
}

// readyEvent is https://discord.com/developers/docs/events/gateway-events#ready.
func (s *Server) readyEvent(sess *gatewaySession, version string) object {
	me := s.botUser()
	me["mfa_enabled"], me["verified"], me["email"] = true, true, nil
	guilds := []any{}
	for _, id := range s.guildsOf(sess.shard, sess.of) {
		guilds = append(guilds, object{"id": id, "unavailable": true})
	}
	v, err := strconv.Atoi(version)
	if err != nil {
		v = 10
	}
	return object{
		"v": v, "user": me, "user_settings": object{}, "guilds": guilds, "session_id": sess.id,
		"session_type": "normal", "resume_gateway_url": s.socketURL(resumePath), "shard": []int{sess.shard, sess.of},
		"application": object{"id": s.cfg.ApplicationID, "flags": 0}, "relationships": []any{},
		"private_channels": []any{}, "presences": []any{}, "guild_join_requests": []any{}, "_trace": []any{"simulated"},
	}
}

// guildCreate is https://discord.com/developers/docs/events/gateway-events#guild-create.
func (s *Server) guildCreate(g *guild) object {
	o := s.guildObject(g)
	maps.Copy(o, object{
		"joined_at": joined(), "large": false, "unavailable": false, "member_count": len(s.users) + 1,
		"voice_states": []any{}, "members": []any{s.ownMember(g)}, "channels": s.guildChannels(g), "threads": []any{},
		"presences": []any{}, "stage_instances": []any{}, "guild_scheduled_events": []any{}, "soundboard_sounds": []any{},
	})
	return o
}

// guildObject is https://discord.com/developers/docs/resources/guild#guild-object.
func (s *Server) guildObject(g *guild) object {
	return object{
		"id": g.ID, "name": g.Name, "icon": nil, "description": nil, "home_header": nil, "splash": nil,
		"discovery_splash": nil, "features": []any{}, "banner": nil, "owner_id": "1100000000000000002",
		"application_id": nil, "region": "us-east", "afk_channel_id": nil, "afk_timeout": 300,
		"system_channel_id": nil, "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": nil,
		"verification_level": 0, "roles": s.roles(g), "default_message_notifications": 1, "mfa_level": 0,
		"explicit_content_filter": 0, "max_presences": nil, "max_members": 500_000,
		"max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": nil,
		"premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": g.Locale, "rules_channel_id": nil,
		"safety_alerts_channel_id": nil, "public_updates_channel_id": nil, "premium_progress_bar_enabled": false,
		"nsfw": false, "nsfw_level": 0, "emojis": []any{}, "stickers": []any{}, "incidents_data": nil,
	}
}

// RemoveGuild takes the bot out of a guild: GUILD_DELETE to those that listen,
// 50001 for its channels, no more commands there. AddGuild with the same id
// invites it again.
func (s *Server) RemoveGuild(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guilds[id] == nil {
		return
	}
	delete(s.guilds, id)
	// Without "unavailable" it means that the bot was removed,
	// https://discord.com/developers/docs/events/gateway-events#guild-delete.
	s.broadcast(id, "GUILD_DELETE", intentGuilds, object{"id": id})
	s.touch()
}

// SetGuildUnavailable begins or ends an outage of a guild, which the bot
// hears by GUILD_DELETE and GUILD_CREATE. REST and interactions go on.
func (s *Server) SetGuildUnavailable(id string, unavailable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guilds[id]
	if g == nil || g.unavailable == unavailable {
		return
	}
	g.unavailable = unavailable
	if unavailable {
		s.broadcast(id, "GUILD_DELETE", intentGuilds, object{"id": id, "unavailable": true})
	} else {
		s.broadcast(id, "GUILD_CREATE", intentGuilds, s.guildCreate(g))
	}
	s.touch()
}

// present reports whether the bot is where a channel is.
func (s *Server) present(ch *channel) bool {
	return ch.kind == channelDM || s.guilds[ch.GuildID] != nil
}
