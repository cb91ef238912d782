package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

var aCard = chat.Card{Title: "Hello", Buttons: []chat.Button{{ID: "help:", Label: "Help"}}}

func originalPlace(shown bool) core.Place {
	p := tokenPlace(ref{Kind: refOriginal, Token: testHook, Created: start.UnixMilli()})
	p.Shown = shown
	return p
}

func followupPlace() core.Place {
	return tokenPlace(ref{Kind: refFollowup, Token: testHook, Created: start.UnixMilli()})
}

func TestShow(t *testing.T) {
	t.Parallel()
	const hook = "/api/v9/webhooks/" + testApp + "/" + testHook
	for name, tt := range map[string]struct {
		place        core.Place
		method, path string
		auth, schema string
	}{
		"first answer": {originalPlace(false), "PATCH", hook + "/messages/@original", "", "IncomingWebhookUpdateRequestPartial"},
		"edit":         {originalPlace(true), "PATCH", hook + "/messages/@original", "", "IncomingWebhookUpdateRequestPartial"},
		"aside":        {followupPlace(), "POST", hook, "", "IncomingWebhookRequestPartial"},
		"own message":  {messagePlace(testChan, testMsg, start), "PATCH", "/api/v9/channels/" + testChan + "/messages/" + testMsg, "Bot " + testToken, "MessageEditRequestPartial"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			p, err := f.Show(t.Context(), tt.place, aCard, "key")
			if err != nil {
				t.Fatal(err)
			}
			if !p.Shown || p.MessageKey != testChan+":"+testMsg || !p.EditableUntil.Equal(tt.place.EditableUntil) {
				t.Errorf("place %+v", p)
			}
			c := receive(t, f.api.seen)
			if c.method != tt.method || c.path != tt.path || c.auth != tt.auth {
				t.Errorf("%s %s with %q", c.method, c.path, c.auth)
			}
			checkSchema(t, tt.schema, c.body)
			if !strings.Contains(string(c.body), `"allowed_mentions":{"parse":[]}`) {
				t.Errorf("body %s", c.body)
			}
		})
	}
}

func TestFollowupIsEditedAfterwards(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	p, err := f.Show(t.Context(), followupPlace(), aCard, "key")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Show(t.Context(), p, aCard, "key2"); err != nil {
		t.Fatal(err)
	}
	calls := f.api.all()
	if calls[0].query != "wait=true" || calls[1].method != http.MethodPatch || !strings.HasSuffix(calls[1].path, testHook+"/messages/"+testMsg) {
		t.Errorf("calls %+v", calls)
	}
}

func TestShowEndsWithTheToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.clock.move(tokenLife - tokenMargin - time.Millisecond)
	if _, err := f.Show(t.Context(), originalPlace(true), aCard, "key"); err != nil {
		t.Error(err)
	}
	f.clock.move(time.Millisecond)
	if _, err := f.Show(t.Context(), originalPlace(true), aCard, "key"); core.ClassOf(err) != core.PlaceGone {
		t.Error(err)
	}
	if _, err := f.Show(t.Context(), core.Place{Ref: `{"k":3,"c":"../x","m":"1"}`, EditableUntil: start.Add(time.Hour)}, aCard, "key"); core.ClassOf(err) != core.Invalid {
		t.Error(err)
	}
	if n := len(f.api.all()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestDirect(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.api.answer = func(c call) (int, map[string]string, string) {
		if strings.HasSuffix(c.path, "/users/@me/channels") {
			return 200, nil, fmt.Sprintf(`{"id":%q,"type":1}`, testChan)
		}
		return 0, nil, ""
	}
	to := core.Identity{Platform: Platform, User: testUser}
	for range 2 {
		p, err := f.Direct(t.Context(), to, aCard, "delivery-1", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if p.MessageKey != testChan+":"+testMsg || !p.Shown || !p.Reachable(start.AddDate(10, 0, 0)) {
			t.Errorf("place %+v", p)
		}
	}
	calls := f.api.all()
	if len(calls) != 3 {
		t.Fatalf("%d calls: the channel is asked for once", len(calls))
	}
	checkSchema(t, "CreatePrivateChannelRequest", calls[0].body)
	var nonces []string
	for _, c := range calls[1:] {
		checkSchema(t, "MessageCreateRequest", c.body)
		var m message
		if err := json.Unmarshal(c.body, &m); err != nil {
			t.Fatal(err)
		}
		if !m.EnforceNonce || m.Nonce == "" || len(m.Nonce) > 25 || c.auth != "Bot "+testToken {
			t.Errorf("nonce %q, enforced %v", m.Nonce, m.EnforceNonce)
		}
		nonces = append(nonces, m.Nonce)
	}
	if nonces[0] != nonces[1] || nonces[0] == nonce("delivery-2") {
		t.Errorf("nonces %v", nonces)
	}
}

func TestErrorClasses(t *testing.T) {
	t.Parallel()
	body := func(code int) string {
		return fmt.Sprintf(`{"message":"text of Discord","code":%d}`, code)
	}
	const html = "<html>error code: 1015</html>"
	tests := []struct {
		name   string
		status int
		body   string
		header []string
		// bot and hook are the classes with the bot's and the interaction's
		// token, a minute after the interaction.
		bot, hook core.DeliveryClass
		code      string
		after     time.Duration
	}{
		{"429", 429, `{"message":"x","retry_after":1.5,"global":false}`, nil, core.RetryLater, core.RetryLater, "rate_limited", 1500 * time.Millisecond},
		{"429 global", 429, `{"message":"x","retry_after":2,"global":true}`, nil, core.RetryLater, core.RetryLater, "rate_limited_global", 2 * time.Second},
		{"429 html", 429, html, nil, core.RetryLater, core.RetryLater, "rate_limited", 5 * time.Second},
		{"429 html, header", 429, html, []string{"Retry-After", "7"}, core.RetryLater, core.RetryLater, "rate_limited", 7 * time.Second},
		{"429 forever", 429, `{"retry_after":1e300}`, nil, core.RetryLater, core.RetryLater, "rate_limited", time.Hour},
		{"401", 401, body(0), nil, core.InstallationDead, core.PlaceGone, "http_401", 0},
		{"403 50001", 403, body(50001), nil, core.TargetDead, core.TargetDead, "50001", 0},
		{"403 50013", 403, body(50013), nil, core.TargetDead, core.TargetDead, "50013", 0},
		{"403 50007", 403, body(50007), nil, core.TargetDead, core.TargetDead, "50007", 0},
		{"403 other", 403, body(50999), nil, core.TargetDead, core.TargetDead, "50999", 0},
		{"403 html", 403, html, nil, core.Temporary, core.Temporary, "http_403", 0},
		{"404 10003", 404, body(10003), nil, core.TargetDead, core.TargetDead, "10003", 0},
		{"404 10008", 404, body(10008), nil, core.PlaceGone, core.PlaceGone, "10008", 0},
		{"404 10015", 404, body(10015), nil, core.PlaceGone, core.PlaceGone, "10015", 0},
		{"404 10062", 404, body(10062), nil, core.PlaceGone, core.PlaceGone, "10062", 0},
		{"401 50027", 401, body(50027), nil, core.PlaceGone, core.PlaceGone, "50027", 0},
		{"400 40060", 400, body(40060), nil, core.PlaceGone, core.PlaceGone, "40060", 0},
		{"400 50035", 400, body(50035), nil, core.Invalid, core.Invalid, "50035", 0},
		{"400 other", 400, body(99), nil, core.Invalid, core.Invalid, "99", 0},
		{"400 40003", 400, body(40003), nil, core.RetryLater, core.RetryLater, "40003", time.Minute},
		{"404 plain", 404, html, nil, core.PlaceGone, core.PlaceGone, "http_404", 0},
		{"500", 500, body(0), nil, core.Temporary, core.Temporary, "http_500", 0},
		{"502 plain", 502, "Bad Gateway", nil, core.Temporary, core.Temporary, "http_502", 0},
		{"503", 503, html, nil, core.Temporary, core.Temporary, "http_503", 0},
		{"redirect", 302, "", []string{"Location", "https://elsewhere.example/"}, core.Temporary, core.Temporary, "http_302", 0},
		{"no json", 200, html, nil, core.Temporary, core.Temporary, "bad_answer", 0},
		{"no id", 200, `{}`, nil, core.Temporary, core.Temporary, "bad_answer", 0},
	}
	for _, tt := range tests {
		for kind, p := range map[string]core.Place{"bot": messagePlace(testChan, otherMsg, start), "hook": originalPlace(true)} {
			t.Run(tt.name+" "+kind, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, nil)
				f.clock.move(time.Minute)
				f.api.respond(tt.status, tt.body, tt.header...)
				_, err := f.Show(t.Context(), p, aCard, "key")
				var d *core.DeliveryError
				if !errors.As(err, &d) {
					t.Fatalf("error %v", err)
				}
				want := tt.bot
				if kind == "hook" {
					want = tt.hook
				}
				if d.Class != want || d.Code != tt.code || d.After != tt.after {
					t.Errorf("got %s %s %s, want %s %s %s", d.Class, d.Code, d.After, want, tt.code, tt.after)
				}
				for _, secret := range []string{testToken, testHook, "text of Discord", "html"} {
					if strings.Contains(fmt.Sprintf("%+v %v", err, d), secret) {
						t.Errorf("error shows %q: %v", secret, err)
					}
				}
			})
		}
	}
}

