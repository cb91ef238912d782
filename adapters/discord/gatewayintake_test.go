package discord

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	code := func(status, code int) func(int) (int, string) {
		return func(int) (int, string) { return status, fmt.Sprintf(`{"code":%d}`, code) }
	}
	first := func(status int, body string, then int) func(int) (int, string) {
		return func(n int) (int, string) {
			if n == 0 {
				return status, body
			}
			return then, `{"code":40060}`
		}
	}
	for name, tt := range map[string]struct {
		answer func(n int) (int, string)
		calls  int
	}{
		"taken":                     {code(204, 0), 1},
		"taken at the second try":   {first(503, "", 204), 2},
		"first answer was lost":     {first(502, "", 400), 2},
		"answered by somebody else": {code(400, codeAcknowledged), 1},
		"expired":                   {code(404, codeUnknownInteraction), 1},
		"limited for a moment":      {first(429, `{"retry_after":0.01,"global":true}`, 204), 2},
		"limited for too long":      {code(429, 0), 1},
		"refused":                   {code(400, codeInvalidForm), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := newFakeGateway(t, time.Minute)
			h := posted()
			r := newReplica(t, gw, h)
			r.retryPause = 10 * time.Millisecond
			n := 0
			r.api.answer = func(c call) (int, map[string]string, string) {
				if !strings.HasSuffix(c.path, "/callback") {
					return gw.answer(c)
				}
				status, body := tt.answer(n)
				n++
				return status, nil, body
			}
			r.run(t, "a")
			c := receive(t, gw.conns)
			c.ready(t, gw)
			c.event(2, "INTERACTION_CREATE", aCommand)
			for range tt.calls {
				r.awaitCallback(t)
			}
			r.stop()
			receive(t, c.closed)
			if err := r.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := len(r.callbacks()); got != tt.calls {
				t.Errorf("%d callbacks", got)
			}
			// The handler is told in any case: its delivery finds its way.
			if got := len(h.acked); got != 1 {
				t.Errorf("acknowledged %d times", got)
			}
			want := 0.0
			if name == "expired" {
				want = 1
			}
			if got := counter(t, r.reg, "laurel_discord_expired_interactions_total"); got != want {
				t.Errorf("%v expired", got)
			}
			if logs := r.logs.String(); strings.Contains(logs, testHook) || strings.Contains(logs, testUser) || (logs == "") {
				t.Errorf("log: %s", logs)
			}
		})
	}
}

func TestIntakeIsBounded(t *testing.T) {
	t.Parallel()
	var i intake
	for n := range 3 * maxSeen {
		id := strconv.Itoa(n)
		if !i.first(id) || i.first(id) {
			t.Fatal(n)
		}
	}
	if len(i.seen) != maxSeen || len(i.order) != maxSeen {
		t.Errorf("%d seen", len(i.seen))
	}
	for range maxAtOnce {
		if !i.enter() {
			t.Fatal("refused early")
		}
	}
	if i.enter() {
		t.Error("no bound")
	}
	i.leave()
	if !i.enter() {
		t.Error("refused")
	}
}

// Without a key nothing comes in by HTTP, and the check-up asks for the
// gateway's settings.
func TestGatewayNeedsNoKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{} }))
	a, err := New(Config{APIURL: f.api.URL, BotToken: testToken, ApplicationID: testApp, Clock: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	f.publicKey = nil
	if w := f.post(t, aCommand); w.Code != 401 {
		t.Errorf("status %d", w.Code)
	}
	for endpoint, ok := range map[string]bool{"": true, "https://laurel.example.org" + PathInteractions: false} {
		f.api.answer = func(c call) (int, map[string]string, string) {
			return 200, nil, fmt.Sprintf(`{"id":%q,"username":"laurel","interactions_endpoint_url":%q}`, testApp, endpoint)
		}
		for _, finding := range a.Check(t.Context()) {
			if strings.Contains(finding.Name, "key") || strings.Contains(finding.Name, "endpoint") && finding.OK != ok {
				t.Errorf("%q: %+v", endpoint, finding)
			}
		}
	}
	var none core.Secret
	if _, err := New(Config{BotToken: none, ApplicationID: testApp, Clock: f.clock}); err == nil {
		t.Error("no token is needed")
	}
}
