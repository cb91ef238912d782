package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

type doctorCmd struct{}

// finding is one line of the doctor: what was looked at, and how it is.
type finding struct {
	OK     bool
	Name   string
	Detail string
	// Mend says what to do where it is not well.
	Mend string
}

// doctorWithin bounds the whole examination.
const doctorWithin = time.Minute

// Run examines everything and fails when something is not well.
func (doctorCmd) Run(ctx context.Context, s *Settings, t *terminal) error {
	ctx, cancel := context.WithTimeout(ctx, doctorWithin)
	defer cancel()
	sick := 0
	tell := func(findings ...finding) {
		for _, f := range findings {
			if !f.OK {
				sick++
			}
			printFinding(t.out, f)
		}
	}
	if err := s.complete(); err != nil {
		tell(finding{Name: "Settings", Detail: err.Error(), Mend: "Set them in the environment, or in a file given by --config."})
		return errors.New("settings are incomplete, nothing else was checked")
	}
	tell(finding{OK: true, Name: "Settings", Detail: "complete"})
	log := newLog(&Settings{LogFormat: "text", LogLevel: "error"}, io.Discard)
	store, opened := checkStore(ctx, s, log)
	tell(store...)
	if !opened {
		return errors.New("the database cannot be opened, nothing else was checked")
	}
	// Everything else is looked at without the database, by this machine's
	// clock: what is wrong is told at once, not one after the other.
	quiet := *s
	quiet.NoMigrate = true
	a, err := newApp(ctx, &quiet, log, machineClock{})
	if err != nil {
		tell(finding{Name: "Start", Detail: err.Error(), Mend: "Mend the setting that is named."})
		return errors.New("the bot cannot start")
	}
	defer a.close()
	if a.slack != nil {
		for _, f := range a.slack.Check(ctx) {
			tell(finding(f))
		}
	}
	if a.discord != nil {
		for _, f := range a.discord.Check(ctx) {
			tell(finding(f))
		}
	}
	tell(a.checkRoles(ctx)...)
	for _, f := range a.credly.Check(ctx) {
		tell(finding(f))
	}
	for _, f := range a.mailer.Check(ctx) {
		tell(finding(f))
	}
	tell(checkPublicURL(ctx, s)...)
	if sick > 0 {
		return fmt.Errorf("%d of the checks found something to mend", sick)
	}
	return nil
}

func printFinding(w io.Writer, f finding) {
	mark, mend := "ok  ", ""
	if !f.OK {
		mark, mend = "FAIL", " → "+f.Mend
	}
	fmt.Fprintf(w, "%s  %-22s %s%s\n", mark, f.Name, f.Detail, mend)
}

// machineClock is the time of this machine.
type machineClock struct{}

var _ core.Clock = machineClock{}

// Now implements [core.Clock].
func (machineClock) Now() time.Time { return time.Now().UTC() }

// checkStore looks at the database. It can be opened even while it does not
// answer, unless DATABASE_URL leads nowhere.
func checkStore(ctx context.Context, s *Settings, log *slog.Logger) (found []finding, opened bool) {
	lost := func(err error) []finding {
		return []finding{{Name: "Database", Detail: err.Error(), Mend: "Start the database, or mend DATABASE_URL."}}
	}
	db, keys, err := openStore(ctx, s, log)
	if err != nil {
		return lost(err), false
	}
	defer func() { _ = db.Close() }()
	if err := db.Ping(ctx); err != nil {
		return lost(err), true
	}
	answers := finding{OK: true, Name: "Database", Detail: "answers"}
	schema := finding{Name: "Database schema", Mend: "Run: bot migrate"}
	current, latest, err := db.SchemaVersion(ctx)
	if err != nil {
		schema.Detail = err.Error()
		return []finding{answers, schema}, true
	}
	schema.OK = current == latest
	schema.Detail = fmt.Sprintf("version %d of %d", current, latest)
	if current > latest {
		schema.Mend = "Run a newer version of the bot: the database was changed for it."
	}
	found = []finding{answers, schema}
	if !schema.OK {
		return found, true
	}
	use, err := db.KeyUse(ctx)
	if err != nil {
		return append(found, finding{Name: "Secret keys", Detail: err.Error(), Mend: "Mend what the database says and try again."}), true
	}
	return append(found, adviseKeys(keys, use)), true
}

// checkPublicURL looks whether PUBLIC_URL leads to a running bot.
func checkPublicURL(ctx context.Context, s *Settings) []finding {
	const name = "PUBLIC_URL"
	u, err := url.Parse(s.PublicURL)
	if err != nil {
		return []finding{{Name: name, Detail: "is not an address", Mend: "Set PUBLIC_URL to the https address of this server."}}
	}
	var out []finding
	if host := u.Hostname(); u.Scheme != "https" && !isLoopback(host) {
		out = append(out, finding{
			Name: name, Detail: "is not https", Mend: "Slack, Discord and Credly only call https addresses with a valid certificate.",
		})
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.PublicURL+"/healthz", nil)
	if err != nil {
		return append(out, finding{Name: name, Detail: "is not an address", Mend: "Set PUBLIC_URL to the https address of this server."})
	}
	client := &http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return append(out, finding{Name: name, Detail: "does not answer", Mend: "Start the bot (bot serve) and check DNS, certificate and proxy."})
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 16))
	if res.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != "ok" {
		return append(out, finding{Name: name, Detail: "something else answers there", Mend: "Let the proxy pass requests on to LISTEN_ADDR."})
	}
	return append(out, finding{OK: true, Name: name, Detail: "leads to a running bot"})
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
