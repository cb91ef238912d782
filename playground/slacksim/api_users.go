package slacksim

import (
	"strings"
	"time"
)

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
	u := s.user(a.str("user"))
	if u == nil {
		return nil, fail("user_not_found")
	}
	return reply{"user": s.apiUser(u, a.flag("include_locale"))}, nil
}

// usersList answers https://docs.slack.dev/reference/methods/users.list/:
// everyone at once unless a limit is asked for, Slackbot and the bot included.
func (s *Server) usersList(a args) (reply, *apiError) {
	ids := append([]string{SlackbotID}, s.userIDs...)
	ids, next, refused := a.page(append(ids, s.cfg.BotUserID), "user", 0)
	if refused != nil {
		return nil, refused
	}
	members := make([]any, 0, len(ids))
	for _, id := range ids {
		members = append(members, s.apiUser(s.user(id), a.flag("include_locale")))
	}
	return reply{"members": members, "cache_ts": s.clock.Now().Unix(), "response_metadata": nextCursor(next)}, nil
}

// usersLookupByEmail answers
// https://docs.slack.dev/reference/methods/users.lookupByEmail/
func (s *Server) usersLookupByEmail(a args) (reply, *apiError) {
	email := strings.TrimSpace(a.str("email"))
	if email == "" {
		return nil, &apiError{code: "invalid_arguments", messages: []string{"[ERROR] missing required field: email"}}
	}
	for _, id := range s.userIDs {
		if u := s.users[id]; strings.EqualFold(u.Email, email) && !u.Deleted {
			return reply{"user": s.apiUser(u, false)}, nil
		}
	}
	return nil, fail("users_not_found")
}

// user finds a person, the bot or Slackbot.
func (s *Server) user(id string) *User {
	if id == SlackbotID {
		return &User{ID: SlackbotID, Name: "slackbot", RealName: "Slackbot", Locale: "en-US", TZ: "Etc/UTC"}
	}
	return s.users[id]
}

// zoneLabels are Slack's words for the zones that Go abbreviates.
var zoneLabels = map[string]string{
	"UTC": "Coordinated Universal Time", "GMT": "Greenwich Mean Time", "BST": "British Summer Time",
	"WET": "Western European Time", "WEST": "Western European Summer Time",
	"CET": "Central European Time", "CEST": "Central European Summer Time",
	"EET": "Eastern European Time", "EEST": "Eastern European Summer Time",
	"EST": "Eastern Standard Time", "EDT": "Eastern Daylight Time",
	"CST": "Central Standard Time", "CDT": "Central Daylight Time",
	"MST": "Mountain Standard Time", "MDT": "Mountain Daylight Time",
	"PST": "Pacific Standard Time", "PDT": "Pacific Daylight Time",
	"JST": "Japan Standard Time",
}

// apiUser renders a person.
// https://docs.slack.dev/reference/objects/user-object/
func (s *Server) apiUser(u *User, locale bool) map[string]any {
	first, last, _ := strings.Cut(u.RealName, " ")
	profile := map[string]any{
		"real_name": u.RealName, "real_name_normalized": u.RealName, "first_name": first, "last_name": last,
		"display_name": u.Name, "display_name_normalized": u.Name, "team": s.cfg.TeamID,
		"title": "", "phone": "", "status_text": "", "status_emoji": "", "status_expiration": 0,
	}
	if u.Email != "" && s.scoped("users:read.email") {
		profile["email"] = u.Email
	}
	if u.Bot {
		profile["bot_id"], profile["api_app_id"] = s.cfg.BotID, s.cfg.AppID
	}
	out := map[string]any{
		"id": u.ID, "team_id": s.cfg.TeamID, "name": u.Name, "deleted": u.Deleted, "profile": profile,
		"is_bot": u.Bot, "is_app_user": false, "updated": 1700000000,
	}
	if !u.Deleted { // Slack tells no more of deactivated people.
		out["real_name"], out["is_admin"], out["is_owner"], out["is_primary_owner"] = u.RealName, u.Admin || u.Owner, u.Owner, false
		out["is_restricted"], out["is_ultra_restricted"], out["is_email_confirmed"] = false, false, u.Email != ""
		s.zone(u, out)
	}
	if locale {
		out["locale"] = u.Locale
	}
	return out
}

// zone adds the person's time zone as it is now.
func (s *Server) zone(u *User, out map[string]any) {
	if u.TZ == "" {
		return
	}
	label, offset := u.TZ, 0
	if loc, err := time.LoadLocation(u.TZ); err == nil {
		label, offset = s.clock.Now().In(loc).Zone()
		if long, known := zoneLabels[label]; known {
			label = long
		}
	}
	out["tz"], out["tz_label"], out["tz_offset"] = u.TZ, label, offset
}
