package slack

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("decode %q: %v", body, err)
	}
	return m
}

func TestCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("List")})
	w := b.command(b.commandForm("link <mailto:a&amp;b@example.org|a&amp;b@example.org>"))
	if w.Code != http.StatusOK {
		t.Fatalf("got status %d", w.Code)
	}
	body := decode(t, w.Body.Bytes())
	if body["response_type"] != "ephemeral" || body["text"] != "List" || body["replace_original"] != nil {
		t.Errorf("got %v", body)
	}
	a := b.handler.got(t)
	if a.Key != "slack:11.22.cc" || a.Workspace != "slack:T1" || a.DisplayName != "ada" || a.Source != chat.SourceCommand {
		t.Errorf("got %+v", a)
	}
	if a.Actor != (core.Identity{Platform: Platform, Tenant: "T1", User: "U1"}) {
		t.Errorf("actor: %+v", a.Actor)
	}
	if a.Verb != chat.VerbLink || a.Arg != "a&b@example.org" {
		t.Errorf("verb %q, arg %q", a.Verb, a.Arg)
	}
	if a.Locale != "de-DE" || a.TimeZone != "Europe/Berlin" {
		t.Errorf("locale %q, zone %q", a.Locale, a.TimeZone)
	}
	if a.Reply.Shown || !a.Reply.EditableUntil.Equal(b.clock.Now().Add(responseURLLife)) || a.MessageKey != "" {
		t.Errorf("reply: %+v", a.Reply)
	}
	b.slack.expect("users.info")
	b.slack.expectNothing()
}

func TestEnterpriseCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	form := b.commandForm("")
	form.Set("enterprise_id", "E1")
	b.command(form)
	if a := b.handler.got(t); a.Actor.Tenant != "T1" {
		t.Errorf("tenant %q", a.Actor.Tenant)
	}
	form.Set("is_enterprise_install", "true")
	b.command(form)
	if a := b.handler.got(t); a.Actor.Tenant != "E1" || a.Workspace != "slack:T1" || a.Team != "slack:T1" {
		t.Errorf("tenant %q, workspace %q", a.Actor.Tenant, a.Workspace)
	}
}

// An answer that takes longer than the platform waits comes by response URL.
func TestLateCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	release := make(chan struct{})
	b.handler.handle = func(context.Context, chat.Action) chat.Answer {
		<-release
		return chat.Answer{Card: card("Late")}
	}
	w := b.command(b.commandForm(""))
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Fatalf("got status %d and %q", w.Code, w.Body)
	}
	close(release)
	c := b.slack.expect("hook")
	if c.text() != "Late" || c.json["replace_original"] != false || c.auth != "" {
		t.Errorf("got %+v", c)
	}
}

func TestLatePostedIsAcknowledged(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	release := make(chan struct{})
	b.handler.handle = func(context.Context, chat.Action) chat.Answer {
		<-release
		return chat.Answer{Posted: true}
	}
	b.interact(b.press("claim:abc", true))
	if len(b.handler.acknowledged) != 0 {
		t.Error("acknowledged too early")
	}
	close(release)
	select {
	case <-b.handler.acknowledged:
	case <-time.After(patience):
		t.Error("not acknowledged")
	}
}

func TestPress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		ephemeral bool
		where     chat.Where
		method    string
		replace   any
	}{
		{"here, ephemeral", true, chat.Here, "hook", true},
		{"aside, ephemeral", true, chat.Aside, "hook", false},
		{"here, message", false, chat.Here, "chat.update", nil},
		{"aside, message", false, chat.Aside, "hook", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, chat.Answer{Card: card("Page"), Where: tt.where})
			w := b.interact(b.press("page:2", tt.ephemeral))
			if w.Code != http.StatusOK || w.Body.Len() != 0 {
				t.Fatalf("got status %d and %q", w.Code, w.Body)
			}
			c := b.slack.expect(tt.method)
			if c.text() != "Page" || c.json["replace_original"] != tt.replace {
				t.Errorf("got %+v", c)
			}
			a := b.handler.got(t)
			if a.Verb != chat.VerbPage || a.Arg != "2" || a.Source != chat.SourcePress || a.Key != "slack:33.44.dd" {
				t.Errorf("got %+v", a)
			}
			if a.MessageKey != "C1:1700000000.000100" || a.Reply.MessageKey != a.MessageKey || !a.Reply.Shown || a.Aside.Shown {
				t.Errorf("places: %+v", a)
			}
			endless := a.Reply.EditableUntil.After(b.clock.Now().AddDate(50, 0, 0))
			if endless == tt.ephemeral {
				t.Errorf("editable until %v", a.Reply.EditableUntil)
			}
		})
	}
}

