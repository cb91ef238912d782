package credly

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	testOrganization             = "88cf96b7-e4ca-4a17-b938-a72bf2b9c273"
	testBadge                    = "749daf6e-4dbc-4b47-b401-b7e0477e0284"
	testTemplate                 = "09d1ac8b-d097-4ae4-844a-a2ae01d1bdbe"
	testToken        core.Secret = "a-token-nobody-may-see"
)

var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// testClock can be moved.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// api is a Credly that answers from a table of "METHOD path?query" below the
// organization; what is not in it answers 404.
type api struct {
	t      *testing.T
	server *httptest.Server
	client *Client
	clock  *testClock
	log    bytes.Buffer

	mu      sync.Mutex
	answers map[string]http.HandlerFunc
	asked   []string
	bodies  []string
}

func newAPI(t *testing.T, change func(*Config)) *api {
	t.Helper()
	a := &api{t: t, clock: &testClock{now: testTime}, answers: map[string]http.HandlerFunc{}}
	a.server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.server.Close)
	cfg := Config{
		APIURL: a.server.URL + "/v1", OAuthURL: a.server.URL + "/oauth/token", OrganizationID: testOrganization,
		Token: testToken, Clock: a.clock, PerSecond: 10_000, Log: slog.New(slog.NewTextHandler(&a.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if a.client, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	path := strings.TrimPrefix(r.URL.Path, "/v1/organizations/"+testOrganization)
	key := r.Method + " " + path
	if r.URL.RawQuery != "" {
		key += "?" + r.URL.Query().Encode()
		if f := r.URL.Query().Get("filter"); f != "" {
			key = r.Method + " " + path + "?" + f
		}
	}
	a.mu.Lock()
	a.asked = append(a.asked, key)
	a.bodies = append(a.bodies, string(body))
	answer := a.answers[key]
	a.mu.Unlock()
	if answer == nil {
		answer = status(http.StatusNotFound, `{"message":"resource not found"}`)
	}
	answer(w, r)
}

func (a *api) on(key string, answers ...http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	a.answers[key] = func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		answer := answers[min(n, len(answers)-1)]
		n++
		a.mu.Unlock()
		answer(w, r)
	}
}

// requests returns what was asked since the last call.
func (a *api) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}

func (a *api) lastBody() map[string]any {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.bodies) - 1; i >= 0; i-- {
		if a.bodies[i] == "" {
			continue
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(a.bodies[i]), &body); err != nil {
			a.t.Fatal(err)
		}
		return body
	}
	a.t.Fatal("no body was sent")
	return nil
}

func status(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func ok(body string) http.HandlerFunc { return status(http.StatusOK, body) }

// badge is a badge object with fields replaced or added.
func badge(t testing.TB, change map[string]any) string {
	t.Helper()
	b := map[string]any{
		"id": testBadge, "state": "pending", "public": false, "recipient_email": "ada@example.org",
		"issued_to_first_name": "Ada", "issued_to_last_name": "Example", "issuer_earner_id": "A-1",
		"badge_template":   map[string]any{"id": testTemplate, "name": "Level B", "allow_duplicate_badges": false},
		"created_at":       "2026-11-20T10:00:00.000Z",
		"accept_badge_url": "https://www.credly.com/go/personal",
		"badge_url":        "https://www.credly.com/badges/" + testBadge,
	}
	for k, v := range change {
		b[k] = v
	}
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func one(object string) http.HandlerFunc { return ok(`{"data":` + object + `,"metadata":{}}`) }

func many(objects ...string) http.HandlerFunc {
	return ok(`{"data":[` + strings.Join(objects, ",") + `],"metadata":{"next_page_url":null}}`)
}

func refusal(message string) http.HandlerFunc {
	return status(http.StatusUnprocessableEntity, `{"data":{"message":"`+message+`"},"metadata":{}}`)
}

func mustEmail(t testing.TB, s string) core.Email {
	t.Helper()
	e, err := core.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func request(t testing.TB) core.IssueRequest {
	t.Helper()
	return core.IssueRequest{
		ExternalID: "A-1", TemplateID: testTemplate, Recipient: mustEmail(t, "ada@example.org"),
		FirstName: "Ada", LastName: "Example", Locale: "de-CH",
		IssuedAt: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), ExpiresAt: time.Date(2031, 11, 20, 0, 0, 0, 0, time.UTC),
		Certificate: core.Certificate{Number: "C-77", URL: "https://certificates.example.org/C-77"},
	}
}
