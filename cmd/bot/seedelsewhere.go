package main

import (
	"fmt"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// foreignChannel is in foreignGuild, a server of Discord's without the bot.
const (
	foreignGuild   = "300000000000000009"
	foreignChannel = "200000000000000009"
)

// seedElsewhere adds places of Discord where the bot is not, and lets everybody
// bring it along: they have the app for themselves.
func (r *rig) seedElsewhere() error {
	club := r.discord.AddForeignGuild(discordsim.Guild{ID: foreignGuild, Name: "Book Club"})
	if _, err := r.discord.AddChannel(discordsim.Channel{ID: foreignChannel, GuildID: club, Name: "lounge"}); err != nil {
		return fmt.Errorf("seed Discord: %w", err)
	}
	people := seededPeople()
	for _, p := range people {
		r.discord.SetUserInstall(p.discordID, true)
	}
	if _, err := r.discord.AddGroup("Lunch", people[0].discordID, people[1].discordID, people[2].discordID); err != nil {
		return fmt.Errorf("seed Discord: %w", err)
	}
	return nil
}
