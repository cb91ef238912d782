package slacktest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// ExpectPost waits for a lasting message of the bot in the person's channel
// saying all texts: one that everybody there sees. Of several the newest counts.
func (p *Person) ExpectPost(texts ...string) *Shown {
	p.chat.tb.Helper()
	bot := p.chat.sim.Config().BotUserID
	return p.expect(p.channel, "a post of the bot", texts, func(m slacksim.Message) bool { return !m.Ephemeral && m.User == bot })
}

// Picture is a picture that somebody was shown.
type Picture struct {
	slacksim.Picture

	// Data is the file's content; nil where the picture is an address.
	Data []byte
}

// ExpectPicture waits until the message shows a picture whose description
// contains the text, and returns it.
func (m *Shown) ExpectPicture(alt string) Picture {
	m.p.chat.tb.Helper()
	var found Picture
	m.becomes(fmt.Sprintf("a picture of %q", alt), func(now slacksim.Message) bool {
		for _, p := range now.Pictures() {
			if strings.Contains(p.Alt, alt) {
				found.Picture = p
				return true
			}
		}
		return false
	})
	if found.FileID != "" {
		data, ok := m.p.chat.sim.FileData(found.FileID)
		if !ok {
			m.p.chat.tb.Fatalf("the picture of %q is no complete file", alt)
		}
		found.Data = data
	}
	return found
}

// ExpectNoPicture waits until the message shows no picture whose description
// contains the text.
func (m *Shown) ExpectNoPicture(alt string) *Shown {
	m.p.chat.tb.Helper()
	m.becomes(fmt.Sprintf("no picture of %q", alt), func(now slacksim.Message) bool {
		return !slices.ContainsFunc(now.Pictures(), func(p slacksim.Picture) bool { return strings.Contains(p.Alt, alt) })
	})
	return m
}

// ExpectFilled expects that the input with this label, block id or action id
// holds the value before anybody touches it: a text, or of menus the value or
// name of what is chosen, several with commas between.
func (f *Form) ExpectFilled(input, value string) *Form {
	f.p.chat.tb.Helper()
	e := f.input(input)
	now := e.Initial()
	if now == value {
		return f
	}
	var names []string
	for part := range strings.SplitSeq(now, ",") {
		for _, o := range e.Offered() {
			if o.Value == part {
				names = append(names, o.Label)
			}
		}
	}
	if strings.Join(names, ",") != strings.ReplaceAll(value, "#", "") {
		f.p.chat.tb.Fatalf("expected %q in %q of the form %q; it holds %q %q", value, input, f.Title, now, names)
	}
	return f
}

// ExpectChoice expects that the menu with this label, block id or action id
// offers all of these, by name or value.
func (f *Form) ExpectChoice(menu string, names ...string) *Form {
	f.p.chat.tb.Helper()
	for _, name := range names {
		if !f.offers(menu, name) {
			f.p.chat.tb.Fatalf("expected %q to be offered in %q of the form %q; there are %v", name, menu, f.Title, f.input(menu).Offered())
		}
	}
	return f
}

// ExpectNoChoice expects that it offers none of these.
func (f *Form) ExpectNoChoice(menu string, names ...string) *Form {
	f.p.chat.tb.Helper()
	for _, name := range names {
		if f.offers(menu, name) {
			f.p.chat.tb.Fatalf("expected %q not to be offered in %q of the form %q", name, menu, f.Title)
		}
	}
	return f
}

func (f *Form) offers(menu, name string) bool {
	f.p.chat.tb.Helper()
	return slices.ContainsFunc(f.input(menu).Offered(), func(o slacksim.Option) bool {
		return o.Value == name || o.Label == strings.TrimPrefix(name, "#")
	})
}

// input finds what can be filled in.
func (f *Form) input(name string) slacksim.Element {
	f.p.chat.tb.Helper()
	for _, e := range f.p.chat.sim.Inputs(f.ID) {
		if e.Label == name || e.BlockID == name || e.ActionID == name {
			return e
		}
	}
	f.p.chat.tb.Fatalf("the form %q has no input %q; it is:\n%s", f.Title, name, drawView(f.View))
	return slacksim.Element{}
}
