package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/laurelbot/laurel/adapters/mail"
	"github.com/laurelbot/laurel/adapters/openbadges"
	"github.com/laurelbot/laurel/adapters/portal"
	"github.com/laurelbot/laurel/core"
)

// Settings are read from flags, then the environment, then a file, then the
// defaults here. A secret may also be read from a file: set NAME_FILE to its
// path.
type Settings struct {
	DatabaseURL string `help:"postgres://… or sqlite:FILE." env:"DATABASE_URL" default:"sqlite:laurel.db" group:"Store"`
	NoMigrate   bool   `help:"Leave the schema as it is when starting." env:"NO_MIGRATE" group:"Store"`

	ListenAddr string `help:"Address to listen on." env:"LISTEN_ADDR" default:"127.0.0.1:8080" group:"Web"`
	PublicURL  string `help:"Address under which people and platforms reach this server, e.g. https://laurel.example.org." env:"PUBLIC_URL" group:"Web"`

	TrustedProxies []string `help:"Networks of the proxies in front, whose X-Forwarded-For says who a client is: 10.1.2.0/24 or an address, joined by commas; none for nobody. Without it every private address is believed." env:"TRUSTED_PROXIES" group:"Web"`

	SecretKey core.Secret `help:"32 random bytes in base64: openssl rand -base64 32. Former keys may follow, after commas or spaces." env:"SECRET_KEY" group:"Secrets"`

	SlackBotToken      core.Secret `help:"Bot token, xoxb-…" env:"SLACK_BOT_TOKEN" group:"Slack"`
	SlackSigningSecret core.Secret `help:"Signing secret of the app, for SLACK_TRANSPORT=http." env:"SLACK_SIGNING_SECRET" group:"Slack"`
	SlackAppToken      core.Secret `help:"App-level token, xapp-…, for SLACK_TRANSPORT=socket." env:"SLACK_APP_TOKEN" group:"Slack"`
	SlackTransport     string      `help:"How Slack reaches the bot: http, or socket for Socket Mode, which needs no public address." env:"SLACK_TRANSPORT" default:"http" group:"Slack"`
	SlackAPIURL        string      `help:"Address of the Web API, ends in /api/." name:"slack-api-url" env:"SLACK_API_URL" default:"https://slack.com/api/" group:"Slack"`

	DiscordBotToken      core.Secret `help:"Bot token." env:"DISCORD_BOT_TOKEN" group:"Discord"`
	DiscordApplicationID string      `help:"Application id." name:"discord-application-id" env:"DISCORD_APPLICATION_ID" group:"Discord"`
	DiscordPublicKey     string      `help:"Public key of the application, 64 hexadecimal digits, for DISCORD_TRANSPORT=http." env:"DISCORD_PUBLIC_KEY" group:"Discord"`
	DiscordTransport     string      `help:"How Discord reaches the bot: http, or gateway, which needs no public address." env:"DISCORD_TRANSPORT" default:"http" group:"Discord"`
	DiscordClientSecret  core.Secret `help:"Client secret of the application; with it people can connect their badges with roles." env:"DISCORD_CLIENT_SECRET" group:"Discord"`
	DiscordAPIURL        string      `help:"Scheme and host of the API." name:"discord-api-url" env:"DISCORD_API_URL" default:"https://discord.com" group:"Discord"`

	CredlyOrganizationID string      `help:"Organization id." name:"credly-organization-id" env:"CREDLY_ORGANIZATION_ID" group:"Credly"`
	CredlyToken          core.Secret `help:"Authorization token; or use client id and secret." env:"CREDLY_TOKEN" group:"Credly"`
	CredlyClientID       string      `help:"OAuth client id." name:"credly-client-id" env:"CREDLY_CLIENT_ID" group:"Credly"`
	CredlyClientSecret   core.Secret `help:"OAuth client secret." env:"CREDLY_CLIENT_SECRET" group:"Credly"`
	CredlyAPIURL         string      `help:"Address of the API, ends in /v1." name:"credly-api-url" env:"CREDLY_API_URL" default:"https://api.credly.com/v1" group:"Credly"`
	CredlyOAuthURL       string      `help:"Address that hands out OAuth tokens." name:"credly-oauth-url" env:"CREDLY_OAUTH_URL" default:"https://www.credly.com/oauth/token" group:"Credly"`
	CredlyWebhookToken   core.Secret `help:"Unguessable end of the webhook address: PUBLIC_URL/webhooks/credly/TOKEN." env:"CREDLY_WEBHOOK_TOKEN" group:"Credly"`
	CredlyPerSecond      float64     `help:"How many requests are sent to Credly in a second; Credly publishes no limit." name:"credly-per-second" env:"CREDLY_PER_SECOND" default:"3" group:"Credly"`
	CredlySuppressMail   bool        `help:"Let Credly send no mails of its own about badges issued here." env:"CREDLY_SUPPRESS_MAIL" group:"Credly"`

	CredlyPublicProfiles bool `help:"Let people list the badges of other issuers on their public Credly profile, too. Credly describes that list nowhere." env:"CREDLY_PUBLIC_PROFILES" group:"Credly"`

	PortalWebhookSecret core.Secret `help:"Secret of the certification body's system, whsec_…, for webhooks in both directions." env:"PORTAL_WEBHOOK_SECRET" group:"Portal"`
	PortalEventsURL     string      `help:"Where the certification body wants to be told of claims." name:"portal-events-url" env:"PORTAL_EVENTS_URL" group:"Portal"`

	SMTPURL  core.Secret `help:"smtp://USER:PASSWORD@HOST:PORT or smtps://…" name:"smtp-url" env:"SMTP_URL" group:"Mail"`
	MailFrom string      `help:"Sender of mails, e.g. Badges <badges@example.org>." env:"MAIL_FROM" group:"Mail"`

	HandoffTTL  time.Duration `help:"How long a claim link lives." name:"handoff-ttl" env:"HANDOFF_TTL" default:"2m" group:"Journey"`
	BadgeLevels []string      `help:"Levels of badges for roles in Discord: TEMPLATE=LEVEL, joined by commas." name:"badge-levels" env:"BADGE_LEVELS" group:"Journey"`
	Managers    []string      `help:"Who runs the programme beside administrators: slack:TEAM:USER or discord:USER, joined by commas." env:"MANAGERS" group:"Journey"`

	LogFormat string `help:"json or text." env:"LOG_FORMAT" default:"json" group:"Logs"`
	LogLevel  string `help:"debug, info, warn or error." env:"LOG_LEVEL" default:"info" group:"Logs"`

	// pictures carries the requests for pictures that managers name; nil means
	// the guarded way, which reaches public addresses only.
	pictures http.RoundTripper
	// badges says how badges are verified that people ask about; the zero
	// value is the guarded way, with Credly's public pages known.
	badges openbadges.Options
}

