package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

const (
	rolesOrigin = "https://discord.example.org"
	rolesBack   = "/roles/callback?state=good&code="
)

// fakeRoles takes one state.
type fakeRoles struct {
	result core.RoleResult
	fail   error
	// cookies are those that came back, codes the codes that were tried.
	cookies []core.Secret
	codes   []string
}

func (f *fakeRoles) Begin() core.RoleStart {
	return core.RoleStart{Cookie: "made-up-cookie", URL: rolesOrigin + "/oauth2/authorize?state=good", TTL: 10 * time.Minute}
}

func (f *fakeRoles) Began(cookie core.Secret, state string) bool {
	f.cookies = append(f.cookies, cookie)
	return state == "good"
}

func (f *fakeRoles) Finish(_ context.Context, _ core.Secret, _, code string) (core.RoleResult, error) {
	f.codes = append(f.codes, code)
	return f.result, f.fail
}

func roleScenes() []scene {
	fails := func(err error) func(*site) { return func(x *site) { x.roles.fail = err } }
	return []scene{
		{"roles", http.MethodGet, "/roles", 200, nil},
		{"roles_begun", http.MethodPost, "/roles", 303, nil},
		{"roles_told", http.MethodGet, "/roles/done/told", 200, nil},
		{"roles_empty", http.MethodGet, "/roles/done/empty", 200, nil},
		{"roles_unlinked", http.MethodGet, "/roles/done/unlinked", 200, nil},
		{"roles_later", http.MethodGet, "/roles/done/later", 200, nil},
		{"roles_done_unknown", http.MethodGet, "/roles/done/made-up", 404, nil},
		{"roles_done_posted", http.MethodPost, "/roles/done/told", 405, nil},
		{"roles_back", http.MethodGet, rolesBack + "x", 303, nil},
		{"roles_denied", http.MethodGet, "/roles/callback?state=good&error=access_denied", 200, nil},
		{"roles_refused", http.MethodGet, "/roles/callback?state=good&error=invalid_scope", 502, nil},
		{"roles_over", http.MethodGet, "/roles/callback?state=other&code=x", 400, nil},
		{"roles_over_nothing", http.MethodGet, "/roles/callback", 400, nil},
		{"roles_looked", http.MethodHead, rolesBack + "x", 400, nil},
		{"roles_posted", http.MethodPost, rolesBack + "x", 405, nil},
		{"roles_code", http.MethodGet, rolesBack + "x", 410, fails(core.ErrGone)},
		{"roles_unreachable", http.MethodGet, rolesBack + "x", 503, fails(&core.DeliveryError{Class: core.Temporary, Code: "http_503"})},
		{"roles_store_down", http.MethodGet, rolesBack + "x", 503, fails(core.ErrUnavailable)},
		{"roles_broken", http.MethodGet, rolesBack + "x", 500, fails(errors.New("broken"))},
	}
}

