package credlysim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/simclock"
)

const (
	orgID  = "3f0c2a6e-3a55-4c58-9c0b-5f3d8c1e0a11"
	token  = "test-token-with-all-permissions"
	client = "client-one"
	secret = "secret-of-client-one"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

type world struct {
	*credlysim.Server
	t     *testing.T
	clock *simclock.Clock
	tpl   credlysim.Template
}

func newWorld(t *testing.T, change func(*credlysim.Config)) *world {
	t.Helper()
	clock := simclock.NewFrozen(start)
	cfg := credlysim.Config{Clock: clock, OrganizationID: orgID, Token: token, ClientID: client, ClientSecret: secret, ManualWebhooks: true}
	if change != nil {
		change(&cfg)
	}
	s, err := credlysim.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	tpl := s.AddTemplate(credlysim.Template{Name: "Project Manager Level B", Description: "Leads complex projects.", Skills: []string{"Leadership"}})
	return &world{Server: s, t: t, clock: clock, tpl: tpl}
}

func (w *world) request(method, target, auth string, body any) (int, map[string]any) {
	w.t.Helper()
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	if !strings.HasPrefix(target, "http") {
		target = w.APIURL() + "/organizations/" + orgID + target
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, target, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case strings.HasPrefix(auth, "Bearer "):
		req.Header.Set("Authorization", auth)
	case auth != "":
		req.SetBasicAuth(auth, "")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var decoded map[string]any
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(data, &decoded); err != nil {
			w.t.Fatalf("decode %q: %v", data, err)
		}
	}
	return resp.StatusCode, decoded
}

func (w *world) call(method, path string, body any) (int, map[string]any) {
	w.t.Helper()
	return w.request(method, path, token, body)
}

func award(tpl, email, earner string) map[string]any {
	body := map[string]any{
		"recipient_email": email, "issued_to_first_name": "Ada", "issued_to_last_name": "Example",
		"badge_template_id": tpl, "issued_at": "2026-11-01 09:41:00 -0500",
	}
	if earner != "" {
		body["issuer_earner_id"] = earner
	}
	return body
}

func (w *world) issue(email, earner string) string {
	w.t.Helper()
	status, got := w.call(http.MethodPost, "/badges", award(w.tpl.ID, email, earner))
	if status != http.StatusCreated {
		w.t.Fatalf("issue: %d %v", status, got)
	}
	return got["data"].(map[string]any)["id"].(string)
}

// paths collects the key paths of a JSON value; elements of lists are merged.
func paths(v any, at string, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			into[at+"."+k] = true
			paths(e, at+"."+k, into)
		}
	case []any:
		for _, e := range v {
			paths(e, at+"[]", into)
		}
	}
}

func checkKeys(t *testing.T, got map[string]any, sample []byte, more ...string) {
	t.Helper()
	var want any
	if err := json.Unmarshal(sample, &want); err != nil {
		t.Fatal(err)
	}
	have, need := map[string]bool{}, map[string]bool{}
	paths(got, "", have)
	paths(want, "", need)
	for p := range need {
		if !have[p] {
			t.Errorf("key %s is in the example but not in the answer", p)
		}
	}
	for p := range have {
		if !need[p] && !slices.Contains(more, p) {
			t.Errorf("key %s is in the answer but not in the example", p)
		}
	}
}

func TestAnswersHaveTheDocumentedKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *credlysim.Config) { c.PublicOnAccept = true })
	second := w.AddTemplate(credlysim.Template{Name: "Level A", Requires: []string{w.tpl.ID}, ReportingTags: []string{"expert"}})
	body := award(w.tpl.ID, "user1@example.com", "earner-1")
	body["expires_at"] = "2031-11-01 09:41:00 -0500"
	body["evidence"] = []map[string]any{
		{"type": "UrlEvidence", "name": "Certificate", "description": "On paper", "value": "https://example.org/c/1"},
		{"type": "IdEvidence", "title": "Number", "description": "", "id": "C-1"},
	}
	status, issued := w.call(http.MethodPost, "/badges", body)
	if status != http.StatusCreated {
		t.Fatalf("issue: %d %v", status, issued)
	}
	badge := issued["data"].(map[string]any)
	if badge["user"] != nil || badge["state"] != "pending" || badge["accept_badge_url"] == nil {
		t.Errorf("fresh badge: %v", badge)
	}
	id := badge["id"].(string)
	if err := w.Accept(id); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, target, auth string
		sample             []string
		more               []string
	}{
		{name: "badges", target: "/badges", sample: []string{"credly", "nti-issued_badges.json"}},
		{name: "templates", target: "/badge_templates", sample: []string{"credly", "nti-template_collection.json"}},
		{name: "template", target: "/badge_templates/" + w.tpl.ID, sample: []string{"credly", "nti-template.json"}},
		{
			name: "organizations", target: w.APIURL() + "/organizations",
			sample: []string{"credly", "docs-examples", "organizations_list.json"},
		},
		{name: "tokens", target: "/authorization_tokens", sample: []string{"credly", "docs-examples", "authorization_tokens_list.json"}},
		{name: "applications", target: "/oauth_applications", sample: []string{"credly", "docs-examples", "oauth_applications_list.json"}},
		{
			name: "assertion", target: w.APIURL() + "/obi/v2/badge_assertions/" + id,
			sample: []string{"credly", "docs-examples", "obi_v2_badge_assertion.json"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, got := w.call(http.MethodGet, tt.target, nil)
			if status != http.StatusOK {
				t.Fatalf("status %d: %v", status, got)
			}
			checkKeys(t, got, refdata.Read(t, tt.sample...), tt.more...)
		})
	}
	t.Run("event", func(t *testing.T) {
		t.Parallel()
		events := w.Events()
		i := slices.IndexFunc(events, func(e credlysim.Event) bool { return e.TemplateID == second.ID })
		_, got := w.call(http.MethodGet, "/events/"+events[i].ID, nil)
		data := got["data"].(map[string]any)
		for _, key := range []string{"id", "event_type", "occurred_at", "badge_template"} {
			if data[key] == nil {
				t.Errorf("event lacks %s: %v", key, data)
			}
		}
		if len(data) != 4 {
			t.Errorf("event has more than documented: %d keys", len(data))
		}
		for _, key := range []string{"id", "name", "state"} {
			if data["badge_template"].(map[string]any)[key] == nil {
				t.Errorf("template of event lacks %s", key)
			}
		}
	})
}

// TestRecipientHash holds the assertion against Credly's documented example:
// SHA-256 of the address, without a salt.
func TestRecipientHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *credlysim.Config) { c.PublicOnAccept = true })
	id := w.issue("user1@example.com", "")
	target := w.APIURL() + "/obi/v2/badge_assertions/" + id
	look := func() int {
		status, _ := w.request(http.MethodGet, target, "", nil)
		return status
	}
	if got := look(); got != http.StatusNotFound {
		t.Errorf("pending: %d", got)
	}
	if err := w.Accept(id); err != nil {
		t.Fatal(err)
	}
	_, got := w.request(http.MethodGet, target, "", nil)
	want := "sha256$b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe210"
	if identity := got["recipient"].(map[string]any)["identity"]; identity != want {
		t.Errorf("identity %v", identity)
	}
	for _, link := range []string{"badge"} {
		status, class := w.request(http.MethodGet, got[link].(string), "", nil)
		if status != http.StatusOK || class["id"] != got[link] {
			t.Errorf("%s: %d %v", link, status, class)
		}
		if status, _ := w.request(http.MethodGet, class["issuer"].(string), "", nil); status != http.StatusOK {
			t.Errorf("issuer: %d", status)
		}
	}
	if err := w.SetProfilePublic("user1@example.com", false); err != nil {
		t.Fatal(err)
	}
	if got := look(); got != http.StatusNotFound {
		t.Errorf("private profile: %d", got)
	}
	if status, _ := w.request(http.MethodGet, w.URL()+"/badges/"+id, "", nil); status != http.StatusNotFound {
		t.Errorf("page of private profile: %d", status)
	}
	if err := w.SetProfilePublic("user1@example.com", true); err != nil {
		t.Fatal(err)
	}
	if err := w.SetPublic(id, false); err != nil {
		t.Fatal(err)
	}
	if got := look(); got != http.StatusNotFound {
		t.Errorf("private: %d", got)
	}
	if err := w.Revoke(id, "error"); err != nil {
		t.Fatal(err)
	}
	status, gone := w.request(http.MethodGet, target, "", nil)
	if status != http.StatusGone || gone["revoked"] != true {
		t.Errorf("revoked: %d %v", status, gone)
	}
}

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

func TestIssueValidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	archived := w.AddTemplate(credlysim.Template{Name: "Old", State: "archived"})
	if _, err := w.Register("main@example.org", credlysim.Registration{FirstName: "Ada", LastName: "Example", MoreEmails: []string{"second@example.org"}}); err != nil {
		t.Fatal(err)
	}
	w.issue("main@example.org", "earner-1")
	tests := []struct {
		name   string
		change func(map[string]any)
		want   int
	}{
		{"missing field", func(b map[string]any) { delete(b, "issued_to_last_name") }, http.StatusUnprocessableEntity},
		{"bad address", func(b map[string]any) { b["recipient_email"] = "nobody" }, http.StatusUnprocessableEntity},
		{"bad time", func(b map[string]any) { b["issued_at"] = "yesterday" }, http.StatusUnprocessableEntity},
		{"bad locale", func(b map[string]any) { b["locale"] = "xx" }, http.StatusUnprocessableEntity},
		{"unknown template", func(b map[string]any) { b["badge_template_id"] = "none" }, http.StatusUnprocessableEntity},
		{"archived template", func(b map[string]any) { b["badge_template_id"] = archived.ID }, http.StatusUnprocessableEntity},
		{"unknown field", func(b map[string]any) { b["issuer_earner"] = "x" }, http.StatusUnprocessableEntity},
		{"expires before issued", func(b map[string]any) { b["expires_at"] = "2020-01-01" }, http.StatusUnprocessableEntity},
		{"expires true", func(b map[string]any) { b["expires_at"] = true }, http.StatusUnprocessableEntity},
		{"wrong type", func(b map[string]any) { b["recipient_email"] = 7 }, http.StatusBadRequest},
		{"same address", func(b map[string]any) { b["recipient_email"] = "MAIN@example.org" }, http.StatusUnprocessableEntity},
		{"same account", func(b map[string]any) { b["recipient_email"] = "second@example.org" }, http.StatusUnprocessableEntity},
		{"same earner id", func(b map[string]any) { b["issuer_earner_id"] = "earner-1" }, http.StatusUnprocessableEntity},
		{"never expires", func(b map[string]any) { b["recipient_email"] = "n@example.org"; b["expires_at"] = false }, http.StatusCreated},
		{"iso time", func(b map[string]any) {
			b["recipient_email"] = "i@example.org"
			b["issued_at"] = "2026-11-01T09:41:00Z"
		}, http.StatusCreated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := award(w.tpl.ID, "new@example.org", "")
			tt.change(body)
			status, got := w.call(http.MethodPost, "/badges", body)
			if status != tt.want {
				t.Fatalf("status %d, want %d: %v", status, tt.want, got)
			}
			if status == http.StatusUnprocessableEntity {
				message, _ := got["data"].(map[string]any)["message"].(string)
				if !strings.HasPrefix(message, "Validation failed: ") || got["metadata"] == nil {
					t.Errorf("body %v", got)
				}
			}
		})
	}
}

func ids(got map[string]any) []string {
	var all []string
	for _, d := range got["data"].([]any) {
		all = append(all, d.(map[string]any)["id"].(string))
	}
	return all
}

func TestFiltersAndPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.Register("main@example.org", credlysim.Registration{FirstName: "Ada", LastName: "Example"}); err != nil {
		t.Fatal(err)
	}
	first := w.issue("main@example.org", "earner-1")
	for range 54 {
		w.clock.Advance(time.Minute)
		w.issue("p"+w.clock.Now().Format("1504")+"@example.org", "")
	}
	if err := w.Accept(first); err != nil {
		t.Fatal(err)
	}
	second := w.issue("second@example.org", "earner-2")
	if err := w.AddEmail("main@example.org", "second@example.org", true); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, filter string
		want         []string
		status       int
	}{
		{name: "address", filter: "recipient_email::MAIN@example.org", want: []string{first}},
		{name: "all addresses", filter: "recipient_email_all::second@example.org", want: []string{second, first}},
		{name: "earners", filter: "issuer_earner_id::earner-1,earner-2", want: []string{second, first}},
		{name: "two keys", filter: "issuer_earner_id::earner-1,earner-2|state::accepted,revoked", want: []string{first}},
		{name: "template", filter: "badge_template_id::" + w.tpl.ID + ",other|state::accepted", want: []string{first}},
		{name: "public", filter: "public::true", want: nil},
		{name: "expiring", filter: "expires_at_date_max::2030-01-01", want: nil},
		{name: "unknown key", filter: "recipient::x", status: http.StatusUnprocessableEntity},
		{name: "unknown state", filter: "state::expired", status: http.StatusUnprocessableEntity},
		{name: "one colon", filter: "state:pending", status: http.StatusUnprocessableEntity},
		{name: "bad bool", filter: "public::yes", status: http.StatusUnprocessableEntity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, got := w.call(http.MethodGet, "/badges?filter="+url.QueryEscape(tt.filter), nil)
			if tt.status != 0 {
				if status != tt.status {
					t.Errorf("status %d: %v", status, got)
				}
				return
			}
			if status != http.StatusOK || !slices.Equal(ids(got), tt.want) {
				t.Errorf("%d %v, want %v", status, ids(got), tt.want)
			}
		})
	}
	_, one := w.call(http.MethodGet, "/badges?sort=created_at&filter="+url.QueryEscape("state::pending,accepted"), nil)
	if all := ids(one); len(all) != 50 || all[0] != first {
		t.Errorf("first page has %d, starts with %s", len(all), all[0])
	}
	next, _ := one["metadata"].(map[string]any)["next_page_url"].(string)
	status, two := w.call(http.MethodGet, next, nil)
	if status != http.StatusOK || len(ids(two)) != 6 || two["metadata"].(map[string]any)["next_page_url"] != nil {
		t.Errorf("second page: %d %v", status, two["metadata"])
	}
	if !strings.HasPrefix(next, w.URL()+"/api/v1/") {
		t.Errorf("next page keeps the path prefix: %s", next)
	}
}

func TestReplaceRevokeDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	old := w.issue("typo@example.org", "earner-1")
	status, got := w.call(http.MethodPost, "/badges/"+old+"/replace", award(w.tpl.ID, "right@example.org", "earner-1"))
	if status != http.StatusCreated {
		t.Fatalf("replace: %d %v", status, got)
	}
	made := got["data"].(map[string]any)
	id := made["id"].(string)
	if made["replaces_badge_id"] != old || made["state"] != "pending" {
		t.Errorf("new badge: %v", made)
	}
	_, was := w.call(http.MethodGet, "/badges/"+old, nil)
	if d := was["data"].(map[string]any); d["replacement_badge_id"] != id || d["accept_badge_url"] != nil {
		t.Errorf("old badge: %v", d)
	}
	status, again := w.call(http.MethodPost, "/badges/"+old+"/replace", nil)
	if status != http.StatusUnprocessableEntity || again["metadata"].(map[string]any)["current_badge_id"] != id {
		t.Errorf("replace again: %d %v", status, again)
	}
	status, revoked := w.call(http.MethodPut, "/badges/"+id+"/revoke", map[string]any{"reason": "error", "suppress_revoke_notification_email": true})
	if status != http.StatusOK || revoked["data"].(map[string]any)["state"] != "revoked" {
		t.Errorf("revoke: %d %v", status, revoked)
	}
	if status, _ := w.call(http.MethodPut, "/badges/"+id+"/revoke", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("revoke twice: %d", status)
	}
	if status, _ := w.call(http.MethodDelete, "/badges/"+id, nil); status != http.StatusOK {
		t.Errorf("delete: %d", status)
	}
	if status, _ := w.call(http.MethodGet, "/badges/"+id, nil); status != http.StatusNotFound {
		t.Errorf("deleted: %d", status)
	}
	_, events := w.call(http.MethodGet, "/events", nil)
	text, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("right@example.org")) {
		t.Error("an event remembers an erased person")
	}
	w.SetSingleGet(http.StatusMethodNotAllowed)
	if status, _ := w.call(http.MethodGet, "/badges/"+old, nil); status != http.StatusMethodNotAllowed {
		t.Errorf("switched off: %d", status)
	}
}

