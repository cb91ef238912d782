package slack

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// testLimiter notes what it is asked and refuses by script.
type testLimiter struct {
	mu     sync.Mutex
	waits  []string
	rates  map[string]core.Rate
	closed []string
	refuse error
}

func (l *testLimiter) Wait(_ context.Context, name string, rate core.Rate) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = append(l.waits, name)
	l.rates[name] = rate
	return l.refuse
}

func (l *testLimiter) Close(_ context.Context, name string, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = append(l.closed, name+" "+after.String())
}

// taken returns what was noted, without what is asked about people, and
// forgets it.
func (l *testLimiter) taken() (waits, closed []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waits = slices.DeleteFunc(l.waits, func(name string) bool { return strings.HasSuffix(name, "/users.info") })
	closed = l.closed
	l.waits, l.closed = nil, nil
	return waits, closed
}

func newLimitedBench(t *testing.T) (*bench, *testLimiter) {
	t.Helper()
	l := &testLimiter{rates: map[string]core.Rate{}}
	return newBench(t, chat.Answer{}, func(c *Config) { c.Limiter = l }), l
}

func TestCallsAskTheLimiter(t *testing.T) {
	t.Parallel()
	b, l := newLimitedBench(t)
	ctx := t.Context()
	to := core.Identity{Platform: Platform, Tenant: "T1", User: "U1"}
	steps := []struct {
		name string
		call func() error
		want []string
	}{
		{"direct message", func() error {
			_, err := b.Direct(ctx, to, *card("x"), "k", b.clock.Now())
			return err
		}, []string{"slack/T1/conversations.open", "slack/T1/conversations.history", "slack/T1/chat.postMessage"}},
		{"update", func() error {
			_, err := b.Show(ctx, messagePlace("T2", "C1", "1.2"), *card("x"), "k")
			return err
		}, []string{"slack/T2/chat.update"}},
		{"update of a place without a tenant", func() error {
			_, err := b.Show(ctx, messagePlace("", "C1", "1.2"), *card("x"), "k")
			return err
		}, []string{"slack//chat.update"}},
		{"private message", func() error {
			_, err := b.Show(ctx, core.Place{Ref: placeRef{Channel: "C1", User: "U1", Tenant: "T1"}.secret()}, *card("x"), "k")
			return err
		}, []string{"slack/T1/chat.postEphemeral"}},
		{"response URL", func() error {
			until := b.clock.Now().Add(time.Minute)
			_, err := b.Show(ctx, core.Place{Ref: placeRef{URL: b.slack.hook(), Until: until.Unix()}.secret()}, *card("x"), "k")
			return err
		}, nil},
		{"form", func() error {
			b.handler.handle = func(context.Context, chat.Action) chat.Answer {
				return chat.Answer{Form: &chat.Form{ID: "code:1", Title: "Code", Submit: "Send"}}
			}
			b.interact(b.press("claim:", true))
			return nil
		}, nil},
		{"check", func() error {
			b.Check(ctx)
			return nil
		}, []string{"slack//auth.test"}},
	}
	for _, step := range steps {
		if err := step.call(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if waits, closed := l.taken(); !slices.Equal(waits, step.want) || closed != nil {
			t.Errorf("%s: asked for %q, closed %q", step.name, waits, closed)
		}
	}
	for name, rate := range l.rates {
		// A minute's worth at once, and then as the tier says.
		if time.Duration(rate.Burst)*rate.Interval > time.Minute || time.Duration(rate.Burst+1)*rate.Interval < time.Minute {
			t.Errorf("%s: %+v", name, rate)
		}
	}
}

func TestCallIsHeldBack(t *testing.T) {
	t.Parallel()
	b, l := newLimitedBench(t)
	l.refuse = &core.DeliveryError{Class: core.RetryLater, Code: "held_back", After: 7 * time.Second}
	for _, call := range []func() error{
		func() error {
			_, err := b.Show(t.Context(), messagePlace("T1", "C1", "1.2"), *card("x"), "k")
			return err
		},
		func() error {
			_, err := b.readHistory(t.Context(), nil)
			return err
		},
	} {
		err := call()
		var d *core.DeliveryError
		if !errors.As(err, &d) || d.Class != core.RetryLater || d.After != 7*time.Second || d.Code != "held_back" {
			t.Errorf("got %v", err)
		}
		if strings.Contains(err.Error(), b.slack.server.URL) {
			t.Errorf("the error tells the address: %v", err)
		}
	}
	if len(b.slack.calls) != 0 {
		t.Error("Slack was called")
	}
}

func TestLimitIsClosed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   []string
		after  time.Duration
	}{
		{"429 with a time", says(429, "", "Retry-After", "3"), []string{"slack/T1/chat.update 3s"}, 3 * time.Second},
		{"429 without", says(429, ""), []string{"slack/T1/chat.update 30s"}, defaultRetryAfter},
		{"429 with a date", says(429, "", "Retry-After", "Mon, 23 Nov 2026 10:00:00 GMT"), []string{"slack/T1/chat.update 30s"}, defaultRetryAfter},
		{"429 for long", says(429, "", "Retry-After", "999999999"), []string{"slack/T1/chat.update 1h0m0s"}, time.Hour},
		{"200 that refuses", refuses("ratelimited"), []string{"slack/T1/chat.update 30s"}, defaultRetryAfter},
		{"200 that refuses otherwise", refuses("rate_limited"), []string{"slack/T1/chat.update 30s"}, defaultRetryAfter},
		{"another refusal", refuses("message_not_found"), nil, 0},
		{"a message about limits", says(200, `{"ok":true,"channel":"C1","ts":"1.2","text":"ratelimited"}`), nil, 0},
		{"no JSON", says(200, `ratelimited`), nil, 0},
		{"a long answer", says(200, `{"ok":true,"channel":"C1","ts":"1.2","text":"`+strings.Repeat("limited ", maxRefusal)+`"}`), nil, 0},
		{"500", says(500, "ratelimited"), nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, l := newLimitedBench(t)
			b.slack.once("chat.update", tt.answer)
			_, err := b.Show(t.Context(), messagePlace("T1", "C1", "1.2"), *card("x"), "k")
			var d *core.DeliveryError
			if errors.As(err, &d); tt.after > 0 && (d == nil || d.Class != core.RetryLater || d.After != tt.after && tt.after != time.Hour) {
				t.Errorf("got %v", err)
			}
			if strings.HasPrefix(tt.name, "a ") && err != nil {
				t.Errorf("the answer was damaged: %v", err)
			}
			if _, closed := l.taken(); !slices.Equal(closed, tt.want) {
				t.Errorf("closed %q", closed)
			}
		})
	}
}

// A hot channel does not hold up the others of its workspace: only when a
// second one is refused while the first has to wait do all of them.
func TestRefusedMessageAndItsWorkspace(t *testing.T) {
	t.Parallel()
	b, l := newLimitedBench(t)
	post := func(tenant, channel, after string) []string {
		t.Helper()
		b.slack.once("chat.postMessage", says(429, "", "Retry-After", after))
		if _, _, err := b.post(t.Context(), tenant, channel, *card("x"), "k", time.Time{}); core.ClassOf(err) != core.RetryLater {
			t.Errorf("got %v", err)
		}
		_, closed := l.taken()
		return closed
	}
	for _, step := range []struct {
		tenant, channel string
		pass            time.Duration
		want            []string
	}{
		{"T1", "C1", 0, nil},
		{"T1", "C1", 0, nil},
		{"T2", "C2", 0, nil},
		{"T1", "C2", 10 * time.Second, nil},
		{"T1", "C3", 0, []string{"slack/T1/chat.postMessage 9s"}},
	} {
		b.clock.add(step.pass)
		if closed := post(step.tenant, step.channel, "9"); !slices.Equal(closed, step.want) {
			t.Errorf("%s %s: closed %q", step.tenant, step.channel, closed)
		}
	}
}
