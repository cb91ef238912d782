package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core/chat"
)

const (
	testToken   = "AZjA3gAAcACAAAAAAAAAAR7vX2nq0mY5hY0cQ6b4m3k"
	testPublic  = "https://badges.example.org"
	testAddress = "ada.example@example.org"
	acceptLink  = "https://www.credly.com/go/made-up"
)

func TestHeadersOfEveryRoute(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			if sc.set != nil {
				sc.set(s)
			}
			h := s.do(t, sc.method, sc.path, nil, "").Header()
			for name, want := range map[string]string{
				"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
				"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
				"X-Robots-Tag": "noindex, nofollow", "Strict-Transport-Security": "max-age=31536000",
			} {
				if h.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, h.Get(name), want)
				}
			}
			policy := h.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action "} {
				if !strings.Contains(policy, part) {
					t.Errorf("policy %q lacks %q", policy, part)
				}
			}
			if strings.Contains(policy, "unsafe") || h.Get("Permissions-Policy") == "" {
				t.Errorf("policy %q, permissions %q", policy, h.Get("Permissions-Policy"))
			}
			if sc.status == 405 && !strings.HasPrefix(h.Get("Allow"), "GET, HEAD") {
				t.Errorf("Allow: %q", h.Get("Allow"))
			}
			if sc.status == 503 && h.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{"/h/" + testToken, "/e/" + testToken} {
			if w := s.do(t, method, path, nil, ""); w.Code != http.StatusOK {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
	}
	if s.passages.followed+s.links.confirmed > 0 {
		t.Error("looking changed something")
	}
	w := s.do(t, http.MethodPost, "/h/"+testToken, nil, "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != acceptLink || s.passages.followed != 1 {
		t.Errorf("POST: %d to %q", w.Code, w.Header().Get("Location"))
	}
	w = s.do(t, http.MethodPost, "/e/"+testToken, nil, "")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/e/"+testToken || s.links.confirmed != 1 {
		t.Errorf("POST: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := s.get(t, "/e/"+testToken, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Linked") {
		t.Errorf("after confirming: %d", w.Code)
	}
}

func TestPressesFromElsewhere(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		header http.Header
		want   int
	}{
		{"own page", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"null"}}, 303},
		{"typed", http.Header{"Sec-Fetch-Site": {"none"}}, 303},
		{"other site", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {testPublic}}, 403},
		{"sibling", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"old browser, own page", http.Header{"Origin": {testPublic}}, 303},
		{"old browser, hidden origin", http.Header{"Origin": {"null"}}, 303},
		{"old browser, other page", http.Header{"Origin": {"https://evil.example.com"}}, 403},
		{"old browser, other scheme", http.Header{"Origin": {"http://badges.example.org"}}, 403},
		{"no browser", nil, 303},
	}
	for _, tt := range tests {
		for _, path := range []string{"/h/", "/e/"} {
			t.Run(tt.name+path, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, nil)
				if w := s.do(t, http.MethodPost, path+testToken, tt.header, ""); w.Code != tt.want {
					t.Errorf("status %d, want %d", w.Code, tt.want)
				}
				if done := s.passages.followed + s.links.confirmed; (done == 1) != (tt.want == 303) {
					t.Errorf("%d done", done)
				}
			})
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if w := s.do(t, http.MethodPost, "/h/"+testToken, nil, strings.Repeat("x", maxBody+1)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("large: %d", w.Code)
	}
	if s.passages.followed > 0 {
		t.Error("followed")
	}
	if w := s.do(t, http.MethodPost, "/h/"+testToken, nil, "\xff\xfe=%zz"); w.Code != http.StatusSeeOther {
		t.Errorf("odd: %d", w.Code)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ locale, accept, want string }{
		{"de", "es", "de"},
		{"de_AT", "", "de"},
		{"es-419", "en", "es"},
		{"", "de-CH,de;q=0.9,en;q=0.8", "de"},
		{"ja", "es-MX, en;q=0.5", "es"},
		{"", "ja", "en"},
		{"%%%", ";;;,\x00", "en"},
		{"", strings.Repeat("de,", 2000), "en"},
	} {
		s := newSite(t, nil)
		s.passages.passage.Locale = tt.locale
		s.links.request.Verification.Account.Locale = tt.locale
		for _, path := range []string{"/h/", "/e/"} {
			body := s.get(t, path+testToken, tt.accept).Body.String()
			if !strings.Contains(body, `<html lang="`+tt.want+`">`) {
				t.Errorf("%q, %q: not %s", tt.locale, tt.accept, tt.want)
			}
		}
	}
}

