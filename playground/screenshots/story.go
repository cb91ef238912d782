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
)

const (
	// patience is how long one step may take.
	patience = 20 * time.Second
	// calm is how long the page is left alone before a picture: highlights of
	// what changed fade.
	calm = 2300 * time.Millisecond
)

// browser goes through the page; after the first error it does nothing more.
type browser struct {
	ctx   context.Context //nolint:containedctx // The browser's own library keeps the tab in it.
	out   string
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

func (b *browser) press(selector string) {
	b.see(fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, selector))
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

func (b *browser) enter(selector, keys string) {
	b.see(fmt.Sprintf(`document.querySelector(%q)?.checkVisibility()`, selector))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), keys))
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

// command types a command.
func (b *browser) command(part, text string) {
	b.enter(`#part-`+part+` .composer input`, text+kb.Escape+kb.Enter)
}

func action(part, verb string) string { return `#part-` + part + ` [data-action^="` + verb + `:"]` }

// link proves Ada's address in a chat that offers it.
func (b *browser) link(part string) {
	b.press(action(part, "link"))
	b.enter(`#part-`+part+` .sheet input`, "ada@example.org")
	b.press(`#part-` + part + ` .sheet footer button:last-child`)
	b.press(action(part, "code"))
	b.see(`!!document.querySelector(".code-line mark")`)
	if b.err != nil {
		return
	}
	code, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector(".code-line mark").textContent`))
	if err != nil {
		b.err = fmt.Errorf("read code: %w", err)
		return
	}
	b.enter(`#part-`+part+` .sheet input`, code+kb.Enter)
	b.see(fmt.Sprintf(`!!document.querySelector(%q)`, action(part, "page")))
}

// story goes through the main states.
func (b *browser) story() {
	b.command("slack", "/badges list")
	b.link("slack")
	b.press(action("slack", "page"))
	b.see(fmt.Sprintf(`!!document.querySelector(%q)`, action("slack", "claim")))
	b.command("discord", "/badges list")
	b.see(`!!document.querySelector("#part-discord .container")`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#part-credly").scrollIntoView()`))
	b.press(action("slack", "claim"))
	b.see(`!!document.querySelector('#part-slack a.btn[href*="/h/"]')`)
	b.shot("playground")

	// The same person in Discord, in the dark.
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#part-mail .tools button").click()`))
	b.see(`!document.querySelector(".code-line")`)
	b.link("discord")
	b.press(action("discord", "page"))
	b.press(action("discord", "claim"))
	b.see(`!!document.querySelector('#part-discord a.btn[href*="/h/"]')`)
	b.scheme("dark")
	b.shot("playground-dark")
	b.scheme("light")

	// What is broken, and what the bot makes of it.
	b.press(`#guide-toggle`)
	b.press(`#dock-bar [data-dock="faults"]`)
	b.press(`[data-fault="slack-429"]`)
	b.press(`[data-fault="credly-timeout"]`)
	b.press(`#part-credly [data-act="accept"]`)
	b.see(`Number(document.querySelector('[data-alarm="credly-timeout"] b')?.textContent) > 0`)
	b.shot("playground-faults")
	b.press(`#dock-bar [data-dock="work"]`)
	b.see(`!!document.querySelector("#part-work .task")`)
	b.scheme("dark")
	b.shot("playground-work")
	b.scheme("light")
	b.press(`#dock-bar [data-dock="wire"]`)
	b.press("#part-wire .frames li:nth-last-child(3) .frame-line")
	b.shot("playground-wire")
	b.press(`#dock-bar [data-dock="faults"]`)
	b.press("#faults-reset")

	// In the hand.
	b.do(chromedp.EmulateViewport(phone.width, phone.height))
	b.press(`#tabs [data-tab="slack"]`)
	b.command("slack", "/badges list")
	b.see(fmt.Sprintf(`!!document.querySelector(%q)`, action("slack", "page")))
	b.shot("playground-phone")
	b.press(`#tabs [data-tab="discord"]`)
	b.scheme("dark")
	b.shot("playground-phone-dark")
}
