package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/laurelbot/laurel/adapters/chart"
	"github.com/laurelbot/laurel/adapters/credly"
	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/adapters/mail"
	"github.com/laurelbot/laurel/adapters/openbadges"
	"github.com/laurelbot/laurel/adapters/portal"
	"github.com/laurelbot/laurel/adapters/slack"
	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/adapters/web"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/internal/fetch"
	"github.com/laurelbot/laurel/scheduler"
)

// app is the bot with everything tied together.
type app struct {
	settings *Settings
	log      *slog.Logger
	metrics  *prometheus.Registry
	db       *sqlstore.DB
	clock    core.Clock
	mux      *http.ServeMux
	draining atomic.Bool

	slack   *slack.Adapter
	discord *discord.Adapter
	credly  *credly.Client
	mailer  *mail.Mailer

	claims       *core.Claims
	links        *core.Links
	observer     *core.Observer
	reconciler   *core.Reconciler
	work         *core.Work
	farewells    *core.Farewells
	reminders    *core.Reminders
	calls        *core.Calls
	digests      *core.Digests
	celebrations *core.Celebrations
	verifier     *openbadges.Verifier
	gallery      *core.Gallery
	// roles also end connections where nobody can make any.
	roles     *core.Roles
	roleLooks *prometheus.CounterVec
	// composers are those that are told of roles, once these are there.
	composers []*chat.Composer

	remindMetrics *remindMetrics
	certificates  *core.Certificates

	limiter    *delivery.Limiter
	dispatcher *delivery.Dispatcher
	worker     *inbox.Worker
	scheduler  *scheduler.Scheduler
	closers    []func()
	// learnedAt is when templates were last read because of an award, in
	// milliseconds.
	learnedAt atomic.Int64

	messengers map[core.Platform]chat.Messenger
}

// openStore opens the database that the settings name.
func openStore(ctx context.Context, s *Settings, log *slog.Logger) (*sqlstore.DB, *core.Keys, error) {
	keys, err := s.keys()
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlstore.Open(ctx, sqlstore.Config{URL: s.DatabaseURL, Keys: keys, Log: log})
	if err != nil {
		return nil, nil, fmt.Errorf("open DATABASE_URL: %w", err)
	}
	return db, keys, nil
}

// newApp ties the bot together. A nil clock means the database's. The caller
// closes it.
func newApp(ctx context.Context, s *Settings, log *slog.Logger, clock core.Clock) (_ *app, err error) {
	db, keys, err := openStore(ctx, s, log)
	if err != nil {
		return nil, err
	}
	a := &app{
		settings: s, log: log, db: db, clock: clock, metrics: prometheus.NewRegistry(), mux: http.NewServeMux(),
		messengers: map[core.Platform]chat.Messenger{},
	}
	a.closers = append(a.closers, func() {
		if err := db.Close(); err != nil {
			log.Warn("close database", "err", err)
		}
	})
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	db.OnAudit(countTeamEvents(a.metrics))
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if !s.NoMigrate {
		if err := db.Migrate(ctx); err != nil {
			return nil, fmt.Errorf("bring DATABASE_URL up to date: %w", err)
		}
	}
	if a.clock == nil {
		dbClock, err := db.Clock(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the clock of DATABASE_URL: %w", err)
		}
		a.clock = dbClock
		a.closers = append(a.closers, dbClock.Close)
	}
	catalog, err := chat.NewCatalog()
	if err != nil {
		return nil, err
	}
	if err := a.openProvider(); err != nil {
		return nil, err
	}
	if err := a.openCore(keys, catalog); err != nil {
		return nil, err
	}
	if err := a.openChats(keys, catalog); err != nil {
		return nil, err
	}
	if err := a.openDoors(keys, catalog); err != nil {
		return nil, err
	}
	a.scheduler, err = scheduler.New(db, a.clock, log, a.jobs())
	return a, err
}

