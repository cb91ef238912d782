package slack

import (
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core/chat"
)

// inputActionID is the action id of every input; block ids tell fields apart.
const inputActionID = "value"

// renderForm makes the modal view of a form. The name of a field is the id of
// its block, which is also how a refused field is named.
// https://docs.slack.dev/reference/views/modal-views
func renderForm(f chat.Form, metadata string) slackapi.ModalViewRequest {
	view := slackapi.ModalViewRequest{
		Type:            slackapi.VTModal,
		Title:           formText(f.Title, maxViewTitle),
		Submit:          formText(f.Submit, maxViewButton),
		CallbackID:      f.ID,
		PrivateMetadata: metadata,
	}
	if f.Cancel != "" {
		view.Close = formText(f.Cancel, maxViewButton)
	}
	blocks := []slackapi.Block{}
	for i, text := range pack(mrkdwn(f.Intro), maxSectionText) {
		if i == maxTextSections {
			break
		}
		blocks = append(blocks, section(text))
	}
	for i, field := range f.Fields {
		if len(blocks) == maxViewBlocks {
			break
		}
		blocks = append(blocks, inputBlock(field, i == 0))
	}
	view.Blocks = slackapi.Blocks{BlockSet: blocks}
	return view
}

// inputBlock asks for every kind of text with plain text: Slack's e-mail
// input refuses international addresses, and its number input drops leading
// zeros.
func inputBlock(f chat.Field, first bool) slackapi.Block {
	switch f.Kind {
	case chat.FieldChoice, chat.FieldChoices:
		return choiceBlock(f)
	case chat.FieldChannel:
		return channelBlock(f)
	}
	input := &slackapi.PlainTextInputBlockElement{
		Type:        slackapi.METPlainTextInput,
		ActionID:    inputActionID,
		MaxLength:   min(max(f.MaxLen, 0), maxInputLength),
		MinLength:   min(max(f.MinLen, 0), maxInputLength),
		Multiline:   f.Kind == chat.FieldLong,
		FocusOnLoad: first,
	}
	limit := input.MaxLength
	if limit == 0 {
		limit = maxInputLength
	}
	input.MinLength = min(input.MinLength, limit)
	// A value that was cut would be taken for what the person meant.
	if value := []rune(strings.ToValidUTF8(f.Value, "")); len(value) <= limit {
		input.InitialValue = string(value)
	}
	if f.Placeholder != "" {
		input.Placeholder = plainText(f.Placeholder, maxPlaceholder)
	}
	return labelled(f, input)
}

// choiceBlock asks for one of the options, or for several
// (https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element).
func choiceBlock(f chat.Field) slackapi.Block {
	option := func(c chat.Choice) *slackapi.OptionBlockObject {
		return slackapi.NewOptionBlockObject(c.Value, formText(c.Name, maxOption), nil)
	}
	options := make([]*slackapi.OptionBlockObject, 0, len(f.Options))
	for _, c := range f.Options[:min(len(f.Options), maxOptions)] {
		options = append(options, option(c))
	}
	var chosen []*slackapi.OptionBlockObject
	for _, c := range f.Chosen() {
		chosen = append(chosen, option(c))
	}
	var hint *slackapi.TextBlockObject
	if f.Placeholder != "" {
		hint = plainText(f.Placeholder, maxPlaceholder)
	}
	if f.Kind == chat.FieldChoices {
		return labelled(f, &slackapi.MultiSelectBlockElement{
			Type: slackapi.MultiOptTypeStatic, ActionID: inputActionID, Placeholder: hint, Options: options, InitialOptions: chosen,
		})
	}
	input := &slackapi.SelectBlockElement{
		Type: slackapi.OptTypeStatic, ActionID: inputActionID, Placeholder: hint, Options: options,
	}
	if len(chosen) > 0 {
		input.InitialOption = chosen[0]
	}
	return labelled(f, input)
}

// channelBlock asks for one of the channels that the person sees; a
// conversation with people or bots is none
// (https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#conversations_select).
func channelBlock(f chat.Field) slackapi.Block {
	input := &slackapi.SelectBlockElement{
		Type: slackapi.OptTypeConversations, ActionID: inputActionID,
		Filter: &slackapi.SelectBlockElementFilter{Include: []string{"public", "private"}, ExcludeBotUsers: true},
	}
	if f.Placeholder != "" {
		input.Placeholder = plainText(f.Placeholder, maxPlaceholder)
	}
	if validID(f.Value) {
		input.InitialConversation = f.Value
	}
	return labelled(f, input)
}

func labelled(f chat.Field, input slackapi.BlockElement) slackapi.Block {
	block := &slackapi.InputBlock{
		Type: slackapi.MBTInput, BlockID: f.Name, Label: formText(f.Label, maxInputLabel), Element: input,
		Optional: f.Optional,
	}
	if f.Hint != "" {
		block.Hint = plainText(f.Hint, maxInputHint)
	}
	return block
}

func formText(s string, limit int) *slackapi.TextBlockObject {
	if strings.TrimSpace(s) == "" {
		s = ellipsis
	}
	return plainText(s, limit)
}
