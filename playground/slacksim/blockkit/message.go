package blockkit

import "strconv"

func (v *validator) message(m map[string]any) {
	text := v.str("", m, "text", 0, MessageTextMax, false)
	_, hasBlocks := m["blocks"]
	_, hasAttachments := m["attachments"]
	if text == "" && !hasBlocks && !hasAttachments {
		v.add("", "missing required field: text")
	}
	if hasBlocks && m["blocks"] != nil {
		v.blocks("/blocks", m["blocks"], MessageBlocksMax)
	}
	if hasAttachments && m["attachments"] != nil {
		v.attachments("/attachments", m["attachments"])
	}
}

func (v *validator) attachments(ptr string, value any) {
	list, ok := v.array(ptr, value, 0, AttachmentsMax)
	if !ok {
		return
	}
	for i, raw := range list {
		at := ptr + "/" + strconv.Itoa(i)
		m, ok := v.object(at, raw)
		if !ok {
			continue
		}
		if blocks, there := m["blocks"]; there {
			// Block ids need to differ only within one attachment.
			outer := v.blockIDs
			v.blockIDs = map[string]bool{}
			v.blocks(at+"/blocks", blocks, MessageBlocksMax)
			v.blockIDs = outer
			continue
		}
		if m["text"] == nil && m["fallback"] == nil && m["title"] == nil && m["image_url"] == nil && m["fields"] == nil && m["pretext"] == nil {
			v.add(at, "missing required field: fallback")
		}
	}
}
