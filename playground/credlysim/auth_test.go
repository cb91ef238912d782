package credlysim_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/credlysim"
)

func TestAuthorization(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.AddToken(credlysim.AuthToken{Token: "read-only", Read: true})
	w.AddToken(credlysim.AuthToken{Token: "old", Read: true, ExpiresAt: start.Add(-time.Hour)})
	tests := []struct {
		name, method, path, auth string
		body                     any
		want                     int
	}{
		{name: "token", method: http.MethodGet, path: "/badges", auth: token, want: http.StatusOK},
		{name: "none", method: http.MethodGet, path: "/badges", want: http.StatusUnauthorized},
		{name: "wrong", method: http.MethodGet, path: "/badges", auth: "wrong", want: http.StatusUnauthorized},
		{name: "expired", method: http.MethodGet, path: "/badges", auth: "old", want: http.StatusUnauthorized},
		{name: "read reads", method: http.MethodGet, path: "/badges", auth: "read-only", want: http.StatusOK},
		{name: "read writes", method: http.MethodPost, path: "/badges", auth: "read-only", body: map[string]any{}, want: http.StatusForbidden},
		{name: "read deletes", method: http.MethodDelete, path: "/badges/x", auth: "read-only", want: http.StatusForbidden},
		{name: "unknown badge", method: http.MethodGet, path: "/badges/x", auth: token, want: http.StatusNotFound},
		{name: "bad bearer", method: http.MethodGet, path: "/badges", auth: "Bearer nothing", want: http.StatusUnauthorized},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, got := w.request(tt.method, tt.path, tt.auth, tt.body)
			if status != tt.want {
				t.Errorf("status %d, want %d: %v", status, tt.want, got)
			}
			if status == http.StatusNotFound && got["message"] != "resource not found" {
				t.Errorf("body %v", got)
			}
		})
	}
	status, got := w.request(http.MethodGet, w.APIURL()+"/organizations/other/badges", token, nil)
	if status != http.StatusNotFound {
		t.Errorf("other organization: %d %v", status, got)
	}
	_, listed := w.request(http.MethodGet, "/authorization_tokens", "read-only", nil)
	if n := len(listed["data"].([]any)); n != 2 {
		t.Errorf("a read-only token sees %d tokens, want the 2 that may only read", n)
	}
}

func (w *world) bearer(scope string) (int, map[string]any) {
	w.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}, "scope": {scope}}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.OAuthURL(), strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, got
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if status, _ := w.bearer("issued_badges everything"); status != http.StatusBadRequest {
		t.Errorf("unknown scope: %d", status)
	}
	status, got := w.bearer("issued_badges badge_templates")
	if status != http.StatusOK || got["expires_in"] != 7200.0 {
		t.Fatalf("token: %d %v", status, got)
	}
	auth := "Bearer " + got["access_token"].(string)
	if status, _ := w.request(http.MethodGet, "/badges", auth, nil); status != http.StatusOK {
		t.Errorf("badges: %d", status)
	}
	if status, _ := w.request(http.MethodGet, "/events", auth, nil); status != http.StatusForbidden {
		t.Errorf("events without the scope: %d", status)
	}
	w.clock.Advance(2 * time.Hour)
	if status, _ := w.request(http.MethodGet, "/badges", auth, nil); status != http.StatusUnauthorized {
		t.Errorf("expired: %d", status)
	}
	wire, err := json.Marshal(w.Wire())
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{secret, strings.TrimPrefix(auth, "Bearer "), token} {
		if bytes.Contains(wire, []byte(hidden)) {
			t.Error("the wire log shows a secret")
		}
	}
}

func TestTokenRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	status, got := w.call(http.MethodPost, "/authorization_tokens/rotate", nil)
	if status != http.StatusOK {
		t.Fatalf("rotate: %d %v", status, got)
	}
	fresh := got["data"].(map[string]any)["token"].(string)
	if status, _ := w.call(http.MethodGet, "/badges", nil); status != http.StatusUnauthorized {
		t.Errorf("old token: %d", status)
	}
	if status, _ := w.request(http.MethodGet, "/badges", fresh, nil); status != http.StatusOK {
		t.Errorf("new token: %d", status)
	}
}
