package slacksim_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

func TestPublishedSignature(t *testing.T) {
	t.Parallel()
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	got := slacksim.Signature("8f742231b10e8888abcd99yyyzzz85a5", 1531420618, []byte(body))
	if want := "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestDeadlineAndRetries(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.AckTimeout = 50 * time.Millisecond })
	a := newApp(t, sim)
	ctx := t.Context()
	release := make(chan struct{})
	a.on(func(c slack.SlashCommand) any {
		if c.Text == "broken" {
			return 500
		}
		<-release
		return nil
	}, nil)
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil || !res.TimedOut || res.UserError != "operation_timeout" {
		t.Errorf("slow: %+v, %v", res, err)
	}
	close(release)
	slacktest.New(t, sim).As(ada).In(team).ExpectEphemeral("operation_timeout")
	if res, err = sim.Command(ctx, ada, team, "/badges", "broken"); err != nil || res.UserError != "dispatch_failed" || res.Status != 500 {
		t.Errorf("broken: %+v, %v", res, err)
	}

	sim, _ = start(t, nil)
	a = newApp(t, sim)
	if res, err = sim.VerifyURL(ctx); err != nil || !res.OK() {
		t.Errorf("verify url: %+v, %v", res, err)
	}
	first, err := sim.OpenHome(ctx, ada, "home")
	if err != nil || !first.OK() {
		t.Fatalf("home: %+v, %v", first, err)
	}
	if _, err := sim.Redeliver(ctx, first, slacksim.WithRetry(1, "http_timeout")); err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.requests)
	if string(a.bodies[n-1]) != string(a.bodies[n-2]) || a.requests[n-1].Header.Get("X-Slack-Retry-Num") != "1" ||
		a.requests[n-1].Header.Get("X-Slack-Retry-Reason") != "http_timeout" {
		t.Errorf("redelivered %s with %v", a.bodies[n-1], a.requests[n-1].Header)
	}
}

func TestForgedRequests(t *testing.T) {
	t.Parallel()
	clock := simclock.New()
	sim, _ := start(t, func(c *slacksim.Config) { c.Clock = clock })
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any { return nil }, nil)
	ctx := t.Context()
	tests := []struct {
		name   string
		mutate func(*http.Request)
		want   int
	}{
		{"untouched", nil, 200},
		{"no signature", func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, 401},
		{"other time", func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "1531420618") }, 401},
	}
	for _, tt := range tests {
		res, err := sim.SendRaw(ctx, slacksim.EndpointCommands, []byte("command=%2Fbadges"), tt.mutate)
		if err != nil || res.Status != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, res, err)
		}
	}
	clock.Advance(6 * time.Minute)
	if res, err := sim.SendRaw(ctx, slacksim.EndpointCommands, []byte("command=%2Fbadges"), nil); err != nil || res.Status != 401 {
		t.Errorf("six minutes ahead: %+v, %v", res, err)
	}
	if res, err := sim.Command(ctx, "U0STRANGER", team, "/badges", ""); !errors.Is(err, slacksim.ErrNotFound) {
		t.Errorf("stranger: %+v, %v", res, err)
	}
}

func TestWireLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any { return nil }, nil)
	ctx := t.Context()
	if _, _, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("hello", false)); err != nil {
		t.Fatal(err)
	}
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.PostMessageContext(ctx, "", slack.MsgOptionResponseURL(res.ResponseURL, "ephemeral"), slack.MsgOptionText("late", false)); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(sim.Log())
	if err != nil {
		t.Fatal(err)
	}
	secret := res.ResponseURL[strings.LastIndex(res.ResponseURL, "/")+1:]
	for _, s := range []string{sim.Config().BotToken, sim.Config().SigningSecret, secret} {
		if strings.Contains(string(raw), s) {
			t.Errorf("the log holds %q", s)
		}
	}
	if !strings.Contains(string(raw), "hello") || !strings.Contains(string(raw), "REDACTED") {
		t.Errorf("log: %s", raw)
	}
	for range 600 {
		if _, err := api.AuthTestContext(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(sim.Log()); n != 500 {
		t.Errorf("%d exchanges kept", n)
	}
}

func TestEventuallyEnds(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sim.Eventually(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