// secrets are the settings that may also be read from files.
func (s *Settings) secrets() map[string]*core.Secret {
	return map[string]*core.Secret{
		"SECRET_KEY": &s.SecretKey, "SLACK_BOT_TOKEN": &s.SlackBotToken,
		"SLACK_SIGNING_SECRET": &s.SlackSigningSecret, "SLACK_APP_TOKEN": &s.SlackAppToken,
		"DISCORD_BOT_TOKEN": &s.DiscordBotToken, "CREDLY_TOKEN": &s.CredlyToken,
		"CREDLY_CLIENT_SECRET": &s.CredlyClientSecret, "CREDLY_WEBHOOK_TOKEN": &s.CredlyWebhookToken,
		"PORTAL_WEBHOOK_SECRET": &s.PortalWebhookSecret, "SMTP_URL": &s.SMTPURL,
		"DISCORD_CLIENT_SECRET": &s.DiscordClientSecret,
	}
}

// How a platform reaches the bot.
const (
	transportHTTP    = "http"
	transportSocket  = "socket"
	transportGateway = "gateway"
)

// check completes secrets from files and refuses values that are wrong in
// themselves, in one sentence that names the setting.
func (s *Settings) check() error {
	for name, secret := range s.secrets() {
		path := os.Getenv(name + "_FILE")
		if path == "" {
			continue
		}
		if *secret != "" {
			return fmt.Errorf("%s and %s_FILE are both set: keep one of them", name, name)
		}
		data, err := os.ReadFile(path) //nolint:gosec // The operator names the file.
		if err != nil {
			return fmt.Errorf("read %s_FILE: %w", name, err)
		}
		*secret = core.Secret(strings.TrimSpace(string(data)))
	}
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	return errors.Join(
		s.checkURLs(),
		s.checkCredentials(),
		when(s.SlackTransport != transportHTTP && s.SlackTransport != transportSocket, "SLACK_TRANSPORT must be http or socket"),
		when(s.DiscordTransport != transportHTTP && s.DiscordTransport != transportGateway, "DISCORD_TRANSPORT must be http or gateway"),
		when(s.HandoffTTL < 10*time.Second || s.HandoffTTL > time.Hour, "HANDOFF_TTL must lie between 10s and 1h"),
		when(!strings.HasPrefix(s.DatabaseURL, "sqlite:") && !strings.HasPrefix(s.DatabaseURL, "postgres://") &&
			!strings.HasPrefix(s.DatabaseURL, "postgresql://"), "DATABASE_URL must begin with postgres:// or sqlite:"),
		when(s.CredlyPerSecond != 0 && (s.CredlyPerSecond < 0.1 || s.CredlyPerSecond > 100), "CREDLY_PER_SECOND must lie between 0.1 and 100"),
		s.checkManagers(),
		s.checkLevels(),
		s.checkProxies(),
		when(s.LogFormat != "json" && s.LogFormat != "text", "LOG_FORMAT must be json or text"),
		when(!slices.Contains([]string{"debug", "info", "warn", "error"}, s.LogLevel), "LOG_LEVEL must be debug, info, warn or error"),
	)
}

