package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/inbox"
)

const (
	testToken  = core.Secret("xoxb-test-token-0001")
	testSecret = core.Secret("0123456789abcdef0123456789abcdef")
	patience   = 10 * time.Second
)

// testClock is a clock that a test moves.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// call is one request that the fake Slack got.
type call struct {
	method string
	form   url.Values
	json   map[string]any
	auth   string
}

func (c call) text() string {
	if c.json != nil {
		s, _ := c.json["text"].(string)
		return s
	}
	return c.form.Get("text")
}

// fakeSlack answers Web API methods and response URLs by script, and with
// success where there is none.
type fakeSlack struct {
	tb     testing.TB
	server *httptest.Server
	calls  chan call

	// link serves the addresses that apps.connections.open gives.
	link http.HandlerFunc

	mu     sync.Mutex
	script map[string][]http.HandlerFunc
}

func newFakeSlack(tb testing.TB) *fakeSlack {
	tb.Helper()
	f := &fakeSlack{tb: tb, calls: make(chan call, 100), script: map[string][]http.HandlerFunc{}}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	tb.Cleanup(f.server.Close)
	return f
}

// once scripts the next answer of a method; "hook" is the response URL.
func (f *fakeSlack) once(method string, h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script[method] = append(f.script[method], h)
}

func (f *fakeSlack) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/link" {
		f.link(w, r)
		return
	}
	method := "hook"
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok {
		method = rest
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	c := call{method: method, auth: r.Header.Get("Authorization")}
	if strings.HasPrefix(r.Header.Get("Content-Type"), jsonType) && len(body) > 0 {
		if err := json.Unmarshal(body, &c.json); err != nil {
			f.tb.Errorf("request of %s is no JSON: %v", method, err)
		}
	} else if c.form, err = url.ParseQuery(string(body)); err != nil {
		f.tb.Errorf("request of %s is no form: %v", method, err)
	}
	f.mu.Lock()
	var scripted http.HandlerFunc
	if q := f.script[method]; len(q) > 0 {
		scripted, f.script[method] = q[0], q[1:]
	}
	f.mu.Unlock()
	if method != connectionsOpen {
		f.calls <- c
	} else if c.auth != "Bearer "+testAppToken.Reveal() {
		f.tb.Errorf("%s was called with another token", method)
	}
	if scripted != nil {
		scripted(w, r)
		return
	}
	answers := map[string]string{
		connectionsOpen:         `{"ok":true,"url":"ws` + strings.TrimPrefix(f.server.URL, "http") + `/link?ticket=secret-ticket-0003"}`,
		"hook":                  "ok",
		"auth.test":             `{"ok":true,"team_id":"T1","user_id":"U0","bot_id":"B0"}`,
		"users.info":            `{"ok":true,"user":{"id":"U1","locale":"de-DE","tz":"Europe/Berlin"}}`,
		"conversations.open":    `{"ok":true,"channel":{"id":"D1"}}`,
		"chat.postMessage":      `{"ok":true,"channel":"D1","ts":"1700000000.000100"}`,
		"chat.update":           `{"ok":true,"channel":"D1","ts":"1700000000.000100"}`,
		"chat.postEphemeral":    `{"ok":true,"message_ts":"1700000000.000200"}`,
		"views.open":            `{"ok":true,"view":{"id":"V1"}}`,
		"views.publish":         `{"ok":true,"view":{"id":"V2"}}`,
		"conversations.history": `{"ok":true,"messages":[]}`,
	}
	answer, ok := answers[method]
	if !ok {
		answer = `{"ok":false,"error":"unknown_method"}`
	}
	fmt.Fprint(w, answer)
}

// expect returns the next call other than of users.info.
func (f *fakeSlack) expect(method string) call {
	f.tb.Helper()
	for {
		select {
		case c := <-f.calls:
			if c.method == "users.info" && method != "users.info" {
				continue
			}
			if c.method != method {
				f.tb.Fatalf("got a call of %s, want %s", c.method, method)
			}
			return c
		case <-time.After(patience):
			f.tb.Fatalf("no call of %s", method)
		}
	}
}

// expectNothing fails when anything but users.info was called.
func (f *fakeSlack) expectNothing() {
	f.tb.Helper()
	for {
		select {
		case c := <-f.calls:
			if c.method != "users.info" {
				f.tb.Fatalf("unexpected call of %s", c.method)
			}
		default:
			return
		}
	}
}

func (f *fakeSlack) hook() string { return f.server.URL + "/hooks/secret-hook-0002" }

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// testHandler answers by a function and notes what it got.
type testHandler struct {
	handle       func(context.Context, chat.Action) chat.Answer
	actions      chan chat.Action
	acknowledged chan struct{}
}

func newTestHandler(answer chat.Answer) *testHandler {
	return &testHandler{
		handle:       func(context.Context, chat.Action) chat.Answer { return answer },
		actions:      make(chan chat.Action, 100),
		acknowledged: make(chan struct{}, 100),
	}
}

