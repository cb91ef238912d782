package main

import (
	"context"
	"fmt"

	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/adapters/slack"
	"github.com/laurelbot/laurel/core"
)

// celebrate lets the playground's teams celebrate in #general from the start,
// unless they celebrate elsewhere.
func (r *rig) celebrate(ctx context.Context, store core.Store) error {
	workspace := r.slack.Config().TeamID
	for team, channel := range map[string]core.Identity{
		"slack:" + workspace: core.ChannelIdentity(slack.Platform, workspace, generalChannel),
		"discord:" + r.guild: core.ChannelIdentity(discord.Platform, "", discordChannel),
	} {
		now := r.clock.Now()
		var account core.Account
		err := store.InTx(ctx, func(ctx context.Context, tx core.Tx) (err error) {
			account, err = tx.EnsureAccount(ctx, core.Account{Identity: channel, Team: team}, now)
			return err
		})
		var customs core.Customs
		if err == nil {
			customs, err = store.Customs(ctx, team)
		}
		if err == nil && customs.CelebrateIn == "" {
			customs.CelebrateIn = account.ID
			err = store.SaveCustoms(ctx, team, customs, now)
		}
		if err != nil {
			return fmt.Errorf("let a team celebrate: %w", err)
		}
	}
	return nil
}
