package jsclients

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/slacksim"
)

const (
	ada  = "U000000ADA"
	bert = "U00000BERT"
	team = "C000000001"
)

type obj = map[string]any

// slackStage is a simulated workspace and Slack's clients in front of it.
type slackStage struct {
	sim *slacksim.Server
	js  *driver
}

// stageSlack starts both; api, which may be empty, is where the clients look
// for the Web API.
func stageSlack(tb testing.TB, folder, api string, sim *slacksim.Server) *slackStage {
	tb.Helper()
	if api == "" {
		api = sim.APIURL()
	}
	cfg := sim.Config()
	return &slackStage{sim: sim, js: run(tb, folder, "slack.mjs",
		"SLACK_API_URL="+api, "SLACK_BOT_TOKEN="+cfg.BotToken, "SLACK_APP_TOKEN="+cfg.AppToken)}
}

func startSlack(tb testing.TB) *slacksim.Server {
	tb.Helper()
	sim, err := slacksim.Start(slacksim.Config{
		SocketMode: true, RefreshNotice: 100 * time.Millisecond, AckTimeout: answerWithin,
		Scopes: []string{"commands", "chat:write", "im:write", "im:history", "channels:history", "channels:read", "users:read", "files:read", "files:write"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := sim.Close(); err != nil {
			tb.Error(err)
		}
	})
	sim.AddUser(slacksim.User{ID: ada, Name: "ada", Locale: "de-DE", TZ: "Europe/Berlin"})
	sim.AddUser(slacksim.User{ID: bert, Name: "bert"})
	sim.AddChannel(team, "team", ada, bert, sim.Config().BotUserID)
	return sim
}

func (s *slackStage) web(tb testing.TB, method string, args obj) slackAnswer {
	tb.Helper()
	return do[slackAnswer](tb, s.js, "web", method, args)
}

// slackAnswer is what the tests look at in a Web API answer.
type slackAnswer struct {
	OK        bool   `json:"ok"`
	UserID    string `json:"user_id"`
	BotID     string `json:"bot_id"`
	TeamID    string `json:"team_id"`
	TS        string `json:"ts"`
	MessageTS string `json:"message_ts"`
	Text      string `json:"text"`
	Message   struct {
		Text   string `json:"text"`
		TS     string `json:"ts"`
		BotID  string `json:"bot_id"`
		AppID  string `json:"app_id"`
		Blocks []obj  `json:"blocks"`
		Edited *struct {
			User string `json:"user"`
		} `json:"edited"`
	} `json:"message"`
	View struct {
		ID         string `json:"id"`
		Type       string `json:"type"`
		Hash       string `json:"hash"`
		CallbackID string `json:"callback_id"`
		RootViewID string `json:"root_view_id"`
	} `json:"view"`
	// Channel is an id or an object, User a name or an object.
	Channel any `json:"channel"`
	User    any `json:"user"`
}

func plain(s string) obj { return obj{"type": "plain_text", "text": s} }

func claimBlocks(label string) []obj {
	return []obj{
		{"type": "section", "text": obj{"type": "mrkdwn", "text": "One badge is waiting"}},
		{"type": "actions", "block_id": "acts", "elements": []obj{
			{"type": "button", "action_id": "claim", "value": "v1", "text": plain(label)},
		}},
	}
}

func linkModal(title string) obj {
	return obj{
		"type": "modal", "callback_id": "link", "title": plain(title), "submit": plain("Send"), "close": plain("Cancel"),
		"private_metadata": "m1",
		"blocks": []obj{{
			"type": "input", "block_id": "address", "label": plain("Address"),
			"element": obj{"type": "email_text_input", "action_id": "value"},
		}},
	}
}

// slackPosts: messages are posted, changed, deleted and read again.
func slackPosts(tb testing.TB, s *slackStage) {
	tb.Helper()
	who := s.web(tb, "auth.test", nil)
	cfg := s.sim.Config()
	equal(tb, "auth.test", []string{who.UserID, who.BotID, who.TeamID}, []string{cfg.BotUserID, cfg.BotID, cfg.TeamID})

	posted := s.web(tb, "chat.postMessage", obj{
		"channel": team, "text": "A badge", "blocks": claimBlocks("Claim"),
		"metadata": obj{"event_type": "note", "event_payload": obj{"key": "k1"}},
	})
	ref := slacksim.MessageRef{Channel: team, TS: posted.TS}
	m, ok := s.sim.Message(ref)
	if !ok || m.Text != "A badge" || len(m.Elements()) != 1 || !strings.Contains(string(m.Metadata), "k1") {
		tb.Fatalf("chat.postMessage answered %+v, the workspace holds %+v", posted, m)
	}
	equal(tb, "posted message", []any{posted.Channel, posted.Message.TS, posted.Message.BotID, len(posted.Message.Blocks)},
		[]any{team, posted.TS, cfg.BotID, 2})

	changed := s.web(tb, "chat.update", obj{"channel": team, "ts": posted.TS, "text": "Taken", "blocks": claimBlocks("Again")})
	m, _ = s.sim.Message(ref)
	if changed.TS != posted.TS || changed.Text != "Taken" || changed.Message.Edited == nil || m.Text != "Taken" || !m.Edited || m.Elements()[0].Label != "Again" {
		tb.Fatalf("chat.update answered %+v, the workspace holds %+v", changed, m)
	}

	quiet := s.web(tb, "chat.postEphemeral", obj{"channel": team, "user": ada, "text": "Only you"})
	m, ok = s.sim.Message(slacksim.MessageRef{Channel: team, TS: quiet.MessageTS})
	if !ok || !m.Ephemeral || m.Viewer != ada || m.Text != "Only you" {
		tb.Fatalf("chat.postEphemeral answered %+v, the workspace holds %+v", quiet, m)
	}

	direct := s.web(tb, "conversations.open", obj{"users": ada})
	id, _ := direct.Channel.(obj)["id"].(string)
	equal(tb, "conversation", id, s.sim.DM(ada))
	for i := range 5 {
		s.web(tb, "chat.postMessage", obj{"channel": id, "text": fmt.Sprint("m", i)})
	}
	pages := do[[][]slackMessage](tb, s.js, "pages", "conversations.history", obj{"channel": id, "limit": 2}, "messages")
	var texts []string
	for _, page := range pages {
		for _, m := range page {
			texts = append(texts, m.Text)
		}
	}
	equal(tb, "pages", len(pages), 3)
	equal(tb, "history", texts, []string{"m4", "m3", "m2", "m1", "m0"})

	person := s.web(tb, "users.info", obj{"user": ada, "include_locale": true})
	about, _ := person.User.(obj)
	equal(tb, "users.info", []any{about["id"], about["locale"], about["tz"]}, []any{ada, "de-DE", "Europe/Berlin"})

	s.web(tb, "chat.delete", obj{"channel": team, "ts": posted.TS})
	if m, _ := s.sim.Message(ref); !m.Deleted {
		tb.Fatal("chat.delete left the message")
	}
	home := s.web(tb, "views.publish", obj{"user_id": ada, "view": obj{"type": "home", "blocks": claimBlocks("Claim")}})
	v, ok := s.sim.Home(ada)
	if !ok || v.ID != home.View.ID || home.View.Type != "home" || len(v.Elements()) != 1 {
		tb.Fatalf("views.publish answered %+v, the workspace holds %+v", home, v)
	}
}

type slackMessage struct {
	Text string `json:"text"`
}

// slackRefusals: what is wrong is refused by Slack's own codes, and the client
// reports them.
func slackRefusals(tb testing.TB, s *slackStage) {
	tb.Helper()
	long := func(n int) string { return strings.Repeat("x", n) }
	button := func(b obj) []obj { return []obj{{"type": "actions", "elements": []obj{b}}} }
	posted := s.web(tb, "chat.postMessage", obj{"channel": team, "text": "x"})
	for _, tt := range []struct {
		name, method, code, pointer string
		args                        obj
	}{
		{"unknown channel", "chat.postMessage", "channel_not_found", "", obj{"channel": "C0NONE", "text": "x"}},
		{"nothing to say", "chat.postMessage", "no_text", "", obj{"channel": team}},
		{"too much to say", "chat.postMessage", "msg_too_long", "", obj{"channel": team, "text": long(40_001)}},
		{"label too long", "chat.postMessage", "invalid_blocks", "/blocks/0/elements/0/text/text", obj{
			"channel": team, "text": "x",
			"blocks": button(obj{"type": "button", "action_id": "a", "text": plain(long(76))}),
		}},
		{"action_id too long", "chat.postMessage", "invalid_blocks", "/blocks/0/elements/0/action_id", obj{
			"channel": team, "text": "x",
			"blocks": button(obj{"type": "button", "action_id": long(256), "text": plain("x")}),
		}},
		{"too many blocks", "chat.postMessage", "invalid_blocks", "/blocks", obj{"channel": team, "text": "x", "blocks": repeat(51, obj{"type": "divider"})}},
		{"unknown block", "chat.postMessage", "invalid_blocks", "/blocks/0", obj{"channel": team, "text": "x", "blocks": []obj{{"type": "marquee"}}}},
		{"blocks that are no list", "chat.postMessage", "invalid_blocks_format", "", obj{"channel": team, "text": "x", "blocks": "not json"}},
		{"broken blocks in an edit", "chat.update", "invalid_blocks", "/blocks/0/text/text", obj{
			"channel": team, "ts": posted.TS, "text": "x",
			"blocks": []obj{{"type": "header", "text": plain(long(151))}},
		}},
		{"edit of nothing", "chat.update", "message_not_found", "", obj{"channel": team, "ts": "1700000000.000001", "text": "x"}},
		{"a stranger's eyes", "chat.postEphemeral", "user_not_in_channel", "", obj{"channel": team, "user": "U0NONE", "text": "x"}},
		{"broken blocks for one", "chat.postEphemeral", "invalid_blocks", "/blocks/0", obj{"channel": team, "user": ada, "text": "x", "blocks": []obj{{"type": "section"}}}},
		{"made-up trigger", "views.open", "invalid_trigger_id", "", obj{"trigger_id": "1.2.x", "view": linkModal("Link")}},
		{"modal title too long", "views.open", "invalid_arguments", "/view/title/text", obj{"trigger_id": "1.2.x", "view": linkModal(long(25))}},
		{"home as a modal", "views.publish", "invalid_arguments", "/view", obj{"user_id": ada, "view": linkModal("Link")}},
		{"view of nobody", "views.update", "not_found", "", obj{"view_id": "V0NONE", "view": linkModal("Link")}},
		{"unknown person", "users.info", "user_not_found", "", obj{"user": "U0NONE"}},
		{"bad cursor", "conversations.history", "invalid_cursor", "", obj{"channel": team, "cursor": "x"}},
	} {
		before := len(s.sim.Messages(team, ""))
		_, failed := s.js.try(tb, "web", tt.method, tt.args)
		if failed == nil || failed.Code != "slack_webapi_platform_error" || failed.Data.Error != tt.code {
			tb.Fatalf("%s: %s, want %s", tt.name, failed, tt.code)
		}
		if tt.pointer != "" && !strings.Contains(strings.Join(failed.Data.Metadata.Messages, "\n"), "[json-pointer:"+tt.pointer) {
			tb.Fatalf("%s: explained as %q, want %s", tt.name, failed.Data.Metadata.Messages, tt.pointer)
		}
		equal(tb, tt.name+": messages", len(s.sim.Messages(team, "")), before)
	}
	for token, code := range map[string]string{"xoxb-wrong": "invalid_auth", s.sim.Config().AppToken: "not_allowed_token_type"} {
		if _, failed := s.js.try(tb, "webAs", token, "chat.postMessage", obj{"channel": team, "text": "x"}); failed == nil || failed.Data.Error != code {
			tb.Fatalf("wrong token: %s, want %s", failed, code)
		}
	}
}

func repeat(n int, o obj) []obj {
	out := make([]obj, n)
	for i := range out {
		out[i] = o
	}
	return out
}

// slackLimits: the client waits as long as it is told, and then succeeds.
func slackLimits(tb testing.TB, s *slackStage) {
	tb.Helper()
	one := 1
	fault := s.sim.Fail(slacksim.Fault{Method: "chat.postMessage", Status: 429, RetryAfter: &one})
	began := time.Now()
	posted := s.web(tb, "chat.postMessage", obj{"channel": team, "text": "in the end"})
	waited := await[struct {
		Seconds int    `json:"seconds"`
		URL     string `json:"url"`
	}](tb, s.js, "rate_limited", nil)
	if fault.Served() != 1 || waited.Seconds != 1 || !strings.HasSuffix(waited.URL, "/chat.postMessage") || time.Since(began) < time.Second {
		tb.Fatalf("served %d times, told %+v, took %s", fault.Served(), waited, time.Since(began))
	}
	if m, ok := s.sim.Message(slacksim.MessageRef{Channel: team, TS: posted.TS}); !ok || m.Text != "in the end" {
		tb.Fatalf("the workspace holds %+v", m)
	}
	// The documented rate of a channel: a burst, then 429 until it is over.
	s.sim.SetLimits(slacksim.Limits{Channel: 2})
	defer s.sim.SetLimits(slacksim.Limits{})
	before := len(s.sim.Messages(team, ""))
	for i := range 4 {
		s.web(tb, "chat.postMessage", obj{"channel": team, "text": fmt.Sprint("burst ", i)})
	}
	if answers := s.sim.Answers("chat.postMessage"); answers.Statuses[429] < 2 || s.js.count("rate_limited") == 0 {
		tb.Fatalf("no limit was felt: %+v", answers)
	}
	equal(tb, "messages", len(s.sim.Messages(team, "")), before+4)
}

// ctx is that of an act.
func ctx(tb testing.TB) context.Context {
	tb.Helper()
	c, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return c
}
