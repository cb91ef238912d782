package slacksim_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// asking opens a form with these inputs for ada, who is in the team channel.
func asking(t *testing.T, sim *slacksim.Server, a *app, blocks string) slacksim.View {
	t.Helper()
	a.on(func(c slack.SlashCommand) any {
		out := call(t, sim, "views.open", sim.Config().BotToken, `{"trigger_id":"`+c.TriggerID+`","view":{"type":"modal",
			"title":{"type":"plain_text","text":"Where"},"submit":{"type":"plain_text","text":"Go"},"blocks":[`+blocks+`]}}`)
		if out["ok"] != true {
			t.Errorf("open: %v", out)
		}
		return nil
	}, func(slack.InteractionCallback) any { return nil })
	if _, err := sim.Command(t.Context(), ada, team, "/ask", ""); err != nil {
		t.Fatal(err)
	}
	views := sim.Views(ada)
	if len(views) != 1 {
		t.Fatalf("%d views", len(views))
	}
	return views[0]
}

func menu(id, kind, more string) string {
	return `{"type":"input","block_id":"` + id + `","optional":true,"label":{"type":"plain_text","text":"` + id + `"},
		"element":{"type":"` + kind + `","action_id":"a"` + more + `}}`
}

func names(list []slacksim.Option) string {
	var out []string
	for _, o := range list {
		out = append(out, o.Label)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestMenusOfConversations: each menu offers what its kind and filter let
// through, begins with what the app or the place says, and tells ids.
func TestMenusOfConversations(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	bot := sim.Config().BotUserID
	sim.AddChannel("C0RANDOM01", "random", bert)
	sim.AddPrivateChannel("G0SECRET01", "secret", bert)
	sim.AddPrivateChannel("G0BOARD001", "board", ada)
	sim.AddChannel("C0OLD00001", "old", ada, bot)
	sim.Archive("C0OLD00001", true)
	a := newApp(t, sim)
	v := asking(t, sim, a, strings.Join([]string{
		menu("here", "conversations_select", `,"default_to_current_conversation":true,"filter":{"include":["public","private"]}`),
		menu("public", "channels_select", ""),
		menu("direct", "conversations_select", `,"filter":{"include":["im"]},"default_to_current_conversation":true`),
		menu("people", "conversations_select", `,"filter":{"exclude_bot_users":true}`),
		menu("several", "multi_conversations_select", `,"initial_conversations":["`+team+`","G0BOARD001"]`),
		menu("who", "users_select", ""),
		menu("text", "plain_text_input", `,"multiline":true,"initial_value":"one\ntwo"`),
	}, ","))

	offered, begins := map[string]string{}, map[string]string{}
	for _, e := range sim.Inputs(v.ID) {
		offered[e.BlockID], begins[e.BlockID] = names(e.Offered()), e.Initial()
	}
	botName := sim.Config().BotName
	for block, want := range map[string]string{
		"here": "board old random team", "public": "old random team", "direct": "", "people": "board old random team",
		"several": "board old random team", "text": "",
	} {
		if offered[block] != want {
			t.Errorf("%s offers %q, want %q", block, offered[block], want)
		}
	}
	if !strings.Contains(offered["who"], "bert") {
		t.Errorf("people: %q", offered["who"])
	}
	want := map[string]string{
		"here": team, "public": "", "direct": "", "people": "", "several": team + ",G0BOARD001", "who": "", "text": "one\ntwo",
	}
	if !maps.Equal(begins, want) {
		t.Errorf("begins with %v", begins)
	}

	// Who talks to the bot is offered that conversation, too.
	sim.DM(ada)
	for _, e := range sim.Inputs(v.ID) {
		if e.BlockID == "direct" && names(e.Offered()) != botName {
			t.Errorf("direct: %q", names(e.Offered()))
		}
	}

	// What is not offered does not leave the client.
	for _, wrong := range []map[string]string{
		{"here": "secret"}, {"public": "board"}, {"several": "team,secret"}, {"who": "nobody"}, {"direct": "team"},
	} {
		res, err := sim.Submit(t.Context(), ada, v.ID, wrong)
		if err != nil || !res.Refused || len(res.FieldErrors) != 1 {
			t.Errorf("%v: %+v, %v", wrong, res, err)
		}
	}
	res, err := sim.Submit(t.Context(), ada, v.ID, map[string]string{"public": "#random", "several": "#team, board", "who": "bert"})
	if err != nil || !res.OK() {
		t.Fatalf("%+v, %v", res, err)
	}
	a.mu.Lock()
	form, err := url.ParseQuery(string(a.bodies[len(a.bodies)-1]))
	a.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	var told slack.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &told); err != nil {
		t.Fatal(err)
	}
	values := told.View.State.Values
	if values["here"]["a"].SelectedConversation != team || values["public"]["a"].SelectedChannel != "C0RANDOM01" ||
		!slices.Equal(values["several"]["a"].SelectedConversations, []string{team, "G0BOARD001"}) || values["who"]["a"].SelectedUser != bert ||
		values["text"]["a"].Value != "one\ntwo" || values["direct"]["a"].SelectedConversation != "" {
		t.Errorf("told: %+v", values)
	}
	// What the app chose stays, whatever became of it.
	v = asking(t, sim, a, menu("here", "conversations_select", `,"initial_conversation":"C0GONE0001"`))
	if res, err := sim.Submit(t.Context(), ada, v.ID, nil); err != nil || !res.OK() {
		t.Errorf("%+v, %v", res, err)
	}
	// An id may have been offered before: the app has to look itself.
	v = asking(t, sim, a, menu("here", "conversations_select", ""))
	if res, err := sim.Submit(t.Context(), ada, v.ID, map[string]string{"here": "C0NOWHERE1"}); err != nil || !res.OK() {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestPictures finds uploaded pictures and those with an address.
func TestPictures(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, nil)
	id := sim.AddFile("chart.png", "Chart", []byte("\x89PNG\r\n\x1a\n"))
	out := call(t, sim, "chat.postMessage", sim.Config().BotToken, `{"channel":"`+team+`","text":"x","blocks":[
		{"type":"image","alt_text":"a chart","slack_file":{"id":"`+id+`"}},
		{"type":"section","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"image","alt_text":"a badge","image_url":"https://example.org/a.png"}}]}`)
	ts, _ := out["ts"].(string)
	m, ok := sim.Message(slacksim.MessageRef{Channel: team, TS: ts})
	want := []slacksim.Picture{{Alt: "a chart", FileID: id}, {Alt: "a badge", URL: "https://example.org/a.png"}}
	if got := m.Pictures(); !ok || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, out)
	}
}
