package discordsim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	attach(t, s, func(in inbound) any {
		switch in.Type {
		case 3:
			return obj{"type": 9, "data": obj{"title": "Link", "custom_id": "l", "components": []any{row(obj{"type": 4, "custom_id": "a", "style": 1, "label": "A"})}}}
		case 4:
			return obj{"type": 8, "data": obj{"choices": []any{obj{"name": "n", "value": "v"}}}}
		}
		return ephemeral("hello", row(button("Form", "form")))
	})
	h := s.ConsoleHandler()
	do := func(method, path, body string) (int, string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code, rec.Body.String()
	}
	state := func() discordsim.ConsoleState {
		t.Helper()
		code, body := do(http.MethodGet, "/state?user="+w.ada, "")
		var st discordsim.ConsoleState
		if err := json.Unmarshal([]byte(body), &st); code != 200 || err != nil {
			t.Fatalf("%d %s, %v", code, body, err)
		}
		return st
	}
	before := state()
	if len(before.Channels) != 2 || len(before.Users) != 2 || len(before.Commands) != 1 || before.User.ID != w.ada {
		t.Fatalf("state = %+v", before)
	}
	if code, body := do(http.MethodPost, "/command", `{"user":"`+w.ada+`","command":"badges","subcommand":"list"}`); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	code, body := do(http.MethodGet, "/changes?since=0", "")
	if code != 200 || !strings.Contains(body, "version") {
		t.Fatalf("%d %s", code, body)
	}
	var messages []discordsim.Message
	for _, ch := range state().Channels {
		messages = append(messages, ch.Messages...)
	}
	if len(messages) != 1 {
		t.Fatalf("messages = %+v", messages)
	}
	if code, body := do(http.MethodPost, "/press", `{"user":"`+w.ada+`","message":"`+messages[0].ID+`","custom_id":"form"}`); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	st := state()
	if len(st.Modals) != 1 {
		t.Fatalf("modals = %+v", st.Modals)
	}
	if code, body := do(http.MethodPost, "/submit", `{"user":"`+w.ada+`","modal":"`+st.Modals[0].ID+`","values":{"a":"x"}}`); code != 200 || strings.Contains(body, "failed") {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := do(http.MethodPost, "/autocomplete", `{"user":"`+w.ada+`","command":"badges","subcommand":"claim","option":"badge","partial":"x"}`); code != 200 || !strings.Contains(body, `"n"`) {
		t.Fatalf("%d %s", code, body)
	}
	if code, _ := do(http.MethodPost, "/close-modal", `{"user":"`+w.ada+`","modal":"1"}`); code != 200 {
		t.Fatal(code)
	}
	if code, body := do(http.MethodPost, "/say", `{"user":"`+w.ada+`","text":"x","files":[{"name":"b.json","data":"e30="}]}`); code != 200 || !strings.Contains(body, `"id"`) {
		t.Errorf("say: %d %s", code, body)
	}
	if code, body := do(http.MethodPost, "/message-command", `{"user":"`+w.ada+`","message":"1","command":"x"}`); code != 400 || !strings.Contains(body, "unknown message") {
		t.Errorf("menu: %d %s", code, body)
	}
	if code, body := do(http.MethodPost, "/command", `{"user":"`+w.ada+`","command":"badges","subcommand":"list","option":"file","file":{"name":"b","data":"e30="}}`); code != 400 || !strings.Contains(body, "not registered") {
		t.Errorf("file where none goes: %d %s", code, body)
	}
	if code, _ := do(http.MethodPost, "/command", `{`); code != 400 {
		t.Errorf("broken body: %d", code)
	}
	if code, _ := do(http.MethodPost, "/command", ``); code != 415 {
		t.Errorf("no content type: %d", code)
	}
	if code, _ := do(http.MethodGet, "/state?user=1", ""); code != 404 {
		t.Errorf("unknown user: %d", code)
	}
}
