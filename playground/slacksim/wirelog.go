package slacksim

import (
	"net/url"
	"strings"
	"time"
)

// logBodyMax is how much of a body the wire log keeps, in bytes.
const logBodyMax = 16 << 10

// Direction says who began an exchange.
type Direction string

// The directions, seen from the simulation.
const (
	// DirectionIn is a call of the app to Slack.
	DirectionIn Direction = "in"
	// DirectionOut is a request of Slack to the app.
	DirectionOut Direction = "out"
)

// Exchange is one request and its answer, or one envelope and its
// acknowledgement, with tokens, signing secrets, tickets and the secret part of
// response URLs redacted.
type Exchange struct {
	At        time.Time `json:"at"`
	Direction Direction `json:"direction"`
	// Method is the HTTP method, and WS over Socket Mode.
	Method   string        `json:"method"`
	Path     string        `json:"path"`
	Request  string        `json:"request"`
	Status   int           `json:"status"`
	Response string        `json:"response"`
	Latency  time.Duration `json:"latency_ns,omitempty"`
	// Note tells what the wire does not show, such as a cut connection.
	Note string `json:"note,omitempty"`
}

// Log returns the last exchanges, oldest first.
func (s *Server) Log() []Exchange { return s.wire.All() }

// OnExchange lets f hear of every exchange as it enters the wire log, already
// redacted; nil ends that. f must return at once and not call the server.
func (s *Server) OnExchange(f func(Exchange)) { s.wire.Listen(f) }

func (s *Server) record(e Exchange) {
	e.Path, e.Request, e.Response = s.redact(e.Path), s.redact(e.Request), s.redact(e.Response)
	s.wire.Add(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bump()
}

func (s *Server) redact(text string) string {
	const redacted = "REDACTED"
	for _, secret := range []string{s.cfg.BotToken, s.cfg.SigningSecret, s.cfg.AppToken} {
		text = strings.ReplaceAll(text, secret, redacted)
		text = strings.ReplaceAll(text, url.QueryEscape(secret), redacted)
	}
	text = tokenPattern.ReplaceAllString(text, redacted)
	text = secretPattern.ReplaceAllString(text, redacted)
	if len(text) > logBodyMax {
		text = strings.ToValidUTF8(text[:logBodyMax], "") + "…"
	}
	return text
}
