package slack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core/chat"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	const bot = `{"ok":true,"team_id":"T1","user_id":"U0","bot_id":"B0"}`
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   []string
	}{
		{"all well", says(200, bot, "X-OAuth-Scopes", "commands,chat:write,im:write, im:history,users:read,files:read"), nil},
		{"scopes missing", says(200, bot, "X-OAuth-Scopes", "commands,chat:write,im:write"), []string{"missing im:history, users:read"}},
		{"scopes unknown", says(200, bot), []string{"did not say"}},
		{"token of a person", says(200, `{"ok":true,"team_id":"T1","user_id":"U0"}`, "X-OAuth-Scopes", "commands,chat:write,im:write,im:history,users:read"), []string{"belongs to a person"}},
		{"token refused", refuses("invalid_auth"), []string{"invalid_auth"}},
		{"unreachable", says(502, ""), []string{"http_502"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{})
			b.slack.once("auth.test", tt.answer)
			var bad []Finding
			for _, f := range b.Check(t.Context()) {
				if f.OK != (f.Mend == "") || f.Name == "" || f.Detail == "" {
					t.Errorf("incomplete: %+v", f)
				}
				if !f.OK {
					bad = append(bad, f)
				}
			}
			if len(bad) != len(tt.want) {
				t.Fatalf("got %+v", bad)
			}
			for i, want := range tt.want {
				if !strings.Contains(bad[i].Detail, want) {
					t.Errorf("got %q, want %q", bad[i].Detail, want)
				}
			}
		})
	}
	b := newBench(t, chat.Answer{})
	b.Adapter.signingSecret = ""
	if f := b.Check(t.Context())[0]; f.OK || f.Mend == "" {
		t.Errorf("got %+v", f)
	}
}
