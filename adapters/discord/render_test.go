package discord

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core/chat"
)

// golden compares got with a file; UPDATE_GOLDEN=1 writes it instead.
func golden(t *testing.T, name string, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".json")
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs:\n%s", file, b.Bytes())
	}
	return b.Bytes()
}

func testCards() map[string]chat.Card {
	when := time.Date(2026, 11, 20, 12, 2, 0, 0, time.UTC)
	image := chat.Image{URL: "https://images.example.com/go.png", Alt: "Go badge"}
	item := func(i int, button *chat.Button) chat.Item {
		return chat.Item{
			Text:  chat.Text{{Text: fmt.Sprintf("Badge %d", i), Bold: true}, {Text: "\n◐ pending"}},
			Image: image, Button: button,
		}
	}
	many := make([]chat.Item, 0, 60)
	for i := range 60 {
		many = append(many, item(i, &chat.Button{ID: fmt.Sprintf("claim:%d", i), Label: "Claim"}))
	}
	long := make([]chat.Item, 0, 9)
	for range 9 {
		long = append(long, chat.Item{Text: chat.Plain(strings.Repeat("wide_", 300))})
	}
	return map[string]chat.Card{
		"empty":   {},
		"summary": {Summary: "Only a *summary*"},
		"plain":   {Title: "Help", Text: chat.Plain("One line\nand another")},
		"list": {
			Tone: chat.ToneAction, Title: "Your badges", Text: chat.Plain("2 wait for you"),
			Items: []chat.Item{
				item(1, &chat.Button{ID: "claim:1", Label: "Claim", Style: chat.StylePrimary}),
				item(2, nil),
				{Text: chat.Plain("No image, no button")},
			},
			Footer:  chat.Plain("Page 1 of 2\n\nSeen just now"),
			Buttons: []chat.Button{{ID: "page:2", Label: "Next"}, {ID: "help:", Label: "Help"}},
		},
		"ready": {
			Tone: chat.ToneAction, Title: "Ready",
			Text: chat.Text{
				{Text: "Use "},
				{Text: "ada_b@example.org", Code: true},
				{Text: "; ends "},
				{Time: when, Live: true},
				{Text: " at "},
				{Time: when, Bold: true},
			},
			Image: image,
			Buttons: []chat.Button{
				{URL: "https://laurel.example.org/h/token", Label: "Go to Credly"},
				{ID: "unlink:1", Label: "Forget", Style: chat.StyleDanger, Confirm: "Sure?"},
			},
		},
		"good": {
			Tone: chat.ToneGood, Title: "Accepted",
			Text: chat.Text{{Text: "See "}, {Text: "the [badge]", URL: "https://credly.example.com/b(1)?a=b c"}, {Text: ". @every"}, {Text: "one "}, {Text: "a", Bold: true}, {Text: "b", Code: true}, {Text: "c", Code: true}},
		},
		"hostile": {
			Tone: chat.ToneWarn, Title: "# @everyone **<@1>**\n- x",
			Text: chat.Text{
				{Text: "*b* _i_ ~~s~~ `c` ||sp|| > q [x](https://evil.example) <@123> <#1> <t:1:R> @everyone @here me@here.org\n# head\n  - list\n12. num\n-# small\n>>> quote \\"},
				{Text: "`` ` tick", Code: true},
				{Text: "`", Code: true},
				{Text: "flip\u202eped\u0000\x07", Bold: true},
				{Text: "https://evil.example", URL: "https://good.example.com/"},
				{Text: "script", URL: "javascript:alert(1)"},
			},
			Image: chat.Image{URL: "http://images.example.com/x.png"},
			Buttons: []chat.Button{
				{ID: "help:", Label: ""},
				{ID: "help:", Label: "twice"},
				{ID: strings.Repeat("x", 101), Label: "too long"},
				{URL: "javascript:alert(1)", Label: "no"},
				{URL: "https://share.example.com/?" + strings.Repeat("q", 600), Label: "Share (long)"},
				{ID: "claim:1", Label: strings.Repeat("Ü", 90)},
			},
			Footer: chat.Plain("# not a head"),
		},
		"many items": {Title: "Many", Items: many, Footer: chat.Plain("foot"), Buttons: []chat.Button{
			{ID: "a", Label: "1"}, {ID: "b", Label: "2"}, {ID: "c", Label: "3"}, {ID: "d", Label: "4"}, {ID: "e", Label: "5"}, {ID: "f", Label: "6"},
		}},
		"long": {
			Title: strings.Repeat("Title ", 100), Text: chat.Text{{Text: strings.Repeat("a*", 1500), Bold: true}, {Text: "lost"}},
			Items: long, Footer: chat.Plain(strings.Repeat("small ", 200)),
		},
		"parts":    fullHome(),
		"loopback": {Title: "Playground", Image: chat.Image{URL: "http://127.0.0.1:8080/go.png", Alt: "Go"}},
	}
}

