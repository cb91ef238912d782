package blockkit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

type obj = map[string]any

// A sized payload has something that is n long, large or many.
type sized func(n int) (blockkit.Kind, any)

func words(n int) string { return strings.Repeat("ü", n) }

func plain(s string) obj { return obj{"type": "plain_text", "text": s} }

func marked(s string) obj { return obj{"type": "mrkdwn", "text": s} }

func link(n int) string {
	const start = "https://example.org/"
	return start + strings.Repeat("x", max(0, n-len(start)))
}

func many(n int, one func(i int) any) []any {
	out := []any{}
	for i := range n {
		out = append(out, one(i))
	}
	return out
}

func with(o obj, key string, value any) obj {
	o = maps.Clone(o)
	o[key] = value
	return o
}

// inBlock makes a message of one block.
func inBlock(o obj) (blockkit.Kind, any) { return blockkit.KindBlocks, []any{o} }

func inActions(element obj) (blockkit.Kind, any) {
	return inBlock(obj{"type": "actions", "elements": []any{element}})
}

func inInput(element obj) (blockkit.Kind, any) {
	return inBlock(obj{"type": "input", "label": plain("x"), "element": element})
}

func option(i int) any { return obj{"text": plain("x"), "value": fmt.Sprint("v", i)} }

func button() obj { return obj{"type": "button", "text": plain("x")} }

func inConfirm(key string, value any) (blockkit.Kind, any) {
	confirm := obj{"title": plain("x"), "text": plain("x"), "confirm": plain("x"), "deny": plain("x")}
	return inActions(with(button(), "confirm", with(confirm, key, value)))
}

func inOption(key string, value any) (blockkit.Kind, any) {
	return inActions(obj{"type": "overflow", "options": []any{with(option(0).(obj), key, value)}})
}

func inGroup(key string, value any) (blockkit.Kind, any) {
	group := obj{"label": plain("x"), "options": []any{option(0)}}
	return inActions(obj{"type": "static_select", "option_groups": []any{with(group, key, value)}})
}

func inFeedback(key string, value any) (blockkit.Kind, any) {
	good := obj{"text": plain("x"), "value": "x"}
	return inBlock(obj{"type": "context_actions", "elements": []any{
		obj{"type": "feedback_buttons", "positive_button": with(good, key, value), "negative_button": good},
	}})
}

func inCard(key string, value any) (blockkit.Kind, any) {
	return inBlock(with(obj{"type": "card", "title": marked("x")}, key, value))
}

func inContainer(key string, value any) (blockkit.Kind, any) {
	return inBlock(with(obj{"type": "container", "title": plain("x"), "child_blocks": []any{obj{"type": "divider"}}}, key, value))
}

func inVideo(key string, value any) (blockkit.Kind, any) {
	return inBlock(with(obj{
		"type": "video", "alt_text": "x", "title": plain("x"), "thumbnail_url": "https://example.org/a.png", "video_url": "https://example.org/a",
	}, key, value))
}

func inTable(rows []any, page int) (blockkit.Kind, any) {
	return inBlock(obj{"type": "data_table", "rows": rows, "page_size": page, "caption": "x"})
}

func tableRow(columns int, text string) []any {
	return many(columns, func(int) any { return obj{"type": "raw_text", "text": text} })
}

func inPie(key string, value any) (blockkit.Kind, any) {
	segment := with(obj{"label": "x", "value": 1}, key, value)
	return inBlock(obj{"type": "data_visualization", "title": "x", "chart": obj{"type": "pie", "segments": []any{segment}}})
}

// inBars makes a chart whose points stand at the categories.
func inBars(series, points int, name, label, axis string) (blockkit.Kind, any) {
	labels := many(points, func(i int) any { return strings.Replace(label, "#", string(rune('a'+i)), 1) })
	data := many(points, func(i int) any { return obj{"label": labels[i], "value": 1} })
	return inBlock(obj{"type": "data_visualization", "title": "x", "chart": obj{
		"type": "bar", "series": many(series, func(int) any { return obj{"name": name, "data": data} }),
		"axis_config": obj{"categories": labels, "x_label": axis, "y_label": axis},
	}})
}

