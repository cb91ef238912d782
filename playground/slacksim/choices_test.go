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
			{"type":"radio_buttons","action_id":"radio","options":[%s,%s]}]},
		{"type":"context_actions","elements":[
			{"type":"feedback_buttons","action_id":"thumbs",
				"positive_button":{"text":{"type":"plain_text","text":"Good"},"value":"good"},
				"negative_button":{"text":{"type":"plain_text","text":"Bad"},"value":"bad"}},
			{"type":"icon_button","action_id":"bin","icon":"trash","text":{"type":"plain_text","text":"Delete"},"value":"all"}]}]}`,
		team, option("a"), option("b"), option("c"), option("d"), option("e")))
	ts, _ := out["ts"].(string)
	ref := slacksim.MessageRef{Channel: team, TS: ts}
	for _, tt := range []struct {
		what, id, value, label, one string
		several                     []string
	}{
		{what: "b", id: "boxes", several: []string{"b"}},
		{what: "c,a", id: "boxes", several: []string{"c", "a"}},
		{what: "boxes", id: "boxes", several: []string{}},
		{what: "e", id: "radio", one: "e"},
		{what: "bad", id: "thumbs", value: "bad", label: "Bad"},
		{what: "Good", id: "thumbs", value: "good", label: "Good"},
		{what: "bin", id: "bin", value: "all", label: "Delete"},
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
			Actions []struct {
				ActionID string                    `json:"action_id"`
				Value    string                    `json:"value"`
				Text     struct{ Text string }     `json:"text"`
				One      struct{ Value string }    `json:"selected_option"`
				Several  *[]struct{ Value string } `json:"selected_options"`
			} `json:"actions"`
		}
		if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil || len(payload.Actions) != 1 {
			t.Fatalf("%s: %d actions, %v", tt.what, len(payload.Actions), err)
		}
		got := payload.Actions[0]
		if got.ActionID != tt.id || got.Value != tt.value || got.Text.Text != tt.label || got.One.Value != tt.one {
			t.Errorf("%s: %+v", tt.what, got)
		}
		if (got.Several == nil) != (tt.several == nil) {
			t.Errorf("%s: several %v, want %v", tt.what, got.Several, tt.several)
			continue
		}
		if got.Several != nil {
			var values []string
			for _, o := range *got.Several {
				values = append(values, o.Value)
			}
			if fmt.Sprint(values) != fmt.Sprint(tt.several) {
				t.Errorf("%s: %v, want %v", tt.what, values, tt.several)
			}
		}
	}
	for _, what := range []string{"thumbs", "a,x", "d,e"} {
		if _, err := sim.Press(t.Context(), ada, ref, what); !errors.Is(err, slacksim.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