func (a *app) openProvider() (err error) {
	s := a.settings
	a.credly, err = credly.New(credly.Config{
		APIURL: s.CredlyAPIURL, OAuthURL: s.CredlyOAuthURL, OrganizationID: s.CredlyOrganizationID,
		Token: s.CredlyToken, ClientID: s.CredlyClientID, ClientSecret: s.CredlyClientSecret,
		SuppressMail: s.CredlySuppressMail, PerSecond: s.CredlyPerSecond, Clock: a.clock, Log: a.log, Metrics: a.metrics,
	})
	if err != nil {
		return fmt.Errorf("set up Credly: %w", err)
	}
	a.mailer, err = mail.New(mail.Config{URL: s.SMTPURL, From: s.MailFrom, Log: a.log})
	if err != nil {
		return fmt.Errorf("set up mail (SMTP_URL, MAIL_FROM): %w", err)
	}
	return nil
}

func (a *app) openCore(keys *core.Keys, catalog *chat.Catalog) error {
	s := a.settings
	announce := s.PortalEventsURL != ""
	a.observer = &core.Observer{Store: a.db, Clock: a.clock, Provider: a.credly, Announce: announce}
	a.claims = &core.Claims{Store: a.db, Clock: a.clock, TTL: s.HandoffTTL, Announce: announce}
	a.reminders = &core.Reminders{Store: a.db, Clock: a.clock}
	a.remindMetrics = newRemindMetrics(a.metrics)
	a.calls = &core.Calls{Store: a.db, Clock: a.clock}
	a.digests = &core.Digests{Store: a.db, Clock: a.clock}
	a.celebrations = &core.Celebrations{Store: a.db, Clock: a.clock, Provider: a.credly}
	a.verifier = a.newVerifier()
	a.gallery = &core.Gallery{Keys: keys, Clock: a.clock, Pictures: a.verifier}
	a.links = &core.Links{Store: a.db, Clock: a.clock, Keys: keys}
	a.certificates = a.newCertificates(keys)
	a.reconciler = &core.Reconciler{
		Store: a.db, Clock: a.clock, Provider: a.credly.Background(), Observer: a.observer, Log: a.log,
	}
	a.work = &core.Work{Store: a.db, Clock: a.clock, Provider: a.credly, Observer: a.observer, TTL: s.HandoffTTL}
	a.farewells = &core.Farewells{Store: a.db, Clock: a.clock, Installed: a.installed, Log: a.log}
	a.worker = inbox.NewWorker(a.db, a.clock, a.log, a.inboxHandlers())

	composer := a.composer(keys, catalog)
	senders := map[delivery.Kind]delivery.Sender{
		delivery.KindPost: &delivery.PostSender{Store: a.db, Clock: a.clock, Composer: composer, Messengers: a.messengers},
		delivery.KindMail: &delivery.MailSender{Clock: a.clock, Composer: composer, Mailer: a.mailer},
	}
	if announce {
		sink, err := portal.NewSink(portal.SinkConfig{URL: s.PortalEventsURL, Secret: s.PortalWebhookSecret, Clock: a.clock})
		if err != nil {
			return fmt.Errorf("set up PORTAL_EVENTS_URL: %w", err)
		}
		senders[delivery.KindEvent] = &delivery.EventSender{Store: a.db, Clock: a.clock, Sink: sink}
	}
	a.limiter = delivery.NewLimiter(a.db, a.clock, a.log)
	a.dispatcher = delivery.NewDispatcher(a.db, a.clock, a.log, senders, a.deliveryMetrics())
	a.claims.Courier = a.dispatcher
	return nil
}

// newVerifier makes the one verifier of badges, at the bot's own clock.
func (a *app) newVerifier() *openbadges.Verifier {
	o := a.settings.badges
	o.Clock = a.clock
	return openbadges.New(o)
}

func (a *app) composer(keys *core.Keys, catalog *chat.Catalog) *chat.Composer {
	c := &chat.Composer{
		Store: a.db, Clock: a.clock, Keys: keys, Catalog: catalog, Provider: a.credly,
		PublicURL: a.settings.PublicURL, TTL: a.settings.HandoffTTL, Charts: chart.New(a.log), Unsent: a.remindMetrics.unsent,
	}
	a.composers = append(a.composers, c)
	return c
}

