package discordsim_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// Who has the application for themselves uses it where the bot is not.
func TestUserInstall(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	club := s.AddForeignGuild(discordsim.Guild{Name: "Club"})
	lounge, err := s.AddChannel(discordsim.Channel{GuildID: club, Name: "lounge"})
	if err != nil {
		t.Fatal(err)
	}
	group, err := s.AddGroup("Lunch", w.ada, w.bob)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddGroup("Nobody", "9"); !errors.Is(err, discordsim.ErrUnknownUser) {
		t.Errorf("a group of nobody: %v", err)
	}
	s.SetManager(club, w.ada, true)
	bot := attach(t, s, func(inbound) any { return obj{"type": 5, "data": obj{"flags": 64}} })
	command := badgesCommand()
	contexts := []discordgo.InteractionContextType{0, 1, 2}
	kinds := []discordgo.ApplicationIntegrationType{0, 1}
	command.Contexts, command.IntegrationTypes = &contexts, &kinds
	if _, err := session(t, s).ApplicationCommandBulkOverwrite(s.ApplicationID(), "", []*discordgo.ApplicationCommand{command}); err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{lounge, group} {
		if _, err := s.Command(t.Context(), w.ada, channel, "badges", "list", nil); !errors.Is(err, discordsim.ErrUnknownChannel) {
			t.Errorf("used without any installation: %v", err)
		}
	}
	s.SetUserInstall(w.ada, true)
	var last *discordsim.Result
	for _, tt := range []struct {
		name, channel string
		context       int
		guild         string
		owners        map[string]string
	}{
		{"with the bot", w.channel, 0, w.guild, map[string]string{"0": w.guild, "1": w.ada}},
		{"with the bot alone", "", 1, "", map[string]string{"0": "0", "1": w.ada}},
		{"in a group", group, 2, "", map[string]string{"1": w.ada}},
		{"without the bot", lounge, 0, club, map[string]string{"1": w.ada}},
	} {
		if last, err = s.Command(t.Context(), w.ada, tt.channel, "badges", "list", nil); err != nil || last.Failed {
			t.Fatalf("%s: %+v, %v", tt.name, last, err)
		}
		var in struct {
			Context int                           `json:"context"`
			Guild   string                        `json:"guild_id"`
			Owners  map[string]string             `json:"authorizing_integration_owners"`
			Member  *struct{ Permissions string } `json:"member"`
			User    *struct{ ID string }          `json:"user"`
		}
		if err := json.Unmarshal(bot.lastRaw(), &in); err != nil {
			t.Fatal(err)
		}
		if in.Context != tt.context || in.Guild != tt.guild || !maps.Equal(in.Owners, tt.owners) || (in.Member == nil) == (tt.guild != "") || (in.User == nil) == (tt.guild == "") {
			t.Errorf("%s: %s", tt.name, bot.lastRaw())
		}
	}
	// Nobody else sees it, nor does the bot see the channel.
	if seen := s.Messages(lounge, w.bob); len(seen) != 0 {
		t.Errorf("others see %+v", seen)
	}
	if status, _, out := call(t, s, http.MethodPost, "/channels/"+lounge+"/messages", obj{"content": "x"}, true); status != 403 || out["code"] != 50001.0 {
		t.Errorf("posted: %d %v", status, out)
	}
	// The first one takes the place of the deferral.
	path := "/webhooks/" + s.ApplicationID() + "/" + last.Token
	for n := range 7 {
		status, _, out := call(t, s, http.MethodPost, path, obj{"content": "more", "flags": 64}, false)
		if tooMany := n == 6; tooMany != (status == 400 && out["code"] == 40094.0) || !tooMany && status != 200 {
			t.Errorf("follow-up %d: %d %v", n, status, out)
		}
	}
	s.SetUserInstall(w.ada, false)
	if _, err := s.Press(t.Context(), w.ada, last.MessageID, "x"); !errors.Is(err, discordsim.ErrUnknownChannel) {
		t.Errorf("pressed after it was removed: %v", err)
	}
	s.AddGuild(discordsim.Guild{ID: club, Name: "Club"})
	if last, err = s.Command(t.Context(), w.bob, lounge, "badges", "list", nil); err != nil || last.Failed {
		t.Errorf("after the bot was invited: %+v, %v", last, err)
	}
}

// A command for servers alone is not offered to who brings it along.
func TestCommandOfServersAlone(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{NoUserInstall: true})
	w := populate(t, s)
	s.SetUserInstall(w.ada, true)
	group, err := s.AddGroup("Lunch", w.ada)
	if err != nil {
		t.Fatal(err)
	}
	attach(t, s, func(inbound) any { return obj{"type": 4, "data": obj{"content": "x"}} })
	badges(t, s)
	if _, err := s.Command(t.Context(), w.ada, group, "badges", "list", nil); !errors.Is(err, discordsim.ErrUnknownCommand) {
		t.Errorf("offered: %v", err)
	}
	_, _, app := call(t, s, http.MethodGet, "/applications/@me", nil, true)
	installs, _ := app["integration_types_config"].(map[string]any)
	if _, guild := installs["0"]; !guild || len(installs) != 1 {
		t.Errorf("installs: %v", app["integration_types_config"])
	}
}
