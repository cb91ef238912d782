package chat

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales/*.json
var locales embed.FS

// Languages are the languages in which the catalogue is complete; the first
// is used for everybody else.
func Languages() []language.Tag {
	return []language.Tag{language.English, language.German, language.Spanish}
}

// Catalog holds every sentence that people read.
type Catalog struct {
	bundle  *i18n.Bundle
	matcher language.Matcher
}

// NewCatalog reads the embedded catalogue.
func NewCatalog() (*Catalog, error) {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	files, err := fs.Glob(locales, "locales/*.json")
	if err != nil {
		return nil, fmt.Errorf("list locales: %w", err)
	}
	for _, f := range files {
		if _, err := bundle.LoadMessageFileFS(locales, f); err != nil {
			return nil, fmt.Errorf("load locale %s: %w", f, err)
		}
	}
	return &Catalog{bundle: bundle, matcher: language.NewMatcher(Languages())}, nil
}

// Args are the values of a sentence's placeholders: strings (shown as they
// are, never as markup), [Code], time.Time, [Live], [Day], and int; "Count"
// as int selects plural forms.
type Args map[string]any

// Code is a value shown in a fixed-width face, such as an address to copy.
type Code string

// Live is a moment shown as a running distance where the platform can.
type Live time.Time

// Day is a moment shown as a date.
type Day time.Time

// Words speaks one language.
type Words struct {
	localizer *i18n.Localizer
	tag       language.Tag
}

// For returns the words for a locale as a platform tells it, e.g. "de",
// "es-ES" or "en_US"; for one that is not spoken here, English.
func (c *Catalog) For(locale string) Words {
	tag, _ := language.MatchStrings(c.matcher, strings.ReplaceAll(locale, "_", "-"))
	base, _ := tag.Base()
	return Words{localizer: i18n.NewLocalizer(c.bundle, base.String()), tag: language.Make(base.String())}
}

// Lang returns the language as BCP 47, e.g. for a page's lang attribute.
func (w Words) Lang() string { return w.tag.String() }

// Plain returns a sentence without formatting, for labels and titles. A
// sentence that does not exist reads as its id.
func (w Words) Plain(id string, args Args) string { return w.Text(id, args).String() }

// placeholders stand for values while a sentence's own markup is read, so
// that no value can be taken for markup. They are private-use characters.
const (
	valueOpen  = "\ue000"
	valueClose = "\ue001"
)

// Text returns a sentence. In the catalogue, **two asterisks** make bold.
func (w Words) Text(id string, args Args) Text {
	data := make(map[string]any, len(args))
	values := make([]any, 0, len(args))
	config := &i18n.LocalizeConfig{MessageID: id, TemplateData: data}
	for name, v := range args {
		if n, ok := v.(int); ok {
			data[name] = n
			if name == "Count" {
				config.PluralCount = n
			}
			continue
		}
		data[name] = valueOpen + strconv.Itoa(len(values)) + valueClose
		values = append(values, v)
	}
	sentence, err := w.localizer.Localize(config)
	if sentence == "" && err != nil {
		return Plain(id)
	}
	return parseMarkup(sentence, values)
}

func parseMarkup(s string, values []any) Text {
	var out Text
	for i, part := range strings.Split(s, "**") {
		bold := i%2 == 1
		for part != "" {
			words, rest, found := strings.Cut(part, valueOpen)
			if words != "" {
				out = append(out, Run{Text: words, Bold: bold})
			}
			if !found {
				break
			}
			index, after, _ := strings.Cut(rest, valueClose)
			part = after
			if n, err := strconv.Atoi(index); err == nil && n < len(values) {
				out = append(out, runOf(values[n], bold)...)
			}
		}
	}
	return out
}

func runOf(v any, bold bool) Text {
	switch v := v.(type) {
	case Code:
		return Text{{Text: string(v), Code: true}}
	case Live:
		return Text{{Time: time.Time(v), Live: true, Bold: bold}}
	case Day:
		return Text{{Time: time.Time(v), Day: true, Bold: bold}}
	case time.Time:
		return Text{{Time: v, Bold: bold}}
	case Text:
		return v
	default:
		return Text{{Text: fmt.Sprint(v), Bold: bold}}
	}
}

// Join puts texts one below the other.
func Join(texts ...Text) Text {
	var out Text
	for _, t := range texts {
		if len(t) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, Run{Text: "\n"})
		}
		out = append(out, t...)
	}
	return out
}
