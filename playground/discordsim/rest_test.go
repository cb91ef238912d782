package discordsim_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func TestSessionSendsEditsAndDeletes(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	dg := session(t, s)

	me, err := dg.User("@me")
	if err != nil || !me.Bot || me.ID != s.ApplicationID() {
		t.Fatalf("me = %+v, %v", me, err)
	}
	if _, err := dg.Gateway(); err != nil {
		t.Fatal(err)
	}
	m, err := dg.ChannelMessageSendComplex(w.channel, &discordgo.MessageSend{
		Content: "Hello <@" + w.ada + ">", Embeds: []*discordgo.MessageEmbed{{Title: "Title", Fields: []*discordgo.MessageEmbedField{{Name: "a", Value: "b"}}}},
		Components: []discordgo.MessageComponent{discordgo.ActionsRow{Components: []discordgo.MessageComponent{
			discordgo.Button{Label: "Claim", Style: discordgo.PrimaryButton, CustomID: "claim:1"},
			discordgo.Button{Label: "Open", Style: discordgo.LinkButton, URL: "https://example.org/x"},
		}}},
		AllowedMentions: &discordgo.MessageAllowedMentions{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Mentions) != 1 || len(m.Components) != 1 || m.Embeds[0].Title != "Title" {
		t.Fatalf("message = %+v", m)
	}
	content := "Changed"
	if _, err := dg.ChannelMessageEditComplex(&discordgo.MessageEdit{ID: m.ID, Channel: w.channel, Content: &content}); err != nil {
		t.Fatal(err)
	}
	seen := s.Messages(w.channel, w.bob)
	if len(seen) != 1 || seen[0].Content != content || seen[0].Edited.IsZero() || len(seen[0].Buttons()) != 2 || len(seen[0].Embeds) != 1 {
		t.Fatalf("seen = %+v", seen)
	}
	list, err := dg.ChannelMessages(w.channel, 10, "", "", "")
	if err != nil || len(list) != 1 {
		t.Fatalf("list = %v, %v", list, err)
	}
	if err := dg.ChannelMessageDelete(w.channel, m.ID); err != nil {
		t.Fatal(err)
	}
	_, err = dg.ChannelMessage(w.channel, m.ID)
	wantCode(t, err, 404, 10008)
}

func TestDirectMessages(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	dg := session(t, s)
	ch, err := dg.UserChannelCreate(w.ada)
	if err != nil || ch.Type != discordgo.ChannelTypeDM {
		t.Fatalf("channel = %+v, %v", ch, err)
	}
	if _, err := dg.ChannelMessageSend(ch.ID, "hi"); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages(s.DM(w.ada), w.ada); len(got) != 1 {
		t.Fatalf("ada sees %v", got)
	}
	if got := s.Messages(ch.ID, w.bob); len(got) != 0 {
		t.Fatalf("bob sees %v", got)
	}
	s.SetDMsClosed(w.ada, true)
	if _, err := dg.UserChannelCreate(w.ada); err != nil {
		t.Fatal(err)
	}
	_, err = dg.ChannelMessageSend(ch.ID, "hi")
	wantCode(t, err, 403, 50007)
	_, err = dg.UserChannelCreate("42")
	wantCode(t, err, 400, 50033)
	if s.InvalidRequests() != 1 {
		t.Fatalf("invalid requests = %d", s.InvalidRequests())
	}
	s.Clock().Advance(11 * time.Minute)
	if s.InvalidRequests() != 0 {
		t.Fatal("old invalid requests counted")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	hidden, err := s.AddChannel(discordsim.Channel{GuildID: w.guild, Name: "hidden", Hidden: true})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := s.AddChannel(discordsim.Channel{GuildID: w.guild, Name: "silent", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	dg := session(t, s)
	for _, tt := range []struct {
		name, channel string
		status, code  int
	}{
		{"unknown", "99", 404, 10003},
		{"hidden", hidden, 403, 50001},
		{"silent", silent, 403, 50013},
		{"no snowflake", "x", 400, 50035},
	} {
		_, err := dg.ChannelMessageSend(tt.channel, "x")
		wantCode(t, err, tt.status, tt.code)
	}
	_, err = sessionWith(t, s, "wrong").ChannelMessageSend(w.channel, "x")
	wantCode(t, err, 401, 0)
	if !strings.Contains(err.Error(), `"401: Unauthorized"`) {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path string
		auth         bool
		status       int
		message      string
	}{
		{http.MethodGet, "/nonsense", true, 404, "404: Not Found"},
		{http.MethodDelete, "/users/@me", true, 405, "405: Method Not Allowed"},
		{http.MethodGet, "/users/@me", false, 401, "401: Unauthorized"},
	} {
		status, _, body := call(t, s, tt.method, tt.path, nil, tt.auth)
		if status != tt.status || body["message"] != tt.message {
			t.Errorf("%s %s = %d %v", tt.method, tt.path, status, body)
		}
	}
	_, err = dg.ApplicationCommandBulkOverwrite("1", "", nil)
	wantCode(t, err, 403, 20012)
}

func TestEnforcedNonce(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	send := func(nonce any, enforce bool) string {
		status, _, body := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages",
			obj{"content": "x", "nonce": nonce, "enforce_nonce": enforce}, true)
		if status != 200 || body["nonce"] == nil {
			t.Fatalf("%d %v", status, body)
		}
		id, _ := body["id"].(string)
		return id
	}
	first := send("n1", true)
	if send("n1", true) != first {
		t.Error("the enforced nonce did not find the first message")
	}
	if send("n1", false) == first {
		t.Error("a nonce that is not enforced found a message")
	}
	if send("n2", true) == first || send(7, true) == first {
		t.Error("another nonce found the message")
	}
	s.Clock().Advance(discordsim.NonceWindow)
	if send("n1", true) == first {
		t.Error("the nonce outlived its window")
	}
	if n := len(s.Messages(w.channel, "")); n != 5 {
		t.Errorf("%d messages", n)
	}
}

func TestMessageLimits(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	long := func(n int) string { return strings.Repeat("ä", n) }
	buttons := func(n int) []any {
		var out []any
		for i := range n {
			out = append(out, button("b", "id"+string(rune('a'+i))))
		}
		return out
	}
	rows := func(n int) []any {
		var out []any
		for i := range n {
			out = append(out, row(button("b", "row"+string(rune('a'+i)))))
		}
		return out
	}
	embed := func(n int) obj { return obj{"description": long(n)} }
	text := obj{"type": 10, "content": "hi"}
	const v2 = 1 << 15
	for _, tt := range []struct {
		name string
		body obj
		path string // place of the error; empty when the message is good.
	}{
		{"content 2000", obj{"content": long(2000)}, ""},
		{"content 2001", obj{"content": long(2001)}, "content"},
		{"11 embeds", obj{"embeds": []any{embed(1), embed(1), embed(1), embed(1), embed(1), embed(1), embed(1), embed(1), embed(1), embed(1), embed(1)}}, "embeds"},
		{"embeds of 6000", obj{"embeds": []any{embed(3000), embed(3000)}}, ""},
		{"embeds of 6001", obj{"embeds": []any{embed(3000), embed(3001)}}, "embeds"},
		{"embed description 4097", obj{"embeds": []any{embed(4097)}}, "embeds.0.description"},
		{"embed title 257", obj{"embeds": []any{obj{"title": long(257)}}}, "embeds.0.title"},
		{"embed without anything", obj{"embeds": []any{obj{}}}, "embeds.0.description"},
		{"embed field without value", obj{"embeds": []any{obj{"fields": []any{obj{"name": "a"}}}}}, "embeds.0.fields.0.value"},
		{"embed image without scheme", obj{"embeds": []any{obj{"image": obj{"url": "picture.png"}}}}, "embeds.0.image.url"},
		{"5 rows", obj{"components": rows(5)}, ""},
		{"6 rows", obj{"components": rows(6)}, "components"},
		{"5 buttons", obj{"components": []any{row(buttons(5)...)}}, ""},
		{"6 buttons", obj{"components": []any{row(buttons(6)...)}}, "components.0.components"},
		{"no buttons", obj{"components": []any{row()}}, "components.0.components"},
		{"custom id 101", obj{"components": []any{row(button("a", strings.Repeat("x", 101)))}}, "components.0.components.0.custom_id"},
		{"no custom id", obj{"components": []any{row(obj{"type": 2, "style": 1, "label": "a"})}}, "components.0.components.0.custom_id"},
		{"label 81", obj{"components": []any{row(button(long(81), "a"))}}, "components.0.components.0.label"},
		{"custom id twice", obj{"components": []any{row(button("a", "x")), row(button("b", "x"))}}, "components.1.components.0.custom_id"},
		{"link without url", obj{"components": []any{row(obj{"type": 2, "style": 5, "label": "a"})}}, "components.0.components.0.url"},
		{"link with custom id", obj{"components": []any{row(obj{"type": 2, "style": 5, "label": "a", "url": "https://example.org", "custom_id": "x"})}}, "components.0.components.0"},
		{"link with bad scheme", obj{"components": []any{row(obj{"type": 2, "style": 5, "label": "a", "url": "ftp://example.org"})}}, "components.0.components.0.url"},
		{"button with url", obj{"components": []any{row(obj{"type": 2, "style": 1, "label": "a", "url": "https://example.org", "custom_id": "x"})}}, "components.0.components.0"},
		{"select beside button", obj{"components": []any{row(button("a", "x"), obj{"type": 3, "custom_id": "s", "options": []any{obj{"label": "a", "value": "a"}}})}}, "components.0.components"},
		{"select without options", obj{"components": []any{row(obj{"type": 3, "custom_id": "s"})}}, "components.0.components.0.options"},
		{"select value twice", obj{"components": []any{row(obj{"type": 3, "custom_id": "s", "options": []any{obj{"label": "a", "value": "a"}, obj{"label": "b", "value": "a"}}})}}, "components.0.components.0.options.1"},
		{"text display without the flag", obj{"components": []any{text}}, "components.0.type"},
		{"text display with the flag", obj{"flags": v2, "components": []any{text}}, ""},
		{"container", obj{"flags": v2, "components": []any{obj{"type": 17, "components": []any{text, obj{"type": 14}, row(button("a", "x")), obj{"type": 9, "components": []any{text}, "accessory": button("b", "y")}}}}}, ""},
		{"container in container", obj{"flags": v2, "components": []any{obj{"type": 17, "components": []any{obj{"type": 17, "components": []any{text}}}}}}, "components.0.components.0.type"},
		{"content with the flag", obj{"flags": v2, "content": "x", "components": []any{text}}, "content"},
		{"embeds with the flag", obj{"flags": v2, "embeds": []any{embed(1)}, "components": []any{text}}, "embeds"},
		{"nonce 26", obj{"content": "x", "nonce": strings.Repeat("n", 26)}, "nonce"},
		{"content of the wrong type", obj{"content": 5}, "content"},
		{"mentions both ways", obj{"content": "x", "allowed_mentions": obj{"parse": []any{"users"}, "users": []any{"1"}}}, "allowed_mentions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, _, body := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", tt.body, true)
			if tt.path == "" {
				if status != 200 {
					t.Fatalf("refused: %v", body)
				}
				return
			}
			if status != 400 || body["code"] != 50035.0 || body["message"] != "Invalid Form Body" {
				t.Fatalf("%d %v", status, body)
			}
			node, _ := body["errors"].(map[string]any)
			for key := range strings.SplitSeq(tt.path, ".") {
				node, _ = node[key].(map[string]any)
			}
			list, _ := node["_errors"].([]any)
			if len(list) == 0 {
				t.Fatalf("no error at %s: %v", tt.path, body)
			}
		})
	}
	status, _, body := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", obj{"content": ""}, true)
	if status != 400 || body["code"] != 50006.0 {
		t.Errorf("empty message: %d %v", status, body)
	}
}

func TestComponentsV2CannotBeUnset(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	path := "/channels/" + w.channel + "/messages"
	_, _, m := call(t, s, http.MethodPost, path, obj{"flags": 1 << 15, "components": []any{obj{"type": 10, "content": "a"}}}, true)
	id, _ := m["id"].(string)
	if status, _, body := call(t, s, http.MethodPatch, path+"/"+id, obj{"flags": 0}, true); status != 400 {
		t.Errorf("unset: %d %v", status, body)
	}
	if status, _, body := call(t, s, http.MethodPatch, path+"/"+id, obj{"content": "x"}, true); status != 400 {
		t.Errorf("content: %d %v", status, body)
	}
	if status, _, body := call(t, s, http.MethodPatch, path+"/"+id, obj{"components": []any{obj{"type": 10, "content": "b"}}}, true); status != 200 {
		t.Errorf("edit: %d %v", status, body)
	}
	if got := s.Messages(w.channel, "")[0].Text(); got != "b" {
		t.Errorf("text = %q", got)
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{EnforceRateLimits: true})
	w := populate(t, s)
	path := "/channels/" + w.channel + "/messages"
	for i := range 5 {
		status, h, _ := call(t, s, http.MethodPost, path, obj{"content": "x"}, true)
		if status != 200 || h.Get("X-RateLimit-Limit") != "5" || h.Get("X-RateLimit-Remaining") != string(rune('4'-i)) || h.Get("X-RateLimit-Bucket") == "" {
			t.Fatalf("%d: %d %v", i, status, h)
		}
	}
	status, h, body := call(t, s, http.MethodPost, path, obj{"content": "x"}, true)
	if status != 429 || h.Get("Retry-After") != "5" || body["retry_after"] != 5.0 || body["global"] != false || h.Get("X-RateLimit-Scope") != "user" {
		t.Fatalf("%d %v %v", status, h, body)
	}
	_, err := session(t, s).ChannelMessageSend(w.channel, "x")
	var limited *discordgo.RateLimitError
	if !errors.As(err, &limited) || limited.RetryAfter != 5*time.Second {
		t.Fatalf("err = %v", err)
	}
	s.Clock().Advance(5 * time.Second)
	if status, _, body := call(t, s, http.MethodPost, path, obj{"content": "x"}, true); status != 200 {
		t.Fatalf("%d %v", status, body)
	}
	if s.InvalidRequests() != 2 {
		t.Fatalf("invalid requests = %d", s.InvalidRequests())
	}
}
