package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// size is a window's, in pixels.
type size struct{ width, height int64 }

// The windows of the pictures.
var (
	wide  = size{1440, 900}
	phone = size{390, 844}
	page  = size{800, 1000}
)

const (
	// patience is how long one step may take.
	patience = 20 * time.Second
	// calm is how long the page is left alone before a picture: highlights of
	// what changed fade.
	calm = 2300 * time.Millisecond
	// turns is how often the clock is moved at most until something happens.
	turns = 25
)

// browser goes through the page; after the first error it does nothing more.
type browser struct {
	ctx context.Context //nolint:containedctx // The browser's own library keeps the tab in it.
	out string
	// at is the address of the playground's page.
	at    string
	close func()
	err   error
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	if b.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.err = fmt.Errorf("drive browser: %w", err)
	}
}

// see waits until an expression holds on the page.
func (b *browser) see(expression string) {
	if b.err != nil {
		return
	}
	_, err := chromedp.Run(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(50*time.Millisecond)))
	if err != nil {
		b.err = fmt.Errorf("wait for %s: %w", expression, err)
	}
}

// shows waits until a selector finds something.
func (b *browser) shows(selector string) {
	b.see(fmt.Sprintf(`!!document.querySelector(%q)`, selector))
}

// is returns whether an expression holds now.
func (b *browser) is(expression string) bool {
	if b.err != nil {
		return false
	}
	now, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
	if err != nil {
		b.err = fmt.Errorf("look at %s: %w", expression, err)
	}
	return now
}

// run does something in the page.
func (b *browser) run(script string) { b.do(chromedp.Evaluate[chromedp.Void](script)) }

// press clicks what a selector finds first, once it is visible and stands still.
func (b *browser) press(selector string) {
	b.see(fmt.Sprintf(`(() => {
		const n = document.querySelector(%q);
		if (!n?.checkVisibility()) return false;
		const r = n.getBoundingClientRect(), at = [r.x, r.y].join(), was = window.stood;
		window.stood = at;
		return at === was;
	})()`, selector))
	// Not by the mouse: what is there may be drawn anew in this moment.
	b.run(fmt.Sprintf(`void document.querySelector(%q).click()`, selector))
}

func (b *browser) enter(selector, keys string) {
	b.see(fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), keys))
}

// choose picks the option with this text in a menu.
func (b *browser) choose(selector, text string) {
	b.shows(selector)
	b.see(fmt.Sprintf(`(() => {
		const menu = document.querySelector(%q);
		const option = [...menu.options].find((o) => o.text.includes(%q));
		if (!option) return false;
		menu.value = option.value;
		menu.dispatchEvent(new Event("change", { bubbles: true }));
		return true;
	})()`, selector, text))
}

// home opens the page of the playground.
func (b *browser) home() {
	b.do(chromedp.Navigate(b.at))
	b.see(`document.documentElement.dataset.live === "yes"`)
}

func (b *browser) scheme(kind string) {
	if b.err != nil {
		return
	}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: kind}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.err = fmt.Errorf("choose colours: %w", err)
	}
}

// shot leaves a picture of what is in the window.
func (b *browser) shot(name string) {
	b.do(chromedp.Sleep(calm))
	if b.err != nil {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(b.out, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.err = fmt.Errorf("picture %s: %w", name, err)
	}
}

// What one does on the page of the playground.

func action(part, verb string) string { return `#part-` + part + ` [data-action^="` + verb + `:"]` }

// person acts as somebody else.
func (b *browser) person(name string) { b.choose("#person", name) }

// channel opens a conversation: by its name, or the one with the bot by "".
func (b *browser) channel(part, name string) {
	find := fmt.Sprintf(`[...document.querySelectorAll("#part-%s .channels button")].%s`, part,
		map[bool]string{true: "at(-1)", false: fmt.Sprintf("find((b) => b.textContent.includes(%q))", name)}[name == ""])
	b.see("!!" + find)
	b.run("void " + find + ".click()")
}

// command types a command.
func (b *browser) command(part, text string) {
	b.enter(`#part-`+part+` .composer input`, text+kb.Escape+kb.Enter)
}

// ahead is how far the page says that its clock is ahead.
const ahead = `document.getElementById("clock-offset").textContent`

// move presses a button of the clock and waits until the page has moved, too.
func (b *browser) move(selector string) {
	b.run(`window.wasAhead = ` + ahead)
	b.press(selector)
	b.see(ahead + ` !== window.wasAhead`)
}

// fill fills in a field of the form that is open: a text, or what is chosen.
func (b *browser) fill(part, name, value string) {
	field := fmt.Sprintf(`#part-%[1]s .sheet [name=%[2]q], #part-%[1]s .sheet [data-focus="input:%[2]s"]`, part, name)
	b.see(fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		if (!field?.checkVisibility()) return false;
		field.value = [...(field.options ?? [])].find((o) => o.text === %[2]q)?.value ?? %[2]q;
		for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
		return true;
	})()`, field, value))
}

// days moves the clock.
func (b *browser) days(n int) {
	for range n {
		b.move(`[data-advance="24h"]`)
	}
}

// until goes from one thing that happens by itself to the next, until a
// selector finds what is waited for.
func (b *browser) until(selector string) {
	there := fmt.Sprintf(`!!document.querySelector(%q)`, selector)
	for range turns {
		if b.is(there) {
			return
		}
		b.move("#clock-next")
		b.do(chromedp.Sleep(300 * time.Millisecond))
	}
	b.see(there)
}

// link proves an address in a chat that offers it.
func (b *browser) link(part, address string) {
	b.press(action(part, "link"))
	b.enter(`#part-`+part+` .sheet input`, address)
	b.press(`#part-` + part + ` .sheet footer button:last-child`)
	b.press(action(part, "code"))
	b.shows(".code-line mark")
	if b.err != nil {
		return
	}
	code, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector(".code-line mark").textContent`))
	if err != nil {
		b.err = fmt.Errorf("read code: %w", err)
		return
	}
	b.enter(`#part-`+part+` .sheet input`, code+kb.Enter)
	b.shows(action(part, "page"))
}
