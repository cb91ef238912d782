package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/laurelbot/laurel/adapters/openbadges"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/fetch"
	"github.com/laurelbot/laurel/playground/console"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

type playgroundCmd struct {
	Addr string `help:"Address of the page." default:"127.0.0.1:8090" name:"playground-addr"`
	Keep string `help:"Folder for the database, kept afterwards; without it everything is forgotten at the end." type:"path" placeholder:"DIR"`
}

// slackUsage is what Slack shows beside the command, as in the app's manifest.
const slackUsage = "[home | link address | emails | claim | steps | share | verify link | certificates | reminders | status | announce | digests | settings | forget | help]"

// rig is the simulated world and the bot in it.
type rig struct {
	clock   *simclock.Clock
	slack   *slacksim.Server
	discord *discordsim.Server
	credly  *credlysim.Server
	mail    *mailsim.Server
	portal  *portalsim.Server
	closers []func() error
	// guild is the simulated Discord server.
	guild string
	// linked are the ids of its linked roles, by their names.
	linked map[string]string

	credlyToken, portalSecret string
}

// Run starts everything on this machine and serves the page until it is
// told to stop.
func (c *playgroundCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	var listen net.ListenConfig
	page, err := listen.Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("open the page, for which --playground-addr chooses another address: %w", err)
	}
	// Serving closes it as well; the second time says nothing new.
	defer func() { _ = page.Close() }()
	dir := c.Keep
	if dir == "" {
		temporary, err := os.MkdirTemp("", "laurel-playground-")
		if err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(temporary) }()
		dir = temporary
	}
	r, err := newRig(nil)
	if err != nil {
		return err
	}
	defer r.close()

	botListener, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	settings, err := r.settings("http://"+botListener.Addr().String(), filepath.Join(dir, "laurel.db"))
	if err != nil {
		return errors.Join(err, botListener.Close())
	}
	settings.LogFormat, settings.LogLevel = "text", s.LogLevel
	settings.SlackTransport, settings.DiscordTransport = s.SlackTransport, s.DiscordTransport
	r.prepare(settings)
	lines := &console.Lines{}
	a, err := newApp(ctx, settings, slog.New(lines.Handler(newLog(settings, t.err).Handler(), r.clock.Now)), r.clock)
	if err != nil {
		return errors.Join(err, botListener.Close())
	}
	defer a.close()
	// What is due after a jump of the clock happens at once, as it would have
	// happened on the way.
	r.clock.OnMove(func(time.Time) {
		a.scheduler.RunAll(ctx)
		a.wake()
	})

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- a.serve(ctx, botListener) }()
	if err := r.join(ctx, settings); err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	people, err := r.seed(ctx)
	if err == nil {
		err = r.celebrate(ctx, a.db)
	}
	if err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	server := &http.Server{
		Handler: r.page(people, a, lines), ReadHeaderTimeout: headerWithin,
		// Streams of changes end with the playground, not when they please.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Fprintf(t.out, "\n  The playground is open: http://%s/\n  Everything in it is simulated and stays on this machine. Stop it with Ctrl-C.\n\n", page.Addr())
	err = ignoreClosed(server.Serve(page))
	stop()
	return errors.Join(err, <-served)
}

// newRig starts the simulated services. A schema, which may be nil, is
// Discord's own description, against which every request is held.
func newRig(discord discordsim.Schema) (_ *rig, err error) {
	r := &rig{
		clock: simclock.New(), credlyToken: base64.RawURLEncoding.EncodeToString(randomBytes(24)),
		portalSecret: "whsec_" + base64.StdEncoding.EncodeToString(randomBytes(32)),
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.slack, err = slacksim.Start(slacksim.Config{
		Clock: r.clock, BotName: "Laurel", Scopes: []string{
			"commands", "chat:write", "im:write", "im:history", "channels:history", "groups:history",
			"channels:read", "groups:read", "files:write", "files:read", "users:read",
		},
		Commands: []slacksim.CommandInfo{{
			Name: "/badges", Description: "See and claim your digital badges", UsageHint: slackUsage,
		}},
		Shortcuts: []slacksim.ShortcutInfo{
			{Name: "Verify this badge", Type: "message", CallbackID: "verify"},
			{Name: "Announce a badge", Type: "global", CallbackID: "announce"},
		},
	}); err != nil {
		return nil, fmt.Errorf("start simulated Slack: %w", err)
	}
	r.closers = append(r.closers, r.slack.Close)
	if r.discord, err = discordsim.Start(discordsim.Config{Clock: r.clock, Schema: discord, AppName: "Laurel"}); err != nil {
		return nil, fmt.Errorf("start simulated Discord: %w", err)
	}
	r.closers = append(r.closers, r.discord.Close)
	if r.credly, err = credlysim.Start(credlysim.Config{
		Clock: r.clock, Token: r.credlyToken, OrganizationName: "Example Certification Body",
	}); err != nil {
		return nil, fmt.Errorf("start simulated Credly: %w", err)
	}
	r.closers = append(r.closers, r.credly.Close)
	if r.mail, err = mailsim.Start(mailsim.Config{Clock: r.clock}); err != nil {
		return nil, fmt.Errorf("start mailbox: %w", err)
	}
	r.closers = append(r.closers, r.mail.Close)
	if r.portal, err = portalsim.Start(portalsim.Config{
		Clock: r.clock, Secret: r.portalSecret, EventsSecret: r.portalSecret,
	}); err != nil {
		return nil, fmt.Errorf("start simulated portal: %w", err)
	}
	r.closers = append(r.closers, r.portal.Close)
	return r, nil
}

func (r *rig) close() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		_ = r.closers[i]()
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // Never fails: it ends the program instead.
	return b
}

