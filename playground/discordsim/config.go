package discordsim

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/playground/simclock"
)

// Schema validates a JSON document against a named schema of Discord's
// published API description. See the package schema.
type Schema interface {
	// Validate returns nil when doc, decoded by encoding/json or by
	// jsonschema.UnmarshalJSON, is valid for #/components/schemas/name.
	Validate(name string, doc any) error
}

// Config says what a simulated Discord is made of. The zero value works.
type Config struct {
	// Clock is the time of the simulated Discord; nil means a new one.
	Clock *simclock.Clock
	// BotToken is what the bot sends after "Bot "; empty means a made-up one.
	BotToken string
	// ApplicationID is the snowflake of the application and of its bot user.
	ApplicationID string
	// AppName is what the application is called; ClientSecret is what it proves
	// itself by for OAuth2. Empty means made-up ones.
	AppName, ClientSecret string
	// PrivateKey signs interactions; nil means a fresh key.
	PrivateKey ed25519.PrivateKey
	// InteractionsURL is where interactions go; without one they leave over
	// the gateway. It is taken as it is, see VerifyEndpoint and
	// SetInteractionsURL.
	InteractionsURL string
	// Gateway says how the gateway behaves.
	Gateway GatewayConfig
	// Addr is the address to listen on; empty means 127.0.0.1:0.
	Addr string
	// AnswerWithin replaces the deadline of the same name; 0 keeps it.
	AnswerWithin time.Duration
	// EnforceRateLimits makes the simulator answer 429 when a bucket is empty.
	EnforceRateLimits bool
	// GlobalPerSecond replaces GlobalLimit; 0 keeps it.
	GlobalPerSecond int
	// InvalidLimit replaces InvalidRequestLimit, and BanFor the constant of
	// the same name; 0 keeps them.
	InvalidLimit int
	BanFor       time.Duration
	// MaxFileSize and FileRoom replace the constants of the same names; 0
	// keeps them.
	MaxFileSize, FileRoom int
	// NoUserInstall: the application's settings let nobody have it for
	// themselves.
	NoUserInstall bool
	// Schema, when set, checks each request body besides the built-in rules;
	// what it refuses is answered with 50035. Answers are checked too, see
	// Violations.
	Schema Schema
}

// withDefaults fills in what is left to the simulation. The error says that a
// given key has the wrong size.
func (cfg Config) withDefaults() (Config, error) {
	if cfg.Clock == nil {
		cfg.Clock = simclock.New()
	}
	if cfg.BotToken == "" {
		cfg.BotToken = "simulated-bot-token"
	}
	if cfg.ApplicationID == "" {
		cfg.ApplicationID = "1100000000000000001"
	}
	if cfg.AppName == "" {
		cfg.AppName = "Simulated application"
	}
	if cfg.ClientSecret == "" {
		cfg.ClientSecret = "simulated-client-secret"
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.GlobalPerSecond <= 0 {
		cfg.GlobalPerSecond = GlobalLimit
	}
	if cfg.InvalidLimit <= 0 {
		cfg.InvalidLimit = InvalidRequestLimit
	}
	if cfg.BanFor <= 0 {
		cfg.BanFor = BanFor
	}
	if cfg.MaxFileSize <= 0 {
		cfg.MaxFileSize = MaxFileSize
	}
	if cfg.FileRoom <= 0 {
		cfg.FileRoom = FileRoom
	}
	if cfg.AnswerWithin <= 0 {
		cfg.AnswerWithin = AnswerWithin
	}
	if cfg.PrivateKey == nil {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return cfg, fmt.Errorf("generate signing key: %w", err)
		}
		cfg.PrivateKey = key
	}
	if len(cfg.PrivateKey) != ed25519.PrivateKeySize {
		return cfg, fmt.Errorf("check signing key: %d bytes instead of %d", len(cfg.PrivateKey), ed25519.PrivateKeySize)
	}
	return cfg, nil
}
