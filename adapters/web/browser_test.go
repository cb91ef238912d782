package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/chromium"
)

// envScreenshots names a folder that keeps the screenshots; without it they are
// thrown away.
const envScreenshots = "LAUREL_SCREENSHOTS"

// browserWithin ends a browser that hangs.
const browserWithin = 5 * time.Minute

const testPicture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><path d="M48 3l39 22.5v45L48 93 9 70.5v-45z" fill="#23395b"/><path d="M48 12l31 18v36L48 84 17 66V30z" fill="none" stroke="#e8c872" stroke-width="2.5"/><text x="48" y="56" font-family="sans-serif" font-weight="700" font-size="24" fill="#fff" text-anchor="middle">CEP</text></svg>`

// startBrowser returns a browser without a tab, or skips.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	browser := chromium.Start(t, chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	do(t, browser, chromedp.Navigate("about:blank"))
	ctx, cancel := context.WithTimeout(browser, browserWithin)
	t.Cleanup(cancel)
	return ctx
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func ask[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	got, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func order[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		t.Fatal(err)
	}
}

// look is how a page is looked at.
type look struct {
	width, height int64
	dark, script  bool
}

// tab opens a tab that fails the test on any complaint of the browser's and
// on any request to somewhere else than origins.
func tab(t *testing.T, browser context.Context, l look, origins ...string) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var complaints []string
	complain := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, fmt.Sprintf(format, args...))
	}
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventConsoleAPICalled:
			complain("console: %v", ev.Type)
		case *runtime.EventExceptionThrown:
			complain("exception: %v", ev.ExceptionDetails)
		case *log.EventEntryAdded:
			// The status of a page that says that a link is dead is no complaint.
			if !strings.HasPrefix(ev.Entry.Text, "Failed to load resource: the server responded with a status of 4") {
				complain("log: %s", ev.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			for _, origin := range append(origins, "about:") {
				if strings.HasPrefix(ev.Request.URL, origin) {
					return
				}
			}
			complain("request to %s", ev.Request.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range complaints {
			t.Errorf("browser: %s", c)
		}
	})
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	do(t, ctx, chromedp.EmulateViewport(l.width, l.height, chromedp.EmulateScale(2)))
	order(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	order(t, ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !l.script})
	return ctx
}

func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv(envScreenshots)
	if dir == "" {
		dir = t.TempDir()
	}
	png := ask(t, ctx, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve starts the pages, and the provider that their link leads to.
func serve(t *testing.T) (s *site, base, provider string) {
	t.Helper()
	credly := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Provider</title><h1 id=accept>Accept your badge</h1>"))
	}))
	t.Cleanup(credly.Close)
	srv := httptest.NewUnstartedServer(nil)
	base = "http://" + srv.Listener.Addr().String()
	s = newSite(t, func(c *Config) { c.PublicURL, c.FormTargets = base, []string{credly.URL} })
	s.mux.HandleFunc("/picture.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(testPicture))
	})
	srv.Config.Handler = s.mux
	srv.Start()
	t.Cleanup(srv.Close)
	s.passages.link = credly.URL + "/accept/made-up"
	s.passages.passage.Badge.Template.ImageURL = base + "/picture.svg"
	return s, base, credly.URL
}

const (
	button  = chromedp.CSS("button.primary")
	heading = chromedp.CSS("h1")
)

// visit opens a page and looks at it.
func visit(t *testing.T, ctx context.Context, url string, shows chromedp.CSS, name string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(url), chromedp.WaitVisible(shows))
	checkLayout(t, ctx)
	shoot(t, ctx, name)
}

// presses clicks on what says something for a moment in another element, and
// waits until it was said, however late that is looked for.
func presses(t *testing.T, ctx context.Context, button, says chromedp.CSS, word string) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{
		const at = document.querySelector(%q);
		window.heard = [];
		new MutationObserver(() => { heard.push(at.textContent); }).observe(at, {childList: true, characterData: true, subtree: true});
	}`, says)), chromedp.Click(button))
	ask(t, ctx, chromedp.Poll[bool](fmt.Sprintf(`heard.includes(%q)`, word)))
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	for _, l := range []look{
		{390, 844, false, true},
		{390, 844, true, false},
		{1280, 900, false, false},
		{1280, 900, true, true},
	} {
		name := fmt.Sprintf("%d-dark=%t-script=%t", l.width, l.dark, l.script)
		t.Run(name, func(t *testing.T) {
			s, base, provider := serve(t)
			ctx := tab(t, browser, l, base, provider)
			handoff, email := base+"/h/"+testToken, base+"/e/"+testToken
			visit(t, ctx, handoff, "button.primary", "handoff-"+name)
			copies := ask(t, ctx, chromedp.Evaluate[bool](`!document.querySelector(".copy").hidden`))
			title := ask(t, ctx, chromedp.Title())
			if copies != l.script || !strings.Contains(title, "Claim your badge") {
				t.Errorf("copy button %t, title %q", copies, title)
			}
			do(t, ctx, chromedp.Click(button), chromedp.WaitVisible(chromedp.CSS("#accept")))
			if at := ask(t, ctx, chromedp.Location()); at != s.passages.link {
				t.Errorf("led to %s", at)
			}
			visit(t, ctx, handoff, ".notice h1", "followed-"+name)
			visit(t, ctx, email, "button.primary", "email-"+name)
			do(t, ctx, chromedp.Click(button), chromedp.WaitVisible(chromedp.CSS(".icon.good")))
			if text := ask(t, ctx, chromedp.Text(heading)); text != "Linked" || s.links.confirmed != 1 {
				t.Errorf("%q, confirmed %d", text, s.links.confirmed)
			}
			shoot(t, ctx, "linked-"+name)
			visit(t, ctx, base+"/", "h1", "home-"+name)
			for _, page := range []string{"/roles", "/roles/done/told", "/roles/callback"} {
				visit(t, ctx, base+page, ".primary, .notice h1", strings.ReplaceAll(page[1:], "/", "-")+"-"+name)
				if l.script && !l.dark {
					accessible(t, ctx, page)
				}
			}
		})
	}
}

