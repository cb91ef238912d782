package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answerWithin is how long any endpoint may take with any request.
const answerWithin = 3 * time.Second

// lines are the log's lines about requests since an earlier length.
func (l *testLog) lines(since int) (about []string, length int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.b.String()
	for line := range strings.Lines(all[since:]) {
		if strings.Contains(line, "refused") || strings.Contains(line, "webhook") || strings.Contains(line, "panic") || strings.Contains(line, "page failed") {
			about = append(about, strings.TrimSpace(line))
		}
	}
	return about, len(all)
}

// settle waits until the bot has nothing left to do.
func (s *stage) settle(db *sql.DB) {
	s.t.Helper()
	s.waitFor("the bot to rest", func() bool {
		return countRows(s.t, db, `SELECT count(*) FROM inbox WHERE state IN ('ready', 'running')`) == 0 &&
			countRows(s.t, db, `SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending')`) == 0 &&
			countRows(s.t, db, `SELECT count(*) FROM templates`) > 0
	})
}

func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		db := openDatabase(t, s.settings.DatabaseURL)
		s.settle(db)
		doors := s.doors()

		// What is signed now and comes in ten minutes is stale.
		var stale []attack
		for name, d := range doors {
			if d.sign != nil {
				h := d.sign([]byte(d.good))
				h.Set("Content-Type", d.contentType)
				stale = append(stale, attack{name: name + " stale", method: http.MethodPost, path: d.path, header: h, body: []byte(d.good), want: http.StatusUnauthorized})
			}
		}
		s.pass(10 * time.Minute)
		s.settle(db)

		before := tableCounts(t, db)
		all := append(stale, pageAttacks()...)
		for name, d := range s.doors() {
			for _, a := range d.attacks() {
				a.name = name + " " + a.name
				all = append(all, a)
			}
		}
		_, at := s.logs.lines(0)
		for _, a := range all {
			if status := s.strike(a); status != a.want {
				t.Errorf("%s: status %d, want %d", a.name, status, a.want)
			}
			var about []string
			s.waitFor("a line in the log about: "+a.name, func() bool {
				about, _ = s.logs.lines(at)
				return len(about) > 0
			})
			if _, at = s.logs.lines(at); len(about) != 1 {
				t.Errorf("%s: %d lines in the log:\n%s", a.name, len(about), strings.Join(about, "\n"))
			}
		}
		s.cutShort(doors)
		s.settle(db)
		sameCounts(t, before, tableCounts(t, db))
		if status, _ := s.get(s.settings.PublicURL + "/readyz"); status != http.StatusOK {
			t.Errorf("the bot is not ready any more: %d", status)
		}
		s.linkSlack(ada())
		t.Logf("%d bad requests", len(all))

		// Without what is wrong the same requests are taken.
		for name, d := range s.doors() {
			a := attack{name: name, method: http.MethodPost, path: d.path, header: http.Header{}, body: []byte(d.good)}
			if d.sign != nil {
				a.header = d.sign(a.body)
			}
			a.header.Set("Content-Type", d.contentType)
			if status := s.strike(a); status != http.StatusOK {
				t.Errorf("good %s: status %d", name, status)
			}
		}
	})
}

// cutShort announces more than it sends, and ends the connection.
func (s *stage) cutShort(doors map[string]door) {
	s.t.Helper()
	for name, d := range doors {
		ctx, cancel := context.WithTimeout(s.t.Context(), answerWithin)
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(s.settings.PublicURL, "http://"))
		if err != nil {
			s.t.Fatal(err)
		}
		h := http.Header{}
		if d.sign != nil {
			h = d.sign([]byte(d.good))
		}
		h.Set("Content-Type", d.contentType)
		var request bytes.Buffer
		fmt.Fprintf(&request, "POST %s HTTP/1.1\r\nHost: laurel.example.org\r\nContent-Length: %d\r\n", d.path, len(d.good))
		_ = h.Write(&request)
		request.WriteString("\r\n" + d.good[:len(d.good)/2])
		if _, err := conn.Write(request.Bytes()); err != nil {
			s.t.Fatal(err)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		_ = conn.SetReadDeadline(time.Now().Add(answerWithin))
		answer, _ := io.ReadAll(conn)
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
			s.t.Errorf("%s cut short: %q", name, answer)
		}
		_ = conn.Close()
		cancel()
	}
}

// A link that works goes on working, whatever else was tried with it.
func TestBadInputUsesUpNoLink(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		list.ExpectEdit("Ready")
		link := slackLink(t, s, ada().slackID)
		path := strings.TrimPrefix(link, s.settings.PublicURL)
		for _, a := range []attack{
			{name: "HEAD", method: http.MethodHead, path: path, want: http.StatusOK},
			{name: "GET", method: http.MethodGet, path: path, want: http.StatusOK},
			{name: "PUT", method: http.MethodPut, path: path, want: http.StatusMethodNotAllowed},
			{name: "oversized", method: http.MethodPost, path: path, body: make([]byte, 1<<20), want: http.StatusRequestEntityTooLarge},
			{name: "another page", method: http.MethodPost, path: path, header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, want: http.StatusForbidden},
			{name: "more behind it", method: http.MethodPost, path: path + "/x", want: http.StatusNotFound},
			{name: "one letter less", method: http.MethodPost, path: path[:len(path)-1], want: http.StatusNotFound},
			{name: "as an address", method: http.MethodPost, path: strings.Replace(path, "/h/", "/e/", 1), want: http.StatusNotFound},
		} {
			if status := s.strike(a); status != a.want {
				t.Errorf("%s: status %d, want %d", a.name, status, a.want)
			}
		}
		if status, where := s.follow(link); status != http.StatusSeeOther || !strings.HasPrefix(where, s.credly.URL()) {
			t.Errorf("the link led to %d %s", status, where)
		}
	})
}

// Credly may send types that nobody here knows, now or later: they are taken
// and counted.
func TestUnknownEventsOfCredlyAreCounted(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		for i, kind := range []string{"", "badge_wallet.opened", "organization.renamed", strings.Repeat("x", 1000)} {
			body, err := json.Marshal(map[string]string{
				"id": fmt.Sprintf("00000000-0000-4000-8000-0000000000c%d", i), "organization_id": s.credly.OrganizationID(), "event_type": kind,
			})
			if err != nil {
				t.Fatal(err)
			}
			if status, err := s.credly.PostRaw(t.Context(), body); err != nil || status != http.StatusOK {
				t.Errorf("type %.20q: %d, %v", kind, status, err)
			}
		}
		s.waitFor("the counters", func() bool {
			return s.metric(`laurel_credly_webhooks_total{result="unknown_type"}`) == 4 && s.metric("laurel_credly_unknown_events_total") == 4
		})
	})
}

// metric reads one figure of /metrics, or -1.
func (s *stage) metric(name string) float64 {
	s.t.Helper()
	_, body := s.get(s.settings.PublicURL + "/metrics")
	lines := strings.Split(body, "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, name+" ") })
	if i < 0 {
		return -1
	}
	value, err := strconv.ParseFloat(strings.TrimPrefix(lines[i], name+" "), 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}
