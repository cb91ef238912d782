package discordsim

import "slices"

func (s *Server) getMe(c *call) (answer, *apiError) {
	if u := s.users[c.user]; u != nil {
		// Without the scope email there is none.
		me := u.object()
		me["mfa_enabled"], me["locale"] = true, "en-US"
		if slices.Contains(locales, u.Locale) {
			me["locale"] = u.Locale
		}
		me["banner"], me["accent_color"] = nil, nil
		return ok(me)
	}
	me := s.botUser()
	me["mfa_enabled"], me["locale"], me["verified"], me["email"] = true, "en-US", true, nil
	return ok(me)
}

// getUser answers https://discord.com/developers/docs/resources/user#get-user.
func (s *Server) getUser(c *call) (answer, *apiError) {
	id := c.args["user"]
	switch {
	case !isSnowflake(id):
		f := newForm()
		f.at("user_id").add("NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
		return refuse(f.err())
	case id == s.cfg.ApplicationID:
		return ok(s.botUser())
	}
	u := s.users[id]
	if u == nil {
		return refuse(errUnknownUser())
	}
	return ok(u.object())
}

// getApplication answers
// https://discord.com/developers/docs/resources/application#get-current-application.
func (s *Server) getApplication(*call) (answer, *apiError) {
	var endpoint any
	if s.interactURL != "" {
		endpoint = s.interactURL
	}
	// https://discord.com/developers/docs/resources/application#application-object-application-integration-type-configuration-object
	installs := object{"0": object{}, "1": object{}}
	if s.cfg.NoUserInstall {
		delete(installs, "1")
	}
	var verification any
	if s.oauth.verification != "" {
		verification = s.oauth.verification
	}
	redirects := []any{}
	for _, r := range s.oauth.redirects {
		redirects = append(redirects, r)
	}
	owner := (&user{User: User{ID: "1100000000000000002", Name: "owner"}}).object()
	return ok(object{
		"id": s.cfg.ApplicationID, "name": s.cfg.AppName, "icon": nil, "description": "", "type": nil,
		"bot": s.botUser(), "bot_public": true, "bot_require_code_grant": false, "verify_key": s.PublicKey(),
		"flags": 0, "flags_new": "0", "redirect_uris": redirects, "interactions_endpoint_url": endpoint,
		"role_connections_verification_url": verification, "owner": owner, "approximate_guild_count": len(s.guilds),
		"integration_types_config": installs, "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
		"explicit_content_filter": 0, "team": nil, "eligible_oauth2_scopes": []any{},
	})
}

// postDM opens a direct channel. It works for people with closed DMs too.
func (s *Server) postDM(c *call) (answer, *apiError) {
	body, e := c.object()
	if e != nil {
		return refuse(e)
	}
	f := newForm()
	id := f.text(body, "recipient_id", 1, 20)
	if id != "" && !isSnowflake(id) {
		f.at("recipient_id").add("NUMBER_TYPE_COERCE", "Value \""+id+"\" is not snowflake.")
	}
	if e := f.err(); e != nil {
		return refuse(e)
	}
	ch := s.openDM(id)
	if ch == nil {
		return refuse(errInvalidRecipient())
	}
	return ok(s.channelObject(ch))
}

func (s *Server) getChannel(c *call) (answer, *apiError) {
	ch, e := s.visible(c.args["channel"])
	if e != nil {
		return refuse(e)
	}
	return ok(s.channelObject(ch))
}

// visible returns a channel that the bot may see.
func (s *Server) visible(id string) (*channel, *apiError) {
	ch := s.channels[id]
	switch {
	case !isSnowflake(id):
		f := newForm()
		f.at("channel_id").add("NUMBER_TYPE_COERCE", "Value is not snowflake.")
		return nil, f.err()
	case ch == nil:
		return nil, errUnknownChannel()
	case ch.Hidden, !s.present(ch):
		return nil, errMissingAccess()
	}
	return ch, nil
}
