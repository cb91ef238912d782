package discord

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core/chat"
)

// renderForm gives a form its look as a modal: each input within a label,
// which replaced the action row around it
// (https://discord.com/developers/docs/components/reference#label).
func renderForm(f chat.Form) modal {
	m := modal{CustomID: shorten(f.ID, maxCustomID), Title: shorten(oneLine(visible(f.Title)), maxModalTitle)}
	if m.Title == "" {
		m.Title = ellipsis
	}
	if intro := renderText(f.Intro, maxText); strings.TrimSpace(intro) != "" && len(f.Fields) < maxModalParts {
		m.Components = append(m.Components, textDisplay(intro))
	}
	for _, field := range f.Fields {
		if len(m.Components) == maxModalParts {
			break
		}
		m.Components = append(m.Components, renderField(field))
	}
	return m
}

func renderField(f chat.Field) Component {
	input := textInput(f)
	switch f.Kind {
	case chat.FieldChoice, chat.FieldChoices:
		input = stringSelect(f)
	case chat.FieldChannel:
		input = channelSelect(f)
	}
	label := shorten(oneLine(visible(f.Label)), maxFieldLabel)
	if label == "" {
		label = ellipsis
	}
	return Component{
		Type:        typeLabel,
		Label:       label,
		Description: shorten(oneLine(visible(f.Hint)), maxFieldHint),
		Component:   &input,
	}
}

// stringSelect asks for one of the options, or for several
// (https://discord.com/developers/docs/components/reference#string-select).
func stringSelect(f chat.Field) Component {
	required, least := required(f)
	input := Component{
		Type: typeStringSelect, CustomID: f.Name, Required: &required, MinValues: &least, MaxValues: 1,
		Placeholder: shorten(oneLine(visible(f.Placeholder)), maxPlaceholder),
	}
	chosen := f.Chosen()
	for _, o := range f.Options[:min(len(f.Options), maxOptions)] {
		input.Options = append(input.Options, Option{
			Label: shorten(oneLine(visible(o.Name)), maxOptionLabel), Value: o.Value, Default: slices.Contains(chosen, o),
		})
	}
	if f.Kind == chat.FieldChoices {
		input.MaxValues = len(input.Options)
	}
	return input
}

// channelSelect asks for a channel of the server in which messages are
// posted; the values are ids
// (https://discord.com/developers/docs/components/reference#channel-select).
func channelSelect(f chat.Field) Component {
	required, least := required(f)
	input := Component{
		Type: typeChannelSelect, CustomID: f.Name, Required: &required, MinValues: &least, MaxValues: 1,
		ChannelTypes: []int{channelText, channelNews},
		Placeholder:  shorten(oneLine(visible(f.Placeholder)), maxPlaceholder),
	}
	if isSnowflake(f.Value) {
		input.DefaultValues = []DefaultValue{{ID: f.Value, Type: "channel"}}
	}
	return input
}

// required says whether a field must be filled, and of a menu how many values
// must be chosen.
func required(f chat.Field) (must bool, least int) {
	if f.Optional || f.MinLen == 0 && f.Kind != chat.FieldChannel {
		return false, 0
	}
	return true, 1
}

func textInput(f chat.Field) Component {
	required, _ := required(f)
	input := Component{
		Type:        typeTextInput,
		CustomID:    f.Name,
		Style:       textInputShort,
		Placeholder: shorten(oneLine(visible(f.Placeholder)), maxPlaceholder),
		Required:    &required,
		MinLength:   min(max(f.MinLen, 0), maxInput),
		MaxLength:   min(max(f.MaxLen, 0), maxInput),
	}
	if f.Kind == chat.FieldLong {
		input.Style = textInputParagraph
	}
	// Discord refuses a modal whose given value breaks its own limits.
	limit := maxInput
	if input.MaxLength > 0 {
		limit = input.MaxLength
	}
	if n := utf8.RuneCountInString(f.Value); n >= input.MinLength && n <= limit {
		input.Value = f.Value
	}
	return input
}

// formCard stands in for a form that can no longer be opened: a card whose
// button asks for the form again. The ids of forms and of the buttons that
// open them are the same, see [chat.ID].
func formCard(f chat.Form) chat.Card {
	return chat.Card{
		Tone:    chat.ToneAction,
		Title:   f.Title,
		Text:    f.Intro,
		Buttons: []chat.Button{{ID: f.ID, Label: f.Title, Style: chat.StylePrimary}},
	}
}
