package console_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/console"
	"github.com/laurelbot/laurel/playground/simclock"
)

// called is an answer that was read to its end.
type called struct {
	StatusCode int
	Header     http.Header
}

func call(t *testing.T, method, url, contentType, body string) (called, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return called{resp.StatusCode, resp.Header}, string(raw)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tt := range []struct {
		name, method, path, contentType, body string
		status                                int
		want                                  string
	}{
		{"page", "GET", "/", "", "", 200, "<!doctype html>"},
		{"script", "GET", "/assets/page.js", "", "", 200, "EventSource"},
		{"style", "GET", "/assets/chats.css", "", "", 200, ".slack"},
		{"no such asset", "GET", "/assets/nothing.js", "", "", 404, ""},
		{"no listing", "GET", "/assets/", "", "", 404, ""},
		{"nothing", "GET", "/nothing", "", "", 404, ""},
		{"setup", "GET", "/setup", "", "", 200, `"title":"Try it"`},
		{"slack", "GET", "/slack/state?user=" + adaSlack, "", "", 200, `"dm":`},
		{"discord", "GET", "/discord/state?user=" + w.ada, "", "", 200, `"guilds":`},
		{"credly", "GET", "/credly/state", "", "", 200, `"organization_id":`},
		{"portal", "GET", "/portal/state", "", "", 200, `"awards":`},
		{"mail", "GET", "/mail/messages", "", "", 200, `"codes":["482913"]`},
		{"mail body", "GET", "/mailbody/1", "", "", 200, `<base target="_blank">`},
		{"no such mail", "GET", "/mailbody/99", "", "", 404, ""},
		{"mail by a word", "GET", "/mailbody/x", "", "", 404, ""},
		{"clock", "GET", "/clock", "", "", 200, `"frozen":false`},
		{"clock by a form", "POST", "/clock", "application/x-www-form-urlencoded", "advance=1m", 415, "application/json"},
		{"clock, broken", "POST", "/clock", "application/json", "{", 400, "error"},
		{"clock, nothing", "POST", "/clock", "application/json", "{}", 400, "error"},
		{"clock back", "POST", "/clock", "application/json", `{"advance":"-1m"}`, 400, "error"},
		{"clock too far", "POST", "/clock", "application/json", `{"advance":"999999h"}`, 400, "error"},
		{"clock by a word", "POST", "/clock", "application/json", `{"advance":"soon"}`, 400, "error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, body := call(t, tt.method, w.url+tt.path, tt.contentType, tt.body)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	resp, page := call(t, "GET", w.url+"/", "", "")
	policy := resp.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the page's policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(page, "<style") || strings.Contains(page, "://") {
		t.Error("the page needs something unsafe or from outside")
	}
	resp, _ = call(t, "GET", w.url+"/mailbody/1", "", "")
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "script") {
		t.Errorf("the mail's policy is %q", policy)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.url+"/mail/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	foreign, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = foreign.Body.Close()
	if foreign.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page was answered %d", foreign.StatusCode)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	clock := simclock.New()
	server := httptest.NewServer(console.New(console.Config{Clock: clock}))
	t.Cleanup(server.Close)
	move := func(body string) (state struct {
		Now      time.Time `json:"now"`
		OffsetMS int64     `json:"offset_ms"`
		Frozen   bool      `json:"frozen"`
	},
	) {
		t.Helper()
		resp, raw := call(t, "POST", server.URL+"/clock", "application/json", body)
		if err := json.Unmarshal([]byte(raw), &state); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %d %s", body, resp.StatusCode, raw)
		}
		return state
	}
	if s := move(`{"advance":"2m"}`); s.OffsetMS != 120_000 || s.Frozen {
		t.Errorf("advanced: %+v", s)
	}
	frozen := move(`{"freeze":true}`)
	if !frozen.Frozen || !clock.Now().Equal(frozen.Now) {
		t.Errorf("frozen: %+v", frozen)
	}
	if s := move(`{"advance":"24h"}`); !s.Frozen || s.Now.Sub(frozen.Now) != 24*time.Hour {
		t.Errorf("advanced while frozen: %+v", s)
	}
	if s := move(`{"resume":true}`); s.Frozen {
		t.Errorf("resumed: %+v", s)
	}
}

// TestChanges reads the stream while every part changes.
func TestChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if kind := resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("content type %q", kind)
	}
	lines := bufio.NewScanner(resp.Body)
	wait := func(part string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == "data: "+part {
				return
			}
		}
		t.Fatalf("the stream ended before %s: %v", part, lines.Err())
	}
	wait("all")
	w.mail.Clear()
	wait("mail")
	w.credly.SetWebhookURL("")
	wait("credly")
	w.portal.Hold()
	wait("portal")
	w.slack.Join(teamSlack, "U0NOBODY")
	wait("slack")
	w.discord.SetDMsClosed(w.ada, false)
	wait("discord")
	w.clock.Advance(time.Minute)
	wait("clock")
}

// TestFewParts: a page with one chat offers only that.
func TestFewParts(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(console.New(console.Config{People: []console.Person{{Name: "Ada Example"}}}))
	t.Cleanup(server.Close)
	if resp, body := call(t, "GET", server.URL+"/setup", "", ""); resp.StatusCode != 200 || !strings.Contains(body, `"parts":[]`) || !strings.Contains(body, `"emails":[]`) || !strings.Contains(body, `"title":"Playground"`) || strings.Contains(body, "verify_url") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := call(t, "GET", server.URL+"/slack/state", "", ""); resp.StatusCode != 404 {
		t.Errorf("slack: %d", resp.StatusCode)
	}
}
