package chat

import (
	"slices"
	"strings"
	"time"
)

// Tone is the mood of a card: platforms show it as a colour or a symbol.
type Tone int

// Tones.
const (
	ToneNeutral Tone = iota
	// ToneAction: something waits for the person.
	ToneAction
	ToneGood
	ToneWarn
	// ToneBad: it is not what it says it is.
	ToneBad
)

// Card is a message by its meaning, before any platform gives it a look.
type Card struct {
	Tone  Tone
	Title string
	// Summary is the one-line text for notifications and screen readers.
	Summary string
	Text    Text
	// Items are rows, each with at most one button of its own.
	Items []Item
	// Footer is small print.
	Footer Text
	Image  Image
	// Picture stands below the text in messages of the bot's own, those that
	// [Messenger.Direct] sends and their edits, or is nil. Answers to
	// interactions leave it out.
	Picture *Picture
	// Buttons stand below everything in rows of five, at most ten.
	Buttons []Button
}

// Item is one row of a card.
type Item struct {
	// Heading, where it is set, begins a part of the card: it stands above the
	// item, set off from what comes before.
	Heading string
	Text    Text
	Image   Image
	Button  *Button
}

// Image is a picture with its text alternative. A zero Image is none.
type Image struct{ URL, Alt string }

// ButtonStyle is how much a button asks to be pressed.
type ButtonStyle int

// Button styles.
const (
	StylePlain ButtonStyle = iota
	StylePrimary
	StyleDanger
)

// Button is a button. It has either an ID, sent back when it is pressed, or
// a URL that the client opens.
type Button struct {
	ID    string
	URL   string
	Label string
	Style ButtonStyle
	// Confirm, when set, is asked by the platform before the press counts;
	// platforms without such a question ignore it.
	Confirm string
}

// Text is formatted text. Every platform escapes the runs for itself, so
// that no name or address can be taken for markup or a mention.
type Text []Run

// Run is a piece of text of one kind: words, a point in time (Time set), or
// a link (URL set, Text is its label). Line breaks in Text are kept.
type Run struct {
	Text string
	Bold bool
	Code bool
	URL  string
	Time time.Time
	// Live shows Time as a running distance ("in 2 minutes") where the
	// platform can, otherwise as a time of day.
	Live bool
	// Day shows Time as a date without a time of day.
	Day bool
}

// Plain returns text of one plain run.
func Plain(s string) Text { return Text{{Text: s}} }

// String returns the text without any formatting; times appear in UTC.
func (t Text) String() string {
	var b strings.Builder
	for _, r := range t {
		switch {
		case !r.Time.IsZero() && r.Day:
			b.WriteString(r.Time.UTC().Format(time.DateOnly))
		case !r.Time.IsZero():
			b.WriteString(r.Time.UTC().Format("2006-01-02 15:04 MST"))
		default:
			b.WriteString(r.Text)
		}
	}
	return b.String()
}

// Form is a short form that platforms show as a modal dialog.
type Form struct {
	// ID comes back with the submission, see [ID].
	ID     string
	Title  string
	Intro  Text
	Submit string
	Cancel string
	Fields []Field
}

// FieldKind is what a field takes.
type FieldKind int

// Field kinds.
const (
	FieldText FieldKind = iota
	FieldEmail
	FieldDigits
	// FieldChoice is one of the field's options.
	FieldChoice
	// FieldChoices is one or more of them; the submission and Value hold
	// their values with commas between.
	FieldChoices
	// FieldLong is text of several lines.
	FieldLong
	// FieldChannel is a channel of the platform, chosen by the platform's own
	// menu; the submission and Value hold the platform's id of it.
	FieldChannel
)

// Field is one input of a form.
type Field struct {
	Name        string
	Label       string
	Hint        string
	Placeholder string
	Value       string
	Kind        FieldKind
	// Optional fields may be left empty; then they are missing or empty in the
	// submission.
	Optional bool
	// MinLen and MaxLen limit the input in characters.
	MinLen, MaxLen int
	// Options are what can be chosen, at most 25: Discord's limit, the
	// smaller of both platforms
	// (https://discord.com/developers/docs/components/reference#string-select).
	Options []Choice
}

// Chosen returns the options that Value names.
func (f Field) Chosen() []Choice {
	var chosen []Choice
	values := strings.Split(f.Value, ",")
	for _, o := range f.Options {
		if slices.Contains(values, o.Value) {
			chosen = append(chosen, o)
		}
	}
	return chosen
}

// Choice is one completion of a command's argument.
type Choice struct{ Name, Value string }
