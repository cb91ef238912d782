package slacksim

import (
	"time"

	"github.com/laurelbot/laurel/playground/simclock"
)

// Config describes the workspace, the app installed in it, and where the app
// listens. Every field has a default that works in tests.
type Config struct {
	// Clock decides the age of triggers and response URLs, the timestamps of
	// messages and of signed requests; nil stands for real time.
	Clock *simclock.Clock
	// Addr is where the simulation listens, "127.0.0.1:0" by default.
	Addr string

	BotToken      string
	SigningSecret string
	// AppToken is the app-level token that opens Socket Mode connections.
	AppToken string
	// Scopes are what the bot token may do; nil stands for commands,
	// chat:write, im:write and users:read.
	Scopes []string

	TeamID, TeamDomain, TeamName string
	AppID, BotID, BotUserID      string
	// BotName is the bot's user name.
	BotName string

	// The app's addresses; they can be set later, see SetCommandsURL.
	CommandsURL, InteractionsURL, EventsURL string
	// SocketMode sends everything over the app's WebSocket connections instead
	// of to these addresses; see also UseSocketMode.
	// https://docs.slack.dev/apis/events-api/using-socket-mode/
	SocketMode bool
	// PingInterval is how often connections are pinged in real time; 5 s by
	// default. Clients take one without pings for dead.
	PingInterval time.Duration
	// RefreshNotice is how long before its end a connection is warned, in real
	// time; 10 s by default. See RefreshConnections.
	RefreshNotice time.Duration
	// NoEventRetries gives events up at their first failure. Otherwise they are
	// sent again at once, after a minute and after five by the Clock:
	// https://docs.slack.dev/apis/events-api/#retries
	NoEventRetries bool
	// Commands are listed for the web page; any command can be sent.
	Commands []CommandInfo
	// Shortcuts are listed for the web page in the same way.
	Shortcuts []ShortcutInfo

	// AckTimeout is how long the app may take to answer in real time;
	// 3 s by default, as at Slack:
	// https://docs.slack.dev/interactivity/handling-user-interaction/
	AckTimeout time.Duration
	// NoHomeTab: the app's settings have no Home tab.
	NoHomeTab bool
	// Limits are the rates to enforce, such as SlackLimits; none by default.
	Limits Limits
	// RequireFallbackText refuses messages with blocks but without text. Slack
	// takes them, although screen readers and notifications need the text.
	RequireFallbackText bool
}

// CommandInfo is one slash command as Slack's composer lists it.
type CommandInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	UsageHint   string `json:"usage_hint"`
}

func (c Config) withDefaults() Config {
	set := func(p *string, value string) {
		if *p == "" {
			*p = value
		}
	}
	if c.Clock == nil {
		c.Clock = simclock.New()
	}
	if c.AckTimeout == 0 {
		c.AckTimeout = 3 * time.Second
	}
	if c.PingInterval == 0 {
		c.PingInterval = 5 * time.Second
	}
	if c.RefreshNotice == 0 {
		c.RefreshNotice = 10 * time.Second
	}
	if c.Scopes == nil {
		c.Scopes = []string{"commands", "chat:write", "im:write", "users:read"}
	}
	set(&c.Addr, "127.0.0.1:0")
	set(&c.BotToken, "xoxb-simulated-bot-token")
	set(&c.SigningSecret, "simulated-signing-secret")
	set(&c.AppToken, "xapp-1-A000000001-simulated-app-token")
	set(&c.TeamID, "T000000001")
	set(&c.TeamDomain, "example")
	set(&c.TeamName, "Example")
	set(&c.AppID, "A000000001")
	set(&c.BotID, "B000000001")
	set(&c.BotUserID, "U000000BOT")
	set(&c.BotName, "bot")
	return c
}
