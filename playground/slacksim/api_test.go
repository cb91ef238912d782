package slacksim_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

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
