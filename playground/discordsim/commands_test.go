package discordsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	dg := session(t, s)
	first := badges(t, s)
	again := badges(t, s)
	if first[0].ID != again[0].ID || first[0].Version != again[0].Version || s.CommandWrites() != 2 {
		t.Fatalf("%+v, then %+v, %d writes", first[0], again[0], s.CommandWrites())
	}
	full, err := dg.ApplicationCommands(s.ApplicationID(), "") // asks with_localizations.
	if err != nil || len(full) != 1 || full[0].NameLocalizations == nil {
		t.Fatalf("commands = %+v, %v", full, err)
	}
	_, _, one := call(t, s, http.MethodGet, "/applications/"+s.ApplicationID()+"/commands/"+first[0].ID, nil, true)
	if one["name_localizations"] == nil {
		t.Fatalf("command = %v", one)
	}
	if got := s.Commands(); len(got) != 1 || got[0].NameLocalizations["de"] != "abzeichen" || len(got[0].Options) != 3 {
		t.Fatalf("commands = %+v", got)
	}
	if _, err := dg.ApplicationCommandCreate(s.ApplicationID(), w.guild, &discordgo.ApplicationCommand{Name: "local", Description: "d"}); err != nil {
		t.Fatal(err)
	}
	if got := s.Commands(); len(got) != 2 || got[1].GuildID != w.guild {
		t.Fatalf("commands = %+v", got)
	}
	for _, tt := range []struct {
		name string
		cmd  obj
	}{
		{"name with capital", obj{"name": "Badges", "description": "d"}},
		{"name with space", obj{"name": "my badges", "description": "d"}},
		{"name 33", obj{"name": strings.Repeat("a", 33), "description": "d"}},
		{"no description", obj{"name": "a"}},
		{"description 101", obj{"name": "a", "description": strings.Repeat("d", 101)}},
		{"unknown locale", obj{"name": "a", "description": "d", "name_localizations": obj{"xx": "a"}}},
		{"bad localized name", obj{"name": "a", "description": "d", "name_localizations": obj{"de": "Zwei Worte"}}},
		{"required after optional", obj{"name": "a", "description": "d", "options": []any{
			obj{"type": 3, "name": "x", "description": "d"}, obj{"type": 3, "name": "y", "description": "d", "required": true},
		}}},
		{"option twice", obj{"name": "a", "description": "d", "options": []any{
			obj{"type": 3, "name": "x", "description": "d"}, obj{"type": 3, "name": "x", "description": "d"},
		}}},
		{"subcommand beside option", obj{"name": "a", "description": "d", "options": []any{
			obj{"type": 1, "name": "x", "description": "d"}, obj{"type": 3, "name": "y", "description": "d"},
		}}},
		{"autocomplete with choices", obj{"name": "a", "description": "d", "options": []any{
			obj{"type": 3, "name": "x", "description": "d", "autocomplete": true, "choices": []any{obj{"name": "n", "value": "v"}}},
		}}},
		{"over 8000", bigCommand()},
		{"26 options", obj{"name": "a", "description": "d", "options": manyOptions(26)}},
	} {
		status, _, body := call(t, s, http.MethodPut, "/applications/"+s.ApplicationID()+"/commands", []any{tt.cmd}, true)
		if status != 400 || body["code"] != 50035.0 {
			t.Errorf("%s: %d %v", tt.name, status, body)
		}
	}
	var many []any
	for i := range 101 {
		many = append(many, obj{"name": "c" + strings.Repeat("x", i%30) + string(rune('a'+i/30)), "description": "d"})
	}
	if status, _, body := call(t, s, http.MethodPut, "/applications/"+s.ApplicationID()+"/commands", many, true); status != 400 || body["code"] != 30032.0 {
		t.Errorf("101 commands: %d %v", status, body)
	}
}

func manyOptions(n int) []any {
	var out []any
	for i := range n {
		out = append(out, obj{"type": 3, "name": "o" + string(rune('a'+i)), "description": "d"})
	}
	return out
}

func bigCommand() obj {
	var options []any
	for i := range 25 {
		var choices []any
		for j := range 25 {
			choices = append(choices, obj{"name": strings.Repeat("n", 20) + string(rune('a'+j)), "value": "v"})
		}
		options = append(options, obj{"type": 3, "name": "o" + string(rune('a'+i)), "description": "d", "choices": choices})
	}
	return obj{"name": "big", "description": "d", "options": options}
}