func inView(key string, value any) (blockkit.Kind, any) {
	return blockkit.KindModal, with(obj{"type": "modal", "title": plain("x"), "blocks": []any{obj{"type": "divider"}}}, key, value)
}

// payloads has one for every published limit.
func payloads() map[string]sized {
	texts := func(in func(string, any) (blockkit.Kind, any), key string, text func(string) obj) sized {
		return func(n int) (blockkit.Kind, any) { return in(key, text(words(n))) }
	}
	strs := func(in func(string, any) (blockkit.Kind, any), key string) sized {
		return func(n int) (blockkit.Kind, any) { return in(key, words(n)) }
	}
	inButton := func(key string, value any) (blockkit.Kind, any) { return inActions(with(button(), key, value)) }
	choices := func(kind string) sized {
		return func(n int) (blockkit.Kind, any) {
			return inActions(obj{"type": kind, "options": many(n, option)})
		}
	}
	return map[string]sized{
		"text":                       func(n int) (blockkit.Kind, any) { return inBlock(obj{"type": "section", "text": marked(words(n))}) },
		"action_id":                  strs(inButton, "action_id"),
		"block_id":                   func(n int) (blockkit.Kind, any) { return inBlock(obj{"type": "divider", "block_id": words(n)}) },
		"button.text":                texts(inButton, "text", plain),
		"button.url":                 func(n int) (blockkit.Kind, any) { return inButton("url", link(n)) },
		"button.value":               strs(inButton, "value"),
		"button.accessibility_label": strs(inButton, "accessibility_label"),
		"confirmation.title":         texts(inConfirm, "title", plain),
		"confirmation.text":          texts(inConfirm, "text", marked),
		"confirmation.confirm":       texts(inConfirm, "confirm", plain),
		"confirmation.deny":          texts(inConfirm, "deny", plain),
		"option.text":                texts(inOption, "text", plain),
		"option.value":               strs(inOption, "value"),
		"option.description":         texts(inOption, "description", plain),
		"option.url":                 func(n int) (blockkit.Kind, any) { return inOption("url", link(n)) },
		"option_group.label":         texts(inGroup, "label", plain),
		"option_group.options":       func(n int) (blockkit.Kind, any) { return inGroup("options", many(n, option)) },
		"select.placeholder": func(n int) (blockkit.Kind, any) {
			return inActions(obj{"type": "users_select", "placeholder": plain(words(n))})
		},
		"select.options": choices("static_select"),
		"select.option_groups": func(n int) (blockkit.Kind, any) {
			return inActions(obj{"type": "static_select", "option_groups": many(n, func(int) any {
				return obj{"label": plain("x"), "options": []any{option(0)}}
			})})
		},
		"overflow.options": choices("overflow"), "checkboxes.options": choices("checkboxes"), "radio_buttons.options": choices("radio_buttons"),
		"url_source.url": func(n int) (blockkit.Kind, any) {
			source := obj{"type": "url", "text": "x", "url": link(n)}
			if n < 1 {
				source["url"] = ""
			}
			return inBlock(obj{"type": "task_card", "task_id": "1", "title": "x", "sources": []any{source}})
		},
		"file_input.max_files":        func(n int) (blockkit.Kind, any) { return inInput(obj{"type": "file_input", "max_files": n}) },
		"plain_text_input.max_length": func(n int) (blockkit.Kind, any) { return inInput(obj{"type": "plain_text_input", "max_length": n}) },
		"actions.elements": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "actions", "elements": many(n, func(int) any { return button() })})
		},
		"alert.text":    func(n int) (blockkit.Kind, any) { return inBlock(obj{"type": "alert", "text": marked(words(n))}) },
		"card.title":    texts(inCard, "title", marked),
		"card.subtitle": texts(inCard, "subtitle", marked),
		"card.body":     texts(inCard, "body", marked),
		"card.subtext":  texts(inCard, "subtext", marked),
		"card.actions": func(n int) (blockkit.Kind, any) {
			return inCard("actions", many(n, func(int) any { return button() }))
		},
		"carousel.elements": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "carousel", "elements": many(n, func(int) any { return obj{"type": "card", "title": marked("x")} })})
		},
		"container.title":    texts(inContainer, "title", plain),
		"container.subtitle": texts(inContainer, "subtitle", marked),
		"container.child_blocks": func(n int) (blockkit.Kind, any) {
			return inContainer("child_blocks", many(n, func(int) any { return obj{"type": "divider"} }))
		},
		"context.elements": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "context", "elements": many(n, func(int) any { return marked("x") })})
		},
		"context_actions.elements": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "context_actions", "elements": many(n, func(int) any { return obj{"type": "icon_button", "icon": "trash", "text": plain("x")} })})
		},
		"feedback_button.text":                texts(inFeedback, "text", plain),
		"feedback_button.value":               strs(inFeedback, "value"),
		"feedback_button.accessibility_label": strs(inFeedback, "accessibility_label"),
		"icon_button.visible_to_user_ids": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "context_actions", "elements": []any{
				obj{"type": "icon_button", "icon": "trash", "text": plain("x"), "visible_to_user_ids": many(n, func(i int) any { return fmt.Sprint("U", i) })},
			}})
		},
		"data_table.rows": func(n int) (blockkit.Kind, any) {
			return inTable(many(n, func(int) any { return tableRow(1, "x") }), 5)
		},
		"data_table.columns":   func(n int) (blockkit.Kind, any) { return inTable([]any{tableRow(n, "x"), tableRow(n, "x")}, 5) },
		"data_table.page_size": func(n int) (blockkit.Kind, any) { return inTable([]any{tableRow(1, "x"), tableRow(1, "x")}, n) },
		"data_table.cell_text": func(n int) (blockkit.Kind, any) {
			return inTable([]any{tableRow(1, "x"), tableRow(1, words(n))}, 5)
		},
		"data_table.content": func(n int) (blockkit.Kind, any) {
			return inTable([]any{tableRow(1, words(n-1)), tableRow(1, "x")}, 5)
		},
		"data_visualization.title": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "data_visualization", "title": words(n), "chart": obj{"type": "pie", "segments": []any{obj{"label": "x", "value": 1}}}})
		},
		"data_visualization.segments": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "data_visualization", "title": "x", "chart": obj{"type": "pie", "segments": many(n, func(int) any { return obj{"label": "x", "value": 1} })}})
		},
		"data_visualization.segment.label":  strs(inPie, "label"),
		"data_visualization.segment.value":  func(n int) (blockkit.Kind, any) { return inPie("value", n) },
		"data_visualization.series":         func(n int) (blockkit.Kind, any) { return inBars(n, 2, "x", "#", "x") },
		"data_visualization.series_name":    func(n int) (blockkit.Kind, any) { return inBars(1, 2, words(n), "#", "x") },
		"data_visualization.data":           func(n int) (blockkit.Kind, any) { return inBars(1, n, "x", "#", "x") },
		"data_visualization.point_label":    func(n int) (blockkit.Kind, any) { return inBars(1, 2, "x", "#"+words(n-1), "x") },
		"data_visualization.categories":     func(n int) (blockkit.Kind, any) { return inBars(1, n, "x", "#", "x") },
		"data_visualization.category_label": func(n int) (blockkit.Kind, any) { return inBars(1, 2, "x", "#"+words(n-1), "x") },
		"data_visualization.axis_label":     func(n int) (blockkit.Kind, any) { return inBars(1, 2, "x", "#", words(n)) },
		"header.text":                       func(n int) (blockkit.Kind, any) { return inBlock(obj{"type": "header", "text": plain(words(n))}) },
		"image.image_url": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "image", "alt_text": "x", "image_url": link(n)})
		},
		"image.alt_text": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "image", "alt_text": words(n), "image_url": link(0)})
		},
		"input.label": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "input", "label": plain(words(n)), "element": obj{"type": "plain_text_input"}})
		},
		"input.hint": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "input", "label": plain("x"), "hint": plain(words(n)), "element": obj{"type": "plain_text_input"}})
		},
		"markdown.text": func(n int) (blockkit.Kind, any) { return inBlock(obj{"type": "markdown", "text": words(n)}) },
		"section.text":  func(n int) (blockkit.Kind, any) { return inBlock(obj{"type": "section", "text": marked(words(n))}) },
		"section.fields": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "section", "fields": many(n, func(int) any { return marked("x") })})
		},
		"section.fields.item": func(n int) (blockkit.Kind, any) {
			return inBlock(obj{"type": "section", "fields": []any{marked(words(n))}})
		},
		"video.alt_text": strs(inVideo, "alt_text"), "video.author_name": strs(inVideo, "author_name"), "video.provider_name": strs(inVideo, "provider_name"),
		"video.title": texts(inVideo, "title", plain), "video.description": texts(inVideo, "description", plain),
		"view.blocks": func(n int) (blockkit.Kind, any) {
			return inView("blocks", many(n, func(int) any { return obj{"type": "divider"} }))
		},
		"view.private_metadata": strs(inView, "private_metadata"), "view.callback_id": strs(inView, "callback_id"),
		"view.title": texts(inView, "title", plain), "view.close": texts(inView, "close", plain), "view.submit": texts(inView, "submit", plain),
	}
}

