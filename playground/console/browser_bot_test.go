package console_test

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/laurelbot/laurel/internal/chromium"
)

// TestBrowserBot shows the page with the real program behind it, as somebody
// sees it who types the command of the README.
func TestBrowserBot(t *testing.T) {
	t.Parallel()
	chromium.Program(t)
	program := filepath.Join(t.TempDir(), "bot")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/bot")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build bot: %v: %s", err, out)
	}
	for name, test := range map[string]func(*testing.T, string){
		"tour": testTour, "keyboard": testKeyboard, "faults": testFaults, "accessible": testAccessible, "import": testImport,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, play(t, program))
		})
	}
}

var openAt = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// play starts the playground and returns the address of its page.
func play(t *testing.T, program string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, program, "playground", "--playground-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		// It was killed: what it says about that is no news.
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at := openAt.FindString(lines.Text()); at != "" {
			return at
		}
	}
	t.Fatalf("the playground did not open: %v", lines.Err())
	return ""
}

// key presses one key with nothing but its own meaning.
func (p *page) key(name string, code int64, shift bool) {
	p.t.Helper()
	modifiers := int64(0)
	if shift {
		modifiers = 8
	}
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		key := input.DispatchKeyEventParams{
			Type: kind, Key: name, Code: name, WindowsVirtualKeyCode: code, NativeVirtualKeyCode: code, Modifiers: modifiers,
		}
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, key); err != nil {
			p.t.Fatal(err)
		}
	}
}

// push presses the enter key as buttons and forms want it: with its character.
func (p *page) push() {
	p.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		key := input.DispatchKeyEventParams{
			Type: kind, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13,
		}
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, key); err != nil {
			p.t.Fatal(err)
		}
	}
}

// walk presses Tab until what a selector finds has the focus.
func (p *page) walk(selector string, back bool) {
	p.t.Helper()
	p.see(fmt.Sprintf(`!!document.querySelector(%q)`, selector))
	for range 60 {
		if evaluate[bool](p, fmt.Sprintf(`document.activeElement?.matches(%q) ?? false`, selector)) {
			return
		}
		p.key("Tab", 9, back)
	}
	p.shot("failed")
	p.t.Fatalf("Tab does not lead to %s", selector)
}

const (
	slackSheet = "#part-slack .sheet input"
	sheetGo    = "#part-slack .sheet footer button:last-child"
)

func action(verb string) string { return `#part-slack [data-action^="` + verb + `:"]` }

// mailed returns the code that is in the mailbox.
func (p *page) mailed() string {
	p.t.Helper()
	p.see(`!!document.querySelector(".code-line mark")`)
	return evaluate[string](p, `document.querySelector(".code-line mark").textContent`)
}

// link proves Ada's address.
func (p *page) link() {
	p.t.Helper()
	p.enter(slackInput, "/badges")
	p.hit()
	p.press(action("link"))
	p.enter(slackSheet, adaMail)
	p.press(sheetGo)
	code := p.mailed()
	p.press(action("code"))
	p.enter(slackSheet, code+kb.Enter)
	p.see(fmt.Sprintf(`!!document.querySelector(%q)`, action("page")))
}

