package jsclients

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// trial is a test that may fail: what it would have failed with is kept.
type trial struct {
	testing.TB
	mu     sync.Mutex
	reason string
}

// patience of a trial is short, because some damage makes it wait in vain.
const trialPatience = 4 * time.Second

func (f *trial) fail(reason string) {
	f.mu.Lock()
	if f.reason == "" {
		f.reason = reason
	}
	f.mu.Unlock()
	runtime.Goexit()
}

func (f *trial) Fatal(args ...any)                 { f.fail(fmt.Sprint(args...)) }
func (f *trial) Fatalf(format string, args ...any) { f.fail(fmt.Sprintf(format, args...)) }

// patienceOf is how long a test waits for a thing.
func patienceOf(tb testing.TB) time.Duration {
	if _, ok := tb.(*trial); ok {
		return trialPatience
	}
	return patience
}

// try tells a story and returns why it failed; empty when it did not.
func try(tb testing.TB, story func(testing.TB)) string {
	tb.Helper()
	f := &trial{TB: tb}
	done := make(chan struct{})
	go func() {
		defer close(done)
		story(f)
	}()
	<-done
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reason
}

// damage is what a proxy does to an answer, or to a frame from the server, in
// which it finds part. Answers are named by what their path ends in.
type damage struct {
	path, part, instead string
	// header is taken from the answer.
	header string
	// swallow keeps the frame back.
	swallow bool
}

// proxy stands between a client and a simulator and does damage on order.
type proxy struct {
	*httptest.Server
	target *url.URL

	mu   sync.Mutex
	now  damage
	done int
}

func newProxy(tb testing.TB, target string) *proxy {
	tb.Helper()
	to, err := url.Parse(target)
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{target: to}
	http1 := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: p.answer,
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if websocket.IsWebSocketUpgrade(r) {
			p.relay(w, r)
			return
		}
		http1.ServeHTTP(w, r)
	}))
	tb.Cleanup(p.Server.Close)
	return p
}

// order sets what is damaged from now on, and tells how often the damage
// before was done.
func (p *proxy) order(d damage) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := p.done
	p.now, p.done = d, 0
	return done
}

// change damages a body, and lets every address in it lead through the proxy.
func (p *proxy) change(path string, body []byte) (out []byte, swallowed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body = bytes.ReplaceAll(body, []byte(p.target.Host), []byte(strings.TrimPrefix(p.URL, "http://")))
	d := p.now
	if d.part == "" || !strings.HasSuffix(path, d.path) || !bytes.Contains(body, []byte(d.part)) {
		return body, false
	}
	p.done++
	return bytes.ReplaceAll(body, []byte(d.part), []byte(d.instead)), d.swallow
}

func (p *proxy) answer(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	_ = r.Body.Close()
	body, _ = p.change(r.Request.URL.Path, body)
	p.mu.Lock()
	if h := p.now.header; h != "" && r.Header.Get(h) != "" {
		p.done++
		r.Header.Del(h)
	}
	p.mu.Unlock()
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// relay carries a WebSocket connection; only what comes from the server is
// damaged.
func (p *proxy) relay(w http.ResponseWriter, r *http.Request) {
	to := *r.URL
	to.Scheme, to.Host = "ws", p.target.Host
	server, resp, err := websocket.DefaultDialer.DialContext(r.Context(), to.String(), nil)
	if err != nil {
		http.Error(w, "no server", http.StatusBadGateway)
		return
	}
	_ = resp.Body.Close()
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	client, err := up.Upgrade(w, r, nil)
	if err != nil {
		_ = server.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(server, client, func(b []byte) ([]byte, bool) { return p.change("", b) }) })
	both.Go(func() { p.carry(client, server, func(b []byte) ([]byte, bool) { return b, false }) })
	both.Wait()
}

