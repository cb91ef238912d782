package blockkit

func (v *validator) view(m map[string]any) {
	if m["type"] != string(v.kind) {
		v.add("/type", "must be %s", v.kind)
	}
	v.known("", m, "title", "blocks", "close", "submit", "private_metadata", "callback_id",
		"clear_on_close", "notify_on_close", "external_id", "submit_disabled")
	v.str("", m, "private_metadata", 0, ViewPrivateMetadataMax, false)
	v.str("", m, "callback_id", 0, ViewCallbackIDMax, false)
	v.str("", m, "external_id", 0, ViewExternalIDMax, false)
	v.boolean("", m, "clear_on_close", "notify_on_close", "submit_disabled")
	if v.kind == KindModal {
		v.text("", m, "title", ViewTitleMax, true, true)
		v.text("", m, "close", ViewCloseMax, true, false)
		v.text("", m, "submit", ViewSubmitMax, true, false)
	}
	if blocks, there := m["blocks"]; there {
		v.blocks("/blocks", blocks, ViewBlocksMax)
		if list, ok := blocks.([]any); ok && len(list) < ViewBlocksMin {
			v.add("/blocks", "no fewer than %d items allowed", ViewBlocksMin)
		}
	} else {
		v.add("", "missing required field: blocks")
	}
	if v.focused > 1 {
		v.add("/blocks", "only one element may have focus_on_load")
	}
	// A form that cannot be sent is refused:
	// https://docs.slack.dev/reference/views/modal-views/
	if v.kind == KindModal && v.inputs > 0 && m["submit"] == nil {
		v.add("", "missing required field: submit")
	}
}