// fullHome has everything that a home can have.
func fullHome() chat.Card {
	part := func(heading, text, button string) chat.Item {
		i := chat.Item{Heading: heading, Text: chat.Plain(text)}
		if heading == "Next *step*" || heading == "Public" {
			i.Image = chat.Image{URL: "https://images.example.com/1.png", Alt: "Badge"}
		}
		if button != "" {
			i.Button = &chat.Button{ID: button, Label: "Press"}
		}
		return i
	}
	c := chat.Card{
		Tone: chat.ToneAction, Title: "At a glance", Text: chat.Plain("4 to claim"), Footer: chat.Plain("Only you"),
		Items: []chat.Item{
			part("Next *step*", "One", "claim:1"), part("Waiting", "Two", "claim:2"), part("", "Three", "claim:3"), part("", "Four", "claim:4"),
			part("Hidden", "Five", "share:5"), part("Public", "Six", "share:6"), part("Expires", "Seven", ""), part("Settings", "Eight", ""),
		},
	}
	for _, id := range []string{"page:1", "emails:", "reminders:", "help:", "home:"} {
		c.Buttons = append(c.Buttons, chat.Button{ID: id, Label: id})
	}
	return c
}

// The fullest home fits into one message.
func TestHomeFits(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(Render(fullHome()))
	if err != nil || strings.Contains(string(data), ellipsis) || !strings.Contains(string(data), "Eight") {
		t.Errorf("%s, %v", data, err)
	}
}

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	for name, card := range testCards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := golden(t, strings.ReplaceAll(name, " ", "_"), Render(card))
			checkLimits(t, data)
			checkBodies(t, card)
		})
	}
}

// checkBodies holds every message that a card becomes against its schema.
func checkBodies(t *testing.T, card chat.Card) {
	t.Helper()
	create := newMessage(Render(card), 0)
	create.Nonce, create.EnforceNonce = nonce("key"), true
	for schema, body := range map[string]any{
		"MessageCreateRequest":                create,
		"MessageEditRequestPartial":           newMessage(Render(card), 0),
		"IncomingWebhookUpdateRequestPartial": newMessage(Render(card), 0),
		"IncomingWebhookRequestPartial":       newMessage(Render(card), flagEphemeral),
		"CreateMessageInteractionCallbackRequest": callback{
			Type: callbackMessage, Data: newMessage(Render(card), flagEphemeral),
		},
		"UpdateMessageInteractionCallbackRequest": callback{
			Type: callbackUpdate, Data: newMessage(Render(card), 0),
		},
	} {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		checkSchema(t, schema, data)
	}
}