// limit is one published number: what is bounded, and the sizes on either side
// of the bound.
type limit struct {
	what      string
	good, bad int
	path      string
}

// published reads every number of the published limits.
func published(t *testing.T) []limit {
	t.Helper()
	var all obj
	if err := json.Unmarshal(refdata.Read(t, "slack", "blocks", "limits.json"), &all); err != nil {
		t.Fatal(err)
	}
	var out []limit
	var walk func(path []string, v any)
	walk = func(path []string, v any) {
		if o, ok := v.(obj); ok {
			for _, key := range slices.Sorted(maps.Keys(o)) {
				walk(append(slices.Clone(path), key), o[key])
			}
			return
		}
		number, ok := v.(float64)
		n, kind := int(number), path[len(path)-1]
		l := limit{what: strings.Join(path[:len(path)-1], "."), path: strings.Join(path, ".")}
		switch kind {
		case "max_length", "max_items", "max":
			l.good, l.bad = n, n+1
		case "item_max_length":
			l.what, l.good, l.bad = l.what+".item", n, n+1
		case "min_length", "min_items", "min":
			l.good, l.bad = n, n-1
		case "exclusive_min":
			l.good, l.bad = n+1, n
		default:
			ok = false
		}
		if !ok {
			t.Errorf("%s: %v is no limit that is known", l.path, v)
			return
		}
		out = append(out, l)
	}
	walk(nil, all)
	return out
}

// TestEveryPublishedLimit goes to each published limit and one step beyond.
func TestEveryPublishedLimit(t *testing.T) {
	t.Parallel()
	all := published(t)
	if len(all) < 95 {
		t.Errorf("only %d limits were read", len(all))
	}
	made := payloads()
	used := map[string]bool{}
	for _, l := range all {
		make, ok := made[l.what]
		if !ok {
			t.Errorf("%s: no payload goes to this limit", l.path)
			continue
		}
		used[l.what] = true
		if problems := judge(t, make, l.good); len(problems) > 0 {
			t.Errorf("%s: %d is refused: %v", l.path, l.good, problems)
		}
		if problems := judge(t, make, l.bad); len(problems) == 0 {
			t.Errorf("%s: %d is taken", l.path, l.bad)
		}
	}
	for what := range made {
		if !used[what] {
			t.Errorf("%s: a payload for a limit that is not published", what)
		}
	}
}

func judge(t *testing.T, make sized, n int) []blockkit.Problem {
	t.Helper()
	kind, payload := make(n)
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return blockkit.Validate(kind, data)
}
