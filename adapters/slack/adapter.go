package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/inbox"
)

// Platform is the name of this platform in identities.
const Platform core.Platform = "slack"

const (
	defaultAPIURL      = "https://slack.com/api/"
	defaultHTTPTimeout = 10 * time.Second
	// maxResponseBytes bounds what is read of any answer of Slack.
	maxResponseBytes = 4 << 20
	// rememberedConversations is how many direct conversations are known
	// without asking Slack again.
	rememberedConversations = 10_000
	conversationLife        = 24 * time.Hour
)

// Config is what the adapter needs from outside.
type Config struct {
	// APIURL is the base of the Web API and ends in a slash; empty means
	// Slack itself.
	APIURL   string
	BotToken core.Secret
	// SigningSecret verifies requests by HTTP. Without it each of them is
	// refused; Socket Mode does not need it.
	SigningSecret core.Secret
	// AppToken is the app-level token, xapp-…, for Socket Mode; HTTP does not
	// need it.
	AppToken core.Secret
	// HTTPTimeout limits each call to Slack; zero means ten seconds.
	HTTPTimeout time.Duration
	// Transport carries the calls to Slack; nil means the usual one.
	Transport http.RoundTripper
	// Limiter keeps the rates of the Web API for all replicas together; nil
	// means that calls are not held back.
	Limiter core.Limiter
	Clock   core.Clock
	// Keys seals what is given to Slack for safekeeping.
	Keys *core.Keys
	// Handler answers actions; it can also be given by SetHandler.
	Handler chat.Handler
	Inbox   inbox.Receiver
	// Log may be nil.
	Log *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// Adapter is the connection to one Slack app. It is safe for concurrent use.
type Adapter struct {
	apiURL        *url.URL
	token         core.Secret
	signingSecret core.Secret
	appToken      core.Secret
	client        *http.Client
	// downloads gets files that people shared.
	downloads     *http.Client
	api           *slackapi.Client
	clock         core.Clock
	keys          *core.Keys
	inbox         inbox.Receiver
	log           *slog.Logger
	metrics       *metrics
	people        *people
	conversations *lru[string]
	// uses counts the answers sent to a response_url, which all places made
	// of it share.
	uses *lru[int]
	// uploads are pictures that Slack has.
	uploads *lru[upload]
	work    inflight
	// life ends when answers that are not given yet are given up.
	life     context.Context //nolint:containedctx // It bounds what outlives every request.
	giveUp   context.CancelFunc
	patience time.Duration
	handler  atomic.Pointer[chat.Handler]
	// socket is set while Socket Mode runs.
	socket      atomic.Pointer[socketPool]
	socketTimes socketTimes
}

var _ chat.Messenger = (*Adapter)(nil)

// New returns an adapter, or an error that names what is missing in c. The
// credentials themselves are not tried; see [Adapter.Check].
func New(c Config) (*Adapter, error) {
	if c.Clock == nil || c.Keys == nil || c.Inbox == nil {
		return nil, errors.New("make slack adapter: clock, keys and inbox are needed")
	}
	if c.APIURL == "" {
		c.APIURL = defaultAPIURL
	}
	base, err := url.Parse(c.APIURL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") || !strings.HasSuffix(base.Path, "/") {
		return nil, errors.New("make slack adapter: the API URL is not a web address that ends in a slash")
	}
	if c.HTTPTimeout <= 0 {
		c.HTTPTimeout = defaultHTTPTimeout
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("make slack adapter: %w", err)
	}
	var transport http.RoundTripper = boundedTransport{c.Transport}
	if c.Limiter != nil {
		transport = &limitedTransport{base: transport, limiter: c.Limiter, api: base, clock: c.Clock, refused: newLRU[string](rememberedRefusals)}
	}
	client := &http.Client{
		Timeout:   c.HTTPTimeout,
		Transport: transport,
		// A redirect would carry token and message to another place.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	a := &Adapter{
		apiURL:        base,
		token:         c.BotToken,
		signingSecret: c.SigningSecret,
		appToken:      c.AppToken,
		client:        client,
		downloads: &http.Client{
			Timeout: c.HTTPTimeout, Transport: c.Transport,
			// A redirect would carry the token to another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		api: slackapi.New(c.BotToken.Reveal(), slackapi.OptionHTTPClient(client), slackapi.OptionAPIURL(c.APIURL),
			slackapi.OptionAppLevelToken(c.AppToken.Reveal())),
		clock:         c.Clock,
		keys:          c.Keys,
		inbox:         c.Inbox,
		log:           c.Log,
		metrics:       m,
		conversations: newLRU[string](rememberedConversations),
		uses:          newLRU[int](rememberedResponseURLs),
		uploads:       newLRU[upload](rememberedUploads),
		socketTimes:   usualSocketTimes(),
		patience:      drainPatience,
	}
	a.life, a.giveUp = context.WithCancel(context.Background())
	a.people = newPeople(a.api, c.Clock, &a.work)
	if c.Handler != nil {
		a.SetHandler(c.Handler)
	}
	return a, nil
}

// SetHandler names who answers actions from now on. Until there is one,
// actions are refused with status 503.
func (a *Adapter) SetHandler(h chat.Handler) { a.handler.Store(&h) }

// drainPatience is how long an answer may still take when the process is to
// end. One that waits for a limit of Slack's may wait for much longer.
const drainPatience = 2 * time.Second

// Drain waits until every answer that is still being worked on has been
// given, for a while; then those that still wait are given up. An error says
// that ctx ended before that. Transports are stopped before.
func (a *Adapter) Drain(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	if a.work.wait(patient) == nil {
		return nil
	}
	a.giveUp()
	if err := a.work.wait(ctx); err != nil {
		return fmt.Errorf("drain slack answers: %w", err)
	}
	return nil
}

// boundedTransport cuts answers that are longer than any that Slack gives.
type boundedTransport struct{ base http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxResponseBytes), resp.Body}
	return resp, nil
}
