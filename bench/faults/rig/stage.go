package rig

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/laurelbot/laurel/internal/freeport"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// WebhookToken is the unguessable end of the address of Credly's webhook.
const WebhookToken = "faults-webhook-token-0123456789" //nolint:gosec // Made up: it opens nothing.

// Config says what a stage is like.
type Config struct {
	// Name tells the stages' databases and logs apart.
	Name string
	// Direct lets the bot talk to the simulators without the desk in between:
	// what people see is then held by them.
	Direct bool
	// Life is how long a link to claim lives; two minutes by default.
	Life time.Duration
	// Database is used in place of a copy of the generated world.
	Database string
	// Through is an address at which the bot finds its database, e.g. that of
	// a proxy; empty is the server's own.
	Through string
	// Env are further settings.
	Env []string
}

// Stage is a database of its own, the simulated platforms around it, and the
// replicas of the bot.
type Stage struct {
	*Rig
	Config
	// Clock is the one of the simulated platforms; Advance moves it together
	// with the database's.
	Clock   *simclock.Clock
	Slack   *slacksim.Server
	Discord *discordsim.Server
	Credly  *credlysim.Server
	Mail    *mailsim.Server
	Portal  *portalsim.Server
	// Desk stands before Slack and Discord.
	Desk *Desk
	// DB is for looking at what was stored.
	DB   *sql.DB
	Bots []*Bot
	// PortalSecret signs the certification body's webhooks.
	PortalSecret string

	database   string
	secretKey  string
	discordKey ed25519.PrivateKey
	closers    []func() error
	queued     atomic.Int64
}

func randomKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // Never fails: it ends the program instead.
	return base64.StdEncoding.EncodeToString(b)
}

// Stage opens a stage. The caller closes it.
func (r *Rig) Stage(ctx context.Context, c Config) (_ *Stage, err error) {
	s := &Stage{
		Rig: r, Config: c, Clock: simclock.New(), secretKey: randomKey(), PortalSecret: "whsec_" + randomKey(),
		database: c.Database,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.Life == 0 {
		s.Life = 2 * time.Minute
	}
	n := r.stages.Add(1)
	s.Name = fmt.Sprintf("%s_%d", strings.ToLower(c.Name), n)
	if s.database == "" {
		s.database = "faults_" + s.Name
		if err := r.PG.Admin(ctx, "CREATE DATABASE "+s.database+" TEMPLATE "+templateDatabase); err != nil {
			return nil, err
		}
	}
	s.closers = append(s.closers, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return r.PG.Admin(ctx, "DROP DATABASE IF EXISTS "+s.database+" WITH (FORCE)")
	})
	if s.DB, err = r.PG.Open(s.database); err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.DB.Close)
	return s, s.openWorld(ctx)
}

func (s *Stage) openWorld(ctx context.Context) (err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	s.discordKey = key
	if s.Slack, err = slacksim.Start(slacksim.Config{
		Clock: s.Clock, TeamID: Tenant, BotName: "Laurel", RefreshNotice: 2 * time.Second,
		Scopes: []string{
			"commands", "chat:write", "im:write", "im:history", "channels:history", "groups:history",
			"channels:read", "groups:read", "files:write", "users:read",
		},
		Commands: []slacksim.CommandInfo{{Name: "/badges"}},
	}); err != nil {
		return fmt.Errorf("start simulated Slack: %w", err)
	}
	s.closers = append(s.closers, s.Slack.Close)
	if s.Discord, err = discordsim.Start(discordsim.Config{Clock: s.Clock, PrivateKey: key}); err != nil {
		return fmt.Errorf("start simulated Discord: %w", err)
	}
	s.closers = append(s.closers, s.Discord.Close)
	if s.Credly, err = credlysim.Start(credlysim.Config{Clock: s.Clock, Token: "faults", OrganizationName: "Example Body"}); err != nil {
		return fmt.Errorf("start simulated Credly: %w", err)
	}
	s.closers = append(s.closers, s.Credly.Close)
	if s.Mail, err = mailsim.Start(mailsim.Config{Clock: s.Clock}); err != nil {
		return fmt.Errorf("start mailbox: %w", err)
	}
	s.closers = append(s.closers, s.Mail.Close)
	if s.Portal, err = portalsim.Start(portalsim.Config{Clock: s.Clock, Secret: s.PortalSecret, EventsSecret: s.PortalSecret}); err != nil {
		return fmt.Errorf("start simulated portal: %w", err)
	}
	s.closers = append(s.closers, s.Portal.Close)
	if s.Desk, err = startDesk(ctx, s.Slack.URL(), s.Discord.BaseURL()); err != nil {
		return err
	}
	s.closers = append(s.closers, s.Desk.close)
	return nil
}

// Close ends the replicas and everything else. A replica that ends badly is
// an error; one that was killed is not.
func (s *Stage) Close() error {
	errs := make([]error, 0, len(s.Bots)+len(s.closers))
	for _, b := range s.Bots {
		_, err := b.Stop()
		errs = append(errs, err)
	}
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}

