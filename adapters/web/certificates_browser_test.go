package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// serveCertificates is serve with certificates, and pictures for them.
func serveCertificates(t *testing.T) (s *site, base string) {
	t.Helper()
	s, base, _ = serve(t)
	g := newGallery(t)
	g.set(shows("image/png", drawn(t)))
	s.shares.address = g.URL + "/a.png"
	return s, base
}

func TestBrowserCertificates(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	s, base := serveCertificates(t)
	for _, l := range []look{{390, 844, false, true}, {390, 844, true, false}, {1280, 900, true, true}, {961, 1100, false, true}} {
		name := fmt.Sprintf("certificates-%d-dark=%t-script=%t", l.width, l.dark, l.script)
		ctx := tab(t, browser, l, base)
		visit(t, ctx, base+testCertPath, "#calendar", name)
		ask(t, ctx, chromedp.Poll[bool](`[...document.images].every((i) => i.complete && i.naturalWidth > 0)`))
		for id, want := range map[string]bool{"#print": l.script, ".copy": l.script} {
			if got := ask(t, ctx, chromedp.Evaluate[bool](fmt.Sprintf(`document.querySelector(%q).checkVisibility()`, id))); got != want {
				t.Errorf("%s: %s is seen: %t", name, id, got)
			}
		}
		// On the phone each certificate is a card of its own, with its labels.
		stacked := ask(t, ctx, chromedp.Evaluate[bool](`getComputedStyle(document.querySelector("tbody tr")).display === "block" && document.querySelector(".label").checkVisibility()`))
		if stacked != (l.width < 960) {
			t.Errorf("%s: stacked %t", name, stacked)
		}
	}
	ctx := tab(t, browser, look{390, 844, false, true}, base)
	do(t, ctx, chromedp.Navigate(base+testCertPath), chromedp.WaitVisible(heading))
	accessible(t, ctx, testCertPath)
	presses(t, ctx, ".copy", "#copied", "Copied")
	calendarIsThere(t, ctx, s, base)
	onPaper(t, ctx)
}

// calendarIsThere follows the address that is to be subscribed to.
func calendarIsThere(t *testing.T, ctx context.Context, s *site, base string) {
	t.Helper()
	address := ask(t, ctx, chromedp.Evaluate[string](`document.getElementById("address").textContent`))
	same := ask(t, ctx, chromedp.Evaluate[bool](`document.querySelector(".open").href === document.getElementById("address").textContent`))
	path, ok := strings.CutPrefix(address, base)
	if w := s.get(t, path, "en"); !ok || !same || w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "BEGIN:VCALENDAR") {
		t.Errorf("%q, the same to open %t: %d", address, same, w.Code)
	}
}

// onPaper: the lists remain, in black on white and without what cannot be
// pressed there.
func onPaper(t *testing.T, ctx context.Context) {
	t.Helper()
	order(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	do(t, ctx, chromedp.EmulateViewport(680, 960))
	seen := ask(t, ctx, chromedp.Evaluate[[]bool](`["table", "thead", ".pill", ".files", ".address", "#print", "footer"].map((q) => document.querySelector(q).checkVisibility())`))
	if got := fmt.Sprint(seen); got != "[true true true false false false false]" {
		t.Errorf("seen on paper: %s", got)
	}
	if ground := ask(t, ctx, chromedp.Evaluate[string](`getComputedStyle(document.querySelector(".card")).backgroundColor`)); ground != "rgb(255, 255, 255)" {
		t.Errorf("paper is %s", ground)
	}
	wide := ask(t, ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	if wide {
		t.Error("wider than paper")
	}
	shoot(t, ctx, "certificates-print")
}
