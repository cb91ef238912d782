package blockkit

import (
	"slices"
	"strconv"
)

// actionElements lists what an actions block holds.
// https://docs.slack.dev/reference/block-kit/blocks/actions-block/
var actionElements = []string{
	"button", "checkboxes", "datepicker", "datetimepicker", "overflow", "radio_buttons", "timepicker", "workflow_button",
	"static_select", "external_select", "users_select", "conversations_select", "channels_select",
	"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select",
}

// accessoryElements lists what a section takes at its side.
// https://docs.slack.dev/reference/block-kit/blocks/section-block/
var accessoryElements = append([]string{"image"}, actionElements...)

// inputElements lists what an input block asks with.
// https://docs.slack.dev/reference/block-kit/blocks/input-block/
var inputElements = []string{
	"plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input",
	"checkboxes", "radio_buttons", "datepicker", "datetimepicker", "timepicker",
	"static_select", "external_select", "users_select", "conversations_select", "channels_select",
	"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select",
}

// messageOnly lists the blocks that views do not take.
// https://docs.slack.dev/reference/block-kit/blocks/
var messageOnly = []string{"markdown", "file", "table", "context_actions", "task_card", "plan"}

func (v *validator) blocks(ptr string, value any, most int) {
	list, ok := v.array(ptr, value, 0, most)
	if !ok {
		return
	}
	for i, raw := range list {
		v.block(ptr+"/"+strconv.Itoa(i), raw)
	}
}

func (v *validator) block(ptr string, raw any) {
	m, ok := v.object(ptr, raw)
	if !ok {
		return
	}
	kind, _ := m["type"].(string)
	v.blockID(ptr, m, kind)
	if v.inView() && slices.Contains(messageOnly, kind) {
		v.add(ptr+"/type", "unsupported type: %s", kind)
		return
	}
	switch kind {
	case "":
		v.add(ptr, "missing required field: type")
	case "section":
		v.section(ptr, m)
	case "actions":
		v.actions(ptr, m)
	case "context":
		v.context(ptr, m)
	case "context_actions":
		v.contextActions(ptr, m)
	case "divider":
		v.known(ptr, m, "block_id")
	case "header":
		v.known(ptr, m, "block_id", "text")
		v.text(ptr, m, "text", HeaderTextMax, true, true)
	case "image":
		v.image(ptr, m, true)
	case "input":
		v.input(ptr, m)
	case "markdown":
		v.markdownBlock(ptr, m)
	case "rich_text":
		v.richText(ptr, m)
	case "video":
		v.video(ptr, m)
	case "alert":
		v.text(ptr, m, "text", AlertTextMax, false, true)
	case "card":
		v.card(ptr, m)
	case "carousel":
		v.carousel(ptr, m)
	case "container":
		v.container(ptr, m)
	case "data_table":
		v.dataTable(ptr, m)
	case "data_visualization":
		v.chart(ptr, m)
	case "table":
		v.array(ptr+"/rows", m["rows"], 1, 100)
	case "plan":
		v.str(ptr, m, "title", 1, 0, true)
		if tasks, there := m["tasks"]; there {
			v.each(ptr+"/tasks", tasks, 0, 0, v.taskCard)
		}
	case "task_card":
		v.taskCard(ptr, m)
	case "file":
		v.str(ptr, m, "external_id", 1, 0, true)
		v.oneOf(ptr, m, "source", "remote")
	default:
		v.add(ptr+"/type", "unsupported type: %s", kind)
	}
}

// blockID checks the id and that it differs from the others. In a view it
// must; in a message a repeated id is reported only where one of the blocks
// can be acted on, because there the answer would be ambiguous.
func (v *validator) blockID(ptr string, m map[string]any, kind string) {
	id := v.str(ptr, m, "block_id", 0, BlockIDMax, false)
	if id == "" {
		return
	}
	_, accessory := m["accessory"]
	active := kind == "actions" || kind == "input" || kind == "context_actions" || accessory
	before, seen := v.blockIDs[id]
	if seen && (v.inView() || active || before) {
		v.add(ptr+"/block_id", "`block_id` already exists: %s", id)
	}
	v.blockIDs[id] = before || active
}

func (v *validator) section(ptr string, m map[string]any) {
	v.known(ptr, m, "block_id", "text", "fields", "accessory", "expand")
	v.text(ptr, m, "text", SectionTextMax, false, m["fields"] == nil)
	v.boolean(ptr, m, "expand")
	if fields, there := m["fields"]; there && fields != nil {
		if list, ok := v.array(ptr+"/fields", fields, 1, SectionFieldsMax); ok {
			for i, f := range list {
				v.textObject(ptr+"/fields/"+strconv.Itoa(i), f, SectionFieldMax, false)
			}
		}
	}
	if accessory, there := m["accessory"]; there && accessory != nil {
		v.element(ptr+"/accessory", accessory, accessoryElements, map[string]bool{})
	}
}

