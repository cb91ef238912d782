package slacksim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// Limits of a response URL.
// https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
const (
	responseUses = 5
	responseLife = 30 * time.Minute
)

// responseURL is the right to answer an interaction where it took place.
type responseURL struct {
	user    string
	channel *channel
	// origin is the message that was pressed; a command has none.
	origin  *Message
	uses    int
	expires time.Time
}

// newResponseURL hands out an address for late answers.
func (s *Server) newResponseURL(kind, user string, c *channel, origin *Message) string {
	secret := newSecret()
	s.responses[secret] = &responseURL{user: user, channel: c, origin: origin, expires: s.clock.Now().Add(responseLife)}
	return s.base + "/response/" + kind + "/" + s.cfg.TeamID + "/" + s.nextID("") + "/" + secret
}

func (s *Server) serveResponseURL(w http.ResponseWriter, r *http.Request) {
	a, body, _, _, bad := readArgs(r)
	if payload := a.str("payload"); payload != "" {
		inner := args{}
		if json.Unmarshal([]byte(payload), &inner) == nil {
			a = inner
		}
	}
	s.serve(w, r, FaultResponseURL, "", body, func() answer {
		if bad != "" {
			return refuseResponse(http.StatusBadRequest, fail("invalid_payload"))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.respond(r.PathValue("secret"), a)
	})
}

func refuseResponse(status int, e *apiError) answer {
	out := map[string]any{"ok": false, "error": e.code}
	if len(e.messages) > 0 {
		out["response_metadata"] = map[string]any{"messages": e.messages}
	}
	ans := jsonAnswer(status, out)
	ans.code = e.code
	return ans
}

// respond does what a body posted to a response URL asks for. Only what was
// carried out counts as a use.
func (s *Server) respond(secret string, a args) answer {
	to := s.responses[secret]
	switch {
	case to == nil || !s.clock.Now().Before(to.expires):
		return refuseResponse(http.StatusNotFound, fail("expired_url"))
	case to.uses >= responseUses:
		return refuseResponse(http.StatusNotFound, fail("used_url"))
	}
	replace, remove := a.flag("replace_original"), a.flag("delete_original")
	if (replace || remove) && to.origin != nil && to.origin.Deleted {
		return refuseResponse(http.StatusNotFound, fail("message_not_found"))
	}
	if remove {
		to.uses++
		if to.origin != nil {
			to.origin.Deleted = true
			s.bump()
		}
		return jsonAnswer(http.StatusOK, map[string]any{"ok": true})
	}
	said, refused := s.said(a, true)
	if refused != nil {
		return refuseResponse(http.StatusBadRequest, refused)
	}
	to.uses++
	if replace && to.origin != nil {
		// Who sees a message cannot be changed: an ephemeral one stays so.
		said.into(to.origin)
		to.origin.Edited = true
		to.origin.Revision++
		s.bump()
	} else {
		s.answerIn(to.channel, to.user, a, said, "response_url")
	}
	return jsonAnswer(http.StatusOK, map[string]any{"ok": true})
}

// answerIn posts an answer to an interaction: for the person alone unless it
// says in_channel.
func (s *Server) answerIn(c *channel, user string, a args, said content, via string) *Message {
	m := Message{User: s.cfg.BotUserID, ThreadTS: a.str("thread_ts"), Via: via}
	said.into(&m)
	if a.str("response_type") != "in_channel" {
		m.Ephemeral, m.Viewer = true, user
	}
	return s.post(c, m)
}

// inline reads the body with which an app answered a command at once: JSON,
// or plain text. An empty one says nothing.
func inline(contentType string, body []byte) (args, bool, *apiError) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, false, nil
	}
	a := args{}
	if !isJSON(contentType) {
		a.set("text", string(body))
		return a, true, nil
	}
	if json.Unmarshal(body, &a) != nil {
		return nil, false, fail("invalid_json")
	}
	return a, len(a) > 0, nil
}
