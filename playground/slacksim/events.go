package slacksim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
)

// VerifyURL sends the url_verification that Slack sends when an app's events
// address is set; the app must answer with the challenge, as text, as a form
// or as JSON. It goes over HTTP whichever transport is on.
// https://docs.slack.dev/reference/events/url_verification/
func (s *Server) VerifyURL(ctx context.Context) (*Result, error) {
	challenge := rand.Text()
	body, err := json.Marshal(map[string]any{"token": "verification", "challenge": challenge, "type": "url_verification"})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	out, err := s.deliverHTTP(ctx, parcel{to: EndpointEvents, contentType: "application/json", body: body}, nil)
	if err != nil {
		return nil, fmt.Errorf("verify url: %w", err)
	}
	var echoed struct {
		Challenge string `json:"challenge"`
	}
	text := string(out.Body)
	if json.Unmarshal(out.Body, &echoed) == nil {
		text = echoed.Challenge
	}
	if text != challenge && text != "challenge="+challenge {
		out.Problems = append(out.Problems, "the challenge did not come back")
	}
	return out, nil
}

// Event sends any event in Slack's envelope. The Result is that of the first
// attempt; when the app fails or is silent, the event is sent again in the
// background, see Config.NoEventRetries and Events.
// https://docs.slack.dev/apis/events-api/#callback-field
func (s *Server) Event(ctx context.Context, event map[string]any) (*Result, error) {
	s.mu.Lock()
	body, err := json.Marshal(map[string]any{
		"token": "verification", "team_id": s.cfg.TeamID, "api_app_id": s.cfg.AppID, "type": "event_callback",
		"event_id": s.nextID("Ev"), "event_time": s.clock.Now().Unix(), "event": event,
		"is_ext_shared_channel": false, "event_context": "4-" + rand.Text(),
		"authorizations": []any{map[string]any{
			"enterprise_id": nil, "team_id": s.cfg.TeamID, "user_id": s.cfg.BotUserID, "is_bot": true, "is_enterprise_install": false,
		}},
	})
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	out, err := s.deliver(ctx, parcel{to: EndpointEvents, contentType: "application/json", body: body})
	if err != nil {
		return nil, fmt.Errorf("send event: %w", err)
	}
	s.settle(out)
	return out, nil
}

// OpenHome opens the app's home as a person does: app_home_opened for the tab
// "home" or "messages". https://docs.slack.dev/reference/events/app_home_opened/
func (s *Server) OpenHome(ctx context.Context, userID, tab string) (*Result, error) {
	s.mu.Lock()
	if s.users[userID] == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("open home of %s: %w", userID, ErrNotFound)
	}
	if s.cfg.NoHomeTab && tab == "home" {
		s.mu.Unlock()
		return nil, fmt.Errorf("open home of %s: the app has no Home tab: %w", userID, ErrNotFound)
	}
	event := map[string]any{
		"type": "app_home_opened", "user": userID, "channel": s.dm(userID).ID, "tab": tab, "event_ts": s.nextTS(),
	}
	if v := s.homes[userID]; v != nil && tab == "home" {
		event["view"] = s.apiView(v, nil)
	}
	s.mu.Unlock()
	return s.Event(ctx, event)
}

// Say writes a message as a person. In the conversation with the bot the app
// is told (message.im); the Result is nil where nobody is told.
// https://docs.slack.dev/reference/events/message.im/
func (s *Server) Say(ctx context.Context, userID, channelID, text string) (*Result, error) {
	s.mu.Lock()
	_, c, err := s.place(userID, channelID)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("say: %w", err)
	}
	m := s.post(c, Message{User: userID, Text: text, Via: "user"})
	listening := c.IM && (s.socketMode || s.cfgURLs[EndpointEvents] != "")
	event := map[string]any{
		"type": "message", "channel": c.ID, "user": userID, "text": text, "ts": m.TS, "event_ts": m.TS,
		"channel_type": "im", "team": s.cfg.TeamID, "client_msg_id": rand.Text(),
	}
	s.mu.Unlock()
	if !listening {
		return nil, nil //nolint:nilnil // nobody is told, as documented
	}
	return s.Event(ctx, event)
}

// RevokeTokens kills the bot token (token_revoked from now on) and tells the
// app. https://docs.slack.dev/reference/events/tokens_revoked/
func (s *Server) RevokeTokens(ctx context.Context) (*Result, error) {
	s.kill("token_revoked")
	return s.Event(ctx, map[string]any{
		"type": "tokens_revoked", "tokens": map[string]any{"oauth": []string{}, "bot": []string{s.cfg.BotUserID}},
	})
}

// Uninstall removes the app (account_inactive from now on) and tells it.
// https://docs.slack.dev/reference/events/app_uninstalled/
func (s *Server) Uninstall(ctx context.Context) (*Result, error) {
	s.kill("account_inactive")
	return s.Event(ctx, map[string]any{"type": "app_uninstalled"})
}

// Reinstall makes the bot token work again.
func (s *Server) Reinstall() { s.kill("") }

func (s *Server) kill(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = code
	s.bump()
}
