package credlysim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
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
