package slacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// draw shows a message in a failure, and is what texts are looked for in.
func draw(m slacksim.Message) string {
	var b strings.Builder
	switch {
	case m.Deleted:
		b.WriteString("  (deleted)\n")
		return b.String()
	case m.Ephemeral:
		fmt.Fprintf(&b, "  (only for %s)\n", m.Viewer)
	}
	drawText(&b, m.Plain())
	drawPictures(&b, m.Pictures())
	for _, f := range m.Files {
		if f.Deleted {
			b.WriteString("  (a deleted file)\n")
		} else if !strings.HasPrefix(f.Mimetype, "image/") {
			fmt.Fprintf(&b, "  (file: %s)\n", f.Name)
		}
	}
	drawElements(&b, m.Elements())
	return b.String()
}

// drawView shows a form or a home tab.
func drawView(v slacksim.View) string {
	var b strings.Builder
	drawText(&b, v.Plain())
	drawPictures(&b, v.Pictures())
	drawElements(&b, v.Elements())
	return b.String()
}

func drawPictures(b *strings.Builder, all []slacksim.Picture) {
	for _, p := range all {
		fmt.Fprintf(b, "  (picture: %s)\n", p.Alt)
	}
}

func drawText(b *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(b, "  %s\n", strings.TrimSuffix(line, "\n"))
	}
}

func drawElements(b *strings.Builder, all []slacksim.Element) {
	for _, e := range all {
		switch {
		case e.Input:
			fmt.Fprintf(b, "  %s: ____\n", e.Label)
		case e.URL != "":
			fmt.Fprintf(b, "  [%s](%s)\n", e.Label, e.URL)
		case len(e.Options) == 0:
			fmt.Fprintf(b, "  [%s]\n", e.Label)
		default:
			fmt.Fprintf(b, "  [%s: choose]", e.ActionID)
			for _, o := range e.Options {
				fmt.Fprintf(b, " (%s)", o.Label)
			}
			b.WriteString("\n")
		}
	}
}

// markup finds <address|text>.
// https://docs.slack.dev/messaging/formatting-message-text/#linking-urls
var markup = regexp.MustCompile(`<(https?://[^|>]*)\|([^>]*)>`)

// linkOf finds the address behind a link button or a link in the text.
func linkOf(text string, all []slacksim.Element, label string) string {
	for _, e := range all {
		if e.URL != "" && strings.Contains(e.Label, label) {
			return e.URL
		}
	}
	for _, found := range markup.FindAllStringSubmatch(text, -1) {
		if strings.Contains(found[2], label) {
			return found[1]
		}
	}
	return ""
}

// button finds what can be pressed by action id, value or label.
func button(all []slacksim.Element, what string) bool {
	for _, e := range all {
		if !e.Input && (e.ActionID == what || e.Label == what || e.Value == what && what != "") {
			return true
		}
	}
	return false
}

// optionOf finds the value of a menu's option. The menu is named by its
// placeholder or action id, the option by its label or value.
func optionOf(blocks json.RawMessage, all []slacksim.Element, menu, option string) (string, bool) {
	placeholders := map[string]string{}
	var walk func(any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			id, _ := v["action_id"].(string)
			if text, ok := v["placeholder"].(map[string]any); ok && id != "" {
				placeholders[id], _ = text["text"].(string)
			}
			for _, item := range v {
				walk(item)
			}
		}
	}
	var tree any
	if json.Unmarshal(blocks, &tree) == nil {
		walk(tree)
	}
	for _, e := range all {
		if e.ActionID != menu && placeholders[e.ActionID] != menu {
			continue
		}
		for _, o := range e.Options {
			if o.Label == option || o.Value == option {
				return o.Value, true
			}
		}
	}
	return "", false
}
