package discordtest

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// draw shows a message in a failure, and is what texts are looked for in.
func draw(m discordsim.Message) string {
	var b strings.Builder
	if m.Ephemeral {
		b.WriteString("  (only for one person)\n")
	}
	if m.Thinking {
		b.WriteString("  (thinking …)\n")
	}
	for line := range strings.Lines(m.Text()) {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSuffix(line, "\n"))
	}
	for _, p := range m.Pictures() {
		fmt.Fprintf(&b, "  (picture: %s)\n", p.Alt)
	}
	for _, c := range acted(m.Components) {
		switch {
		case c.URL != "":
			fmt.Fprintf(&b, "  [%s](%s)", name(c), c.URL)
		case c.Type == discordsim.TypeButton:
			fmt.Fprintf(&b, "  [%s]", name(c))
		default:
			fmt.Fprintf(&b, "  [%s: choose]", name(c))
			for _, o := range c.Options {
				fmt.Fprintf(&b, " (%s)", o.Label)
			}
		}
		if c.Disabled {
			b.WriteString(" disabled")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// drawForm shows a form.
func drawForm(f *discordsim.Modal) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", f.Title)
	for _, c := range f.Components {
		if c.Type == discordsim.TypeTextDisplay {
			fmt.Fprintf(&b, "  %s\n", c.Content)
		}
	}
	for _, field := range f.Fields() {
		fmt.Fprintf(&b, "  %s: ____ %s\n", field.Label, field.Description)
	}
	return b.String()
}

// acted lists what a person can press or choose, in the order of the screen.
func acted(list []discordsim.Component) []discordsim.Component {
	var out []discordsim.Component
	for _, c := range list {
		switch c.Type {
		case discordsim.TypeButton, discordsim.TypeStringSelect, discordsim.TypeUserSelect,
			discordsim.TypeRoleSelect, discordsim.TypeMentionableSelect, discordsim.TypeChannelSelect:
			out = append(out, c)
		}
		out = append(out, acted(c.Components)...)
		if c.Accessory != nil {
			out = append(out, acted([]discordsim.Component{*c.Accessory})...)
		}
	}
	return out
}

// name is what a person calls a component.
func name(c discordsim.Component) string {
	switch {
	case c.Label != "":
		return c.Label
	case c.Placeholder != "":
		return c.Placeholder
	case c.Emoji != nil:
		return c.Emoji.Name
	}
	return c.CustomID
}

// markup finds [text](address).
var markup = regexp.MustCompile(`\[([^\]]*)\]\((https?://[^)]*)\)`)

// linkOf finds the address behind a link button or a link in the text.
func linkOf(m discordsim.Message, label string) string {
	for _, b := range m.Buttons() {
		if b.URL != "" && strings.Contains(name(b), label) {
			return b.URL
		}
	}
	for _, found := range markup.FindAllStringSubmatch(m.Text(), -1) {
		if strings.Contains(found[1], label) {
			return found[2]
		}
	}
	return ""
}
