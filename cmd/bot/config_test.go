package main

import (
	"bytes"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// A made-up secret that no output may show.
const hushed = "made-up-hushed-value"

// goodEnvironment is complete, and leads to nothing that answers.
func goodEnvironment() map[string]string {
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	return map[string]string{
		"DATABASE_URL": "sqlite:laurel.db", "LISTEN_ADDR": "127.0.0.1:0", "PUBLIC_URL": "https://laurel.example.org",
		"SECRET_KEY":      key,
		"SLACK_BOT_TOKEN": "xoxb-" + hushed, "SLACK_SIGNING_SECRET": hushed, "SLACK_API_URL": "http://127.0.0.1:1/api/",
		"DISCORD_BOT_TOKEN": hushed, "DISCORD_APPLICATION_ID": "100000000000000009",
		"DISCORD_PUBLIC_KEY": strings.Repeat("ab", 32), "DISCORD_API_URL": "http://127.0.0.1:1",
		"CREDLY_ORGANIZATION_ID": "00000000-0000-4000-8000-000000000002", "CREDLY_TOKEN": hushed,
		"CREDLY_API_URL": "http://127.0.0.1:1/v1", "CREDLY_OAUTH_URL": "http://127.0.0.1:1/oauth/token",
		"CREDLY_WEBHOOK_TOKEN":  hushed,
		"PORTAL_WEBHOOK_SECRET": "whsec_" + key, "PORTAL_EVENTS_URL": "http://127.0.0.1:1/events",
		"SMTP_URL": "smtp://user:" + hushed + "@127.0.0.1:1", "MAIL_FROM": "Badges <badges@example.org>",
	}
}

// changed returns the good environment with some variables changed; an
// empty value removes one.
func changed(pairs ...string) map[string]string {
	env := goodEnvironment()
	for i := 0; i < len(pairs); i += 2 {
		env[pairs[i]] = pairs[i+1]
		if pairs[i+1] == "" {
			delete(env, pairs[i])
		}
	}
	return env
}

func TestSettingsOfTheBinary(t *testing.T) {
	t.Parallel()
	bot := buildProgram(t)

	wrong := map[string]struct {
		env map[string]string
		// want is the setting that is named.
		want string
	}{
		"public url without scheme":       {changed("PUBLIC_URL", "laurel.example.org"), "PUBLIC_URL"},
		"public url of another scheme":    {changed("PUBLIC_URL", "ftp://laurel.example.org"), "PUBLIC_URL"},
		"public url without host":         {changed("PUBLIC_URL", "https://"), "PUBLIC_URL"},
		"public url with a port alone":    {changed("PUBLIC_URL", "https://:443"), "PUBLIC_URL"},
		"public url with query":           {changed("PUBLIC_URL", "https://laurel.example.org/?a=b"), "PUBLIC_URL"},
		"public url unreadable":           {changed("PUBLIC_URL", "https://%zz/"), "PUBLIC_URL"},
		"public url missing":              {changed("PUBLIC_URL", ""), "PUBLIC_URL"},
		"slack url without /api/":         {changed("SLACK_API_URL", "https://slack.com/"), "SLACK_API_URL"},
		"slack url without slash":         {changed("SLACK_API_URL", "https://slack.com/api"), "SLACK_API_URL"},
		"slack url unreadable":            {changed("SLACK_API_URL", ":::/api/"), "SLACK_API_URL"},
		"slack token missing":             {changed("SLACK_BOT_TOKEN", ""), "SLACK_BOT_TOKEN"},
		"slack signing secret missing":    {changed("SLACK_SIGNING_SECRET", ""), "SLACK_SIGNING_SECRET"},
		"slack transport":                 {changed("SLACK_TRANSPORT", "pigeon"), "SLACK_TRANSPORT"},
		"discord url unreadable":          {changed("DISCORD_API_URL", "discord.com"), "DISCORD_API_URL"},
		"discord url with path":           {changed("DISCORD_API_URL", "https://discord.com/api/v10"), "DISCORD_API_URL"},
		"discord token missing":           {changed("DISCORD_BOT_TOKEN", ""), "DISCORD_BOT_TOKEN"},
		"discord application missing":     {changed("DISCORD_APPLICATION_ID", ""), "DISCORD_APPLICATION_ID"},
		"discord application a word":      {changed("DISCORD_APPLICATION_ID", "laurel"), "DISCORD_APPLICATION_ID"},
		"discord key missing":             {changed("DISCORD_PUBLIC_KEY", ""), "DISCORD_PUBLIC_KEY"},
		"discord key too short":           {changed("DISCORD_PUBLIC_KEY", strings.Repeat("ab", 31)), "DISCORD_PUBLIC_KEY"},
		"discord key too long":            {changed("DISCORD_PUBLIC_KEY", strings.Repeat("ab", 33)), "DISCORD_PUBLIC_KEY"},
		"discord key not hexadecimal":     {changed("DISCORD_PUBLIC_KEY", strings.Repeat("xy", 32)), "DISCORD_PUBLIC_KEY"},
		"discord transport":               {changed("DISCORD_TRANSPORT", "pigeon"), "DISCORD_TRANSPORT"},
		"organization missing":            {changed("CREDLY_ORGANIZATION_ID", ""), "CREDLY_ORGANIZATION_ID"},
		"organization a path":             {changed("CREDLY_ORGANIZATION_ID", "a/../b"), "CREDLY_ORGANIZATION_ID"},
		"discord secret without an id":    {changed("DISCORD_CLIENT_SECRET", hushed, "DISCORD_APPLICATION_ID", ""), "DISCORD_APPLICATION_ID"},
		"levels that are none":            {changed("BADGE_LEVELS", "template=high"), "BADGE_LEVELS"},
		"proxies that are none":           {changed("TRUSTED_PROXIES", "proxy"), "TRUSTED_PROXIES"},
		"credly token missing":            {changed("CREDLY_TOKEN", ""), "CREDLY_TOKEN"},
		"credly client without secret":    {changed("CREDLY_TOKEN", "", "CREDLY_CLIENT_ID", "client"), "CREDLY_CLIENT_SECRET"},
		"credly client beside a token":    {changed("CREDLY_CLIENT_ID", "client"), "CREDLY_CLIENT_SECRET"},
		"credly secret without client":    {changed("CREDLY_TOKEN", "", "CREDLY_CLIENT_SECRET", hushed), "CREDLY_CLIENT_ID"},
		"credly url without /v1":          {changed("CREDLY_API_URL", "https://api.credly.com"), "CREDLY_API_URL"},
		"credly url not encrypted":        {changed("CREDLY_API_URL", "http://api.example.org/v1"), "CREDLY_API_URL"},
		"credly url with a password":      {changed("CREDLY_API_URL", "https://user:"+hushed+"@api.example.org/v1"), "CREDLY_API_URL"},
		"credly oauth url unreadable":     {changed("CREDLY_OAUTH_URL", "oauth"), "CREDLY_OAUTH_URL"},
		"credly oauth url not encrypted":  {changed("CREDLY_OAUTH_URL", "http://api.example.org/oauth"), "CREDLY_OAUTH_URL"},
		"credly webhook token short":      {changed("CREDLY_WEBHOOK_TOKEN", "short"), "CREDLY_WEBHOOK_TOKEN"},
		"credly webhook token a path":     {changed("CREDLY_WEBHOOK_TOKEN", "made-up/hushed-value"), "CREDLY_WEBHOOK_TOKEN"},
		"portal secret not base64":        {changed("PORTAL_WEBHOOK_SECRET", "whsec_"+hushed+"!"), "PORTAL_WEBHOOK_SECRET"},
		"portal secret too short":         {changed("PORTAL_WEBHOOK_SECRET", "whsec_bWFkZS11cA=="), "PORTAL_WEBHOOK_SECRET"},
		"portal secret missing":           {changed("PORTAL_WEBHOOK_SECRET", ""), "PORTAL_WEBHOOK_SECRET"},
		"portal events url":               {changed("PORTAL_EVENTS_URL", "events"), "PORTAL_EVENTS_URL"},
		"mail server missing":             {changed("SMTP_URL", ""), "SMTP_URL"},
		"mail server of unknown scheme":   {changed("SMTP_URL", "https://user:"+hushed+"@mail.example.org"), "SMTP_URL"},
		"mail server unreadable":          {changed("SMTP_URL", "smtp://user:"+hushed+"@%zz:587"), "SMTP_URL"},
		"mail server with a wrong port":   {changed("SMTP_URL", "smtp://user:"+hushed+"@mail.example.org:0"), "SMTP_URL"},
		"sender missing":                  {changed("MAIL_FROM", ""), "MAIL_FROM"},
		"sender wrong":                    {changed("MAIL_FROM", "badges at example"), "MAIL_FROM"},
		"secret key missing":              {changed("SECRET_KEY", ""), "SECRET_KEY"},
		"secret key not base64":           {changed("SECRET_KEY", hushed), "SECRET_KEY"},
		"secret key too short":            {changed("SECRET_KEY", base64.StdEncoding.EncodeToString([]byte(hushed))), "SECRET_KEY"},
		"secret key too long":             {changed("SECRET_KEY", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 33))), "SECRET_KEY"},
		"handoff no duration":             {changed("HANDOFF_TTL", "soon"), "HANDOFF_TTL"},
		"handoff too short":               {changed("HANDOFF_TTL", "9s"), "HANDOFF_TTL"},
		"handoff too long":                {changed("HANDOFF_TTL", "61m"), "HANDOFF_TTL"},
		"handoff negative":                {changed("HANDOFF_TTL", "-2m"), "HANDOFF_TTL"},
		"database of unknown scheme":      {changed("DATABASE_URL", "mysql://user:"+hushed+"@db.example.org/laurel"), "DATABASE_URL"},
		"database without scheme":         {changed("DATABASE_URL", "laurel.db"), "DATABASE_URL"},
		"database unreadable":             {changed("DATABASE_URL", "postgres://user:"+hushed+"@%zz/laurel"), "DATABASE_URL"},
		"database with an unknown option": {changed("DATABASE_URL", "postgres://user:"+hushed+"@127.0.0.1:1/laurel?sslmode="+hushed), "DATABASE_URL"},
		"database without file":           {changed("DATABASE_URL", "sqlite:"), "DATABASE_URL"},
		"database in no folder":           {changed("DATABASE_URL", "sqlite:missing/laurel.db"), "DATABASE_URL"},
		"database down":                   {changed("DATABASE_URL", "postgres://user:"+hushed+"@127.0.0.1:1/laurel"), "DATABASE_URL"},
		"log format":                      {changed("LOG_FORMAT", "poem"), "LOG_FORMAT"},
		"log level":                       {changed("LOG_LEVEL", "loud"), "LOG_LEVEL"},
		"switch that is none":             {changed("NO_MIGRATE", "perhaps"), "NO_MIGRATE"},
		"other switch that is none":       {changed("CREDLY_SUPPRESS_MAIL", "perhaps"), "CREDLY_SUPPRESS_MAIL"},
		"listen address":                  {changed("LISTEN_ADDR", "nowhere"), "LISTEN_ADDR"},
		"secret file missing":             {changed("SECRET_KEY", "", "SECRET_KEY_FILE", "missing"), "SECRET_KEY_FILE"},
		"settings file missing":           {changed("LAUREL_CONFIG", "missing.yaml"), "missing.yaml"},
	}
	for name, c := range wrong {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, out := bot.run(t, c.env)
			if status != 1 && status != 2 {
				t.Errorf("exit status %d", status)
			}
			lines := sentences(out)
			if len(lines) != 1 || !strings.Contains(lines[0], c.want) {
				t.Errorf("want one sentence that names %s:\n%s", c.want, out)
			}
			hushes(t, out, c.env)
		})
	}

	t.Run("several wrong settings are named together", func(t *testing.T) {
		t.Parallel()
		_, out := bot.run(t, changed("PUBLIC_URL", "x", "HANDOFF_TTL", "1s", "DISCORD_PUBLIC_KEY", "x"))
		for _, want := range []string{"PUBLIC_URL", "HANDOFF_TTL", "DISCORD_PUBLIC_KEY"} {
			if !strings.Contains(out, want) {
				t.Errorf("does not name %s:\n%s", want, out)
			}
		}
	})
	t.Run("no chat platform", func(t *testing.T) {
		t.Parallel()
		status, out := bot.run(t, nil)
		if status != 1 || len(sentences(out)) != 1 {
			t.Errorf("exit status %d:\n%s", status, out)
		}
		for _, want := range []string{
			"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "DISCORD_BOT_TOKEN", "DISCORD_APPLICATION_ID", "DISCORD_PUBLIC_KEY", "bot playground",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("does not name %s:\n%s", want, out)
			}
		}
	})
	t.Run("slack alone starts", func(t *testing.T) {
		t.Parallel()
		env := changed("DISCORD_BOT_TOKEN", "", "DISCORD_APPLICATION_ID", "", "DISCORD_PUBLIC_KEY", "")
		hushes(t, bot.serves(t, env), env)
	})
	t.Run("discord alone starts", func(t *testing.T) {
		t.Parallel()
		env := changed("SLACK_BOT_TOKEN", "", "SLACK_SIGNING_SECRET", "")
		hushes(t, bot.serves(t, env, "serve"), env)
	})
	t.Run("only what is needed starts", func(t *testing.T) {
		t.Parallel()
		env := changed("PORTAL_WEBHOOK_SECRET", "", "PORTAL_EVENTS_URL", "", "CREDLY_WEBHOOK_TOKEN", "", "DATABASE_URL", "",
			"CREDLY_TOKEN", "", "CREDLY_CLIENT_ID", "client", "CREDLY_CLIENT_SECRET", hushed)
		hushes(t, bot.serves(t, env), env)
	})
	t.Run("secrets come from files", func(t *testing.T) {
		t.Parallel()
		env := goodEnvironment()
		for name := range (&Settings{}).secrets() {
			if value, set := env[name]; set {
				env[name+"_FILE"] = writeFile(t, name, value+"\n")
				delete(env, name)
			}
		}
		hushes(t, bot.serves(t, env), goodEnvironment())
	})
	for name := range (&Settings{}).secrets() {
		t.Run(name+" and its file are both set", func(t *testing.T) {
			t.Parallel()
			env := goodEnvironment()
			if env[name] == "" {
				env[name] = hushed
			}
			env[name+"_FILE"] = writeFile(t, name, env[name])
			status, out := bot.run(t, env)
			if status != 2 || len(sentences(out)) != 1 || !strings.Contains(out, name+"_FILE") {
				t.Errorf("exit status %d:\n%s", status, out)
			}
			hushes(t, out, env)
		})
	}
	precedence(t, bot)
	settingsFiles(t, bot)

	t.Run("version", func(t *testing.T) {
		t.Parallel()
		if status, out := bot.run(t, nil, "version"); status != 0 || out != "laurel dev\n" {
			t.Errorf("exit status %d: %q", status, out)
		}
	})
	t.Run("help", func(t *testing.T) {
		t.Parallel()
		env := goodEnvironment()
		status, out := bot.run(t, env, "--help")
		if status != 0 {
			t.Errorf("exit status %d", status)
		}
		for _, want := range append(settingNames(), "serve", "playground", "migrate", "import", "doctor", "version") {
			if !strings.Contains(out, want) {
				t.Errorf("help does not name %s", want)
			}
		}
		hushes(t, out, env)
	})
	t.Run("unknown flag and command", func(t *testing.T) {
		t.Parallel()
		for _, arg := range []string{"--no-such-flag", "no-such-command"} {
			if status, out := bot.run(t, goodEnvironment(), arg); status != 2 || !strings.Contains(out, arg) {
				t.Errorf("%s: exit status %d:\n%s", arg, status, out)
			}
		}
	})
	// Last, because all of these wait for the binary.
	t.Run("the defaults are the services' own addresses", func(t *testing.T) {
		t.Parallel()
		_, out := bot.run(t, nil, "--help")
		joined := strings.Join(strings.Fields(out), "")
		for _, want := range []string{
			"https://slack.com/api/", "https://discord.com", "https://api.credly.com/v1", "https://www.credly.com/oauth/token",
			"sqlite:laurel.db", "127.0.0.1:8080", "2m",
		} {
			if !strings.Contains(joined, want) {
				t.Errorf("help does not show the default %s", want)
			}
		}
	})
}

