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

// hasRoles says whether people can connect.
func (a *app) hasRoles() bool { return a.discord != nil && a.discord.Roles() != nil }

// openRoles lets people connect their badges with roles, where Discord's client
// secret is set. Without it those who connected before can still end that.
func (a *app) openRoles(keys *core.Keys) error {
	levels, err := a.settings.levels()
	if err != nil {
		return err
	}
	a.roles = &core.Roles{Store: a.db, Clock: a.clock, Keys: keys, Link: noRoles{}, Levels: levels, Log: a.log}
	if a.discord != nil {
		a.roles.Link = a.discord.RoleLink(a.credly.Name())
		for _, c := range a.composers {
			c.Roles, c.RolesAt, c.RolesClosed = a.roles, discord.Platform, !a.hasRoles()
		}
	}
	a.roleLooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "laurel_role_looks_total", Help: "Looks at what a platform knows of people for its roles, by what came of it.",
	}, []string{"outcome"})
	a.metrics.MustRegister(a.roleLooks)
	return nil
}

// rolesPages are what the pages need for roles.
func (a *app) rolesPages() (roles web.Roles, origin string) {
	if !a.hasRoles() {
		return nil, ""
	}
	return wakingRoles{a.roles, a.wake}, a.discord.Roles().Origin()
}

// noRoles is the platform where it is not set up any more: of connections that
// are left nothing can be taken back, and they end in time.
type noRoles struct{}

var _ core.RoleLink = noRoles{}

// AuthorizeURL implements [core.RoleLink].
func (noRoles) AuthorizeURL(string) string { return "" }

// Exchange implements [core.RoleLink].
func (noRoles) Exchange(context.Context, string) (core.RoleTokens, error) {
	return core.RoleTokens{}, core.ErrRoleClient
}

// Refresh implements [core.RoleLink].
func (noRoles) Refresh(context.Context, core.RoleTokens) (core.RoleTokens, error) {
	return core.RoleTokens{}, core.ErrRoleClient
}

// Owner implements [core.RoleLink].
func (noRoles) Owner(context.Context, core.RoleTokens) (core.Identity, error) {
	return core.Identity{}, core.ErrRoleClient
}

// Tell implements [core.RoleLink].
func (noRoles) Tell(context.Context, core.RoleTokens, core.RoleFacts) error {
	return core.ErrRoleClient
}

// Withdraw implements [core.RoleLink].
func (noRoles) Withdraw(context.Context, core.RoleTokens) error { return core.ErrRoleClient }

// Revoke implements [core.RoleLink].
func (noRoles) Revoke(context.Context, core.RoleTokens) error { return core.ErrRoleClient }

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
	n, err := a.roles.Tick(ctx)
	if n.Lost > 0 {
		a.dispatcher.Nudge()
	}
	var said []string
	unchanged := n.Looked
	for _, outcome := range []struct {
		name  string
		count int
	}{
		{"told", n.Told},
		{"withdrawn", n.Withdrawn},
		{"lost", n.Lost},
		{"failed", n.Failed},
		{"replaced", n.Replaced},
		{"given up", n.GivenUp},
		{"refused", n.Refused},
		{"unreadable", n.Unreadable},
	} {
		a.roleLooks.WithLabelValues(strings.ReplaceAll(outcome.name, " ", "_")).Add(float64(outcome.count))
		unchanged -= outcome.count
		if outcome.count > 0 {
			said = append(said, fmt.Sprintf("%d %s", outcome.count, outcome.name))
		}
	}
	a.roleLooks.WithLabelValues("unchanged").Add(float64(unchanged))
	switch {
	case len(said) > 0:
		return strings.Join(said, ", "), err
	case !a.hasRoles():
		return "not set up", err
	}
	return scheduler.OutcomeOK, err
}

// checkRoles says whether there are connections which the bot cannot keep.
func (a *app) checkRoles(ctx context.Context) []finding {
	if a.hasRoles() {
		return nil
	}
	n, err := a.db.CountRoles(ctx)
	if err != nil || n == 0 {
		// What is wrong with the database is said where that is looked at.
		return nil
	}
	return []finding{{
		Name: "Discord linked roles", Detail: fmt.Sprintf("%d connections are stored, but DISCORD_CLIENT_SECRET is not set", n),
		Mend: "Set DISCORD_CLIENT_SECRET again, with the other Discord settings: without it roles are kept for a week at most" +
			" and may stay with people who are forgotten later. Connections end by themselves a month after that.",
	}}
}

// reportRoles says the same in the log.
func (a *app) reportRoles(ctx context.Context) {
	for _, f := range a.checkRoles(ctx) {
		a.log.ErrorContext(ctx, "something is to be mended", "what", f.Name, "detail", f.Detail, "mend", f.Mend)
	}
}

// registerRoles tells Discord which facts there are, until it has heard it.
func (a *app) registerRoles(ctx context.Context) {
	a.persist(ctx, "role records", a.discord.Roles().Register)
}
