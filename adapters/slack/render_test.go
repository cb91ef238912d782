package slack

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim/blockkit"
)

var update = flag.Bool("update", false, "write the golden files anew")

func cards() map[string]chat.Card {
	at := time.Date(2026, 11, 20, 9, 2, 0, 0, time.UTC)
	picture := chat.Image{URL: "https://images.example.org/badge.png", Alt: "Badge of the Gardener"}
	claim := func(n int) *chat.Button {
		return &chat.Button{ID: fmt.Sprintf("claim:%d", n), Label: "Claim", Style: chat.StylePrimary}
	}
	list := chat.Card{
		Tone: chat.ToneAction, Title: "Your badges", Summary: "2 badges wait for you",
		Text: chat.Text{{Text: "Issued to "}, {Text: "ada_b@example.org", Code: true}, {Text: " and "}, {Text: "ada@example.com", Code: true}, {Text: "."}},
		Items: []chat.Item{
			{Text: chat.Text{{Text: "Certified Gardener", Bold: true}, {Text: "\npending since "}, {Time: at}}, Button: claim(1)},
			{Text: chat.Text{{Text: "Beekeeper", Bold: true}, {Text: "\naccepted"}}, Image: picture},
			{Text: chat.Text{{Text: "Orchardist", Bold: true}, {Text: "\npending"}}, Image: picture, Button: claim(3)},
			{Image: picture},
			{Button: claim(5)},
		},
		Footer:  chat.Text{{Text: "Page 1 of 2. "}, {Text: "How it works", URL: "https://laurel.example.org/help?a=1&b=2"}},
		Buttons: []chat.Button{{ID: "page:2", Label: "Next"}, {ID: "help:", Label: "Help"}, {ID: "help:", Label: "Help again"}},
	}
	many := chat.Card{Title: "Many", Footer: chat.Plain("The end."), Buttons: []chat.Button{{ID: "page:2", Label: "Next"}}}
	for i := range 80 {
		many.Items = append(many.Items, chat.Item{Text: chat.Plain(fmt.Sprintf("Row %d", i)), Button: claim(i)})
	}
	return map[string]chat.Card{
		"list": list,
		"handoff": {
			Title: "Ready", Summary: "Your badge is ready for two minutes",
			Text: chat.Text{{Text: "The link works until "}, {Time: at, Live: true, Bold: true}, {Text: ", once."}},
			Buttons: []chat.Button{
				{URL: "https://laurel.example.org/h/token", Label: "Proceed to the provider", Style: chat.StylePrimary},
				{ID: "claim:1", Label: "Claim again", Confirm: "Begin anew?"},
				{URL: "https://laurel.example.org/help", Label: "Help"},
			},
		},
		"good":  {Tone: chat.ToneGood, Title: "Accepted", Summary: "Accepted", Text: chat.Plain("Congratulations."), Image: picture},
		"warn":  {Tone: chat.ToneWarn, Title: "Unlink?", Text: chat.Plain("This cannot be undone."), Buttons: []chat.Button{{ID: "unlink:1", Label: "Unlink", Style: chat.StyleDanger, Confirm: "Really?"}}},
		"plain": {Text: chat.Plain("Only text.")},
		"empty": {},
		"parts": {
			Title: "At a glance", Text: chat.Plain("1 to claim"),
			Items: []chat.Item{
				{Heading: "Next *step*", Text: chat.Plain("Orchardist"), Image: picture, Button: claim(1)},
				{Heading: "Waiting", Text: chat.Plain("Two"), Button: claim(2)},
				{Text: chat.Plain("Three"), Button: claim(3)},
				{Heading: "Settings\nand more", Text: chat.Plain("Four")},
			},
		},
		"hostile": {
			Title: "<!channel> *hello* &amp; :tada:", Summary: "<@U1> <!here> & more",
			Text: chat.Text{
				{Text: "<!channel> <@U1> <https://evil.example.org|bank> & *bold* _it_ ~gone~ `code` snake_case a*b\n> quote\n<!date^1^{date}|x>\n"},
				{Text: "*<!here>*", Bold: true},
				{Text: " "},
				{Text: "a`b<c>\nd", Code: true},
				{Text: "e"},
				{Text: "<!channel>|x>y", URL: "https://example.org/?q=<a>|b&c"},
				{Text: "label", URL: "javascript:alert(1)"},
			},
			Buttons: []chat.Button{{URL: "javascript:alert(1)", Label: "bad"}, {ID: strings.Repeat("x", 101), Label: "too long"}, {Label: "nothing"}, {ID: "help:", Label: ""}},
			Image:   chat.Image{URL: "http://images.example.org/plain.png"},
		},
		"limits": {
			Title: strings.Repeat("ä", 400), Summary: strings.Repeat("&", 5000),
			Text:   chat.Text{{Text: strings.Repeat("<long> ", 600)}, {Text: strings.Repeat("b", 3500), Bold: true}},
			Items:  []chat.Item{{Text: chat.Plain(strings.Repeat("item ", 700)), Button: &chat.Button{ID: "claim:1", Label: strings.Repeat("l", 200), Confirm: strings.Repeat("c", 900)}}},
			Footer: chat.Plain(strings.Repeat("f>", 1000)),
			Image:  chat.Image{URL: "https://images.example.org/badge.png", Alt: strings.Repeat("a", 3000)},
		},
		"many": many,
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	for name, c := range cards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocks, text, err := Render(c)
			if err != nil {
				t.Fatal(err)
			}
			message, err := json.Marshal(map[string]any{"text": text, "blocks": json.RawMessage(blocks)})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, message)
			if problems := blockkit.Validate(blockkit.KindMessage, message); len(problems) > 0 {
				t.Errorf("Slack would refuse it: %v", problems)
			}
			checkLimits(t, message, false)
		})
	}
}

