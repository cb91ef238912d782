package rig

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/laurelbot/laurel/bench/seed"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// Press is one press on Claim in a list of badges that only the person sees.
type Press struct {
	// N numbers the presses; cards come back under it.
	N int
	// Badge and Person are numbers; the person need not own the badge.
	Badge, Person int
	Platform      Platform
	// Message numbers the message that is pressed; 0 is one for each press.
	Message int
}

// Request is a signed request before it is sent.
type Request struct {
	Path   string
	Header http.Header
	Body   string
}

// slackPayload is a press as Slack sends it
// (https://docs.slack.dev/reference/interaction-payloads/block_actions-payload).
const slackPayload = `{"type":"block_actions","user":{"id":"{user}","username":"example","name":"example","team_id":"{tenant}"},` +
	`"api_app_id":"A0FAULTS01","token":"unused","container":{"type":"message","message_ts":"{ts}","channel_id":"D0FAULTS01","is_ephemeral":true},` +
	`"trigger_id":"{trigger}.0123456789.0123456789abcdef","team":{"id":"{tenant}","domain":"example"},"enterprise":null,` +
	`"is_enterprise_install":false,"channel":{"id":"D0FAULTS01","name":"directmessage"},"state":{"values":{}},` +
	`"response_url":"{answers}{n}","actions":[{"action_id":"claim:{badge}","block_id":"b1","text":{"type":"plain_text","text":"Claim","emoji":true},` +
	`"value":"claim:{badge}","style":"primary","type":"button","action_ts":"{ts}"}]}`

// FormType is the media type of Slack's commands and interactions.
const FormType = "application/x-www-form-urlencoded"

// SignSlack signs a body as Slack does
// (https://docs.slack.dev/authentication/verifying-requests-from-slack).
func (s *Stage) SignSlack(body string, at time.Time) http.Header {
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", fmt.Sprint(at.Unix()))
	h.Set("X-Slack-Signature", slacksim.Signature(s.Slack.Config().SigningSecret, at.Unix(), []byte(body)))
	h.Set("Content-Type", FormType)
	return h
}

// SignDiscord signs a body as Discord does
// (https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers).
func (s *Stage) SignDiscord(body string, at time.Time) http.Header {
	stamp := fmt.Sprint(at.Unix())
	h := http.Header{}
	h.Set("X-Signature-Timestamp", stamp)
	h.Set("X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(s.discordKey, []byte(stamp+body))))
	h.Set("Content-Type", "application/json")
	return h
}

// SlackBody is the body of a press in Slack.
func (s *Stage) SlackBody(p Press) string {
	message := p.Message
	if message == 0 {
		message = p.N
	}
	return "payload=" + url.QueryEscape(strings.NewReplacer(
		"{tenant}", Tenant, "{user}", seed.SlackUser(p.Person), "{badge}", seed.BadgeID(p.Badge), "{n}", fmt.Sprint(p.N),
		"{ts}", fmt.Sprintf("%d.%06d", 1_700_000_000+message/1_000_000, message%1_000_000),
		"{trigger}", fmt.Sprintf("%010d", p.N), "{answers}", s.Desk.URL+slackAnswers,
	).Replace(slackPayload))
}

// discordEpoch is the first millisecond of 2015, from which snowflakes count
// (https://discord.com/developers/docs/reference#snowflakes).
const discordEpoch = 1420070400000

// DiscordBody is the body of a press in Discord.
func (s *Stage) DiscordBody(p Press, at time.Time) string {
	id := (at.UnixMilli()-discordEpoch)<<22 | int64(p.N&(1<<22-1))
	return fmt.Sprintf(`{"app_permissions":"562949953601536","application_id":"%s","channel_id":"910000000000000002",`+
		`"data":{"component_type":2,"custom_id":"claim:%s","id":3},"guild_id":"910000000000000003","id":"%d","locale":"en-US",`+
		`"member":{"user":{"id":"%s","username":"example","global_name":"Example","avatar":null,"discriminator":"0"},"roles":[],"permissions":"0"},`+
		`"message":{"id":"%d","channel_id":"910000000000000002","flags":32832,"content":"","components":[]},`+
		`"token":"%s%d","type":3,"version":1,"context":0}`,
		s.Discord.ApplicationID(), seed.BadgeID(p.Badge), id, seed.DiscordUser(p.Person), id-1, discordToken, p.N)
}

// Request signs a press now.
func (s *Stage) Request(p Press) Request {
	now := s.Now()
	if p.Platform == Discord {
		body := s.DiscordBody(p, now)
		return Request{Path: "/discord/interactions", Header: s.SignDiscord(body, now), Body: body}
	}
	body := s.SlackBody(p)
	return Request{Path: "/slack/interactions", Header: s.SignSlack(body, now), Body: body}
}