func (h *testHandler) Handle(ctx context.Context, a chat.Action) chat.Answer {
	h.actions <- a
	return h.handle(ctx, a)
}

func (h *testHandler) Acknowledged(chat.Answer) { h.acknowledged <- struct{}{} }

func (h *testHandler) got(tb testing.TB) chat.Action {
	tb.Helper()
	select {
	case a := <-h.actions:
		return a
	case <-time.After(patience):
		tb.Fatal("no action arrived")
		return chat.Action{}
	}
}

type testInbox struct {
	mu   sync.Mutex
	seen map[string]inbox.Message
	err  error
}

func (i *testInbox) Receive(_ context.Context, m inbox.Message) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return false, i.err
	}
	_, known := i.seen[m.Source+m.Key]
	i.seen[m.Source+m.Key] = m
	return !known, nil
}

// bench is an adapter between a fake Slack and a test's handler.
type bench struct {
	*Adapter
	slack   *fakeSlack
	clock   *testClock
	handler *testHandler
	inbox   *testInbox
	metrics *prometheus.Registry
	logs    *lockedBuffer
	mux     *http.ServeMux
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newBench(tb testing.TB, answer chat.Answer, changes ...func(*Config)) *bench {
	tb.Helper()
	keys, err := core.NewKeys(bytes.Repeat([]byte{7}, core.KeyBytes))
	if err != nil {
		tb.Fatal(err)
	}
	b := &bench{
		slack:   newFakeSlack(tb),
		clock:   &testClock{now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)},
		handler: newTestHandler(answer),
		inbox:   &testInbox{seen: map[string]inbox.Message{}},
		metrics: prometheus.NewRegistry(),
		logs:    &lockedBuffer{},
		mux:     http.NewServeMux(),
	}
	c := Config{
		APIURL: b.slack.server.URL + "/api/", BotToken: testToken, SigningSecret: testSecret,
		Clock: b.clock, Keys: keys, Handler: b.handler, Inbox: b.inbox,
		Log: slog.New(slog.NewTextHandler(b.logs, nil)), Metrics: b.metrics,
	}
	for _, change := range changes {
		change(&c)
	}
	b.Adapter, err = New(c)
	if err != nil {
		tb.Fatal(err)
	}
	b.Routes(b.mux)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := b.Drain(ctx); err != nil {
			tb.Error(err)
		}
	})
	return b
}

func sign(secret core.Secret, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

func (b *bench) request(path, contentType, body string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	stamp := strconv.FormatInt(b.clock.Now().Unix(), 10)
	r.Header.Set(timestampHeader, stamp)
	r.Header.Set(signatureHeader, sign(testSecret, stamp, body))
	return r
}

func (b *bench) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, r)
	return w
}

func (b *bench) command(form url.Values) *httptest.ResponseRecorder {
	return b.serve(b.request(CommandsPath, formType, form.Encode()))
}

func (b *bench) interact(payload map[string]any) *httptest.ResponseRecorder {
	data, err := json.Marshal(payload)
	if err != nil {
		b.slack.tb.Fatal(err)
	}
	return b.serve(b.request(InteractionsPath, formType, url.Values{"payload": {string(data)}}.Encode()))
}

func (b *bench) commandForm(text string) url.Values {
	return url.Values{
		"team_id": {"T1"}, "enterprise_id": {""}, "is_enterprise_install": {"false"}, "user_id": {"U1"}, "user_name": {"ada"},
		"channel_id": {"C1"}, "command": {"/badges"}, "text": {text}, "trigger_id": {"11.22.cc"}, "response_url": {b.slack.hook()},
	}
}

func (b *bench) press(id string, ephemeral bool) map[string]any {
	return map[string]any{
		"type": "block_actions", "trigger_id": "33.44.dd", "response_url": b.slack.hook(), "is_enterprise_install": false,
		"team": map[string]any{"id": "T1"}, "enterprise": nil,
		"user":      map[string]any{"id": "U1", "username": "ada", "team_id": "T1"},
		"container": map[string]any{"type": "message", "message_ts": "1700000000.000100", "channel_id": "C1", "is_ephemeral": ephemeral},
		"channel":   map[string]any{"id": "C1"},
		"actions":   []any{map[string]any{"type": "button", "action_id": id, "value": id, "block_id": "b"}},
		"message": map[string]any{"ts": "1700000000.000100", "blocks": []any{
			map[string]any{"type": "context", "elements": []any{map[string]any{"type": "hologram", "elements": 7}}},
			map[string]any{"type": "orchestra", "elements": "none"},
		}},
	}
}

func card(title string) *chat.Card {
	return &chat.Card{Title: title, Summary: title, Text: chat.Plain("Text of " + title)}
}

// counted returns a counter, or how often a histogram observed. The values
// are of the labels in the order of their names.
func (b *bench) counted(name string, values ...string) float64 {
	families, err := b.metrics.Gather()
	if err != nil {
		b.slack.tb.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var got []string
			for _, label := range m.GetLabel() {
				got = append(got, label.GetValue())
			}
			if slices.Equal(got, values) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return 0
}
