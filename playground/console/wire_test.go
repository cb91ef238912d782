package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

func TestCleanCutsSecrets(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"link of a claim":   `{"url":"http://127.0.0.1:1/h/SECRETsecretSECRETsecret"}`,
		"link of a mail":    `http://127.0.0.1:1/e/SECRETsecretSECRETsecret`,
		"token":             `{"bot_token": "SECRET", "ok": true}`,
		"trigger":           `{"trigger_id":"SECRET"}`,
		"response url":      `{"response_url":"http://127.0.0.1/SECRET"}`,
		"form":              `token=SECRET&text=hello`,
		"address of a hook": `/webhooks/credly/SECRETSECRETSECRET`,
		"code in a form":    `{"value":"SECRET"}`,
	} {
		text = strings.ReplaceAll(text, `"value":"SECRET"`, `"value":"12345678"`)
		got := clean(text)
		if strings.Contains(got, "SECRET") || strings.Contains(got, "12345678") || !strings.Contains(got, "•••") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := clean(`{"value":"code:1","text":"hello"}`); got != `{"value":"code:1","text":"hello"}` {
		t.Errorf("nothing secret: %s", got)
	}
}

func TestWireLogIsARing(t *testing.T) {
	t.Parallel()
	l := &wireLog{}
	changed := l.Changed()
	for range maxFrames + 10 {
		l.add(frame{Path: strings.Repeat("x", maxFrameBody+1)})
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	all := l.since(0)
	if len(all) != maxFrames || all[0].ID != 11 || len(l.since(maxFrames)) != 10 || len(all[0].Path) > maxFrameBody+3 {
		t.Errorf("%d frames from %d", len(all), all[0].ID)
	}
	l.clear()
	if len(l.since(0)) != 0 {
		t.Error("not empty")
	}
}

func TestFaultBoard(t *testing.T) {
	t.Parallel()
	slack, err := slacksim.Start(slacksim.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slack.Close() })
	gone := false
	h := New(Config{Slack: slack, App: App{Unplug: func(on bool) { gone = on }}})
	send := func(body string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/faults", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	call := func() (status int, after string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, slack.APIURL()+"auth.test", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	if got := send(`{"id":"slack-429","on":true,"seconds":7}`); got != http.StatusOK {
		t.Fatalf("switch on: %d", got)
	}
	if status, after := call(); status != http.StatusTooManyRequests || after != "7" {
		t.Errorf("limited: %d %s", status, after)
	}
	for body, want := range map[string]int{
		`{"id":"slack-cut","on":true}`: http.StatusNotFound, // There is nothing to cut.
		`{"id":"nothing","on":true}`:   http.StatusNotFound,
		`{`:                            http.StatusBadRequest,
		`{"id":"database","on":true}`:  http.StatusOK,
	} {
		if got := send(body); got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	if !gone {
		t.Error("the database is there")
	}
	send(`{"reset":true}`)
	if status, _ := call(); gone || status != http.StatusOK {
		t.Error("not everything is mended")
	}
}

func TestNextDue(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC))
	due := clock.Now().Add(90 * time.Second)
	var broken error
	h := New(Config{Clock: clock, App: App{Work: func(context.Context) (Work, error) {
		return Work{Due: []Due{{What: "something", At: due}}}, broken
	}}})
	next := func() (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/clock", strings.NewReader(`{"next":true}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if code, body := next(); code != http.StatusOK || !strings.Contains(body, `"happens":"something"`) || clock.Now().Before(due) || clock.Now().After(due.Add(time.Second)) {
		t.Errorf("%d %s, now %v", code, body, clock.Now())
	}
	if code, _ := next(); code != http.StatusConflict {
		t.Errorf("nothing is due: %d", code)
	}
	broken = errors.New("gone")
	if code, _ := next(); code != http.StatusConflict {
		t.Errorf("nobody knows: %d", code)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var l Lines
	log := slog.New(l.Handler(slog.DiscardHandler, time.Now)).With("part", "a").WithGroup("g")
	log.Debug("quiet")
	for range maxLines {
		log.Info("said", "token", "x", "n", 1)
	}
	log.Warn("loud")
	lines := l.Last()
	if len(lines) != maxLines || lines[0].Attrs != "part=a g.token=••• g.n=1" || lines[maxLines-1].Text != "loud" || lines[maxLines-1].Level != "warn" {
		t.Errorf("%d lines: %+v", len(lines), lines[0])
	}
}
