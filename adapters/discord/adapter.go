package discord

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// DefaultAPIURL is where Discord's REST API is.
const DefaultAPIURL = "https://discord.com"

const userAgent = "DiscordBot (https://github.com/laurelbot/laurel, 1)"

// Config is what an adapter needs. Clock, BotToken and ApplicationID are
// required.
type Config struct {
	// APIURL is scheme and host of the REST API, [DefaultAPIURL] if empty.
	APIURL        string
	BotToken      core.Secret
	ApplicationID string
	// PublicKey is the application's Ed25519 key in hexadecimal. Without it
	// every request to the HTTP receiver is refused: interactions come in by
	// the gateway.
	PublicKey string
	// Gateway says that interactions come in by [Adapter.RunGateway]; Check
	// asks for other settings at Discord then. It is implied where PublicKey
	// is empty.
	Gateway bool
	Clock   core.Clock
	// Handler answers actions; it may be given later by SetHandler.
	Handler chat.Handler
	// Texts are the command's names and descriptions, see [Commands]. Without
	// them Register refuses.
	Texts map[string]CommandText
	// PublicURL is where this service is reached from outside; Check compares
	// it with what Discord knows, when it is set.
	PublicURL string
	// Log may be nil.
	Log *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Transport carries the REST calls, [http.DefaultTransport] if nil.
	Transport http.RoundTripper
	// Limiter keeps Discord's limits for all replicas together. It may be
	// nil: then this process keeps them alone.
	Limiter core.Limiter
	// Roles lets people connect their badges with roles of servers; without its
	// ClientSecret nobody can.
	Roles RolesConfig
}

// Adapter is one application at Discord. It is safe for concurrent use.
type Adapter struct {
	application string
	publicKey   ed25519.PublicKey
	clock       core.Clock
	handler     chat.Handler
	commands    []Command
	publicURL   string
	byGateway   bool
	token       core.Secret
	log         *slog.Logger
	metrics     *metrics
	limits      *limits
	bot         *botCaller
	hooks       *hookCaller
	// base is where the API is, and downloads gets files that people sent.
	base      *url.URL
	downloads *http.Client
	channels  channelCache
	standings standings
	// selfID is the bot's user, once it is known.
	selfID atomic.Pointer[string]
	// work counts what goes on after an acknowledgement.
	work sync.WaitGroup
	// life ends when answers that are not given yet are given up.
	life     context.Context //nolint:containedctx // It bounds what outlives every request.
	giveUp   context.CancelFunc
	patience time.Duration
	// pending are interactions that are not acknowledged yet.
	pending pending
	// answerWithin and retryPause are shorter in tests.
	answerWithin, retryPause time.Duration
	gatewayTimes             gatewayTimes
	// gateway is nil while RunGateway does not run.
	gateway atomic.Pointer[gateway]
	// roles is nil without a client secret.
	roles *Roles
}

var _ chat.Messenger = (*Adapter)(nil)

// New checks the settings and returns an adapter. It calls nothing.
func New(c Config) (*Adapter, error) {
	key, err := hex.DecodeString(c.PublicKey)
	if err != nil || len(key) != ed25519.PublicKeySize && len(key) != 0 {
		return nil, fmt.Errorf("read public key: want %d hexadecimal digits", 2*ed25519.PublicKeySize)
	}
	if !isSnowflake(c.ApplicationID) {
		return nil, errors.New("read application id: want a number")
	}
	if c.BotToken == "" {
		return nil, errors.New("read bot token: it is empty")
	}
	if c.Clock == nil {
		return nil, errors.New("make discord adapter: no clock")
	}
	if c.APIURL == "" {
		c.APIURL = DefaultAPIURL
	}
	base, err := url.Parse(c.APIURL)
	if err != nil || !linkable(base) {
		return nil, errors.New("read API URL: want scheme and host")
	}
	var commands []Command
	if c.Texts != nil {
		if commands, err = Commands(c.Texts); err != nil {
			return nil, err
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	m, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	client := &http.Client{
		Timeout:   requestTimeout,
		Transport: &transport{base: base, next: c.Transport, metrics: m},
		// A redirect would carry a token to somewhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	session, err := newSession(c.BotToken, client)
	if err != nil {
		return nil, err
	}
	limits := newLimits(c.Limiter)
	life, giveUp := context.WithCancel(context.Background())
	a := &Adapter{
		life:        life,
		giveUp:      giveUp,
		application: c.ApplicationID,
		publicKey:   key,
		clock:       c.Clock,
		handler:     c.Handler,
		commands:    commands,
		publicURL:   c.PublicURL,
		byGateway:   c.Gateway || len(key) == 0,
		token:       c.BotToken,
		log:         c.Log,
		metrics:     m,
		limits:      limits,
		bot:         newBotCaller(session, limits),
		hooks:       newHookCaller(client, limits),
		base:        base,
		downloads: &http.Client{
			Timeout: requestTimeout, Transport: c.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		answerWithin: chat.AnswerWithin,
		retryPause:   500 * time.Millisecond,
		patience:     drainPatience,
		gatewayTimes: usualGatewayTimes(),
	}
	if c.Roles.ClientSecret != "" {
		if err := a.setRoles(c.Roles, base); err != nil {
			giveUp()
			return nil, err
		}
	}
	return a, nil
}

// newSession returns a session that keeps no state and never repeats or
// waits by itself: deliveries are repeated where they are stored.
func newSession(token core.Secret, client *http.Client) (*discordgo.Session, error) {
	s, err := discordgo.New("Bot " + token.Reveal())
	if err != nil {
		return nil, errors.New("make discord session")
	}
	s.StateEnabled = false
	s.ShouldRetryOnRateLimit = false
	s.MaxRestRetries = 0
	s.Client = client
	s.UserAgent = userAgent
	// Below the lowest level: the library's own lines may quote answers.
	s.LogLevel = discordgo.LogError - 1
	return s, nil
}

// SetHandler gives the handler. It must be called before the first request
// is served.
func (a *Adapter) SetHandler(h chat.Handler) { a.handler = h }

// drainPatience is how long an answer may still take when the process is to
// end. One that waits for a limit of Discord's may wait for much longer.
const drainPatience = 2 * time.Second

// Drain waits until all work that goes on after its acknowledgement is done,
// for a while; then answers that still wait are given up. An error says that
// ctx ended before that. No further requests may come in meanwhile.
func (a *Adapter) Drain(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		a.work.Wait()
		close(done)
	}()
	timer := time.NewTimer(a.patience)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	a.giveUp()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain discord answers: %w", ctx.Err())
	}
}
