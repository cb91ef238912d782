package discordsim_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

const (
	guildMessages  = 1 << 9
	directMessages = 1 << 12
	messageContent = 1 << 15
)

// told is a message as the gateway tells of it.
type told struct {
	event   string
	ID      string `json:"id"`
	Channel string `json:"channel_id"`
	Guild   string `json:"guild_id"`
	Content string `json:"content"`
	Nonce   string `json:"nonce"`
	Author  struct {
		ID string `json:"id"`
	} `json:"author"`
	Member *struct {
		Roles []string `json:"roles"`
	} `json:"member"`
	Flags int `json:"flags"`
}

// listen identifies with intents and returns a function that reads the next
// event.
func listen(t *testing.T, s *discordsim.Server, intents int) func() told {
	t.Helper()
	w := hello(t, s)
	w.send(2, obj{"token": s.BotToken(), "properties": obj{"os": "linux"}, "intents": intents})
	next := func() told {
		f := w.want(0)
		out := told{event: f.Type}
		if err := json.Unmarshal(f.Data, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if e := next(); e.event != "READY" {
		t.Fatalf("first came %s", e.event)
	}
	return next
}

// TestMessageEvents tells each session what it asked for, and no more: what
// comes next is always what was asked for.
func TestMessageEvents(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{Gateway: discordsim.GatewayConfig{IdentifyEvery: -1, PrivilegedIntents: messageContent}})
	w := populate(t, s)
	badges(t, s)
	listen(t, s, 0)
	inGuilds, direct, reader := listen(t, s, guildMessages), listen(t, s, directMessages),
		listen(t, s, guildMessages|directMessages|messageContent)

	dg := session(t, s)
	_, _, posted := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", obj{"content": "Hello", "nonce": "n1"}, true)
	id, _ := posted["id"].(string)
	for name, next := range map[string]func() told{"guild": inGuilds, "reader": reader} {
		e := next()
		if e.event != "MESSAGE_CREATE" || e.ID != id || e.Channel != w.channel || e.Guild != w.guild || e.Content != "Hello" ||
			e.Nonce != "n1" || e.Author.ID != s.ApplicationID() || e.Member == nil || len(e.Member.Roles) != 1 {
			t.Errorf("%s heard %+v", name, e)
		}
	}
	if _, err := dg.ChannelMessageEdit(w.channel, id, "Changed"); err != nil {
		t.Fatal(err)
	}
	if err := dg.ChannelMessageDelete(w.channel, id); err != nil {
		t.Fatal(err)
	}
	for name, next := range map[string]func() told{"guild": inGuilds, "reader": reader} {
		if e := next(); e.event != "MESSAGE_UPDATE" || e.ID != id || e.Content != "Changed" || e.Nonce != "" {
			t.Errorf("%s heard %+v", name, e)
		}
		if e := next(); e.event != "MESSAGE_DELETE" || e.ID != id || e.Guild != w.guild {
			t.Errorf("%s heard %+v", name, e)
		}
	}

	// What people write: readable in direct channels, when the bot is
	// mentioned, and with the intent for contents.
	say := func(channel, text string) {
		t.Helper()
		if _, err := s.Say(w.ada, channel, text); err != nil {
			t.Fatal(err)
		}
	}
	say(w.channel, "among people")
	say(w.channel, "<@"+s.ApplicationID()+"> help")
	say("", "between us")
	for _, tt := range []struct {
		name  string
		next  func() told
		texts []string
	}{
		{"guild", inGuilds, []string{"", "<@" + s.ApplicationID() + "> help"}},
		{"direct", direct, []string{"between us"}},
		{"reader", reader, []string{"among people", "<@" + s.ApplicationID() + "> help", "between us"}},
	} {
		for _, want := range tt.texts {
			if e := tt.next(); e.event != "MESSAGE_CREATE" || e.Content != want || e.Author.ID != w.ada {
				t.Errorf("%s heard %+v, want %q", tt.name, e, want)
			}
		}
	}

	// Nobody hears of what one person alone sees; a deferral is told twice.
	attach(t, s, func(inbound) any { return obj{"type": 4, "data": obj{"content": "secret", "flags": 64}} })
	if res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil); err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	attach(t, s, func(inbound) any { return obj{"type": 5} })
	if res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil); err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	if e := inGuilds(); e.event != "MESSAGE_CREATE" || e.Flags != discordsim.FlagLoading {
		t.Errorf("of a deferral came %+v", e)
	}
	if got := s.Gateway().Sessions(); len(got) != 4 || got[0].Seq != 1 {
		t.Errorf("the session without intents heard of something: %+v", got)
	}
}

// TestForeignMessages reads, and tries to change, what people wrote.
func TestForeignMessages(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	in, err := s.Say(w.ada, w.channel, "among people")
	if err != nil {
		t.Fatal(err)
	}
	direct, err := s.Say(w.ada, "", "between us")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path string
		body         any
		status, code int
		content      any
	}{
		{http.MethodGet, w.channel + "/messages/" + in, nil, 200, 0, ""},
		{http.MethodGet, s.DM(w.ada) + "/messages/" + direct, nil, 200, 0, "between us"},
		{http.MethodPatch, w.channel + "/messages/" + in, obj{"content": "x"}, 403, 50005, nil},
		{http.MethodDelete, w.channel + "/messages/" + in, nil, 403, 50013, nil},
		{http.MethodDelete, s.DM(w.ada) + "/messages/" + direct, nil, 403, 50003, nil},
	} {
		status, _, out := call(t, s, tt.method, "/channels/"+tt.path, tt.body, true)
		code, _ := out["code"].(float64)
		if status != tt.status || int(code) != tt.code || out["content"] != tt.content {
			t.Errorf("%s %s: %d %v", tt.method, tt.path, status, out)
		}
	}
	if _, err := s.Say("9", w.channel, "x"); err == nil {
		t.Error("a stranger spoke")
	}
}
