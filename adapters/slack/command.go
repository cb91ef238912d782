package slack

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core/chat"
)

// mailLink is how Slack writes an e-mail address in a command's text when
// escaping is switched on (https://docs.slack.dev/messaging/formatting-message-text).
var mailLink = regexp.MustCompile(`<mailto:([^|>]+)(?:\|[^>]*)?>`)

// command is the little that is used of a slash command.
// https://docs.slack.dev/interactivity/implementing-slash-commands
type command struct {
	TeamID              string `json:"team_id"`
	EnterpriseID        string `json:"enterprise_id"`
	IsEnterpriseInstall spelt  `json:"is_enterprise_install"`
	UserID              string `json:"user_id"`
	UserName            string `json:"user_name"`
	ChannelID           string `json:"channel_id"`
	Text                string `json:"text"`
	TriggerID           string `json:"trigger_id"`
	ResponseURL         string `json:"response_url"`
}

// spelt is a truth value that may be spelt out: a command does that even where
// it is JSON.
type spelt bool

// UnmarshalJSON takes true and "true".
func (s *spelt) UnmarshalJSON(data []byte) error {
	*s = string(data) == "true" || string(data) == `"true"`
	return nil
}

var _ json.Unmarshaler = (*spelt)(nil)

// decodeCommand reads the form of a slash command, as it comes by HTTP.
func (a *Adapter) decodeCommand(body []byte) (interaction, error) {
	form, err := parseForm(body)
	if err != nil {
		return interaction{}, err
	}
	for _, name := range []string{
		"team_id", "enterprise_id", "is_enterprise_install", "user_id", "user_name", "channel_id",
		"text", "trigger_id", "response_url",
	} {
		if len(form[name]) > 1 {
			return interaction{}, errNotForm
		}
	}
	return a.commandInteraction(&command{
		TeamID:              form.Get("team_id"),
		EnterpriseID:        form.Get("enterprise_id"),
		IsEnterpriseInstall: form.Get("is_enterprise_install") == "true",
		UserID:              form.Get("user_id"),
		UserName:            form.Get("user_name"),
		ChannelID:           form.Get("channel_id"),
		Text:                form.Get("text"),
		TriggerID:           form.Get("trigger_id"),
		ResponseURL:         form.Get("response_url"),
	})
}

// decodeCommandObject reads the JSON object of a slash command, as it comes
// by Socket Mode.
func (a *Adapter) decodeCommandObject(data []byte) (interaction, error) {
	var c command
	if err := decodeJSON(data, &c); err != nil {
		return interaction{}, err
	}
	return a.commandInteraction(&c)
}

func (a *Adapter) commandInteraction(c *command) (interaction, error) {
	for _, text := range []string{
		c.TeamID, c.EnterpriseID, c.UserID, c.UserName, c.ChannelID, c.Text, c.TriggerID, c.ResponseURL,
	} {
		if !cleanText(text) {
			return interaction{}, errNotUTF8
		}
	}
	who, err := actor(c.TeamID, c.EnterpriseID, bool(c.IsEnterpriseInstall), c.UserID)
	if err != nil {
		return interaction{}, err
	}
	if !validID(c.TriggerID) || !optionalID(c.ChannelID) {
		return interaction{}, errMissingID
	}
	o := origin{URL: c.ResponseURL, Channel: c.ChannelID, Tenant: who.id.Tenant, User: who.id.User}
	if err := a.stampURL(&o); err != nil {
		return interaction{}, err
	}
	in := interaction{kind: kindCommand, trigger: c.TriggerID, origin: o}
	verb, arg := chat.ParseCommand(unescapeCommand(c.Text))
	in.action = a.newAction(who, o, c.TriggerID, chat.SourceCommand, verb, arg)
	in.action.DisplayName = c.UserName
	return in, nil
}

// formPayload returns the JSON text in the form field "payload".
func formPayload(body []byte) ([]byte, error) {
	form, err := parseForm(body)
	if err != nil {
		return nil, err
	}
	if len(form["payload"]) != 1 {
		return nil, errNotForm
	}
	return []byte(form.Get("payload")), nil
}

func parseForm(body []byte) (url.Values, error) {
	if !utf8.Valid(body) {
		return nil, errNotUTF8
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errNotForm
	}
	return form, nil
}

// unescapeCommand undoes what Slack may do to a command's text.
func unescapeCommand(text string) string {
	text = mailLink.ReplaceAllString(text, "$1")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}
