package discordsim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Message is a message as a person sees it.
type Message struct {
	ID         string      `json:"id"`
	ChannelID  string      `json:"channel_id"`
	Content    string      `json:"content"`
	Embeds     []Embed     `json:"embeds"`
	Components []Component `json:"components"`
	// Attachments are the files beside what is said; those that embeds show
	// are not among them.
	Attachments []Attachment `json:"attachments"`
	// Author is the person who wrote it; empty for the bot.
	Author string `json:"author,omitempty"`
	Flags  int    `json:"flags"`
	// Ephemeral messages are seen by one person only.
	Ephemeral bool `json:"ephemeral"`
	// Thinking says that the bot deferred and has not answered yet.
	Thinking bool `json:"thinking"`
	// Edited is the time of the last edit, zero when there was none.
	Edited  time.Time `json:"edited,omitzero"`
	Created time.Time `json:"created"`
}

// Attachment is a file of a message.
type Attachment struct {
	ID          string `json:"id"`
	Filename    string `json:"filename"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
	URL         string `json:"url"`
	Width       int    `json:"width,omitempty"`
	Height      int    `json:"height,omitempty"`
}

// Embed is a rich embed.
type Embed struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	URL         string `json:"url,omitempty"`
	Color       int    `json:"color,omitempty"`
	Timestamp   string `json:"timestamp,omitempty"`
	Author      *struct {
		Name    string `json:"name"`
		URL     string `json:"url,omitempty"`
		IconURL string `json:"icon_url,omitempty"`
	} `json:"author,omitempty"`
	Footer *struct {
		Text    string `json:"text"`
		IconURL string `json:"icon_url,omitempty"`
	} `json:"footer,omitempty"`
	Image     *Media       `json:"image,omitempty"`
	Thumbnail *Media       `json:"thumbnail,omitempty"`
	Fields    []EmbedField `json:"fields,omitempty"`
}

// EmbedField is one name and value of an embed.
type EmbedField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline"`
}

// Media is a picture by its address.
type Media struct {
	URL string `json:"url"`
}

// Component is a component of a message or modal; which fields it has depends
// on its type, see the constants Type….
type Component struct {
	Type        int    `json:"type"`
	ID          int    `json:"id"`
	CustomID    string `json:"custom_id,omitempty"`
	Style       int    `json:"style,omitempty"`
	Label       string `json:"label,omitempty"`
	Description string `json:"description,omitempty"`
	Emoji       *struct {
		Name string `json:"name"`
		ID   string `json:"id,omitempty"`
	} `json:"emoji,omitempty"`
	URL         string        `json:"url,omitempty"`
	Disabled    bool          `json:"disabled,omitempty"`
	Placeholder string        `json:"placeholder,omitempty"`
	Options     []Option      `json:"options,omitempty"`
	MinValues   *int          `json:"min_values,omitempty"`
	MaxValues   *int          `json:"max_values,omitempty"`
	Value       string        `json:"value,omitempty"`
	Required    *bool         `json:"required,omitempty"`
	MinLength   *int          `json:"min_length,omitempty"`
	MaxLength   *int          `json:"max_length,omitempty"`
	Content     string        `json:"content,omitempty"`
	AccentColor *int          `json:"accent_color,omitempty"`
	Media       *Media        `json:"media,omitempty"`
	Items       []GalleryItem `json:"items,omitempty"`
	File        *Media        `json:"file,omitempty"`
	Name        string        `json:"name,omitempty"`
	Size        int           `json:"size,omitempty"`
	Accessory   *Component    `json:"accessory,omitempty"`
	Component   *Component    `json:"component,omitempty"`
	Components  []Component   `json:"components,omitempty"`
	// ChannelTypes and DefaultValues are of menus that Discord fills.
	ChannelTypes  []int          `json:"channel_types,omitempty"`
	DefaultValues []DefaultValue `json:"default_values,omitempty"`
}

// GalleryItem is one picture of a media gallery.
type GalleryItem struct {
	Media       Media  `json:"media"`
	Description string `json:"description,omitempty"`
}

// Option is a choice of a select menu.
type Option struct {
	Label       string `json:"label"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Default     bool   `json:"default,omitempty"`
}

// flatten returns all components, the outer before the inner.
func flatten(list []Component) []Component {
	var out []Component
	for _, c := range list {
		out = append(out, c)
		out = append(out, flatten(c.Components)...)
		if c.Accessory != nil {
			out = append(out, flatten([]Component{*c.Accessory})...)
		}
		if c.Component != nil {
			out = append(out, flatten([]Component{*c.Component})...)
		}
	}
	return out
}

// Buttons returns the buttons of a message in their order.
func (m Message) Buttons() []Component {
	return slices.DeleteFunc(flatten(m.Components), func(c Component) bool { return c.Type != TypeButton })
}

// Button finds a button by custom id or label.
func (m Message) Button(customIDOrLabel string) (Component, bool) {
	for _, b := range m.Buttons() {
		if b.CustomID == customIDOrLabel || b.Label == customIDOrLabel {
			return b, true
		}
	}
	return Component{}, false
}

// Text returns everything a person reads in a message but its buttons, a line
// each.
func (m Message) Text() string {
	var lines []string
	add := func(list ...string) {
		for _, l := range list {
			if l != "" {
				lines = append(lines, l)
			}
		}
	}
	add(m.Content)
	for _, e := range m.Embeds {
		if e.Author != nil {
			add(e.Author.Name)
		}
		add(e.Title, e.Description)
		for _, f := range e.Fields {
			add(f.Name, f.Value)
		}
		if e.Footer != nil {
			add(e.Footer.Text)
		}
	}
	for _, c := range flatten(m.Components) {
		add(c.Content)
	}
	return strings.Join(lines, "\n")
}

// show makes the view of a message. The caller holds the lock.
func (m *message) show() Message {
	return Message{
		ID: m.id, ChannelID: m.channelID, Content: m.content, Embeds: orNone(view[[]Embed](m.embeds)),
		Components: orNone(view[[]Component](m.components)), Attachments: orNone(view[[]Attachment](m.attachmentObjects())),
		Author: m.author, Flags: m.flags, Ephemeral: m.onlyFor != "",
		Thinking: m.flags&FlagLoading != 0, Edited: m.edited, Created: m.created,
	}
}

func orNone[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// Messages returns what a person sees in a channel, oldest first: their own
// ephemeral messages, not those of others. A direct channel shows nothing to
// anybody but its person. An empty viewer sees what everybody sees.
func (s *Server) Messages(channelID, viewerUserID string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messagesFor(channelID, viewerUserID)
}

func (s *Server) messagesFor(channelID, viewer string) []Message {
	out := []Message{}
	for _, m := range s.channelFor(channelID, viewer) {
		out = append(out, m.show())
	}
	return out
}

// Message returns one message, whoever may see it.
func (s *Server) Message(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[id]
	if m == nil {
		return Message{}, false
	}
	return m.show(), true
}

// DeleteMessage deletes a message as a moderator would.
func (s *Server) DeleteMessage(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.messages[id]; m != nil {
		s.dropMessage(m)
	}
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