func TestRenderForm(t *testing.T) {
	t.Parallel()
	forms := map[string]chat.Form{
		"form-announce": *announcement(),
		"form-code":     *codeForm(),
		"form-link": {
			ID: "link:", Title: "Link an address", Submit: "Send code", Cancel: "Cancel",
			Intro:  chat.Text{{Text: "The address your badge was issued to, with "}, {Text: "@", Code: true}},
			Fields: []chat.Field{{Name: "address", Label: "E-mail address", Hint: "We send a code there.", Placeholder: "name@example.org", Value: "ada@example.org", Kind: chat.FieldEmail, MaxLen: 254}},
		},
		"form-limits": {
			ID: "link:x", Title: strings.Repeat("ü", 60), Submit: strings.Repeat("s", 60), Cancel: strings.Repeat("c", 60), Intro: chat.Plain(strings.Repeat("intro ", 2000)),
			Fields: []chat.Field{{
				Name: "f", Label: strings.Repeat("l", 3000), Hint: strings.Repeat("h", 3000), Placeholder: strings.Repeat("p", 300),
				Value: "toolong", MinLen: 9000, MaxLen: 5,
			}, {Name: "g", MinLen: -1, MaxLen: 9000}},
		},
	}
	for name, f := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			view, err := json.Marshal(renderForm(f, "sealed"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, view)
			if problems := blockkit.Validate(blockkit.KindModal, view); len(problems) > 0 {
				t.Errorf("Slack would refuse it: %v", problems)
			}
			checkLimits(t, view, true)
		})
	}
}

// golden compares got with testdata/NAME.json.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("differs from %s; run with -update and look at the difference\n%s", file, b.Bytes())
	}
}

