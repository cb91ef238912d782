package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/freeport"
	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// stage is the bot with the simulated world around it, for one test.
type stage struct {
	t *testing.T
	*rig
	settings    *Settings
	slackChat   *slacktest.Chat
	discordChat *discordtest.Chat
	// triggers counts the requests that a test made up itself.
	triggers int
	// people counts the newcomers.
	people *int
	// logs is what the bot logged.
	logs *testLog
	// app is the bot in this process, nil when it runs as a binary.
	app *app
	// stop ends it, as its operator would.
	stop func()
	// tell moves the clock of a binary.
	tell func(offset time.Duration)
}

// Seeded people by their place in the list.
func ada() seeded   { return seededPeople()[0] }
func bruno() seeded { return seededPeople()[1] }
func carla() seeded { return seededPeople()[2] }

// theManager runs the programme.
func theManager() seeded { return seededPeople()[3] }

// forEachStore runs a test on both databases, in this process.
func forEachStore(t *testing.T, f func(*testing.T, *stage)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, newStage(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, newStage(t, testpg.New(t)))
	})
}

func newWorldStage(t *testing.T, databaseURL, publicURL string) *stage {
	t.Helper()
	r, err := newRig(discordSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.close()
		for _, v := range r.discord.Violations() {
			t.Errorf("simulated Discord answered against its own description: %s", v)
		}
	})
	s := &stage{t: t, rig: r, people: new(int)}
	if s.settings, err = r.settings(publicURL, ""); err != nil {
		t.Fatal(err)
	}
	s.settings.DatabaseURL = databaseURL
	s.settings.CredlyPerSecond = 100
	s.slackChat = slacktest.New(t, r.slack).Within(20 * time.Second)
	s.discordChat = discordtest.New(t, r.discord).Within(20 * time.Second)
	settle := func(context.Context) error { s.rest(); return nil }
	s.slackChat.Settle(settle)
	s.discordChat.Settle(settle)
	return s
}

// discordSchema is Discord's own description of its API. All tests share it,
// because to load it and to compile its schemas takes longer than most of them.
func discordSchema(t *testing.T) *schema.Set {
	t.Helper()
	set, err := loadSchema(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// loadSchema loads the description once; its path is always the same.
var loadSchema = func() func(string) (*schema.Set, error) {
	var once sync.Once
	var set *schema.Set
	var err error
	return func(path string) (*schema.Set, error) {
		once.Do(func() { set, err = schema.Load(path) })
		return set, err
	}
}()

func listenLocal(t *testing.T) net.Listener {
	t.Helper()
	var listen net.ListenConfig
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// freeAddress is for a bot that is another process.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := freeport.Take()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// within is the stage for a part of the test.
func (s *stage) within(t *testing.T) *stage {
	part := *s
	part.t = t
	return &part
}

// newStage starts the bot in this process, with the simulated clock and with
// what is settled beside the usual settings.
func newStage(t *testing.T, databaseURL string, settle ...func(*Settings)) *stage {
	t.Helper()
	l := listenLocal(t)
	s := newWorldStage(t, databaseURL, "http://"+l.Addr().String())
	for _, f := range settle {
		f(s.settings)
	}
	s.prepare(s.settings)
	logs := &testLog{t: t}
	s.logs = logs
	log := slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelInfo}))
	a, err := newApp(t.Context(), s.settings, log, s.clock)
	if err != nil {
		t.Fatal(err)
	}
	s.app = a
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.serve(ctx, l) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		a.close()
	})
	t.Cleanup(func() {
		s.stop()
		logs.check()
	})
	s.clock.OnMove(func(time.Time) {
		a.scheduler.RunAll(ctx)
		a.wake()
	})
	s.enter()
	return s
}

