package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
)

// A press counts only with a token of ours, from a page of ours, with a body
// that is not large; what is answered never repeats what was sent, and every
// answer has the headers that keep others out.
func FuzzPress(f *testing.F) {
	f.Add("/h/", testToken, "same-origin", "", "application/x-www-form-urlencoded", "a=b")
	f.Add("/e/", testToken, "", testPublic, "", "")
	f.Add("/e/", testToken, "", "null", "multipart/form-data; boundary=x", "--x--")
	f.Add("/h/", testToken, "cross-site", testPublic, "", "")
	f.Add("/h/", testToken, "", "https://evil.example.com", "", "")
	f.Add("/e/", testToken+"/../x", "none", "", "", strings.Repeat("a", 5000))
	f.Add("/h/", "<script>alert(1)</script>", "none", "", "\r\n", "\xff")
	f.Add("//h/", "..", "same-origin", "https://badges.example.org.evil.example", "x", "")
	f.Fuzz(func(t *testing.T, path, token, site, origin, kind, body string) {
		s, w := newSite(t, nil), httptest.NewRecorder()
		fuzzing.Soon(t, func() {
			s.passages.followed, s.links.confirmed = 0, 0
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
			r.URL = &url.URL{Path: path + token}
			r.Header = http.Header{}
			for name, value := range map[string]string{"Sec-Fetch-Site": site, "Origin": origin, "Content-Type": kind} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w = httptest.NewRecorder()
			s.mux.ServeHTTP(w, r)
		})
		did := s.passages.followed + s.links.confirmed
		own := site == "same-origin" || site == "none" || site == "" && (origin == "" || origin == "null" || origin == testPublic)
		if did > 0 && (!own || !strings.HasSuffix(path+token, "/"+testToken) || len(body) > maxBody) {
			t.Fatalf("%q from %q %q did something", path+token, site, origin)
		}
		if own && len(body) <= maxBody && token == testToken && (path == "/h/" || path == "/e/") && did != 1 {
			t.Fatalf("a good press did %d, status %d", did, w.Code)
		}
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("status %d", w.Code)
		}
		location := w.Header().Get("Location")
		if did > 0 && location != acceptLink && location != "/e/"+testToken || strings.ContainsAny(location, "\r\n") {
			t.Errorf("leads to %q", location)
		}
		if w.Header().Get("Content-Security-Policy") == "" && w.Code != http.StatusNotFound && w.Code/100 != 3 {
			t.Errorf("status %d without a policy", w.Code)
		}
		if strings.Contains(w.Body.String(), "<script>alert(1)") || len(token) > 8 && strings.Contains(s.log.String(), token) {
			t.Errorf("repeats %q", token)
		}
	})
}

// Whatever languages a browser asks for, the page is whole, in one that is
// spoken here, and says which.
func FuzzAcceptLanguage(f *testing.F) {
	for _, s := range []string{
		"", "de", "es-MX,es;q=0.9,en;q=0.1", "*", "de;q=0", "x-klingon", "\xff", "\r\nX: y", strings.Repeat("de,", 5000), strings.Repeat("a-", 499),
		"en;q=nan", "und", "zh-Hant-TW", "de;q=0.00000000000001", `"><script>`,
	} {
		f.Add(s, s)
	}
	lang := regexp.MustCompile(`<html lang="(en|de|es)"`)
	f.Fuzz(func(t *testing.T, accepted, locale string) {
		s := newSite(t, nil)
		s.passages.passage.Locale = locale
		var w *httptest.ResponseRecorder
		fuzzing.Soon(t, func() { w = s.get(t, "/h/"+testToken, accepted) })
		if w.Code != http.StatusOK || !lang.MatchString(w.Body.String()) || !strings.HasSuffix(strings.TrimSpace(w.Body.String()), "</html>") {
			t.Errorf("%q: status %d", accepted, w.Code)
		}
	})
}

// What the provider and the platforms say of a badge and a person is shown as
// text: it adds nothing to the page, to its policy or to where it leads.
func FuzzShown(f *testing.F) {
	f.Add("Go Expert", "https://images.example.com/picture.png", "Ada", acceptLink)
	f.Add(`<script>alert(1)</script>`, `https://x.example;script-src 'unsafe-inline'`, "\u202eada\r\n", "javascript:alert(1)")
	f.Add(`"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "**Ada**", "https://evil.example\r\nSet-Cookie: a=b")
	f.Add("{{.Badge}}", "https://u:p@h/", "</title>", "//evil.example")
	f.Add("\xff", "data:image/png;base64,x", strings.Repeat("n", 5000), "https://h.example/%zz")
	f.Add("x", "http://[::1]:99999/", "", "https://www.credly.com/go/x\x00")
	policy := regexp.MustCompile(`^[-a-z]+-src [^;]*|frame-ancestors 'none'|base-uri 'none'|form-action [^;]*$`)
	f.Fuzz(func(t *testing.T, badge, image, name, link string) {
		s := newSite(t, nil)
		s.passages.passage.Badge.Template = core.Template{Name: badge, ImageURL: image}
		s.passages.link = link
		s.links.request.Verification.Account.DisplayName = name
		var handoff, email *httptest.ResponseRecorder
		fuzzing.Soon(t, func() { handoff, email = s.get(t, "/h/"+testToken, ""), s.get(t, "/e/"+testToken, "") })
		plain := newSite(t, nil)
		for _, pair := range [][2]*httptest.ResponseRecorder{{handoff, plain.get(t, "/h/"+testToken, "")}, {email, plain.get(t, "/e/"+testToken, "")}} {
			got, want := pair[0], pair[1]
			if got.Code != http.StatusOK {
				t.Fatalf("status %d", got.Code)
			}
			for _, tag := range []string{"<script", "<form", "<iframe", "<a ", "<meta", "<style", "<link", "<h1", "<svg"} {
				if strings.Count(strings.ToLower(got.Body.String()), tag) > strings.Count(strings.ToLower(want.Body.String()), tag) {
					t.Errorf("one more %q: %s", tag, got.Body)
				}
			}
			parts := strings.Split(got.Header().Get("Content-Security-Policy"), "; ")
			if len(parts) != len(strings.Split(want.Header().Get("Content-Security-Policy"), "; ")) || strings.Contains(strings.Join(parts, ""), "unsafe") {
				t.Errorf("policy %q", parts)
			}
			for _, p := range parts {
				if !policy.MatchString(p) || strings.Contains(p, ";") {
					t.Errorf("policy %q", p)
				}
			}
		}
		w := s.do(t, http.MethodPost, "/h/"+testToken, nil, "")
		if location := w.Header().Get("Location"); location != "" {
			u, err := url.Parse(location)
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(location, "\r\n") {
				t.Errorf("%q leads to %q", link, location)
			}
		} else if w.Code != http.StatusInternalServerError {
			t.Errorf("%q: status %d", link, w.Code)
		}
	})
}
