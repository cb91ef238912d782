package slacksim

import "time"

// authTest answers https://docs.slack.dev/reference/methods/auth.test/
func (s *Server) authTest(args) (reply, *apiError) {
	return reply{
		"url": "https://" + s.cfg.TeamDomain + ".slack.com/", "team": s.cfg.TeamName, "user": s.cfg.BotName,
		"team_id": s.cfg.TeamID, "user_id": s.cfg.BotUserID, "bot_id": s.cfg.BotID, "app_id": s.cfg.AppID,
		"is_enterprise_install": false,
	}, nil
}

// usersInfo answers https://docs.slack.dev/reference/methods/users.info/
func (s *Server) usersInfo(a args) (reply, *apiError) {
	u := s.users[a.str("user")]
	if u == nil {
		return nil, fail("user_not_found")
	}
	profile := map[string]any{
		"real_name": u.RealName, "real_name_normalized": u.RealName,
		"display_name": u.Name, "display_name_normalized": u.Name, "team": s.cfg.TeamID,
	}
	if u.Email != "" && s.scoped("users:read.email") {
		profile["email"] = u.Email
	}
	out := map[string]any{
		"id": u.ID, "team_id": s.cfg.TeamID, "name": u.Name, "deleted": u.Deleted, "real_name": u.RealName,
		"profile": profile, "is_bot": u.Bot, "is_app_user": false, "is_admin": false, "is_owner": false,
		"is_restricted": false, "is_ultra_restricted": false, "updated": 1700000000,
	}
	if u.TZ != "" {
		zone, offset := u.TZ, 0
		if loc, err := time.LoadLocation(u.TZ); err == nil {
			zone, offset = s.clock.Now().In(loc).Zone()
		}
		out["tz"], out["tz_label"], out["tz_offset"] = u.TZ, zone, offset
	}
	if a.flag("include_locale") {
		out["locale"] = u.Locale
	}
	return reply{"user": out}, nil
}
