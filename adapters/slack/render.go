package slack

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"

	"github.com/laurelbot/laurel/core/chat"
)

// Render returns the Block Kit blocks of a card as a JSON array, and the text
// for notifications and screen readers. It depends on the card alone.
func Render(c chat.Card) (blocks []byte, text string, err error) {
	blocks, err = json.Marshal(renderCard(c, ""))
	if err != nil {
		return nil, "", fmt.Errorf("render card: %w", err)
	}
	return blocks, fallback(c), nil
}

// privateMessage is the body of an answer that only the person sees: in the
// acknowledgement of a command, or sent to a response URL, where replace says
// whether the pressed message goes.
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
func privateMessage(c chat.Card, replace *bool) ([]byte, error) {
	blocks, text, err := Render(c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		ResponseType    string          `json:"response_type"`
		ReplaceOriginal *bool           `json:"replace_original,omitempty"`
		Text            string          `json:"text"`
		Blocks          json.RawMessage `json:"blocks"`
		UnfurlLinks     bool            `json:"unfurl_links"`
		UnfurlMedia     bool            `json:"unfurl_media"`
	}{"ephemeral", replace, text, blocks, false, false})
}

// fallback is the text beside the blocks. Slack parses it, so it is escaped.
func fallback(c chat.Card) string {
	for _, s := range []string{c.Summary, c.Title, c.Text.String()} {
		if s = strings.TrimSpace(s); s != "" {
			return packOne(mrkdwn(chat.Plain(s)), maxFallback)
		}
	}
	return ellipsis
}

// renderCard lays a card out from top to bottom. What is above and below the
// items is always shown; of too many items the last are left out. The card's
// picture is shown where it is uploaded as a file.
func renderCard(c chat.Card, file string) []slackapi.Block {
	var l layout
	head := l.head(c)
	if file != "" && c.Picture != nil {
		head = append(head, pictureBlock(file, *c.Picture))
	}
	foot := l.foot(c)
	room := maxMessageBlocks - len(head) - len(foot)
	blocks := head
	for i, item := range c.Items {
		rendered := l.item(item)
		reserve := 0
		if i < len(c.Items)-1 {
			reserve = 1
		}
		if len(rendered)+reserve > room {
			blocks = append(blocks, contextBlock(ellipsis))
			break
		}
		room -= len(rendered)
		blocks = append(blocks, rendered...)
	}
	blocks = append(blocks, foot...)
	if len(blocks) == 0 {
		blocks = append(blocks, section(fallback(c)))
	}
	return blocks
}

// layout numbers the link buttons of one message.
type layout struct{ links int }

// maxTextSections keeps a long text from pushing everything else out.
const maxTextSections = 10

func (l *layout) head(c chat.Card) []slackapi.Block {
	var out []slackapi.Block
	if title := strings.TrimSpace(oneLine(c.Title)); title != "" {
		out = append(out, &slackapi.HeaderBlock{
			Type: slackapi.MBTHeader,
			Text: plainText(symbol(c.Tone)+title, maxHeaderText),
		})
	}
	texts := pack(mrkdwn(c.Text), maxSectionText)
	for i, text := range texts {
		if i == maxTextSections {
			out = append(out, contextBlock(ellipsis))
			break
		}
		row := section(text)
		if i == 0 && usableImage(c.Image) {
			row.Accessory = beside(c.Image)
		}
		out = append(out, row)
	}
	if len(texts) == 0 && usableImage(c.Image) {
		out = append(out, &slackapi.ImageBlock{Type: slackapi.MBTImage, ImageURL: c.Image.URL, AltText: altText(c.Image)})
	}
	return out
}

// beside shows a picture small, at the right of a text.
func beside(i chat.Image) *slackapi.Accessory {
	return slackapi.NewAccessory(&slackapi.ImageBlockElement{Type: slackapi.METImage, ImageURL: &i.URL, AltText: altText(i)})
}

func (l *layout) foot(c chat.Card) []slackapi.Block {
	var out []slackapi.Block
	if row := l.actions(c.Buttons); row != nil {
		out = append(out, row)
	}
	texts := pack(mrkdwn(c.Footer), maxContextText)
	if len(texts) > 0 {
		out = append(out, contextBlock(texts[:min(len(texts), maxContextElements)]...))
	}
	return out
}

