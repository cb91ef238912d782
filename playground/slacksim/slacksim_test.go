package slacksim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

const (
	ada  = "U000000ADA"
	bert = "U00000BERT"
	team = "C000000001"
)

// start runs a workspace with two people and one channel.
func start(t *testing.T, change func(*slacksim.Config)) (*slacksim.Server, *slack.Client) {
	t.Helper()
	cfg := slacksim.Config{Clock: simclock.New()}
	if change != nil {
		change(&cfg)
	}
	sim, err := slacksim.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	sim.AddUser(slacksim.User{ID: ada, Name: "ada", Locale: "de-DE", TZ: "Europe/Berlin", Email: "ada@example.org"})
	sim.AddUser(slacksim.User{ID: bert, Name: "bert"})
	sim.AddChannel(team, "team", ada, bert, sim.Config().BotUserID)
	return sim, client(sim, sim.Config().BotToken)
}

func client(sim *slacksim.Server, token string) *slack.Client {
	return slack.New(token, slack.OptionAPIURL(sim.APIURL()), slack.OptionHTTPClient(&http.Client{Timeout: 10 * time.Second}))
}

func code(err error) string {
	var e slack.SlackErrorResponse
	if errors.As(err, &e) {
		return e.Err
	}
	return fmt.Sprint(err)
}