func TestPeopleDecide(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if err := w.SetAutoAccept("ada@example.org", true); err == nil {
		t.Error("auto-accept for nobody")
	}
	first := w.issue("ada@example.org", "")
	created, _ := w.Badge(first)
	if err := w.Accept(first); err != nil {
		t.Fatal(err)
	}
	accepted, _ := w.Badge(first)
	if accepted.State != credlysim.StateAccepted || accepted.Public || accepted.AcceptURL != "" || !accepted.StateUpdatedAt.After(created.StateUpdatedAt) {
		t.Errorf("accepted: %+v", accepted)
	}
	if err := w.Reject(first); err == nil {
		t.Error("an accepted badge was rejected")
	}
	if err := w.SetPublic(first, true); err != nil {
		t.Fatal(err)
	}
	if err := w.SetAutoAccept("ada@example.org", true); err != nil {
		t.Fatal(err)
	}
	other := w.AddTemplate(credlysim.Template{Name: "Level C", ValidFor: 5 * 365 * 24 * time.Hour})
	_, got := w.call(http.MethodPost, "/badges", award(other.ID, "ada@example.org", ""))
	if d := got["data"].(map[string]any); d["state"] != "accepted" || d["expires_at"] == nil || d["user"] == nil {
		t.Errorf("auto-accepted: %v", d)
	}
	if _, err := w.Register("new@example.org", credlysim.Registration{Unconfirmed: true}); err != nil {
		t.Fatal(err)
	}
	second := w.issue("new@example.org", "")
	if err := w.Accept(second); err == nil {
		t.Error("an unconfirmed account accepted")
	}
	if err := w.ConfirmEmail("new@example.org"); err != nil {
		t.Fatal(err)
	}
	if err := w.Reject(second); err != nil {
		t.Fatal(err)
	}
	// Rejection is final, so the issuer may issue again.
	w.issue("new@example.org", "")
}

// listener is a webhook endpoint that answers as told.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies [][]byte
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{status: http.StatusOK}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.bodies = append(l.bodies, body)
		w.WriteHeader(l.status)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) answer(status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = status
}

