package credly

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	const personal = `Validation failed: ada@example.org, ADA%40example.org and \"a b\"@example.org of Ada Example, see https://www.credly.com/go/personal`
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		is     error
		after  time.Duration
		text   string
	}{
		{"401", status(401, `{"message":"unauthorized"}`), core.ErrUnauthorized, 0, "status 401"},
		{"403", status(403, ``), core.ErrUnauthorized, 0, `permission "write issued_badges" missing`},
		{"422", refusal(personal), core.ErrRefused, 0, "Validation failed: [address]"},
		{"422 older form", status(422, `{"message":"`+personal+`"}`), core.ErrRefused, 0, "Validation failed: [address]"},
		{"422 no json", status(422, `<html>`), core.ErrRefused, 0, "status 422"},
		{"429", status(429, `{}`, "Retry-After", "7"), nil, 7 * time.Second, "status 429"},
		{"429 bare", status(429, `{}`), nil, defaultRetryAfter, "status 429"},
		{"503 later", status(503, `{}`, "Retry-After", "Sun, 22 Nov 2026 12:01:00 GMT", "Date", "Sun, 22 Nov 2026 12:00:00 GMT"), nil, time.Minute, "status 503"},
		{"500", status(500, personal), nil, 0, "status 500"},
		{"302", status(302, ``, "Location", "https://elsewhere.example.org"), nil, 0, "status 302"},
		{"no json", status(201, `oops ada@example.org`), nil, 0, "decode"},
		{"no badge", status(201, `{"data":[]}`), nil, 0, "decode"},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, 0, "reach credly"},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil, 0, "deadline"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for range maxAnswer/1024 + 2 {
				_, _ = w.Write(make([]byte, 1024))
			}
		}, nil, 0, "too large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, func(c *Config) {
				if tc.name == "slow" {
					c.Timeout = 300 * time.Millisecond
				}
			})
			a.on("POST /badges", tc.answer)
			a.on("GET /badges?issuer_earner_id::A-1|badge_template_id::"+testTemplate, many())
			a.on("GET /badges?recipient_email::ada@example.org|badge_template_id::"+testTemplate, many())
			_, err := a.client.Issue(t.Context(), request(t))
			if err == nil {
				t.Fatal("no error")
			}
			for _, kind := range []error{core.ErrUnauthorized, core.ErrRefused, core.ErrNoSuchBadge} {
				if errors.Is(err, kind) != errors.Is(tc.is, kind) {
					t.Errorf("error %v, is %v: %v", err, kind, errors.Is(err, kind))
				}
			}
			var retry *core.RetryAfterError
			if errors.As(err, &retry) != (tc.after > 0) || retry != nil && retry.After != tc.after {
				t.Errorf("error %v, want wait %v", err, tc.after)
			}
			if !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %q, want %q", err, tc.text)
			}
			for _, secret := range []string{testToken.Reveal(), "xample.org", "Ada", "go/personal", "127.0.0.1"} {
				if strings.Contains(err.Error()+a.log.String(), secret) && tc.name != "cut" {
					t.Errorf("%q in error %q or log %q", secret, err, a.log.String())
				}
			}
			if _, err := a.client.Get(t.Context(), testBadge); tc.after > 0 && !errors.As(err, &retry) {
				t.Errorf("not paused: %v", err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.server.Close()
	_, err := a.client.ForPerson(t.Context(), mustEmail(t, "ada@example.org"))
	if err == nil || strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), testToken.Reveal()) {
		t.Errorf("error %v", err)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	const scan = "GET /badges?state::pending"
	for _, tc := range []struct {
		name    string
		answers map[string]http.HandlerFunc
		err     error
		asked   []string
	}{
		{
			"single",
			map[string]http.HandlerFunc{"GET /badges/" + testBadge: one(badge(t, nil))},
			nil,
			[]string{"GET /badges/" + testBadge},
		},
		{
			"pending in list", map[string]http.HandlerFunc{
				"GET /badges/" + testBadge: status(405, ``), scan: many(badge(t, map[string]any{"id": "other"}), badge(t, nil)),
			}, nil, []string{"GET /badges/" + testBadge, scan},
		},
		{
			"in whole list",
			map[string]http.HandlerFunc{scan: many(), "GET /badges": many(badge(t, map[string]any{"state": "accepted"}))},
			nil,
			[]string{"GET /badges/" + testBadge, scan, "GET /badges"},
		},
		{
			"filter refused",
			map[string]http.HandlerFunc{scan: refusal("filter"), "GET /badges": many(badge(t, nil))},
			nil,
			[]string{"GET /badges/" + testBadge, scan, "GET /badges"},
		},
		{
			"nowhere",
			map[string]http.HandlerFunc{scan: many(), "GET /badges": many()},
			core.ErrNoSuchBadge,
			[]string{"GET /badges/" + testBadge, scan, "GET /badges"},
		},
		{
			"not allowed",
			map[string]http.HandlerFunc{"GET /badges/" + testBadge: status(403, ``)},
			core.ErrUnauthorized,
			[]string{"GET /badges/" + testBadge},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			for key, answer := range tc.answers {
				a.on(key, answer)
			}
			o, err := a.client.Get(t.Context(), testBadge)
			if !errors.Is(err, tc.err) || err == nil && o.ProviderID != testBadge {
				t.Errorf("got %+v, %v", o, err)
			}
			if asked := a.requests(); !slices.Equal(asked, tc.asked) {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

func TestGetLearns(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on("GET /badges/"+testBadge, one(badge(t, nil)))
	if _, err := a.client.Get(t.Context(), testBadge); err != nil {
		t.Fatal(err)
	}
	a.requests()
	// The endpoint works, so its 404 counts.
	if _, err := a.client.Get(t.Context(), "gone"); !errors.Is(err, core.ErrNoSuchBadge) || len(a.requests()) != 1 {
		t.Errorf("error %v", err)
	}
	if _, err := a.client.Get(t.Context(), "../x?y"); !errors.Is(err, core.ErrNoSuchBadge) || len(a.requests()) != 0 {
		t.Errorf("malformed id: %v", err)
	}

	b := newAPI(t, nil)
	b.on("GET /badges?state::pending", many(badge(t, nil)))
	b.on("GET /badges?issuer_earner_id::A-1", many(badge(t, nil)))
	for range 2 {
		if _, err := b.client.Get(t.Context(), testBadge); err != nil {
			t.Fatal(err)
		}
	}
	// The second time the earner's id is known, and that there is no endpoint.
	want := []string{"GET /badges/" + testBadge, "GET /badges?state::pending", "GET /badges?issuer_earner_id::A-1"}
	if asked := b.requests(); !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
}

func TestForPersonFallsBack(t *testing.T) {
	t.Parallel()
	other := badge(t, map[string]any{"id": "other", "recipient_email": "eve@example.org", "user": map[string]any{"id": "u2"}})
	own := badge(t, map[string]any{"user": map[string]any{"id": "u1"}})
	for name, all := range map[string]http.HandlerFunc{
		"refused": refusal("Filter unknown"), "bad request": status(400, ``), "ignored": many(own, other),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, nil)
			a.on("GET /badges?recipient_email_all::ada@example.org", all)
			a.on("GET /badges?recipient_email::ada@example.org", many(own, other))
			got, err := a.client.ForPerson(t.Context(), mustEmail(t, "ada@example.org"))
			if err != nil || len(got) != 1 || got[0].ProviderID != testBadge {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	a := newAPI(t, nil)
	if _, err := a.client.ForPerson(t.Context(), mustEmail(t, "a|b@example.org")); !errors.Is(err, core.ErrRefused) || len(a.requests()) != 0 {
		t.Errorf("address with separators: %v", err)
	}
	a.on("GET /badges?recipient_email_all::Ada@Example.org", many())
	a.on("GET /badges?recipient_email_all::ada@example.org", many(own, `{"id":7,"badge_template":"broken"}`))
	got, err := a.client.ForPerson(t.Context(), mustEmail(t, "Ada@Example.org"))
	if err != nil || len(got) != 1 {
		t.Errorf("normal form: %+v, %v", got, err)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	const first = "GET /badges?recipient_email_all::ada@example.org"
	page := func(id, next string) http.HandlerFunc {
		return ok(fmt.Sprintf(`{"data":[%s],"metadata":{"next_page_url":%q}}`, badge(t, map[string]any{"id": id}), next))
	}
	// The second page lies under another prefix of the same origin, the third
	// is said to lie elsewhere and is asked for by number.
	a.on(first, page("b1", a.server.URL+"/api/v1/second"), page("b3", ""))
	a.on("GET /api/v1/second", page("b2", "https://attacker.example.org/v1/third"))
	got, err := a.client.ForPerson(t.Context(), mustEmail(t, "ada@example.org"))
	if err != nil || len(got) != 3 || got[2].ProviderID != "b3" {
		t.Fatalf("got %+v, %v", got, err)
	}
	a.requests()
	a.on(first, page("b1", a.server.URL+"/loop"))
	a.on("GET /loop", page("b2", a.server.URL+"/loop"))
	if _, err := a.client.ForPerson(t.Context(), mustEmail(t, "ada@example.org")); err != nil || len(a.requests()) != maxPages {
		t.Errorf("endless list: %v", err)
	}
	if strings.Contains(a.log.String(), "ada") {
		t.Errorf("log %s", a.log.String())
	}
	a.on("GET /badges?state::pending", page("b1", a.server.URL+"/loop"))
	a.on("GET /badges", page("b1", a.server.URL+"/loop"))
	if _, err := a.client.Get(t.Context(), testBadge); !errors.Is(err, errTooMany) || errors.Is(err, core.ErrNoSuchBadge) {
		t.Errorf("search cut off: %v", err)
	}
}

func TestBasicAuthorization(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	a.on("GET /badges/"+testBadge, func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != testToken.Reveal() || password != "" {
			t.Errorf("authorization %q %q", user, password)
		}
		one(badge(t, nil))(w, r)
	})
	if _, err := a.client.Get(t.Context(), testBadge); err != nil {
		t.Fatal(err)
	}
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(c *Config) { c.Token, c.ClientID, c.ClientSecret = "", "app", "hidden-secret" })
	n := 0
	a.on("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		body := url.Values{"client_id": {"app"}, "client_secret": {"hidden-secret"}, "grant_type": {"client_credentials"}, "scope": {scope}}
		if err := r.ParseForm(); err != nil || r.PostForm.Encode() != body.Encode() {
			t.Errorf("form %v, %v", r.PostForm, err)
		}
		n++
		ok(`{"access_token":"bearer-`+strconv.Itoa(n)+`","expires_in":7200}`)(w, r)
	})
	valid := "bearer-1"
	a.on("GET /badges/"+testBadge, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		one(badge(t, nil))(w, r)
	})
	get := func() error {
		_, err := a.client.Get(t.Context(), testBadge)
		return err
	}
	if err := errors.Join(get(), get()); err != nil || n != 1 {
		t.Fatalf("%v after %d tokens", err, n)
	}
	// Renewed before it ends.
	a.clock.advance(2*time.Hour - renewEarly)
	valid = "bearer-2"
	if err := get(); err != nil || n != 2 {
		t.Fatalf("%v after %d tokens", err, n)
	}
	// Renewed once when refused.
	valid = "bearer-3"
	if err := get(); err != nil || n != 3 {
		t.Fatalf("%v after %d tokens", err, n)
	}
	valid = "none"
	if err := get(); !errors.Is(err, core.ErrUnauthorized) || n != 4 {
		t.Fatalf("%v after %d tokens", err, n)
	}
	a.on("POST /oauth/token", status(401, `{"error":"invalid_client","error_description":"hidden-secret"}`))
	if err := get(); !errors.Is(err, core.ErrUnauthorized) || !strings.Contains(err.Error(), "invalid_client") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("refused application: %v", err)
	}
	a.on("POST /oauth/token", ok(`{"access_token":"bad\r\nvalue"}`))
	if err := get(); err == nil {
		t.Error("malformed access token was used")
	}
}

func TestOAuthAsksOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(c *Config) { c.Token, c.ClientID, c.ClientSecret = "", "app", "hidden-secret" })
	a.on("POST /oauth/token", ok(`{"access_token":"bearer"}`))
	a.on("GET /badges/"+testBadge, one(badge(t, nil)))
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := a.client.Get(t.Context(), testBadge)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	n := 0
	for _, asked := range a.requests() {
		if asked == "POST /oauth/token" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	valid := Config{OrganizationID: testOrganization, Token: testToken, Clock: &testClock{}}
	if _, err := New(valid); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no version":       func(c *Config) { c.APIURL = "https://api.credly.com" },
		"plain http":       func(c *Config) { c.APIURL = "http://api.credly.com/v1" },
		"user":             func(c *Config) { c.APIURL = "https://u:p@api.credly.com/v1" },
		"no url":           func(c *Config) { c.OAuthURL = "::" },
		"no organization":  func(c *Config) { c.OrganizationID = "" },
		"bad organization": func(c *Config) { c.OrganizationID = "a/b" },
		"no clock":         func(c *Config) { c.Clock = nil },
		"no secret":        func(c *Config) { c.ClientID = "app" },
		"no credentials":   func(c *Config) { c.Token = "" },
	} {
		c := valid
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestTrustedURL(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	for link, want := range map[string]bool{
		"https://www.credly.com/go/abc":                          true,
		"https://credly.com":                                     true,
		"https://sandbox.credly.com/x?y=1#z":                     true,
		"HTTPS://WWW.Credly.COM/x":                               true,
		"https://www.youracclaim.com/badges/x":                   true,
		a.server.URL + "/go/abc":                                 true,
		"http://www.credly.com/x":                                false,
		"https://evilcredly.com/":                                false,
		"https://credly.com.example.org/":                        false,
		"https://credly.com@example.org/":                        false,
		"https://user@www.credly.com/":                           false,
		"https://www.credly.com:8443/":                           false,
		"https://www.credly.com:443/":                            false,
		"https://www.credly.com./":                               false,
		"https://.credly.com/":                                   false,
		"https://a..credly.com/":                                 false,
		"https://crеdly.com/":                                    false,
		"https://www.cr%65dly.com/":                              false,
		"https://xn--crdly-6of.com/":                             false,
		"https://example.org\\@www.credly.com/":                  false,
		"https:www.credly.com/x":                                 false,
		"https:///www.credly.com/x":                              false,
		"//www.credly.com/x":                                     false,
		"javascript://www.credly.com/%0aalert(1)":                false,
		" https://www.credly.com/":                               false,
		"https://www.credly.com/\n":                              false,
		"https://[::1].credly.com/":                              false,
		"https" + strings.TrimPrefix(a.server.URL, "http") + "/": false,
		a.server.URL + "1/":                                      false,
		"http://127.0.0.1/":                                      false,
		"":                                                       false,
		"https://www.credly.com/" + strings.Repeat("x", maxLink): false,
	} {
		if got := a.client.TrustedURL(link); got != want {
			t.Errorf("TrustedURL(%q) = %v", link, got)
		}
	}
}

func TestSweepsLeaveRoom(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(c *Config) { c.PerSecond = 10 })
	a.on("GET /badges/"+testBadge, one(badge(t, nil)))
	sweep := a.client.Background()
	ctx := t.Context()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 12 {
			_, _ = sweep.Get(ctx, testBadge)
		}
	}()
	started := time.Now()
	for range 4 {
		if _, err := a.client.Get(ctx, testBadge); err != nil {
			t.Error(err)
		}
	}
	select {
	case <-done:
		t.Error("the sweep came first")
	default:
	}
	<-done
	if took := time.Since(started); took < time.Second {
		t.Errorf("twelve calls of a sweep took only %v", took)
	}
}
