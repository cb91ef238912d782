package slack

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core/chat"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	form := b.commandForm("").Encode()
	with := func(name, value string) string {
		f := b.commandForm("")
		f.Set(name, value)
		return f.Encode()
	}
	payload := func(s string) string { return url.Values{"payload": {s}}.Encode() }
	tests := []struct {
		name, path, contentType, body string
		change                        func(*http.Request)
		want                          int
	}{
		{"other method", CommandsPath, formType, form, func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed},
		{"other type", CommandsPath, jsonType, form, nil, http.StatusUnsupportedMediaType},
		{"no type", InteractionsPath, "", form, nil, http.StatusUnsupportedMediaType},
		{"form at events", EventsPath, formType, "{}", nil, http.StatusUnsupportedMediaType},
		{"too large", CommandsPath, formType, "text=" + strings.Repeat("a", maxBody), nil, http.StatusRequestEntityTooLarge},
		{"unsigned", CommandsPath, formType, form, func(r *http.Request) { r.Header.Del(signatureHeader) }, http.StatusUnauthorized},
		{"forged", EventsPath, jsonType, "{}", func(r *http.Request) { r.Header.Set(signatureHeader, sign("other", "1", "{}")) }, http.StatusUnauthorized},
		{"bad escape", CommandsPath, formType, "text=%zz", nil, http.StatusBadRequest},
		{"command without user", CommandsPath, formType, with("user_id", ""), nil, http.StatusBadRequest},
		{"command without trigger", CommandsPath, formType, with("trigger_id", ""), nil, http.StatusBadRequest},
		{"field twice", CommandsPath, formType, form + "&user_id=U2", nil, http.StatusBadRequest},
		{"not UTF-8", CommandsPath, formType, form + "&text2=\xff", nil, http.StatusBadRequest},
		{"escaped not UTF-8", CommandsPath, formType, with("text", "\xff"), nil, http.StatusBadRequest},
		{"NUL", CommandsPath, formType, with("text", "a\x00"), nil, http.StatusBadRequest},
		{"foreign response URL", CommandsPath, formType, with("response_url", "https://evil.example.org/hooks"), nil, http.StatusBadRequest},
		{"look-alike response URL", CommandsPath, formType, with("response_url", "https://hooks.slack.com@evil.example.org/"), nil, http.StatusBadRequest},
		{"plain response URL", CommandsPath, formType, with("response_url", "http://hooks.slack.com/x"), nil, http.StatusBadRequest},
		{"no payload", InteractionsPath, formType, "a=b", nil, http.StatusBadRequest},
		{"two payloads", InteractionsPath, formType, payload("{}") + "&payload=1", nil, http.StatusBadRequest},
		{"broken payload", InteractionsPath, formType, payload(`{"type":"block_actions"`), nil, http.StatusBadRequest},
		{"wrong type", InteractionsPath, formType, payload(`{"type":["block_actions"]}`), nil, http.StatusBadRequest},
		{"actions of wrong type", InteractionsPath, formType, payload(`{"type":"block_actions","actions":{}}`), nil, http.StatusBadRequest},
		{"no actor", InteractionsPath, formType, payload(`{"type":"block_actions"}`), nil, http.StatusBadRequest},
		{"no view", InteractionsPath, formType, payload(`{"type":"view_submission","team":{"id":"T1"},"user":{"id":"U1"}}`), nil, http.StatusBadRequest},
		{"array as event", EventsPath, jsonType, "[]", nil, http.StatusBadRequest},
		{"empty event", EventsPath, jsonType, "{}", nil, http.StatusBadRequest},
		{"event without id", EventsPath, jsonType, `{"type":"event_callback","team_id":"T1","event":{"type":"app_uninstalled"}}`, nil, http.StatusBadRequest},
		{"event not UTF-8", EventsPath, jsonType, "{\"type\":\"\xff\"}", nil, http.StatusBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := b.request(tt.path, tt.contentType, tt.body)
			if tt.change != nil {
				tt.change(r)
			}
			w := b.serve(r)
			if w.Code != tt.want {
				t.Errorf("got status %d, want %d", w.Code, tt.want)
			}
			if tt.want == http.StatusMethodNotAllowed && w.Header().Get("Allow") != http.MethodPost {
				t.Error("Allow is missing")
			}
		})
	}
	t.Cleanup(func() {
		if n := len(b.handler.actions); n != 0 {
			t.Errorf("%d actions came through", n)
		}
		logs := b.logs.String()
		if got, want := strings.Count(logs, "slack request refused"), len(tests); got != want {
			t.Errorf("%d log lines for %d refusals", got, want)
		}
		for _, secret := range []string{"U1", "ada", "secret-hook", "evil"} {
			if strings.Contains(logs, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}

func TestChunkedBodyIsCapped(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, EventsPath, bytes.NewReader(bytes.Repeat([]byte("a"), maxBody+1)))
	r.ContentLength = -1
	r.Header.Set("Content-Type", jsonType)
	if w := b.serve(r); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got status %d", w.Code)
	}
}

func TestSSLCheckUsesNothingElse(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("x")})
	form := b.commandForm("claim")
	form.Set("ssl_check", "1")
	for _, path := range []string{CommandsPath, InteractionsPath} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", formType)
		if w := b.serve(r); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: got status %d and %d bytes", path, w.Code, w.Body.Len())
		}
	}
	if len(b.handler.actions) != 0 {
		t.Error("an unsigned action came through")
	}
	// What only looks like it is verified like everything else.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, CommandsPath, strings.NewReader("text=ssl_check%3D1&ssl_check=0"))
	r.Header.Set("Content-Type", formType)
	if w := b.serve(r); w.Code != http.StatusUnauthorized {
		t.Errorf("got status %d", w.Code)
	}
}

func TestNoHandlerYet(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	b.Adapter.handler.Store(nil)
	if w := b.command(b.commandForm("")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("got status %d", w.Code)
	}
	b.SetHandler(b.handler)
	if w := b.command(b.commandForm("")); w.Code != http.StatusOK {
		t.Errorf("got status %d", w.Code)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	r := b.request(CommandsPath, formType, b.commandForm("").Encode())
	r.Header.Set("X-Slack-Retry-Num", "1")
	b.serve(r)
	b.serve(b.request(CommandsPath, jsonType, ""))
	if got := b.counted("laurel_slack_requests_total", kindCommand, outcomeAnswered); got != 1 {
		t.Errorf("answered: %v", got)
	}
	if got := b.counted("laurel_slack_requests_total", kindCommand, "refused_media_type"); got != 1 {
		t.Errorf("refused: %v", got)
	}
	if got := b.counted("laurel_slack_retried_requests_total"); got != 1 {
		t.Errorf("retries: %v", got)
	}
	if got := b.counted("laurel_slack_ack_seconds", kindCommand); got != 2 {
		t.Errorf("latencies: %v", got)
	}
}