func TestPolicyAndPictures(t *testing.T) {
	t.Parallel()
	targets := func(c *Config) { c.FormTargets = []string{"http://127.0.0.1:8090"} }
	for image, origin := range map[string]string{
		"https://images.example.com/a.png?x=1":  "https://images.example.com",
		"https://images.example.com:8443/a.png": "https://images.example.com:8443",
		testPublic + "/a.png":                   testPublic,
		"http://127.0.0.1:8090/a.png":           "http://127.0.0.1:8090",
		"http://images.example.com/a.png":       "",
		"//images.example.com/a.png":            "",
		"data:image/png;base64,AAAA":            "",
		"javascript:alert(1)":                   "",
		"https://evil.example.com;script-src/x": "",
		"https://evil.example.com *":            "",
		"https://u:p@images.example.com/a.png":  "",
		"https://*/a.png":                       "",
		"":                                      "",
		"%zz":                                   "",
	} {
		s := newSite(t, targets)
		s.passages.passage.Badge.Template.ImageURL = image
		w := s.get(t, "/h/"+testToken, "")
		policy := w.Header().Get("Content-Security-Policy")
		want := "; img-src 'self'"
		if origin != "" {
			want += " " + origin
		}
		if !strings.Contains(policy, want+"; form-action 'self' https://credly.com https://*.credly.com http://127.0.0.1:8090") {
			t.Errorf("%s: %s", image, policy)
		}
		if strings.Contains(w.Body.String(), "<img") != (origin != "") {
			t.Errorf("%s: picture", image)
		}
	}
}

func TestValuesAreNeverMarkup(t *testing.T) {
	t.Parallel()
	const evil = `**<script>alert(1)</script>"'{{.Left}}`
	s := newSite(t, nil)
	s.passages.passage.Badge.Template.Name = evil
	s.passages.passage.Badge.Recipient.Shown = evil + "@example.org"
	s.passages.passage.Provider = evil
	s.links.request.Verification.Account.DisplayName = evil + strings.Repeat("A", 500)
	for _, path := range []string{"/h/", "/e/"} {
		body := s.get(t, path+testToken, "").Body.String()
		if strings.Contains(body, "<script>alert") || strings.Contains(body, strings.Repeat("A", maxName+1)) {
			t.Errorf("%s:\n%s", path, body)
		}
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada Example": "Ada Example", "  Ada\n\nExample ": "Ada Example", "\u202egnp.exe": "gnp.exe", "\x00": "",
		strings.Repeat("ä", 100): strings.Repeat("ä", maxName-1) + "…", "José": "José", "אדה": "אדה",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	catalog, err := chat.NewCatalog()
	if err != nil {
		t.Fatal(err)
	}
	v := newFakeVerifier()
	good := Config{
		Passages: &fakePassages{}, Links: &fakeLinks{}, Shares: &fakeShares{}, Verifier: v, VerdictPictures: v, Gallery: v, Certificates: newFakeCertificates(),
		Catalog: catalog, Clock: fixedClock{}, PublicURL: testPublic,
	}
	for name, change := range map[string]func(*Config){
		"no passages":     func(c *Config) { c.Passages = nil },
		"no shares":       func(c *Config) { c.Shares = nil },
		"no verifier":     func(c *Config) { c.Verifier = nil },
		"no certificates": func(c *Config) { c.Certificates = nil },
		"no gallery":      func(c *Config) { c.Gallery = nil },
		"no clock":        func(c *Config) { c.Clock = nil },
		"no public URL":   func(c *Config) { c.PublicURL = "" },
		"public host":     func(c *Config) { c.PublicURL = "badges.example.org" },
		"target path":     func(c *Config) { c.FormTargets = []string{"https://a.example/x"} },
		"target policy":   func(c *Config) { c.FormTargets = []string{"https://a.example;script-src *"} },
		"footer":          func(c *Config) { c.FooterLinks = []FooterLink{{Label: "Imprint", URL: "javascript:alert(1)"}} },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

func TestPublicURLWithPath(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *Config) {
		c.PublicURL = "http://127.0.0.1:8080/laurel"
		c.FooterLinks = []FooterLink{{Label: "Imprint", URL: "https://example.org/imprint"}}
	})
	w := s.do(t, http.MethodPost, "/e/"+testToken, nil, "")
	if got := w.Header().Get("Location"); got != "/laurel/e/"+testToken {
		t.Errorf("location %q", got)
	}
	w = s.get(t, "/", "")
	if w.Header().Get("Strict-Transport-Security") != "" || !strings.Contains(w.Body.String(), `href="/laurel/favicon.svg"`) || !strings.Contains(w.Body.String(), "Imprint</a>") {
		t.Errorf("home: %s", w.Body)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.get(t, "/h/"+testToken, "")
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != 1 || families[0].GetName() != "laurel_web_requests_total" || families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Errorf("metrics: %v", families)
	}
}

func FuzzToken(f *testing.F) {
	for _, seed := range []string{testToken, "", "a/b", "..", "%2e%2e", "\x00\xff", "é", strings.Repeat("A", 5000), "<script>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		s := newSite(t, nil)
		for _, prefix := range []string{"/h/", "/e/"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
				r.URL = &url.URL{Path: prefix + token}
				w := httptest.NewRecorder()
				s.mux.ServeHTTP(w, r)
				if token == testToken {
					continue
				}
				if w.Code >= 500 || w.Code == http.StatusOK && token != "" {
					t.Errorf("%s %q: %d", method, token, w.Code)
				}
				if len(token) > 8 && strings.Contains(s.log.String(), token) {
					t.Errorf("log: %s", s.log)
				}
			}
		}
		if s.passages.followed+s.links.confirmed > 0 && token != testToken {
			t.Error("something was done")
		}
	})
}
