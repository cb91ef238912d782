package console_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/laurelbot/laurel/internal/chromium"
	"github.com/laurelbot/laurel/internal/refdata"
)

// tall is a window's height in which all of these messages have room.
const tall = 15000

// taken are the messages that Slack takes, by the published payloads.
func taken(t *testing.T) []obj {
	t.Helper()
	var out []obj
	for _, folder := range []string{"blocks", "attachments", "messages"} {
		files, err := filepath.Glob(filepath.Join(refdata.Path(t, "slack", "blocks", "valid", folder), "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d payloads, %v", folder, len(files), err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var payload obj
			if err := json.Unmarshal(raw, &payload); err != nil {
				t.Fatal(err)
			}
			m := obj{"text": "x", "blocks": payload["blocks"], "attachments": payload["attachments"]}
			switch folder {
			case "blocks":
				m["blocks"] = []any{payload}
			case "attachments":
				m["blocks"], m["attachments"] = nil, []any{payload}
			}
			for _, key := range []string{"blocks", "attachments"} {
				if m[key] == nil {
					delete(m, key)
				}
			}
			out = append(out, m)
		}
	}
	return out
}

func cells(all ...any) []obj {
	var out []obj
	for _, v := range all {
		switch v := v.(type) {
		case int:
			out = append(out, obj{"type": "raw_number", "value": v, "text": fmt.Sprint(v)})
		default:
			out = append(out, obj{"type": "raw_text", "text": fmt.Sprint(v)})
		}
	}
	return out
}

func series(name string, values ...int) obj {
	var data []obj
	for i, v := range values {
		data = append(data, obj{"label": time.Month(i + 1).String(), "value": v})
	}
	return obj{"name": name, "data": data}
}

// richer are messages that use more of the blocks than the published ones do.
func (w *world) richer() []obj {
	var months []string
	for m := time.January; m <= time.December; m++ {
		months = append(months, m.String())
	}
	rows := [][]obj{cells("Badge", "Issued", "Accepted")}
	for i, name := range []string{"Cloud Practitioner", "Data Steward", "Programme Manager", "Auditor", "Trainer", "Assessor", "Adviser"} {
		rows = append(rows, cells(name, 400-37*i, (i*97)%200))
	}
	said := func(s string) obj {
		return obj{"type": "rich_text", "elements": []obj{{"type": "rich_text_section", "elements": []obj{{"type": "text", "text": s}}}}}
	}
	var alerts, tasks []obj
	for _, level := range []string{"default", "info", "warning", "error", "success"} {
		alerts = append(alerts, obj{"type": "alert", "level": level, "text": mrkdwn("The level is *" + level + "*.")})
	}
	for i, state := range []string{"complete", "complete", "in_progress", "error", "pending"} {
		task := obj{"task_id": fmt.Sprint(i), "title": "Step " + fmt.Sprint(i+1), "status": state}
		if i < 2 {
			task["output"] = said("Found three badges")
			task["sources"] = []obj{{"type": "url", "url": "https://example.org/a", "text": "example.org"}, {"type": "url", "url": "https://example.com/b", "text": "example.com"}}
		}
		tasks = append(tasks, task)
	}
	picture := obj{"type": "image", "image_url": w.image(), "alt_text": "Cloud Practitioner"}
	var cards []obj
	for i := range 4 {
		cards = append(cards, obj{
			"type": "card", "title": mrkdwn(fmt.Sprintf("*Badge %d*", i+1)), "subtitle": mrkdwn("Example Certification Body"), "body": mrkdwn("Knows the clouds, and what is above them."),
			"icon": picture, "actions": []obj{{"type": "button", "action_id": fmt.Sprintf("claim_%d", i), "text": words("Claim"), "style": "primary"}},
		})
	}
	one := func(blocks ...obj) obj { return obj{"text": "x", "blocks": blocks} }
	return []obj{
		one(obj{"type": "actions", "elements": []obj{
			{"type": "datepicker", "action_id": "day", "initial_date": "2026-11-23", "placeholder": words("Day")},
			{"type": "timepicker", "action_id": "hour", "initial_time": "08:30", "placeholder": words("Time")},
			{"type": "datetimepicker", "action_id": "moment", "initial_date_time": 1790000000},
			{"type": "users_select", "action_id": "who", "placeholder": words("Who")},
			{"type": "multi_channels_select", "action_id": "where", "placeholder": words("Channels")},
			{"type": "multi_external_select", "action_id": "what", "placeholder": words("Badges")},
		}}),
		one(alerts...),
		one(obj{"type": "plan", "title": "Looking for badges", "tasks": tasks}),
		one(obj{"type": "carousel", "elements": cards}),
		one(obj{"type": "card", "hero_image": picture, "title": words("A picture of this machine"), "slack_icon": obj{"type": "icon", "name": "bot"}}),
		one(obj{
			"type": "container", "title": words("Folded away"), "subtitle": mrkdwn("Two blocks"), "is_collapsible": true, "icon": picture,
			"child_blocks": []obj{{"type": "section", "text": mrkdwn("Inside")}, {"type": "actions", "elements": []obj{{"type": "button", "action_id": "inner", "text": words("Inner")}}}},
		}),
		one(obj{"type": "data_table", "caption": "Badges of the year", "page_size": 5, "rows": rows}),
		one(obj{"type": "data_visualization", "title": "Badges by month", "chart": obj{
			"type": "bar", "series": []obj{series("Issued", 40, 62, 55, 80, 71, 90, 85, 60, 99, 120, 110, 130), series("Accepted", 20, 41, 37, 66, 50, 71, 70, 44, 80, 91, 87, 99)},
			"axis_config": obj{"categories": months, "x_label": "Month", "y_label": "Badges"},
		}}),
		one(obj{"type": "data_visualization", "title": "Change by month", "chart": obj{
			"type": "line", "series": []obj{series("Issued", 4, -6, 5, 8, -7, 9, 8, 6, -2, 1, 1, 3), series("Accepted", 2, 4, -3, 6, 5, 7, 7, 4, 8, 9, 8, -9)},
			"axis_config": obj{"categories": months},
		}}),
	}
}

// TestBrowserBlocks shows everything that Slack takes: without complaint, for
// everybody, and so that it can be used.
func TestBrowserBlocks(t *testing.T) {
	t.Parallel()
	chromium.Program(t)
	w := newWorld(t)
	all := append(taken(t), w.richer()...)
	for _, m := range all {
		m["channel"] = w.slack.DM(adaSlack)
		if err := w.slackAPI("chat.postMessage", m); err != nil {
			t.Fatal(err)
		}
	}
	// So high that everything is in sight, and looked at.
	p := open(t, w.url, 1440, tall)
	p.see(fmt.Sprintf(`document.querySelectorAll("#part-slack .message").length === %d`, len(all)))
	if evaluate[bool](p, `document.querySelector("#part-slack .log").textContent.includes("does not draw")`) {
		t.Error("something is not drawn")
	}
	told := func(want string) {
		t.Helper()
		select {
		case got := <-w.pressed:
			if got != want {
				t.Errorf("the app is told %q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Errorf("the app is not told %q", want)
		}
	}
	p.press(`#part-slack [data-focus="feedback_buttons_1:negative_feedback"]`)
	told("feedback_buttons_1 negative_feedback")
	p.see(`document.querySelector('[data-focus="feedback_buttons_1:negative_feedback"]').getAttribute("aria-pressed") === "true"`)
	p.press(`#part-slack [data-action="delete_button"]`)
	told("delete_button delete_item")
	p.press(`#part-slack [data-action="button_action"]`)
	told("button_action ")
	p.press(`#part-slack [data-focus="actionId-0:c"]`)
	told("actionId-0 c")
	p.press(`#part-slack [data-focus="actionId-0:a"]`)
	told("actionId-0 ac")
	p.do(chromedp.SetValue(chromedp.CSS(`#part-slack select[data-focus="who"]`), bertSlack))
	told("who " + bertSlack)
	p.press(`#part-slack .card > summary:has(+ .card-inside)`)
	p.see(`!document.querySelector('#part-slack [data-action="inner"]').checkVisibility()`)
	p.press(`#part-slack .card > summary:has(+ .card-inside)`)
	p.press(`#part-slack [data-action="inner"]`)
	told("inner ")
	p.press(`#part-slack [data-action="claim_1"]`)
	told("claim_1 ")

	// A table is sorted, searched and paged through.
	first := func(want string) {
		t.Helper()
		p.see(fmt.Sprintf(`document.querySelector("#part-slack .table-frame:has(+ .pager) tbody th").textContent === %q`, want))
	}
	first("Cloud Practitioner")
	p.press(`#part-slack .message:has(.pager) thead th:nth-child(2) .sort`)
	first("Adviser")
	p.press(`#part-slack .pager button[aria-label="Next page"]`)
	p.text("#part-slack .pager", "6–7 of 7")
	p.enter(`#part-slack .pager input`, "audit")
	first("Auditor")
	p.text("#part-slack .pager", "1–1 of 1")

	// A row of cards is moved by the arrow keys.
	p.see(`(() => { const deck = document.querySelector("#part-slack .deck:has([data-action])"); deck.scrollIntoView({ block: "center" }); deck.focus(); return deck.scrollWidth > deck.clientWidth && document.activeElement === deck; })()`)
	for range 3 {
		p.key("ArrowRight", 39, false)
	}
	p.see(`document.activeElement.scrollLeft > 60`)

	evaluate[chromedp.Void](p, `document.querySelectorAll("#part-slack details").forEach((d) => { d.open = true; })`)
	p.rules()
	p.accessible("blocks", "#part-slack")
	p.shot("dark")
	p.scheme("light")
	p.shot("light")
	p.do(chromedp.EmulateViewport(390, tall))
	p.fits()
	p.shot("phone")
	p.scheme("dark")
	p.shot("phone-dark")
	p.calm()
}
