package discordtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// ExpectPost waits for a message of the bot in the person's channel saying all
// texts: one that everybody there sees. Of several the newest counts.
func (p *Person) ExpectPost(texts ...string) *Shown {
	p.chat.tb.Helper()
	return p.expect("a post of the bot", texts, func(m discordsim.Message) bool { return !m.Ephemeral && m.Author == "" })
}

// Picture is a picture that somebody was shown.
type Picture struct {
	discordsim.Picture

	// Data is the file's content; nil where it was not uploaded.
	Data []byte
}

// ExpectPicture waits until the message shows a picture whose description
// contains the text, and returns it.
func (s *Shown) ExpectPicture(alt string) Picture {
	s.by.chat.tb.Helper()
	var found Picture
	s.becomes(fmt.Sprintf("a picture of %q", alt), nil, func(m discordsim.Message) bool {
		for _, p := range m.Pictures() {
			if strings.Contains(p.Alt, alt) {
				found.Picture = p
				return true
			}
		}
		return false
	})
	found.Data, _ = s.by.chat.sim.FileData(found.URL)
	return found
}

// ExpectNoPicture waits until the message shows no picture whose description
// contains the text.
func (s *Shown) ExpectNoPicture(alt string) *Shown {
	s.by.chat.tb.Helper()
	return s.becomes(fmt.Sprintf("no picture of %q", alt), nil, func(m discordsim.Message) bool {
		return !slices.ContainsFunc(m.Pictures(), func(p discordsim.Picture) bool { return strings.Contains(p.Alt, alt) })
	})
}

// ExpectFilled expects that the input with this label or custom id holds the
// value before anybody touches it: a text, or of menus the value or name of
// what is chosen, several with commas between.
func (f *Form) ExpectFilled(name, value string) *Form {
	f.by.chat.tb.Helper()
	in := f.input(name)
	if in.Type == discordsim.TypeTextInput {
		if in.Value != value {
			f.by.chat.tb.Fatalf("expected %q in %q of the form %q; it holds %q", value, name, f.Modal.Title, in.Value)
		}
		return f
	}
	var values, labels []string
	for _, o := range in.Options {
		if o.Default {
			values, labels = append(values, o.Value), append(labels, o.Label)
		}
	}
	if strings.Join(values, ",") != value && strings.Join(labels, ",") != strings.ReplaceAll(value, "#", "") {
		f.by.chat.tb.Fatalf("expected %q in %q of the form %q; it holds %q %q", value, name, f.Modal.Title, values, labels)
	}
	return f
}

// ExpectChoice expects that the menu with this label or custom id offers all of
// these, by name or value.
func (f *Form) ExpectChoice(menu string, names ...string) *Form {
	f.by.chat.tb.Helper()
	for _, name := range names {
		if !f.offers(menu, name) {
			f.by.chat.tb.Fatalf("expected %q to be offered in %q of the form %q; there are %v", name, menu, f.Modal.Title, f.input(menu).Options)
		}
	}
	return f
}

// ExpectNoChoice expects that it offers none of these.
func (f *Form) ExpectNoChoice(menu string, names ...string) *Form {
	f.by.chat.tb.Helper()
	for _, name := range names {
		if f.offers(menu, name) {
			f.by.chat.tb.Fatalf("expected %q not to be offered in %q of the form %q", name, menu, f.Modal.Title)
		}
	}
	return f
}

func (f *Form) offers(menu, name string) bool {
	f.by.chat.tb.Helper()
	return slices.ContainsFunc(f.input(menu).Options, func(o discordsim.Option) bool {
		return o.Value == name || o.Label == strings.TrimPrefix(name, "#")
	})
}

// input finds what can be filled in.
func (f *Form) input(name string) discordsim.Field {
	f.by.chat.tb.Helper()
	for _, in := range f.by.chat.sim.Fields(f.Modal) {
		if in.Label == name || in.CustomID == name {
			return in
		}
	}
	f.by.chat.tb.Fatalf("the form %q has no input %q; it is:\n%s", f.Modal.Title, name, drawForm(f.Modal))
	return discordsim.Field{}
}