func TestUnknownTokenIsTemporaryAtFirst(t *testing.T) {
	t.Parallel()
	for _, code := range []int{codeUnknownWebhook, codeInvalidToken} {
		f := newFixture(t, nil)
		f.api.respond(404, fmt.Sprintf(`{"code":%d}`, code))
		f.clock.move(ackGrace - time.Millisecond)
		if _, err := f.Show(t.Context(), originalPlace(false), aCard, "key"); core.ClassOf(err) != core.Temporary {
			t.Error(err)
		}
		f.clock.move(time.Millisecond)
		if _, err := f.Show(t.Context(), originalPlace(false), aCard, "key"); core.ClassOf(err) != core.PlaceGone {
			t.Error(err)
		}
	}
}

// After a 429 the route is not called again before its time, and an
// exhausted bucket makes the library wait for nothing.
func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.api.respond(429, `{"retry_after":60,"global":false}`)
	p, other := messagePlace(testChan, testMsg, start), messagePlace(testChan, otherMsg, start)
	for range 3 {
		_, err := f.Show(t.Context(), p, aCard, "key")
		var d *core.DeliveryError
		if !errors.As(err, &d) || d.Class != core.RetryLater || d.After < 50*time.Second {
			t.Fatal(err)
		}
	}
	if n := len(f.api.all()); n != 1 {
		t.Errorf("%d calls", n)
	}
	f.api.respond(200, `{"id":"1","channel_id":"2"}`, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "60")
	if _, err := f.Show(t.Context(), other, aCard, "key"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Show(t.Context(), other, aCard, "key"); core.ClassOf(err) != core.RetryLater {
		t.Errorf("after the last of a bucket: %v", err)
	}
	if n := len(f.api.all()); n != 2 {
		t.Errorf("%d calls", n)
	}
	if got := counter(t, f.reg, "laurel_discord_invalid_requests_total"); got != 1 {
		t.Errorf("counted %v invalid requests", got)
	}
}

func counter(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func TestDirectClosed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.api.respond(403, `{"message":"Cannot send messages to this user","code":50007}`)
	_, err := f.Direct(t.Context(), core.Identity{User: testUser}, aCard, "k", time.Time{})
	var d *core.DeliveryError
	if !errors.As(err, &d) || d.Class != core.TargetDead || d.Code != "50007" {
		t.Error(err)
	}
	if _, err := f.Direct(t.Context(), core.Identity{User: "../@me"}, aCard, "k", time.Time{}); core.ClassOf(err) != core.TargetDead {
		t.Error(err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.api.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range []core.Place{originalPlace(true), messagePlace(testChan, testMsg, start)} {
		for _, ctx := range []context.Context{t.Context(), canceled} {
			_, err := f.Show(ctx, p, aCard, "key")
			if core.ClassOf(err) != core.Temporary {
				t.Error(err)
			}
			if s := fmt.Sprintf("%+v", err); strings.Contains(s, testHook) || strings.Contains(s, testToken) {
				t.Errorf("error shows a token: %s", s)
			}
		}
	}
	if got := fmt.Sprintf("%v %+v", originalPlace(true), originalPlace(true)); strings.Contains(got, testHook) {
		t.Errorf("place shows its token: %s", got)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		body   string
		want   core.DeliveryClass
	}{
		"removed":         {204, "", ""},
		"gone already":    {404, `{"code":10008}`, ""},
		"channel is gone": {404, `{"code":10003}`, ""},
		"may not":         {403, `{"code":50001}`, core.TargetDead},
		"broken":          {502, "", core.Temporary},
	} {
		f := newFixture(t, nil)
		f.api.answer = func(call) (int, map[string]string, string) { return tt.status, nil, tt.body }
		err := f.Remove(t.Context(), messagePlace(testChan, testMsg, start))
		if (err != nil) != (tt.want != "") || err != nil && core.ClassOf(err) != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		if c := receive(t, f.api.seen); c.method != http.MethodDelete || c.path != "/api/v9/channels/"+testChan+"/messages/"+testMsg {
			t.Errorf("%s: %s %s", name, c.method, c.path)
		}
	}
	f := newFixture(t, nil)
	for _, p := range []core.Place{{}, {Ref: "nonsense"}, originalPlace(true)} {
		if err := f.Remove(t.Context(), p); core.ClassOf(err) != core.PlaceGone {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if n := len(f.api.all()); n != 0 {
		t.Errorf("%d calls", n)
	}
}
