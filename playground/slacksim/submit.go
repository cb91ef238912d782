package slacksim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

// Submit fills an open modal in and sends it. Values are keyed by an input's
// block id, action id or label; several choices are separated by commas. People
// and channels are given by a name that is offered, or by any id. Like Slack's
// clients it does not send what is incomplete or out of bounds: then the Result
// is Refused and says why. The app's answer is carried out.
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload/
func (s *Server) Submit(ctx context.Context, userID, viewID string, values map[string]string) (*Result, error) {
	return s.submit(ctx, userID, viewID, values, true)
}

// SubmitForged sends the form whatever is in it and whosever it is, even when
// it is closed: a client that does not check, or a forged request.
func (s *Server) SubmitForged(ctx context.Context, userID, viewID string, values map[string]string) (*Result, error) {
	return s.submit(ctx, userID, viewID, values, false)
}

func (s *Server) submit(ctx context.Context, userID, viewID string, values map[string]string, strict bool) (*Result, error) {
	s.mu.Lock()
	u, v := s.users[userID], s.views[viewID]
	if u == nil || v == nil || (strict && !v.open) {
		s.mu.Unlock()
		return nil, fmt.Errorf("submit view %s: %w", viewID, ErrNotFound)
	}
	if strict && v.user != userID {
		s.mu.Unlock()
		return nil, fmt.Errorf("submit view %s: %w", viewID, ErrNotVisible)
	}
	snap := v.snapshot()
	state, wrong, err := fillIn(s.offer(snap.Elements(), v), values)
	if err != nil {
		s.mu.Unlock()
		return nil, fmt.Errorf("submit view %s: %w", viewID, err)
	}
	if strict && len(wrong) > 0 {
		v.errors = maps.Clone(wrong)
		s.bump()
		s.mu.Unlock()
		return &Result{Endpoint: EndpointInteractions, Refused: true, FieldErrors: wrong}, nil
	}
	payload := s.envelope("view_submission", u, v.from)
	payload["view"] = s.apiView(v, state)
	payload["response_urls"] = []any{}
	s.mu.Unlock()
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("submit view %s: %w", viewID, err)
	}
	if out.UserError == "" {
		s.mu.Lock()
		s.applySubmission(out, v)
		s.mu.Unlock()
	}
	return out, nil
}

// applySubmission does with the views what the answer to a form says; s.mu is
// held. An answer that Slack would not take leaves the form open.
func (s *Server) applySubmission(out *Result, v *view) {
	body := bytes.TrimSpace(out.Body)
	if len(body) == 0 || string(body) == "{}" {
		s.closeView(v)
		return
	}
	var answer struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
		View   json.RawMessage   `json:"view"`
	}
	if !isJSON(out.Header.Get("Content-Type")) || json.Unmarshal(body, &answer) != nil {
		s.bad(out, "the answer to a form must be empty or JSON")
		return
	}
	switch answer.Action {
	case "":
		s.closeView(v)
	case "clear":
		s.clear(v.user)
	case "errors":
		s.applyErrors(out, v, answer.Errors)
	case "update", "push":
		sent, refused := s.checkView(answer.View, blockkit.KindModal)
		if refused != nil {
			s.bad(out, append([]string{refused.code}, refused.messages...)...)
			return
		}
		if answer.Action == "update" {
			s.replace(v, sent)
			return
		}
		if _, refused := s.push(v.user, sent); refused != nil {
			s.bad(out, refused.code)
		}
	default:
		s.bad(out, "unknown response_action")
	}
}

func (s *Server) bad(out *Result, problems ...string) {
	out.UserError = userErrorDispatch
	out.Problems = append(out.Problems, problems...)
}

// applyErrors shows complaints beside the inputs; those about anything else
// than an input are not taken.
func (s *Server) applyErrors(out *Result, v *view, complaints map[string]string) {
	known := map[string]bool{}
	for _, e := range v.snapshot().Elements() {
		known[e.BlockID] = known[e.BlockID] || e.Input
	}
	if len(complaints) == 0 {
		s.bad(out, "errors must not be empty")
		return
	}
	for _, id := range slices.Sorted(maps.Keys(complaints)) {
		if !known[id] {
			s.bad(out, "errors name no input block: "+id)
		}
	}
	out.FieldErrors, v.errors = complaints, maps.Clone(complaints)
	s.bump()
}

// CloseView closes a modal as the person's x does; the app is told when its
// view asked for that.
func (s *Server) CloseView(ctx context.Context, userID, viewID string) (*Result, error) {
	s.mu.Lock()
	u, v := s.users[userID], s.views[viewID]
	if u == nil || v == nil || !v.open || v.user != userID {
		s.mu.Unlock()
		return nil, fmt.Errorf("close view %s: %w", viewID, ErrNotFound)
	}
	if v.sent["clear_on_close"] == true {
		s.clear(userID)
	} else {
		s.closeView(v)
	}
	payload := s.envelope("view_closed", u, v.from)
	delete(payload, "trigger_id")
	payload["view"] = s.apiView(v, nil)
	payload["is_cleared"] = v.sent["clear_on_close"] == true
	notify := v.sent["notify_on_close"] == true
	s.mu.Unlock()
	if !notify {
		return &Result{Endpoint: EndpointInteractions, Status: 200}, nil
	}
	out, err := s.interact(ctx, payload)
	if err != nil {
		return nil, fmt.Errorf("close view %s: %w", viewID, err)
	}
	return out, nil
}
