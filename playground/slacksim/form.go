package slacksim

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fillIn makes the state of a form's inputs from values, and lists by block
// id what a client would complain about. A value that belongs to no input is
// an error.
func fillIn(all []Element, values map[string]string) (state map[string]any, wrong map[string]string, err error) {
	state, wrong = map[string]any{}, map[string]string{}
	used := map[string]bool{}
	for _, e := range all {
		given, has := "", false
		for _, key := range []string{e.BlockID, e.ActionID, e.Label} {
			if value, ok := values[key]; ok && key != "" && (e.Input || len(e.Options) > 0) {
				given, has = value, true
				used[key] = true
				break
			}
		}
		if !e.Input && !has {
			continue
		}
		if !has {
			// What the app chose stays chosen, also where it is not there any more.
			given, e.offered = initial(e), nil
		}
		value, complaint := entered(e, given)
		if complaint == "" && e.Input && !e.Optional && given == "" {
			complaint = "Please complete this required field."
		}
		if complaint != "" {
			wrong[e.BlockID] = complaint
		}
		block, ok := state[e.BlockID].(map[string]any)
		if !ok {
			block = map[string]any{}
			state[e.BlockID] = block
		}
		block[e.ActionID] = value
	}
	for key := range values {
		if !used[key] {
			return nil, nil, fmt.Errorf("input %q: %w", key, ErrNotFound)
		}
	}
	return state, wrong, nil
}

// initial is what an input holds before anybody touched it.
func initial(e Element) string {
	for _, key := range []string{"initial_value", "initial_date", "initial_time", "initial_user", "initial_channel", "initial_conversation"} {
		if s := str(e.raw, key); s != "" {
			return s
		}
	}
	if at, ok := e.raw["initial_date_time"].(json.Number); ok {
		return at.String()
	}
	if o, ok := e.raw["initial_option"].(map[string]any); ok {
		return str(o, "value")
	}
	var chosen []string
	for _, key := range []string{"initial_options", "initial_users", "initial_channels", "initial_conversations"} {
		list, _ := e.raw[key].([]any)
		for _, item := range list {
			switch o := item.(type) {
			case map[string]any:
				chosen = append(chosen, str(o, "value"))
			case string:
				chosen = append(chosen, o)
			}
		}
	}
	if len(chosen) == 0 {
		return e.current
	}
	return strings.Join(chosen, ",")
}

// entered renders an input's value as view.state.values carries it.
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload/
func entered(e Element, given string) (map[string]any, string) {
	out := map[string]any{"type": e.Type}
	orNull := func(key, value string) {
		out[key] = nil
		if value != "" {
			out[key] = value
		}
	}
	complaint := ""
	switch e.Type {
	case "static_select", "radio_buttons", "external_select", "overflow":
		out["selected_option"] = nil
		if given != "" {
			if o := e.option(given); o != nil {
				out["selected_option"] = o
			} else {
				complaint = "Choose one of the options."
			}
		}
	case "checkboxes", "multi_static_select":
		chosen := []any{}
		for part := range strings.SplitSeq(given, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			if o := e.option(part); o != nil {
				chosen = append(chosen, o)
			} else {
				complaint = "Choose from the options."
			}
		}
		out["selected_options"] = chosen
	case "datepicker":
		orNull("selected_date", given)
	case "timepicker":
		orNull("selected_time", given)
	case "users_select", "channels_select", "conversations_select":
		given, complaint = e.picked(given)
		orNull("selected_"+e.kind(), given)
	case "multi_users_select", "multi_channels_select", "multi_conversations_select":
		out["selected_"+e.kind()+"s"], complaint = e.pickedAll(given)
	case "datetimepicker":
		out["selected_date_time"] = nil
		if at, err := strconv.ParseInt(given, 10, 64); err == nil {
			out["selected_date_time"] = at
		} else if given != "" {
			complaint = "Choose a date and a time."
		}
	default:
		orNull("value", given)
		complaint = checkText(e, given)
	}
	return out, complaint
}

func (e Element) option(what string) map[string]any {
	for _, o := range e.Options {
		if o.Value == what || o.Label == what {
			return o.raw
		}
	}
	return nil
}

// checkText is what Slack's clients check before they send a text.
func checkText(e Element, given string) string {
	if given == "" {
		return ""
	}
	n := utf8.RuneCountInString(given)
	if least := bound(e.raw, "min_length"); least > 0 && n < least {
		return fmt.Sprintf("Enter at least %d characters.", least)
	}
	if most := bound(e.raw, "max_length"); most > 0 && n > most {
		return fmt.Sprintf("Enter at most %d characters.", most)
	}
	switch e.Type {
	case "email_text_input":
		if address, err := mail.ParseAddress(given); err != nil || address.Address != given {
			return "Enter a valid email address."
		}
	case "url_text_input":
		if !strings.Contains(given, "://") {
			return "Enter a valid URL."
		}
	case "number_input":
		if _, err := strconv.ParseFloat(given, 64); err != nil {
			return "Enter a number."
		}
	}
	return ""
}

func bound(m map[string]any, key string) int {
	n, ok := m[key].(json.Number)
	if !ok {
		return 0
	}
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return int(i)
}
