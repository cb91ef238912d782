package discordtest_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
)

// echo is a whole Discord bot: it repeats what somebody says, to them alone,
// and to everybody when they press the button or send the form.
type echo struct{ api, token, key string }

func (e echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	key, _ := hex.DecodeString(e.key)
	signature, _ := hex.DecodeString(r.Header.Get("X-Signature-Ed25519"))
	if err != nil || !ed25519.Verify(key, append([]byte(r.Header.Get("X-Signature-Timestamp")), body...), signature) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var in struct {
		Type      int
		ChannelID string `json:"channel_id"`
		Data      struct {
			CustomID   string                   `json:"custom_id"`
			Options    []struct{ Value string } // of the command
			Components []struct {               // of the form
				Component struct{ Value string }
			}
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		http.Error(w, "no interaction", http.StatusBadRequest)
		return
	}
	switch {
	case in.Type == 1:
		reply(w, 1, nil)
	case in.Type == 2:
		reply(w, 4, map[string]any{"flags": 64, "content": "You said: " + in.Data.Options[0].Value, "components": []any{row(
			map[string]any{"type": 2, "style": 1, "label": "Tell all", "custom_id": "all:" + in.Data.Options[0].Value},
			map[string]any{"type": 2, "style": 2, "label": "Other words", "custom_id": "other"},
			map[string]any{"type": 2, "style": 5, "label": "Read the log", "url": "https://example.org/log"},
		)}})
	case in.Type == 5:
		reply(w, 4, map[string]any{"flags": 64, "content": "Noted: " + in.Data.Components[0].Component.Value})
	case in.Data.CustomID == "other":
		reply(w, 9, map[string]any{"title": "Other words", "custom_id": "words", "components": []any{map[string]any{
			"type": 18, "label": "Words", "component": map[string]any{"type": 4, "custom_id": "words", "style": 1},
		}}})
	default:
		e.call(r, http.MethodPost, "/channels/"+in.ChannelID+"/messages", map[string]any{"content": in.Data.CustomID[len("all:"):]})
		reply(w, 7, map[string]any{"content": "All have heard it", "components": []any{}})
	}
}

func (e echo) call(r *http.Request, method, path string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), method, e.api+"/api/v10"+path, bytes.NewReader(data))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "DiscordBot (https://example.org, 1)")
	req.Header.Set("Authorization", "Bot "+e.token)
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

func reply(w http.ResponseWriter, kind int, data any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"type": kind, "data": data})
}

func row(components ...any) any { return map[string]any{"type": 1, "components": components} }

// registers is what the bot does once, when it is deployed.
func (e echo) registers(tb testing.TB, application string) {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/", http.NoBody)
	e.call(r, http.MethodPost, "/applications/"+application+"/commands", map[string]any{
		"name": "echo", "description": "Repeats what you say",
		"options": []any{map[string]any{"type": 3, "name": "words", "description": "What you say", "required": true}},
	})
}

// TestEcho is how somebody else's bot is tested.
func TestEcho(t *testing.T) {
	t.Parallel()
	chat := discordtest.Start(t, discordsim.Config{})
	bot := echo{chat.Sim().BaseURL(), chat.Sim().BotToken(), chat.Sim().PublicKey()}
	srv := httptest.NewServer(bot)
	t.Cleanup(srv.Close)
	bot.registers(t, chat.Sim().ApplicationID())
	chat.OverHTTP(srv.URL).Registered("echo")
	ada, bruno := chat.Person("ada"), chat.Person("bruno")
	team := chat.Channel("team", ada, bruno)

	heard := ada.In(team).Command("echo", "", map[string]any{"words": "good morning"}).
		ExpectEphemeral("You said: good morning").ExpectButton("Tell all", "Other words")
	bruno.In(team).ExpectNothing("good morning")
	if link := heard.ExpectLink("log"); link != "https://example.org/log" {
		t.Errorf("the link leads to %s", link)
	}

	heard.Press("Other words").Modal("Other words").
		SubmitExpectingError("required").
		Fill("Words", "hello").Submit().ExpectNoModal().ExpectEphemeral("Noted: hello")

	heard.Press("Tell all").ExpectUpdate("All have heard it").ExpectNoButton("Tell all")
	bruno.In(team).ExpectMessage("good morning")
}
