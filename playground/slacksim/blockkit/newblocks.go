package blockkit

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// The blocks of this file came in 2026; their shapes are checked less deeply
// than those of the older ones.
// https://docs.slack.dev/reference/block-kit/blocks/

func (v *validator) card(ptr string, m map[string]any) {
	v.text(ptr, m, "title", CardTitleMax, false, false)
	v.text(ptr, m, "subtitle", CardSubtitleMax, false, false)
	v.text(ptr, m, "body", CardBodyMax, false, false)
	v.text(ptr, m, "subtext", CardSubtextMax, false, false)
	if actions, there := m["actions"]; there {
		if list, ok := v.array(ptr+"/actions", actions, 0, CardActionsMax); ok {
			ids := map[string]bool{}
			for i, e := range list {
				v.element(ptr+"/actions/"+strconv.Itoa(i), e, []string{"button"}, ids)
			}
		}
	}
	if hero, ok := m["hero_image"].(map[string]any); ok {
		v.image(ptr+"/hero_image", hero, false)
	}
}

func (v *validator) carousel(ptr string, m map[string]any) {
	list, ok := v.array(ptr+"/elements", m["elements"], CarouselElementsMin, CarouselElementsMax)
	if !ok {
		return
	}
	for i, e := range list {
		at := ptr + "/elements/" + strconv.Itoa(i)
		card, ok := v.object(at, e)
		if !ok {
			continue
		}
		v.blockID(at, card, "card")
		v.oneOf(at, card, "type", "card")
		v.card(at, card)
	}
}

func (v *validator) container(ptr string, m map[string]any) {
	v.text(ptr, m, "title", ContainerTitleMax, true, false)
	v.text(ptr, m, "subtitle", ContainerSubtitleMax, false, false)
	v.blocks(ptr+"/child_blocks", m["child_blocks"], ContainerChildrenMax)
}

// dataTable checks the rows, of which every cell says something, and that all
// cells together stay in bounds.
// https://docs.slack.dev/reference/block-kit/blocks/data-table-block/
func (v *validator) dataTable(ptr string, m map[string]any) {
	rows, ok := v.array(ptr+"/rows", m["rows"], DataTableRowsMin, DataTableRowsMax)
	if !ok {
		return
	}
	content := 0
	for i, row := range rows {
		at := ptr + "/rows/" + strconv.Itoa(i)
		cells, _ := v.array(at, row, DataTableColumnsMin, DataTableColumnsMax)
		for j, raw := range cells {
			cell, ok := v.object(at+"/"+strconv.Itoa(j), raw)
			if !ok || cell["type"] == "rich_text" {
				continue
			}
			content += utf8.RuneCountInString(v.str(at+"/"+strconv.Itoa(j), cell, "text", DataTableCellMin, 0, cell["type"] == "raw_text"))
		}
	}
	if content > DataTableContentMax {
		v.add(ptr+"/rows", "all cells must be less than %d characters", DataTableContentMax+1)
	}
	v.integer(ptr, m, "page_size", DataTablePageSizeMin, DataTablePageSizeMax)
}

// chart checks a pie of segments, or series of points over categories.
// https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block/
func (v *validator) chart(ptr string, m map[string]any) {
	v.str(ptr, m, "title", 1, ChartTitleMax, true)
	chart, ok := v.object(ptr+"/chart", m["chart"])
	if !ok {
		return
	}
	at := ptr + "/chart"
	if segments, there := chart["segments"]; there {
		v.each(at+"/segments", segments, ChartItemsMin, ChartItemsMax, func(at string, segment map[string]any) {
			v.str(at, segment, "label", 1, ChartLabelMax, true)
			if n, ok := segment["value"].(json.Number); !ok || !positive(n) {
				v.add(at+"/value", "must be a number greater than 0")
			}
		})
	}
	if series, there := chart["series"]; there {
		v.each(at+"/series", series, ChartItemsMin, ChartItemsMax, func(at string, one map[string]any) {
			v.str(at, one, "name", 1, ChartLabelMax, true)
			v.each(at+"/data", one["data"], ChartPointsMin, ChartPointsMax, func(at string, point map[string]any) {
				v.str(at, point, "label", 1, ChartLabelMax, true)
				if _, ok := point["value"].(json.Number); !ok {
					v.add(at+"/value", "must be a number")
				}
			})
		})
	}
	if axes, ok := chart["axis_config"].(map[string]any); ok {
		at += "/axis_config"
		categories, _ := v.array(at+"/categories", axes["categories"], ChartPointsMin, ChartPointsMax)
		for i, raw := range categories {
			label, ok := raw.(string)
			if !ok {
				v.add(at+"/categories/"+strconv.Itoa(i), "must be a string")
				continue
			}
			v.length(at+"/categories/"+strconv.Itoa(i), label, 1, ChartLabelMax)
		}
		v.str(at, axes, "x_label", 0, ChartAxisLabelMax, false)
		v.str(at, axes, "y_label", 0, ChartAxisLabelMax, false)
	}
}

func positive(n json.Number) bool {
	f, err := n.Float64()
	return err == nil && f > 0
}

// taskCard checks a task and the addresses that it names as its sources.
// https://docs.slack.dev/reference/block-kit/blocks/task-card-block/
func (v *validator) taskCard(ptr string, m map[string]any) {
	v.str(ptr, m, "task_id", 1, 0, true)
	v.str(ptr, m, "title", 1, 0, true)
	if sources, there := m["sources"]; there {
		v.each(ptr+"/sources", sources, 0, 0, func(at string, source map[string]any) {
			v.link(at, source, "url", URLSourceMax, true)
		})
	}
}

// each checks an array of objects.
func (v *validator) each(ptr string, value any, least, most int, check func(at string, m map[string]any)) {
	list, _ := v.array(ptr, value, least, most)
	for i, raw := range list {
		at := ptr + "/" + strconv.Itoa(i)
		if m, ok := v.object(at, raw); ok {
			check(at, m)
		}
	}
}
