package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/laurelbot/laurel/internal/chromium"
)

const (
	// envScreenshots names a folder in which the browser tests leave pictures
	// of the page, for somebody to look at.
	envScreenshots = "LAUREL_SCREENSHOTS"
	// patience is how long one step in a browser may take.
	patience = 20 * time.Second
)

// page is a browser with the console open.
type page struct {
	t   *testing.T
	ctx context.Context

	mu      sync.Mutex
	trouble []string
}

// open starts a browser of its own.
func open(t *testing.T, address string, width, height int64) *page {
	t.Helper()
	ctx := chromium.Start(t)
	p := &page{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(address))
	p.see(`document.documentElement.dataset.live === "yes" && document.querySelectorAll("#tabs button").length === 8`)
	return p
}

// listen gathers everything that must not happen.
func (p *page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.trouble = append(p.trouble, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			p.trouble = append(p.trouble, fmt.Sprintf("console: %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			p.trouble = append(p.trouble, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Hostname() != "127.0.0.1" && u.Scheme != "data" {
			p.trouble = append(p.trouble, "request to "+e.Request.URL)
		}
	}
}

// calm fails the test when something happened that must not.
func (p *page) calm() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, what := range p.trouble {
		p.t.Error(what)
	}
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.shot("failed")
		p.t.Fatal(err)
	}
}

// see waits until an expression holds on the page.
func (p *page) see(expression string) {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(30*time.Millisecond)))
	if err != nil {
		p.shot("failed")
		p.calm()
		p.t.Fatalf("%s: %v", expression, err)
	}
}

