package discord

import "github.com/laurelbot/laurel/core/chat"

// Interaction types
// (https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-type).
const (
	interactionPing         = 1
	interactionCommand      = 2
	interactionComponent    = 3
	interactionAutocomplete = 4
	interactionModalSubmit  = 5
)

// Callback types
// (https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type).
const (
	callbackPong           = 1
	callbackMessage        = 4
	callbackDeferred       = 5
	callbackDeferredUpdate = 6
	callbackUpdate         = 7
	callbackAutocomplete   = 8
	callbackModal          = 9
)

// Component types
// (https://discord.com/developers/docs/components/reference#component-object-component-types).
const (
	typeActionRow     = 1
	typeButton        = 2
	typeStringSelect  = 3
	typeTextInput     = 4
	typeChannelSelect = 8
	typeSection       = 9
	typeTextDisplay   = 10
	typeThumbnail     = 11
	typeMediaGallery  = 12
	typeSeparator     = 14
	typeContainer     = 17
	typeLabel         = 18
)

// Button styles
// (https://discord.com/developers/docs/components/reference#button-button-styles).
const (
	buttonPrimary   = 1
	buttonSecondary = 2
	buttonDanger    = 4
	buttonLink      = 5
)

// Text input styles
// (https://discord.com/developers/docs/components/reference#text-input-text-input-styles).
const (
	textInputShort     = 1
	textInputParagraph = 2
)

// Message flags
// (https://discord.com/developers/docs/resources/message#message-object-message-flags).
const (
	flagEphemeral    = 1 << 6
	flagComponentsV2 = 1 << 15
)

// Component is a message or modal component on the wire: the union of the
// types that are used here.
type Component struct {
	Type int `json:"type"`
	// ID is a number within the message, chosen by Discord when it is 0.
	ID          int64         `json:"id,omitempty"`
	Components  []Component   `json:"components,omitempty"`
	Accessory   *Component    `json:"accessory,omitempty"`
	Component   *Component    `json:"component,omitempty"`
	AccentColor int           `json:"accent_color,omitempty"`
	Content     string        `json:"content,omitempty"`
	Media       *Media        `json:"media,omitempty"`
	Description string        `json:"description,omitempty"`
	Divider     bool          `json:"divider,omitempty"`
	Spacing     int           `json:"spacing,omitempty"`
	CustomID    string        `json:"custom_id,omitempty"`
	Style       int           `json:"style,omitempty"`
	Label       string        `json:"label,omitempty"`
	URL         string        `json:"url,omitempty"`
	Value       string        `json:"value,omitempty"`
	Placeholder string        `json:"placeholder,omitempty"`
	Required    *bool         `json:"required,omitempty"`
	MinLength   int           `json:"min_length,omitempty"`
	MaxLength   int           `json:"max_length,omitempty"`
	Options     []Option      `json:"options,omitempty"`
	Items       []GalleryItem `json:"items,omitempty"`
	// MinValues is 1 at Discord where it is missing.
	MinValues     *int           `json:"min_values,omitempty"`
	MaxValues     int            `json:"max_values,omitempty"`
	ChannelTypes  []int          `json:"channel_types,omitempty"`
	DefaultValues []DefaultValue `json:"default_values,omitempty"`
}

// DefaultValue is what a menu of channels has chosen to begin with.
type DefaultValue struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// Option is what can be chosen of a select menu.
type Option struct {
	Label   string `json:"label"`
	Value   string `json:"value"`
	Default bool   `json:"default,omitempty"`
}

// GalleryItem is a picture of a gallery.
type GalleryItem struct {
	Media       Media  `json:"media"`
	Description string `json:"description,omitempty"`
}

// Media is a picture by its URL.
type Media struct {
	URL string `json:"url"`
}

// mentions says who may be notified by a message: nobody, ever. The empty
// list must be on the wire.
type mentions struct {
	Parse []string `json:"parse"`
}

// message is the body of a message in every direction: callback, creation,
// edit, follow-up.
type message struct {
	Components      []Component `json:"components"`
	Flags           int         `json:"flags"`
	AllowedMentions mentions    `json:"allowed_mentions"`
	Nonce           string      `json:"nonce,omitempty"`
	EnforceNonce    bool        `json:"enforce_nonce,omitempty"`
	// Attachments are the files that the message has from now on; without
	// them it keeps those it had.
	Attachments []attachment `json:"attachments,omitempty"`
	picture     *chat.Picture
}

func newMessage(components []Component, flags int) message {
	return message{
		Components:      components,
		Flags:           flags | flagComponentsV2,
		AllowedMentions: mentions{Parse: []string{}},
	}
}

// callback is the first answer to an interaction.
type callback struct {
	Type int `json:"type"`
	Data any `json:"data,omitempty"`
}

type deferral struct {
	Flags int `json:"flags"`
}

type modal struct {
	CustomID   string      `json:"custom_id"`
	Title      string      `json:"title"`
	Components []Component `json:"components"`
}

type completions struct {
	Choices []choice `json:"choices"`
}

type choice struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
