package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	startWithin = 20 * time.Second
	stopWithin  = 15 * time.Second
	signSecret  = "0123456789abcdef0123456789abcdef"
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
		"CREDLY_ORGANIZATION_ID=bench", "CREDLY_TOKEN=bench", "CREDLY_API_URL="+s.sink+"/v1", "CREDLY_OAUTH_URL="+s.sink+"/oauth/token",
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
	cmd     *exec.Cmd
	address string
	ended   chan error
	// ready is how long it took from the start until it was ready.
	ready time.Duration
}

func startBot(ctx context.Context, binary string, s settings, dsn string, logs io.Writer) (*bot, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	b := &bot{address: address, ended: make(chan error, 1)}
	b.cmd = exec.Command(binary, "serve") //nolint:noctx // It is to be stopped by a signal, not killed.
	b.cmd.Env = s.environment(address, dsn)
	b.cmd.Stdout, b.cmd.Stderr = logs, logs
	// An interrupt typed at the terminal is for this program, which stops it.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begin := time.Now()
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start bot: %w", err)
	}
	go func() { b.ended <- b.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for !isReady(ctx, address) {
		select {
		case <-pause.C:
		case err := <-b.ended:
			b.ended <- err
			return nil, fmt.Errorf("start bot: it ended: %w", err)
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("start bot: %w", ctx.Err()), b.stop())
		}
	}
	b.ready = time.Since(begin)
	return b, nil
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

// freeAddress returns an address that nobody uses at this moment.
func freeAddress(ctx context.Context) (string, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

func (b *bot) pid() int { return b.cmd.Process.Pid }

// stop ends the bot as its operator would, or by force where that takes too
// long.
func (b *bot) stop() error {
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop bot: %w", err)
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case err := <-b.ended:
		if err != nil {
			return fmt.Errorf("stop bot: %w", err)
		}
		return nil
	case <-timer.C:
		return errors.Join(errors.New("stop bot: it did not end in time"), b.cmd.Process.Kill())
	}
}
