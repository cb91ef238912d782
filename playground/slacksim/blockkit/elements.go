package blockkit

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// element checks an interactive element. ids holds the action ids of its
// block, in which no id may come twice.
func (v *validator) element(ptr string, raw any, allowed []string, ids map[string]bool) {
	m, ok := v.object(ptr, raw)
	if !ok {
		return
	}
	kind, _ := m["type"].(string)
	if !slices.Contains(allowed, kind) {
		v.add(ptr+"/type", "unsupported type: %s", kind)
		return
	}
	if id := v.str(ptr, m, "action_id", 0, ActionIDMax, false); id != "" {
		if ids[id] {
			v.add(ptr+"/action_id", "`action_id` already exists: %s", id)
		}
		ids[id] = true
	}
	v.boolean(ptr, m, "focus_on_load")
	if m["focus_on_load"] == true {
		v.focused++
	}
	if confirm, there := m["confirm"]; there && confirm != nil {
		v.confirm(ptr+"/confirm", confirm)
	}
	if kind != "image" {
		v.text(ptr, m, "placeholder", PlaceholderMax, true, false)
	}
	switch {
	case kind == "button":
		v.button(ptr, m)
	case kind == "image":
		v.image(ptr, m, false)
	case kind == "workflow_button":
		v.text(ptr, m, "text", ButtonTextMax, true, true)
		v.object(ptr+"/workflow", m["workflow"])
	case kind == "overflow":
		v.options(ptr, m, OverflowOptionsMin, OverflowOptionsMax, true)
	case kind == "checkboxes":
		v.options(ptr, m, CheckboxesMin, CheckboxesMax, false)
	case kind == "radio_buttons":
		v.options(ptr, m, RadioButtonsMin, RadioButtonsMax, false)
	case kind == "static_select" || kind == "multi_static_select":
		v.staticSelect(ptr, m)
	case strings.HasSuffix(kind, "_select"):
		v.listSelect(ptr, m, kind)
	case kind == "icon_button":
		v.str(ptr, m, "icon", 1, 0, true)
		v.text(ptr, m, "text", ButtonTextMax, true, true)
		if users, there := m["visible_to_user_ids"]; there {
			v.array(ptr+"/visible_to_user_ids", users, 0, IconButtonUsersMax)
		}
	case kind == "feedback_buttons":
		v.feedback(ptr, m)
	default:
		v.field(ptr, m, kind)
	}
}

// field checks the elements with which an input block asks for text, numbers,
// files and times.
func (v *validator) field(ptr string, m map[string]any, kind string) {
	switch kind {
	case "plain_text_input":
		v.known(ptr, m, "action_id", "initial_value", "multiline", "min_length", "max_length",
			"dispatch_action_config", "focus_on_load", "placeholder")
		v.boolean(ptr, m, "multiline")
		v.integer(ptr, m, "min_length", 0, PlainTextInputMax)
		v.integer(ptr, m, "max_length", 1, PlainTextInputMax)
		v.str(ptr, m, "initial_value", 0, PlainTextInputMax, false)
	case "email_text_input", "url_text_input":
		v.known(ptr, m, "action_id", "initial_value", "dispatch_action_config", "focus_on_load", "placeholder")
		v.str(ptr, m, "initial_value", 0, PlainTextInputMax, false)
	case "number_input":
		v.known(ptr, m, "action_id", "is_decimal_allowed", "initial_value", "min_value", "max_value",
			"dispatch_action_config", "focus_on_load", "placeholder")
		if _, ok := m["is_decimal_allowed"].(bool); !ok {
			v.add(ptr, "missing required field: is_decimal_allowed")
		}
	case "file_input":
		v.integer(ptr, m, "max_files", FileInputFilesMin, FileInputFilesMax)
	case "datepicker":
		v.formatted(ptr, m, "initial_date", time.DateOnly)
	case "timepicker":
		v.formatted(ptr, m, "initial_time", "15:04")
	case "datetimepicker":
		v.integer(ptr, m, "initial_date_time", 0, 9999999999)
	}
}

func (v *validator) formatted(ptr string, m map[string]any, key, layout string) {
	s := v.str(ptr, m, key, 0, 0, false)
	if s == "" {
		return
	}
	if _, err := time.Parse(layout, s); err != nil {
		v.add(ptr+"/"+key, "invalid format")
	}
}

func (v *validator) button(ptr string, m map[string]any) {
	v.known(ptr, m, "text", "action_id", "url", "value", "style", "confirm", "accessibility_label",
		"agent_prompt", "agent_prompt_display", "visible_to_user_ids")
	v.text(ptr, m, "text", ButtonTextMax, true, true)
	v.link(ptr, m, "url", ButtonURLMax, false)
	v.str(ptr, m, "value", 0, ButtonValueMax, false)
	v.str(ptr, m, "accessibility_label", 0, ButtonAccessibilityLabelMax, false)
	v.oneOf(ptr, m, "style", "primary", "danger")
}