// text waits until an element shows a text.
func (p *page) text(selector, want string) {
	p.t.Helper()
	p.see(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((n) => n.checkVisibility() && n.innerText.includes(%q))`, selector, want))
}

// press clicks the first element that a selector finds, once it is visible
// and stands still.
func (p *page) press(selector string) {
	p.t.Helper()
	p.see(fmt.Sprintf(`(() => {
		const n = document.querySelector(%q);
		if (!n?.checkVisibility()) return false;
		const r = n.getBoundingClientRect(), at = [r.x, r.y].join(), was = window.stood;
		window.stood = at;
		return at === was;
	})()`, selector))
	// Where the page draws it anew between pressing and letting go of the
	// mouse, nobody clicked it.
	for clicked := false; !clicked; {
		evaluate[chromedp.Void](p, fmt.Sprintf(`void (() => {
			window.clicked = false;
			document.addEventListener("click", (e) => { window.clicked = !!e.target.closest(%q); }, { capture: true, once: true });
		})()`, selector))
		p.reach(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		clicked = evaluate[bool](p, "window.clicked")
	}
}

// enter types into the first element that a selector finds, once it is
// visible.
func (p *page) enter(selector, keys string) {
	p.t.Helper()
	p.see(fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, selector))
	p.reach(chromedp.SendKeys(chromedp.CSS(selector), keys))
}

// reach does what begins with finding an element, again where the page drew
// that anew before anything was done with it.
func (p *page) reach(step chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	// https://chromedevtools.github.io/devtools-protocol/: a server error, by
	// which the methods of DOM say that there is no such node any more.
	const noNode = -32000
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, step)
		if err == nil {
			return
		}
		var gone *cdproto.Error
		if !errors.As(err, &gone) || gone.Code != noNode {
			p.shot("failed")
			p.t.Fatal(err)
		}
	}
}

// hit presses the enter key in the line that has the focus. The key of the
// library would also type a line feed, which no page can prevent.
func (p *page) hit() {
	p.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		key := input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13}
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, key); err != nil {
			p.t.Fatal(err)
		}
	}
}

// evaluate returns what an expression is on the page.
func evaluate[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// shot leaves a picture where the tester asked for it.
func (p *page) shot(name string) {
	dir := os.Getenv(envScreenshots)
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Logf("screenshot %s: %v", name, err)
		return
	}
	file := filepath.Join(dir, strings.ReplaceAll(p.t.Name(), "/", "-")+"-"+name+".png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		p.t.Error(err)
	}
}

func (p *page) scheme(kind string) {
	p.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: kind}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		p.t.Fatal(err)
	}
}

// background is how bright an element's ground is, 0 to 255.
func (p *page) background(selector string) int {
	p.t.Helper()
	return evaluate[int](p, fmt.Sprintf(`Number(getComputedStyle(document.querySelector(%q)).backgroundColor.match(/\d+/)[0])`, selector))
}

// fits tells that nothing is wider than the window.
func (p *page) fits() {
	p.t.Helper()
	over := evaluate[[]string](p, `document.documentElement.scrollWidth <= innerWidth ? [] :
		[...document.querySelectorAll("body *")].filter((n) => n.getBoundingClientRect().right > innerWidth + 1).map((n) => n.tagName + "." + n.className)`)
	if len(over) > 0 {
		p.t.Errorf("wider than the window: %v", over)
	}
}

const (
	slackInput   = "#part-slack .composer input"
	discordInput = "#part-discord .composer input"
)

func TestBrowserSlack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := open(t, w.url, 1440, 1000)
	p.text("#title", "Try it")
	p.text("#part-slack .empty", "Nothing here yet")

	// Suggestions by keyboard, then the command.
	p.enter(slackInput, "/ba")
	p.text("#part-slack .suggestions", "Your badges")
	p.hit()
	p.text("#part-slack .suggestions", "/badges link")
	p.shot("suggestions")
	p.hit()
	p.text("#part-slack .ephemeral .only-you", "Only visible to you")
	p.text("#part-slack .block-header", "Your badges 🏅")
	// What looks like markup stays text.
	p.text("#part-slack .block-section", "<script>alert(1)</script>")
	p.see(`document.querySelector("#part-slack .block-section strong").textContent === "Cloud Practitioner" && !document.querySelector(".log script")`)
	p.see(`/^[12]:\d\d$/.test(document.querySelector("#part-slack .left").textContent)`)
	p.see(`document.querySelector("#part-slack .accessory img").naturalWidth > 0`)
	p.see(`document.querySelector('#part-slack a.btn').target === "_blank"`)
	p.see(`document.querySelector('[data-task="command"]').className === "done"`)

	// A form: wrong, then right, with the code from the mailbox in sight.
	p.press(`#part-slack [data-action="code"]`)
	p.text("#part-slack .sheet", "Enter the code")
	p.see(`document.activeElement.closest(".sheet") !== null`)
	p.text(".code-line mark", code)
	p.press(`#part-mail summary`)
	p.shot("form")
	p.enter("#part-slack .sheet input", "111111"+kb.Enter)
	p.text("#part-slack .field-error", "That is not the code.")
	p.see(`document.querySelector("#part-slack .sheet input").value === "111111"`)
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#part-slack .sheet input").select()`))
	p.enter("#part-slack .sheet input", code+kb.Enter)
	p.text("#part-slack .message", "Linked. Your badge is ready 🎉")
	p.see(`document.querySelector("#part-slack .overlay").hidden`)
	p.see(`document.querySelector('[data-step="start"]').className === "done"`)

	// The countdown follows the clock that is moved.
	p.press(`[data-advance="1m"]`)
	p.see(`/^0:\d\d$/.test(document.querySelector("#part-slack .left").textContent)`)
	p.press(`[data-advance="1m"]`)
	p.press(`[data-advance="1m"]`)
	p.see(`document.querySelector("#part-slack .left").textContent === ""`)
	p.text("#clock-offset", "ahead")
	p.press("#clock-pause")
	p.text("#clock-offset", "paused")
	p.press("#clock-pause")

	// A question first, and an answer that replaces the message.
	p.press(`#part-slack [data-action="unlink"]`)
	p.text("#part-slack .ask", "Your badges stay at Credly.")
	p.press("#part-slack .ask footer button:first-child")
	p.see(`!document.querySelector(".ask")`)
	p.press(`#part-slack [data-action="unlink"]`)
	p.press("#part-slack .ask footer .danger")
	p.text("#part-slack .message", "Unlinked.")

	// The Home tab, which the app brings up to date.
	p.press(`#part-slack [data-pane="home"]`)
	p.text("#part-slack .empty-home", "has put nothing on its Home tab yet")
	for _, text := range []string{"At a glance", "Something else"} {
		view := obj{"type": "home", "blocks": []any{obj{"type": "header", "text": words(text)}, obj{"type": "divider"}, obj{"type": "section", "text": mrkdwn("*One*")}}}
		if err := w.slackAPI("views.publish", obj{"user_id": adaSlack, "view": view}); err != nil {
			t.Fatal(err)
		}
		p.text("#part-slack .home-view h4", text)
	}
	p.see(`document.querySelector("#part-slack .log").hidden && document.querySelector("#part-slack .problem").hidden`)
	p.press(`#part-slack [data-pane=""]`)
	p.see(`document.querySelector("#part-slack .pane").hidden`)

	// The message in another conversation is news.
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#part-slack .channels button")[0].click()`))
	p.text("#part-slack .channel-title", "team")
	if err := w.slackAPI("chat.postMessage", obj{"channel": w.slack.DM(adaSlack), "text": "Psst."}); err != nil {
		t.Fatal(err)
	}
	p.see(`document.querySelector("#part-slack .channels button.news") !== null`)

	// Another person sees their own.
	p.do(chromedp.SetValue(chromedp.CSS("#person"), "1"))
	p.text("#part-slack .empty", "Nothing here yet")
	p.see(`document.querySelectorAll("#part-slack .message").length === 0`)
	p.calm()
}

func TestBrowserDiscord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := open(t, w.url, 1440, 1000)
	// Names in the person's language, the first suggestion by Enter.
	p.enter(discordInput, "/ba")
	p.text("#part-discord .suggestions", "Deine Abzeichen")
	p.hit()
	p.see(fmt.Sprintf(`document.querySelector(%q).value === "/badges liste "`, discordInput))
	p.hit()
	p.text("#part-discord .ephemeral .only-you", "Only visible to you")
	p.text("#part-discord .container .heading", "Your badges")
	p.text("#part-discord .container", "<script>alert(1)</script>")
	p.text("#part-discord .stamp", "in 2 minutes")
	p.see(`document.querySelector("#part-discord .thumbnail").naturalWidth > 0`)
	p.see(`document.querySelector('[data-action="unlink:1"]').disabled`)

	p.press(`[data-action="think:1"]`)
	p.text("#part-discord .thinking", "is thinking")
	p.shot("thinking")
	close(w.think)
	p.text("#part-discord .message", "Ready: two minutes.")

	p.press(`[data-action="code:1"]`)
	p.text("#part-discord .sheet", "Six digits, from the mail")
	p.shot("form")
	p.enter("#part-discord .sheet input", code+kb.Enter)
	p.text("#part-discord .embed", "Cloud Practitioner")
	p.see(`document.querySelector("#part-discord .overlay").hidden`)

	// The options: one's addresses, and what the bot suggests.
	p.enter(discordInput, "/badges link ")
	p.text("#part-discord .suggestions", "address:")
	p.hit()
	p.text("#part-discord .suggestions", adaMail)
	p.enter(discordInput, kb.Escape)
	evaluate[chromedp.Void](p, fmt.Sprintf(`document.querySelector(%q).select()`, discordInput))
	p.enter(discordInput, "/badges claim badge:")
	p.text("#part-discord .suggestions", "Data Steward")
	p.enter(discordInput, kb.ArrowDown)
	p.hit()
	p.see(fmt.Sprintf(`document.querySelector(%q).value === "/badges claim badge:Cloud Practitioner"`, discordInput))
	p.see(`document.querySelector("#part-discord .suggestions").hidden`)
	p.shot("completed")
	p.hit()
	p.see(`document.querySelectorAll("#part-discord .container").length === 2`)
	p.enter(discordInput, "hello")
	p.hit()
	p.text("#part-discord .log .message:last-of-type", "hello")

	// A menu of channels offers those of the server one is in.
	p.press(`#part-discord .channels button:not([aria-current])`)
	evaluate[chromedp.Void](p, fmt.Sprintf(`document.querySelector(%q).select()`, discordInput))
	p.enter(discordInput, "/ba")
	p.text("#part-discord .suggestions", "Deine Abzeichen")
	p.hit()
	p.see(fmt.Sprintf(`document.querySelector(%q).value === "/badges liste "`, discordInput))
	p.hit()
	p.press(`#part-discord .container [data-action="code:1"]`)
	p.see(`[...document.querySelectorAll("#part-discord .sheet select option")].some((o) => o.textContent === "#general")`)
	p.calm()
}