// The browser keeps what it needs for the way back, shows it to nobody else,
// and gives it up at the end.
func TestRolesCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	here := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	w := s.do(t, http.MethodPost, "/roles", here, "")
	if to := w.Header().Get("Location"); to != rolesOrigin+"/oauth2/authorize?state=good" {
		t.Errorf("led to %s", to)
	}
	want := "laurel-roles=made-up-cookie; Path=/roles; Max-Age=600; HttpOnly; Secure; SameSite=Lax"
	if got := w.Header().Get("Set-Cookie"); got != want {
		t.Errorf("cookie %q, want %q", got, want)
	}
	for _, path := range []string{rolesBack + "x", "/roles/callback?state=other", "/roles/callback?state=good&error=access_denied"} {
		w = s.do(t, http.MethodGet, path, http.Header{"Cookie": {"laurel-roles=made-up-cookie"}}, "")
		if got := w.Header().Get("Set-Cookie"); got != "laurel-roles=; Path=/roles; Max-Age=0; HttpOnly; Secure; SameSite=Lax" {
			t.Errorf("%s: cookie %q", path, got)
		}
	}
	if len(s.roles.cookies) != 3 || s.roles.cookies[0] != "made-up-cookie" {
		t.Errorf("came back: %q", s.roles.cookies)
	}
	if strings.Contains(s.log.String(), "made-up-cookie") || strings.Contains(s.log.String(), "code=x") {
		t.Errorf("log: %s", s.log)
	}

	// Another site cannot send anybody on the way.
	w = s.do(t, http.MethodPost, "/roles", http.Header{"Sec-Fetch-Site": {"cross-site"}}, "")
	if w.Code != http.StatusForbidden || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("pressed elsewhere: %d, %v", w.Code, w.Header())
	}
	// Pictures and scripts of other sites, and browsers that load ahead, bring
	// nothing back.
	for _, header := range []http.Header{{"Sec-Fetch-Mode": {"no-cors"}}, {"Sec-Purpose": {"prefetch"}}} {
		tried := len(s.roles.codes)
		if w := s.do(t, http.MethodGet, rolesBack+"x", header, ""); w.Code != http.StatusBadRequest || len(s.roles.codes) != tried {
			t.Errorf("%v: %d", header, w.Code)
		}
	}
}

// One browser cannot try codes without end.
func TestRolesTurns(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.roles.fail = core.ErrGone
	last := 0
	for range turnBurst + 5 {
		last = s.get(t, rolesBack+"x", "en").Code
	}
	if last != http.StatusTooManyRequests || len(s.roles.codes) != turnBurst {
		t.Errorf("the last answers %d, %d codes were tried", last, len(s.roles.codes))
	}
}

// Without roles there are no such pages, and the form may lead to the
// platform's page only.
func TestRolesPages(t *testing.T) {
	t.Parallel()
	none := newSite(t, func(c *Config) { c.Roles = nil })
	if w := none.get(t, "/roles", "en"); w.Code != http.StatusNotFound {
		t.Errorf("without roles: %d", w.Code)
	}
	policy := newSite(t, nil).get(t, "/roles", "en").Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action 'self' "+rolesOrigin) || strings.Contains(policy, "credly") {
		t.Errorf("policy %q", policy)
	}
	catalog, err := readCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"", "discord.example.org", rolesOrigin + "/", "javascript:alert(1)", rolesOrigin + ";script-src *"} {
		_, err := New(Config{
			Passages: &fakePassages{}, Links: &fakeLinks{}, Shares: newFakeShares(), Roles: &fakeRoles{}, RolesAt: at,
			Catalog: catalog, Clock: fixedClock{}, PublicURL: testPublic,
		})
		if err == nil {
			t.Errorf("%q was taken", at)
		}
	}
}

// Below a path of a larger site, and without encryption on one's own machine.
func TestRolesBelowAPath(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *Config) { c.PublicURL = "http://127.0.0.1:8080/laurel" })
	w := s.do(t, http.MethodPost, "/roles", http.Header{"Sec-Fetch-Site": {"same-origin"}}, "")
	if got := w.Header().Get("Set-Cookie"); !strings.Contains(got, "Path=/laurel/roles;") || strings.Contains(got, "Secure") {
		t.Errorf("cookie %q", got)
	}
	if to := s.get(t, rolesBack+"x", "en").Header().Get("Location"); to != "/laurel/roles/done/told" {
		t.Errorf("led to %s", to)
	}
}

func FuzzRolesCallback(f *testing.F) {
	for _, q := range []string{"", "state=good&code=x", "state=good&error=access_denied", "state=%ff&code=%00", "code=a&code=b&state=good"} {
		f.Add(q, "laurel-roles=x")
	}
	s := newSite(f, nil)
	f.Fuzz(func(t *testing.T, query, cookie string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/roles/callback", http.NoBody)
		r.URL.RawQuery = query
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusBadGateway {
			t.Errorf("%q, %q: %d", query, cookie, w.Code)
		}
	})
}