func TestPostUpdateDelete(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	ctx := t.Context()
	meta := slack.SlackMetadata{EventType: "note", EventPayload: map[string]any{"key": "k1"}}
	channel, ts, err := api.PostMessageContext(ctx, ada, slack.MsgOptionText("hello", false), slack.MsgOptionMetadata(meta),
		slack.MsgOptionBlocks(slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "*hello*", false, false), nil, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if channel != sim.DM(ada) || !strings.HasPrefix(channel, "D") {
		t.Errorf("posted to %q, want the conversation %q", channel, sim.DM(ada))
	}
	m := sim.Messages(channel, ada)[0]
	if m.Text != "hello" || m.TS != ts || !strings.Contains(string(m.Metadata), `"k1"`) || !strings.Contains(string(m.Blocks), "block_id") {
		t.Errorf("stored %+v", m)
	}
	if _, _, _, err := api.UpdateMessageContext(ctx, channel, ts, slack.MsgOptionText("changed", false)); err != nil {
		t.Fatal(err)
	}
	m = sim.Messages(channel, ada)[0]
	if m.Text != "changed" || !m.Edited || m.Revision != 1 || m.Blocks == nil || m.Metadata == nil {
		t.Errorf("after the edit %+v", m)
	}
	if _, _, err := api.DeleteMessageContext(ctx, channel, ts); err != nil {
		t.Fatal(err)
	}
	if m := sim.Messages(channel, ada)[0]; !m.Deleted {
		t.Error("not marked deleted")
	}
	_, _, _, err = api.UpdateMessageContext(ctx, channel, ts, slack.MsgOptionText("x", false))
	if code(err) != "message_not_found" {
		t.Errorf("update of a deleted message: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	sim.AddChannel("C0000OTHER", "other", ada)
	sim.AddPrivateChannel("C000SECRET", "secret", ada)
	ctx := t.Context()
	post := func(channel string, opts ...slack.MsgOption) error {
		_, _, err := api.PostMessageContext(ctx, channel, opts...)
		return err
	}
	text := slack.MsgOptionText("x", false)
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"unknown channel", post("C999", text), "channel_not_found"},
		{"not a member", post("C0000OTHER", text), "not_in_channel"},
		{"private", post("C000SECRET", text), "channel_not_found"},
		{"no text", post(team), "no_text"},
		{"too long", post(team, slack.MsgOptionText(strings.Repeat("x", 40001), false)), "msg_too_long"},
		{"bad blocks", post(team, text, slack.MsgOptionBlocks(slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", strings.Repeat("x", 151), false, false)))), "invalid_blocks"},
	}
	_, err := api.PostEphemeralContext(ctx, team, "U0STRANGER", text)
	tests = append(tests, struct {
		name string
		err  error
		want string
	}{"ephemeral to a stranger", err, "user_not_in_channel"})
	_, err = api.GetUserInfoContext(ctx, "U0STRANGER")
	tests = append(tests, struct {
		name string
		err  error
		want string
	}{"unknown user", err, "user_not_found"})
	_, err = api.OpenViewContext(ctx, "1.2.3", slack.ModalViewRequest{Type: "modal", Title: slack.NewTextBlockObject("plain_text", "x", false, false), Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}})
	tests = append(tests, struct {
		name string
		err  error
		want string
	}{"unknown trigger", err, "invalid_trigger_id"})
	for _, tt := range tests {
		if got := code(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	var e slack.SlackErrorResponse
	if errors.As(tests[5].err, &e) && (len(e.ResponseMetadata.Messages) != 1 || !strings.Contains(e.ResponseMetadata.Messages[0], "[json-pointer:/blocks/0/text/text]")) {
		t.Errorf("explained as %q", e.ResponseMetadata.Messages)
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	ctx := t.Context()
	who, err := api.AuthTestContext(ctx)
	if err != nil || who.UserID != sim.Config().BotUserID || who.BotID != sim.Config().BotID {
		t.Errorf("auth.test: %+v, %v", who, err)
	}
	if _, err := client(sim, "xoxb-wrong").AuthTestContext(ctx); code(err) != "invalid_auth" {
		t.Errorf("wrong token: %v", err)
	}
	if got := call(t, sim, "auth.test", "", `{}`); got["error"] != "not_authed" {
		t.Errorf("no token: %v", got)
	}
	if got := call(t, sim, "auth.test", sim.Config().BotToken, `{}`); got["ok"] != true || got["warning"] != "missing_charset" {
		t.Errorf("json: %v", got)
	}
	if got := call(t, sim, "no.such", sim.Config().BotToken, `{}`); got["error"] != "unknown_method" {
		t.Errorf("unknown method: %v", got)
	}
	if got := call(t, sim, "chat.postMessage", sim.Config().BotToken, `{`); got["error"] != "invalid_json" {
		t.Errorf("broken JSON: %v", got)
	}
	if got := call(t, sim, "chat.postMessage", sim.Config().BotToken, `{"channel":"`+team+`","text":1,"blocks":[{"type":"divider"}]}`); got["ok"] != true {
		t.Errorf("json message: %v", got)
	}
	sim.SetEventsURL(sim.URL() + "/nowhere")
	if _, err := sim.RevokeTokens(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := api.AuthTestContext(ctx); code(err) != "token_revoked" {
		t.Errorf("revoked: %v", err)
	}
	if _, err := sim.Uninstall(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := api.AuthTestContext(ctx); code(err) != "account_inactive" {
		t.Errorf("uninstalled: %v", err)
	}
	sim.Reinstall()
	if _, err := api.AuthTestContext(ctx); err != nil {
		t.Errorf("reinstalled: %v", err)
	}
}

func call(t *testing.T, sim *slacksim.Server, method, token, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sim.APIURL()+method, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Header.Get("X-OAuth-Scopes") == "" {
		t.Error("no X-OAuth-Scopes")
	}
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScopes(t *testing.T) {
	t.Parallel()
	_, api := start(t, nil)
	ctx := t.Context()
	u, err := api.GetUserInfoContext(ctx, ada)
	if err != nil || u.Locale != "de-DE" || u.TZ != "Europe/Berlin" || u.Profile.Email != "" {
		t.Errorf("users.info: %+v, %v", u, err)
	}
	u, err = api.GetUserInfoContext(ctx, ada, slack.GetUserInfoOptionIncludeLocale(false))
	if err != nil || u.Locale != "" {
		t.Errorf("users.info without locale: %q, %v", u.Locale, err)
	}
	c, _, already, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{ada}})
	if err != nil || already {
		t.Fatalf("open: %v, already %t", err, already)
	}
	_, err = api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: c.ID})
	var e slack.SlackErrorResponse
	if !errors.As(err, &e) || e.Err != "missing_scope" || e.Needed != "im:history" || !strings.Contains(e.Provided, "chat:write") {
		t.Errorf("history: %+v", err)
	}

	_, api = start(t, func(c *slacksim.Config) {
		c.Scopes = []string{"chat:write", "im:history", "im:write", "users:read", "users:read.email"}
	})
	if u, err := api.GetUserInfoContext(ctx, ada); err != nil || u.Profile.Email != "ada@example.org" {
		t.Errorf("email: %v, %v", u, err)
	}
	var channel string
	var stamps []string
	for i := range 3 {
		var ts string
		channel, ts, err = api.PostMessageContext(ctx, ada, slack.MsgOptionText(fmt.Sprint("m", i), false),
			slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "note", EventPayload: map[string]any{"n": i}}))
		if err != nil {
			t.Fatal(err)
		}
		stamps = append(stamps, ts)
	}
	page, err := api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: channel, Limit: 2, IncludeAllMetadata: true})
	if err != nil || len(page.Messages) != 2 || !page.HasMore || page.Messages[0].Text != "m2" || page.Messages[0].Metadata.EventType != "note" {
		t.Fatalf("first page: %+v, %v", page, err)
	}
	page, err = api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: channel, Limit: 2, Cursor: page.ResponseMetaData.NextCursor})
	if err != nil || len(page.Messages) != 1 || page.HasMore || page.Messages[0].Text != "m0" || page.Messages[0].Metadata.EventType != "" {
		t.Errorf("second page: %+v, %v", page, err)
	}
	page, err = api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: channel, Oldest: stamps[0], Latest: stamps[2]})
	if err != nil || len(page.Messages) != 1 || page.Messages[0].Text != "m1" {
		t.Errorf("between: %+v, %v", page, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	ctx := t.Context()
	post := func() error {
		_, _, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false))
		return err
	}
	count := func() int { return len(sim.Messages(team, ada)) }
	seconds := 30
	limited := sim.Fail(slacksim.Fault{Method: "chat.postMessage", Times: 2, Status: 429, RetryAfter: &seconds})
	for range 2 {
		var rate *slack.RateLimitedError
		if err := post(); !errors.As(err, &rate) || rate.RetryAfter != 30*time.Second {
			t.Errorf("429: %v", err)
		}
	}
	if limited.Served() != 2 {
		t.Errorf("served %d", limited.Served())
	}
	sim.Fail(slacksim.Fault{Method: "*", Status: 503})
	var status slack.StatusCodeError
	if err := post(); !errors.As(err, &status) || status.Code != 503 {
		t.Errorf("503: %v", err)
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", Error: "fatal_error"})
	if err := post(); code(err) != "fatal_error" {
		t.Errorf("fatal_error: %v", err)
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", DropBefore: true})
	if err := post(); err == nil || count() != 0 {
		t.Errorf("cut before: %v, %d messages", err, count())
	}
	sim.Fail(slacksim.Fault{Method: "chat.postMessage", DropAnswer: true})
	if err := post(); err == nil || count() != 1 {
		t.Errorf("cut after: %v, %d messages", err, count())
	}
	if err := post(); err != nil || count() != 2 {
		t.Errorf("afterwards: %v, %d messages", err, count())
	}
	if n := sim.FaultsServed("*"); n != 6 {
		t.Errorf("%d faults served", n)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	_, api := start(t, func(c *slacksim.Config) { c.EnforceRateLimit, c.Clock = true, clock })
	post := func(to string) error {
		_, _, err := api.PostMessageContext(t.Context(), to, slack.MsgOptionText("x", false))
		return err
	}
	for range 3 {
		if err := post(team); err != nil {
			t.Fatal(err)
		}
	}
	var rate *slack.RateLimitedError
	if err := post(team); !errors.As(err, &rate) || rate.RetryAfter != time.Second {
		t.Errorf("fourth: %v", err)
	}
	if err := post(ada); err != nil {
		t.Errorf("another channel: %v", err)
	}
	clock.Advance(time.Second)
	if err := post(team); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

func TestPublishedSignature(t *testing.T) {
	t.Parallel()
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	got := slacksim.Signature("8f742231b10e8888abcd99yyyzzz85a5", 1531420618, []byte(body))
	if want := "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("got %s", got)
	}
}

// app is a tiny app: it checks every signature with slack-go and hands what
// it gets to the functions a test sets.
type app struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	command  func(slack.SlashCommand) any
	interact func(slack.InteractionCallback) any
	requests []*http.Request
	bodies   [][]byte
}

func newApp(t *testing.T, sim *slacksim.Server) *app {
	t.Helper()
	a := &app{t: t}
	a.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		verifier, err := slack.NewSecretsVerifier(r.Header, sim.Config().SigningSecret)
		if err == nil {
			_, _ = verifier.Write(body)
			err = verifier.Ensure()
		}
		if err != nil {
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		a.mu.Lock()
		a.requests, a.bodies = append(a.requests, r), append(a.bodies, body)
		command, interact := a.command, a.interact
		a.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		var answer any
		switch r.URL.Path {
		case "/commands":
			c, err := slack.SlashCommandParse(r)
			if err != nil {
				http.Error(w, "bad command", http.StatusBadRequest)
				return
			}
			answer = command(c)
		case "/interactions":
			c, err := slack.InteractionCallbackParse(r)
			if err != nil {
				http.Error(w, "bad interaction", http.StatusBadRequest)
				return
			}
			answer = interact(c)
		default:
			var e struct{ Challenge string }
			_ = json.Unmarshal(body, &e)
			_, _ = io.WriteString(w, e.Challenge)
			return
		}
		switch v := answer.(type) {
		case nil:
		case string:
			_, _ = io.WriteString(w, v)
		case int:
			w.WriteHeader(v)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v)
		}
	}))
	t.Cleanup(a.server.Close)
	sim.SetCommandsURL(a.server.URL + "/commands")
	sim.SetInteractionsURL(a.server.URL + "/interactions")
	sim.SetEventsURL(a.server.URL + "/events")
	return a
}

