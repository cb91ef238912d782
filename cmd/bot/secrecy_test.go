package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/mailsim"
)

// serveOn starts the bot with the database's clock and returns how to stop it.
func (s *stage) serveOn(l net.Listener, log *slog.Logger) (stop func()) {
	s.t.Helper()
	a, err := newApp(s.t.Context(), s.settings, log, nil)
	if err != nil {
		s.t.Fatal(err)
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
			s.t.Errorf("serve: %v", err)
		}
		a.close()
	}
	s.t.Cleanup(stop)
	return stop
}

// hidden are the settings that nothing may repeat.
func (s *stage) hidden() map[string]string {
	hidden := map[string]string{}
	for name, secret := range s.settings.secrets() {
		if *secret != "" {
			hidden[name] = secret.Reveal()
		}
	}
	return hidden
}

// mailed are the codes and the tokens in links of all mails to an address.
func (s *stage) mailed(address string) map[string]string {
	found := map[string]string{}
	for _, m := range s.mail.Messages(address) {
		for _, code := range mailsim.Codes(m) {
			found["code "+code[:2]+"…"] = code
		}
		for _, link := range linksOf(m) {
			if _, token, ok := strings.Cut(link, "/e/"); ok {
				found["token of a mailed link"] = token
			}
		}
	}
	return found
}

// The log at its most talkative, the figures and the answers of a whole
// journey, with refusals, hold no secret, no code, no token and nobody's
// address or name; the database holds no secret, no code and no token.
func TestNothingSecretIsWritten(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		l := listenLocal(t)
		s := newWorldStage(t, databaseURL, "http://"+l.Addr().String())
		logs := &testLog{t: t}
		s.serveOn(l, slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true})))
		s.enter()

		who := s.linkSlack(ada())
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		ready := list.ExpectEdit("Ready")
		link := slackLink(t, s, ada().slackID)
		if status, _ := s.follow(link); status != http.StatusSeeOther {
			t.Fatalf("follow: %d", status)
		}
		ready.ExpectEdit("Now accept it")
		if status, _ := s.post(link); status != http.StatusGone {
			t.Errorf("followed twice: %d", status)
		}
		s.linkDiscord(bruno())
		for _, path := range []string{"/h/made-up", "/e/made-up", "/webhooks/credly/made-up", "/" + ada().email} {
			s.get(s.settings.PublicURL + path)
		}
		s.rest()
		_, figures := s.get(s.settings.PublicURL + "/metrics")

		logs.mu.Lock()
		written := logs.b.String()
		logs.mu.Unlock()
		_, token, _ := strings.Cut(link, "/h/")
		private := map[string]string{"handoff token": token}
		for _, p := range []seeded{ada(), bruno()} {
			private["address of "+p.first], private["name of "+p.first] = p.email, p.last
			for what, value := range s.mailed(p.email) {
				private[what+" of "+p.first] = value
			}
		}
		kept := allRows(t, openDatabase(t, s.settings.DatabaseURL))
		for what, value := range private {
			if strings.Contains(written, value) || strings.Contains(figures, value) {
				t.Errorf("the log or a figure holds the %s", what)
			}
			if !strings.Contains(what, "address") && !strings.Contains(what, "name") && strings.Contains(kept, value) {
				t.Errorf("the database holds the %s", what)
			}
		}
		for line := range strings.Lines(kept) {
			table, _, _ := strings.Cut(line, ".")
			if !slices.Contains([]string{"actions", "limits", "leases", "installations", "counters", "job_runs", "job_results", "templates"}, table) {
				continue
			}
			for _, p := range []seeded{ada(), bruno()} {
				for _, trace := range []string{p.email, p.last, p.slackID, p.discordID} {
					if strings.Contains(line, trace) {
						t.Errorf("something of a person: %s", line)
					}
				}
			}
		}
		for what, value := range s.hidden() {
			if strings.Contains(written, value) || strings.Contains(figures, value) || strings.Contains(kept, value) {
				t.Errorf("%s was written down", what)
			}
		}
		for _, inside := range []string{"hooks.slack", "/actions/", "/commands/"} {
			if strings.Contains(kept, inside) {
				t.Errorf("the database holds a response URL in the clear: %s", inside)
			}
		}
		if len(written) < 1000 || len(kept) < 5000 || len(figures) < 1000 || len(private) < 8 {
			t.Errorf("too little was looked at: %d, %d, %d bytes, %d values", len(written), len(kept), len(figures), len(private))
		}
	})
}

// allRows is everything in the database as text.
func allRows(t *testing.T, db *sql.DB) string {
	t.Helper()
	var b strings.Builder
	for table := range tableCounts(t, db) {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, places := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				places[i] = &values[i]
			}
			if err := rows.Scan(places...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				if raw, ok := v.([]byte); ok {
					values[i] = string(raw)
				}
				fmt.Fprintf(&b, "%s.%s: %v\n", table, columns[i], values[i])
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return b.String()
}

// What a request calls this server goes into no answer and no link: they are
// made from PUBLIC_URL alone.
func TestHostHeaderIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := newWorldStage(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db"), "http://"+freeAddress(t))
	s.serveAgain(secretKey('k'))
	s.enter()
	who := s.linkSlack(ada())
	who.Command("/badges", "")
	list := who.ExpectEphemeral("2 badges are waiting")
	list.Press("Claim")
	list.ExpectEdit("Ready")
	for _, link := range []string{slackLink(t, s, ada().slackID), s.settings.PublicURL + "/h/made-up"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "attacker.example.net"
		req.Header.Set("X-Forwarded-Host", "attacker.example.net")
		req.Header.Set("Forwarded", "host=attacker.example.net")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fmt.Sprint(res.Header)+string(body), "attacker") {
			t.Errorf("the answer repeats the request's host: %v\n%s", res.Header, body)
		}
	}
}
