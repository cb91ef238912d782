package discordsim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func selectIn(kind int, more obj) obj {
	c := obj{"type": kind, "custom_id": "s"}
	for k, v := range more {
		c[k] = v
	}
	return obj{"title": "t", "custom_id": "m", "components": []any{
		obj{"type": 18, "label": "Where", "component": c},
		obj{"type": 18, "label": "Words", "component": obj{"type": 4, "custom_id": "w", "style": 2, "required": false}},
	}}
}

// chosen is what the bot gets of a form.
type chosen struct {
	Components []struct {
		Component struct {
			Type   int      `json:"type"`
			Values []string `json:"values"`
			Value  string   `json:"value"`
		} `json:"component"`
	} `json:"components"`
	Resolved map[string]map[string]map[string]any `json:"resolved"`
}

// TestMenusThatDiscordFills: people are offered what there is, and the bot gets
// ids and what they stand for.
func TestMenusThatDiscordFills(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	random, err := s.AddChannel(discordsim.Channel{GuildID: w.guild, Name: "random", ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := s.AddGuild(discordsim.Guild{Name: "Elsewhere"})
	if _, err := s.AddChannel(discordsim.Channel{GuildID: elsewhere, Name: "secret"}); err != nil {
		t.Fatal(err)
	}
	s.SetManager(w.guild, w.ada, true)
	var form obj
	bot := attach(t, s, func(in inbound) any {
		if in.Type == 5 {
			return obj{"type": 4, "data": obj{"content": "done", "flags": 64}}
		}
		return obj{"type": 9, "data": form}
	})
	open := func(channel string, f obj) *discordsim.Modal {
		t.Helper()
		form = f
		res, err := s.Command(t.Context(), w.ada, channel, "badges", "list", nil)
		if err != nil || res.Failed || res.Modal == nil {
			t.Fatalf("%+v, %v", res, err)
		}
		return res.Modal
	}
	offered := func(m *discordsim.Modal) string {
		var out []string
		for _, o := range s.Fields(m)[0].Options {
			out = append(out, fmt.Sprint(o.Label, o.Default))
		}
		return strings.Join(out, " ")
	}
	m := open(w.channel, selectIn(8, obj{"channel_types": []int{0}, "default_values": []obj{{"id": w.channel, "type": "channel"}}}))
	if got := offered(m); got != "generaltrue randomfalse" {
		t.Errorf("offered: %s", got)
	}
	for _, wrong := range []any{"secret", "nowhere", []string{"general", "random"}} {
		if _, err := s.Submit(t.Context(), w.ada, m, map[string]any{"Where": wrong}); !errors.Is(err, discordsim.ErrBadInput) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if res, err := s.Submit(t.Context(), w.ada, m, map[string]any{"Where": "#random", "Words": "one\ntwo"}); err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	var got chosen
	if err := json.Unmarshal(bot.last().Data, &got); err != nil {
		t.Fatal(err)
	}
	there := got.Resolved["channels"][random]
	if c := got.Components[0].Component; c.Type != 8 || !slices.Equal(c.Values, []string{random}) || there["name"] != "random" ||
		there["permissions"] == nil || there["permission_overwrites"] != nil || got.Components[1].Component.Value != "one\ntwo" {
		t.Errorf("the bot gets %s", bot.last().Data)
	}

	// What it begins with counts where nobody touched it.
	m = open(w.channel, selectIn(8, obj{"default_values": []obj{{"id": w.channel, "type": "channel"}}}))
	if res, err := s.Submit(t.Context(), w.ada, m, nil); err != nil || res.Failed || !strings.Contains(string(bot.last().Data), w.channel) {
		t.Errorf("%+v, %v: %s", res, err, bot.last().Data)
	}
	m = open(w.channel, selectIn(8, obj{"default_values": []obj{{"id": "9", "type": "channel"}}}))
	if res, err := s.Submit(t.Context(), w.ada, m, nil); err != nil || res.Failed || !strings.Contains(string(bot.last().Data), `["9"]`) {
		t.Errorf("a channel that is gone: %+v, %v: %s", res, err, bot.last().Data)
	}
	if m = open("", selectIn(8, nil)); offered(m) != "" {
		t.Errorf("offered where there is no server: %s", offered(m))
	}
	if m = open(w.channel, selectIn(8, obj{"channel_types": []int{2}})); offered(m) != "" {
		t.Errorf("offered voice channels: %s", offered(m))
	}
	m = open(w.channel, selectIn(7, nil))
	if res, err := s.Submit(t.Context(), w.ada, m, map[string]any{"s": "@bob"}); err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	got = chosen{}
	if err := json.Unmarshal(bot.last().Data, &got); err != nil || got.Resolved["users"][w.bob] == nil || got.Resolved["members"][w.bob]["permissions"] == nil {
		t.Errorf("the bot gets %s, %v", bot.last().Data, err)
	}

	// The same in a message.
	attachMenu := attach(t, s, func(inbound) any { return obj{"type": 6} })
	status, _, sent := call(t, s, http.MethodPost, "/channels/"+w.channel+"/messages", obj{"content": "x", "components": []any{
		row(obj{"type": 8, "custom_id": "s", "placeholder": "Where", "default_values": []obj{{"id": w.channel, "type": "channel"}}}),
	}}, true)
	id, _ := sent["id"].(string)
	if status != http.StatusOK || id == "" {
		t.Fatalf("%d %v", status, sent)
	}
	if _, err := s.Press(t.Context(), w.ada, id, "Where", "#random"); err != nil || !strings.Contains(string(attachMenu.last().Data), `"resolved":{"channels"`) {
		t.Errorf("%v: %s", err, attachMenu.last().Data)
	}
	if _, err := s.Press(t.Context(), w.ada, id, "Where", "secret"); !errors.Is(err, discordsim.ErrBadInput) {
		t.Errorf("a channel of another server: %v", err)
	}
}

// TestBrokenMenus are refused.
func TestBrokenMenus(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	for name, f := range map[string]obj{
		"a type that is none":         selectIn(8, obj{"channel_types": []int{9}}),
		"a type twice":                selectIn(8, obj{"channel_types": []int{0, 0}}),
		"a default of another kind":   selectIn(8, obj{"default_values": []obj{{"id": w.ada, "type": "user"}}}),
		"a default without an id":     selectIn(8, obj{"default_values": []obj{{"type": "channel"}}}),
		"a default that is no id":     selectIn(8, obj{"default_values": []obj{{"id": "general", "type": "channel"}}}),
		"more defaults than possible": selectIn(8, obj{"default_values": []obj{{"id": "1", "type": "channel"}, {"id": "2", "type": "channel"}}}),
	} {
		attach(t, s, func(inbound) any { return obj{"type": 9, "data": f} })
		res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil)
		if err != nil || !res.Failed || !strings.Contains(res.Reason, "50035") {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
}

// TestCommandsOfEachType: 100 of those that are typed, 15 of each menu.
// https://discord.com/developers/docs/interactions/application-commands#registering-a-command
func TestCommandsOfEachType(t *testing.T) {
	t.Parallel()
	for kind, most := range map[int]int{1: 100, 2: 15, 3: 15} {
		s := start(t, discordsim.Config{})
		populate(t, s)
		path := "/applications/" + s.ApplicationID() + "/commands"
		list := func(n int) []any {
			return times(n, func(i int) any {
				c := obj{"name": fmt.Sprint("c", i), "type": kind}
				if kind == 1 {
					c["description"] = "d"
				}
				return c
			})
		}
		if status, _, body := call(t, s, http.MethodPut, path, list(most+1), true); status != http.StatusBadRequest || body["code"] != 30032.0 {
			t.Errorf("%d of type %d: %d %v", most+1, kind, status, body)
		}
		if status, _, body := call(t, s, http.MethodPut, path, list(most), true); status != http.StatusOK {
			t.Errorf("%d of type %d: %d %v", most, kind, status, body)
		}
		if status, _, body := call(t, s, http.MethodPost, path, list(most + 1)[most], true); status != http.StatusBadRequest || body["code"] != 30032.0 {
			t.Errorf("one more of type %d: %d %v", kind, status, body)
		}
	}
}
