package slacktest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// echo is a whole Slack app: it repeats what somebody says, to them alone, and
// to everybody when they press the button or send the form.
type echo struct{ api, token string }

func (e echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("command") != "" {
		w.Header().Set("Content-Type", "application/json")
		reply(w, map[string]any{"text": "You said: " + r.FormValue("text"), "blocks": []any{
			map[string]any{"type": "section", "text": text("mrkdwn", "You said: "+r.FormValue("text"))},
			map[string]any{"type": "actions", "elements": []any{
				map[string]any{"type": "button", "text": text("plain_text", "Tell all"), "action_id": "all", "value": r.FormValue("text")},
				map[string]any{"type": "button", "text": text("plain_text", "Other words"), "action_id": "other"},
			}},
		}})
		return
	}
	var in struct {
		Type        string
		TriggerID   string `json:"trigger_id"`
		ResponseURL string `json:"response_url"`
		Channel     struct{ ID string }
		User        struct{ ID string }
		Actions     []struct {
			Value    string
			ActionID string `json:"action_id"`
		}
		View struct {
			State struct {
				Values map[string]map[string]struct{ Value string }
			}
		}
	}
	if err := json.Unmarshal([]byte(r.FormValue("payload")), &in); err != nil {
		http.Error(w, "no payload", http.StatusBadRequest)
		return
	}
	switch {
	case in.Type == "view_submission":
		e.call(r, e.api+"chat.postMessage", map[string]any{"channel": in.User.ID, "text": "Noted: " + in.View.State.Values["words"]["words"].Value})
	case in.Actions[0].ActionID == "all":
		e.call(r, e.api+"chat.postMessage", map[string]any{"channel": in.Channel.ID, "text": in.Actions[0].Value})
		e.call(r, in.ResponseURL, map[string]any{"replace_original": true, "text": "All have heard it: <https://example.org/log|the log>"})
	default:
		e.call(r, e.api+"views.open", map[string]any{"trigger_id": in.TriggerID, "view": map[string]any{
			"type": "modal", "title": text("plain_text", "Other words"), "submit": text("plain_text", "Send"),
			"blocks": []any{map[string]any{
				"type": "input", "block_id": "words", "label": text("plain_text", "Words"),
				"element": map[string]any{"type": "plain_text_input", "action_id": "words"},
			}},
		}})
	}
}

func (e echo) call(r *http.Request, address string, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, address, strings.NewReader(string(data)))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+e.token)
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

func reply(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }

func text(kind, words string) map[string]any { return map[string]any{"type": kind, "text": words} }

// TestEcho is how somebody else's app is tested.
func TestEcho(t *testing.T) {
	t.Parallel()
	chat := slacktest.Start(t, slacksim.Config{})
	app := httptest.NewServer(echo{chat.Sim().APIURL(), chat.Sim().Config().BotToken})
	t.Cleanup(app.Close)
	chat.OverHTTP(app.URL, app.URL, app.URL)
	ada, bruno := chat.Person("ada"), chat.Person("bruno")
	team := chat.Channel("team", ada, bruno)

	heard := ada.In(team).Command("/echo", "good morning").
		ExpectEphemeral("You said: good morning").ExpectButton("Tell all", "Other words")
	bruno.In(team).ExpectNothing("good morning")

	heard.Press("Other words").Modal("Other words").
		SubmitExpectingError("required").
		Fill("Words", "hello").Submit().ExpectNoModal().ExpectDM("Noted: hello")

	told := heard.Press("Tell all").ExpectUpdate("All have heard it").ExpectNoButton("Tell all")
	if link := told.ExpectLink("the log"); link != "https://example.org/log" {
		t.Errorf("the link leads to %s", link)
	}
	bruno.In(team).ExpectMessage("good morning")
}
