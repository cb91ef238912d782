package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

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

	claims     *core.Claims
	links      *core.Links
	observer   *core.Observer
	reconciler *core.Reconciler
	work       *core.Work
	farewells  *core.Farewells
	reminders  *core.Reminders
	calls      *core.Calls
	digests    *core.Digests
	verifier   *openbadges.Verifier
	gallery    *core.Gallery
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
		PublicURL: a.settings.PublicURL, TTL: a.settings.HandoffTTL, Charts: chart.New(a.log),
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

// wake lets the workers look at once for what was queued just now.
func (a *app) wake() {
	a.dispatcher.Nudge()
	a.worker.Nudge()
}

// start lets everything run in the background until ctx ends, and returns a
// function that waits for the end.
func (a *app) start(ctx context.Context) (wait func()) {
	// Before the first event can say that an installation ended.
	if err := a.reviveInstallations(ctx); err != nil {
		a.log.WarnContext(ctx, "revive installations", "err", err)
	}
	a.reportRoles(ctx)
	var group sync.WaitGroup
	group.Go(func() { a.dispatcher.Run(ctx) })
	group.Go(func() { a.worker.Run(ctx) })
	group.Go(func() { a.learnTemplates(ctx) })
	if a.discord != nil {
		group.Go(func() { a.register(ctx) })
		if a.hasRoles() {
			group.Go(func() { a.registerRoles(ctx) })
		}
	}
	a.scheduler.Start()
	return func() {
		if err := a.scheduler.Stop(); err != nil {
			a.log.Warn("stop scheduler", "err", err)
		}
		group.Wait()
	}
}

// connect keeps the connections by which platforms reach the bot until ctx
// ends, and returns a function that waits for the end.
func (a *app) connect(ctx context.Context) (wait func()) {
	var group sync.WaitGroup
	run := func(name string, f func(context.Context) error) {
		group.Go(func() {
			if err := f(ctx); err != nil {
				a.log.ErrorContext(ctx, "give up connection", "transport", name, "err", err)
			}
		})
	}
	if a.slack != nil && a.settings.SlackTransport == transportSocket {
		run("Slack Socket Mode", a.slack.RunSocket)
	}
	if a.discord != nil && a.settings.DiscordTransport == transportGateway {
		run("Discord gateway", func(ctx context.Context) error {
			return a.discord.RunGateway(ctx, discord.GatewayConfig{Leases: a.db, Holder: core.NewID()})
		})
	}
	return group.Wait
}

// connected says what is wrong with those connections.
func (a *app) connected() error {
	if a.slack != nil && a.settings.SlackTransport == transportSocket {
		if err := a.slack.SocketHealth(); err != nil {
			return err
		}
	}
	if a.discord != nil && a.settings.DiscordTransport == transportGateway {
		return a.discord.GatewayHealth()
	}
	return nil
}

// learnTemplates reads once what may take a while: nothing waits for it.
func (a *app) learnTemplates(ctx context.Context) {
	if err := a.reconciler.Templates(ctx); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "read templates", "err", err)
	}
}

// reviveWithin bounds what a start waits for.
const reviveWithin = 3 * time.Second

// reviveInstallations gives every workspace whose credentials were void
// another try: a new start may have brought new ones. Where it did not, the
// first message finds out.
func (a *app) reviveInstallations(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviveWithin)
	defer cancel()
	all, err := a.db.Installations(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Dead == "" {
			continue
		}
		if err := a.db.MarkInstallation(ctx, i.Platform, i.Tenant, "", a.clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// drain waits for answers that are still being worked on.
func (a *app) drain(ctx context.Context) error {
	var errs []error
	if a.slack != nil {
		errs = append(errs, a.slack.Drain(ctx))
	}
	if a.discord != nil {
		errs = append(errs, a.discord.Drain(ctx))
	}
	return errors.Join(errs...)
}

func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
}

// jobs are what has to happen as time passes.
func (a *app) jobs() []scheduler.Job {
	sweeper := &core.Sweeper{Store: a.db, Clock: a.clock}
	count := func(what string, n int) string {
		if n == 0 {
			return scheduler.OutcomeOK
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	return []scheduler.Job{
		{Name: "expire-handoffs", Every: 5 * time.Second, Timeout: 30 * time.Second, Run: func(ctx context.Context) (string, error) {
			n, err := sweeper.Expire(ctx)
			if n > 0 {
				a.dispatcher.Nudge()
			}
			return count("expired", n), err
		}},
		{Name: "remind", Every: time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.reminders.Plan(ctx)
			if n.Reminders > 0 {
				a.dispatcher.Nudge()
			}
			a.remindMetrics.planned(n)
			return count("reminded", n.Reminders), err
		}},
		{Name: "call", Every: 15 * time.Second, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			posted, recounted, err := a.calls.Tick(ctx)
			if posted > 0 || recounted > 0 {
				a.dispatcher.Nudge()
			}
			return count("posted", posted), err
		}},
		{Name: "digest", Every: time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.digests.Issue(ctx)
			if n > 0 {
				a.dispatcher.Nudge()
			}
			return count("sent", n), err
		}},
		{Name: "roles", Every: 5 * time.Second, Timeout: time.Minute, Run: a.tickRoles},
		{Name: "read-badges", Every: 15 * time.Second, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.reconciler.Poll(ctx)
			a.dispatcher.Nudge()
			return count("read", n), err
		}},
		{Name: "read-people", Every: time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.reconciler.Refresh(ctx)
			a.dispatcher.Nudge()
			return count("read", n), err
		}},
		{Name: "read-templates", Every: 10 * time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			return "", a.reconciler.Templates(ctx)
		}},
		{Name: "erase-removed", Every: 10 * time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.farewells.Sweep(ctx)
			a.dispatcher.Nudge()
			return count("erased", n), err
		}},
		{Name: "tidy", Every: 10 * time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			return "", a.db.Tidy(ctx, a.clock.Now())
		}},
		{Name: "credly-token", Every: 24 * time.Hour, Timeout: time.Minute, Run: a.reportTokenExpiry},
	}
}

// warnBefore is how long before its end an operator is told of a token.
const warnBefore = 30 * 24 * time.Hour

func (a *app) reportTokenExpiry(ctx context.Context) (string, error) {
	ends, known, err := a.credly.TokenExpiry(ctx)
	if err != nil || !known {
		return "", err
	}
	if left := ends.Sub(a.clock.Now()); left < warnBefore {
		a.log.WarnContext(ctx, "CREDLY_TOKEN ends soon: make a new one under Developers, Authorization Tokens", "ends", ends)
	}
	return "ends " + ends.UTC().Format(time.DateOnly), nil
}