// settings are those of a bot that knows nothing but addresses and
// credentials, as in production.
func (r *rig) settings(publicURL, file string) (*Settings, error) {
	s := &Settings{
		DatabaseURL: "sqlite:" + file, PublicURL: publicURL, HandoffTTL: core.DefaultHandoffTTL,
		SecretKey:     core.Secret(base64.StdEncoding.EncodeToString(randomBytes(core.KeyBytes))),
		SlackBotToken: core.Secret(r.slack.Config().BotToken), SlackSigningSecret: core.Secret(r.slack.Config().SigningSecret),
		SlackAppToken:  core.Secret(r.slack.Config().AppToken),
		SlackTransport: transportHTTP, SlackAPIURL: r.slack.APIURL(),
		DiscordBotToken: core.Secret(r.discord.BotToken()), DiscordApplicationID: r.discord.ApplicationID(),
		DiscordPublicKey: r.discord.PublicKey(), DiscordTransport: transportHTTP, DiscordAPIURL: r.discord.BaseURL(),
		DiscordClientSecret: core.Secret(r.discord.ClientSecret()), BadgeLevels: seededLevels(),
		CredlyOrganizationID: r.credly.OrganizationID(), CredlyToken: core.Secret(r.credlyToken),
		CredlyAPIURL: r.credly.APIURL(), CredlyOAuthURL: r.credly.OAuthURL(),
		CredlyWebhookToken:  core.Secret(base64.RawURLEncoding.EncodeToString(randomBytes(24))),
		PortalWebhookSecret: core.Secret(r.portalSecret), PortalEventsURL: r.portal.EventsURL(),
		SMTPURL: core.Secret(r.mail.URL()), MailFrom: "Laurel <badges@laurel.example.org>",
		CredlyPublicProfiles: true, LogFormat: "text", LogLevel: "warn",
		badges: openbadges.Options{
			Client: fetch.New(fetch.Options{Also: []string{r.credly.URL()}}),
			Pages:  []openbadges.Page{{Prefix: r.credly.URL() + "/badges/", Badge: r.credly.APIURL() + "/obi/v2/badge_assertions/"}},
		},
	}
	return s, errors.Join(s.check(), s.complete())
}

// prepare lets the bot connect by itself, where that is its way.
func (r *rig) prepare(s *Settings) { r.slack.UseSocketMode(s.SlackTransport == transportSocket) }

// join tells the simulated services how the bot is reached.
func (r *rig) join(ctx context.Context, s *Settings) error {
	r.slack.SetCommandsURL(s.PublicURL + "/slack/commands")
	r.slack.SetInteractionsURL(s.PublicURL + "/slack/interactions")
	r.slack.SetEventsURL(s.PublicURL + "/slack/events")
	r.credly.SetWebhookURL(s.PublicURL + "/webhooks/credly/" + s.CredlyWebhookToken.Reveal())
	r.portal.SetTargetURL(s.PublicURL + "/webhooks/portal")
	r.discord.SetRedirects(s.PublicURL + chat.PathRolesCallback)
	r.discord.SetVerificationURL(s.PublicURL + chat.PathRoles)
	interactions := s.PublicURL + "/discord/interactions"
	if s.DiscordTransport == transportGateway {
		interactions = ""
	}
	if err := r.discord.SetInteractionsURL(ctx, interactions); err != nil {
		return fmt.Errorf("join simulated Discord: %w", err)
	}
	return r.connected(ctx, s)
}

// connectWithin is how long the bot may take to connect by itself.
const connectWithin = 30 * time.Second

// connected waits for the connections that the bot opens.
func (r *rig) connected(ctx context.Context, s *Settings) error {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	if s.SlackTransport == transportSocket {
		if err := r.slack.WaitConnections(ctx, 1); err != nil {
			return fmt.Errorf("wait for Socket Mode: %w", err)
		}
	}
	if s.DiscordTransport == transportGateway {
		if err := r.discord.Eventually(ctx, r.discord.Gateway().Ready); err != nil {
			return fmt.Errorf("wait for the gateway: %w", err)
		}
	}
	return nil
}
