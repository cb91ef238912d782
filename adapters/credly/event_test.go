package credly

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/internal/refdata"
)

func delivery(kind, more string) string {
	return fmt.Sprintf(`{"id":"e1","organization_id":%q,"event_type":%q,"occurred_at":"2026-11-22T10:00:00Z"%s}`, testOrganization, kind, more)
}

func TestEvent(t *testing.T) {
	t.Parallel()
	const fetch, read = "GET /events/e1", "GET /badges/" + testBadge
	changed := func(more string) http.HandlerFunc {
		return one(`{"id":"e1","event_type":"badge.state.changed","occurred_at":"2026-11-22T10:00:00Z"` + more + `}`)
	}
	hint := `,"badge":{"id":"` + testBadge + `"}`
	for _, tc := range []struct {
		name    string
		payload string
		answers map[string]http.HandlerFunc
		want    string
		err     error
		silent  bool
	}{
		{name: "badge", payload: delivery("badge.state.changed", ""), answers: map[string]http.HandlerFunc{fetch: changed(hint)}, want: testBadge},
		{
			name: "upper case organization", payload: strings.ToUpper(testOrganization), want: testBadge,
			answers: map[string]http.HandlerFunc{fetch: changed(hint)},
		},
		{name: "forged hint is not believed", payload: delivery("badge.created", `,"badge":{"id":"forged"}`), answers: map[string]http.HandlerFunc{fetch: changed(hint)}, want: testBadge},
		{name: "hint", payload: delivery("badge.created", hint), answers: map[string]http.HandlerFunc{fetch: changed(""), read: one(badge(t, nil))}, want: testBadge},
		{name: "hint by id", payload: delivery("badge.created", `,"badge_id":"`+testBadge+`"`), answers: map[string]http.HandlerFunc{fetch: changed(`,"badge":{}`), read: one(badge(t, nil))}, want: testBadge},
		{
			name: "hint to nothing", payload: delivery("badge.created", hint), err: core.ErrNoSuchBadge,
			answers: map[string]http.HandlerFunc{fetch: changed(""), "GET /badges?state::pending": many(), "GET /badges": many()},
		},
		{name: "no badge at all", payload: delivery("badge.created", ""), answers: map[string]http.HandlerFunc{fetch: changed("")}},
		{name: "unknown event", payload: delivery("badge.created", hint), err: core.ErrNoSuchBadge},
		{name: "template", payload: delivery("badge_template.changed", ""), silent: true},
		{name: "unknown type", payload: delivery("employee.created", ""), silent: true},
		{name: "no type", payload: delivery("", ""), silent: true},
		{name: "fetched is a template event", payload: delivery("badge.created", ""), answers: map[string]http.HandlerFunc{fetch: ok(string(refdata.Read(t, "credly", "docs-examples", "event_fetch_badge_template_changed.json")))}},
		{name: "fetched is another organization's", payload: delivery("badge.created", ""), answers: map[string]http.HandlerFunc{fetch: changed(`,"organization_id":"x"` + hint)}, err: core.ErrNoSuchBadge},
		{name: "other organization", payload: string(refdata.Read(t, "credly", "docs-examples", "webhook_delivery.json")), err: core.ErrNoSuchBadge, silent: true},
		{name: "no json", payload: "x", err: core.ErrNoSuchBadge, silent: true},
		{name: "path in id", payload: strings.Replace(delivery("badge.created", ""), `"e1"`, `"../badges"`, 1), err: core.ErrNoSuchBadge, silent: true},
		{name: "no permission", payload: delivery("badge.created", ""), answers: map[string]http.HandlerFunc{fetch: status(403, ``)}, err: core.ErrUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.name == "upper case organization" {
				tc.payload = strings.Replace(delivery("badge.state.changed", ""), testOrganization, tc.payload, 1)
			}
			a := newAPI(t, nil)
			for key, answer := range tc.answers {
				a.on(key, answer)
			}
			id, err := a.client.Event(t.Context(), []byte(tc.payload))
			if id != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("got %q, %v", id, err)
			}
			if asked := a.requests(); tc.silent == (len(asked) > 0) {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

// fakeInbox keeps messages by key.
type fakeInbox struct {
	mu      sync.Mutex
	all     []inbox.Message
	receive func(context.Context) error
}

func (f *fakeInbox) Receive(ctx context.Context, m inbox.Message) (bool, error) {
	if f.receive != nil {
		if err := f.receive(ctx); err != nil {
			return false, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, have := range f.all {
		if have.Key == m.Key {
			return false, nil
		}
	}
	f.all = append(f.all, m)
	return true, nil
}

const webhookToken = "an-unguessable-token"

func newWebhook(t testing.TB, box inbox.Receiver, log *slog.Logger) (*Webhook, *http.ServeMux) {
	t.Helper()
	h, err := NewWebhook(WebhookConfig{Token: webhookToken, OrganizationID: testOrganization, Inbox: box, Log: log, Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.Routes(mux)
	return h, mux
}

func post(t testing.TB, h http.Handler, token, body string) int {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/credly/"+token, strings.NewReader(body)))
	return w.Code
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	box := &fakeInbox{}
	_, mux := newWebhook(t, box, slog.New(slog.NewTextHandler(&log, nil)))
	accepted := delivery("badge.state.changed", `,"badge":{"recipient_email":"ada@example.org"}`)
	for _, tc := range []struct {
		name, token, body string
		status            int
	}{
		{"stored", webhookToken, accepted, 200},
		{"repeated", webhookToken, accepted, 200},
		{"unknown type", webhookToken, strings.Replace(delivery("employee.created", ""), "e1", "e2", 1), 200},
		{"no type", webhookToken, strings.Replace(delivery("", ""), "e1", "e3", 1), 200},
		{"wrong token", webhookToken + "x", accepted, 404},
		{"other organization", webhookToken, string(refdata.Read(t, "credly", "docs-examples", "webhook_delivery.json")), 404},
		{"no organization", webhookToken, `{"id":"e4"}`, 404},
		{"empty", webhookToken, "", 400},
		{"array", webhookToken, "[]", 400},
		{"null", webhookToken, "null", 400},
		{"id a number", webhookToken, strings.Replace(accepted, `"e1"`, `1`, 1), 400},
		{"no id", webhookToken, strings.Replace(accepted, `"e1"`, `""`, 1), 400},
		{"truncated", webhookToken, accepted[:len(accepted)-1], 400},
		{"not utf-8", webhookToken, strings.Replace(accepted, "ada", "\xff", 1), 400},
		{"too large", webhookToken, accepted + strings.Repeat(" ", maxDelivery), 413},
	} {
		if got := post(t, mux, tc.token, tc.body); got != tc.status {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.status)
		}
	}
	if len(box.all) != 3 || box.all[0] != (inbox.Message{Source: "credly", Key: "e1", Kind: inbox.KindProviderEvent, Payload: accepted}) {
		t.Errorf("stored %+v", box.all)
	}
	if strings.Contains(log.String(), "example.org") || strings.Contains(log.String(), webhookToken) {
		t.Errorf("log %s", log.String())
	}
}

func TestWebhookStoreFails(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for name, receive := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errors.New("store is gone") },
		"slow":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"deaf":  func(context.Context) error { <-hang; return nil },
		"panic": func(context.Context) error { panic("store") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, mux := newWebhook(t, &fakeInbox{receive: receive}, nil)
			h.timeout = 50 * time.Millisecond
			if got := post(t, mux, webhookToken, delivery("badge.created", "")); got != http.StatusServiceUnavailable {
				t.Errorf("status %d", got)
			}
		})
	}
}

func TestNewWebhookRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]WebhookConfig{
		"no token":        {OrganizationID: testOrganization, Inbox: &fakeInbox{}},
		"short token":     {Token: "short", OrganizationID: testOrganization, Inbox: &fakeInbox{}},
		"no organization": {Token: webhookToken, Inbox: &fakeInbox{}},
		"no inbox":        {Token: webhookToken, OrganizationID: testOrganization},
	} {
		if _, err := NewWebhook(cfg); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzWebhook(f *testing.F) {
	f.Add([]byte(delivery("badge.state.changed", "")))
	f.Add([]byte(delivery("x", `,"badge":{"id":7},"data":{"badge":null}`)))
	f.Add([]byte(`{"id":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		box := &fakeInbox{}
		_, mux := newWebhook(t, box, nil)
		switch got := post(t, mux, webhookToken, string(body)); got {
		case 200:
			if len(box.all) != 1 || !validID(box.all[0].Key) {
				t.Fatalf("stored %+v", box.all)
			}
		case 400, 404, 413:
			if len(box.all) != 0 {
				t.Fatalf("status %d but stored", got)
			}
		default:
			t.Fatalf("status %d", got)
		}
	})
}
