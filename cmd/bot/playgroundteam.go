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
		chosen, err := store.Customs(ctx, team)
		if err == nil && chosen.CelebrateIn == "" {
			now := r.clock.Now()
			err = store.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
				account, err := tx.EnsureAccount(ctx, core.Account{Identity: channel, Team: team, DisplayName: "general"}, now)
				if err != nil {
					return err
				}
				return tx.SaveCustoms(ctx, team, core.CustomsChange{CelebrateIn: &account.ID}, now)
			})
		}
		if err != nil {
			return fmt.Errorf("let a team celebrate: %w", err)
		}
	}
	return nil
}
