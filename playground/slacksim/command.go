package slacksim

import (
	"context"
	"fmt"
	"net/url"
)

// place finds a person and a channel in which they are.
func (s *Server) place(userID, channelID string) (*User, *channel, error) {
	u, c := s.users[userID], s.channels[channelID]
	if u == nil {
		return nil, nil, fmt.Errorf("user %s: %w", userID, ErrNotFound)
	}
	if c == nil {
		return nil, nil, fmt.Errorf("channel %s: %w", channelID, ErrNotFound)
	}
	if !c.has(userID) {
		return nil, nil, fmt.Errorf("channel %s: %w", channelID, ErrNotVisible)
	}
	return u, c, nil
}

// payloadName is how payloads name a channel.
func (c *channel) payloadName() string {
	switch {
	case c.IM:
		return "directmessage"
	case c.Private:
		return "privategroup"
	default:
		return c.Name
	}
}

// Command types a slash command, such as "/badges" with the text "help", in a
// channel, and shows what the app answers in the body.
// https://docs.slack.dev/interactivity/implementing-slash-commands/
func (s *Server) Command(ctx context.Context, userID, channelID, command, text string) (*Result, error) {
	s.mu.Lock()
	u, c, err := s.place(userID, channelID)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("command: %w", err)
	}
	trigger, response := s.newTrigger(userID, c.ID), s.newResponseURL("commands", userID, c, nil)
	form := url.Values{
		"token": {"verification"}, "team_id": {s.cfg.TeamID}, "team_domain": {s.cfg.TeamDomain},
		"channel_id": {c.ID}, "channel_name": {c.payloadName()}, "user_id": {u.ID}, "user_name": {u.Name},
		"command": {command}, "text": {text}, "api_app_id": {s.cfg.AppID}, "is_enterprise_install": {"false"},
		"response_url": {response}, "trigger_id": {trigger},
	}
	s.mu.Unlock()
	out, err := s.deliver(ctx, parcel{
		to: EndpointCommands, contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode()),
	})
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	out.TriggerID, out.ResponseURL = trigger, response
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.UserError == "" {
		s.applyInline(out, c, userID)
	}
	if out.UserError != "" {
		s.slackbot(c, userID, fmt.Sprintf("%s failed with the error %q", command, out.UserError))
	}
	return out, nil
}

// applyInline puts the body of a command's answer into the channel.
func (s *Server) applyInline(out *Result, c *channel, userID string) {
	a, says, refused := inline(out.Header.Get("Content-Type"), out.Body)
	var said content
	if says {
		said, refused = s.said(a, true)
	}
	if refused != nil {
		out.UserError = userErrorDispatch
		out.Problems = append([]string{refused.code}, refused.messages...)
		return
	}
	if says {
		m := *s.answerIn(c, userID, a, said, "command")
		out.Message = &m
	}
}
