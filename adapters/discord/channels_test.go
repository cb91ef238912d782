package discord

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// announcement is a form with every kind of field that a server's channel and
// a longer text need.
func announcement() chat.Form {
	return chat.Form{
		ID: "link:", Title: "Announce", Fields: []chat.Field{
			{Name: "which", Label: "Which", Kind: chat.FieldChoices, Optional: true, Options: []chat.Choice{{Name: "One", Value: "1"}, {Name: "Two", Value: "2"}}},
			{Name: "channel", Label: "Channel", Kind: chat.FieldChannel, Value: "1200000000000000001"},
			{Name: "words", Label: "Text", Kind: chat.FieldLong, MinLen: 1, MaxLen: 2000},
			{Name: "picture", Label: "Picture", MaxLen: 500, Optional: true},
			{Name: "elsewhere", Label: "Another channel", Kind: chat.FieldChannel, Optional: true},
		},
	}
}

func TestChannelOnSimulator(t *testing.T) {
	t.Parallel()
	h := newTestHandler(func(a chat.Action) chat.Answer {
		if a.Source == chat.SourceSubmit {
			return chat.Answer{Card: &chat.Card{Title: "Taken"}}
		}
		form := announcement()
		return chat.Answer{Form: &form}
	})
	a, sim, who, _ := onSim(t, h, false, discordsim.GatewayConfig{})
	guild := sim.AddGuild(discordsim.Guild{Name: "Example"})
	channel := func(c discordsim.Channel) string {
		c.GuildID = guild
		id, err := sim.AddChannel(c)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	open := channel(discordsim.Channel{Name: "general"})
	for name, tc := range map[string]struct {
		id   string
		want error
	}{
		"open":      {open, nil},
		"hidden":    {channel(discordsim.Channel{Name: "hidden", Hidden: true}), chat.ErrNoChannel},
		"read only": {channel(discordsim.Channel{Name: "news", ReadOnly: true}), chat.ErrMayNotPost},
		"gone":      {"1300000000000000009", chat.ErrNoChannel},
		"direct":    {sim.DM(who.ID()), chat.ErrNoChannel},
		"no id":     {"../users/@me", chat.ErrNoChannel},
	} {
		info, err := a.Channel(t.Context(), core.ChannelIdentity(Platform, "", tc.id))
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if tc.want == nil && (info.Name != "general" || info.Team != "discord:"+guild) {
			t.Errorf("%s: %+v", name, info)
		}
	}
	if _, err := a.Channel(t.Context(), core.Identity{Platform: Platform, User: who.ID()}); !errors.Is(err, chat.ErrNoChannel) {
		t.Errorf("a person: %v", err)
	}

	who.In(open).Command("badges", "list", nil).Modal("Announce").Fill("channel", []string{open}).Fill("words", "first\nsecond").Submit().
		ExpectEphemeral("Taken")
	for {
		got := receive(t, h.actions)
		if got.Source != chat.SourceSubmit {
			continue
		}
		if got.Fields["channel"] != open || got.Fields["words"] != "first\nsecond" || got.Fields["picture"] != "" ||
			got.Fields["which"] != "" || got.Fields["elsewhere"] != "" {
			t.Errorf("got %v", got.Fields)
		}
		return
	}
}

// What Discord's own description says of permissions.
func TestPermissionsIn(t *testing.T) {
	t.Parallel()
	const guild, role, other, me = "1", "2", "3", "4"
	for name, tc := range map[string]struct {
		everyone, role bits
		overwrites     []overwrite
		want           bits
	}{
		"of everyone":                   {everyone: viewChannel, want: viewChannel},
		"of everyone and the role":      {everyone: viewChannel, role: sendMessages, want: viewChannel | sendMessages},
		"administrators may everything": {role: administrator, overwrites: []overwrite{{ID: guild, Deny: viewChannel}}, want: ^bits(0)},
		"denied to everyone":            {everyone: viewChannel, overwrites: []overwrite{{ID: guild, Deny: viewChannel}}},
		"allowed to the role": {
			everyone: viewChannel, overwrites: []overwrite{{ID: role, Allow: viewChannel}, {ID: guild, Deny: viewChannel}}, want: viewChannel,
		},
		"denied to the role, allowed to the member": {
			everyone: viewChannel, overwrites: []overwrite{{ID: me, Allow: viewChannel}, {ID: role, Deny: viewChannel}}, want: viewChannel,
		},
		"of another role": {role: viewChannel, overwrites: []overwrite{{ID: other, Deny: viewChannel}}, want: viewChannel},
	} {
		ch := guildChannel{GuildID: guild, Overwrites: tc.overwrites}
		roles := []guildRole{{ID: guild, Permissions: tc.everyone}, {ID: role, Permissions: tc.role}, {ID: other, Permissions: attachFiles}}
		if got := permissionsIn(ch, roles, me, []string{role}); got != tc.want {
			t.Errorf("%s: %b, want %b", name, got, tc.want)
		}
	}
}

func TestBits(t *testing.T) {
	t.Parallel()
	var b bits
	if err := json.Unmarshal([]byte(`"2251799813685247"`), &b); err != nil || b != 2251799813685247 {
		t.Errorf("%d, %v", b, err)
	}
	for _, bad := range []string{`"-1"`, `"x"`, `1`, `{}`} {
		if err := json.Unmarshal([]byte(bad), &b); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
