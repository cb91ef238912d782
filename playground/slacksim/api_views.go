package slacksim

import "github.com/laurelbot/laurel/playground/slacksim/blockkit"

// viewsOpen answers https://docs.slack.dev/reference/methods/views.open/
func (s *Server) viewsOpen(a args) (reply, *apiError) {
	sent, refused := s.parseView(a, blockkit.KindModal)
	if refused != nil {
		return nil, refused
	}
	if s.externalTaken(sent, nil) {
		return nil, fail("duplicate_external_id")
	}
	t, refused := s.exchange(a.str("trigger_id"))
	if refused != nil {
		return nil, refused
	}
	v := s.openRoot(t.user, sent)
	v.from = t.from
	return reply{"view": s.apiView(v, nil)}, nil
}

// viewsPush answers https://docs.slack.dev/reference/methods/views.push/
func (s *Server) viewsPush(a args) (reply, *apiError) {
	sent, refused := s.parseView(a, blockkit.KindModal)
	if refused != nil {
		return nil, refused
	}
	t, refused := s.exchange(a.str("trigger_id"))
	if refused != nil {
		return nil, refused
	}
	if len(s.stacks[t.user]) == 0 {
		return nil, fail("not_found")
	}
	v, refused := s.push(t.user, sent)
	if refused != nil {
		return nil, refused
	}
	return reply{"view": s.apiView(v, nil)}, nil
}

// viewsUpdate answers https://docs.slack.dev/reference/methods/views.update/
func (s *Server) viewsUpdate(a args) (reply, *apiError) {
	v := s.views[a.str("view_id")]
	if external := a.str("external_id"); v == nil && external != "" {
		for _, candidate := range s.views {
			if candidate.open && str(candidate.sent, "external_id") == external {
				v = candidate
			}
		}
	}
	if v == nil || !v.open {
		return nil, fail("not_found")
	}
	sent, refused := s.parseView(a, blockkit.Kind(str(v.sent, "type")))
	if refused != nil {
		return nil, refused
	}
	if hash := a.str("hash"); hash != "" && hash != v.hash {
		return nil, fail("hash_conflict")
	}
	if s.externalTaken(sent, v) {
		return nil, fail("duplicate_external_id")
	}
	s.replace(v, sent)
	return reply{"view": s.apiView(v, nil)}, nil
}

// viewsPublish answers https://docs.slack.dev/reference/methods/views.publish/
func (s *Server) viewsPublish(a args) (reply, *apiError) {
	user := s.users[a.str("user_id")]
	if user == nil {
		return nil, &apiError{code: "invalid_arguments", messages: []string{"[ERROR] user not found [json-pointer:/user_id]"}}
	}
	sent, refused := s.parseView(a, blockkit.KindHome)
	if refused != nil {
		return nil, refused
	}
	if s.cfg.NoHomeTab {
		return nil, fail("not_enabled")
	}
	v := s.homes[user.ID]
	if hash := a.str("hash"); v != nil && hash != "" && hash != v.hash {
		return nil, fail("hash_conflict")
	}
	if v == nil {
		v = s.newView(user.ID, sent)
		s.homes[user.ID] = v
	}
	s.replace(v, sent)
	return reply{"view": s.apiView(v, nil)}, nil
}
