package chat

import (
	"fmt"
	"strings"
	"time"
)

// readable shows a card as text: **bold**, `code`, <moment>.
func readable(c Card) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tone: %s\ntitle: %s\nsummary: %s\n", [...]string{"neutral", "action", "good", "warn", "bad"}[c.Tone], c.Title, c.Summary)
	if c.Image.URL != "" {
		fmt.Fprintf(&b, "image: %s (%s)\n", c.Image.URL, c.Image.Alt)
	}
	if len(c.Text) > 0 {
		fmt.Fprintf(&b, "\n%s\n", marked(c.Text))
	}
	for _, item := range c.Items {
		if item.Heading != "" {
			fmt.Fprintf(&b, "\n%s:\n", item.Heading)
		}
		fmt.Fprintf(&b, "\n- %s\n", strings.ReplaceAll(marked(item.Text), "\n", "\n  "))
		if item.Image.URL != "" {
			fmt.Fprintf(&b, "  image: %s (%s)\n", item.Image.URL, item.Image.Alt)
		}
		if item.Button != nil {
			fmt.Fprintf(&b, "  %s\n", pressable(*item.Button))
		}
	}
	if len(c.Footer) > 0 {
		fmt.Fprintf(&b, "\nfooter: %s\n", marked(c.Footer))
	}
	if len(c.Buttons) > 0 {
		b.WriteByte('\n')
	}
	for _, button := range c.Buttons {
		b.WriteString(pressable(button) + "\n")
	}
	return b.String()
}

func marked(t Text) string {
	var b strings.Builder
	for _, r := range t {
		text := r.Text
		switch {
		case !r.Time.IsZero() && r.Live:
			text = "<live " + r.Time.Format("15:04:05") + ">"
		case !r.Time.IsZero() && r.Day:
			text = "<day " + r.Time.Format(time.DateOnly) + ">"
		case !r.Time.IsZero():
			text = "<" + r.Time.Format(time.DateTime) + ">"
		}
		if r.Code {
			text = "`" + text + "`"
		}
		if r.Bold {
			text = "**" + text + "**"
		}
		b.WriteString(text)
	}
	return b.String()
}

func pressable(b Button) string {
	s := fmt.Sprintf("[%s] %s%s", b.Label, b.ID, b.URL)
	s += [...]string{"", " (primary)", " (danger)"}[b.Style]
	if b.Confirm != "" {
		s += "\n  asks: " + b.Confirm
	}
	return s
}

func readableForm(f *Form) string {
	var b strings.Builder
	fmt.Fprintf(&b, "form: %s\ntitle: %s\n\n%s\n\n", f.ID, f.Title, marked(f.Intro))
	for _, field := range f.Fields {
		fmt.Fprintf(&b, "%s: %s (%s) %q, kind %d, %d to %d characters\n", field.Name, field.Label, field.Hint, field.Placeholder,
			field.Kind, field.MinLen, field.MaxLen)
	}
	fmt.Fprintf(&b, "[%s] [%s]\n", f.Submit, f.Cancel)
	return b.String()
}
