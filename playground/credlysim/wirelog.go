package credlysim

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// keptBody is how much of a body the wire log keeps, in bytes.
const keptBody = 8 << 10

// Exchange is one request and its answer, without secrets.
type Exchange struct {
	At       time.Time `json:"at"`
	Method   string    `json:"method"`
	URL      string    `json:"url"`
	Auth     string    `json:"auth,omitempty"`
	Request  string    `json:"request,omitempty"`
	Status   int       `json:"status"`
	Response string    `json:"response,omitempty"`
	// Took is real time; Webhook says that Credly was the one who asked.
	Took    time.Duration `json:"took,omitempty"`
	Webhook bool          `json:"webhook,omitempty"`
	// Fault tells that the answer was misbehaviour on order.
	Fault bool `json:"fault,omitempty"`
}

// The secrets in paths and in JSON.
var (
	tokenSegment = regexp.MustCompile(`/go/[0-9A-Za-z]+`)
	secretJSON   = regexp.MustCompile(`("(?:token|access_token|client_secret|secret)"\s*:\s*)"[^"]*"`)
)

// Wire returns the last exchanges, the oldest first.
func (s *Server) Wire() []Exchange { return s.wire.All() }

// OnExchange lets f hear of every exchange, webhooks included, without
// secrets; nil ends that. f must return at once and not call the server.
func (s *Server) OnExchange(f func(Exchange)) { s.wire.Listen(f) }

// webhookExchange is a webhook as the wire log shows it: the end of the
// address is its secret.
func webhookExchange(at time.Time, d *Delivery, target string, status int, took time.Duration) Exchange {
	path := target
	if u, err := url.Parse(target); err == nil {
		path = u.Path
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' {
			path = path[:i+1] + "[redacted]"
			break
		}
	}
	return Exchange{
		At: at, Method: http.MethodPost, URL: path, Request: d.Body, Status: status, Took: took, Webhook: true,
	}
}

func (s *Server) log(e Exchange) {
	s.wire.Add(e)
	s.touch()
}

func redactURL(u *url.URL) string {
	return tokenSegment.ReplaceAllString(u.RequestURI(), "/go/[redacted]")
}

func redactAuth(header string) string {
	if header == "" {
		return ""
	}
	scheme, _, _ := strings.Cut(header, " ")
	if scheme != "Basic" && scheme != "Bearer" {
		scheme = "other"
	}
	return scheme + " [redacted]"
}

func redactBody(kind string, body []byte) string {
	if strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return "[unreadable form]"
		}
		if form.Has("client_secret") {
			form.Set("client_secret", "[redacted]")
		}
		return form.Encode()
	}
	if strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "image/") {
		return "[" + kind + "]"
	}
	text := secretJSON.ReplaceAllString(string(body), `$1"[redacted]"`)
	text = tokenSegment.ReplaceAllString(text, "/go/[redacted]")
	if len(text) > keptBody {
		text = strings.ToValidUTF8(text[:keptBody], "")
	}
	return text
}
