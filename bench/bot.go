package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	signSecret   = "0123456789abcdef0123456789abcdef"
	webhookToken = "0123456789abcdef"
	organization = "00000000-0000-4000-8000-000000000001"
)

// settings are what the bot is told by its environment.
type settings struct {
	secretKey string
	sink      string
	discord   ed25519.PublicKey
}

func (s settings) environment(address, dsn string) []string {
	return append(os.Environ(),
		"DATABASE_URL="+dsn, "LISTEN_ADDR="+address, "PUBLIC_URL=https://laurel.example.org", "SECRET_KEY="+s.secretKey,
		"SLACK_BOT_TOKEN=xoxb-bench", "SLACK_SIGNING_SECRET="+signSecret, "SLACK_API_URL="+s.sink+"/api/",
		"DISCORD_BOT_TOKEN=bench", "DISCORD_APPLICATION_ID=910000000000000001",
		"DISCORD_PUBLIC_KEY="+hex.EncodeToString(s.discord), "DISCORD_API_URL="+s.sink,
		"CREDLY_ORGANIZATION_ID="+organization, "CREDLY_TOKEN=bench", "CREDLY_WEBHOOK_TOKEN="+webhookToken,
		"CREDLY_API_URL="+s.sink+"/v1", "CREDLY_OAUTH_URL="+s.sink+"/oauth/token",
		"SMTP_URL=smtp://127.0.0.1:9", "MAIL_FROM=Laurel <badges@laurel.example.org>",
		"HANDOFF_TTL="+handoffLife.String(), "LOG_LEVEL=warn",
	)
}

func randomKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // Never fails: it ends the program instead.
	return base64.StdEncoding.EncodeToString(b)
}

// build makes the bot's binary as a release is made.
func build(ctx context.Context, folder string) (string, error) {
	binary := filepath.Join(folder, "bot")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "github.com/laurelbot/laurel/cmd/bot") //nolint:gosec // The folder was made here.
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build bot: %w: %s", err, out)
	}
	return binary, nil
}

// migrate makes the schema with the bot's own command.
func migrate(ctx context.Context, binary string, s settings, dsn string) error {
	cmd := exec.CommandContext(ctx, binary, "migrate")
	cmd.Env = s.environment("127.0.0.1:0", dsn)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w: %s", err, out)
	}
	return nil
}

// bot is a running bot.
type bot struct {
	*service
	address string
}

func startBot(ctx context.Context, binary string, s settings, dsn string, logs io.Writer) (*bot, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve") //nolint:noctx // It is to be stopped by a signal, not killed.
	cmd.Env = s.environment(address, dsn)
	service, err := launch(ctx, "bot", cmd, logs, func(ctx context.Context) bool { return isReady(ctx, address) })
	if err != nil {
		return nil, err
	}
	return &bot{service: service, address: address}, nil
}

func isReady(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: time.Second}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}
