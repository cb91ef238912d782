package web

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/npm"
)

// drawn is a six-sided picture as a provider has it.
func drawn(t *testing.T) []byte {
	t.Helper()
	const side = 220
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			dx, dy := math.Abs(float64(x)-side/2), math.Abs(float64(y)-side/2)
			// The distance to the nearest edge of the hexagon, 1 at the edge.
			d := max(dx, dx/2+dy*math.Sqrt(3)/2) / (side / 2)
			switch {
			case d < 0.8 || d > 0.86 && d < 0.98:
				img.SetNRGBA(x, y, color.NRGBA{35, 57, 91, 255})
			case d < 0.98:
				img.SetNRGBA(x, y, color.NRGBA{232, 200, 114, 255})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// compose is a page in which a mail is written, as a mail program does it.
const compose = `<!doctype html><title>Mail</title><div id="mail" contenteditable="true" style="min-height:9em"></div><div id="want"></div><script>
var pasted = null;
document.getElementById("mail").addEventListener("paste", function (e) {
  pasted = { html: e.clipboardData.getData("text/html"), text: e.clipboardData.getData("text/plain") };
});</script>`

// serveSign is serve with pictures, and a page in which a mail is written.
func serveSign(t *testing.T) (s *site, base string) {
	t.Helper()
	s, base, _ = serve(t)
	g := newGallery(t)
	g.set(shows("image/png", drawn(t)))
	s.shares.address = g.URL + "/a.png"
	s.mux.HandleFunc("/compose", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, compose)
	})
	return s, base
}

func dark(t *testing.T, ctx context.Context, on bool) {
	t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	order(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// accessible holds the page against the rules of axe-core, see
// https://github.com/dequelabs/axe-core; in dark colours against those about
// colours, because nothing else differs.
func accessible(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	project := npm.Project(t, filepath.Join("..", "..", "playground", "console", "testdata", "axe"))
	axe, err := os.ReadFile(filepath.Join(project, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](string(axe)+"\nvoid 0"))
	for _, on := range []bool{false, true} {
		rules := ""
		if on {
			rules = `runOnly: ["color-contrast", "link-in-text-block"],`
		}
		dark(t, ctx, on)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`void (async () => {
			window.wrong = null;
			const r = await axe.run(document, { %s resultTypes: ["violations"] });
			window.wrong = r.violations.map((v) => v.impact + " " + v.id + ": " + v.nodes.map((n) => n.target.join(" ")).join(", "));
		})()`, rules)))
		ask(t, ctx, chromedp.Poll[bool](`Array.isArray(window.wrong)`))
		if wrong := ask(t, ctx, chromedp.Evaluate[[]string](`window.wrong`)); len(wrong) > 0 {
			t.Errorf("%s, dark=%t: %s", path, on, strings.Join(wrong, "\n"))
		}
	}
}

// shownSignature says how the preview is drawn: sizes of pictures, and colours.
type shownSignature struct {
	Pictures []string `json:"pictures"`
	Loaded   bool     `json:"loaded"`
	Colour   string   `json:"colour"`
	Ground   string   `json:"ground"`
	Font     string   `json:"font"`
}

const lookAtPane = `(() => {
	const pane = document.getElementById(%q), img = [...pane.querySelectorAll("img")], name = pane.querySelector("td, b");
	return { pictures: img.map((i) => i.width + "x" + i.height), loaded: img.every((i) => i.complete && i.naturalWidth > 0),
		colour: getComputedStyle(name).color, ground: getComputedStyle(pane).backgroundColor, font: getComputedStyle(name).fontSize };
})()`

func TestBrowserSignature(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	t.Run("drawn", func(t *testing.T) { signatureIsDrawn(t, browser) })
	t.Run("copied", func(t *testing.T) { signatureIsCopied(t, browser) })
	t.Run("for everybody", func(t *testing.T) { signatureIsForEverybody(t, browser) })
	t.Run("mastodon", func(t *testing.T) { mastodonIsAsked(t, browser) })
}