// checkLayout fails when the page has to be scrolled sideways, or something
// to press is too small for a finger (WCAG 2.2, 2.5.8).
func checkLayout(t *testing.T, ctx context.Context) {
	t.Helper()
	wide := ask(t, ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	small := ask(t, ctx, chromedp.Evaluate[[]string](
		`[...document.querySelectorAll("button,a")].filter(e => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24)).map(e => e.outerHTML)`))
	if wide || len(small) > 0 {
		t.Errorf("layout: wide %t, small %q", wide, small)
	}
}

func TestBrowserCountdown(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s, base, provider := serve(t)
	become := func(to core.HandoffState) {
		s.passages.mu.Lock()
		defer s.passages.mu.Unlock()
		s.passages.passage.State = to
	}
	// A long address in a wordy language has to fit as well.
	s.passages.passage.Locale = "de"
	s.passages.passage.ExpiresAt = begin().Add(20 * time.Second)
	s.passages.passage.Badge.Recipient.Shown = strings.Repeat("sehr-lang.", 6) + "@" + strings.Repeat("beispiel-", 5) + "ende.example.org"
	ctx := tab(t, browser, look{390, 844, false, true}, base, provider)
	visit(t, ctx, base+"/h/"+testToken, ".timer.soon", "long-de")
	presses(t, ctx, ".copy", ".copy", "Kopiert")
	// At its end the page loads itself again: as often as it still lives.
	s.passages.mu.Lock()
	s.passages.passage.ExpiresAt = begin().Add(time.Second)
	s.passages.mu.Unlock()
	do(t, ctx, chromedp.Navigate(base+"/h/"+testToken))
	become(core.HandoffExpired)
	do(t, ctx, chromedp.WaitVisible(chromedp.CSS(".notice h1")))
	if title := ask(t, ctx, chromedp.Text(heading)); title != "Die Zeit ist um" {
		t.Errorf("title %q", title)
	}
	shoot(t, ctx, "expired-de")
	for _, to := range []core.HandoffState{core.HandoffPreparing, core.HandoffCompleted, core.HandoffFailed} {
		become(to)
		visit(t, ctx, base+"/h/"+testToken, "h1", string(to)+"-de")
	}
}
