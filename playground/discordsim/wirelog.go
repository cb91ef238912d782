package discordsim

import (
	"regexp"
	"strings"
	"time"
)

// Directions of an Exchange.
const (
	FromBot = "from bot" // a REST request.
	ToBot   = "to bot"   // an interaction.
)

// maxExchanges is how many exchanges the wire log keeps.
const maxExchanges = 500

// Exchange is one request and its answer, with tokens taken out. Status is 0
// when there was no answer.
type Exchange struct {
	At         time.Time     `json:"at"`
	Took       time.Duration `json:"took"`
	Direction  string        `json:"direction"`
	Method     string        `json:"method"`
	Path       string        `json:"path"`
	Status     int           `json:"status"`
	Request    string        `json:"request,omitempty"`
	Response   string        `json:"response,omitempty"`
	RetryAfter string        `json:"retry_after,omitempty"`
}

// wireLog is a ring.
type wireLog struct {
	ring []Exchange
	next int
}

// tokenPath finds the token in the paths of callbacks and webhooks.
var tokenPath = regexp.MustCompile(`(/(?:interactions|webhooks)/[^/]+/)[^/?]+`)

// tokenField finds the tokens in a JSON body.
var tokenField = regexp.MustCompile(`("(?:access_|refresh_)?token"\s*:\s*")[^"]*`)

// formSecret finds what a form of OAuth2 proves itself by.
var formSecret = regexp.MustCompile(`((?:^|&)(?:code|token|refresh_token|client_secret)=)[^&]*`)

const redacted = "***"

// record adds an exchange. The caller holds the lock.
func (s *Server) record(e Exchange) {
	clean := func(text string) string {
		return strings.ReplaceAll(tokenField.ReplaceAllString(text, "${1}"+redacted), s.cfg.BotToken, redacted)
	}
	e.Path = clean(tokenPath.ReplaceAllString(e.Path, "${1}"+redacted))
	if strings.Contains(e.Path, "/oauth2/token") {
		e.Request = formSecret.ReplaceAllString(e.Request, "${1}"+redacted)
	}
	e.Request, e.Response = clean(e.Request), clean(e.Response)
	if s.watcher != nil {
		s.watcher(e)
	}
	if len(s.wire.ring) < maxExchanges {
		s.wire.ring = append(s.wire.ring, e)
		return
	}
	s.wire.ring[s.wire.next] = e
	s.wire.next = (s.wire.next + 1) % maxExchanges
}

// Log returns the last exchanges (at most 500), oldest first.
func (s *Server) Log() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Exchange, 0, len(s.wire.ring))
	out = append(out, s.wire.ring[s.wire.next:]...)
	return append(out, s.wire.ring[:s.wire.next]...)
}