func (a *app) on(command func(slack.SlashCommand) any, interact func(slack.InteractionCallback) any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.command, a.interact = command, interact
}

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject("plain_text", s, false, false)
}

func claimBlocks() slack.Blocks {
	return slack.Blocks{BlockSet: []slack.Block{
		slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "One badge is waiting", false, false), nil, nil),
		slack.NewActionBlock("", slack.NewButtonBlockElement("claim:1", "v1", plain("Claim"))),
	}}
}

func TestJourney(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	a := newApp(t, sim)
	ctx := t.Context()
	a.on(func(c slack.SlashCommand) any {
		if c.Text == "plain" {
			return "just text"
		}
		if c.Text == "loud" {
			return map[string]any{"response_type": "in_channel", "text": "for all"}
		}
		return map[string]any{"response_type": "ephemeral", "text": "Your badges", "blocks": claimBlocks()}
	}, func(c slack.InteractionCallback) any {
		switch c.Type {
		case slack.InteractionTypeBlockActions:
			if c.Container.Type == "message" && c.Container.IsEphemeral && c.Message.Timestamp != "" {
				t.Error("an ephemeral message is in the payload")
			}
			if _, _, err := api.PostMessageContext(ctx, "", slack.MsgOptionReplaceOriginal(c.ResponseURL), slack.MsgOptionText("Ready", false), slack.MsgOptionResponseURL(c.ResponseURL, "ephemeral")); err != nil {
				t.Errorf("replace: %v", err)
			}
			_, err := api.OpenViewContext(ctx, c.TriggerID, slack.ModalViewRequest{
				Type: "modal", Title: plain("Your address"), Submit: plain("Send"), CallbackID: "link",
				Blocks: slack.Blocks{BlockSet: []slack.Block{
					slack.NewInputBlock("mail", plain("E-mail"), nil, slack.NewEmailTextInputBlockElement(nil, "address")),
				}},
			})
			if err != nil {
				t.Errorf("views.open: %v", err)
			}
			if _, err := api.OpenViewContext(ctx, c.TriggerID, slack.ModalViewRequest{Type: "modal", Title: plain("x"), Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewDividerBlock()}}}); code(err) != "exchanged_trigger_id" {
				t.Errorf("trigger used twice: %v", err)
			}
		case slack.InteractionTypeViewSubmission:
			value := c.View.State.Values["mail"]["address"].Value
			if value == "taken@example.org" {
				return slack.NewErrorsViewSubmissionResponse(map[string]string{"mail": "use another"})
			}
			if _, _, err := api.PostMessageContext(ctx, c.User.ID, slack.MsgOptionText("linked "+value, false)); err != nil {
				t.Errorf("post: %v", err)
			}
		}
		return nil
	})

	h := slacktest.New(t, sim)
	p := h.As(ada).In(team)
	shown := p.Command("/badges", "").ExpectEphemeral("One badge is waiting", "Claim")
	if got := sim.Messages(team, bert); len(got) != 0 {
		t.Errorf("somebody else sees %d ephemeral messages", len(got))
	}
	shown.Press("Claim").ExpectEdit("Ready")
	form := p.Modal("Your address").SubmitExpectingError("required")
	form.Fill("E-mail", "nonsense").SubmitExpectingError("valid email")
	form.Fill("E-mail", "taken@example.org").SubmitExpectingError("use another")
	form.Fill("E-mail", "ada@example.org").Submit().ExpectNoModal().ExpectDM("linked ada@example.org")
	p.Command("/badges", "plain").ExpectEphemeral("just text")
	p.Command("/badges", "loud")
	h.As(bert).In(team).ExpectMessage("for all")

	// Somebody else presses on the first message, as it was.
	if _, err := sim.Press(ctx, bert, shown.Ref(), "Claim"); !errors.Is(err, slacksim.ErrNotFound) && !errors.Is(err, slacksim.ErrNotVisible) {
		t.Errorf("press on an invisible message: %v", err)
	}
	shown.PressedBy(bert, "claim:1")
	if got := sim.Views(bert); len(got) != 1 {
		t.Errorf("forged press opened %d views", len(got))
	}
}