// precedence tells by the address that is refused, or is served, where a
// setting came from.
func precedence(t *testing.T, bot program) {
	t.Helper()
	const flag, environment, file = "https://flag.example.org", "https://environment.example.org", "https://file.example.org"
	for name, c := range map[string]struct {
		flag, environment, file bool
		want                    string
	}{
		"flag over all":         {true, true, true, flag},
		"environment over file": {false, true, true, environment},
		"file over default":     {false, false, true, file},
		"flag over file":        {true, false, true, flag},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, args := goodEnvironment(), []string(nil)
			delete(env, "PUBLIC_URL")
			if c.file {
				args = append(args, "--config", writeFile(t, "laurel.yaml", "public-url: "+file+"\nlog-format: text\n"))
			}
			if c.environment {
				env["PUBLIC_URL"] = environment
			}
			if c.flag {
				args = append(args, "--public-url", flag)
			}
			if out := bot.serves(t, env, args...); !strings.Contains(out, c.want) {
				t.Errorf("does not serve %s:\n%s", c.want, out)
			}
		})
	}
	t.Run("default", func(t *testing.T) {
		t.Parallel()
		env := goodEnvironment()
		if out := bot.serves(t, env, "--config", writeFile(t, "laurel.yaml", "log-format: text\n")); strings.Contains(out, `{"`) {
			t.Errorf("the file does not change the log:\n%s", out)
		}
		if out := bot.serves(t, env); !strings.Contains(out, `{"time"`) {
			t.Errorf("the log is not JSON by default:\n%s", out)
		}
	})
	t.Run("an empty variable wins over the file", func(t *testing.T) {
		t.Parallel()
		env := goodEnvironment()
		env["PUBLIC_URL"] = ""
		status, out := bot.run(t, env, "--config", writeFile(t, "laurel.yaml", "public-url: "+file+"\n"))
		if status != 1 || !strings.Contains(out, "PUBLIC_URL") {
			t.Errorf("exit status %d:\n%s", status, out)
		}
	})
}

