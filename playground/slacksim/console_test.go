package slacksim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

func TestConsole(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) {
		c.Commands = []slacksim.CommandInfo{{Name: "/badges", Description: "Your badges"}}
	})
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any {
		return map[string]any{"text": "Your badges", "blocks": claimBlocks()}
	}, func(slack.InteractionCallback) any { return nil })
	console := httptest.NewServer(sim.ConsoleHandler())
	t.Cleanup(console.Close)
	do := func(method, path, contentType, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, console.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(raw)
	}
	state := func() slacksim.State {
		t.Helper()
		_, raw := do("GET", "/state?user="+ada, "", "")
		var out slacksim.State
		if err := json.Unmarshal([]byte(raw), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := state()
	if len(before.Users) != 2 || len(before.Channels) != 2 || len(before.Commands) != 1 || before.DM == "" {
		t.Fatalf("state: %+v", before)
	}
	if status, body := do("POST", "/command", "application/json", `{"user":"`+ada+`","channel":"`+team+`","command":"/badges"}`); status != 200 || !strings.Contains(body, `"status":200`) {
		t.Fatalf("command: %d %s", status, body)
	}
	if status, body := do("GET", "/changes?since=0", "", ""); status != 200 || !strings.Contains(body, "version") {
		t.Errorf("changes: %d %s", status, body)
	}
	after := state()
	if after.Version <= before.Version || len(after.Messages[team]) != 1 {
		t.Fatalf("after the command: %+v", after)
	}
	m := after.Messages[team][0]
	if status, body := do("POST", "/press", "application/json", `{"user":"`+ada+`","channel":"`+team+`","ts":"`+m.TS+`","action":"Claim"}`); status != 200 {
		t.Errorf("press: %d %s", status, body)
	}
	if status, body := do("POST", "/share", "application/json", `{"user":"`+ada+`","channel":"`+team+`","text":"x","files":[{"name":"b.json","data":"e30="}]}`); status != 200 {
		t.Errorf("share: %d %s", status, body)
	}
	shared := state().Messages[team]
	if last := shared[len(shared)-1]; len(last.Files) != 1 || last.Files[0].Size != 2 {
		t.Errorf("shared %+v", last)
	} else if status, body := do("POST", "/shortcut", "application/json", `{"user":"`+ada+`","channel":"`+team+`","ts":"`+last.TS+`","callback_id":"verify"}`); status != 200 || !strings.Contains(body, `"status":200`) {
		t.Errorf("shortcut: %d %s", status, body)
	}
	if status, body := do("POST", "/shortcut", "application/json", `{"user":"`+ada+`","callback_id":"new"}`); status != 200 || !strings.Contains(body, `"status":200`) {
		t.Errorf("global shortcut: %d %s", status, body)
	}
	for _, tt := range []struct {
		name, method, path, contentType, body string
		want                                  int
	}{
		{"somebody else's ephemeral", "POST", "/press", "application/json", `{"user":"` + bert + `","channel":"` + team + `","ts":"` + m.TS + `","action":"Claim"}`, 403},
		{"form", "POST", "/command", "application/x-www-form-urlencoded", "user=x", 415},
		{"broken", "POST", "/command", "application/json", "{", 400},
		{"stranger", "GET", "/state?user=U0STRANGER", "", "", 404},
		{"unknown view", "POST", "/submit", "application/json", `{"user":"` + ada + `","view":"V1"}`, 404},
		{"log", "GET", "/log", "", "", 200},
		{"no connection", "POST", "/connections", "application/json", `{"do":"drop"}`, 404},
		{"unknown deed", "POST", "/connections", "application/json", `{"do":"paint"}`, 404},
		{"socket mode", "POST", "/socket-mode", "application/json", `{"on":true}`, 200},
	} {
		if status, body := do(tt.method, tt.path, tt.contentType, tt.body); status != tt.want {
			t.Errorf("%s: %d %s", tt.name, status, body)
		}
	}
	a.connect(sim)
	connected(t, sim, 1)
	now := state()
	if !now.SocketMode || len(now.Connections) != 1 || now.Sockets.Opened != 1 {
		t.Errorf("socket mode: %+v", now)
	}
	if status, body := do("POST", "/connections", "application/json", `{"do":"drop","id":"`+now.Connections[0].ID+`"}`); status != 200 {
		t.Errorf("drop: %d %s", status, body)
	}
	connected(t, sim, 1)
	if state().Connections[0].ID == now.Connections[0].ID {
		t.Error("not dropped")
	}
}
