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
	const all = "commands,chat:write,im:write, im:history,channels:history,groups:history,channels:read,groups:read,files:write,files:read,users:read"
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   []string
	}{
		{"all well", says(200, bot, "X-OAuth-Scopes", all+",team:read"), nil},
		{"scopes missing", says(200, bot, "X-OAuth-Scopes", strings.Replace(all, ",groups:read", "", 1)), []string{"missing groups:read: nothing can be announced"}},
		{"scopes unknown", says(200, bot), []string{"did not say"}},
		{"token of a person", says(200, `{"ok":true,"team_id":"T1","user_id":"U0"}`, "X-OAuth-Scopes", all), []string{"belongs to a person"}},
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
	b := newBench(t, chat.Answer{}, func(c *Config) { c.SigningSecret = "" })
	if f := b.Check(t.Context())[0]; f.OK || f.Mend == "" {
		t.Errorf("got %+v", f)
	}
}

func TestInstalled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		tenant string
		want   bool
	}{
		{"in the workspace", says(200, `{"ok":true,"team_id":"T1"}`), "T1", true},
		{"in the organisation", says(200, `{"ok":true,"team_id":"E1","enterprise_id":"E1"}`), "E1", true},
		{"in another workspace", says(200, `{"ok":true,"team_id":"T2"}`), "T1", false},
		{"removed", refuses("account_inactive"), "T1", false},
		{"unreachable", says(502, ""), "T1", false},
		{"nowhere named", says(200, `{"ok":true}`), "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{})
			b.slack.once("auth.test", tt.answer)
			if got := b.Installed(t.Context(), tt.tenant); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Socket Mode needs no signing secret, but a token of its own.
func TestCheckSocketMode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, detail string
		answer       http.HandlerFunc
		mend         string
	}{
		{"accepted", "accepted", nil, ""},
		{"void", "not accepted: invalid_auth", refuses("invalid_auth"), "connections:write"},
		{"unreachable", "not accepted: http_502", says(502, ""), "try again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{}, func(c *Config) { c.AppToken, c.SigningSecret = testAppToken, "" })
			if tt.answer != nil {
				b.slack.once(connectionsOpen, tt.answer)
			}
			f := b.Check(t.Context())[0]
			if f.OK != (tt.mend == "") || f.Name != "Slack app token" || !strings.Contains(f.Detail, tt.detail) || !strings.Contains(f.Mend, tt.mend) {
				t.Errorf("got %+v", f)
			}
		})
	}
}
