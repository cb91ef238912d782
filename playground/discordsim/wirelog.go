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

// tokenPath finds the token in the paths of callbacks and webhooks.
var tokenPath = regexp.MustCompile(`(/(?:interactions|webhooks)/[^/]+/)[^/?]+`)

// tokenField finds the tokens in a JSON body.
var tokenField = regexp.MustCompile(`("(?:access_|refresh_)?token"\s*:\s*")[^"]*`)

// formSecret finds what a form of OAuth2 proves itself by.
var formSecret = regexp.MustCompile(`((?:^|&)(?:code|token|refresh_token|client_secret)=)[^&]*`)

const redacted = "***"

// record adds an exchange.
func (s *Server) record(e Exchange) {
	clean := func(text string) string {
		return strings.ReplaceAll(tokenField.ReplaceAllString(text, "${1}"+redacted), s.cfg.BotToken, redacted)
	}
	e.Path = clean(tokenPath.ReplaceAllString(e.Path, "${1}"+redacted))
	if strings.Contains(e.Path, "/oauth2/token") {
		e.Request = formSecret.ReplaceAllString(e.Request, "${1}"+redacted)
	}
	e.Request, e.Response = clean(e.Request), clean(e.Response)
	s.wire.Add(e)
}

// Log returns the last exchanges (at most 500), oldest first.
func (s *Server) Log() []Exchange { return s.wire.All() }

// OnExchange lets f hear of every exchange as it enters the wire log, without
// tokens; nil ends that. f must return at once and not call the server.
func (s *Server) OnExchange(f func(Exchange)) { s.wire.Listen(f) }