func TestBrowserPanels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := open(t, w.url, 1440, 1000)
	// The mail: text with its code marked, and HTML that cannot run.
	p.press("#part-mail summary")
	p.text("#part-mail .mail-text mark", "482 913")
	p.press("#part-mail .buttons button:last-child")
	p.see(`document.querySelector("#part-mail iframe").checkVisibility() && document.querySelector("#part-mail iframe").sandbox.contains("allow-popups") && !document.querySelector("#part-mail iframe").sandbox.contains("allow-scripts")`)

	p.text("#part-credly .chip", "pending")
	p.press(`#part-credly [data-act="accept"]`)
	p.text("#part-credly .chip", "accepted")
	p.press(`#part-credly [data-act="public"]`)
	p.text("#part-credly .chip", "public")
	p.press(`#part-credly [role="switch"]`)
	p.see(`document.querySelector('#part-credly [role="switch"]').checked`)
	if b, _ := w.credly.Badge(w.badge); b.State != "accepted" || !b.Public {
		t.Errorf("badge: %+v", b)
	}
	p.see(`document.querySelector("#part-portal .grant select").options.length === 2`)
	p.press("#part-portal .grant button.primary")
	p.text("#part-portal .awards", "Data Steward")
	p.text("#notice", "was told: a badge was awarded.")
	p.shot("light")
	p.press("#part-portal .awards button")
	p.see(`document.querySelector("#part-portal .awards").children.length === 0`)

	p.scheme("dark")
	if dark := p.background("body"); dark > 60 {
		t.Errorf("dark: %d", dark)
	}
	p.shot("dark")
	p.scheme("light")
	if light := p.background("body"); light < 200 {
		t.Errorf("light: %d", light)
	}
	// The choice of the person counts more than the system's.
	p.press("#theme")
	p.press("#theme")
	if dark := p.background("body"); dark > 60 {
		t.Errorf("dark by choice: %d", dark)
	}
	p.fits()
	// The mail's policy stops its script: that is the one complaint wanted.
	p.mu.Lock()
	kept := p.trouble[:0]
	for _, what := range p.trouble {
		if !strings.Contains(what, "/mailbody/") && !strings.Contains(what, "sandboxed") {
			kept = append(kept, what)
		}
	}
	p.trouble = kept
	p.mu.Unlock()
	p.calm()
}

func TestBrowserPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := open(t, w.url, 390, 844)
	p.see(`document.querySelector("#part-slack").checkVisibility() && !document.querySelector("#part-discord").checkVisibility()`)
	p.enter(slackInput, "/badges")
	p.hit()
	p.text("#part-slack .only-you", "Only visible to you")
	p.fits()
	p.shot("slack")
	p.press(`#tabs [data-tab="discord"]`)
	p.see(`!document.querySelector("#part-slack").checkVisibility()`)
	p.enter(discordInput, "/badges liste")
	p.hit()
	p.text("#part-discord .container", "Your badges")
	p.fits()
	p.shot("discord")
	p.scheme("dark")
	p.shot("discord-dark")
	for _, part := range []string{"mail", "credly", "portal"} {
		p.press(fmt.Sprintf(`#tabs [data-tab=%q]`, part))
		p.see(fmt.Sprintf(`document.querySelector("#part-%s").checkVisibility()`, part))
		p.fits()
		p.shot(part)
	}
	p.calm()
}
