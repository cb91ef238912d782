package discord

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

func TestActions(t *testing.T) {
	t.Parallel()
	key := "discord:" + snowflakeAt(start)
	who := core.Identity{Platform: "discord", User: testUser}
	base := chat.Action{Key: key, Actor: who, DisplayName: "Ada Example", Workspace: "discord:" + testGuild, Team: "discord:" + testGuild, Locale: "de"}
	with := func(change func(*chat.Action)) chat.Action {
		a := base
		change(&a)
		return a
	}
	asCommand := func(v chat.Verb, arg string) chat.Action {
		return with(func(a *chat.Action) { a.Source, a.Verb, a.Arg = chat.SourceCommand, v, arg })
	}
	asPress := func(v chat.Verb, arg string) chat.Action {
		return with(func(a *chat.Action) {
			a.Source, a.Verb, a.Arg, a.MessageKey = chat.SourcePress, v, arg, testChan+":"+testMsg
		})
	}
	tests := map[string]struct {
		body string
		want chat.Action
	}{
		"list":            {inGuild(2, command(`{"name":"list","type":1}`)), asCommand("list", "")},
		"emails":          {inGuild(2, command(`{"name":"emails","type":1,"options":[]}`)), asCommand("emails", "")},
		"help":            {inGuild(2, command(`{"name":"help","type":1}`)), asCommand("help", "")},
		"link":            {inGuild(2, command(`{"name":"link","type":1,"options":[{"name":"address","type":3,"value":" ada@example.org "}]}`)), asCommand("link", "ada@example.org")},
		"link, no option": {inGuild(2, command(`{"name":"link","type":1}`)), asCommand("link", "")},
		"claim":           {inGuild(2, command(`{"name":"claim","type":1,"options":[{"name":"badge","type":3,"value":"b1\u0000"}]}`)), asCommand("claim", "b1")},
		"unknown word":    {inGuild(2, command(`{"name":"dance","type":1}`)), asCommand("help", "dance")},
		"no subcommand":   {inGuild(2, command("")), asCommand("help", "")},
		"other command":   {inGuild(2, `,"data":{"name":"other","type":1}`), asCommand("help", "")},
		"complete": {
			inGuild(4, command(`{"name":"claim","type":1,"options":[{"name":"badge","type":3,"value":"Clo","focused":true}]}`)),
			with(func(a *chat.Action) { a.Source, a.Verb, a.Arg = chat.SourceComplete, "claim", "Clo" }),
		},
		"share": {inGuild(2, command(`{"name":"share","type":1,"options":[{"name":"badge","type":3,"value":"b1"}]}`)), asCommand("share", "b1")},
		"complete share": {
			inGuild(4, command(`{"name":"share","type":1,"options":[{"name":"badge","type":3,"value":"Clo","focused":true}]}`)),
			with(func(a *chat.Action) { a.Source, a.Verb, a.Arg = chat.SourceComplete, "share", "Clo" }),
		},
		"verify": {
			inGuild(2, `,"data":{"id":"9","name":"badges","type":1,"resolved":{"attachments":{"77":`+aFile+`}},"options":[{"name":"verify","type":1,"options":[{"name":"link","type":3,"value":"https://example.org/x"},{"name":"file","type":11,"value":"77"}]}]}`),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Arg, a.Files = chat.SourceCommand, "verify", "https://example.org/x", []chat.FileRef{theFile()}
			}),
		},
		"verify, nothing": {inGuild(2, command(`{"name":"verify","type":1}`)), asCommand("verify", "")},
		"verify, file not told": {
			inGuild(2, command(`{"name":"verify","type":1,"options":[{"name":"file","type":11,"value":"77"}]}`)),
			with(func(a *chat.Action) { a.Source, a.Verb, a.Files = chat.SourceCommand, "verify", []chat.FileRef{{}} }),
		},
		"verify a message": {
			inGuild(2, onMessageMenu(`{"content":"see <https://example.org/1>","attachments":[`+aFile+`]}`)),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Links, a.Files = chat.SourcePress, "verify", []string{"https://example.org/1"}, []chat.FileRef{theFile()}
			}),
		},
		"press":           {inGuild(3, press("claim:b-1", flagEphemeral)), asPress("claim", "b-1")},
		"press, old id":   {inGuild(3, press("dance:b-1", 0)), asPress("help", "")},
		"press, no colon": {inGuild(3, press("x", 0)), asPress("help", "")},
		"submit, labels": {
			inGuild(5, submit("link:", `{"type":10,"id":1},{"type":18,"id":2,"component":{"type":4,"custom_id":"address","value":"ada@example.org"}}`)),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Fields = chat.SourceSubmit, "link", map[string]string{"address": "ada@example.org"}
			}),
		},
		"submit, rows": {
			inGuild(5, submit("code:v1", `{"type":1,"components":[{"type":4,"custom_id":"code","value":"12345678"}]},{"type":18,"component":{"type":23,"custom_id":"x","value":true}}`)+onMsg(0)),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Arg, a.Fields = chat.SourceSubmit, "code", "v1", map[string]string{"code": "12345678"}
				a.MessageKey = testChan + ":" + testMsg
			}),
		},
		"direct message": {
			inDM(2, command(`{"name":"list","type":1}`)),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Workspace, a.Team, a.Locale = chat.SourceCommand, "list", "discord:dm", "", "es-ES"
			}),
		},
		"home": {inGuild(2, command(`{"name":"home","type":1}`)), asCommand("home", "")},
		"manager": {
			strings.Replace(inGuild(2, command(`{"name":"status","type":1}`)), `"permissions":"0"`, `"permissions":"32"`, 1),
			with(func(a *chat.Action) { a.Source, a.Verb, a.Manager = chat.SourceCommand, "status", true }),
		},
		"manager of a server without the app": {
			strings.Replace(strings.Replace(inGuild(2, command(`{"name":"status","type":1}`)), `"permissions":"0"`, `"permissions":"32"`, 1),
				`"authorizing_integration_owners":{"0":"`+testGuild+`"}`, `"authorizing_integration_owners":{"1":"`+testUser+`"}`, 1),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Workspace, a.Team = chat.SourceCommand, "status", "discord:dm", ""
			}),
		},
		"another server's installation": {
			strings.Replace(inGuild(2, command(`{"name":"list","type":1}`)), `{"0":"`+testGuild+`"}`, `{"0":"1","1":"`+testUser+`"}`, 1),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Workspace, a.Team = chat.SourceCommand, "list", "discord:dm", ""
			}),
		},
		"installation of no kind": {
			strings.Replace(inGuild(2, command(`{"name":"list","type":1}`)), `{"0":"`+testGuild+`"}`, `{"0":[7]}`, 1),
			with(func(a *chat.Action) {
				a.Source, a.Verb, a.Workspace, a.Team = chat.SourceCommand, "list", "discord:dm", ""
			}),
		},
		"no display name": {
			strings.Replace(inGuild(2, command(`{"name":"list","type":1}`)), `"Ada Example"`, "null", 1),
			with(func(a *chat.Action) { a.Source, a.Verb, a.DisplayName = chat.SourceCommand, "list", "ada" }),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Posted: true} })
			f := newFixture(t, h)
			f.exchange(t, tt.body)
			got := receive(t, h.actions)
			got.Reply, got.Aside = core.Place{}, core.Place{}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	end := start.Add(15*time.Minute - 20*time.Second)
	group := strings.Replace(inDM(3, press("help:", 0)), `"context":1`, `"context":2`, 1)
	tests := map[string]struct {
		body     string
		kind     refKind
		shown    bool
		editable time.Time
	}{
		"command":              {inGuild(2, command(`{"name":"list","type":1}`)), refOriginal, false, end},
		"form from a command":  {inGuild(5, submit("link:", "")), refOriginal, false, end},
		"press, ephemeral":     {inGuild(3, press("help:", flagEphemeral)), refOriginal, true, end},
		"press in a channel":   {inGuild(3, press("help:", 0)), refOriginal, true, end},
		"press in a DM":        {inDM(3, press("help:", 0)), refMessage, true, start.Add(messageLife)},
		"press, ephemeral DM":  {inDM(3, press("help:", flagEphemeral)), refOriginal, true, end},
		"press in a group":     {group, refOriginal, true, end},
		"form from a DM":       {inDM(5, submit("link:", "")+onMsg(flagComponentsV2)), refMessage, true, start.Add(messageLife)},
		"form from a message ": {inGuild(5, submit("link:", "")+onMsg(flagEphemeral)), refOriginal, true, end},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Posted: true} })
			f := newFixture(t, h)
			f.exchange(t, tt.body)
			a := receive(t, h.actions)
			r, err := openRef(a.Reply.Ref)
			if err != nil {
				t.Fatal(err)
			}
			if r.Kind != tt.kind || a.Reply.Shown != tt.shown || !a.Reply.EditableUntil.Equal(tt.editable) {
				t.Errorf("reply at %d, shown %v, until %v", r.Kind, a.Reply.Shown, a.Reply.EditableUntil)
			}
			if tt.shown && a.Reply.MessageKey != testChan+":"+testMsg {
				t.Errorf("message key %q", a.Reply.MessageKey)
			}
			aside, err := openRef(a.Aside.Ref)
			if err != nil || aside.Kind != refFollowup || a.Aside.Shown || !a.Aside.EditableUntil.Equal(end) {
				t.Errorf("aside %+v, %v", a.Aside, err)
			}
		})
	}
}