// enter joins the bot to the world and fills it with people and badges.
func (s *stage) enter() {
	s.t.Helper()
	if err := s.join(s.t.Context(), s.settings); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.seed(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.waitFor("Discord's commands to be registered", func() bool { return len(s.discord.Commands()) > 0 })
	s.waitFor("Discord's facts for roles", func() bool {
		return s.settings.DiscordClientSecret == "" || len(s.discord.RoleRecords()) == len(discord.RoleKeys)
	})
	if s.app != nil {
		// The bot may have read them while the world was being filled.
		if err := s.app.reconciler.Templates(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// pass moves the clock. A message can be seen a moment before its delivery
// is stored as sent: a jump past its lease in that moment would send it again.
func (s *stage) pass(d time.Duration) {
	s.t.Helper()
	if s.app != nil {
		s.waitFor("deliveries under way", func() bool {
			stats, err := s.app.db.Stats(s.t.Context())
			return err == nil && stats.Deliveries[delivery.StateSending] == 0
		})
	}
	s.clock.Advance(d)
	if s.tell != nil {
		s.tell(s.clock.Offset())
	}
}

func (s *stage) waitFor(what string, ok func() bool) {
	s.t.Helper()
	s.waitWithin(30*time.Second, what, ok)
}

func (s *stage) waitWithin(d time.Duration, what string, ok func() bool) {
	s.t.Helper()
	deadline := time.Now().Add(d)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain for %s", what)
		}
		<-tick.C
	}
}

// mailTo waits for the n-th mail to an address and returns it.
func (s *stage) mailTo(address string, n int) mailsim.Message {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	mails, err := s.mail.WaitFor(ctx, address, n)
	if err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(mails, func(a, b mailsim.Message) int { return a.ID - b.ID })
	return mails[n-1]
}

func (s *stage) codeFor(address string, n int) string {
	s.t.Helper()
	m := s.mailTo(address, n)
	codes := mailsim.Codes(m)
	if len(codes) != 1 {
		s.t.Fatalf("codes in the mail: %v", codes)
	}
	return codes[0]
}

// follow opens a handoff page and presses its button, as a browser would,
// and returns where it leads.
func (s *stage) follow(link string) (status int, location string) {
	s.t.Helper()
	if !strings.HasPrefix(link, s.settings.PublicURL+"/h/") {
		s.t.Fatalf("link leads to %s", link)
	}
	if status, body := s.get(link); status == http.StatusOK && !strings.Contains(body, "<form") {
		s.t.Fatalf("the page has no form:\n%s", body)
	}
	return s.post(link)
}

func (s *stage) get(link string) (int, string) {
	s.t.Helper()
	return s.request(http.MethodGet, link)
}

func (s *stage) post(link string) (status int, location string) {
	s.t.Helper()
	return s.request(http.MethodPost, link)
}

// request returns the status and the body, or the place a redirect names.
func (s *stage) request(method, link string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, link, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if where := res.Header.Get("Location"); where != "" {
		return res.StatusCode, where
	}
	return res.StatusCode, string(body)
}

// badge returns a person's badge of a template at Credly.
func (s *stage) badge(email, template string) string {
	s.t.Helper()
	for _, b := range s.credly.BadgesFor(email) {
		if b.TemplateID == template {
			return b.ID
		}
	}
	s.t.Fatalf("Credly has no such badge")
	return ""
}

// linkSlack links the person's address in Slack.
func (s *stage) linkSlack(p seeded) *slacktest.Person {
	s.t.Helper()
	n := len(s.mail.Messages(p.email))
	who := s.slackChat.As(p.slackID)
	who.Command("/badges", "link "+p.email)
	card := who.ExpectEphemeral(p.email)
	code := s.codeFor(p.email, n+1)
	card.Press(word(p, "button.enter_code"))
	who.Modal(word(p, "form.code.title")).Fill("code", code).Submit()
	card.ExpectEdit(word(p, "verify.used.title"), "2 ")
	return who
}

// rest waits until the bot has nothing left to do. The card that says "linked"
// may be brought up to date once more when the badges have been looked up: a
// press faster than any person's would have its answer overwritten by that.
func (s *stage) rest() {
	s.t.Helper()
	s.settle(openDatabase(s.t, s.settings.DatabaseURL))
}

// linkDiscord links the person's address in Discord.
func (s *stage) linkDiscord(p seeded) *discordtest.Person {
	s.t.Helper()
	n := len(s.mail.Messages(p.email))
	who := s.discordChat.As(p.discordID)
	who.Command("badges", "link", map[string]any{"address": p.email})
	card := who.Expect(p.email)
	code := s.codeFor(p.email, n+1)
	card.Press(word(p, "button.enter_code")).Modal(word(p, "form.code.title")).Fill("code", code).Submit()
	card.ExpectEdit(word(p, "verify.used.title"), "2 ")
	return who
}

// storedBadge is what completion offers for a badge whose name holds text.
func (s *stage) storedBadge(p seeded, text string) string {
	s.t.Helper()
	choices, err := s.discord.Autocomplete(s.t.Context(), p.discordID, "", "badges", "claim", "badge", text)
	if err != nil || len(choices) != 1 {
		s.t.Fatalf("completions: %v, %v", choices, err)
	}
	value, ok := choices[0].Value.(string)
	if !ok {
		s.t.Fatalf("completion: %v", choices[0])
	}
	return value
}

// testLog keeps what the bot logs, to show it when a test fails and to hold
// it against rule 5: no log line names a person.
type testLog struct {
	t  *testing.T
	mu sync.Mutex
	b  strings.Builder
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *testLog) check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.t.Failed() {
		l.t.Logf("log of the bot:\n%s", l.b.String())
	}
	for _, p := range seededPeople() {
		for _, private := range []string{p.email, p.last} {
			if strings.Contains(l.b.String(), private) {
				l.t.Errorf("rule 5: the log names %s:\n%s", private, l.b.String())
			}
		}
	}
}

// newBinaryStage starts the built binary with nothing but its environment.
func newBinaryStage(t *testing.T, databaseURL string) *stage {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bot")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	address := freeAddress(t)
	s := newWorldStage(t, databaseURL, "http://"+address)
	logs := &testLog{t: t}
	s.logs = logs
	bot := exec.Command(binary) //nolint:noctx // It is to be stopped by a signal, not killed.
	bot.Env = append(os.Environ(), s.environment(address)...)
	bot.Dir = t.TempDir()
	bot.Stdout, bot.Stderr = logs, logs
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		begin := time.Now()
		if err := bot.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := bot.Wait(); err != nil {
			t.Errorf("the bot ended badly: %v", err)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("stopping took %s", took)
		}
		logs.check()
	})
	s.tell = func(offset time.Duration) { moveDatabaseClock(t, databaseURL, offset) }
	s.waitFor("the bot to be ready", func() bool {
		var dial net.Dialer
		c, err := dial.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return false
		}
		_ = c.Close()
		status, _ := s.get(s.settings.PublicURL + "/readyz")
		return status == http.StatusOK
	})
	s.enter()
	return s
}

