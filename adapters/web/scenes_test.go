package web

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// scene is one page in one state.
type scene struct {
	name, method, path string
	status             int
	set                func(*site)
}

func state(s core.HandoffState) func(*site) {
	return func(x *site) { x.passages.passage.State = s }
}

func scenes() []scene {
	const h, e = "/h/" + testToken, "/e/" + testToken
	dead := func(s core.VerificationState) func(*site) {
		return func(x *site) { x.links.request.Verification.State, x.links.request.Dead = s, true }
	}
	return slices.Concat(shareScenes(), verifyScenes(), certificateScenes(), roleScenes(), []scene{
		{"home", http.MethodGet, "/", 200, nil},
		{"handoff_open", http.MethodGet, h, 200, nil},
		{"handoff_preparing", http.MethodGet, h, 200, state(core.HandoffPreparing)},
		{"handoff_followed", http.MethodGet, h, 410, state(core.HandoffFollowed)},
		{"handoff_expired", http.MethodGet, h, 410, state(core.HandoffExpired)},
		{"handoff_completed", http.MethodGet, h, 200, state(core.HandoffCompleted)},
		{"handoff_failed", http.MethodGet, h, 410, state(core.HandoffFailed)},
		{"handoff_unknown", http.MethodGet, "/h/forged", 404, nil},
		{"handoff_unknown_pressed", http.MethodPost, "/h/forged", 404, nil},
		{"handoff_unreachable", http.MethodPost, h, 503, func(x *site) { x.passages.follow = core.ErrUnreachable }},
		{"handoff_gone", http.MethodPost, h, 410, func(x *site) { x.passages.follow = core.ErrGone }},
		{"handoff_gone_used", http.MethodPost, h, 410, func(x *site) {
			x.passages.follow, x.passages.passage.State = core.ErrGone, core.HandoffFollowed
		}},
		{"handoff_gone_preparing", http.MethodPost, h, 409, func(x *site) {
			x.passages.follow, x.passages.passage.State = core.ErrGone, core.HandoffPreparing
		}},
		{"handoff_store_down", http.MethodGet, h, 503, func(x *site) { x.passages.look = core.ErrUnavailable }},
		{"handoff_store_down_pressed", http.MethodPost, h, 503, func(x *site) { x.passages.follow = core.ErrUnavailable }},
		{"handoff_broken", http.MethodPost, h, 500, func(x *site) { x.passages.follow = errors.New("broken") }},
		{"handoff_bad_link", http.MethodPost, h, 500, func(x *site) { x.passages.link = "javascript:alert(1)" }},
		{"handoff_followed_now", http.MethodPost, h, 303, nil},
		{"email_open", http.MethodGet, e, 200, nil},
		{"email_open_unnamed", http.MethodGet, e, 200, func(x *site) { x.links.request.Verification.Account.DisplayName = " \u202e " }},
		{"email_done", http.MethodGet, e, 200, dead(core.VerificationUsed)},
		{"email_gone", http.MethodGet, e, 410, dead(core.VerificationSuperseded)},
		{"email_unknown", http.MethodGet, "/e/forged", 404, nil},
		{"email_unknown_pressed", http.MethodPost, "/e/forged", 404, nil},
		{"email_confirmed", http.MethodPost, e, 303, nil},
		{"email_pressed_twice", http.MethodPost, e, 200, func(x *site) {
			x.links.confirm = core.ErrGone
			dead(core.VerificationUsed)(x)
		}},
		{"email_pressed_late", http.MethodPost, e, 410, func(x *site) { x.links.confirm = core.ErrGone }},
		{"email_store_down", http.MethodPost, e, 503, func(x *site) { x.links.confirm = core.ErrUnavailable }},
		{"method", http.MethodPut, h, 405, nil},
		{"method_home", http.MethodPost, "/", 405, nil},
		{"robots", http.MethodGet, "/robots.txt", 200, nil},
		{"favicon", http.MethodGet, "/favicon.svg", 200, nil},
	})
}

func TestScenes(t *testing.T) {
	t.Parallel()
	missing := regexp.MustCompile(`(?:web|trouble|badge|platform|button)\.[a-z_]+\.?[a-z_.]*`)
	for _, sc := range scenes() {
		for _, lang := range []string{"en", "de", "es"} {
			t.Run(sc.name+" "+lang, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, nil)
				if sc.set != nil {
					sc.set(s)
				}
				w := s.do(t, sc.method, sc.path, http.Header{"Accept-Language": {lang}, "Sec-Fetch-Site": {"same-origin"}}, "")
				if w.Code != sc.status {
					t.Fatalf("status %d, want %d", w.Code, sc.status)
				}
				body := w.Body.String()
				if strings.Contains(s.log.String(), testToken) || strings.Contains(s.log.String(), testAddress) {
					t.Errorf("log: %s", s.log)
				}
				if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
					return
				}
				if !strings.Contains(body, `<html lang="`+lang+`">`) || strings.Count(body, "<h1") != 1 || strings.Count(body, "<main>") != 1 {
					t.Errorf("page:\n%s", body)
				}
				shown, _, _ := strings.Cut(body, "<style")
				_, rest, _ := strings.Cut(body, "</style>")
				if ids := missing.FindAllString(shown+rest, -1); len(ids) > 0 {
					t.Errorf("sentences missing: %q", ids)
				}
				if strings.Contains(body, "<no value>") || strings.Contains(body, "ZgotmplZ") {
					t.Errorf("page:\n%s", body)
				}
				if lang == "en" {
					golden(t, sc.name+".html", body)
				}
			})
		}
	}
}

// golden compares the page without its style and script with a file;
// UPDATE_GOLDEN=1 writes it instead.
func golden(t *testing.T, name, body string) {
	t.Helper()
	for _, element := range []string{"style", "script"} {
		body = regexp.MustCompile(`(?s)(<`+element+` nonce="TESTNONCE">).*?(</`+element+`>)`).ReplaceAllString(body, "$1…$2")
	}
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if body != string(want) {
		t.Errorf("%s differs, got:\n%s", file, body)
	}
}