var (
	aCommand  = inGuild(2, command(`{"name":"list","type":1}`))
	aPress    = inGuild(3, press("claim:b1", flagEphemeral))
	aSubmit   = inGuild(5, submit("link:", `{"type":18,"component":{"type":4,"custom_id":"address","value":"x"}}`))
	aPressed  = inGuild(5, submit("code:1", `{"type":18,"component":{"type":4,"custom_id":"code","value":"1"}}`)+onMsg(flagEphemeral))
	aComplete = inGuild(4, command(`{"name":"claim","type":1,"options":[{"name":"badge","type":3,"value":"","focused":true}]}`))
)

func testAnswers() map[string]chat.Answer {
	card := &chat.Card{Title: "Hello", Text: chat.Plain("World")}
	return map[string]chat.Answer{
		"zero":   {},
		"posted": {Posted: true},
		"here":   {Card: card},
		"aside":  {Card: card, Where: chat.Aside},
		"form": {Form: &chat.Form{
			ID: "code:1", Title: "Code", Intro: chat.Plain("From the mail"),
			Fields: []chat.Field{{Name: "code", Label: "Code", Hint: "Eight digits", Kind: chat.FieldDigits, MinLen: 8, MaxLen: 8}},
		}},
		"errors":  {Card: card, FieldErrors: map[string]string{"code": "Wrong"}},
		"choices": {Choices: []chat.Choice{{Name: "Go", Value: "b1"}}},
	}
}

