package slacksim_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// transports are the two ways to the app; a test that takes both must not
// tell them apart.
var transports = map[string]func(*testing.T, *slacksim.Server) *app{
	"HTTP": newApp, "Socket Mode": newSocketApp,
}

// newSocketApp is the tiny app over one Socket Mode connection.
func newSocketApp(t *testing.T, sim *slacksim.Server) *app {
	t.Helper()
	a := &app{t: t}
	sim.UseSocketMode(true)
	a.connect(sim)
	connected(t, sim, 1)
	return a
}

func connected(t *testing.T, sim *slacksim.Server, n int) {
	t.Helper()
	slacktest.New(t, sim).Connected(n)
}

func eventually(t *testing.T, sim *slacksim.Server, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := sim.Eventually(ctx, ok); err != nil {
		t.Fatalf("wait for %s: %v; connections %+v, sockets %+v, events %+v", what, err, sim.Connections(), sim.Sockets(), sim.Events())
	}
}

// connect runs slack-go's own client until the test ends.
func (a *app) connect(sim *slacksim.Server, opts ...socketmode.Option) {
	a.t.Helper()
	api := slack.New(sim.Config().BotToken, slack.OptionAPIURL(sim.APIURL()), slack.OptionAppLevelToken(sim.Config().AppToken),
		slack.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
	opts = append([]socketmode.Option{socketmode.OptionLog(log.New(io.Discard, "", 0)), socketmode.OptionReadLimit(1 << 20)}, opts...)
	c := socketmode.New(api, opts...)
	ctx, cancel := context.WithCancel(context.Background())
	ran, handled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ran)
		_ = c.RunContext(ctx)
	}()
	go func() {
		defer close(handled)
		for {
			select {
			case e := <-c.Events:
				a.handle(ctx, c, e)
			case <-ctx.Done():
				return
			}
		}
	}()
	a.t.Cleanup(func() {
		cancel()
		<-ran
		<-handled
	})
}

// handle answers one envelope as the app's HTTP handler answers a request.
func (a *app) handle(ctx context.Context, c *socketmode.Client, e socketmode.Event) {
	a.mu.Lock()
	command, interact := a.command, a.interact
	if e.Request != nil && e.Request.EnvelopeID != "" {
		a.envelopes = append(a.envelopes, *e.Request)
	}
	a.mu.Unlock()
	var answer any
	switch v := e.Data.(type) {
	case slack.SlashCommand:
		answer = command(v)
	case slack.InteractionCallback:
		answer = interact(v)
	default:
		if e.Request == nil || e.Request.EnvelopeID == "" {
			return
		}
	}
	switch v := answer.(type) {
	case int:
		return // broken: no acknowledgement
	case string:
		answer = map[string]any{"text": v}
	}
	if err := c.AckCtx(ctx, e.Request.EnvelopeID, answer); err != nil && ctx.Err() == nil {
		a.t.Errorf("ack: %v", err)
	}
}

// rawSocket is a connection by hand.
type rawSocket struct {
	t  *testing.T
	ws *websocket.Conn
}

// open asks for an address as Slack's clients do.
func open(t *testing.T, sim *slacksim.Server) string {
	t.Helper()
	got := call(t, sim, "apps.connections.open", sim.Config().AppToken, "")
	url, ok := got["url"].(string)
	if !ok || !strings.HasPrefix(url, "ws://") {
		t.Fatalf("apps.connections.open: %v", got)
	}
	return url
}

func dial(t *testing.T, url string) *rawSocket {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return &rawSocket{t: t, ws: ws}
}

// message is any message of a connection.
type message struct {
	Type           string `json:"type"`
	Reason         string `json:"reason"`
	NumConnections int    `json:"num_connections"`
	DebugInfo      struct {
		Host string `json:"host"`
		Time int    `json:"approximate_connection_time"`
	} `json:"debug_info"`
	ConnectionInfo struct {
		AppID string `json:"app_id"`
	} `json:"connection_info"`
	EnvelopeID  string          `json:"envelope_id"`
	Payload     json.RawMessage `json:"payload"`
	Accepts     bool            `json:"accepts_response_payload"`
	Attempt     *int            `json:"retry_attempt"`
	RetryReason *string         `json:"retry_reason"`
}

func (r *rawSocket) next() message {
	r.t.Helper()
	if err := r.ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	var m message
	if err := r.ws.ReadJSON(&m); err != nil {
		r.t.Fatalf("read: %v", err)
	}
	return m
}

func (r *rawSocket) ack(id string, payload any) {
	r.t.Helper()
	body := map[string]any{"envelope_id": id}
	if payload != nil {
		body["payload"] = payload
	}
	if err := r.ws.WriteJSON(body); err != nil {
		r.t.Fatalf("ack: %v", err)
	}
}

// closed wants the connection's end, with a close frame or without.
func (r *rawSocket) closed(frame bool) {
	r.t.Helper()
	if err := r.ws.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	_, raw, err := r.ws.ReadMessage()
	if err == nil {
		r.t.Fatalf("read %s, want the end", raw)
	}
	if got := websocket.IsCloseError(err, websocket.CloseNormalClosure); got != frame {
		r.t.Errorf("ended with %v", err)
	}
}

// acting runs what a person does beside the test.
func acting(t *testing.T, do func() (*slacksim.Result, error)) func() *slacksim.Result {
	t.Helper()
	done := make(chan *slacksim.Result, 1)
	go func() {
		res, err := do()
		if err != nil && t.Context().Err() == nil {
			t.Errorf("act: %v", err)
		}
		done <- res
	}()
	return func() *slacksim.Result {
		t.Helper()
		select {
		case res := <-done:
			if res == nil {
				t.FailNow()
			}
			return res
		case <-time.After(10 * time.Second):
			t.Fatal("nothing came of it")
			return nil
		}
	}
}
