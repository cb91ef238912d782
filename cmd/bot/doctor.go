package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
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
	quiet := *s
	quiet.NoMigrate = true
	a, err := newApp(ctx, &quiet, log, nil)
	if err != nil {
		tell(finding{Name: "Start", Detail: err.Error(), Mend: "Mend the setting that is named; for a new database run: bot migrate"})
		return errors.New("the bot cannot start")
	}
	defer a.close()
	tell(a.checkStore(ctx)...)
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

func (a *app) checkStore(ctx context.Context) []finding {
	if err := a.db.Ping(ctx); err != nil {
		return []finding{{Name: "Database", Detail: err.Error(), Mend: "Start the database, or mend DATABASE_URL."}}
	}
	current, latest, err := a.db.SchemaVersion(ctx)
	if err != nil {
		return []finding{{Name: "Database schema", Detail: err.Error(), Mend: "Run: bot migrate"}}
	}
	schema := finding{OK: current == latest, Name: "Database schema", Mend: "Run: bot migrate"}
	schema.Detail = fmt.Sprintf("version %d of %d", current, latest)
	return []finding{{OK: true, Name: "Database", Detail: "answers"}, schema}
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
