package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestShareRedirects(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, o := range core.AllOutlets() {
		w := s.get(t, sharePath(o), "de")
		if o == core.OutletMastodon || o == core.OutletMail {
			if w.Code != http.StatusOK {
				t.Errorf("%s: %d", o, w.Code)
			}
			continue
		}
		want := o.Link(core.Showing{
			Name: "Führung & Größe", Text: "Ich habe den Badge „Führung & Größe“ erworben.", URL: testBadgeURL, CredentialID: "p1",
			Issuer: core.Issuer{Name: "Example Body", LinkedInID: "7"}, IssuedAt: begin(),
		})
		if got := w.Header().Get("Location"); w.Code != http.StatusFound || got != want || w.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d to %s, want %s", o, w.Code, got, want)
		}
	}
	if len(s.shares.noted) != len(core.AllOutlets()) {
		t.Errorf("noted %v", s.shares.noted)
	}
	if log := s.log.String(); log != "" {
		t.Errorf("log: %s", log)
	}
}

// Only a person who comes counts; that it could not be noted stops nobody.
func TestShareCountsOnlyWhoComes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method string
		header       http.Header
		noted        int
	}{
		{"person", http.MethodGet, http.Header{"Sec-Fetch-Mode": {"navigate"}}, 1},
		{"older browser", http.MethodGet, nil, 1},
		{"head", http.MethodHead, nil, 0},
		{"prefetch", http.MethodGet, http.Header{"Sec-Fetch-Mode": {"navigate"}, "Sec-Purpose": {"prefetch;prerender"}}, 0},
		{"older prefetch", http.MethodGet, http.Header{"Purpose": {"prefetch"}}, 0},
		{"picture of another page", http.MethodGet, http.Header{"Sec-Fetch-Mode": {"no-cors"}}, 0},
		{"script of another page", http.MethodGet, http.Header{"Sec-Fetch-Mode": {"cors"}}, 0},
	} {
		s := newSite(t, nil)
		s.shares.note = errors.New("store away")
		w := s.do(t, tt.method, sharePath(core.OutletX), tt.header, "")
		if w.Code != http.StatusFound || len(s.shares.noted) != tt.noted {
			t.Errorf("%s: %d, noted %d", tt.name, w.Code, len(s.shares.noted))
		}
		if strings.Contains(s.log.String(), testToken) {
			t.Errorf("log: %s", s.log)
		}
	}
}

func TestMastodonServer(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
	path := sharePath(core.OutletMastodon)
	w := s.do(t, http.MethodPost, path, form, url.Values{"server": {"@ada@Mastodon.Example.org"}}.Encode())
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || to.Host != "mastodon.example.org" ||
		!strings.HasSuffix(to.Query().Get("text"), "“Führung & Größe”.\n\n"+testBadgeURL) {
		t.Errorf("%d to %v, %v", w.Code, to, err)
	}
	if policy := s.get(t, path, "en").Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self' https:") {
		t.Errorf("policy %s", policy)
	}
	const evil = `"><script>alert(1)</script>`
	for body, want := range map[string]int{
		"server=" + url.QueryEscape(evil): 422, "server=127.0.0.1": 422, "server=": 422, "": 422, "server=%zz": 422, "server=%ff%fe": 422,
		"server=" + strings.Repeat("x", maxBody): 413,
	} {
		w := s.do(t, http.MethodPost, path, form, body)
		if w.Code != want || strings.Contains(w.Body.String(), evil) || w.Header().Get("Location") != "" {
			t.Errorf("%.40q: %d", body, w.Code)
		}
	}
	form["Sec-Fetch-Site"] = []string{"cross-site"}
	if w := s.do(t, http.MethodPost, path, form, "server=mastodon.example.org"); w.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}

// One link cannot keep the server busy, and does not slow the others down.
func TestTurns(t *testing.T) {
	t.Parallel()
	clock := &hands{now: begin()}
	s := newSite(t, func(c *Config) { c.Clock = clock })
	for range turnBurst {
		if w := s.get(t, sharePath(core.OutletX), "en"); w.Code != http.StatusFound {
			t.Fatalf("status %d", w.Code)
		}
	}
	w := s.get(t, sharePath(core.OutletX), "en")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || s.shares.looked != turnBurst {
		t.Errorf("status %d after %d looks", w.Code, s.shares.looked)
	}
	if w := s.get(t, sharePath(core.OutletFacebook), "en"); w.Code != http.StatusFound {
		t.Errorf("another link: %d", w.Code)
	}
	clock.pass(turnEvery)
	if w := s.get(t, sharePath(core.OutletX), "en"); w.Code != http.StatusFound {
		t.Errorf("later: %d", w.Code)
	}
	for range turnBurst {
		s.get(t, testSignPath, "en")
	}
	if w := s.get(t, testSignPath, "en"); w.Code != http.StatusTooManyRequests {
		t.Errorf("signature: %d", w.Code)
	}
	turns := newTurns(clock, turnEvery, turnBurst)
	for i := range 3 * maxTurns {
		turns.take(strings.Repeat("x", i%7) + time.Duration(i).String())
	}
	if len(turns.next) > maxTurns {
		t.Errorf("%d links are remembered", len(turns.next))
	}
	long := strings.Repeat("x", 30_000)
	for range turnBurst {
		turns.take(long)
	}
	if turns.take(long) || !turns.take(long+"y") {
		t.Error("long links are not told apart")
	}
	for link := range turns.next {
		if len(link) > maxTurnBytes {
			t.Errorf("%d bytes of a link are remembered", len(link))
		}
	}
}

// A post fits into every network, whatever script the name is in, and nothing
// that is read as one character is torn apart.
func TestPostName(t *testing.T) {
	t.Parallel()
	family := "👨\u200d👩\u200d👧"
	for name, want := range map[string]string{
		"Certified Gopher":                                       "Certified Gopher",
		strings.Repeat("x", 180):                                 strings.Repeat("x", 180),
		strings.Repeat("x", 181):                                 strings.Repeat("x", 178) + "…",
		strings.Repeat("資", 90):                                  strings.Repeat("資", 90),
		strings.Repeat("資", 200):                                 strings.Repeat("資", 89) + "…",
		strings.Repeat("م", 200):                                 strings.Repeat("م", 178) + "…",
		strings.Repeat("e\u0301", 91):                            strings.Repeat("e\u0301", 89) + "…",
		strings.Repeat("x", 175) + family:                        strings.Repeat("x", 175) + "…",
		"a\n\u202eb\tc":                                          "a b c",
		strings.Repeat("x", 170) + " " + strings.Repeat("y", 50): strings.Repeat("x", 170) + " " + strings.Repeat("y", 7) + "…",
		strings.Repeat("\u0301", 200):                            "…",
	} {
		if got := postName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	catalog, err := readCatalog()
	if err != nil {
		t.Fatal(err)
	}
	// X counts every link as 23 characters.
	for _, lang := range []string{"en", "de", "es"} {
		used := 1 + 23
		for _, r := range catalog.For(lang).Plain("share.post", chat.Args{"Badge": postName(strings.Repeat("資", 200))}) {
			used += weight(r)
		}
		if used > 280 {
			t.Errorf("%s: a post takes %d", lang, used)
		}
	}
}