// checkLimits holds a payload against the published limits.
func checkLimits(t *testing.T, payload []byte, modal bool) {
	t.Helper()
	var limits map[string]map[string]any
	if err := json.Unmarshal(refdata.Read(t, "slack", "blocks", "limits.json"), &limits); err != nil {
		t.Fatal(err)
	}
	// limit returns limits[of][field].max_length, or max_items.
	limit := func(of, field string) int {
		for _, key := range []string{"max_length", "max_items"} {
			if m, ok := limits[of][field].(map[string]any); ok {
				if n, ok := m[key].(float64); ok {
					return int(n)
				}
			}
			if n, ok := limits[of][key].(float64); ok && field == "" {
				return int(n)
			}
		}
		return 0
	}
	var root map[string]any
	if err := json.Unmarshal(payload, &root); err != nil {
		t.Fatal(err)
	}
	length := func(v any) int {
		if m, ok := v.(map[string]any); ok {
			v = m["text"]
		}
		switch v := v.(type) {
		case string:
			return utf8.RuneCountInString(v)
		case []any:
			return len(v)
		}
		return 0
	}
	checked := 0
	within := func(of string, m map[string]any, field string) {
		most := limit(of, field)
		if _, there := m[field]; !there || most == 0 {
			return
		}
		checked++
		if n := length(m[field]); n > most {
			t.Errorf("%s.%s has %d, at most %d", of, field, n, most)
		}
	}
	if modal {
		for _, field := range []string{"blocks", "private_metadata", "callback_id", "title", "close", "submit"} {
			within("view", root, field)
		}
	} else if n := length(root["blocks"]); n > maxMessageBlocks {
		t.Errorf("%d blocks", n)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			kind, _ := v["type"].(string)
			if confirm, ok := v["confirm"].(map[string]any); ok && kind == "button" {
				for field := range confirm {
					within("confirmation", confirm, field)
				}
			}
			for field := range v {
				within(kind, v, field)
			}
			for _, id := range []string{"action_id", "block_id"} {
				if s, ok := v[id].(string); ok && utf8.RuneCountInString(s) > limit(id, "") {
					t.Errorf("%s is too long", id)
				}
			}
			if kind == "mrkdwn" || kind == "plain_text" {
				if n := length(v["text"]); n < 1 || n > limit("text", "") {
					t.Errorf("text of %d", n)
				}
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(root["blocks"])
	if checked == 0 && length(root["blocks"]) > 1 {
		t.Error("nothing was checked")
	}
}

func TestMrkdwn(t *testing.T) {
	t.Parallel()
	const z = zeroWidth
	at := time.Unix(1800000000, 0)
	tests := []struct {
		name string
		text chat.Text
		want string
	}{
		{"mention", chat.Plain("<@U1> <!channel> & co"), "&lt;@U1&gt; &lt;!channel&gt; &amp; co"},
		{"escaped already", chat.Plain("&lt;!here&gt;"), "&amp;lt;!here&amp;gt;"},
		{"words with signs", chat.Plain("snake_case 2*3"), "snake_case 2*3"},
		{"signs around words", chat.Plain("*no*"), z + "*" + z + "no" + z + "*" + z},
		{"quotation", chat.Plain("> no\n > no > yes"), z + "&gt; no\n " + z + "&gt; no &gt; yes"},
		{"bold with space", chat.Text{{Text: " yes \n", Bold: true}}, " *yes* \n"},
		{"bold lines", chat.Text{{Text: "a\nb", Bold: true}}, "*a*\n*b*"},
		{"bold star", chat.Text{{Text: "a * b", Bold: true}}, "*a " + z + "*" + z + " b*"},
		{"bold within a word", chat.Text{{Text: "a"}, {Text: "b", Bold: true}, {Text: "c"}}, "a" + z + "*b*" + z + "c"},
		{"code", chat.Text{{Text: "a`<b>", Code: true}}, "`a'&lt;b&gt;`"},
		{"empty code", chat.Text{{Text: " ", Code: true}}, ""},
		{"link", chat.Text{{Text: "a|b>", URL: "https://example.org/?a=1&b=<|>"}}, "<https://example.org/?a=1&amp;b=%3C%7C%3E|a|b&gt;>"},
		{"bare link", chat.Text{{URL: "https://example.org/"}}, "<https://example.org/>"},
		{"script", chat.Text{{Text: "x", URL: "javascript:alert(1)"}}, "x"},
		{"time", chat.Text{{Time: at}}, "<!date^1800000000^{date_short_pretty} {time}|2027-01-15 08:00 UTC>"},
		{"live time", chat.Text{{Time: at, Live: true}}, "<!date^1800000000^{time_secs}|08:00:00 UTC>"},
		{"not UTF-8", chat.Plain("a\xffb"), "a\ufffdb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(mrkdwn(tt.text), ""); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{{"äöü", 3, "äöü"}, {"äöüß", 3, "äö…"}, {"ab", 1, "…"}, {"", 1, ""}} {
		if got := truncate(tt.in, tt.n); got != tt.want {
			t.Errorf("%q to %d: got %q", tt.in, tt.n, got)
		}
	}
}
