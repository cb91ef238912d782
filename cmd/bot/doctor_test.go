package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// examined is what the doctor said.
type examined struct {
	lines []string
	err   error
}

// examine runs the doctor with settings changed by change.
func examine(ctx context.Context, s Settings, change func(*Settings)) examined {
	var out bytes.Buffer
	if change != nil {
		change(&s)
	}
	err := doctorCmd{}.Run(ctx, &s, &terminal{out: &out, err: io.Discard})
	return examined{strings.Split(strings.TrimSpace(out.String()), "\n"), err}
}

func (e examined) String() string {
	return fmt.Sprintf("%s\n%v", strings.Join(e.lines, "\n"), e.err)
}

// failed are the lines that say FAIL.
func (e examined) failed() []string {
	var failed []string
	for _, line := range e.lines {
		if strings.HasPrefix(line, "FAIL") {
			failed = append(failed, line)
		}
	}
	return failed
}

// patient is a world with a running bot, and a way to stop it.
func patient(t *testing.T, databaseURL string) (s *stage, stop func()) {
	t.Helper()
	l := listenLocal(t)
	s = newWorldStage(t, databaseURL, "http://"+l.Addr().String())
	a, err := newApp(t.Context(), s.settings, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.serve(ctx, l) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		a.close()
	}
	t.Cleanup(stop)
	s.enter()
	return s, stop
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s, stop := patient(t, testpg.New(t))
	if e := examine(t.Context(), *s.settings, nil); e.err != nil || len(e.failed()) > 0 || len(e.lines) < 12 {
		t.Fatalf("a healthy bot: %s", e)
	}

	poor, err := slacksim.Start(slacksim.Config{Clock: s.clock, Scopes: []string{"commands", "chat:write", "im:write", "users:read"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = poor.Close() })
	s.credly.AddToken(credlysim.AuthToken{Description: "ends soon", Read: true, Write: true, Token: "made-up-token-ends-soon", ExpiresAt: s.clock.Now().Add(10*24*time.Hour + time.Hour)})
	s.credly.AddToken(credlysim.AuthToken{Description: "ended", Read: true, Write: true, Token: "made-up-token-of-old", ExpiresAt: s.clock.Now().Add(-time.Hour)})
	empty := "sqlite:" + filepath.Join(t.TempDir(), "empty.db")

	if _, err := openDatabase(t, s.settings.DatabaseURL).ExecContext(t.Context(), storedConnection); err != nil {
		t.Fatal(err)
	}

	type sickness struct {
		change func(*Settings)
		// want stands in the one line that fails.
		want []string
	}
	t.Run("one thing at a time", func(t *testing.T) {
		for name, c := range map[string]sickness{
			"wrong slack token": {
				func(s *Settings) { s.SlackBotToken = "xoxb-" + hushed },
				[]string{"Slack bot token", "invalid_auth", "Install the app again"},
			},
			"slack away": {
				func(s *Settings) { s.SlackAPIURL = "http://127.0.0.1:1/api/" },
				[]string{"Slack bot token", "Look whether this machine can reach Slack"},
			},
			"missing scope": {
				func(s *Settings) {
					s.SlackAPIURL, s.SlackBotToken = poor.APIURL(), core.Secret(poor.Config().BotToken)
				},
				[]string{"Slack scopes", "missing im:history", "install it again"},
			},
			"wrong discord token": {
				func(s *Settings) { s.DiscordBotToken = hushed },
				[]string{"Discord bot token", "set DISCORD_BOT_TOKEN"},
			},
			"wrong public key": {
				func(s *Settings) { s.DiscordPublicKey = strings.Repeat("ab", 32) },
				[]string{"Discord public key", "set DISCORD_PUBLIC_KEY to " + s.settings.DiscordPublicKey},
			},
			"wrong client secret": {
				func(s *Settings) { s.DiscordClientSecret = hushed },
				[]string{"Discord client secret", "set DISCORD_CLIENT_SECRET"},
			},
			"client secret gone": {
				func(s *Settings) { s.DiscordClientSecret = "" },
				[]string{"Discord linked roles", "1 connections are stored", "Set DISCORD_CLIENT_SECRET again"},
			},
			"discord away": {
				func(s *Settings) { s.DiscordAPIURL = "http://127.0.0.1:1" },
				[]string{"Discord bot token", "check that Discord can be reached"},
			},
			"wrong credly token": {
				func(s *Settings) { s.CredlyToken = hushed },
				[]string{"Credly organization", "Make a new token"},
			},
			"wrong organization": {
				func(s *Settings) { s.CredlyOrganizationID = "00000000-0000-4000-8000-0000000000ff" },
				[]string{"Credly organization", "Set CREDLY_ORGANIZATION_ID"},
			},
			"wrong credly client": {
				func(s *Settings) { s.CredlyToken, s.CredlyClientID, s.CredlyClientSecret = "", "client", hushed },
				[]string{"Credly OAuth", "Check CREDLY_CLIENT_ID"},
			},
			"credly away": {
				func(s *Settings) { s.CredlyAPIURL = "http://127.0.0.1:1/v1" },
				[]string{"Credly organization", "Check CREDLY_API_URL"},
			},
			"credly token ends in ten days": {
				func(s *Settings) { s.CredlyToken = "made-up-token-ends-soon" },
				[]string{"Credly token", "in 10 days", "set CREDLY_TOKEN"},
			},
			"credly token ended": {
				func(s *Settings) { s.CredlyToken = "made-up-token-of-old" },
				[]string{"Credly ", "Make a new token"},
			},
			"mail server down": {
				func(s *Settings) { s.SMTPURL = "smtp://user:" + hushed + "@127.0.0.1:1" },
				[]string{"Mail server", "Check host and port in SMTP_URL"},
			},
			"database not migrated": {
				func(s *Settings) { s.DatabaseURL = empty },
				[]string{"Database schema", "version 0 of", "Run: bot migrate"},
			},
			"database down": {
				func(s *Settings) { s.DatabaseURL = "postgres://user:" + hushed + "@127.0.0.1:1/laurel" },
				[]string{"Database ", "Start the database, or mend DATABASE_URL"},
			},
			"no database": {
				func(s *Settings) { s.DatabaseURL = "sqlite:missing/laurel.db" },
				[]string{"Database ", "mend DATABASE_URL"},
			},
			"setting missing": {
				func(s *Settings) { s.MailFrom = "" },
				[]string{"Settings", "MAIL_FROM", "--config"},
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				begin := time.Now()
				e := examine(t.Context(), *s.settings, c.change)
				oneLineFails(t, e, c.want...)
				if took := time.Since(begin); took > doctorWithin/2 {
					t.Errorf("the doctor took %s", took)
				}
			})
		}
	})

	stop()
	oneLineFails(t, examine(t.Context(), *s.settings, nil), "PUBLIC_URL", "does not answer", "Start the bot")
	elsewhere := examine(t.Context(), *s.settings, func(s *Settings) { s.PublicURL = strings.TrimSuffix(s.SlackAPIURL, "/api/") })
	if failed := elsewhere.failed(); len(failed) != 4 || !strings.Contains(failed[0], "Discord interactions endpoint") ||
		!strings.Contains(failed[1], "Discord linked roles") || !strings.Contains(failed[2], "/roles/callback") ||
		!strings.Contains(failed[3], "something else answers there") {
		t.Errorf("another server at PUBLIC_URL: %s", elsewhere)
	}
}

// A database that stops answering, without refusing, does not hold the
// doctor up.
func TestDoctorWithASilentDatabase(t *testing.T) {
	t.Parallel()
	server := testpg.StartServer(t)
	s, stop := patient(t, server.NewDatabase())
	stop()
	server.Suspend()
	begin := time.Now()
	e := examine(t.Context(), *s.settings, nil)
	if failed := e.failed(); len(failed) != 2 || !strings.Contains(failed[0], "Database ") || !strings.Contains(failed[1], "PUBLIC_URL") {
		t.Errorf("a silent database: %s", e)
	}
	if took := time.Since(begin); took > doctorWithin/2 {
		t.Errorf("the doctor took %s", took)
	}
}

func oneLineFails(t *testing.T, e examined, want ...string) {
	t.Helper()
	failed := e.failed()
	if e.err == nil || len(failed) != 1 {
		t.Fatalf("want one line that fails: %s", e)
	}
	for _, part := range append(want, " → ") {
		if !strings.Contains(failed[0], part) {
			t.Errorf("want %q in the line that fails: %s", part, e)
		}
	}
	for _, secret := range []string{hushed, "made-up-token"} {
		if strings.Contains(e.String(), secret) {
			t.Errorf("a secret was printed: %s", e)
		}
	}
}