// openChats ties the chat platforms that are set up to what is said.
func (a *app) openChats(keys *core.Keys, catalog *chat.Catalog) (err error) {
	s := a.settings
	service := &chat.Service{
		Store: a.db, Clock: a.clock, Catalog: catalog, Composer: a.composer(keys, catalog),
		Claims: a.claims, Links: a.links, Farewells: a.farewells, Provider: a.credly, Log: a.log, Wake: a.wake,
		Managers: s.managers(), Channels: map[core.Platform]chat.Channels{}, Calls: a.calls, Digests: a.digests, Observer: a.observer,
		Certificates: a.certificates,
		Verifier:     a.verifier, Gallery: a.gallery, Files: map[core.Platform]chat.Files{}, Limits: a.db,
		Pictures: fetch.New(fetch.Options{Transport: s.pictures}), Messengers: a.messengers,
	}
	transport := newTransport()
	a.closers = append(a.closers, transport.CloseIdleConnections)
	if s.hasSlack() {
		a.slack, err = slack.New(slack.Config{
			APIURL: s.SlackAPIURL, BotToken: s.SlackBotToken, AppToken: s.appToken(), SigningSecret: s.SlackSigningSecret,
			Clock: a.clock, Keys: keys, Handler: service, Inbox: a.worker, Limiter: a.limiter, Log: a.log, Metrics: a.metrics,
			Transport: transport,
		})
		if err != nil {
			return fmt.Errorf("set up Slack: %w", err)
		}
		a.messengers["slack"], service.Channels["slack"], service.Files["slack"] = a.slack, a.slack, a.slack
		if s.SlackTransport == transportHTTP {
			a.slack.Routes(a.mux)
		}
	}
	if s.hasDiscord() {
		a.discord, err = discord.New(discord.Config{
			APIURL: s.DiscordAPIURL, BotToken: s.DiscordBotToken, ApplicationID: s.DiscordApplicationID,
			PublicKey: s.DiscordPublicKey, PublicURL: s.PublicURL, Clock: a.clock, Handler: service,
			Gateway: s.DiscordTransport == transportGateway,
			Texts:   commandTexts(catalog), Roles: a.rolesConfig(catalog), Limiter: a.limiter, Log: a.log, Metrics: a.metrics, Transport: transport,
		})
		if err != nil {
			return fmt.Errorf("set up Discord: %w", err)
		}
		a.messengers["discord"], service.Channels["discord"], service.Files["discord"] = a.discord, a.discord, a.discord
		if s.DiscordTransport == transportHTTP {
			a.discord.Routes(a.mux)
		}
	}
	return a.openRoles(keys)
}

// openDoors opens what else can be reached from outside.
func (a *app) openDoors(keys *core.Keys, catalog *chat.Catalog) error {
	s := a.settings
	if s.CredlyWebhookToken != "" {
		hook, err := credly.NewWebhook(credly.WebhookConfig{
			Token: s.CredlyWebhookToken, OrganizationID: s.CredlyOrganizationID,
			Inbox: a.worker, Log: a.log, Metrics: a.metrics,
		})
		if err != nil {
			return fmt.Errorf("set up Credly's webhook: %w", err)
		}
		hook.Routes(a.mux)
	}
	if s.PortalWebhookSecret != "" {
		hook, err := portal.NewReceiver(portal.ReceiverConfig{
			Secret: s.PortalWebhookSecret, Inbox: a.worker, Clock: a.clock, Log: a.log, Metrics: a.metrics,
		})
		if err != nil {
			return fmt.Errorf("set up PORTAL_WEBHOOK_SECRET: %w", err)
		}
		hook.Routes(a.mux)
	}
	passages := &core.Passages{Store: a.db, Clock: a.clock, Keys: keys, Provider: a.credly, Observer: a.observer}
	transport := newTransport()
	a.closers = append(a.closers, transport.CloseIdleConnections)
	roles, rolesAt := a.rolesPages()
	trusted, err := s.proxies()
	if err != nil {
		return err
	}
	pages, err := web.New(web.Config{
		Passages: waking{passages, a.wake}, Links: wakingLinks{a.links, a.wake}, Catalog: catalog,
		Shares: &core.Shares{Store: a.db, Clock: a.clock, Keys: keys, Provider: a.credly}, Transport: transport, Clock: a.clock,
		Verifier: a.verifier, VerdictPictures: a.verifier, Gallery: a.gallery, Certificates: a.certificates, Roles: roles, RolesAt: rolesAt,
		PublicURL: s.PublicURL, FormTargets: a.formTargets(), Log: a.log, Metrics: a.metrics, TrustedProxies: trusted,
	})
	if err != nil {
		return fmt.Errorf("set up pages: %w", err)
	}
	pages.Routes(a.mux)
	a.healthRoutes()
	return nil
}

func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
}
