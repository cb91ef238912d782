package slack

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/inbox"
)

func TestSocketCommand(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{Card: card("List")})
	s, _ := b.two()
	object := b.commandObject("link a@example.org")
	object["enterprise_id"], object["is_enterprise_install"] = "E1", "true"
	s.envelope(typeCommand, "e-1", object)
	body, _ := s.acked("e-1").(map[string]any)
	if body["response_type"] != "ephemeral" || body["text"] != "List" {
		t.Errorf("got %v", body)
	}
	a := b.handler.got(t)
	if a.Key != "slack:11.22.cc" || a.Workspace != "slack:T1" || a.DisplayName != "ada" || a.Source != chat.SourceCommand {
		t.Errorf("got %+v", a)
	}
	if a.Actor != (core.Identity{Platform: Platform, Tenant: "E1", User: "U1"}) || a.Verb != chat.VerbLink || a.Arg != "a@example.org" {
		t.Errorf("got %+v", a)
	}
	if a.Reply.Shown || !a.Reply.EditableUntil.Equal(b.clock.Now().Add(responseURLLife)) {
		t.Errorf("reply: %+v", a.Reply)
	}
	b.until("the latency is measured", func() bool { return b.counted("laurel_slack_ack_seconds", kindCommand) == 1 })
}

// A card that the acknowledgement cannot carry comes by response URL.
func TestSocketAnswerBeside(t *testing.T) {
	t.Parallel()
	big := card("Big")
	big.Text = chat.Plain(strings.Repeat("badge ", 4000))
	for name, card := range map[string]*chat.Card{"too big": big, "not accepted": card("Small")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSocketBench(t, chat.Answer{Card: card})
			s, _ := b.two()
			s.send(map[string]any{
				"type": typeCommand, "envelope_id": "e-1", "payload": b.commandObject(""), "accepts_response_payload": name == "too big",
			})
			if body := s.acked("e-1"); body != nil {
				t.Errorf("got %v", body)
			}
			if c := b.slack.expect("hook"); c.text() != card.Title {
				t.Errorf("got %q", c.text())
			}
		})
	}
}

// A pressed message may hold anything; the button still works.
func TestSocketPress(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{Card: card("Done")})
	s, _ := b.two()
	s.envelope(typeInteractive, "e-1", b.press("help:x", true))
	if body := s.acked("e-1"); body != nil {
		t.Errorf("got %v", body)
	}
	if c := b.slack.expect("hook"); c.text() != "Done" || c.json["replace_original"] != true {
		t.Errorf("got %+v", c)
	}
	if a := b.handler.got(t); a.Key != "slack:33.44.dd" || a.Source != chat.SourcePress {
		t.Errorf("got %+v", a)
	}
	s.envelope(typeInteractive, "e-2", b.press(openPrefix+"1", true))
	s.acked("e-2")
	b.until("it is counted", func() bool { return b.counted("laurel_slack_requests_total", kindPress, "link") == 1 })
}

func TestSocketForm(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{Form: &chat.Form{ID: "code:1", Title: "Code", Submit: "Send", Fields: []chat.Field{{Name: "code", Label: "Code"}}}})
	s, _ := b.two()
	s.envelope(typeInteractive, "e-1", b.press("link:", true))
	if body := s.acked("e-1"); body != nil {
		t.Errorf("got %v", body)
	}
	if c := b.slack.expect("views.open"); c.json["trigger_id"] != "33.44.dd" {
		t.Errorf("got %v", c.json)
	}
	b.handler.handle = func(context.Context, chat.Action) chat.Answer {
		return chat.Answer{FieldErrors: map[string]string{"code": "Wrong"}}
	}
	s.envelope(typeInteractive, "e-2", submission(map[string]any{"callback_id": "code:1"}, "U1", "1"))
	body, _ := s.acked("e-2").(map[string]any)
	if body["response_action"] != "errors" {
		t.Errorf("got %v", body)
	}
}

// Silence is how Slack is told of a failure, as status 500 is by HTTP.
func TestSocketFormThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{Form: &chat.Form{ID: "code:1", Title: "Code", Submit: "Send"}})
	b.slack.once("views.open", refuses("expired_trigger_id"))
	s, _ := b.two()
	s.envelope(typeInteractive, "e-1", b.press("link:", true))
	b.until("it is counted", func() bool {
		return b.counted("laurel_slack_requests_total", kindPress, outcomeFormFailed) == 1
	})
	if len(s.acks) != 0 {
		t.Errorf("got %v", <-s.acks)
	}
}

func TestSocketEvents(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	s, other := b.two()
	// Whichever connection a repetition comes by, it has one effect.
	s.envelope(typeEvent, "e-1", uninstalled("Ev1"))
	s.acked("e-1")
	other.send(map[string]any{"type": typeEvent, "envelope_id": "e-2", "payload": uninstalled("Ev1"), "retry_attempt": 1, "retry_reason": "timeout"})
	if body := other.acked("e-2"); body != nil {
		t.Errorf("got %v", body)
	}
	want := inbox.Message{Source: "slack", Key: "Ev1", Kind: inbox.KindInstallationRemoved, Payload: "slack:T1"}
	b.stop()
	if got := b.inbox.seen["slackEv1"]; len(b.inbox.seen) != 1 || got != want {
		t.Errorf("stored %v", b.inbox.seen)
	}
	if got := b.counted("laurel_slack_retried_requests_total"); got != 1 {
		t.Errorf("retries: %v", got)
	}
	if got := b.counted("laurel_slack_requests_total", kindEvent, "duplicate"); got != 1 {
		t.Errorf("duplicates: %v", got)
	}
}