// environment are the settings of a replica: addresses and credentials, as in
// production.
func (s *Stage) environment(address string) ([]string, error) {
	dsn := s.PG.DSN(s.database)
	if s.Through != "" {
		var err error
		if dsn, err = Through(dsn, s.Through); err != nil {
			return nil, err
		}
	}
	slack, discord := s.Desk.URL+"/api/", s.Desk.URL
	if s.Direct {
		slack, discord = s.Slack.APIURL(), s.Discord.BaseURL()
	}
	return append([]string{
		"DATABASE_URL=" + dsn, "LISTEN_ADDR=" + address, "PUBLIC_URL=" + PublicURL, "SECRET_KEY=" + s.secretKey,
		"SLACK_BOT_TOKEN=" + s.Slack.Config().BotToken, "SLACK_SIGNING_SECRET=" + s.Slack.Config().SigningSecret,
		"SLACK_API_URL=" + slack,
		"DISCORD_BOT_TOKEN=" + s.Discord.BotToken(), "DISCORD_APPLICATION_ID=" + s.Discord.ApplicationID(),
		"DISCORD_PUBLIC_KEY=" + s.Discord.PublicKey(), "DISCORD_API_URL=" + discord,
		"CREDLY_ORGANIZATION_ID=" + s.Credly.OrganizationID(), "CREDLY_TOKEN=faults",
		"CREDLY_API_URL=" + s.Credly.APIURL(), "CREDLY_OAUTH_URL=" + s.Credly.OAuthURL(), "CREDLY_WEBHOOK_TOKEN=" + WebhookToken,
		"PORTAL_WEBHOOK_SECRET=" + s.PortalSecret, "PORTAL_EVENTS_URL=" + s.Portal.EventsURL(),
		"SMTP_URL=" + s.Mail.URL(), "MAIL_FROM=Laurel <badges@laurel.example.org>",
		"HANDOFF_TTL=" + s.Life.String(), "LOG_FORMAT=text", "LOG_LEVEL=info",
	}, s.Env...), nil
}

// PublicURL is what links begin with. Nobody listens there.
const PublicURL = "https://laurel.example.org"

// NewBot adds a replica that is not started.
func (s *Stage) NewBot() (*Bot, error) {
	port, err := freeport.Take()
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	env, err := s.environment(address)
	if err != nil {
		return nil, err
	}
	b := &Bot{
		Address: address, Env: env, Program: s.Binary,
		logFile: filepath.Join(s.Dir, fmt.Sprintf("%s-%d.log", s.Name, len(s.Bots))),
	}
	s.Bots = append(s.Bots, b)
	return b, nil
}

// StartBots adds replicas and starts them.
func (s *Stage) StartBots(ctx context.Context, n int) error {
	for range n {
		b, err := s.NewBot()
		if err != nil {
			return err
		}
		if err := b.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Join tells the simulated platforms where a replica is.
func (s *Stage) Join(ctx context.Context, b *Bot) error {
	base := "http://" + b.Address
	s.Slack.SetCommandsURL(base + "/slack/commands")
	s.Slack.SetInteractionsURL(base + "/slack/interactions")
	s.Slack.SetEventsURL(base + "/slack/events")
	s.Credly.SetWebhookURL(base + "/webhooks/credly/" + WebhookToken)
	s.Portal.SetTargetURL(base + "/webhooks/portal")
	if err := s.Discord.SetInteractionsURL(ctx, base+"/discord/interactions"); err != nil {
		return fmt.Errorf("join simulated Discord: %w", err)
	}
	return nil
}

// Now is the time of the platforms and the database.
func (s *Stage) Now() time.Time { return s.Clock.Now() }

// Advance moves the clock of the platforms and, by its view, that of all
// replicas. A replica that runs sees it within two seconds, one that starts
// at once.
func (s *Stage) Advance(ctx context.Context, d time.Duration) error {
	s.Clock.Advance(d)
	return s.MoveDatabase(ctx, s.Clock.Offset())
}

// MoveDatabase sets how far the database's clock is ahead of the machine's.
func (s *Stage) MoveDatabase(ctx context.Context, offset time.Duration) error {
	_, err := s.DB.ExecContext(ctx, fmt.Sprintf(`CREATE OR REPLACE VIEW clock AS
		SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint + %d AS now_ms`, offset.Milliseconds()))
	if err != nil {
		return fmt.Errorf("move clock: %w", err)
	}
	return nil
}

// ClockSeen is how long a running replica may take to see that the clock was
// moved.
const ClockSeen = 2500 * time.Millisecond

// Count returns the number that a query selects.
func (s *Stage) Count(ctx context.Context, query string, args ...any) (n int, err error) {
	if err := s.DB.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("look into tables: %w", err)
	}
	return n, nil
}

// Settle waits until the bot has nothing left to do.
func (s *Stage) Settle(ctx context.Context, patience time.Duration) error {
	return Await(ctx, patience, "the bot to rest", func() (bool, error) {
		n, err := s.Count(ctx, `SELECT (SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending'))
			+ (SELECT count(*) FROM inbox WHERE state IN ('ready', 'running'))`)
		return n == 0, err
	})
}

// SettleLeases is Settle after a crash: what the dead had leased comes back
// once the clock has passed the leases' end.
func (s *Stage) SettleLeases(ctx context.Context, patience time.Duration) error {
	if s.Settle(ctx, 2*time.Second) == nil {
		return nil
	}
	if err := s.Advance(ctx, 70*time.Second); err != nil {
		return err
	}
	return s.Settle(ctx, patience)
}