func (s *stage) environment(address string) []string {
	c := s.settings
	return []string{
		"DATABASE_URL=" + c.DatabaseURL, "LISTEN_ADDR=" + address, "PUBLIC_URL=" + c.PublicURL,
		"SECRET_KEY=" + c.SecretKey.Reveal(),
		"SLACK_BOT_TOKEN=" + c.SlackBotToken.Reveal(), "SLACK_SIGNING_SECRET=" + c.SlackSigningSecret.Reveal(),
		"SLACK_TRANSPORT=http", "SLACK_API_URL=" + c.SlackAPIURL,
		"DISCORD_BOT_TOKEN=" + c.DiscordBotToken.Reveal(), "DISCORD_APPLICATION_ID=" + c.DiscordApplicationID,
		"DISCORD_PUBLIC_KEY=" + c.DiscordPublicKey, "DISCORD_TRANSPORT=http", "DISCORD_API_URL=" + c.DiscordAPIURL,
		"DISCORD_CLIENT_SECRET=" + c.DiscordClientSecret.Reveal(), "BADGE_LEVELS=" + strings.Join(c.BadgeLevels, ","),
		"CREDLY_ORGANIZATION_ID=" + c.CredlyOrganizationID, "CREDLY_TOKEN=" + c.CredlyToken.Reveal(),
		"CREDLY_API_URL=" + c.CredlyAPIURL, "CREDLY_OAUTH_URL=" + c.CredlyOAuthURL,
		"CREDLY_WEBHOOK_TOKEN=" + c.CredlyWebhookToken.Reveal(),
		"PORTAL_WEBHOOK_SECRET=" + c.PortalWebhookSecret.Reveal(), "PORTAL_EVENTS_URL=" + c.PortalEventsURL,
		"SMTP_URL=" + c.SMTPURL.Reveal(), "MAIL_FROM=" + c.MailFrom, "HANDOFF_TTL=2m", "LOG_FORMAT=text",
	}
}

// moveDatabaseClock replaces the view that tells all replicas the time.
func moveDatabaseClock(t *testing.T, databaseURL string, offset time.Duration) {
	t.Helper()
	driver, source := "postgres", databaseURL
	drop, now := `CREATE OR REPLACE VIEW clock AS`, `(extract(epoch FROM clock_timestamp()) * 1000)::bigint`
	if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"
		drop, now = `DROP VIEW clock; CREATE VIEW clock AS`, `CAST(unixepoch('subsec') * 1000 AS INTEGER)`
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	statement := fmt.Sprintf("%s SELECT %s + %d AS now_ms", drop, now, offset.Milliseconds())
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func linksOf(m mailsim.Message) []string { return mailsim.Links(m) }
