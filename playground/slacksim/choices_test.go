package slacksim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// TestPressChoices ticks boxes and gives feedback: the app is told of all that
// is chosen, and which thumb it was.
func TestPressChoices(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	a := newApp(t, sim)
	a.on(nil, func(slack.InteractionCallback) any { return nil })
	option := func(value string) string {
		return fmt.Sprintf(`{"text":{"type":"mrkdwn","text":"*%s*"},"value":%q}`, value, value)
	}
	out := call(t, sim, "chat.postMessage", sim.Config().BotToken, fmt.Sprintf(`{"channel":%q,"text":"x","blocks":[
		{"type":"actions","elements":[
			{"type":"checkboxes","action_id":"boxes","options":[%s,%s,%s]},
			{"type":"radio_buttons","action_id":"radio","options":[%s,%s]},
			{"type":"datepicker","action_id":"day"},
			{"type":"timepicker","action_id":"hour"},
			{"type":"datetimepicker","action_id":"moment"},
			{"type":"users_select","action_id":"who"},
			{"type":"multi_channels_select","action_id":"where"}]},
		{"type":"context_actions","elements":[
			{"type":"feedback_buttons","action_id":"thumbs",
				"positive_button":{"text":{"type":"plain_text","text":"Good"},"value":"good"},
				"negative_button":{"text":{"type":"plain_text","text":"Bad"},"value":"bad"}},
			{"type":"icon_button","action_id":"bin","icon":"trash","text":{"type":"plain_text","text":"Delete"},"value":"all"}]}]}`,
		team, option("a"), option("b"), option("c"), option("d"), option("e")))
	ts, _ := out["ts"].(string)
	ref := slacksim.MessageRef{Channel: team, TS: ts}
	for _, tt := range []struct {
		what, id string
		// want holds what is told beside the names of the element.
		want string
	}{
		{"b", "boxes", `{"selected_options":["b"]}`},
		{"c,a", "boxes", `{"selected_options":["c","a"]}`},
		{"boxes", "boxes", `{"selected_options":[]}`},
		{"e", "radio", `{"selected_option":"e"}`},
		{"*d*", "radio", `{"selected_option":"d"}`},
		{"bad", "thumbs", `{"text":"Bad","value":"bad"}`},
		{"Good", "thumbs", `{"text":"Good","value":"good"}`},
		{"bin", "bin", `{"text":"Delete","value":"all"}`},
		{"day=2026-11-23", "day", `{"selected_date":"2026-11-23"}`},
		{"hour=08:30", "hour", `{"selected_time":"08:30"}`},
		{"moment=1790000000", "moment", `{"selected_date_time":1790000000}`},
		{"who=" + bert, "who", `{"selected_user":"` + bert + `"}`},
		{"where=C1,C2", "where", `{"selected_channels":["C1","C2"]}`},
		{"where", "where", `{"selected_channels":[]}`},
	} {
		if _, err := sim.Press(t.Context(), ada, ref, tt.what); err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		a.mu.Lock()
		form, err := url.ParseQuery(string(a.bodies[len(a.bodies)-1]))
		a.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		var payload struct {
			Actions []map[string]any `json:"actions"`
		}
		if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil || len(payload.Actions) != 1 {
			t.Fatalf("%s: %d actions, %v", tt.what, len(payload.Actions), err)
		}
		got := payload.Actions[0]
		if got["action_id"] != tt.id {
			t.Errorf("%s: %v", tt.what, got)
		}
		for _, name := range []string{"type", "action_id", "block_id", "action_ts"} {
			delete(got, name)
		}
		for key, value := range got {
			got[key] = short(value)
		}
		brief, err := json.Marshal(got)
		if err != nil || string(brief) != tt.want {
			t.Errorf("%s: %s, want %s, %v", tt.what, brief, tt.want, err)
		}
	}
	for _, what := range []string{"thumbs", "a,x", "d,e", "day=", "radio=d", "nothing=1"} {
		if _, err := sim.Press(t.Context(), ada, ref, what); !errors.Is(err, slacksim.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// short puts values in place of options, and words in place of texts.
func short(v any) any {
	switch v := v.(type) {
	case []any:
		out := []any{}
		for _, item := range v {
			out = append(out, short(item))
		}
		return out
	case map[string]any:
		for _, key := range []string{"value", "text"} {
			if s, ok := v[key].(string); ok {
				return s
			}
		}
	}
	return v
}