func (s *Settings) checkManagers() error {
	for _, text := range s.Managers {
		if _, ok := parseManager(text); !ok {
			return fmt.Errorf("MANAGERS: %q is neither slack:TEAM:USER nor discord:USER", text)
		}
	}
	return nil
}

// managers are those that the operator named.
func (s *Settings) managers() map[core.Identity]bool {
	out := make(map[core.Identity]bool, len(s.Managers))
	for _, text := range s.Managers {
		if id, ok := parseManager(text); ok {
			out[id] = true
		}
	}
	return out
}

func parseManager(text string) (core.Identity, bool) {
	parts := strings.Split(strings.TrimSpace(text), ":")
	switch {
	case slices.Contains(parts, ""):
	case len(parts) == 3 && parts[0] == "slack":
		return core.Identity{Platform: "slack", Tenant: parts[1], User: parts[2]}, true
	case len(parts) == 2 && parts[0] == "discord":
		return core.Identity{Platform: "discord", User: parts[1]}, true
	}
	return core.Identity{}, false
}

func (s *Settings) checkURLs() error {
	var errs []error
	for _, one := range []struct{ name, value, suffix string }{
		{"PUBLIC_URL", s.PublicURL, ""},
		{"SLACK_API_URL", s.SlackAPIURL, "/api/"},
		{"DISCORD_API_URL", s.DiscordAPIURL, ""},
		{"CREDLY_API_URL", s.CredlyAPIURL, "/v1"},
		{"CREDLY_OAUTH_URL", s.CredlyOAuthURL, ""},
		{"PORTAL_EVENTS_URL", s.PortalEventsURL, ""},
	} {
		if one.value == "" {
			continue
		}
		u, err := url.Parse(one.value)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
			errs = append(errs, fmt.Errorf("%s must be an http or https address", one.name))
		case u.User != nil || u.Fragment != "":
			errs = append(errs, fmt.Errorf("%s must be an address without user, password and fragment", one.name))
		case u.RawQuery != "" && one.name != "PORTAL_EVENTS_URL":
			errs = append(errs, fmt.Errorf("%s must be an address without a question mark", one.name))
		case !strings.HasSuffix(one.value, one.suffix):
			errs = append(errs, fmt.Errorf("%s must end in %s", one.name, one.suffix))
		case one.name == "DISCORD_API_URL" && strings.Trim(u.Path, "/") != "":
			errs = append(errs, errors.New("DISCORD_API_URL must be scheme and host only"))
		case strings.HasPrefix(one.name, "CREDLY_") && u.Scheme == "http" && !isLoopback(u.Hostname()):
			// Every request to it carries a credential of the issuer.
			errs = append(errs, fmt.Errorf("%s must be an https address", one.name))
		}
	}
	return errors.Join(errs...)
}

