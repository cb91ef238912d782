package slacksim_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

func TestConnectionsOpen(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode = true })
	cfg := sim.Config()
	for _, tt := range []struct{ name, method, token, want string }{
		{"no token", "apps.connections.open", "", "not_authed"},
		{"bot token", "apps.connections.open", cfg.BotToken, "not_allowed_token_type"},
		{"unknown token", "apps.connections.open", "xapp-1-wrong", "invalid_auth"},
		{"app token elsewhere", "auth.test", cfg.AppToken, "not_allowed_token_type"},
	} {
		if got := call(t, sim, tt.method, tt.token, `{}`); got["error"] != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
	url := open(t, sim)
	hello := dial(t, url+"&debug_reconnects=true").next()
	if hello.Type != "hello" || hello.NumConnections != 1 || hello.ConnectionInfo.AppID != cfg.AppID ||
		hello.DebugInfo.Time != 360 || hello.DebugInfo.Host == "" {
		t.Errorf("hello: %+v", hello)
	}
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("ticket used twice: %v, %v", resp, err)
	}
	_ = resp.Body.Close()
	for i := 2; i <= 10; i++ {
		if hello := dial(t, open(t, sim)).next(); hello.NumConnections != i {
			t.Errorf("hello %d: %+v", i, hello)
		}
	}
	eleventh := dial(t, open(t, sim))
	if got := eleventh.next(); got.Type != "disconnect" || got.Reason != "too_many_websockets" {
		t.Errorf("eleventh: %+v", got)
	}
	eleventh.closed(true)
	if got := sim.Sockets(); got.Opened != 10 || got.Most != 10 || got.TurnedAway != 1 || len(sim.Connections()) != 10 {
		t.Errorf("counted %+v", got)
	}
	raw, err := json.Marshal(sim.Log())
	if err != nil {
		t.Fatal(err)
	}
	if ticket := url[strings.Index(url, "ticket=")+7 : strings.Index(url, "&app_id")]; strings.Contains(string(raw), ticket) || strings.Contains(string(raw), cfg.AppToken) {
		t.Error("the log holds a ticket or the app token")
	}
}

func TestLinkDisabled(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	early := dial(t, open(t, sim))
	if got := early.next(); got.Reason != "link_disabled" {
		t.Errorf("while off: %+v", got)
	}
	early.closed(true)
	sim.UseSocketMode(true)
	c := dial(t, open(t, sim))
	if got := c.next(); got.Type != "hello" {
		t.Errorf("hello: %+v", got)
	}
	sim.UseSocketMode(false)
	if got := c.next(); got.Type != "disconnect" || got.Reason != "link_disabled" {
		t.Errorf("switched off: %+v", got)
	}
	c.closed(true)
	eventually(t, sim, "no connections", func() bool { return len(sim.Connections()) == 0 })
	if _, err := sim.Command(t.Context(), ada, team, "/badges", ""); !errors.Is(err, slacksim.ErrNoURL) {
		t.Errorf("over HTTP again: %v", err)
	}
}

