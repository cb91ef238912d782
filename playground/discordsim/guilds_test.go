package discordsim_test

import (
	"net/http"
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// guilds reads guilds, and adds up what everybody may do.
func guilds(t *testing.T, s *discordsim.Server) {
	t.Helper()
	w := populate(t, s)
	if _, err := s.AddChannel(discordsim.Channel{GuildID: w.guild, Name: "hidden", Hidden: true}); err != nil {
		t.Fatal(err)
	}
	s.SetManager(w.guild, w.ada, true)
	s.SetManager(w.guild, w.bob, true)
	s.SetManager(w.guild, w.bob, false)
	dg := session(t, s)
	g, err := dg.GuildWithCounts(w.guild)
	if err != nil || g.Name != "Guild" || g.ApproximateMemberCount != 3 || len(g.Roles) != 3 {
		t.Fatalf("guild %+v, %v", g, err)
	}
	roles, err := dg.GuildRoles(w.guild)
	if err != nil {
		t.Fatal(err)
	}
	// may is what a member's roles allow, with a channel's overwrites.
	may := func(user string, ch *discordgo.Channel) int64 {
		t.Helper()
		m, err := dg.GuildMember(w.guild, user)
		if err != nil || m.User.ID != user {
			t.Fatalf("member %+v, %v", m, err)
		}
		var out int64
		has := map[string]bool{w.guild: true}
		for _, id := range m.Roles {
			has[id] = true
		}
		for _, r := range roles {
			if has[r.ID] {
				out |= r.Permissions
			}
		}
		for _, o := range ch.PermissionOverwrites {
			if has[o.ID] {
				out = out&^o.Deny | o.Allow
			}
		}
		return out
	}
	channels, err := dg.GuildChannels(w.guild)
	if err != nil || len(channels) != 2 || channels[0].ID != w.channel || channels[1].Name != "hidden" {
		t.Fatalf("channels %+v, %v", channels, err)
	}
	for _, tt := range []struct {
		name    string
		user    string
		channel *discordgo.Channel
		bit     int64
		want    bool
	}{
		{"a manager manages", w.ada, channels[0], discordgo.PermissionManageGuild, true},
		{"others do not", w.bob, channels[0], discordgo.PermissionManageGuild, false},
		{"nor does the bot", s.ApplicationID(), channels[0], discordgo.PermissionManageGuild, false},
		{"the bot sends", s.ApplicationID(), channels[0], discordgo.PermissionSendMessages, true},
		{"and attaches", s.ApplicationID(), channels[0], discordgo.PermissionAttachFiles, true},
		{"it does not see what is hidden", s.ApplicationID(), channels[1], discordgo.PermissionViewChannel, false},
		{"people do", w.bob, channels[1], discordgo.PermissionViewChannel, true},
	} {
		if got := may(tt.user, tt.channel)&tt.bit != 0; got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
	gone := s.AddGuild(discordsim.Guild{Name: "Gone"})
	if _, err := s.AddChannel(discordsim.Channel{GuildID: gone, Name: "there"}); err != nil {
		t.Fatal(err)
	}
	s.RemoveGuild(gone)
	for _, tt := range []struct {
		path         string
		status, code int
	}{
		{"/guilds/9", 404, 10004},
		{"/guilds/x", 400, 50035},
		{"/guilds/9/channels", 404, 10004},
		{"/guilds/9/roles", 404, 10004},
		{"/guilds/" + gone, 403, 50001},
		{"/guilds/" + w.guild + "/members/9", 404, 10007},
		{"/guilds/" + w.guild + "/members/x", 400, 50035},
	} {
		status, _, out := call(t, s, http.MethodGet, tt.path, nil, true)
		if code, _ := out["code"].(float64); status != tt.status || int(code) != tt.code {
			t.Errorf("%s: %d %v", tt.path, status, out)
		}
	}

	// Interactions say what a person may do.
	badges(t, s)
	bot := attach(t, s, func(inbound) any { return obj{"type": 4, "data": obj{"content": "x"}} })
	for user, want := range map[string]bool{w.ada: true, w.bob: false} {
		if _, err := s.Command(t.Context(), user, w.channel, "badges", "list", nil); err != nil {
			t.Fatal(err)
		}
		var in discordgo.Interaction
		if err := in.UnmarshalJSON(bot.lastRaw()); err != nil || in.Member.Permissions&discordgo.PermissionManageGuild != 0 != want {
			t.Errorf("%s: %v, %v", user, in.Member, err)
		}
	}
}