func (l *listener) types(t *testing.T) []string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, b := range l.bodies {
		var got struct {
			Type string `json:"event_type"`
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		all = append(all, got.Type)
	}
	l.bodies = nil
	return all
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	l := newListener(t)
	w.SetWebhookURL(l.URL)
	ctx := t.Context()

	id := w.issue("ada@example.org", "")
	w.Tick(ctx)
	var delivered, sample map[string]any
	if err := json.Unmarshal(l.bodies[0], &delivered); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(refdata.Read(t, "credly", "docs-examples", "webhook_delivery.json"), &sample); err != nil {
		t.Fatal(err)
	}
	for k := range sample {
		if delivered[k] == nil {
			t.Errorf("webhook lacks %s", k)
		}
	}
	if len(delivered) != len(sample) {
		t.Errorf("webhook has more than documented: %v", delivered)
	}
	if status, got := w.call(http.MethodGet, "/events/"+delivered["id"].(string), nil); status != http.StatusOK || got["data"].(map[string]any)["badge"] == nil {
		t.Errorf("event: %d %v", status, got)
	}
	l.types(t)

	// 204 is a failure, and the pauses grow.
	l.answer(http.StatusNoContent)
	if err := w.Accept(id); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		advance time.Duration
		want    int
	}{{0, 1}, {59 * time.Second, 0}, {time.Second, 1}, {4 * time.Minute, 0}, {time.Minute, 1}} {
		w.clock.Advance(step.advance)
		if got := w.Tick(ctx); got != step.want {
			t.Errorf("after %s: %d sent, want %d", step.advance, got, step.want)
		}
	}
	l.answer(http.StatusOK)
	w.clock.Advance(time.Hour)
	w.Tick(ctx)
	if log := w.Deliveries(); len(log) != 2 || log[1].Stage != credlysim.DeliveryDelivered || len(log[1].Attempts) != 4 {
		t.Errorf("log: %+v", log)
	}
	l.types(t)

	w.HoldWebhooks()
	for _, public := range []bool{true, false} {
		if err := w.SetPublic(id, public); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Revoke(id, ""); err != nil {
		t.Fatal(err)
	}
	if n := w.Tick(ctx); n != 0 {
		t.Errorf("%d sent while held", n)
	}
	n, err := w.ReleaseWebhooks(ctx, credlysim.Release{Order: []int{1, 2}, Reversed: true, Doubled: true})
	if err != nil || n != 6 {
		t.Errorf("released %d: %v", n, err)
	}
	want := []string{
		"badge.privacy.changed", "badge.privacy.changed", "badge.state.changed", "badge.state.changed",
		"badge.privacy.changed", "badge.privacy.changed",
	}
	if got := l.types(t); !slices.Equal(got, want) {
		t.Errorf("order %v", got)
	}

	w.DropWebhooks(true)
	w.issue("lost@example.org", "")
	w.DropWebhooks(false)
	w.clock.Advance(time.Hour)
	if n := w.Tick(ctx); n != 0 {
		t.Errorf("%d sent of what was dropped", n)
	}

	l.answer(http.StatusInternalServerError)
	w.issue("never@example.org", "")
	for range 40 {
		w.Tick(ctx)
		w.clock.Advance(24 * time.Hour)
	}
	log := w.Deliveries()
	if last := log[len(log)-1]; last.Stage != credlysim.DeliveryGivenUp {
		t.Errorf("after 40 days: %s", last.Stage)
	}
}

func TestWebhooksInBackground(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	w := newWorld(t, func(c *credlysim.Config) { c.ManualWebhooks = false; c.WebhookURL = l.URL })
	l.answer(http.StatusServiceUnavailable)
	w.issue("ada@example.org", "")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	last := func() credlysim.Delivery { log := w.Deliveries(); return log[len(log)-1] }
	if err := w.Eventually(ctx, func() bool { return len(last().Attempts) == 1 }); err != nil {
		t.Fatal(err)
	}
	l.answer(http.StatusOK)
	w.clock.Advance(time.Hour)
	if err := w.Eventually(ctx, func() bool { return last().Stage == credlysim.DeliveryDelivered }); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.Fail(credlysim.Fault{Method: http.MethodPost, Path: "/badges", Times: 2, Status: http.StatusTooManyRequests, Body: `{}`, RetryAfter: 3 * time.Second})
	for range 2 {
		if status, _ := w.call(http.MethodPost, "/badges", award(w.tpl.ID, "a@example.org", "")); status != http.StatusTooManyRequests {
			t.Errorf("status %d", status)
		}
	}
	w.issue("a@example.org", "")

	w.Fail(credlysim.Fault{Method: http.MethodPost, DropAnswer: true})
	body, err := json.Marshal(award(w.tpl.ID, "b@example.org", ""))
	if err != nil {
		t.Fatal(err)
	}
	post := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.APIURL()+"/organizations/"+orgID+"/badges", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth(token, "")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		return err
	}
	if err := post(); err == nil {
		t.Error("an answer came though it was to be lost")
	}
	if n := len(w.BadgesFor("b@example.org")); n != 1 {
		t.Errorf("%d badges after a lost answer", n)
	}
	w.Fail(credlysim.Fault{Method: http.MethodPost, DropBefore: true})
	if err := post(); err == nil {
		t.Error("an answer came though the connection was to be cut")
	}
	if n := w.ServedBy()["POST /v1/organizations/{id}/badges"]; n != 5 {
		t.Errorf("served %d", n)
	}
	if w.Served() != 5 || len(w.Wire()) != 5 {
		t.Errorf("served %d, logged %d", w.Served(), len(w.Wire()))
	}
}