// item is a row: a text with its button, or with its picture; with both, the
// picture stands beside the text and the button below.
func (l *layout) item(item chat.Item) []slackapi.Block {
	text := packOne(mrkdwn(item.Text), maxSectionText)
	picture := usableImage(item.Image)
	var out []slackapi.Block
	if heading := strings.TrimSpace(oneLine(item.Heading)); heading != "" {
		out = append(out, slackapi.NewDividerBlock(), &slackapi.HeaderBlock{Type: slackapi.MBTHeader, Text: plainText(heading, maxHeaderText)})
	}
	switch {
	case text == "" && picture:
		out = append(out, &slackapi.ImageBlock{Type: slackapi.MBTImage, ImageURL: item.Image.URL, AltText: altText(item.Image)})
	case picture:
		row := section(text)
		row.Accessory = beside(item.Image)
		out = append(out, row)
	case text != "" && item.Button != nil:
		row := section(text)
		button := l.button(*item.Button)
		if button != nil {
			row.Accessory = slackapi.NewAccessory(button)
		}
		return append(out, row)
	case text != "":
		out = append(out, section(text))
	}
	if item.Button != nil {
		if row := l.actions([]chat.Button{*item.Button}); row != nil {
			out = append(out, row)
		}
	}
	return out
}

// actions is a row of buttons, or nil when there is none.
func (l *layout) actions(buttons []chat.Button) slackapi.Block {
	seen := map[string]bool{}
	var elements []slackapi.BlockElement
	for _, b := range buttons[:min(len(buttons), maxActionElements)] {
		button := l.button(b)
		if button == nil {
			continue
		}
		// Within a row no action id may come twice; the value still says what
		// is meant.
		for base, n := button.ActionID, 2; seen[button.ActionID]; n++ {
			button.ActionID = fmt.Sprintf("%s#%d", base, n)
		}
		seen[button.ActionID] = true
		elements = append(elements, button)
	}
	if len(elements) == 0 {
		return nil
	}
	return &slackapi.ActionBlock{Type: slackapi.MBTAction, Elements: &slackapi.BlockElements{ElementSet: elements}}
}

// button returns nil for a button that Slack would refuse.
func (l *layout) button(b chat.Button) *slackapi.ButtonBlockElement {
	label := strings.TrimSpace(oneLine(b.Label))
	if label == "" {
		label = ellipsis
	}
	out := &slackapi.ButtonBlockElement{Type: slackapi.METButton, Text: plainText(label, maxButtonText)}
	switch {
	case b.URL != "":
		if !isWebURL(b.URL) || utf8.RuneCountInString(b.URL) > maxButtonURL {
			return nil
		}
		out.ActionID, out.URL = fmt.Sprintf("%s%d", openPrefix, l.links), b.URL
		l.links++
	case b.ID != "" && utf8.RuneCountInString(b.ID) <= chat.MaxID:
		out.ActionID, out.Value = b.ID, b.ID
	default:
		return nil
	}
	switch b.Style {
	case chat.StylePrimary:
		out.Style = slackapi.StylePrimary
	case chat.StyleDanger:
		out.Style = slackapi.StyleDanger
	case chat.StylePlain:
	}
	if question := strings.TrimSpace(b.Confirm); question != "" {
		out.Confirm = &slackapi.ConfirmationBlockObject{
			Title:   plainText(label, maxConfirmTitle),
			Text:    plainText(question, maxConfirmText),
			Confirm: plainText(label, maxConfirmButton),
			// All four texts are required; a sign needs no translation.
			Deny:  plainText("✕", maxConfirmButton),
			Style: out.Style,
		}
	}
	return out
}

func section(text string) *slackapi.SectionBlock {
	return &slackapi.SectionBlock{Type: slackapi.MBTSection, Text: marked(text)}
}

func contextBlock(texts ...string) slackapi.Block {
	elements := make([]slackapi.MixedElement, len(texts))
	for i, text := range texts {
		elements[i] = marked(text)
	}
	return slackapi.NewContextBlock("", elements...)
}

// marked is text in Slack's markup. Verbatim keeps names and addresses in it
// from becoming links by themselves.
func marked(text string) *slackapi.TextBlockObject {
	return &slackapi.TextBlockObject{Type: slackapi.MarkdownType, Text: text, Verbatim: true}
}

// plainText is text without markup, in which no word becomes an emoji.
func plainText(text string, limit int) *slackapi.TextBlockObject {
	no := false
	return &slackapi.TextBlockObject{Type: slackapi.PlainTextType, Text: truncate(strings.ToValidUTF8(text, "�"), limit), Emoji: &no}
}

// symbol shows the tone, because Slack's blocks have no colour.
func symbol(t chat.Tone) string {
	switch t {
	case chat.ToneAction:
		return "👉 "
	case chat.ToneGood:
		return "✅ "
	case chat.ToneWarn:
		return "⚠️ "
	case chat.ToneBad:
		return "⛔ "
	case chat.ToneNeutral:
		return ""
	default:
		return ""
	}
}

// usableImage reports whether Slack can fetch the picture: it refuses a whole
// message for one that it cannot. On a loopback host are only simulators.
func usableImage(i chat.Image) bool {
	if i.URL == "" || utf8.RuneCountInString(i.URL) > maxImageURL {
		return false
	}
	u, err := url.Parse(i.URL)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func altText(i chat.Image) string {
	alt := strings.TrimSpace(strings.ToValidUTF8(i.Alt, "�"))
	if alt == "" {
		return ellipsis
	}
	return truncate(alt, maxAltText)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }
