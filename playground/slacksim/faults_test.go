package slacksim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	ctx := t.Context()
	post := func() error {
		_, _, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false))
		return err
	}
	count := func() int { return len(sim.Messages(team, ada)) }
	seconds := 30
	limited := sim.Fail(slacksim.Fault{Method: "chat.postMessage", Times: 2, Status: 429, RetryAfter: &seconds})
	for range 2 {
		var rate *slack.RateLimitedError
		if err := post(); !errors.As(err, &rate) || rate.RetryAfter != 30*time.Second {
			t.Errorf("429: %v", err)
		}
	}
	if limited.Served() != 2 {
		t.Errorf("served %d", limited.Served())
	}
	sim.Fail(slacksim.Fault{Method: "*", Status: 503})
	var status slack.StatusCodeError
	if err := post(); !errors.As(err, &status) || status.Code != 503 {
		t.Errorf("503: %v", err)
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", Error: "fatal_error"})
	if err := post(); code(err) != "fatal_error" {
		t.Errorf("fatal_error: %v", err)
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", DropBefore: true})
	if err := post(); err == nil || count() != 0 {
		t.Errorf("cut before: %v, %d messages", err, count())
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", DropAnswer: true})
	if err := post(); err == nil || count() != 1 {
		t.Errorf("cut after: %v, %d messages", err, count())
	}
	if err := post(); err != nil || count() != 2 {
		t.Errorf("afterwards: %v, %d messages", err, count())
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	_, api := start(t, func(c *slacksim.Config) { c.Limits, c.Clock = slacksim.SlackLimits(), clock })
	post := func(to string) error {
		_, _, err := api.PostMessageContext(t.Context(), to, slack.MsgOptionText("x", false))
		return err
	}
	for range 3 {
		if err := post(team); err != nil {
			t.Fatal(err)
		}
	}
	var rate *slack.RateLimitedError
	if err := post(team); !errors.As(err, &rate) || rate.RetryAfter != time.Second {
		t.Errorf("fourth: %v", err)
	}
	if err := post(ada); err != nil {
		t.Errorf("another channel: %v", err)
	}
	clock.Advance(time.Second)
	if err := post(team); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

// TestScriptedAnswers serves everything that Slack may answer a message with,
// and counts it.
func TestScriptedAnswers(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	other := "C00000TWO"
	sim.AddChannel(other, "two", ada, sim.Config().BotUserID)
	post := func(to string) error {
		_, _, err := api.PostMessageContext(t.Context(), to, slack.MsgOptionText("x", false))
		return err
	}
	thirty := 30
	var rate *slack.RateLimitedError
	var status slack.StatusCodeError
	for _, tt := range []struct {
		fault slacksim.Fault
		want  func(error) bool
	}{
		{slacksim.Fault{Status: 429, RetryAfter: &thirty}, func(err error) bool { return errors.As(err, &rate) && rate.RetryAfter == 30*time.Second }},
		{slacksim.Fault{Status: 429}, func(err error) bool { return errors.As(err, &status) && status.Code == 429 }},
		{slacksim.Fault{Status: 500}, func(err error) bool { return errors.As(err, &status) && status.Code == 500 }},
		{slacksim.Fault{Error: "ratelimited"}, func(err error) bool { return code(err) == "ratelimited" }},
		{slacksim.Fault{Error: "channel_not_found"}, func(err error) bool { return code(err) == "channel_not_found" }},
		{slacksim.Fault{Error: "account_inactive"}, func(err error) bool { return code(err) == "account_inactive" }},
		{slacksim.Fault{Error: "token_revoked"}, func(err error) bool { return code(err) == "token_revoked" }},
	} {
		tt.fault.Method, tt.fault.Channel = "chat.postMessage", other
		ordered := sim.Fail(tt.fault)
		if err := post(team); err != nil {
			t.Errorf("another channel: %v", err)
		}
		if err := post(other); !tt.want(err) || ordered.Served() != 1 {
			t.Errorf("%+v: %v, served %d", tt.fault, err, ordered.Served())
		}
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", DropBefore: true})
	if err := post(team); err == nil {
		t.Error("not cut")
	}
	got := sim.Answers("chat.postMessage")
	if got.Calls != 15 || got.OK != 7 || got.Limited != 3 || got.Cut != 1 || got.Statuses[429] != 2 || got.Statuses[500] != 1 ||
		got.Errors["ratelimited"] != 3 || got.Errors["token_revoked"] != 1 {
		t.Errorf("answers: %+v", got)
	}
	if all := sim.Answers("*"); all.Calls != 15 {
		t.Errorf("all: %+v", all)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	const late = 80 * time.Millisecond
	sim.SetLatency("*", time.Minute)
	sim.SetLatency("auth.test", late)
	began := time.Now()
	if _, err := api.AuthTestContext(t.Context()); err != nil || time.Since(began) < late {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	sim.SetLatency("*", 0)
	sim.SetLatency("auth.test", 0)
	for range 2 {
		if _, err := api.GetUserInfoContext(t.Context(), ada); err != nil {
			t.Error(err)
		}
	}
}

func TestMethodAndWorkspaceLimits(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	sim, api := start(t, func(c *slacksim.Config) { c.Clock = clock })
	ctx := t.Context()
	until := func(do func() error) (int, time.Duration) {
		t.Helper()
		for n := range 1000 {
			err := do()
			var rate *slack.RateLimitedError
			if errors.As(err, &rate) {
				return n, rate.RetryAfter
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return 1000, 0
	}
	info := func() error {
		_, err := api.GetUserInfoContext(ctx, ada)
		return err
	}
	if n, _ := until(info); n != 1000 {
		t.Errorf("limited after %d without limits", n)
	}
	sim.SetLimits(slacksim.SlackLimits())
	if n, wait := until(info); n != 100 || wait != time.Second {
		t.Errorf("users.info: %d, then %s", n, wait)
	}
	clock.Advance(6 * time.Second)
	if n, _ := until(info); n != 10 {
		t.Errorf("users.info after 6 s: %d", n)
	}
	if n, wait := until(func() error {
		got := call(t, sim, "apps.connections.open", sim.Config().AppToken, "")
		if got["error"] == "ratelimited" {
			return &slack.RateLimitedError{RetryAfter: time.Minute}
		}
		return nil
	}); n != 10 || wait != time.Minute {
		t.Errorf("apps.connections.open: %d, then %s", n, wait)
	}
	sim.SetLimits(slacksim.Limits{Workspace: 60})
	if n, wait := until(func() error {
		_, _, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false))
		return err
	}); n != 60 || wait != time.Second {
		t.Errorf("chat.postMessage in the workspace: %d, then %s", n, wait)
	}
	if got := sim.Answers("chat.postMessage"); got.OK != 60 || got.Limited != 1 {
		t.Errorf("answers: %+v", got)
	}
}