// testTour goes the seven steps, each time where the ring is.
func testTour(t *testing.T, address string) {
	began := time.Now()
	p := open(t, address, 1440, 900)
	t.Logf("from a running program to a usable page, browser included: %v", time.Since(began).Round(time.Millisecond))
	p.text("#guide-count", "0 of 7")
	ring := func(selector string) {
		t.Helper()
		p.see(fmt.Sprintf(`document.querySelector(".spot")?.matches(%q) ?? false`, selector))
	}
	done := func(step string) {
		t.Helper()
		p.see(fmt.Sprintf(`document.querySelector('[data-step=%q]').className === "done"`, step))
	}
	ring("#part-slack .composer")
	p.press("#guide-show")
	p.see(fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, slackInput))
	p.enter(slackInput, "/badges")
	p.hit()
	ring(action("link"))
	p.press(action("link"))
	p.enter(slackSheet, adaMail)
	ring(sheetGo)
	p.press(sheetGo)
	code := p.mailed()
	ring(action("code"))
	p.press(action("code"))
	p.enter(slackSheet, code+kb.Enter)
	done("start")
	ring(action("page"))
	p.shot("linked")
	p.press(action("page"))
	done("badges")
	p.press(action("claim"))
	done("claim")
	ring(`a.btn[href*="/h/"]`)
	p.see(`/^[12]:\d\d$/.test(document.querySelector("#part-slack .left").textContent)`)
	p.shot("claimed")
	// The test does not follow to the new tab.
	evaluate[chromedp.Void](p, `void document.addEventListener("click", (e) => e.target.closest('a.btn[href*="/h/"]') && e.preventDefault())`)
	p.press(`#part-slack a.btn[href*="/h/"]`)
	done("credly")
	done("account") // Ada has one.
	// Skipped, taken up again.
	ring(`#part-credly [role="switch"]`)
	p.press("#guide-skip")
	done("auto")
	p.press("#guide-toggle")
	p.see(`!document.querySelector(".spot") && !document.querySelector(".steps").checkVisibility()`)
	p.press("#guide-toggle")
	ring(`#part-credly [data-act="accept"]`)
	p.press(`#part-credly [data-act="accept"]`)
	p.see(`!!document.querySelector("#part-credly .badges > li:first-child .state-accepted")`)
	p.press(`#part-credly .badges > li:first-child [data-act="public"]`)
	p.see(`document.querySelectorAll("#part-credly .state-public").length > 1`)
	ring(action("share"))
	p.press(action("share"))
	p.text("#guide-count", "all done")
	p.shot("done")
	p.press("#guide-restart")
	p.text("#guide-count", "0 of 7")

	// What changes now in the messages of before, and what the bot says of
	// itself, ticks nothing off: not at once, and not once the tour goes on.
	anew := func(ticked string) {
		t.Helper()
		p.see(fmt.Sprintf(`[...document.querySelectorAll(".todo .done")].map((n) => n.dataset.task).join() === %q`, ticked))
		p.text("#guide-count", "0 of 7")
	}
	before := evaluate[string](p, `document.querySelector("#part-slack .log").innerText`)
	p.press(`#part-credly .badges > li:first-child [data-act="public"]`)
	p.see(fmt.Sprintf(`document.querySelector("#part-slack .log").innerText !== %q`, before))
	anew("")
	p.enter(slackInput, "/badges help")
	p.hit()
	anew("command")
	before = evaluate[string](p, `document.querySelector("#part-slack .log").innerText`)
	p.press(`#part-credly .badges > li:first-child [data-act="revoke"]`)
	p.see(fmt.Sprintf(`document.querySelector("#part-slack .log").innerText !== %q`, before))
	anew("command")
	p.do(chromedp.Reload())
	p.see(`document.documentElement.dataset.live === "yes"`)
	anew("command")
	p.calm()
}

// testKeyboard claims a badge without a mouse.
func testKeyboard(t *testing.T, address string) {
	p := open(t, address, 1440, 900)
	for range 3 {
		p.key("F6", 117, false)
	}
	p.see(fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, slackInput))
	p.enter(slackInput, "/ba")
	p.text("#part-slack .suggestions", "/badges")
	p.key("ArrowDown", 40, false)
	p.hit()
	p.see(fmt.Sprintf(`document.querySelector(%q).value === "/badges "`, slackInput))
	p.key("Escape", 27, false)
	p.hit()
	p.walk(action("link"), true)
	p.push()
	p.see(`!!document.activeElement.closest(".sheet")`)
	// Escape closes it, and the focus is where it was.
	p.key("Escape", 27, false)
	p.see(fmt.Sprintf(`document.querySelector("#part-slack .overlay").hidden && document.activeElement.matches(%q)`, action("link")))
	p.push()
	p.see(`!!document.activeElement.closest(".sheet")`)
	// Tab stays in the form.
	for range 6 {
		p.key("Tab", 9, false)
		p.see(`!!document.activeElement.closest(".sheet")`)
	}
	p.walk(slackSheet, false)
	p.enter(slackSheet, adaMail)
	p.push()
	code := p.mailed()
	p.walk(action("code"), true)
	p.push()
	p.see(`!!document.activeElement.closest(".sheet")`)
	p.enter(slackSheet, code)
	p.push()
	p.walk(action("page"), true)
	p.push()
	p.see(fmt.Sprintf(`!!document.querySelector(%q)`, action("claim")))
	p.walk(action("claim"), true)
	p.push()
	p.walk(`#part-slack a.btn[href*="/h/"]`, true)
	p.calm()
}