func TestSocketEventThatCannotBeStored(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	fail := func(err error) {
		b.inbox.mu.Lock()
		defer b.inbox.mu.Unlock()
		b.inbox.err = err
	}
	fail(errors.New("connection lost"))
	s, _ := b.two()
	s.envelope(typeEvent, "e-1", uninstalled("Ev1"))
	b.until("it is counted", func() bool {
		return b.counted("laurel_slack_requests_total", kindEvent, "not_stored") == 1
	})
	fail(nil)
	s.envelope(typeEvent, "e-2", uninstalled("Ev1"))
	s.acked("e-2")
}

// What cannot be read is acknowledged where that is possible, so that it does
// not come again, and the connection goes on.
func TestSocketNonsense(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	s, _ := b.two()
	s.send(map[string]any{"type": typeCommand, "payload": map[string]any{}})
	s.send(map[string]any{"envelope_id": "e-0"})
	s.send(map[string]any{"type": "weather_report", "envelope_id": "e-1", "payload": "rain"})
	s.acked("e-1")
	s.send(map[string]any{"type": typeCommand, "envelope_id": "e-2", "payload": map[string]any{"text": strings.Repeat("x", maxBody)}})
	s.envelope(typeCommand, "e-3", []string{"secret-text"})
	s.acked("e-3")
	object := b.commandObject("")
	object["response_url"] = "https://evil.example.org/"
	s.envelope(typeCommand, "e-4", object)
	s.acked("e-4")
	s.envelope(typeInteractive, "e-5", map[string]any{"type": "block_actions"})
	s.acked("e-5")
	s.envelope(typeEvent, "e-6", map[string]any{})
	s.acked("e-6")
	if len(b.handler.actions) != 0 {
		t.Error("an action came through")
	}
	b.until("all are counted", func() bool {
		return b.counted("laurel_slack_requests_total", kindEnvelope, "refused_malformed") == 2 &&
			b.counted("laurel_slack_requests_total", kindEnvelope, "refused_too_large") == 1 &&
			b.counted("laurel_slack_requests_total", kindEnvelope, "ignored") == 1 &&
			b.counted("laurel_slack_requests_total", kindCommand, "refused_malformed") == 2 &&
			b.counted("laurel_slack_requests_total", kindInteraction, "refused_malformed") == 1 &&
			b.counted("laurel_slack_requests_total", kindEvent, "refused_malformed") == 1
	})
	for _, secret := range []string{"secret-text", "evil", "secret-ticket", testAppToken.Reveal()} {
		if strings.Contains(b.logs.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// A handler that does not answer delays only its own envelope, and not even
// that for longer than Slack waits.
func TestSocketSlowEnvelope(t *testing.T) {
	t.Parallel()
	b := newSocketBench(t, chat.Answer{})
	release := make(chan struct{})
	b.handler.handle = func(_ context.Context, a chat.Action) chat.Answer {
		if a.Source == chat.SourceCommand {
			<-release
			return chat.Answer{Card: card("Late")}
		}
		return chat.Answer{}
	}
	s, _ := b.two()
	begun := time.Now()
	s.envelope(typeCommand, "slow", b.commandObject(""))
	b.handler.got(t)
	s.envelope(typeInteractive, "quick", b.press("claim:1", true))
	s.acked("quick")
	if body := s.acked("slow"); body != nil {
		t.Errorf("got %v", body)
	}
	if took := time.Since(begun); took > 2700*time.Millisecond {
		t.Errorf("acknowledged after %v", took)
	}
	close(release)
	if c := b.slack.expect("hook"); c.text() != "Late" {
		t.Errorf("got %q", c.text())
	}
}

// Opening a form that Slack does not answer ends before the acknowledgement
// is due.
func TestSlowFormIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Form: &chat.Form{ID: "code:1", Title: "Code", Submit: "Send"}})
	b.slack.once("views.open", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	begun := time.Now()
	if w := b.interact(b.press("link:", true)); w.Code != http.StatusInternalServerError {
		t.Errorf("got status %d", w.Code)
	}
	if took := time.Since(begun); took > 2700*time.Millisecond {
		t.Errorf("acknowledged after %v", took)
	}
}

// A mistake in a decoder ends one envelope, not the process.
func TestSocketPanic(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	b.Adapter.clock = nil
	var acked bool
	b.handleEnvelope(t.Context(), &envelope{Type: typeCommand, EnvelopeID: "e-1", Payload: []byte(`{"team_id":"T1","user_id":"U1","trigger_id":"1"}`)},
		time.Now(), func(string, []byte) error { acked = true; return nil })
	if acked || b.counted("laurel_slack_requests_total", kindCommand, "panicked") != 1 {
		t.Error("the failure is not told")
	}
}