func (p *proxy) carry(from, to *websocket.Conn, change func([]byte) ([]byte, bool)) {
	defer func() { _ = to.Close() }()
	for {
		kind, data, err := from.ReadMessage()
		if err != nil {
			return
		}
		data, swallowed := change(data)
		if !swallowed && to.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// notices tells a story whose answers are damaged: it has to fail for that
// very reason.
func notices(t *testing.T, p *proxy, js *driver, d damage, story func(testing.TB), because string) {
	t.Helper()
	js.forget()
	p.order(d)
	reason := try(t, story)
	done := p.order(damage{})
	switch {
	case done == 0:
		t.Errorf("damage %+v was not done; the story said %q", d, reason)
	case !strings.Contains(reason, because):
		t.Errorf("with damage %+v the story said %q, want %q", d, reason, because)
	}
}

// forget drops the events that nobody took.
func (d *driver) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = nil
}

// TestSlackStoriesNoticeDamage shows that the stories fail when a simulator
// answers wrongly.
func TestSlackStoriesNoticeDamage(t *testing.T) {
	t.Parallel()
	sim := startSlack(t)
	p := newProxy(t, sim.URL())
	s := stageSlack(t, project(t), p.URL+"/api/", sim)
	s.connect(t)
	tell := func(story func(testing.TB, *slackStage)) func(testing.TB) {
		return func(tb testing.TB) { story(tb, s) }
	}
	for _, tt := range []struct {
		damage  damage
		story   func(testing.TB, *slackStage)
		because string
	}{
		{damage{path: "/auth.test", part: sim.Config().BotUserID, instead: "U0SOMEONE"}, slackPosts, "auth.test"},
		{damage{path: "/chat.postMessage", part: `"ts":"1`, instead: `"ts":"2`}, slackPosts, "chat.postMessage answered"},
		{damage{path: "/chat.update", part: `"ok":true`, instead: `"ok":false`}, slackPosts, "platform_error"},
		{damage{path: "/conversations.history", part: "next_cursor", instead: "next"}, slackPosts, "pages"},
		{damage{path: "/files.getUploadURLExternal", part: `"file_id":"F`, instead: `"file_id":"X`}, slackUploads, "file_not_found"},
		{damage{path: "/chat.postMessage", part: "invalid_blocks", instead: "fatal_error"}, slackRefusals, "label too long"},
		{damage{path: "/chat.postMessage", part: "json-pointer", instead: "pointer"}, slackRefusals, "explained as"},
		{damage{part: `"command":"/badges"`, instead: `"command":"/badge"`}, slackInteracts, "command: got"},
		{damage{path: "/views.open", part: `"root_view_id":"V`, instead: `"root_view_id":"W`}, slackInteracts, "views.open answered"},
		{damage{part: "ada@example.org", instead: "eve@example.org"}, slackInteracts, "form: got"},
		{damage{header: "Retry-After"}, slackLimits, "Retry header"},
		{damage{part: `"retry_attempt":1`, instead: `"retry_attempt":0`}, slackRetries, "attempt: got"},
		{damage{part: `"type":"hello"`, swallow: true}, slackReconnects, "wait for connected"},
	} {
		notices(t, p, s.js, tt.damage, tell(tt.story), tt.because)
	}
}

// TestDiscordStoriesNoticeDamage shows the same for discord.js.
func TestDiscordStoriesNoticeDamage(t *testing.T) {
	t.Parallel()
	s := startDiscord(t, discordConfig(t))
	p := newProxy(t, s.sim.BaseURL())
	s.drive(t, project(t), p.URL+"/api")
	tell := func(story func(testing.TB, *discordStage)) func(testing.TB) {
		return func(tb testing.TB) { story(tb, s) }
	}
	notices(t, p, s.js, damage{part: `"name":"Learners"`, instead: `"name":"Leaners"`}, tell(discordLogsIn), "guild: got")
	notices(t, p, s.js, damage{path: "/commands", part: `"name":"help"`, instead: `"name":"other"`}, tell(discordRegisters), "global commands")
	discordRegisters(t, s)
	for _, tt := range []struct {
		damage  damage
		story   func(testing.TB, *discordStage)
		because string
	}{
		{damage{part: `"locale":"de"`, instead: `"locale":"da"`}, discordAnswers, "command: got"},
		{damage{path: "/messages/@original", part: `"content":"One badge"`, instead: `"content":"Two"`}, discordAnswers, "the reply: got"},
		{damage{part: `"value":"ada@example.org"`, instead: `"value":"eve@example.org"`}, discordForms, "fields: got"},
		// The gateway tells of it first, and the client believes that.
		{damage{part: `"type":17`, instead: `"type":1`}, discordPosts, "send answered"},
		{damage{part: `"content":"Look"`, instead: `"content":"Like"`}, discordSendsFiles, "messageCreate"},
		{damage{path: "/messages", part: `"code":50035`, instead: `"code":50036`}, discordRefusals, "want 50035"},
		{damage{path: "/messages", part: `"custom_id"`, instead: `"custom"`}, discordRefusals, "no error at components.0.components.0.custom_id"},
		{damage{header: "X-RateLimit-Limit"}, discordLimits, "limited by"},
		{damage{part: `"t":"RESUMED"`, swallow: true}, discordResumes, "wait for resumed"},
	} {
		notices(t, p, s.js, tt.damage, tell(tt.story), tt.because)
	}
}
