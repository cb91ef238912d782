package slacksim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/slacksim"
)

// get calls a method by a query, as methods that take no JSON are called.
func get(t *testing.T, sim *slacksim.Server, method string, form url.Values) map[string]any {
	t.Helper()
	_, _, body := fetch(t, http.MethodGet, sim.APIURL()+method+"?"+form.Encode(), sim.Config().BotToken, nil)
	var out map[string]any
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func ids(list any) []string {
	all, _ := list.([]any)
	out := []string{}
	for _, one := range all {
		switch v := one.(type) {
		case string:
			out = append(out, v)
		case map[string]any:
			id, _ := v["id"].(string)
			out = append(out, id)
		}
	}
	return out
}

func cursor(answer map[string]any) string {
	meta, _ := answer["response_metadata"].(map[string]any)
	next, _ := meta["next_cursor"].(string)
	return next
}

var everything = []string{
	"channels:read", "groups:read", "im:read", "mpim:read", "channels:join", "chat:write", "users:read", "users:read.email",
	"files:read", "files:write",
}

// populated is a workspace with channels of every kind.
func populated(t *testing.T) *slacksim.Server {
	t.Helper()
	sim, _ := start(t, func(c *slacksim.Config) { c.Scopes = everything })
	sim.AddChannel("C0000OTHER", "other", ada)
	sim.AddChannel("C000000OLD", "old", ada, sim.Config().BotUserID)
	sim.Archive("C000000OLD", true)
	sim.AddPrivateChannel("C000SECRET", "secret", ada)
	sim.AddPrivateChannel("C0000INNER", "inner", ada, sim.Config().BotUserID)
	return sim
}

func TestChannelsAreListed(t *testing.T) {
	t.Parallel()
	sim := populated(t)
	for _, tt := range []struct {
		name string
		form url.Values
		want []string
		code any
	}{
		{"public by default", nil, []string{team, "C0000OTHER", "C000000OLD"}, nil},
		{"without archived", url.Values{"exclude_archived": {"true"}}, []string{team, "C0000OTHER"}, nil},
		{"private ones of the bot", url.Values{"types": {"private_channel"}}, []string{"C0000INNER"}, nil},
		{"both", url.Values{"types": {"public_channel, private_channel"}, "limit": {"1000"}}, []string{team, "C0000OTHER", "C000000OLD", "C0000INNER"}, nil},
		{"unopened conversations", url.Values{"types": {"im"}}, []string{}, nil},
		{"unknown type", url.Values{"types": {"public"}}, []string{}, "invalid_types"},
		{"bad limit", url.Values{"limit": {"1001"}}, []string{}, "invalid_limit"},
		{"bad cursor", url.Values{"cursor": {"nonsense"}}, []string{}, "invalid_cursor"},
	} {
		got := get(t, sim, "conversations.list", tt.form)
		if !slices.Equal(ids(got["channels"]), tt.want) || got["error"] != tt.code {
			t.Errorf("%s: %v %v", tt.name, ids(got["channels"]), got["error"])
		}
	}
	first := get(t, sim, "conversations.list", url.Values{"limit": {"2"}})
	second := get(t, sim, "conversations.list", url.Values{"limit": {"2"}, "cursor": {cursor(first)}})
	if !slices.Equal(append(ids(first["channels"]), ids(second["channels"])...), []string{team, "C0000OTHER", "C000000OLD"}) || cursor(second) != "" {
		t.Errorf("pages %v and %v, then %q", ids(first["channels"]), ids(second["channels"]), cursor(second))
	}
	one, _ := first["channels"].([]any)[1].(map[string]any)
	if one["name"] != "other" || one["is_member"] != false || one["num_members"] != 1.0 {
		t.Errorf("listed as %v", one)
	}
	limited, _ := start(t, func(c *slacksim.Config) { c.Scopes = []string{"channels:read"} })
	got := get(t, limited, "conversations.list", url.Values{"types": {"public_channel,private_channel"}})
	if got["error"] != "missing_scope" || got["needed"] != "groups:read" || got["provided"] != "channels:read" {
		t.Errorf("without the scope: %v", got)
	}
}

func TestChannelsAreJoined(t *testing.T) {
	t.Parallel()
	sim := populated(t)
	post := func(method, channel string) map[string]any {
		return call(t, sim, method, sim.Config().BotToken, `{"channel":"`+channel+`","text":"x","user":"`+ada+`"}`)
	}
	if got := post("chat.postMessage", "C0000OTHER"); got["error"] != "not_in_channel" {
		t.Errorf("before: %v", got)
	}
	for _, tt := range []struct{ method, channel, code string }{
		{"conversations.join", "C999", "channel_not_found"},
		{"conversations.join", "C000SECRET", "channel_not_found"},
		{"conversations.join", "C0000INNER", "method_not_supported_for_channel_type"},
		{"conversations.join", "C000000OLD", "is_archived"},
		{"chat.postMessage", "C000000OLD", "is_archived"},
		{"chat.postEphemeral", "C000000OLD", "is_archived"},
	} {
		if got := post(tt.method, tt.channel); got["error"] != tt.code {
			t.Errorf("%s %s: %v, want %s", tt.method, tt.channel, got["error"], tt.code)
		}
	}
	joined, again := post("conversations.join", "C0000OTHER"), post("conversations.join", "C0000OTHER")
	if c, _ := joined["channel"].(map[string]any); c["is_member"] != true || joined["warning"] != "missing_charset" {
		t.Errorf("joined: %v", joined)
	}
	if again["ok"] != true || again["warning"] != "already_in_channel,missing_charset" {
		t.Errorf("again: %v", again)
	}
	if got := post("chat.postMessage", "C0000OTHER"); got["ok"] != true {
		t.Errorf("after: %v", got)
	}
	members := get(t, sim, "conversations.members", url.Values{"channel": {team}, "limit": {"2"}})
	rest := get(t, sim, "conversations.members", url.Values{"channel": {team}, "cursor": {cursor(members)}})
	if !slices.Equal(ids(members["members"]), []string{ada, bert}) || !slices.Equal(ids(rest["members"]), []string{sim.Config().BotUserID}) {
		t.Errorf("members %v, then %v", members, rest)
	}
	info := get(t, sim, "conversations.info", url.Values{"channel": {"C000000OLD"}, "include_num_members": {"true"}})
	if c, _ := info["channel"].(map[string]any); c["is_archived"] != true || c["num_members"] != 2.0 {
		t.Errorf("info: %v", info)
	}
}

func TestPeopleAreListed(t *testing.T) {
	t.Parallel()
	sim := populated(t)
	sim.AddUser(slacksim.User{ID: "U0000000CY", Name: "cy", RealName: "Cy Example", TZ: "Europe/Berlin", Email: "cy@example.org", Owner: true})
	sim.AddUser(slacksim.User{ID: "U0000GONE1", Name: "gone", Email: "gone@example.org", Deleted: true})
	all := []string{slacksim.SlackbotID, ada, bert, "U0000000CY", "U0000GONE1", sim.Config().BotUserID}
	got := get(t, sim, "users.list", url.Values{"include_locale": {"1"}})
	if !slices.Equal(ids(got["members"]), all) {
		t.Errorf("listed %v", ids(got["members"]))
	}
	var paged []string
	next := ""
	for range 3 {
		page := get(t, sim, "users.list", url.Values{"limit": {"2"}, "cursor": {next}})
		paged, next = append(paged, ids(page["members"])...), cursor(page)
	}
	if !slices.Equal(paged, all) || next != "" {
		t.Errorf("paged %v, then %q", paged, next)
	}
	cy, _ := get(t, sim, "users.info", url.Values{"user": {"U0000000CY"}})["user"].(map[string]any)
	label, _ := cy["tz_label"].(string)
	if cy["is_admin"] != true || cy["is_owner"] != true || cy["is_bot"] != false || !strings.HasPrefix(label, "Central European") || cy["locale"] != nil {
		t.Errorf("cy is %v", cy)
	}
	bot, _ := get(t, sim, "users.info", url.Values{"user": {sim.Config().BotUserID}})["user"].(map[string]any)
	if bot["is_bot"] != true || bot["is_admin"] != false {
		t.Errorf("the bot is %v", bot)
	}
	for email, want := range map[string]any{"CY@example.org": nil, "gone@example.org": "users_not_found", "nobody@example.org": "users_not_found", "": "invalid_arguments"} {
		got := get(t, sim, "users.lookupByEmail", url.Values{"email": {email}})
		if got["error"] != want {
			t.Errorf("look up %q: %v", email, got)
		}
	}
	sim.SetLimits(slacksim.Limits{Methods: true})
	codes := map[any]int{}
	for range 21 {
		codes[get(t, sim, "users.list", nil)["error"]]++
	}
	if codes[nil] != 20 || codes["ratelimited"] != 1 {
		t.Errorf("tier 2 came to %v", codes)
	}
}
