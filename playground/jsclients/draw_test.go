package jsclients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/internal/refdata"
)

// shown is what the playground's page is to draw: blocks and attachments.
type shown struct {
	Name        string `json:"name"`
	Blocks      any    `json:"blocks,omitempty"`
	Attachments any    `json:"attachments,omitempty"`
}

// drawn is what it drew.
type drawn struct {
	Name  string
	Text  string
	Tags  []string
	Error string
}

// draw lets the page's own module draw, in Node.js.
func draw(t *testing.T, all []shown) []drawn {
	t.Helper()
	folder := t.TempDir()
	files, err := filepath.Glob("../console/assets/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d modules, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "package.json"), []byte(`{"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", filepath.Join(project(t), "draw.mjs"), folder)
	node.Stdin, node.Stderr = bytes.NewReader(in), &stderr
	raw, err := node.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var out []drawn
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if len(out) != len(all) {
		t.Fatalf("%d of %d were drawn", len(out), len(all))
	}
	return out
}

// published are the payloads that Slack takes, as what a page shows of them.
func published(t *testing.T) []shown {
	t.Helper()
	var out []shown
	for _, folder := range []string{"blocks", "attachments", "messages", "views", "elements", "rich_text"} {
		files, err := filepath.Glob(filepath.Join(refdata.Path(t, "slack", "blocks", "valid", folder), "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d payloads, %v", folder, len(files), err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var payload map[string]any
			if err := json.Unmarshal(raw, &payload); err != nil {
				t.Fatal(err)
			}
			s := shown{Name: folder + "/" + filepath.Base(file), Blocks: payload["blocks"], Attachments: payload["attachments"]}
			switch folder {
			case "blocks":
				s.Blocks = []any{payload}
			case "attachments":
				s.Blocks, s.Attachments = nil, []any{payload}
			case "elements":
				s.Blocks = []any{around(payload)}
			case "rich_text":
				s.Blocks = []any{rich(payload)}
			}
			out = append(out, s)
		}
	}
	return out
}

// around puts an element into a block that takes it.
func around(element map[string]any) map[string]any {
	switch kind, _ := element["type"].(string); {
	case kind == "image":
		return map[string]any{"type": "context", "elements": []any{element}}
	case kind == "url":
		return map[string]any{"type": "task_card", "task_id": "t", "title": "Task", "sources": []any{element}}
	case strings.HasSuffix(kind, "_input"):
		return map[string]any{"type": "input", "label": map[string]any{"type": "plain_text", "text": "Label"}, "element": element}
	default:
		return map[string]any{"type": "actions", "elements": []any{element}}
	}
}

// rich puts a part of rich text into a block.
func rich(part map[string]any) map[string]any {
	if kind, _ := part["type"].(string); !strings.HasPrefix(kind, "rich_text_") {
		part = map[string]any{"type": "rich_text_section", "elements": []any{part}}
	}
	return map[string]any{"type": "rich_text", "elements": []any{part}}
}

// markup is what stands in a text and is not read: signs for styles, names of
// emoji, links.
var markup = regexp.MustCompile("<[^>]*>|[*_~`:\\s]")

// read are the names of what people read, where it is not an object of its own.
var read = []string{
	"text", "title", "caption", "label", "x_label", "y_label", "author_name", "provider_name", "external_id", "alt_text",
	"accessibility_label", "initial_date", "initial_time", "user_id", "channel_id", "usergroup_id",
}

// words lists the texts of a payload and what else people read of it.
func words(v any) (texts []string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			texts = append(texts, words(item)...)
		}
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && slices.Contains(read, key) {
				texts = append(texts, markup.ReplaceAllString(text, ""))
			}
			texts = append(texts, words(value)...)
		}
	}
	return texts
}

// missing lists what is wrong with a drawing.
func missing(s shown, d drawn) []string {
	if d.Error != "" {
		return []string{d.Error}
	}
	var out []string
	if strings.Contains(d.Text, "which this page does not draw") {
		out = append(out, d.Text)
	}
	said := markup.ReplaceAllString(d.Text, "")
	for _, text := range words([]any{s.Blocks, s.Attachments}) {
		if !strings.Contains(said, text) {
			out = append(out, fmt.Sprintf("%q is not shown", text))
		}
	}
	if len(d.Tags) < 2 {
		out = append(out, "nothing is shown")
	}
	return out
}

// TestPageDrawsPublishedPayloads lets the playground's page draw what Slack
// takes: every text of it is there to read, and nothing fails.
func TestPageDrawsPublishedPayloads(t *testing.T) {
	t.Parallel()
	all := published(t)
	for i, d := range draw(t, all) {
		for _, what := range missing(all[i], d) {
			t.Errorf("%s: %s", d.Name, what)
		}
	}
}

// TestUndrawnIsNoticed breaks each payload: its first block, or what it holds,
// is of a type that nobody knows, or what it says is not what was drawn.
func TestUndrawnIsNoticed(t *testing.T) {
	t.Parallel()
	var broken []shown
	for _, s := range published(t) {
		if list, ok := s.Blocks.([]any); ok && len(list) > 0 {
			block, _ := list[0].(map[string]any)
			block["type"] = "marquee"
			broken = append(broken, s)
		}
	}
	invented := map[string]any{"type": "marquee"}
	for kind, key := range map[string]string{"container": "child_blocks", "actions": "elements", "context_actions": "elements"} {
		broken = append(broken, shown{Name: kind, Blocks: []any{map[string]any{"type": kind, key: []any{invented}}}})
	}
	// Names that every object has are no types of blocks, either.
	for _, kind := range []string{"constructor", "toString"} {
		broken = append(broken, shown{Name: kind, Blocks: []any{map[string]any{"type": kind}}})
	}
	for i, d := range draw(t, broken) {
		if len(missing(broken[i], d)) == 0 {
			t.Errorf("%s: what nobody knows is not noticed", d.Name)
		}
	}
	said := shown{Blocks: []any{map[string]any{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": "*good* morning"}}}}
	for text, want := range map[string]int{"good morning": 0, "good evening": 1} {
		if got := missing(said, drawn{Text: text, Tags: []string{"root", "p"}}); len(got) != want {
			t.Errorf("drawn as %q: %v", text, got)
		}
	}
	if len(missing(said, drawn{Error: "broken"})) != 1 {
		t.Error("a failure is not noticed")
	}
}