func TestCallbacksInTime(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{"command": aCommand, "press": aPress, "submit": aSubmit, "pressed": aPressed, "complete": aComplete}
	want := map[string]map[string]int{
		"command":  {"zero": 5, "posted": 5, "here": 4, "aside": 4, "form": 9},
		"press":    {"zero": 6, "posted": 6, "here": 7, "aside": 4, "form": 9},
		"submit":   {"zero": 5, "posted": 5, "here": 4, "aside": 4, "form": 4, "errors": 4},
		"pressed":  {"zero": 6, "posted": 6, "here": 7, "aside": 4, "form": 4, "errors": 4},
		"complete": {"zero": 8, "choices": 8},
	}
	for source, answers := range want {
		for name, typ := range answers {
			t.Run(source+" "+name, func(t *testing.T) {
				t.Parallel()
				h := newTestHandler(func(chat.Action) chat.Answer { return testAnswers()[name] })
				f := newFixture(t, h)
				cb := f.exchange(t, bodies[source])
				if cb["type"] != float64(typ) {
					t.Fatalf("callback %v, want %d", cb["type"], typ)
				}
				data, _ := cb["data"].(map[string]any)
				switch typ {
				case callbackMessage:
					if data["flags"] != float64(flagEphemeral|flagComponentsV2) {
						t.Errorf("flags %v", data["flags"])
					}
				case callbackDeferred:
					if data["flags"] != float64(flagEphemeral) {
						t.Errorf("flags %v", data["flags"])
					}
				}
				if typ == callbackMessage || typ == callbackUpdate {
					if m, _ := data["allowed_mentions"].(map[string]any); m == nil || len(m["parse"].([]any)) != 0 {
						t.Errorf("allowed mentions %v", data["allowed_mentions"])
					}
				}
				if name == "posted" {
					receive(t, h.acked)
				}
				if name == "zero" && typ == callbackDeferred {
					// "Is thinking" must not stand there for ever.
					c := receive(t, f.api.seen)
					if c.method != http.MethodDelete || !strings.HasSuffix(c.path, testHook+"/messages/@original") {
						t.Errorf("call %s %s", c.method, c.path)
					}
				}
			})
		}
	}
}

