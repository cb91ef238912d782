package slacksim_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// published reads the payloads of a folder that Slack takes, by file name.
func published(t *testing.T, folder string) map[string]json.RawMessage {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(refdata.Path(t, "slack", "blocks", "valid", folder), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d payloads, %v", folder, len(files), err)
	}
	out := map[string]json.RawMessage{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = data
	}
	return out
}

// broken lengthens the first id of a payload beyond its limit, or its kind
// where it has no id.
func broken(t *testing.T, payload json.RawMessage) json.RawMessage {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(payload, &m); err != nil {
		t.Fatal(err)
	}
	switch {
	case m["callback_id"] != nil || m["type"] == "modal" || m["type"] == "home":
		m["callback_id"] = strings.Repeat("x", 256)
	case m["attachments"] != nil:
		m["blocks"] = []any{map[string]any{"type": "marquee"}}
	case m["blocks"] != nil: // An attachment.
		m["blocks"] = []any{map[string]any{"type": "divider", "block_id": strings.Repeat("x", 256)}}
	case m["type"] == nil:
		return json.RawMessage(`{"nothing":true}`)
	default:
		m["block_id"] = strings.Repeat("x", 256)
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPublishedPayloadsOverTheWire sends the published payloads, and each of
// them broken, to the methods that take them.
func TestPublishedPayloadsOverTheWire(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any { return nil }, nil)
	send := func(method, body string) (code string, out map[string]any) {
		out = call(t, sim, method, sim.Config().BotToken, body)
		code, _ = out["error"].(string)
		return code, out
	}
	trigger := func() string {
		res, err := sim.Command(t.Context(), ada, team, "/badges", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range sim.Views(ada) {
			if _, err := sim.CloseView(t.Context(), ada, v.ID); err != nil {
				t.Fatal(err)
			}
		}
		return res.TriggerID
	}
	for _, tt := range []struct {
		folder, refusal string
		request         func(name string, payload json.RawMessage) (method, body string)
	}{
		{"blocks", "invalid_blocks", func(_ string, p json.RawMessage) (string, string) {
			return "chat.postMessage", fmt.Sprintf(`{"channel":%q,"text":"x","blocks":[%s]}`, team, p)
		}},
		{"attachments", "invalid_attachments", func(_ string, p json.RawMessage) (string, string) {
			return "chat.postMessage", fmt.Sprintf(`{"channel":%q,"text":"x","attachments":[%s]}`, team, p)
		}},
		{"messages", "invalid_blocks", func(_ string, p json.RawMessage) (string, string) {
			var m map[string]any
			if err := json.Unmarshal(p, &m); err != nil {
				t.Fatal(err)
			}
			m["channel"], m["text"] = team, "x"
			// That of two samples is not in the form which Slack documents.
			delete(m, "metadata")
			body, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return "chat.postMessage", string(body)
		}},
		{"views", "invalid_arguments", func(name string, p json.RawMessage) (string, string) {
			if strings.HasPrefix(name, "hometab") {
				return "views.publish", fmt.Sprintf(`{"user_id":%q,"view":%s}`, ada, p)
			}
			return "views.open", fmt.Sprintf(`{"trigger_id":%q,"view":%s}`, trigger(), p)
		}},
	} {
		for name, payload := range published(t, tt.folder) {
			before := len(sim.Messages(team, ""))
			method, body := tt.request(name, payload)
			code, answer := send(method, body)
			if code != "" {
				t.Errorf("%s: %v", name, answer)
				continue
			}
			held(t, sim, name, answer)
			after := len(sim.Messages(team, ""))

			method, body = tt.request(name, broken(t, payload))
			code, answer = send(method, body)
			if code != tt.refusal {
				t.Errorf("%s, broken: %v, want %s", name, answer, tt.refusal)
			}
			if meta, _ := answer["response_metadata"].(map[string]any); meta["messages"] == nil {
				t.Errorf("%s, broken: no word of what is wrong: %v", name, answer)
			}
			if method == "chat.postMessage" && (after != before+1 || len(sim.Messages(team, "")) != after) {
				t.Errorf("%s: %d messages became %d, then %d", name, before, after, len(sim.Messages(team, "")))
			}
		}
	}
}

// held looks whether the workspace holds what was sent.
func held(t *testing.T, sim *slacksim.Server, name string, answer map[string]any) {
	t.Helper()
	if ts, ok := answer["ts"].(string); ok {
		m, there := sim.Message(slacksim.MessageRef{Channel: team, TS: ts})
		if !there || m.Blocks == nil && m.Attachments == nil {
			t.Errorf("%s: the workspace holds %+v", name, m)
		}
		return
	}
	v, _ := answer["view"].(map[string]any)
	home, _ := sim.Home(ada)
	views := sim.Views(ada)
	if v["id"] != home.ID && (len(views) != 1 || v["id"] != views[0].ID) {
		t.Errorf("%s: answered %v, ada sees %+v and %+v", name, v["id"], home, views)
	}
}
