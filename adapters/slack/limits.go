package slack

import "unicode/utf8"

// Limits of messages, in Unicode code points or pieces
// (https://docs.slack.dev/reference/block-kit/blocks,
// https://docs.slack.dev/reference/block-kit/block-elements/button-element,
// https://docs.slack.dev/reference/block-kit/composition-objects).
const (
	maxMessageBlocks   = 50
	maxHeaderText      = 150
	maxSectionText     = 3000
	maxContextText     = 3000
	maxContextElements = 10
	maxActionElements  = 25
	maxButtonText      = 75
	maxButtonURL       = 3000
	maxImageURL        = 3000
	maxAltText         = 2000
	maxConfirmTitle    = 100
	maxConfirmText     = 300
	maxConfirmButton   = 30
	// maxFallback keeps the text for notifications below the 4,000 that Slack
	// advises (https://docs.slack.dev/reference/methods/chat.postMessage).
	maxFallback = 3000
)

// Limits of forms (https://docs.slack.dev/reference/views/modal-views,
// https://docs.slack.dev/reference/block-kit/blocks/input-block).
const (
	maxViewTitle   = 24
	maxViewButton  = 24
	maxViewBlocks  = 100
	maxInputLabel  = 2000
	maxInputHint   = 2000
	maxPlaceholder = 150
	maxInputLength = 3000
	maxOptions     = 100
	maxOption      = 75
)

// ellipsis marks text that was cut.
const ellipsis = "…"

// truncate cuts s to at most n code points, and says so.
func truncate(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n--; n == 0 {
			return s[:i] + ellipsis
		}
	}
	return s
}