func TestResponseURLRules(t *testing.T) {
	t.Parallel()
	clock := simclock.New()
	sim, api := start(t, func(c *slacksim.Config) { c.Clock = clock })
	a := newApp(t, sim)
	ctx := t.Context()
	a.on(func(slack.SlashCommand) any { return nil }, func(slack.InteractionCallback) any { return nil })
	send := func(url string, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
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

	// A command has no original: replacing posts anew, and five uses are all.
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := send(res.ResponseURL, `{"text":"x","blocks":[{"type":"nonsense"}]}`); status != 400 || !strings.Contains(body, "invalid_blocks") {
		t.Errorf("invalid blocks: %d %s", status, body)
	}
	for i := range 5 {
		if status, body := send(res.ResponseURL, `{"text":"x","replace_original":true}`); status != 200 {
			t.Errorf("use %d: %d %s", i, status, body)
		}
	}
	if n := len(sim.Messages(team, ada)); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}
	if status, body := send(res.ResponseURL, `{"text":"x"}`); status != 404 || !strings.Contains(body, "used_url") {
		t.Errorf("sixth use: %d %s", status, body)
	}

	// Thirty minutes.
	res, err = sim.Command(ctx, ada, team, "/badges", "")
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(29 * time.Minute)
	if status, _ := send(res.ResponseURL, `{"text":"x","response_type":"in_channel"}`); status != 200 {
		t.Errorf("after 29 minutes: %d", status)
	}
	clock.Advance(2 * time.Minute)
	if status, body := send(res.ResponseURL, `{"text":"x"}`); status != 404 || !strings.Contains(body, "expired_url") {
		t.Errorf("after 31 minutes: %d %s", status, body)
	}
	if status, _ := send(sim.URL()+"/response/commands/T/1/unknown", `{"text":"x"}`); status != 404 {
		t.Errorf("unknown: %d", status)
	}

	// A press replaces and deletes the very message.
	channel, ts, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("x", false), slack.MsgOptionBlocks(claimBlocks().BlockSet...))
	if err != nil {
		t.Fatal(err)
	}
	ref := slacksim.MessageRef{Channel: channel, TS: ts}
	before, _ := sim.Message(ref)
	res, err = sim.Press(ctx, bert, ref, "v1")
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := send(res.ResponseURL, `{"text":"done","replace_original":true}`); status != 200 {
		t.Errorf("replace: %d", status)
	}
	if m, _ := sim.Message(ref); m.Text != "done" || m.Blocks != nil || !m.Edited {
		t.Errorf("replaced: %+v", m)
	}
	if _, err := sim.Press(ctx, bert, ref, "v1"); !errors.Is(err, slacksim.ErrNotFound) {
		t.Errorf("button gone: %v", err)
	}
	if _, err := sim.PressAs(ctx, bert, before, "v1"); err != nil {
		t.Errorf("late press: %v", err)
	}
	if status, _ := send(res.ResponseURL, `{"delete_original":true}`); status != 200 {
		t.Errorf("delete: %d", status)
	}
	if m, _ := sim.Message(ref); !m.Deleted {
		t.Error("not deleted")
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	clock := simclock.New()
	sim, api := start(t, func(c *slacksim.Config) { c.Clock = clock })
	a := newApp(t, sim)
	ctx := t.Context()
	var answer any
	a.on(func(slack.SlashCommand) any { return nil }, func(slack.InteractionCallback) any { return answer })
	modal := func(title string) slack.ModalViewRequest {
		return slack.ModalViewRequest{
			Type: "modal", Title: plain(title), Submit: plain("Send"), NotifyOnClose: true,
			Blocks: slack.Blocks{BlockSet: []slack.Block{
				slack.NewInputBlock("b", plain("Name"), nil, slack.NewPlainTextInputBlockElement(nil, "a")),
				slack.NewActionBlock("c", slack.NewButtonBlockElement("more", "", plain("More"))),
			}},
		}
	}
	trigger := func() string {
		res, err := sim.Command(ctx, ada, team, "/badges", "")
		if err != nil {
			t.Fatal(err)
		}
		return res.TriggerID
	}
	late := trigger()
	clock.Advance(4 * time.Second)
	if _, err := api.OpenViewContext(ctx, late, modal("x")); code(err) != "expired_trigger_id" {
		t.Errorf("late: %v", err)
	}
	if _, err := api.OpenViewContext(ctx, trigger(), modal(strings.Repeat("x", 25))); code(err) != "invalid_arguments" {
		t.Errorf("long title: %v", err)
	}
	opened, err := api.OpenViewContext(ctx, trigger(), modal("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.UpdateViewContext(ctx, modal("two"), "", "wrong", opened.ID); code(err) != "hash_conflict" {
		t.Errorf("hash: %v", err)
	}
	if _, err := api.UpdateViewContext(ctx, modal("two"), "", opened.Hash, opened.ID); err != nil {
		t.Errorf("update: %v", err)
	}
	res, err := sim.PressView(ctx, ada, opened.ID, "More")
	if err != nil || !res.OK() {
		t.Fatalf("press in the view: %+v, %v", res, err)
	}
	if _, err := api.PushViewContext(ctx, res.TriggerID, modal("three")); err != nil {
		t.Errorf("push: %v", err)
	}
	top := func() slacksim.View {
		views := sim.Views(ada)
		if len(views) == 0 {
			return slacksim.View{}
		}
		return views[len(views)-1]
	}
	submit := func(with any) *slacksim.Result {
		t.Helper()
		answer = with
		res, err := sim.Submit(ctx, ada, top().ID, map[string]string{"Name": "x"})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	next := modal("four")
	if res := submit(slack.NewPushViewSubmissionResponse(&next)); !res.OK() || top().Title != "four" || len(sim.Views(ada)) != 3 {
		t.Errorf("pushed by answer: %+v", res)
	}
	if res := submit(slack.NewPushViewSubmissionResponse(&next)); res.OK() || len(sim.Views(ada)) != 3 {
		t.Error("a fourth view was pushed")
	}
	next = modal("five")
	if submit(slack.NewUpdateViewSubmissionResponse(&next)); top().Title != "five" {
		t.Errorf("updated by answer: %q", top().Title)
	}
	if res := submit(slack.NewErrorsViewSubmissionResponse(map[string]string{"nowhere": "x"})); res.OK() {
		t.Error("errors for an unknown block were taken")
	}
	if submit(nil); len(sim.Views(ada)) != 2 || top().Title != "three" {
		t.Errorf("closed one: %q", top().Title)
	}
	if res, err := sim.CloseView(ctx, ada, top().ID); err != nil || !res.OK() || top().Title != "two" {
		t.Errorf("closed by hand: %+v, %v", res, err)
	}
	if submit(slack.NewClearViewSubmissionResponse()); len(sim.Views(ada)) != 0 {
		t.Error("not cleared")
	}
	home := slack.HomeTabViewRequest{Type: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewHeaderBlock(plain("Hi"))}}}
	if _, err := api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: ada, View: home}); err != nil {
		t.Errorf("publish: %v", err)
	}
	if v, ok := sim.Home(ada); !ok || !strings.Contains(v.Plain(), "Hi") {
		t.Errorf("home: %+v", v)
	}
}