func TestAnswersTooLate(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"command": aCommand, "press": aPress, "submit": aSubmit, "pressed": aPressed,
		"dm": inDM(3, press("claim:b1", flagComponentsV2)), "complete": aComplete,
	}
	const original = "PATCH @original"
	want := map[string]map[string]string{
		"command":  {"zero": "DELETE @original", "posted": "ack", "here": original, "aside": original, "form": original},
		"submit":   {"zero": "DELETE @original", "posted": "ack", "here": original, "errors": original, "form": original},
		"press":    {"zero": "", "posted": "ack", "here": original, "aside": "POST", "form": "POST"},
		"pressed":  {"here": original, "aside": "POST", "errors": "POST"},
		"dm":       {"here": "PATCH bot", "aside": "POST"},
		"complete": {"choices": ""},
	}
	deferredAs := map[string]float64{"command": 5, "submit": 5, "press": 6, "pressed": 6, "dm": 6, "complete": 8}
	for source, answers := range want {
		for name, next := range answers {
			t.Run(source+" "+name, func(t *testing.T) {
				t.Parallel()
				release := make(chan struct{})
				h := newTestHandler(func(chat.Action) chat.Answer {
					<-release
					return testAnswers()[name]
				})
				f := newFixture(t, h)
				f.answerWithin = 5 * time.Millisecond
				cb := f.exchange(t, bodies[source])
				if cb["type"] != deferredAs[source] {
					t.Errorf("callback %v", cb["type"])
				}
				close(release)
				if next == "ack" {
					receive(t, h.acked)
					return
				}
				if next == "" {
					if err := f.Drain(t.Context()); err != nil || len(f.api.all()) != 0 {
						t.Errorf("calls %v, %v", f.api.all(), err)
					}
					return
				}
				c := receive(t, f.api.seen)
				method, where, _ := strings.Cut(next, " ")
				if c.method != method {
					t.Errorf("%s %s, want %s", c.method, c.path, next)
				}
				switch where {
				case "bot":
					if !strings.HasSuffix(c.path, "/channels/"+testChan+"/messages/"+testMsg) || c.auth != "Bot "+testToken {
						t.Errorf("%s with %q", c.path, c.auth)
					}
					checkSchema(t, "MessageEditRequestPartial", c.body)
				case "@original":
					if !strings.HasSuffix(c.path, "/webhooks/"+testApp+"/"+testHook+"/messages/@original") || c.auth != "" {
						t.Errorf("%s with %q", c.path, c.auth)
					}
					if method == http.MethodPatch {
						checkSchema(t, "IncomingWebhookUpdateRequestPartial", c.body)
					}
				default:
					if !strings.HasSuffix(c.path, "/webhooks/"+testApp+"/"+testHook) || c.auth != "" {
						t.Errorf("%s with %q", c.path, c.auth)
					}
					checkSchema(t, "IncomingWebhookRequestPartial", c.body)
				}
			})
		}
	}
}

// A late answer may overtake the acknowledgement at Discord.
func TestLateAnswerIsRepeated(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := newTestHandler(func(chat.Action) chat.Answer {
		<-release
		return testAnswers()["here"]
	})
	f := newFixture(t, h)
	f.answerWithin = 5 * time.Millisecond
	n := 0
	f.api.answer = func(call) (int, map[string]string, string) {
		if n++; n < 3 {
			return 404, nil, `{"message":"Unknown Webhook","code":10015}`
		}
		return 0, nil, ""
	}
	f.exchange(t, aCommand)
	close(release)
	if err := f.Drain(t.Context()); err != nil || len(f.api.all()) != 3 || f.logs.String() != "" {
		t.Errorf("%d calls, %v, %s", len(f.api.all()), err, f.logs)
	}
}

// An answer that waits for Discord longer than the process may is given up:
// the end of the process is no failure.
func TestWaitingAnswerIsGivenUpAtTheEnd(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	f := newFixture(t, newTestHandler(func(chat.Action) chat.Answer {
		<-release
		return testAnswers()["here"]
	}))
	f.answerWithin, f.patience = 5*time.Millisecond, time.Millisecond
	asked := make(chan struct{}, 1)
	f.api.answer = func(call) (int, map[string]string, string) {
		asked <- struct{}{}
		return http.StatusTooManyRequests, map[string]string{"Retry-After": "15"}, `{"message":"slow","retry_after":15,"global":false}`
	}
	f.exchange(t, aCommand)
	close(release)
	receive(t, asked)
	ctx, cancel := context.WithTimeout(t.Context(), waitToFail)
	defer cancel()
	if err := f.Drain(ctx); err != nil {
		t.Error(err)
	}
	if !strings.Contains(f.logs.String(), "answer lost") {
		t.Errorf("logged %q", f.logs)
	}
}

func TestLateFormBecomesCard(t *testing.T) {
	t.Parallel()
	cb := immediate(chat.Action{Source: chat.SourceSubmit}, testAnswers()["form"])
	data, err := json.Marshal(cb)
	if err != nil || cb.Type != callbackMessage || !strings.Contains(string(data), `"custom_id":"code:1"`) {
		t.Errorf("callback %s, %v", data, err)
	}
}

func TestCompletions(t *testing.T) {
	t.Parallel()
	var choices []chat.Choice
	for range 30 {
		choices = append(choices, chat.Choice{Name: strings.Repeat("é", 130), Value: "v"})
	}
	choices = append([]chat.Choice{{Name: "", Value: "v"}, {Name: "n", Value: strings.Repeat("v", 101)}}, choices...)
	cb := immediate(chat.Action{Source: chat.SourceComplete}, chat.Answer{Choices: choices})
	data, err := json.Marshal(cb)
	if err != nil {
		t.Fatal(err)
	}
	checkCallback(t, data)
	if got := cb.Data.(completions).Choices; len(got) != 25 || len([]rune(got[0].Name)) != 100 {
		t.Errorf("%d choices", len(got))
	}
}
