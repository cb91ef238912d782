// Package credly speaks with Credly, the service where badges are issued and
// accepted: it reads, issues, replaces and revokes badges through the issuer's
// API, and takes in the webhooks by which Credly tells of changes.
//
// No call of Credly accepts or publishes a badge for its earner. What is
// unconfirmed about the API is met with tolerance: unknown fields, unknown
// states, missing endpoints and missing filters.
//
// See https://www.credly.com/docs/web_service_api.
package credly

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
)

// Addresses of the real service.
const (
	DefaultAPIURL   = "https://api.credly.com/v1"
	DefaultOAuthURL = "https://www.credly.com/oauth/token"
)

const (
	// requestTimeout bounds one request, answer included.
	requestTimeout = 15 * time.Second
	// maxAnswer is the largest answer read, in bytes.
	maxAnswer = 8 << 20
	// maxPages bounds how far a list is followed; a page has 50 entries.
	maxPages = 20
	// defaultPerSecond keeps the spacing that integrators use; Credly
	// publishes no limits.
	defaultPerSecond = 3
)

// Config says whose badges are handled and how Credly is reached.
type Config struct {
	// APIURL ends in /v1; empty is [DefaultAPIURL]. Plain http is taken for
	// loopback addresses only.
	APIURL string
	// OAuthURL is where access tokens are asked for; empty is
	// [DefaultOAuthURL].
	OAuthURL string
	// OrganizationID is the issuer's UUID at Credly.
	OrganizationID string
	// Token is an authorization token. With ClientID set it is used only to
	// learn its own expiry.
	Token core.Secret
	// ClientID and ClientSecret are an OAuth application.
	ClientID     string
	ClientSecret core.Secret
	// SuppressMail switches off Credly's own notification and reminder mails
	// for badges issued here.
	SuppressMail bool
	Clock        core.Clock
	// Log may be nil.
	Log *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Transport replaces the connection pool; nil is an own one.
	Transport http.RoundTripper
	// Timeout bounds one request; zero is 15 s.
	Timeout time.Duration
	// PerSecond is how many requests are sent in a second; zero is 3.
	PerSecond float64
}

// Client is one issuer's access to Credly. It is safe for concurrent use.
type Client struct {
	base         *url.URL
	organization string
	suppressMail bool
	token        core.Secret
	timeout      time.Duration
	clock        core.Clock
	log          *slog.Logger
	http         *http.Client
	auth         authorizer
	pace         *pacer
	metrics      *metrics
	memory       *memory
	issuer       *issuer
	profiles     *profiles
	// background puts all calls behind those somebody waits for.
	background bool
}

var _ core.Provider = (*Client)(nil)

// New returns a client. It makes no request.
func New(cfg Config) (*Client, error) {
	if cfg.APIURL == "" {
		cfg.APIURL = DefaultAPIURL
	}
	if cfg.OAuthURL == "" {
		cfg.OAuthURL = DefaultOAuthURL
	}
	base, err := parseEndpoint(cfg.APIURL)
	if err != nil {
		return nil, fmt.Errorf("credly api url: %w", err)
	}
	if !strings.HasSuffix(base.Path, "/v1") || base.RawQuery != "" {
		return nil, errors.New("credly api url: must end in /v1")
	}
	if _, err := parseEndpoint(cfg.OAuthURL); err != nil {
		return nil, fmt.Errorf("credly oauth url: %w", err)
	}
	switch {
	case !validID(cfg.OrganizationID):
		return nil, errors.New("credly organization id: missing or malformed")
	case cfg.Clock == nil:
		return nil, errors.New("credly: no clock")
	case cfg.ClientID != "" && cfg.ClientSecret == "":
		return nil, errors.New("credly: client id without client secret")
	case cfg.ClientID == "" && cfg.Token == "":
		return nil, errors.New("credly: neither token nor client id")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = requestTimeout
	}
	if cfg.PerSecond <= 0 {
		cfg.PerSecond = defaultPerSecond
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, fmt.Errorf("credly: %w", err)
	}
	c := &Client{
		base:         base,
		organization: cfg.OrganizationID,
		suppressMail: cfg.SuppressMail,
		token:        cfg.Token,
		timeout:      cfg.Timeout,
		clock:        cfg.Clock,
		log:          cfg.Log,
		http:         newHTTPClient(cfg.Transport),
		pace:         newPacer(cfg.PerSecond),
		metrics:      m,
		memory:       newMemory(),
		issuer:       &issuer{},
		profiles:     newProfiles(),
	}
	c.auth = basic{cfg.Token}
	if cfg.ClientID != "" {
		c.auth = newOAuth(c, cfg.OAuthURL, cfg.ClientID, cfg.ClientSecret)
	}
	return c, nil
}

// Background returns the same client for sweeps: its calls take at most two
// thirds of the requests, so that those somebody waits for come through.
func (c *Client) Background() *Client {
	b := *c
	b.background = true
	return &b
}

// Name returns "Credly".
func (c *Client) Name() string { return "Credly" }

// Capabilities returns everything: Credly can do and tell all of it.
func (c *Client) Capabilities() core.Capability {
	return core.CanIssue | core.CanReplace | core.CanRevoke | core.TellsAcceptance | core.TellsVisibility | core.PushesChanges
}

// newHTTPClient follows no redirects: the API has none, and credentials must
// not travel.
func newHTTPClient(rt http.RoundTripper) *http.Client {
	if rt == nil {
		rt = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   8,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: requestTimeout,
		}
	}
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// parseEndpoint takes https addresses, and http ones of this machine. The
// error does not repeat the text, which might hold a secret by mistake.
func parseEndpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(raw, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("not an address")
	}
	if u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()) {
		return u, nil
	}
	return nil, errors.New("must be https")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// path returns an address below the organization. Every element was checked
// by validID or is a constant.
func (c *Client) path(elem ...string) string {
	return c.base.String() + "/organizations/" + c.organization + "/" + strings.Join(elem, "/")
}

// validID reports whether s can be an identifier of Credly, so that it can
// stand in a path: documented are UUIDs, its examples have others as well.
func validID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