func TestPostedPress(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Posted: true})
	if w := b.interact(b.press("claim:abc", false)); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Fatalf("got status %d and %q", w.Code, w.Body)
	}
	if len(b.handler.acknowledged) != 1 {
		t.Error("not acknowledged")
	}
	b.slack.expectNothing()
}

func TestSilentInteractions(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("x")})
	link := b.press("open:0", false)
	unknown := b.press("juggle:1", false)
	two := b.press("claim:1", false)
	two["actions"] = append(two["actions"].([]any), two["actions"].([]any)...) //nolint:forcetypeassert // Made above.
	closed := map[string]any{"type": "view_closed", "team": map[string]any{"id": "T1"}, "user": map[string]any{"id": "U1"}}
	other := map[string]any{"type": "dialog_submission"}
	for _, p := range []map[string]any{link, unknown, two, closed, other} {
		if w := b.interact(p); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%v: got status %d", p["type"], w.Code)
		}
	}
	if len(b.handler.actions) != 0 {
		t.Error("an action came through")
	}
}

func codeForm() *chat.Form {
	return &chat.Form{
		ID: "code:v1", Title: "Enter the code", Intro: chat.Plain("We sent it to you."), Submit: "Confirm", Cancel: "Cancel",
		Fields: []chat.Field{{Name: "code", Label: "Code", Kind: chat.FieldDigits, MinLen: 6, MaxLen: 12}},
	}
}

// openForm presses a button that opens a form and returns the view.
func openForm(t *testing.T, b *bench, ephemeral bool) map[string]any {
	t.Helper()
	b.handler.handle = func(context.Context, chat.Action) chat.Answer { return chat.Answer{Form: codeForm()} }
	if w := b.interact(b.press("code:v1", ephemeral)); w.Code != http.StatusOK {
		t.Fatalf("got status %d", w.Code)
	}
	b.handler.got(t)
	c := b.slack.expect("views.open")
	if c.json["trigger_id"] != "33.44.dd" {
		t.Errorf("trigger %v", c.json["trigger_id"])
	}
	view, ok := c.json["view"].(map[string]any)
	if !ok {
		t.Fatal("no view")
	}
	return view
}

func submission(view map[string]any, user, value string) map[string]any {
	return map[string]any{
		"type": "view_submission", "trigger_id": "55.66.ee", "is_enterprise_install": false,
		"team": map[string]any{"id": "T1"}, "user": map[string]any{"id": user, "username": "ada"},
		"view": map[string]any{
			"id": "V1", "hash": "h", "callback_id": view["callback_id"], "private_metadata": view["private_metadata"],
			"state": map[string]any{"values": map[string]any{
				"code":  map[string]any{inputActionID: map[string]any{"type": "plain_text_input", "value": value}},
				"empty": map[string]any{inputActionID: map[string]any{"type": "plain_text_input", "value": nil}},
				"other": map[string]any{"x": map[string]any{"type": "users_select", "selected_user": "U9"}},
			}},
		},
	}
}

func TestFormAndSubmission(t *testing.T) {
	t.Parallel()
	for _, ephemeral := range []bool{true, false} {
		b := newBench(t, chat.Answer{})
		view := openForm(t, b, ephemeral)
		metadata, ok := view["private_metadata"].(string)
		if !ok || strings.Contains(metadata, "hooks") || len(metadata) > 3000 {
			t.Fatalf("private_metadata %v", view["private_metadata"])
		}
		b.handler.handle = func(context.Context, chat.Action) chat.Answer { return chat.Answer{Card: card("Linked")} }
		if w := b.interact(submission(view, "U1", "01234567")); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Fatalf("got status %d and %q", w.Code, w.Body)
		}
		a := b.handler.got(t)
		if a.Source != chat.SourceSubmit || a.Verb != chat.VerbCode || a.Arg != "v1" || a.Key != "slack:55.66.ee" {
			t.Errorf("got %+v", a)
		}
		if len(a.Fields) != 1 || a.Fields["code"] != "01234567" {
			t.Errorf("fields %v", a.Fields)
		}
		if a.MessageKey != "C1:1700000000.000100" {
			t.Errorf("message %q", a.MessageKey)
		}
		method := "chat.update"
		if ephemeral {
			method = "hook"
		}
		if c := b.slack.expect(method); c.text() != "Linked" {
			t.Errorf("got %+v", c)
		}
	}
}

func TestFieldErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	view := openForm(t, b, true)
	b.handler.handle = func(context.Context, chat.Action) chat.Answer {
		return chat.Answer{FieldErrors: map[string]string{"code": "Wrong code."}, Card: card("Wrong")}
	}
	w := b.interact(submission(view, "U1", "1"))
	body := decode(t, w.Body.Bytes())
	errs, _ := body["errors"].(map[string]any)
	if body["response_action"] != "errors" || errs["code"] != "Wrong code." {
		t.Errorf("got %v", body)
	}
	b.slack.expectNothing()
}

// When the response URL died while the form was open, the answer goes
// privately into the same channel.
func TestSubmissionAfterResponseURLDied(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	view := openForm(t, b, true)
	b.clock.add(responseURLLife)
	b.handler.handle = func(context.Context, chat.Action) chat.Answer { return chat.Answer{Card: card("Linked")} }
	b.interact(submission(view, "U1", "1"))
	if c := b.slack.expect("chat.postEphemeral"); c.form.Get("channel") != "C1" || c.form.Get("user") != "U1" {
		t.Errorf("got %v", c.form)
	}
}

// Metadata that is not ours, or somebody else's, leaves a direct message.
func TestSubmissionWithForeignMetadata(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	view := openForm(t, b, true)
	b.handler.handle = func(context.Context, chat.Action) chat.Answer { return chat.Answer{Card: card("Linked")} }
	b.interact(submission(view, "U2", "1"))
	b.slack.expect("chat.postMessage")
	view["private_metadata"] = "forged"
	b.interact(submission(view, "U2", "1"))
	b.slack.expect("chat.postMessage")
}

func TestFormThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Form: codeForm()})
	b.slack.once("views.open", says(http.StatusOK, `{"ok":false,"error":"expired_trigger_id"}`))
	w := b.interact(b.press("code:v1", true))
	if w.Code != http.StatusInternalServerError || w.Header().Get("X-Slack-No-Retry") != "1" {
		t.Errorf("got status %d", w.Code)
	}
	if got := b.counted("laurel_slack_lost_answers_total"); got != 1 {
		t.Errorf("lost: %v", got)
	}
}

func TestAnswerIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("Page")})
	b.slack.once("hook", says(http.StatusInternalServerError, ""))
	b.slack.once("hook", says(http.StatusTooManyRequests, "", "Retry-After", "1"))
	b.interact(b.press("page:2", true))
	for range 3 {
		b.slack.expect("hook")
	}
	if got := b.counted("laurel_slack_lost_answers_total"); got != 0 {
		t.Errorf("lost: %v", got)
	}
}

// An answer that waits for Slack longer than the process may is given up: the
// end of the process is no failure.
func TestWaitingAnswerIsGivenUpAtTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{Card: card("Page")})
	b.patience = time.Millisecond
	b.slack.once("hook", says(http.StatusTooManyRequests, "", "Retry-After", "15"))
	b.interact(b.press("page:2", true))
	b.slack.expect("hook")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.Drain(ctx); err != nil {
		t.Error(err)
	}
	if !strings.Contains(b.logs.String(), "answer not shown") {
		t.Errorf("logged %q", b.logs)
	}
}

func TestPanicInHandler(t *testing.T) {
	t.Parallel()
	b := newBench(t, chat.Answer{})
	b.handler.handle = func(context.Context, chat.Action) chat.Answer { panic("ada@example.org") }
	if w := b.command(b.commandForm("")); w.Code != http.StatusOK {
		t.Errorf("got status %d", w.Code)
	}
	if strings.Contains(b.logs.String(), "ada@") {
		t.Error("the log holds an address")
	}
}