// alarm waits until a switch is shown in the header, with a number if it
// counts.
func (p *page) alarm(id string, counts bool) {
	p.t.Helper()
	p.see(fmt.Sprintf(`(() => { const a = document.querySelector('[data-alarm=%q]'); return !!a && (!%v || Number(a.querySelector("b")?.textContent) > 0); })()`, id, counts))
}

// testFaults breaks what can be broken and looks at what comes of it.
func testFaults(t *testing.T, address string) {
	p := open(t, address, 1440, 900)
	dock := func(name string) {
		t.Helper()
		p.press(fmt.Sprintf(`#dock-bar [data-dock=%q][aria-expanded="false"]`, name))
	}
	flip := func(id string) {
		t.Helper()
		dock("faults")
		p.press(fmt.Sprintf(`[data-fault=%q]`, id))
		// What it says in the header moves everything below.
		p.alarm(id, false)
	}
	// Nothing is unexplained, and what cannot be used here says why.
	p.see(`[...document.querySelectorAll(".fault p")].length >= 15 && [...document.querySelectorAll(".fault p")].every((n) => n.textContent.length > 20)`)
	p.see(`document.querySelector('[data-fault="slack-cut"]').disabled && document.querySelector('[data-fault="discord-drop"]').disabled`)

	// The mail server refuses for now: the mail waits, and arrives later.
	flip("mail-later")
	p.enter(slackInput, "/badges")
	p.hit()
	p.press(action("link"))
	p.enter(slackSheet, adaMail)
	p.press(sheetGo)
	p.alarm("mail-later", true)
	dock("work")
	p.text("#part-work .task", "Mail with a code")
	p.see(`Number(document.querySelector('#dock-bar [data-count="work"]').textContent) > 0`)
	p.shot("mail")
	p.press(`[data-alarm="mail-later"]`)
	p.see(`!document.querySelector("[data-alarm]")`)
	p.press("#clock-next")
	code := p.mailed()

	// Slack limits: the form cannot be opened.
	flip("slack-429")
	p.press(action("code"))
	p.alarm("slack-429", true)
	dock("wire")
	p.text("#part-wire .status.bad", "429")
	p.press(`#part-wire [data-part="slack"] .frame-line:has(.bad)`)
	p.see(`!document.querySelector(".frame-body").textContent.includes("xoxb-")`)
	p.shot("slack")
	p.press(`[data-alarm="slack-429"]`)
	p.see(`!document.querySelector("[data-alarm]")`)

	// Credly does not answer: the address is linked, reading its badges waits.
	p.press(action("code"))
	p.see(`!!document.querySelector("#part-slack .sheet")`)
	flip("credly-timeout")
	p.enter(slackSheet, code+kb.Enter)
	p.alarm("credly-timeout", true)
	dock("work")
	p.text("#part-work .task", "Read a person's badges at Credly")
	p.shot("credly")
	p.press(`[data-alarm="credly-timeout"]`)

	// The database vanishes: the chat says so, the page says so.
	flip("database")
	p.enter(slackInput, "/badges")
	p.hit()
	dock("work")
	p.text("#part-work .outage", "the database does not answer")
	p.text("#part-work .line", "store unavailable")
	p.shot("database")
	dock("faults")
	p.press("#faults-reset")
	p.see(`!document.querySelector("[data-alarm]")`)
	dock("work")
	p.see(`document.querySelector("#part-work .outage").hidden`)
	p.calm()
}

