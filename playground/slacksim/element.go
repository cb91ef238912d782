package slacksim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Element is one thing in a message or view that a person can press, choose
// or fill in.
type Element struct {
	Type     string `json:"type"`
	BlockID  string `json:"block_id"`
	ActionID string `json:"action_id"`
	// Label is a button's text or the label of the input block around it.
	Label string `json:"label"`
	Value string `json:"value,omitempty"`
	URL   string `json:"url,omitempty"`
	Style string `json:"style,omitempty"`
	// Optional marks an input that may stay empty.
	Optional bool     `json:"optional,omitempty"`
	Input    bool     `json:"input,omitempty"`
	Options  []Option `json:"options,omitempty"`

	raw map[string]any
	// offered is what a menu of people or conversations lets its person choose,
	// and current the conversation that it begins with; see [Server.offer].
	offered []Option
	current string
}

// Option is one choice of a menu.
type Option struct {
	Label string `json:"label"`
	Value string `json:"value"`

	raw map[string]any
}

func decode(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil {
		return nil
	}
	return value
}

// feedbackButtons is the type of thumbs up and thumbs down.
const feedbackButtons = "feedback_buttons"

// interactive says whether an object with this type is something to act on.
func interactive(kind string) bool {
	switch kind {
	case "button", "workflow_button", "icon_button", feedbackButtons, "overflow", "checkboxes", "radio_buttons",
		"datepicker", "timepicker", "datetimepicker", "plain_text_input", "email_text_input",
		"url_text_input", "number_input", "rich_text_input", "file_input":
		return true
	}
	return len(kind) > 7 && kind[len(kind)-7:] == "_select"
}

// elements finds what can be acted on, in document order of the blocks.
func elements(raw json.RawMessage) []Element {
	var out []Element
	walk(decode(raw), func(block, m map[string]any) {
		kind, _ := m["type"].(string)
		if !interactive(kind) {
			return
		}
		e := Element{
			Type: kind, BlockID: str(block, "block_id"), ActionID: str(m, "action_id"),
			Label: label(m["text"]), Value: str(m, "value"), URL: str(m, "url"), Style: str(m, "style"), raw: m,
		}
		if block["type"] == "input" {
			e.Input, e.Label, e.Optional = true, label(block["label"]), block["optional"] == true
		}
		for _, o := range options(m) {
			e.Options = append(e.Options, Option{Label: label(o["text"]), Value: str(o, "value"), raw: o})
		}
		out = append(out, e)
	})
	return out
}

// several says that more than one option can be chosen.
func (e Element) several() bool { return e.Type == "checkboxes" || strings.HasPrefix(e.Type, "multi_") }

// picks says that anything can be given: a time, or a person or channel.
func (e Element) picks() bool {
	return strings.HasSuffix(e.Type, "picker") || len(e.Options) == 0 && strings.HasSuffix(e.Type, "_select")
}

// chosen is what of the element what names: the value of the option with that
// value or label; several values with commas between; or what stands behind
// the action id and =. It is empty when there is nothing of it.
func (e Element) chosen(what string) string {
	for _, o := range e.Options {
		if o.Value == what || o.Label == what {
			return o.Value
		}
	}
	if id, given, ok := strings.Cut(what, "="); ok && id == e.ActionID && e.picks() {
		return given
	}
	if !e.several() {
		return ""
	}
	for part := range strings.SplitSeq(what, ",") {
		if !slices.ContainsFunc(e.Options, func(o Option) bool { return o.Value == part }) {
			return ""
		}
	}
	return what
}

// options lists what can be chosen; thumbs up and thumbs down are options, too.
// https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element/
func options(m map[string]any) []map[string]any {
	var out []map[string]any
	add := func(list any) {
		all, _ := list.([]any)
		for _, o := range all {
			if option, ok := o.(map[string]any); ok {
				out = append(out, option)
			}
		}
	}
	add(m["options"])
	add([]any{m["positive_button"], m["negative_button"]})
	groups, _ := m["option_groups"].([]any)
	for _, g := range groups {
		if group, ok := g.(map[string]any); ok {
			add(group["options"])
		}
	}
	return out
}

// order is how the parts of a block follow one another on the screen.
var order = []string{"title", "subtitle", "text", "body", "fields", "label", "blocks", "elements", "element", "accessory", "child_blocks", "tasks", "rows", "actions", "hint", "subtext"}

// walk visits every object below value with the innermost block around it.
func walk(value any, visit func(block, m map[string]any)) { walkIn(nil, value, visit) }

func walkIn(block map[string]any, value any, visit func(block, m map[string]any)) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			walkIn(block, item, visit)
		}
	case map[string]any:
		if _, ok := v["block_id"]; ok {
			block = v
		}
		visit(block, v)
		for _, key := range order {
			if child, ok := v[key]; ok {
				walkIn(block, child, visit)
			}
		}
	}
}

// texts gathers the texts of blocks in the order of the screen.
func texts(raw json.RawMessage) []string {
	var out []string
	walk(decode(raw), func(_, m map[string]any) {
		if s, ok := m["text"].(string); ok && s != "" {
			out = append(out, s)
		}
	})
	return out
}

func str(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func label(text any) string {
	m, _ := text.(map[string]any)
	return str(m, "text")
}

// fill adds the ids that Slack gives to blocks and elements without one, and
// emoji to plain texts, as its answers and payloads show them.
func (s *Server) fill(raw json.RawMessage) json.RawMessage {
	value := decode(raw)
	list, ok := value.([]any)
	if !ok {
		return raw
	}
	s.fillBlocks(list)
	out, err := json.Marshal(list)
	if err != nil {
		return raw
	}
	return out
}

func (s *Server) fillBlocks(list []any) {
	for _, item := range list {
		block, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if nested, ok := block["blocks"].([]any); ok {
			s.fillBlocks(nested)
			continue
		}
		if str(block, "block_id") == "" {
			block["block_id"] = s.shortID()
		}
		walk(block, func(_, m map[string]any) {
			kind := str(m, "type")
			if interactive(kind) && str(m, "action_id") == "" {
				m["action_id"] = s.shortID()
			}
			if _, set := m["emoji"]; kind == "plain_text" && !set {
				m["emoji"] = true
			}
		})
		if nested, ok := block["child_blocks"].([]any); ok {
			s.fillBlocks(nested)
		}
	}
}

func (s *Server) shortID() string {
	s.seq++
	return "b" + strconv.FormatInt(int64(s.seq)+46656, 36)
}