func signatureIsDrawn(t *testing.T, browser context.Context) {
	s, base := serveSign(t)
	for _, l := range []look{{390, 844, false, true}, {1280, 900, true, true}, {390, 844, false, false}} {
		name := fmt.Sprintf("sign-%d-dark=%t-script=%t", l.width, l.dark, l.script)
		ctx := tab(t, browser, l, base)
		visit(t, ctx, base+testSignPath, "#preview", name)
		// Without a script nothing could be copied.
		if got := ask(t, ctx, chromedp.Evaluate[bool](`document.getElementById("does").checkVisibility()`)); got != l.script {
			t.Errorf("%s: offers to copy: %t", name, got)
		}
		for _, size := range signatureSizes() {
			do(t, ctx, chromedp.Click(chromedp.CSS("input[value="+size.ID+"]")))
			shown := chromedp.WaitVisible(chromedp.CSS(fmt.Sprintf("#light img[width='%d']", size.Pixels)))
			if !l.script && size.Pixels != signatureSizes()[0].Pixels {
				do(t, ctx, chromedp.Click(chromedp.CSS("#show")))
			}
			do(t, ctx, shown)
			for _, pane := range []string{"light", "dark"} {
				ask(t, ctx, chromedp.Poll[bool](fmt.Sprintf(lookAtPane, pane)+`.loaded`))
				got := ask(t, ctx, chromedp.Evaluate[shownSignature](fmt.Sprintf(lookAtPane, pane)))
				side := fmt.Sprintf("%dx%d", size.Pixels, size.Pixels)
				if strings.Join(got.Pictures, " ") != side+" "+side+" "+side || got.Font != "16px" || got.Colour == got.Ground {
					t.Errorf("%s, %s, %s: %+v", name, size.ID, pane, got)
				}
			}
			checkLayout(t, ctx)
			shoot(t, ctx, name+"-"+size.ID)
		}
	}
	if s.log.Len() > 0 {
		t.Errorf("log: %s", s.log)
	}
}

// pressCommand lets the browser's own editing work.
func pressCommand(t *testing.T, ctx context.Context, command string) {
	t.Helper()
	order(t, ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{
		Type: "keyDown", Modifiers: 2, Key: "v", Code: "KeyV", Commands: []string{command},
	})
}

