package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"

	"github.com/laurelbot/laurel/internal/chromium"
)

const (
	// many is how many messages one conversation holds.
	many = 2000
	// fluent is how long the page may keep somebody waiting, in milliseconds:
	// https://web.dev/articles/rail.
	fluent = 100
	// drawing is how long, in milliseconds, a page on a machine of its own
	// takes to lay out some hundred messages.
	drawing = 8
)

// limit is how long the page may keep somebody waiting here and now: how long
// it takes to lay out some hundred messages tells how fast the machine is, and
// how much of it other tests leave.
func (p *page) limit() float64 {
	p.t.Helper()
	p.figures("laying out anew", `for (let i = 0; i < 9; i += 1) {
		const at = performance.now();
		const copy = document.createElement("div");
		copy.style.cssText = "position:fixed;left:-4000px;width:400px";
		for (const m of [...document.querySelectorAll("#part-slack .message")].slice(0, 400)) copy.append(m.cloneNode(true));
		document.body.append(copy);
		copy.getBoundingClientRect();
		copy.remove();
		out.push(performance.now() - at);
		await painted();
	}`)
	took := evaluate[[]float64](p, `window.figures`)
	slices.Sort(took)
	return fluent * max(1, took[len(took)/2]/drawing)
}

// figures returns the shortest of what a part of an asynchronous function
// of the page measured, in milliseconds.
func (p *page) figures(what, body string) (shortest float64) {
	p.t.Helper()
	evaluate[chromedp.Void](p, `window.figures = null;
		window.painted = () => new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
		void (async () => { const out = []; `+body+`; window.figures = out; })()`)
	p.see(`Array.isArray(window.figures)`)
	all := evaluate[[]float64](p, `window.figures`)
	slices.Sort(all)
	p.t.Logf("%s with %d messages: shortest %.0f ms, median %.0f ms, longest %.0f ms", what, many, all[0], all[len(all)/2], all[len(all)-1])
	return all[0]
}

// TestBrowserMany types, reads and gets news in a long conversation. The
// shortest time counts, because other tests take the processor away.
func TestBrowserMany(t *testing.T) {
	t.Parallel()
	chromium.Program(t)
	w := newWorld(t)
	channel := w.slack.DM(adaSlack)
	post := func(text string) error {
		return w.slackAPI("chat.postMessage", obj{"channel": channel, "text": text, "blocks": []obj{
			{"type": "section", "text": mrkdwn("*" + text + "* for <@" + adaSlack + ">")},
			{"type": "actions", "elements": []obj{{"type": "button", "action_id": "more", "text": words("More"), "value": text}}},
		}})
	}
	var all errgroup.Group
	all.SetLimit(http.DefaultMaxIdleConnsPerHost)
	for i := range many {
		all.Go(func() error { return post(fmt.Sprintf("Message %d", i)) })
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	p := open(t, w.url, 1440, 900)
	p.see(fmt.Sprintf(`document.querySelectorAll("#part-slack .message").length === %d`, many))
	p.see(`(() => { const l = document.querySelector("#part-slack .log"); return l.scrollHeight - l.scrollTop - l.clientHeight < 60; })()`)

	for what, body := range map[string]string{
		"typing": fmt.Sprintf(`const line = document.querySelector(%q);
			for (const c of "/badges li") {
				const at = performance.now();
				line.value += c;
				line.dispatchEvent(new Event("input", { bubbles: true }));
				await painted();
				out.push(performance.now() - at);
			}
			line.value = ""`, slackInput),
		"scrolling": `const log = document.querySelector("#part-slack .log");
			for (let i = 9; i >= 0; i -= 1) {
				const at = performance.now();
				log.scrollTop = log.scrollHeight * i / 10;
				await painted();
				out.push(performance.now() - at);
			}
			log.scrollTop = log.scrollHeight`,
	} {
		limit := p.limit()
		if took := p.figures(what, body); took > limit {
			t.Errorf("%s takes %.0f ms, more than %.0f", what, took, limit)
		}
	}

	// A message that comes: how long the page stands still for it.
	limit := p.limit()
	evaluate[chromedp.Void](p, `window.still = 0;
		void (async () => {
			for (let last = performance.now(); ; last = performance.now()) {
				await painted();
				still = Math.max(still, performance.now() - last);
			}
		})()`)
	var held []float64
	for i := range 5 {
		evaluate[chromedp.Void](p, `window.still = 0`)
		if err := post(fmt.Sprintf("News %d", i)); err != nil {
			t.Fatal(err)
		}
		p.see(fmt.Sprintf(`document.querySelector("#part-slack .message:last-child").textContent.includes("News %d")`, i))
		held = append(held, evaluate[float64](p, `still`))
	}
	slices.Sort(held)
	t.Logf("a new message with %d messages: the page stands still for shortest %.0f ms, median %.0f ms, longest %.0f ms", many, held[0], held[len(held)/2], held[len(held)-1])
	// What else is at work may have begun since.
	if limit = max(limit, p.limit()); held[0] > limit {
		t.Errorf("a new message holds the page up for %.0f ms, more than %.0f", held[0], limit)
	}
	p.calm()
}
