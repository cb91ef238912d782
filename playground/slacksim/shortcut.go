package slacksim

import (
	"context"
	"fmt"
)

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
	payload := s.envelope("shortcut", u, "")
	delete(payload, "api_app_id")
	payload["callback_id"], payload["action_ts"] = callbackID, s.nextTS()
	s.mu.Unlock()
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("shortcut %s: %w", callbackID, err)
	}
	return out, nil
}