func TestRenderFormGolden(t *testing.T) {
	t.Parallel()
	fields := make([]chat.Field, 7)
	for i := range fields {
		fields[i] = chat.Field{
			Name: fmt.Sprintf("f%d", i), Label: strings.Repeat("label ", 20), Hint: strings.Repeat("hint ", 40),
			Placeholder: strings.Repeat("place ", 40), Value: strings.Repeat("v", 30), MaxLen: 20 + i*10_000,
		}
	}
	for name, form := range map[string]chat.Form{
		"form_link": {
			ID: "link:", Title: "Link an address", Intro: chat.Plain("The one your *badge* went to"),
			Fields: []chat.Field{{Name: "address", Label: "E-mail address", Hint: "We send a code", Placeholder: "ada@example.org", Kind: chat.FieldEmail, MinLen: 3, MaxLen: 254}},
		},
		"form_announce": announcement(),
		"form_long":     {ID: "code:1", Title: strings.Repeat("title ", 20), Intro: chat.Plain("no room"), Fields: fields},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCallback(t, golden(t, name, callback{Type: callbackModal, Data: renderForm(form)}))
		})
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                 "plain",
		"a*b":                   `a\*b`,
		"ada_b@example.org":     `ada\_b@example.org`,
		"# x":                   `\# x`,
		"a # x":                 "a # x",
		"  - x":                 `  \- x`,
		"10. x":                 `10\. x`,
		"-# x":                  `\-# x`,
		"> x":                   `\> x`,
		"<@1>":                  `\<@1\>`,
		"@everyone":             `\@everyone`,
		"x\n@here":              "x\n" + `\@here`,
		"https://x.example":     `https\://x.example`,
		"a\\":                   `a\\`,
		"a\u202eb\u2066\x00c":   "abc",
		"bad \xff":              "bad \ufffd",
		"[x](y)":                `\[x\](y)`,
		"|| spoiler ||":         `\|\| spoiler \|\|`,
		"ein Straßenübergang 🎓": "ein Straßenübergang 🎓",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// Whatever a card holds, what is rendered stays within Discord's limits and
// cuts no markup.
func TestRenderStaysWithinLimits(t *testing.T) {
	t.Parallel()
	run := rapid.Custom(func(r *rapid.T) chat.Run {
		out := chat.Run{
			Text: strings.Repeat(rapid.String().Draw(r, "text"), rapid.IntRange(0, 120).Draw(r, "times")),
			Bold: rapid.Bool().Draw(r, "bold"), Code: rapid.Bool().Draw(r, "code"),
		}
		if rapid.Bool().Draw(r, "link") {
			out.URL = "https://example.org/" + rapid.StringMatching(`[a-z()]{0,400}`).Draw(r, "url")
		}
		return out
	})
	texts := rapid.Map(rapid.SliceOfN(run, 0, 6), func(r []chat.Run) chat.Text { return r })
	button := rapid.Custom(func(r *rapid.T) chat.Button {
		return chat.Button{ID: rapid.StringN(0, 120, -1).Draw(r, "id"), Label: rapid.String().Draw(r, "label")}
	})
	item := rapid.Custom(func(r *rapid.T) chat.Item {
		return chat.Item{Text: texts.Draw(r, "text"), Button: rapid.Ptr(button, true).Draw(r, "button")}
	})
	rapid.Check(t, func(r *rapid.T) {
		c := chat.Card{
			Title: rapid.String().Draw(r, "title"), Text: texts.Draw(r, "text"),
			Items:   rapid.SliceOfN(item, 0, 20).Draw(r, "items"),
			Buttons: rapid.SliceOfN(button, 0, 7).Draw(r, "buttons"), Footer: texts.Draw(r, "footer"),
		}
		data, err := json.Marshal(Render(c))
		if err != nil {
			r.Fatal(err)
		}
		checkLimits(t, data)
		for limit := range 40 {
			if s := renderText(c.Text, limit); len([]rune(s)) > limit {
				r.Fatalf("%d characters, limit %d: %q", len([]rune(s)), limit, s)
			}
		}
		if t.Failed() {
			r.FailNow()
		}
	})
}