// TestEnvelopes looks at each kind of envelope on the wire.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	sim, api := start(t, func(c *slacksim.Config) { c.SocketMode = true })
	ctx := t.Context()
	c := dial(t, open(t, sim))
	c.next()
	connected(t, sim, 1)

	command := acting(t, func() (*slacksim.Result, error) { return sim.Command(ctx, ada, team, "/badges", "a&b") })
	m := c.next()
	var fields map[string]any
	if err := json.Unmarshal(m.Payload, &fields); err != nil {
		t.Fatal(err)
	}
	if m.Type != "slash_commands" || !m.Accepts || m.Attempt != nil || fields["text"] != "a&b" || fields["user_id"] != ada {
		t.Errorf("command: %+v", m)
	}
	c.ack(m.EnvelopeID, map[string]any{"text": "Your badges", "blocks": claimBlocks()})
	res := command()
	if !res.OK() || res.Connection != sim.Connections()[0].ID || res.Message == nil || !res.Message.Ephemeral || res.Message.Viewer != ada {
		t.Errorf("command: %+v", res)
	}

	press := acting(t, func() (*slacksim.Result, error) { return sim.Press(ctx, ada, res.Message.Ref(), "Claim") })
	m = c.next()
	var callback slack.InteractionCallback
	if err := json.Unmarshal(m.Payload, &callback); err != nil {
		t.Fatal(err)
	}
	if m.Type != "interactive" || m.Accepts || callback.Type != slack.InteractionTypeBlockActions || callback.ResponseURL == "" {
		t.Errorf("press: %+v", m)
	}
	if _, err := api.OpenViewContext(ctx, callback.TriggerID, slack.ModalViewRequest{
		Type: "modal", Title: plain("x"), Submit: plain("Send"),
		Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewInputBlock("b", plain("Name"), nil, slack.NewPlainTextInputBlockElement(nil, "a"))}},
	}); err != nil {
		t.Error(err)
	}
	c.ack(m.EnvelopeID, nil)
	if res := press(); !res.OK() {
		t.Errorf("press: %+v", res)
	}

	submit := acting(t, func() (*slacksim.Result, error) {
		return sim.Submit(ctx, ada, sim.Views(ada)[0].ID, map[string]string{"Name": "x"})
	})
	if m = c.next(); m.Type != "interactive" || !m.Accepts {
		t.Errorf("submit: %+v", m)
	}
	c.ack(m.EnvelopeID, slack.NewErrorsViewSubmissionResponse(map[string]string{"b": "no"}))
	if res := submit(); res.FieldErrors["b"] != "no" || len(sim.Views(ada)) != 1 {
		t.Errorf("submit: %+v", res)
	}

	event := acting(t, func() (*slacksim.Result, error) { return sim.Say(ctx, ada, sim.DM(ada), "hello") })
	m = c.next()
	if m.Type != "events_api" || m.Accepts || m.Attempt == nil || *m.Attempt != 0 || m.RetryReason == nil || *m.RetryReason != "" ||
		!strings.Contains(string(m.Payload), `"event_callback"`) {
		t.Errorf("event: %+v", m)
	}
	c.ack(m.EnvelopeID, map[string]any{"text": "not wanted"})
	first := event()
	if !first.OK() || len(first.Body) != 0 {
		t.Errorf("event: %+v", first)
	}

	again := acting(t, func() (*slacksim.Result, error) {
		return sim.Redeliver(ctx, first, slacksim.WithRetry(2, "timeout"))
	})
	second := c.next()
	if *second.Attempt != 2 || *second.RetryReason != "timeout" || second.EnvelopeID == m.EnvelopeID || string(second.Payload) != string(m.Payload) {
		t.Errorf("again: %+v", second)
	}
	c.ack(second.EnvelopeID, nil)
	again()
	if got := sim.Connections()[0]; got.Sent != 5 || got.Acked != 5 {
		t.Errorf("counted %+v", got)
	}
}

// TestAcksNotTaken sends acknowledgements that Slack drops.
func TestAcksNotTaken(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode, c.AckTimeout = true, 100*time.Millisecond })
	ctx := t.Context()
	one := dial(t, open(t, sim))
	one.next()
	two := dial(t, open(t, sim))
	two.next()
	connected(t, sim, 2)
	for _, tt := range []struct {
		name string
		ack  func(to, other *rawSocket, id string)
	}{
		{"too large", func(to, _ *rawSocket, id string) {
			to.ack(id, map[string]any{"text": strings.Repeat("x", 20<<10)})
		}},
		{"on another connection", func(_, other *rawSocket, id string) { other.ack(id, nil) }},
		{"not JSON", func(to, _ *rawSocket, _ string) {
			if err := to.ws.WriteMessage(websocket.TextMessage, []byte("{")); err != nil {
				t.Error(err)
			}
		}},
	} {
		before := sim.Connections()
		act := acting(t, func() (*slacksim.Result, error) { return sim.Command(ctx, ada, team, "/badges", "") })
		to, other := one, two
		eventually(t, sim, "the envelope", func() bool {
			now := sim.Connections()
			if now[1].Sent > before[1].Sent {
				to, other = two, one
			}
			return now[0].Sent+now[1].Sent > before[0].Sent+before[1].Sent
		})
		tt.ack(to, other, to.next().EnvelopeID)
		if res := act(); !res.TimedOut || res.UserError != "operation_timeout" {
			t.Errorf("%s: %+v", tt.name, res)
		}
	}
	slacktest.New(t, sim).As(ada).In(team).ExpectEphemeral("operation_timeout")
	eventually(t, sim, "the counts", func() bool {
		got := sim.Sockets()
		return got.LargeAcks == 1 && got.StrayAcks == 2
	})
}
