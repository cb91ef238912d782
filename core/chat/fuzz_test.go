package chat

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fuzzing"
)

// An id that is taken is one that [ID] makes: what a button says is read back
// as it was put in, and nothing else is a button of ours.
func FuzzParseID(f *testing.F) {
	id := core.NewID()
	for _, s := range []string{
		ID(VerbClaim, id), ID(VerbCode, id), ID(VerbCallForm, "d."+id), ID(VerbCalled, id), consentID(core.ChooseShare, id, []int{1, 12}), pageID(core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}, "2"), "claim:", "claim",
		":x", "list:x", ID(VerbEmails, ""), ID(VerbHome, ""), ID(VerbShare, shareAny), "CLAIM:" + id, "page:999999999999999999999.x", "page:-1", strings.Repeat("claim:", 30), "claim:\xff\x00", typedID(VerbSettings, settingsPlan, []string{"1, 3", "", "", "", "7"}),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v Verb
		var opaque string
		var ok bool
		fuzzing.Soon(t, func() { v, opaque, ok = ParseID(s) })
		if !ok {
			if v != "" || opaque != "" {
				t.Errorf("%q was refused and says %q %q", s, v, opaque)
			}
			return
		}
		if ID(v, opaque) != s || len(s) > MaxID || v == VerbList {
			t.Errorf("%q is read as %q %q", s, v, opaque)
		}
		if d, ok := parseConsent(opaque); ok && strings.Count(opaque, "-") > 0 && len(d.Numbers) == 0 {
			t.Errorf("%q decides about nothing", opaque)
		}
		if page, owner := parsePage(opaque); len(page)+len(owner) > len(opaque) {
			t.Errorf("page %q of %q", page, owner)
		}
	})
}

// Whatever is typed leads somewhere: to a verb that a command may name, with
// an argument that is part of what was typed and reads the same again.
func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{
		"", "list", "LIST", " link ada@example.org ", "claim  Go Expert", "help me", "nonsense x", "code 123", "unlink x", "resend", "page:1",
		"\tclaim\u00a0x", "\xff\xfe", "claim\nx", "8\xa5\r \xb9", "forget", "Reminders", "status", "settings x", "announce", "digests", "roles", "verify https://www.credly.com/badges/1", "İ", strings.Repeat("a ", 2000),
	} {
		f.Add(s)
	}
	commands := map[Verb]bool{
		VerbList: true, VerbLink: true, VerbEmails: true, VerbClaim: true, VerbForget: true, VerbHelp: true,
		VerbReminders: true, VerbStatus: true, VerbSettings: true, VerbAnnounce: true, VerbDigests: true, VerbShare: true, VerbVerify: true, VerbRoles: true, VerbHome: true, VerbSteps: true,
	}
	f.Fuzz(func(t *testing.T, s string) {
		var v Verb
		var arg string
		fuzzing.Soon(t, func() { v, arg = ParseCommand(s) })
		if !commands[v] || !strings.Contains(s, arg) || arg != strings.TrimSpace(arg) {
			t.Fatalf("%q is read as %q %q", s, v, arg)
		}
		if v == VerbHelp {
			return
		}
		if again, same := ParseCommand(string(v) + " " + arg); again != v || same != arg {
			t.Errorf("%q is read as %q %q, then as %q %q", s, v, arg, again, same)
		}
	})
}

// Whatever a platform calls the person's language, one that is spoken here is
// chosen, and its sentences are whole.
func FuzzLocale(f *testing.F) {
	for _, s := range []string{
		"", "en", "de-DE", "es_ES", "en_US", "es-419", "zh-Hant-TW", "x-klingon", "i-klingon", "de-DE-u-co-phonebk", "und", "root", "C",
		"\xff", strings.Repeat("a-", 600), strings.Repeat("en,", 400), "de;q=0.5,es", "*", "en-GB-oxendict",
	} {
		f.Add(s)
	}
	c, err := NewCatalog()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, locale string) {
		var w Words
		fuzzing.Soon(t, func() { w = c.For(locale) })
		if lang := w.Lang(); lang != "en" && lang != "de" && lang != "es" {
			t.Errorf("%q leads to %q", locale, lang)
		}
		if title := w.Plain("greeting.title", nil); title == "" || title == "greeting.title" {
			t.Errorf("%q: greets with %q", locale, title)
		}
		if other := c.For(strings.ReplaceAll(locale, "_", "-")); other.Lang() != w.Lang() {
			t.Errorf("%q leads to %q and %q", locale, w.Lang(), other.Lang())
		}
	})
}

// A value stands in a sentence as it is: no name or address is taken for
// markup, for another value, or for a placeholder.
func FuzzValue(f *testing.F) {
	for _, s := range []string{
		"Ada", "**bold**", "{{.Name}}", valueOpen + "0" + valueClose, valueOpen, valueClose + "**", "{{", "<no value>", "\xff", "%s", "\n", "",
	} {
		f.Add(s)
	}
	c, err := NewCatalog()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, locale := range []string{"en", "de", "es"} {
			w := c.For(locale)
			plain := w.Text("joined.text", Args{"Platform": "PLATFORM", "Name": "NAME"}).String()
			var got Text
			fuzzing.Soon(t, func() { got = w.Text("joined.text", Args{"Platform": "PLATFORM", "Name": value}) })
			if want := strings.Replace(plain, "NAME", value, 1); got.String() != want {
				t.Errorf("got %q, want %q", got.String(), want)
			}
			code := w.Text("joined.text", Args{"Platform": "PLATFORM", "Name": Code(value)})
			for _, r := range code {
				if r.Code && r.Text != value {
					t.Errorf("%q became %q", value, r.Text)
				}
			}
		}
	})
}

// What was typed as a code comes down to ASCII digits, in their order.
func FuzzDigits(f *testing.F) {
	for _, s := range []string{"1234 5678", "١٢٣٤٥٦٧٨", "१२३", "１２３", "12a34", "\xff1", "𝟘𝟙", "²", strings.Repeat("9", 10_000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		var got string
		fuzzing.Soon(t, func() { got = digits(typed) })
		count, ascii := 0, ""
		for _, r := range typed {
			if unicode.IsDigit(r) {
				count++
			}
			if r >= '0' && r <= '9' {
				ascii += string(r)
			}
		}
		if len(got) != count || strings.Trim(got, "0123456789") != "" {
			t.Errorf("%q became %q", typed, got)
		}
		if len(ascii) == count && got != ascii {
			t.Errorf("%q became %q, want %q", typed, got, ascii)
		}
	})
}

// A name that a platform shows is cut to characters, never within one.
func FuzzClip(f *testing.F) {
	f.Add("Ada", 2)
	f.Add(strings.Repeat("ö", 100), 80)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = 1 + (most%200+200)%200
		got := clip(s, most)
		if utf8.RuneCountInString(got) > most || utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("clip(%q, %d) = %q", s, most, got)
		}
	})
}