// What is copied arrives in a mail as it was made.
func signatureIsCopied(t *testing.T, browser context.Context) {
	s, base := serveSign(t)
	ctx := tab(t, browser, look{1280, 900, false, true}, base)
	do(t, ctx, chromedp.Navigate(base+testSignPath), chromedp.WaitVisible(chromedp.CSS("#copy")))
	const name, title = `Zoë "Ada" <O'Neil> & 資格`, `Chief style="x" Officer`
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("name").value = ""`), chromedp.SendKeys(chromedp.CSS("#name"), name),
		chromedp.SendKeys(chromedp.CSS("#role"), title), chromedp.Click(chromedp.CSS("input[value=large]")),
		chromedp.Click(chromedp.CSS("input[name=badge][value='0']")), chromedp.Click(chromedp.CSS("input[name=badge][value='3']")))

	var badges []signedBadge
	for _, b := range s.shares.signature.Badges {
		one := signedBadge{Name: b.Badge.Template.Name, URL: b.Badge.BadgeURL}
		if b.Picture != "" {
			one.Picture = base + "/b/" + b.Picture + ".png"
		}
		badges = append(badges, one)
	}
	want := newSignatureParts(signatureSizes()[1], badges).html(name, title, []int{1, 2, 3})
	if got := ask(t, ctx, chromedp.Evaluate[string](`document.getElementById("html").value`)); got != want {
		t.Errorf("the script makes\n%s\nwant\n%s", got, want)
	}
	paste := func(how string) (html, text, mail, same string) {
		do(t, ctx, chromedp.Click(chromedp.CSS(how)))
		ask(t, ctx, chromedp.Poll[bool](`document.getElementById("said").textContent === "Copied"`))
		other := tab(t, browser, look{1280, 900, false, true}, base)
		do(t, other, chromedp.Navigate(base+"/compose"), chromedp.Click(chromedp.CSS("#mail")))
		pressCommand(t, other, "Paste")
		ask(t, other, chromedp.Poll[bool](`pasted !== null && document.getElementById("mail").textContent !== ""`))
		html = ask(t, other, chromedp.Evaluate[string](`pasted.html`))
		text = ask(t, other, chromedp.Evaluate[string](`pasted.text`))
		mail = ask(t, other, chromedp.Evaluate[string](`document.getElementById("mail").innerHTML`))
		same = ask(t, other, chromedp.Evaluate[string](fmt.Sprintf(`new DOMParser().parseFromString(%q, "text/html").body.innerHTML`, want)))
		shoot(t, other, "pasted"+how)
		return html, text, mail, same
	}
	html, text, mail, same := paste("#copy")
	if html != want {
		t.Errorf("the clipboard has\n%s\nwant\n%s", html, want)
	}
	if lines := strings.Split(text, "\n"); len(lines) != 5 || lines[0] != name || lines[1] != title || lines[4] != "資格: "+testBadgeURL {
		t.Errorf("as plain text %q", text)
	}
	if mail != same {
		t.Errorf("the mail has\n%s\nwant\n%s", mail, same)
	}
	html, text, mail, _ = paste("#copyhtml")
	if text != want || html != "" || !strings.Contains(mail, "&lt;table") {
		t.Errorf("as HTML %q, %q", html, text)
	}
}

// By the keyboard alone, and for those who do not see.
func signatureIsForEverybody(t *testing.T, browser context.Context) {
	_, base := serveSign(t)
	ctx := tab(t, browser, look{390, 844, false, true}, base)
	for _, path := range []string{testSignPath, sharePath(core.OutletMail), sharePath(core.OutletMastodon)} {
		do(t, ctx, chromedp.Navigate(base+path), chromedp.WaitVisible(heading))
		if path == testSignPath {
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.open = true; })`))
		}
		accessible(t, ctx, path)
		checkLayout(t, ctx)
		shoot(t, ctx, "share"+strings.ReplaceAll(path, "/", "-"))
	}
	do(t, ctx, chromedp.Navigate(base+testSignPath), chromedp.WaitVisible(chromedp.CSS("#copy")))
	var reached []string
	for range 24 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		id := ask(t, ctx, chromedp.Evaluate[string](`(document.activeElement.id || document.activeElement.value || document.activeElement.textContent).trim()`))
		if reached = append(reached, id); id == "copy" {
			break
		}
	}
	if got := strings.Join(reached, " "); !strings.HasPrefix(got, "name role small 0 1 2 3 light") || !strings.HasSuffix(got, " copy") {
		t.Errorf("reached %s", got)
	}
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	ask(t, ctx, chromedp.Poll[bool](`document.getElementById("said").textContent === "Copied" && document.activeElement.id === "copy"`))
	// A name from right to left begins where its badges do.
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.getElementById("name").value = ""`), chromedp.SendKeys(chromedp.CSS("#name"), "אדה דוגמה"))
	ask(t, ctx, chromedp.Poll[bool](`(() => {
		const at = (of) => document.querySelector("#light " + of).getBoundingClientRect().left;
		return document.querySelector("#light span").textContent === "אדה דוגמה" && Math.abs(at("span") - at("img")) < 2;
	})()`))
}

// The browser lets the form of the page for Mastodon go where it leads.
func mastodonIsAsked(t *testing.T, browser context.Context) {
	_, base := serveSign(t)
	ctx := tab(t, browser, look{390, 844, false, true}, base, "https://mastodon.invalid/share?text=")
	do(t, ctx, chromedp.Navigate(base+sharePath(core.OutletMastodon)), chromedp.WaitVisible(chromedp.CSS("#server")))
	do(t, ctx, chromedp.SendKeys(chromedp.CSS("#server"), "nothing"), chromedp.Click(button), chromedp.WaitVisible(chromedp.CSS("#wrong")))
	checkLayout(t, ctx)
	shoot(t, ctx, "mastodon-wrong")
	if got := ask(t, ctx, chromedp.Evaluate[string](`document.getElementById("server").value`)); got != "nothing" {
		t.Errorf("what was typed is %q", got)
	}
}