// settingsFiles are wrong in different ways, or right in a way that is easily
// missed.
func settingsFiles(t *testing.T, bot program) {
	t.Helper()
	for name, c := range map[string]struct{ content, want string }{
		"unknown name":                 {"handoff: 2m\n", `"handoff"`},
		"environment name":             {"SLACK_BOT_TOKEN: " + hushed + "\n", "SLACK_BOT_TOKEN"},
		"nested":                       {"slack:\n  bot-token: " + hushed + "\n", `"slack"`},
		"a list":                       {"- " + hushed + "\n", "settings file"},
		"variables instead of a table": {hushed + "\n", "settings file"},
		"not YAML":                     {"public-url: [\n", "settings file"},
		"wrong value":                  {"handoff-ttl: 5s\n", "HANDOFF_TTL"},
		"twice":                        {"log-level: info\nlog-level: warn\n", "settings file"},
	} {
		t.Run("settings file: "+name, func(t *testing.T) {
			t.Parallel()
			status, out := bot.run(t, goodEnvironment(), "--config", writeFile(t, "laurel.yaml", c.content))
			if status != 2 || !strings.Contains(out, c.want) || len(sentences(out)) != 1 {
				t.Errorf("exit status %d, want one sentence with %s:\n%s", status, c.want, out)
			}
			hushes(t, out, goodEnvironment())
		})
	}
	for name, content := range map[string]string{
		"empty": "", "only a comment": "# nothing yet\n", "name without value": "slack-app-token:\n", "number": "discord-application-id: 100000000000000009\n",
		"switch": "no-migrate: false\n",
	} {
		t.Run("settings file: "+name, func(t *testing.T) {
			t.Parallel()
			bot.serves(t, changed("DISCORD_APPLICATION_ID", "100000000000000009"), "--config", writeFile(t, "laurel.yaml", content))
		})
	}
}

