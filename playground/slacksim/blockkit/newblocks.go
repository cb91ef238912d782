package blockkit

import "strconv"

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

func (v *validator) dataTable(ptr string, m map[string]any) {
	rows, ok := v.array(ptr+"/rows", m["rows"], DataTableRowsMin, DataTableRowsMax)
	if !ok {
		return
	}
	for i, row := range rows {
		v.array(ptr+"/rows/"+strconv.Itoa(i), row, DataTableColumnsMin, DataTableColumnsMax)
	}
	v.integer(ptr, m, "page_size", DataTablePageSizeMin, DataTablePageSizeMax)
}

func (v *validator) chart(ptr string, m map[string]any) {
	v.str(ptr, m, "title", 1, ChartTitleMax, true)
	chart, ok := v.object(ptr+"/chart", m["chart"])
	if !ok {
		return
	}
	for _, key := range []string{"segments", "series"} {
		if items, there := chart[key]; there {
			v.array(ptr+"/chart/"+key, items, ChartItemsMin, ChartItemsMax)
		}
	}
}
