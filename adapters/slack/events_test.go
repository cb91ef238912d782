package slack

import (
	"errors"
	"net/http"
	"testing"

	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/inbox"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       string
		kind       inbox.Kind
	}{
		{"uninstalled", `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"app_uninstalled"}}`, "slack:T1", inbox.KindInstallationRemoved},
		{"uninstalled everywhere", `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"app_uninstalled"},"authorizations":[{"enterprise_id":"E1","is_enterprise_install":true}]}`, "slack:E1", inbox.KindInstallationRemoved},
		{"uninstalled by a workspace of an organisation", `{"type":"event_callback","team_id":"T1","enterprise_id":"E1","event_id":"Ev1","event":{"type":"app_uninstalled"},"authorizations":[{"enterprise_id":"E1","team_id":"T1","is_enterprise_install":false}]}`, "slack:T1", inbox.KindInstallationRemoved},
		{"uninstalled, no workspace named", `{"type":"event_callback","enterprise_id":"E1","event_id":"Ev1","event":{"type":"app_uninstalled"}}`, "slack:E1", inbox.KindInstallationRemoved},
		{"bot token revoked", `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"tokens_revoked","tokens":{"oauth":["U1"],"bot":["U0"]}}}`, "slack:T1", inbox.KindInstallationEnded},
		{"token of a person revoked", `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"tokens_revoked","tokens":{"oauth":["U1"],"bot":[]}}}`, "", ""},
		{"home opened", `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"app_home_opened","user":"U1"}}`, "", ""},
		{"message", `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"message","text":"hello","blocks":[{"type":"?"}]}}`, "", ""},
		{"rate limited", `{"type":"app_rate_limited","team_id":"T1"}`, "", ""},
		{"something new", `{"type":"weather_report"}`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{})
			// Slack's repetitions have one effect, and a first arrival that
			// calls itself a repetition has it too.
			for _, retry := range []string{"1", "", "2"} {
				r := b.request(EventsPath, jsonType, tt.body)
				if retry != "" {
					r.Header.Set("X-Slack-Retry-Num", retry)
				}
				if w := b.serve(r); w.Code != http.StatusOK {
					t.Fatalf("got status %d", w.Code)
				}
			}
			if tt.want == "" {
				if len(b.inbox.seen) != 0 {
					t.Errorf("stored %v", b.inbox.seen)
				}
				return
			}
			want := inbox.Message{Source: "slack", Key: "Ev1", Kind: tt.kind, Payload: tt.want}
			if got := b.inbox.seen["slackEv1"]; len(b.inbox.seen) != 1 || got != want {
				t.Errorf("stored %v", b.inbox.seen)
			}
		})
	}
}

func TestEventThatCannotBeStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	b.inbox.err = errors.New("connection lost")
	w := b.serve(b.request(EventsPath, jsonType, `{"type":"event_callback","team_id":"T1","event_id":"Ev1","event":{"type":"app_uninstalled"}}`))
	if w.Code != http.StatusInternalServerError || w.Header().Get("X-Slack-No-Retry") != "" {
		t.Errorf("got status %d; Slack has to send it again", w.Code)
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	w := b.serve(b.request(EventsPath, jsonType, `{"type":"url_verification","challenge":"abc","token":"x"}`))
	if w.Code != http.StatusOK || decode(t, w.Body.Bytes())["challenge"] != "abc" {
		t.Errorf("got status %d and %q", w.Code, w.Body)
	}
}
