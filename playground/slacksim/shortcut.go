package slacksim

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// shortcutMessage is the type of shortcuts in the menus of messages.
// https://docs.slack.dev/reference/app-manifest/#features
const shortcutMessage = "message"

// ShortcutInfo is one shortcut as Slack lists it: one of the type message in
// the menu of each message, one of the type global beside the composer.
type ShortcutInfo struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	CallbackID string `json:"callback_id"`
}

// Shortcut lets a person choose the app's global shortcut of that callback id,
// which comes from no channel.
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload/
func (s *Server) Shortcut(ctx context.Context, userID, callbackID string) (*Result, error) {
	s.mu.Lock()
	u := s.users[userID]
	if u == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("shortcut %s: %w", callbackID, ErrNotFound)
	}
	payload := s.envelope(shortcutPayload, u, "")
	delete(payload, "api_app_id")
	payload["callback_id"], payload["action_ts"] = callbackID, s.nextTS()
	s.mu.Unlock()
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("shortcut %s: %w", callbackID, err)
	}
	return out, nil
}

// Types of payloads of shortcuts.
const (
	shortcutPayload = "shortcut"
	messagePayload  = "message_action"
)

// MessageShortcut lets a person choose the app's shortcut of that callback id
// in the menu of a message, which carries the whole message, whether the bot
// is in its channel or not. A message that only one person sees has no such
// menu.
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload/
func (s *Server) MessageShortcut(ctx context.Context, userID string, ref MessageRef, callbackID string) (*Result, error) {
	s.mu.Lock()
	u, c, err := s.place(userID, ref.Channel)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("shortcut %s: %w", callbackID, err)
	}
	m := s.find(ref)
	if m == nil || m.Deleted || m.Ephemeral {
		s.mu.Unlock()
		return nil, fmt.Errorf("shortcut %s on message %s: %w", callbackID, ref.TS, ErrNotFound)
	}
	payload := s.envelope(messagePayload, u, c.ID)
	delete(payload, "api_app_id")
	payload["callback_id"], payload["action_ts"], payload["message_ts"] = callbackID, s.nextTS(), m.TS
	payload["channel"] = map[string]any{"id": c.ID, "name": c.payloadName()}
	payload["message"] = s.writtenMessage(m)
	response := s.newResponseURL("app", userID, c, nil)
	payload["response_url"] = response
	s.mu.Unlock()
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("shortcut %s: %w", callbackID, err)
	}
	out.ResponseURL = response
	if out.UserError != "" {
		s.mu.Lock()
		s.slackbot(c, userID, fmt.Sprintf("This did not work: %s", out.UserError))
		s.mu.Unlock()
	}
	return out, nil
}

// typedLink is what Slack makes a link of in what somebody types.
var typedLink = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)]`)

// writtenMessage is a message with what Slack makes of the words that a person
// typed: links in angle brackets, and a block of rich text.
// https://docs.slack.dev/messaging/formatting-message-text/#linking-urls
func (s *Server) writtenMessage(m *Message) map[string]any {
	out := s.apiMessage(m, true)
	if m.Via != "user" || m.Text == "" {
		return out
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	var text strings.Builder
	elements := []any{}
	word := func(plain string) {
		if plain != "" {
			text.WriteString(escape(plain))
			elements = append(elements, map[string]any{"type": "text", "text": plain})
		}
	}
	rest := m.Text
	for {
		at := typedLink.FindStringIndex(rest)
		if at == nil {
			break
		}
		word(rest[:at[0]])
		link := rest[at[0]:at[1]]
		text.WriteString("<" + escape(link) + ">")
		elements = append(elements, map[string]any{"type": "link", "url": link})
		rest = rest[at[1]:]
	}
	word(rest)
	out["text"] = text.String()
	out["blocks"] = []any{map[string]any{"type": "rich_text", "block_id": "b" + strings.ReplaceAll(m.TS, ".", ""), "elements": []any{
		map[string]any{"type": "rich_text_section", "elements": elements},
	}}}
	return out
}