func (v *validator) actions(ptr string, m map[string]any) {
	v.known(ptr, m, "block_id", "elements")
	list, ok := v.array(ptr+"/elements", m["elements"], 1, ActionsElementsMax)
	if !ok {
		return
	}
	ids := map[string]bool{}
	for i, e := range list {
		v.element(ptr+"/elements/"+strconv.Itoa(i), e, actionElements, ids)
	}
}

func (v *validator) context(ptr string, m map[string]any) {
	v.known(ptr, m, "block_id", "elements")
	list, ok := v.array(ptr+"/elements", m["elements"], 1, ContextElementsMax)
	if !ok {
		return
	}
	for i, e := range list {
		at := ptr + "/elements/" + strconv.Itoa(i)
		if o, isObject := e.(map[string]any); isObject && o["type"] == "image" {
			v.image(at, o, false)
			continue
		}
		v.textObject(at, e, TextMax, false)
	}
}

func (v *validator) contextActions(ptr string, m map[string]any) {
	list, ok := v.array(ptr+"/elements", m["elements"], 1, ContextActionsElementsMax)
	if !ok {
		return
	}
	ids := map[string]bool{}
	for i, e := range list {
		v.element(ptr+"/elements/"+strconv.Itoa(i), e, []string{"feedback_buttons", "icon_button"}, ids)
	}
}

// image checks an image block or element: exactly one of its two sources.
func (v *validator) image(ptr string, m map[string]any, block bool) {
	if block {
		v.text(ptr, m, "title", ImageTitleMax, true, false)
	}
	v.str(ptr, m, "alt_text", 0, ImageAltTextMax, true)
	_, byURL := m["image_url"]
	_, byFile := m["slack_file"]
	if byURL == byFile {
		v.add(ptr, "must provide either image_url or slack_file")
		return
	}
	if byURL {
		v.link(ptr, m, "image_url", ImageURLMax, true)
		return
	}
	file, ok := v.object(ptr+"/slack_file", m["slack_file"])
	if !ok {
		return
	}
	_, byID := file["id"]
	_, byLink := file["url"]
	if byID == byLink {
		v.add(ptr+"/slack_file", "must provide either id or url")
	}
}

func (v *validator) input(ptr string, m map[string]any) {
	v.inputs++
	v.known(ptr, m, "block_id", "label", "element", "hint", "optional", "dispatch_action")
	v.text(ptr, m, "label", InputLabelMax, true, true)
	v.text(ptr, m, "hint", InputHintMax, true, false)
	v.boolean(ptr, m, "optional", "dispatch_action")
	element, there := m["element"]
	if !there {
		v.add(ptr, "missing required field: element")
		return
	}
	v.element(ptr+"/element", element, inputElements, map[string]bool{})
}

// markdownBlock counts towards the limit that all of them share.
// https://docs.slack.dev/reference/block-kit/blocks/markdown-block/
func (v *validator) markdownBlock(ptr string, m map[string]any) {
	text := v.str(ptr, m, "text", MarkdownMin, MarkdownMax, true)
	v.markdown += len([]rune(text))
	if v.markdown > MarkdownMax && len([]rune(text)) <= MarkdownMax {
		v.add(ptr+"/text", "all markdown blocks must be less than %d characters", MarkdownMax+1)
	}
}

func (v *validator) richText(ptr string, m map[string]any) {
	v.known(ptr, m, "block_id", "elements")
	list, ok := v.array(ptr+"/elements", m["elements"], 0, 0)
	if !ok {
		return
	}
	for i, e := range list {
		at := ptr + "/elements/" + strconv.Itoa(i)
		o, ok := v.object(at, e)
		if !ok {
			continue
		}
		v.oneOf(at, o, "type", "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
		v.array(at+"/elements", o["elements"], 0, 0)
	}
}

func (v *validator) video(ptr string, m map[string]any) {
	v.str(ptr, m, "alt_text", VideoAltTextMin, VideoAltTextMax, true)
	v.text(ptr, m, "title", VideoTitleMax, true, true)
	v.text(ptr, m, "description", VideoDescriptionMax, true, false)
	v.str(ptr, m, "author_name", 0, VideoAuthorMax, false)
	v.str(ptr, m, "provider_name", 0, VideoProviderMax, false)
	v.link(ptr, m, "thumbnail_url", 0, true)
	v.link(ptr, m, "video_url", 0, true)
}