func (v *validator) feedback(ptr string, m map[string]any) {
	for _, key := range []string{"positive_button", "negative_button"} {
		b, ok := v.object(ptr+"/"+key, m[key])
		if !ok {
			continue
		}
		v.text(ptr+"/"+key, b, "text", ButtonTextMax, true, true)
		v.str(ptr+"/"+key, b, "value", 0, ButtonValueMax, true)
		v.str(ptr+"/"+key, b, "accessibility_label", 0, ButtonAccessibilityLabelMax, false)
	}
}

func (v *validator) confirm(ptr string, raw any) {
	m, ok := v.object(ptr, raw)
	if !ok {
		return
	}
	v.text(ptr, m, "title", ConfirmTitleMax, true, true)
	v.text(ptr, m, "text", ConfirmTextMax, false, true)
	v.text(ptr, m, "confirm", ConfirmButtonMax, true, true)
	v.text(ptr, m, "deny", ConfirmButtonMax, true, true)
	v.oneOf(ptr, m, "style", "primary", "danger")
}

func (v *validator) options(ptr string, m map[string]any, least, most int, plain bool) { //nolint:unparam // Each element names its own published minimum.
	list, ok := v.array(ptr+"/options", m["options"], least, most)
	if !ok {
		return
	}
	for i, o := range list {
		v.option(ptr+"/options/"+strconv.Itoa(i), o, plain)
	}
}

func (v *validator) option(ptr string, raw any, plain bool) {
	m, ok := v.object(ptr, raw)
	if !ok {
		return
	}
	v.known(ptr, m, "text", "value", "description", "url")
	v.text(ptr, m, "text", OptionTextMax, plain, true)
	v.str(ptr, m, "value", 1, OptionValueMax, true)
	v.text(ptr, m, "description", OptionDescriptionMax, plain, false)
	v.link(ptr, m, "url", OptionURLMax, false)
}

// listSelect checks a menu whose options Slack knows, or asks the app for.
// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element/
func (v *validator) listSelect(ptr string, m map[string]any, kind string) {
	v.integer(ptr, m, "max_selected_items", 1, math.MaxInt32)
	switch one := strings.TrimPrefix(kind, "multi_"); one {
	case "users_select", "channels_select", "conversations_select":
		key := "initial_" + strings.TrimSuffix(one, "s_select")
		if one == kind {
			v.str(ptr, m, key, 1, 0, false)
		} else if list, there := m[key+"s"]; there {
			v.array(ptr+"/"+key+"s", list, 0, math.MaxInt32)
		}
		if one == "conversations_select" {
			v.boolean(ptr, m, "default_to_current_conversation")
			v.boolean(ptr, m, "response_url_enabled")
			v.filter(ptr+"/filter", m["filter"])
		}
	case "external_select":
		v.integer(ptr, m, "min_query_length", 0, math.MaxInt32)
	}
}

// filter checks which conversations a menu offers; it has to say something.
// https://docs.slack.dev/reference/block-kit/composition-objects/conversation-filter-object/
func (v *validator) filter(ptr string, raw any) {
	if raw == nil {
		return
	}
	m, ok := v.object(ptr, raw)
	if !ok {
		return
	}
	if len(m) == 0 {
		v.add(ptr, "must provide at least one field")
	}
	v.known(ptr, m, "include", "exclude_external_shared_channels", "exclude_bot_users")
	v.boolean(ptr, m, "exclude_external_shared_channels")
	v.boolean(ptr, m, "exclude_bot_users")
	include, there := m["include"]
	if !there {
		return
	}
	list, _ := v.array(ptr+"/include", include, 1, math.MaxInt32)
	for i, kind := range list {
		if !slices.Contains([]any{"im", "mpim", "private", "public"}, kind) {
			v.add(ptr+"/include/"+strconv.Itoa(i), "unsupported type: %v", kind)
		}
	}
}

func (v *validator) staticSelect(ptr string, m map[string]any) {
	_, flat := m["options"]
	groups, grouped := m["option_groups"]
	if flat == grouped {
		v.add(ptr, "must provide either options or option_groups")
		return
	}
	if flat {
		v.options(ptr, m, 1, SelectOptionsMax, true)
		return
	}
	list, ok := v.array(ptr+"/option_groups", groups, 1, SelectGroupsMax)
	if !ok {
		return
	}
	for i, g := range list {
		at := ptr + "/option_groups/" + strconv.Itoa(i)
		group, ok := v.object(at, g)
		if !ok {
			continue
		}
		v.text(at, group, "label", GroupLabelMax, true, true)
		v.options(at, group, GroupOptionsMin, GroupOptionsMax, true)
	}
}