// testImport hands over a file of awards that has mistakes.
func testImport(t *testing.T, address string) {
	p := open(t, address, 1440, 900)
	send := `.intake > .buttons:last-of-type button`
	rows := func(kind string, n int) {
		t.Helper()
		p.see(fmt.Sprintf(`[...document.querySelectorAll(".intake-result .chip")].filter((n) => n.textContent === %q).length === %d`, kind, n))
	}
	p.press(".intake summary")
	p.press(send)
	p.text(".intake-result", "Paste a file first")
	p.enter(".intake textarea", "award_id,colour\n1,red")
	p.press(send)
	p.text(".intake-result .problem", "Nothing was taken in: line 1")
	p.press(".intake .buttons button:nth-child(2)")
	p.press(send)
	p.text(".intake-result .problem", "2 rows of 5")
	p.text(".intake-result .cause", "column email: is not an e-mail address")
	rows("good", 3)
	rows("refused", 2)
	if told := evaluate[int](p, `document.querySelectorAll("#part-portal .awards > li").length`); told != 1 {
		t.Errorf("awards after a file that was refused: %d", told)
	}
	p.press(".intake .switch input")
	p.press(send)
	p.text(".intake-result .good", "3 new, 0 changed, 0 known already; 2 rows left out")
	rows("taken in", 3)
	p.see(`document.querySelectorAll("#part-portal .awards > li").length === 2`)
	p.press(send)
	p.text(".intake-result .good", "0 new, 0 changed, 3 known already")
	p.shot("imported")
	// Whoever links the address finds it in the chat.
	p.link()
	p.press(action("page"))
	p.text("#part-slack .message", "Certified Programme Manager")
	p.calm()
}

// testAccessible holds the page against all rules of axe-core.
func testAccessible(t *testing.T, address string) {
	p := open(t, address, 1440, 900)
	p.rules()
	check := func(state string) {
		t.Helper()
		p.accessible(state, "body")
	}
	// Who runs the programme is told apart.
	p.see(`document.querySelector("#person optgroup").label === "Runs the programme" && !document.querySelector("#person-runs").checkVisibility()`)
	p.do(chromedp.SetValue(chromedp.CSS("#person"), "3"))
	p.see(`document.querySelector("#person-runs").checkVisibility()`)
	p.press("#person-help .help")
	p.text("#person-text", "administers the Slack workspace")
	p.do(chromedp.SetValue(chromedp.CSS("#person"), "0"))
	p.enter(discordInput, "/badges help")
	p.hit()
	p.see(`!!document.querySelector("#part-discord .container")`)
	p.link()
	p.press(`#dock-bar [data-dock="faults"]`)
	p.press(`[data-fault="credly-late"]`)
	p.alarm("credly-late", false)
	check("faults")
	p.press(`#dock-bar [data-dock="wire"]`)
	p.press("#part-wire .frames li:last-child .frame-line")
	p.press("#part-slack .help")
	p.press("#part-discord .server button")
	p.text("#part-discord .linked-role:nth-child(2)", "Level: 3 or more")
	check("wire and roles")
	p.press("#part-discord .server button")
	p.see(`!document.querySelector("#part-discord .log").hidden`)
	p.press(`#dock-bar [data-dock="work"]`)
	p.enter(slackInput, "/badges emails")
	p.hit()
	p.press(action("link"))
	p.see(`!!document.querySelector("#part-slack .sheet")`)
	p.see(`!document.querySelectorAll(".help").forEach((b) => b.click())`)
	check("form and helps")
	p.key("Escape", 27, false)
	p.see(`document.querySelector("#part-slack .overlay").hidden`)
	p.enter(discordInput, "/badges list")
	p.hit()
	p.press(`#part-discord [data-action^="link:"]`)
	p.see(`!!document.querySelector("#part-discord .sheet")`)
	check("form in Discord")
	p.do(chromedp.EmulateViewport(390, 844))
	for _, tab := range []string{"discord", "slack", "credly", "portal"} {
		p.press(fmt.Sprintf(`#tabs [data-tab=%q]`, tab))
		if tab == "portal" {
			p.press(".intake summary")
		}
		check("phone, " + tab)
		p.fits()
	}
	p.calm()
}
