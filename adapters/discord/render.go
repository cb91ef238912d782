package discord

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core/chat"
)

// Accent colours of a card by its tone; the neutral one has none.
var accents = map[chat.Tone]int{
	chat.ToneAction: 0x2f6fed,
	chat.ToneGood:   0x2e9e5b,
	chat.ToneWarn:   0xd9822b,
	chat.ToneBad:    0xd13438,
}

// Render gives a card its look on Discord: one container of components,
// within all limits of
// https://discord.com/developers/docs/components/reference. What is too long
// is cut with an ellipsis; items that do not fit are left out from the end,
// with their number in their place. The result belongs into a message with
// the IS_COMPONENTS_V2 flag.
func Render(c chat.Card) []Component { return render(c, false) }

// render lays a card out, with its picture where that is attached to the
// message.
func render(c chat.Card, attached bool) []Component {
	l := layout{seen: map[string]bool{}, text: maxText, parts: maxComponents - 1}

	// The parts around the items are laid out first, so that they get the
	// room they need, and the items what is left.
	head := l.head(c)
	if attached && usablePicture(c.Picture) {
		head = append(head, l.take(gallery(*c.Picture)))
	}
	buttons := l.row(c.Buttons)
	foot := l.foot(c)
	items := l.items(c.Items, len(head) > 0)

	all := append(append(append(head, items...), foot...), buttons...)
	if len(all) == 0 {
		all = []Component{textDisplay(fallback(c))}
	}
	return []Component{{Type: typeContainer, AccentColor: accents[c.Tone], Components: all}}
}

func fallback(c chat.Card) string {
	if s := renderText(chat.Plain(c.Summary), maxTextPart); strings.TrimSpace(s) != "" {
		return s
	}
	return ellipsis
}

// layout counts what is left of a message's room.
type layout struct {
	text, parts int
	seen        map[string]bool
}

func (l *layout) take(c Component) Component {
	l.text -= utf8.RuneCountInString(c.Content)
	l.parts--
	return c
}

func textDisplay(s string) Component { return Component{Type: typeTextDisplay, Content: s} }

func (l *layout) head(c chat.Card) []Component {
	var lines []string
	if title := oneLine(visible(c.Title)); title != "" {
		lines = append(lines, "### "+renderText(chat.Plain(title), maxTitlePart))
	}
	if text := renderText(c.Text, maxTextPart); strings.TrimSpace(text) != "" {
		lines = append(lines, text)
	}
	room := maxItemPart
	for _, b := range c.Buttons {
		// A link too long for a button is shown as text rather than lost.
		if n := utf8.RuneCountInString(b.URL); n > maxButtonURL && n+maxLabel < room {
			room -= n + maxLabel
			lines = append(lines, link(shorten(b.Label, maxLabel), b.URL))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	text := l.take(textDisplay(strings.Join(lines, "\n")))
	if pic := thumbnail(c.Image); pic != nil {
		return []Component{l.section(text, pic)}
	}
	return []Component{text}
}

func (l *layout) section(text Component, accessory *Component) Component {
	l.parts -= 2
	return Component{Type: typeSection, Components: []Component{text}, Accessory: accessory}
}

func thumbnail(i chat.Image) *Component {
	if !showable(i.URL) {
		return nil
	}
	return &Component{Type: typeThumbnail, Media: &Media{URL: i.URL}, Description: shorten(visible(i.Alt), maxAlt)}
}

// button returns nil for a button that Discord would refuse, and with it the
// whole message.
func (l *layout) button(b chat.Button) *Component {
	c := Component{Type: typeButton, Label: shorten(oneLine(visible(b.Label)), maxLabel)}
	if c.Label == "" {
		c.Label = ellipsis
	}
	if b.URL != "" {
		if utf8.RuneCountInString(b.URL) > maxButtonURL || link("x", b.URL) == "x" {
			return nil
		}
		c.Style, c.URL = buttonLink, b.URL
		return &c
	}
	if b.ID == "" || utf8.RuneCountInString(b.ID) > maxCustomID || l.seen[b.ID] {
		return nil
	}
	l.seen[b.ID] = true
	c.CustomID = b.ID
	switch b.Style {
	case chat.StylePrimary:
		c.Style = buttonPrimary
	case chat.StyleDanger:
		c.Style = buttonDanger
	default:
		c.Style = buttonSecondary
	}
	return &c
}

func (l *layout) row(buttons []chat.Button) []Component {
	var rows []Component
	for _, b := range buttons {
		c := l.button(b)
		if c == nil {
			continue
		}
		if n := len(rows); n == 0 || len(rows[n-1].Components) == maxRowButtons {
			if n == maxRows {
				break
			}
			rows = append(rows, l.take(Component{Type: typeActionRow}))
		}
		row := &rows[len(rows)-1]
		row.Components = append(row.Components, l.take(*c))
	}
	return rows
}

func (l *layout) foot(c chat.Card) []Component {
	text := strings.TrimSpace(renderText(c.Footer, maxFooterPart))
	if text == "" {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, "-# "+line)
		}
	}
	return []Component{l.take(textDisplay(strings.Join(lines, "\n")))}
}

func (l *layout) items(items []chat.Item, divided bool) []Component {
	if len(items) == 0 {
		return nil
	}
	var all []Component
	if divided {
		all = append(all, l.take(Component{Type: typeSeparator, Divider: true, Spacing: 1}))
	}
	// A line of its own is kept for the number of items left out.
	const markText, markParts = 16, 1
	for i, item := range items {
		text := renderText(item.Text, maxItemPart)
		if strings.TrimSpace(text) == "" {
			text = ellipsis
		}
		heading := oneLine(visible(item.Heading))
		if heading != "" {
			text = "-# " + renderText(chat.Plain(heading), maxTitlePart) + "\n" + text
		}
		accessory, below := l.beside(item)
		begins := heading != "" && i > 0
		need := 1
		for _, there := range []struct {
			is    bool
			parts int
		}{{accessory != nil, 2}, {below != nil, 2}, {begins, 1}, {i < len(items)-1, markParts}} {
			if there.is {
				need += there.parts
			}
		}
		if utf8.RuneCountInString(text)+markText > l.text || need > l.parts {
			return append(all, l.take(textDisplay(fmt.Sprintf("%s +%d", ellipsis, len(items)-i))))
		}
		if begins {
			all = append(all, l.take(Component{Type: typeSeparator, Divider: true, Spacing: 1}))
		}
		row := l.take(textDisplay(text))
		if accessory != nil {
			row = l.section(row, accessory)
		}
		all = append(all, row)
		if below != nil {
			all = append(all, l.take(Component{Type: typeActionRow, Components: []Component{l.take(*below)}}))
		}
	}
	return all
}

// beside is what stands beside an item's text, and the button below it. Where
// there is a button and a picture, only what begins a part of the card has room
// for both.
func (l *layout) beside(item chat.Item) (accessory, below *Component) {
	picture := thumbnail(item.Image)
	if item.Button == nil {
		return picture, nil
	}
	button := l.button(*item.Button)
	switch {
	case button == nil:
		return picture, nil
	case picture != nil && strings.TrimSpace(item.Heading) != "":
		return picture, button
	default:
		return button, nil
	}
}