func TestDeadlineAndRetries(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.AckTimeout = 50 * time.Millisecond })
	a := newApp(t, sim)
	ctx := t.Context()
	release := make(chan struct{})
	a.on(func(c slack.SlashCommand) any {
		if c.Text == "broken" {
			return 500
		}
		<-release
		return nil
	}, nil)
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil || !res.TimedOut || res.UserError != "operation_timeout" {
		t.Errorf("slow: %+v, %v", res, err)
	}
	close(release)
	slacktest.New(t, sim).As(ada).In(team).ExpectEphemeral("operation_timeout")
	if res, err = sim.Command(ctx, ada, team, "/badges", "broken"); err != nil || res.UserError != "dispatch_failed" || res.Status != 500 {
		t.Errorf("broken: %+v, %v", res, err)
	}

	sim, _ = start(t, nil)
	a = newApp(t, sim)
	if res, err = sim.VerifyURL(ctx); err != nil || !res.OK() {
		t.Errorf("verify url: %+v, %v", res, err)
	}
	first, err := sim.OpenHome(ctx, ada, "home")
	if err != nil || !first.OK() {
		t.Fatalf("home: %+v, %v", first, err)
	}
	if _, err := sim.Redeliver(ctx, first, slacksim.WithRetry(1, "http_timeout")); err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.requests)
	if string(a.bodies[n-1]) != string(a.bodies[n-2]) || a.requests[n-1].Header.Get("X-Slack-Retry-Num") != "1" ||
		a.requests[n-1].Header.Get("X-Slack-Retry-Reason") != "http_timeout" {
		t.Errorf("redelivered %s with %v", a.bodies[n-1], a.requests[n-1].Header)
	}
}