// sentences are the lines that the program ends with, without its log.
func sentences(out string) []string {
	var lines []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "{") {
			lines = append(lines, line)
		}
	}
	return lines
}

// hushes fails when secrets of the environment were printed.
func hushes(t *testing.T, out string, env map[string]string) {
	t.Helper()
	if strings.Contains(out, hushed) {
		t.Errorf("a secret was printed:\n%s", out)
	}
	for name := range (&Settings{}).secrets() {
		if value := env[name]; len(value) > 5 && strings.Contains(out, value) {
			t.Errorf("%s was printed:\n%s", name, out)
		}
	}
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// settingNames are the variables that exist.
func settingNames() []string {
	var names []string
	for field := range reflect.TypeFor[Settings]().Fields() {
		if field.IsExported() {
			names = append(names, field.Tag.Get("env"))
		}
	}
	return names
}

// Every setting has a variable, and every secret is a setting. That each is
// documented with its default, internal/archtest holds.
func TestSettingsHaveVariables(t *testing.T) {
	t.Parallel()
	known := settingNames()
	if slices.Contains(known, "") {
		t.Error("a setting has no variable")
	}
	for name := range (&Settings{}).secrets() {
		if !slices.Contains(known, name) {
			t.Errorf("secret %s is no setting", name)
		}
	}
}

func TestManagersAreNamed(t *testing.T) {
	t.Parallel()
	s := &Settings{Managers: []string{"slack:T1:U1", " discord:77 "}}
	want := map[core.Identity]bool{{Platform: "slack", Tenant: "T1", User: "U1"}: true, {Platform: "discord", User: "77"}: true}
	if got := s.managers(); !maps.Equal(got, want) || s.checkManagers() != nil {
		t.Errorf("got %v", got)
	}
	for _, wrong := range []string{"", "slack:U1", "slack:T1:", "discord:T1:77", "teams:1:2", "ada@example.org"} {
		if (&Settings{Managers: []string{wrong}}).checkManagers() == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}