// Forms of credentials. What they are worth, only the services know: that is
// the doctor's work.
var (
	decimalForm = regexp.MustCompile(`^[0-9]{1,20}$`)
	hexKeyForm  = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
	issuerForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// webhookTokenLength is the least length of CREDLY_WEBHOOK_TOKEN: it is all
// that keeps others from the address.
const webhookTokenLength = 16

// checkCredentials looks whether credentials can be what they are meant to
// be, before anything is opened with them.
func (s *Settings) checkCredentials() error {
	given := func(value string, form *regexp.Regexp, sentence string) error {
		return when(value != "" && !form.MatchString(value), sentence)
	}
	token := s.CredlyWebhookToken.Reveal()
	errs := []error{
		given(s.DiscordApplicationID, decimalForm, "DISCORD_APPLICATION_ID must be a number"),
		given(s.DiscordPublicKey, hexKeyForm, "DISCORD_PUBLIC_KEY must be 64 hexadecimal digits"),
		given(s.CredlyOrganizationID, issuerForm, "CREDLY_ORGANIZATION_ID must be the organization's id, without spaces or slashes"),
		when(s.SlackAppToken != "" && !strings.HasPrefix(s.SlackAppToken.Reveal(), "xapp-"),
			"SLACK_APP_TOKEN must be an app-level token, which begins with xapp-"),
		when(s.CredlyClientID != "" && s.CredlyClientSecret == "", "CREDLY_CLIENT_ID needs CREDLY_CLIENT_SECRET"),
		when(token != "" && (len(token) < webhookTokenLength || url.PathEscape(token) != token),
			fmt.Sprintf("CREDLY_WEBHOOK_TOKEN must be at least %d letters and digits", webhookTokenLength)),
	}
	if s.SecretKey != "" {
		_, err := s.keys()
		errs = append(errs, err)
	}
	if s.PortalWebhookSecret != "" {
		if _, err := portal.ParseKeys(s.PortalWebhookSecret); err != nil {
			errs = append(errs, fmt.Errorf("PORTAL_WEBHOOK_SECRET is wrong: %w", err))
		}
	}
	if s.SMTPURL != "" && s.MailFrom != "" {
		// It names the one that is wrong.
		_, err := mail.New(mail.Config{URL: s.SMTPURL, From: s.MailFrom})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func when(wrong bool, sentence string) error {
	if wrong {
		return errors.New(sentence)
	}
	return nil
}

// hasSlack and hasDiscord say which platforms are set up.
func (s *Settings) hasSlack() bool {
	return s.SlackBotToken != "" || s.SlackSigningSecret != "" || s.SlackAppToken != ""
}

// appToken is empty where it is set but not used: HTTP needs the signing
// secret, and the doctor looks at what is needed.
func (s *Settings) appToken() core.Secret {
	if s.SlackTransport != transportSocket {
		return ""
	}
	return s.SlackAppToken
}

func (s *Settings) hasDiscord() bool { return s.DiscordBotToken != "" || s.DiscordApplicationID != "" }

// complete refuses to run the bot with settings that are missing, naming
// each of them.
func (s *Settings) complete() error {
	if !s.hasSlack() && !s.hasDiscord() {
		return errors.New("no chat platform is set up: set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET, or " +
			"DISCORD_BOT_TOKEN, DISCORD_APPLICATION_ID and DISCORD_PUBLIC_KEY. " +
			"To try Laurel without any, run: bot playground")
	}
	var missing []string
	need := func(name string, empty bool) {
		if empty {
			missing = append(missing, name)
		}
	}
	if s.hasSlack() {
		need("SLACK_BOT_TOKEN", s.SlackBotToken == "")
		need("SLACK_SIGNING_SECRET", s.SlackTransport == transportHTTP && s.SlackSigningSecret == "")
		need("SLACK_APP_TOKEN", s.SlackTransport == transportSocket && s.SlackAppToken == "")
	}
	if s.hasDiscord() {
		need("DISCORD_BOT_TOKEN", s.DiscordBotToken == "")
		need("DISCORD_APPLICATION_ID", s.DiscordApplicationID == "")
		need("DISCORD_PUBLIC_KEY", s.DiscordTransport == transportHTTP && s.DiscordPublicKey == "")
	}
	need("PUBLIC_URL", s.PublicURL == "")
	need("SECRET_KEY", s.SecretKey == "")
	need("CREDLY_ORGANIZATION_ID", s.CredlyOrganizationID == "")
	need("CREDLY_TOKEN (or CREDLY_CLIENT_ID and CREDLY_CLIENT_SECRET)",
		s.CredlyToken == "" && (s.CredlyClientID == "" || s.CredlyClientSecret == ""))
	need("SMTP_URL", s.SMTPURL == "")
	need("MAIL_FROM", s.MailFrom == "")
	need("PORTAL_WEBHOOK_SECRET", s.PortalEventsURL != "" && s.PortalWebhookSecret == "")
	if len(missing) > 0 {
		return fmt.Errorf("missing setting: set %s", strings.Join(missing, ", "))
	}
	return nil
}

// isSet reports whether the environment sets a variable: it wins over the
// file even when it is empty.
func isSet(name string) bool {
	_, set := os.LookupEnv(name)
	return set
}

// fileSettings resolves flags from a file, below the environment.
type fileSettings map[string]any

var _ kong.Resolver = fileSettings{}

// Validate refuses keys that are no flag.
func (f fileSettings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	if err != nil {
		return fmt.Errorf("list settings: %w", err)
	}
	for key := range f {
		if !known[key] {
			return fmt.Errorf("unknown setting %q in the settings file", key)
		}
	}
	return nil
}

// Resolve returns the file's value unless the environment has one.
func (f fileSettings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if isSet(name) {
			return nil, nil
		}
	}
	return f[flag.Name], nil
}