func TestForgedRequests(t *testing.T) {
	t.Parallel()
	clock := simclock.New()
	sim, _ := start(t, func(c *slacksim.Config) { c.Clock = clock })
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any { return nil }, nil)
	ctx := t.Context()
	tests := []struct {
		name   string
		mutate func(*http.Request)
		want   int
	}{
		{"untouched", nil, 200},
		{"no signature", func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, 401},
		{"other time", func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "1531420618") }, 401},
	}
	for _, tt := range tests {
		res, err := sim.SendRaw(ctx, slacksim.EndpointCommands, []byte("command=%2Fbadges"), tt.mutate)
		if err != nil || res.Status != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, res, err)
		}
	}
	clock.Advance(6 * time.Minute)
	if res, err := sim.SendRaw(ctx, slacksim.EndpointCommands, []byte("command=%2Fbadges"), nil); err != nil || res.Status != 401 {
		t.Errorf("six minutes ahead: %+v, %v", res, err)
	}
	if res, err := sim.Command(ctx, "U0STRANGER", team, "/badges", ""); !errors.Is(err, slacksim.ErrNotFound) {
		t.Errorf("stranger: %+v, %v", res, err)
	}
}

func TestWireLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	sim, api := start(t, nil)
	a := newApp(t, sim)
	a.on(func(slack.SlashCommand) any { return nil }, nil)
	ctx := t.Context()
	if _, _, err := api.PostMessageContext(ctx, team, slack.MsgOptionText("hello", false)); err != nil {
		t.Fatal(err)
	}
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := api.PostMessageContext(ctx, "", slack.MsgOptionResponseURL(res.ResponseURL, "ephemeral"), slack.MsgOptionText("late", false)); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(sim.Log())
	if err != nil {
		t.Fatal(err)
	}
	secret := res.ResponseURL[strings.LastIndex(res.ResponseURL, "/")+1:]
	for _, s := range []string{sim.Config().BotToken, sim.Config().SigningSecret, secret} {
		if strings.Contains(string(raw), s) {
			t.Errorf("the log holds %q", s)
		}
	}
	if !strings.Contains(string(raw), "hello") || !strings.Contains(string(raw), "REDACTED") {
		t.Errorf("log: %s", raw)
	}
	for range 600 {
		if _, err := api.AuthTestContext(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(sim.Log()); n != 500 {
		t.Errorf("%d exchanges kept", n)
	}
}

func TestEventuallyEnds(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sim.Eventually(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
