package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/adapters/web"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/scheduler"
)

// maxLevel is the highest level that BADGE_LEVELS may name.
const maxLevel = 1_000_000

// levels reads BADGE_LEVELS.
func (s *Settings) levels() (core.RoleLevels, error) {
	levels := make(core.RoleLevels, len(s.BadgeLevels))
	for _, text := range s.BadgeLevels {
		template, number, _ := strings.Cut(strings.TrimSpace(text), "=")
		level, err := strconv.Atoi(number)
		if !issuerForm.MatchString(template) || err != nil || level < 1 || level > maxLevel {
			return nil, fmt.Errorf("BADGE_LEVELS: %q is not TEMPLATE=LEVEL with the id of a badge template at Credly and a level from 1 to %d", text, maxLevel)
		}
		if _, twice := levels[template]; twice {
			return nil, fmt.Errorf("BADGE_LEVELS names %s twice", template)
		}
		levels[template] = level
	}
	return levels, nil
}

func (s *Settings) checkLevels() error {
	_, err := s.levels()
	return errors.Join(err, when(s.DiscordClientSecret != "" && s.DiscordApplicationID == "", "DISCORD_CLIENT_SECRET needs DISCORD_APPLICATION_ID"))
}

// rolesConfig is what the Discord adapter needs for roles.
func (a *app) rolesConfig(catalog *chat.Catalog) discord.RolesConfig {
	texts := make(map[string]discord.CommandText, len(discord.RoleKeys))
	for _, key := range discord.RoleKeys {
		texts[key] = localText(catalog, "roles.record."+key+".name", "roles.record."+key+".description")
	}
	return discord.RolesConfig{ClientSecret: a.settings.DiscordClientSecret, Platform: a.credly.Name(), Texts: texts}
}

// openRoles lets people connect their badges with roles, where Discord's client
// secret is set.
func (a *app) openRoles(keys *core.Keys) error {
	if a.discord == nil || a.discord.Roles() == nil {
		return nil
	}
	levels, err := a.settings.levels()
	if err != nil {
		return err
	}
	a.roles = &core.Roles{Store: a.db, Clock: a.clock, Keys: keys, Link: a.discord.Roles(), Levels: levels, Log: a.log}
	for _, c := range a.composers {
		c.Roles, c.RolesAt = a.roles, discord.Platform
	}
	a.roleLooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_role_looks_total", Help: "Looks at what a platform knows of people for its roles, by what came of it.",
	}, []string{"outcome"})
	a.metrics.MustRegister(a.roleLooks)
	return nil
}

// rolesPages are what the pages need for roles.
func (a *app) rolesPages() (roles web.Roles, origin string) {
	if a.roles == nil {
		return nil, ""
	}
	return wakingRoles{a.roles, a.wake}, a.discord.Roles().Origin()
}

// wakingRoles lets messages leave at once after somebody connected.
type wakingRoles struct {
	*core.Roles
	wake func()
}

// Finish connects somebody; see [core.Roles].
func (w wakingRoles) Finish(ctx context.Context, cookie core.Secret, state, code string) (core.RoleResult, error) {
	defer w.wake()
	return w.Roles.Finish(ctx, cookie, state, code)
}

// tickRoles is the job that keeps roles in line with badges.
func (a *app) tickRoles(ctx context.Context) (string, error) {
	if a.roles == nil {
		return "not set up", nil
	}
	n, err := a.roles.Tick(ctx)
	if n.Lost > 0 {
		a.dispatcher.Nudge()
	}
	for outcome, count := range map[string]int{"told": n.Told, "withdrawn": n.Withdrawn, "lost": n.Lost, "failed": n.Failed} {
		a.roleLooks.WithLabelValues(outcome).Add(float64(count))
	}
	a.roleLooks.WithLabelValues("unchanged").Add(float64(n.Looked - n.Told - n.Withdrawn - n.Lost - n.Failed))
	if n.Told+n.Withdrawn+n.Lost+n.Failed == 0 {
		return scheduler.OutcomeOK, err
	}
	return fmt.Sprintf("%d told, %d withdrawn, %d lost, %d failed", n.Told, n.Withdrawn, n.Lost, n.Failed), err
}

// registerRoles tells Discord which facts there are, until it has heard it.
func (a *app) registerRoles(ctx context.Context) {
	a.persist(ctx, "role records", a.discord.Roles().Register)
}
