package slacksim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// Press presses a button, or chooses an option, in a message that the person
// sees. What names it by action id, value or label; the first match counts.
// Of checkboxes, what are the values of all that are ticked then, with commas
// between, or the action id when none is. Of times, people and channels, it is
// the action id, =, and what is picked: a date, a time, seconds since 1970, ids.
// A link button is pressed like any other, and its address is in the Result.
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload/
func (s *Server) Press(ctx context.Context, userID string, ref MessageRef, what string) (*Result, error) {
	m, ok := s.Message(ref)
	if !ok || m.Deleted {
		return nil, fmt.Errorf("press in message %s: %w", ref.TS, ErrNotFound)
	}
	s.mu.Lock()
	_, _, err := s.place(userID, ref.Channel)
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("press in message %s: %w", ref.TS, err)
	}
	if m.Ephemeral && m.Viewer != userID {
		return nil, fmt.Errorf("press in message %s: %w", ref.TS, ErrNotVisible)
	}
	return s.PressAs(ctx, userID, m, what)
}

// PressAs presses in a message as it was when the snapshot was taken, without
// asking whether it still looks like that or whether the person sees it: a
// late, a doubled, or a forged press.
func (s *Server) PressAs(ctx context.Context, userID string, m Message, what string) (*Result, error) {
	e, given, ok := choose(m.Elements(), what)
	if !ok {
		return nil, fmt.Errorf("press %q: %w", what, ErrNotFound)
	}
	s.mu.Lock()
	u, c := s.users[userID], s.channels[m.Channel]
	if u == nil || c == nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("press %q: %w", what, ErrNotFound)
	}
	payload := s.envelope("block_actions", u, c.ID)
	container := map[string]any{"type": "message", "message_ts": m.TS, "channel_id": c.ID, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	payload["container"] = container
	payload["channel"] = map[string]any{"id": c.ID, "name": c.payloadName()}
	if !m.Ephemeral {
		payload["message"] = s.apiMessage(&m, true)
	}
	response := s.newResponseURL("actions", userID, c, s.find(m.Ref()))
	payload["response_url"] = response
	payload["state"] = map[string]any{"values": map[string]any{}}
	payload["actions"] = []any{s.action(e, given)}
	s.mu.Unlock()
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("press %q: %w", what, err)
	}
	out.ResponseURL, out.OpenedURL = response, e.URL
	if out.UserError != "" {
		s.mu.Lock()
		s.slackbot(c, userID, fmt.Sprintf("This did not work: %s", out.UserError))
		s.mu.Unlock()
	}
	return out, nil
}

// PressView presses a button in an open modal or in the home tab.
func (s *Server) PressView(ctx context.Context, userID, viewID, what string) (*Result, error) {
	s.mu.Lock()
	u, v := s.users[userID], s.views[viewID]
	if u == nil || v == nil || !v.open {
		s.mu.Unlock()
		return nil, fmt.Errorf("press %q: %w", what, ErrNotFound)
	}
	if v.user != userID {
		s.mu.Unlock()
		return nil, fmt.Errorf("press %q: %w", what, ErrNotVisible)
	}
	snap := v.snapshot()
	e, given, ok := choose(snap.Elements(), what)
	if !ok {
		s.mu.Unlock()
		return nil, fmt.Errorf("press %q: %w", what, ErrNotFound)
	}
	payload := s.envelope("block_actions", u, v.from)
	payload["container"] = map[string]any{"type": "view", "view_id": v.id}
	payload["view"] = s.apiView(v, nil)
	payload["actions"] = []any{s.action(e, given)}
	s.mu.Unlock()
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("press %q: %w", what, err)
	}
	out.OpenedURL = e.URL
	return out, nil
}

// envelope holds what every interaction carries; from is the conversation in
// which it happens, or empty. s.mu is held.
func (s *Server) envelope(kind string, u *User, from string) map[string]any {
	return map[string]any{
		"type": kind, "api_app_id": s.cfg.AppID, "token": "verification", "trigger_id": s.newTrigger(u.ID, from),
		"team": map[string]any{"id": s.cfg.TeamID, "domain": s.cfg.TeamDomain}, "enterprise": nil,
		"is_enterprise_install": false,
		"user":                  map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": s.cfg.TeamID},
	}
}

// interact sends an interaction's payload in its form field.
func (s *Server) interact(ctx context.Context, payload map[string]any) (*Result, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	form := url.Values{"payload": {string(raw)}}
	out, err := s.deliver(ctx, parcel{
		to: EndpointInteractions, contentType: "application/x-www-form-urlencoded", body: []byte(form.Encode()),
	})
	if err != nil {
		return nil, err
	}
	out.TriggerID = str(payload, "trigger_id")
	return out, nil
}

// choose finds the element that what names, and what is chosen of it, as a form
// would give it. An exact action id wins over a value, a value over a label;
// which thumb it is, an action id does not say.
func choose(all []Element, what string) (e Element, given string, ok bool) {
	for _, match := range []func(Element) bool{
		func(e Element) bool { return e.ActionID == what && e.Type != feedbackButtons },
		func(e Element) bool { return e.Value == what && what != "" },
		func(e Element) bool { return e.Label == what && !e.Input },
	} {
		if i := slices.IndexFunc(all, match); i >= 0 {
			return all[i], "", true
		}
	}
	for _, e := range all {
		if given := e.chosen(what); given != "" {
			return e, given, true
		}
	}
	return Element{}, "", false
}

// action renders what was done to an element.
func (s *Server) action(e Element, given string) map[string]any {
	out := map[string]any{"type": e.Type, "action_id": e.ActionID, "block_id": e.BlockID, "action_ts": s.nextTS()}
	for _, key := range []string{"text", "value", "style", "url", "placeholder", "confirm"} {
		if value, ok := e.raw[key]; ok {
			out[key] = value
		}
	}
	switch {
	case e.Type == feedbackButtons:
		out["value"], out["text"] = given, e.option(given)["text"]
	case given != "" || e.several():
		// What a client would not let through is not told.
		value, _ := entered(e, given)
		maps.Copy(out, value)
	}
	return out
}
