package portal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	// publishTimeout bounds one delivery, as the specification recommends 15
	// to 30 s.
	publishTimeout = 15 * time.Second
	// maxRetryAfter bounds the wait that an answer can ask for.
	maxRetryAfter = 24 * time.Hour
	// maxIgnored is how much of an answer is read to keep the connection.
	maxIgnored = 64 << 10
)

// SinkConfig says where events go.
type SinkConfig struct {
	// URL takes the events. Plain http is taken for loopback addresses only,
	// since events name people.
	URL string
	// Secret holds the keys, see [ParseKeys]; every key signs.
	Secret core.Secret
	Clock  core.Clock
	// Transport replaces the connection pool; nil is an own one.
	Transport http.RoundTripper
	// Timeout bounds one delivery; zero is 15 s.
	Timeout time.Duration
}

// Sink tells the certification body's system what became of its awards.
type Sink struct {
	url     string
	keys    Keys
	clock   core.Clock
	timeout time.Duration
	client  *http.Client
}

var _ core.EventSink = (*Sink)(nil)

// NewSink returns a sink. Its errors do not repeat the address, which may
// hold a secret.
func NewSink(cfg SinkConfig) (*Sink, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, errors.New("portal events url: not an https address")
	}
	keys, err := ParseKeys(cfg.Secret)
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	if cfg.Clock == nil {
		return nil, errors.New("portal: no clock")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = publishTimeout
	}
	if cfg.Transport == nil {
		cfg.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:   true,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second,
		}
	}
	return &Sink{
		url: cfg.URL, keys: keys, clock: cfg.Clock, timeout: cfg.Timeout,
		client: &http.Client{
			Transport:     cfg.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// eventBody is what is sent.
type eventBody struct {
	Type      core.EventType `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	Data      eventData      `json:"data"`
}

type eventData struct {
	AwardID    string         `json:"award_id,omitempty"`
	BadgeID    string         `json:"badge_id,omitempty"`
	TemplateID string         `json:"badge_template_id"`
	Stage      core.Stage     `json:"stage"`
	BadgeURL   string         `json:"badge_url,omitempty"`
	IssuedAt   *time.Time     `json:"issued_at,omitempty"`
	ExpiresAt  *time.Time     `json:"expires_at,omitempty"`
	AcceptedAt *time.Time     `json:"accepted_at,omitempty"`
	Recipient  eventRecipient `json:"recipient"`
}

type eventRecipient struct {
	Email string `json:"email"`
}

func newEventBody(e core.Event) eventBody {
	b := e.Badge
	d := eventData{
		AwardID: b.AwardID, BadgeID: b.ProviderID, TemplateID: b.Template.ID, Stage: b.Stage,
		IssuedAt: orNil(b.IssuedAt), ExpiresAt: orNil(b.ExpiresAt), Recipient: eventRecipient{cmp.Or(b.Recipient.Shown, b.Recipient.Normal)},
	}
	if b.Stage == core.StagePublic {
		d.BadgeURL = b.BadgeURL
	}
	if e.Type == core.EventAccepted {
		d.AcceptedAt = orNil(e.At)
	}
	return eventBody{Type: e.Type, Timestamp: e.At.UTC(), Data: d}
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Publish sends one event, signed anew each time, with the event's id as
// webhook-id. Only a 2xx answer means that it was received; redirects are
// not followed. No error holds the address, the secret or a person.
func (s *Sink) Publish(ctx context.Context, e core.Event) error {
	body, err := json.Marshal(newEventBody(e))
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("publish event: make request")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "laurel")
	now := s.clock.Now()
	s.keys.Sign(req.Header, e.ID, now, body)
	resp, err := s.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("publish event: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	// What the answer says does not matter; reading it keeps the connection.
	_, _ = io.CopyN(io.Discard, resp.Body, maxIgnored)
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return nil
	}
	err = fmt.Errorf("publish event: status %d", resp.StatusCode)
	if after := retryAfter(resp.Header, now); after > 0 {
		return &core.RetryAfterError{After: after, Err: err}
	}
	return err
}

// retryAfter reads the header of the same name: seconds or a date, which is
// taken relative to the answer's own.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
