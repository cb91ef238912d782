package slacktest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// listener is an app that notes what it hears, and shows a home tab.
type listener struct {
	echo

	mu    sync.Mutex
	heard []string
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Event struct{ Type, User, Text, Channel string }
		User  struct{ ID string }
		View  struct{ Type string }

		Actions []struct {
			ActionID       string                 `json:"action_id"`
			SelectedOption struct{ Value string } `json:"selected_option"`
		}
	}
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		err = json.NewDecoder(r.Body).Decode(&in)
	} else {
		err = json.Unmarshal([]byte(r.FormValue("payload")), &in)
	}
	if err != nil {
		http.Error(w, "not understood", http.StatusBadRequest)
		return
	}
	what := strings.TrimSpace(in.Event.Type + " " + in.Event.Text)
	for _, a := range in.Actions {
		what = strings.TrimSpace(a.ActionID + " " + a.SelectedOption.Value)
	}
	l.mu.Lock()
	l.heard = append(l.heard, what)
	l.mu.Unlock()
	words := "Welcome"
	if in.View.Type == "home" {
		words = "Pressed"
	}
	if in.Event.Type == "app_home_opened" || in.View.Type == "home" {
		l.call(r, l.api+"views.publish", map[string]any{"user_id": in.Event.User + in.User.ID, "view": map[string]any{
			"type": "home", "blocks": []any{
				map[string]any{"type": "section", "text": text("mrkdwn", words)},
				map[string]any{"type": "actions", "elements": []any{
					map[string]any{"type": "button", "text": text("plain_text", "Go"), "action_id": "go"},
				}},
			},
		}})
	}
}

// TestActs goes through what people do beside commands and forms.
func TestActs(t *testing.T) {
	t.Parallel()
	chat := slacktest.Start(t, slacksim.Config{})
	app := &listener{echo: echo{chat.Sim().APIURL(), chat.Sim().Config().BotToken}}
	srv := httptest.NewServer(app)
	t.Cleanup(srv.Close)
	chat.OverHTTP("", srv.URL, srv.URL)
	ada, bruno := chat.Person("ada"), chat.Person("bruno")
	team := chat.Channel("team", ada)

	ada.OpenHome().Expect("Welcome").Press("Go")
	ada.Home().Expect("Pressed")
	ada.Say("hello")
	bruno.Join(team).Say("to all") // Of which the app hears nothing.
	post(t, chat, "chat.postMessage", map[string]any{"channel": team, "text": "Which?", "blocks": []any{
		map[string]any{"type": "actions", "elements": []any{map[string]any{
			"type": "static_select", "action_id": "colour", "placeholder": text("plain_text", "Colour"),
			"options": []any{
				map[string]any{"text": text("plain_text", "Red"), "value": "r"},
				map[string]any{"text": text("plain_text", "Blue"), "value": "b"},
			},
		}}},
	}})
	which := bruno.In(team).ExpectMessage("Which?", "(Blue)")
	which.Choose("Colour", "Blue")
	which.Choose("colour", "r")
	bruno.Leave(team)
	if which.Now().Text != "Which?" || bruno.ID() == ada.ID() || which.Person().Channel() != team {
		t.Errorf("%+v", which.Now())
	}

	app.mu.Lock()
	defer app.mu.Unlock()
	want := []string{"app_home_opened", "go", "message hello", "member_joined_channel", "colour b", "colour r", "member_left_channel"}
	if !slices.Equal(app.heard, want) {
		t.Errorf("the app heard %q, want %q", app.heard, want)
	}
}
