package discord

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
)

// Finding is one line of a check-up.
type Finding struct {
	OK   bool
	Name string
	// Detail says what was found, Mend what to do when it is not OK.
	Detail, Mend string
}

// Check compares the settings with what Discord knows of the application.
// It changes nothing and its findings hold no secret.
func (a *Adapter) Check(ctx context.Context) []Finding {
	var me struct {
		Username string `json:"username"`
	}
	if err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointUser("@me"), nil, &me); err != nil {
		f := Finding{Name: "Discord bot token", Detail: err.Error(), Mend: "check that Discord can be reached and try again"}
		if core.ClassOf(err) == core.InstallationDead {
			f.Mend = "set DISCORD_BOT_TOKEN to the token shown under Bot in the developer portal"
		}
		return []Finding{f}
	}
	all := []Finding{{OK: true, Name: "Discord bot token", Detail: "works, the bot is " + me.Username}}

	var app struct {
		ID        string `json:"id"`
		VerifyKey string `json:"verify_key"`
		Endpoint  string `json:"interactions_endpoint_url"`
		// Installs are the ways in which the application can be installed.
		Installs map[string]json.RawMessage `json:"integration_types_config"`

		RolesURL  string   `json:"role_connections_verification_url"`
		Redirects []string `json:"redirect_uris"`
	}
	if err := a.bot.do(ctx, http.MethodGet, discordgo.EndpointApplications+"/@me", nil, &app); err != nil {
		return append(all, Finding{Name: "Discord application", Detail: err.Error(), Mend: "check that Discord can be reached and try again"})
	}
	all = append(all,
		matching("Discord application id", app.ID == a.application,
			"set DISCORD_APPLICATION_ID to "+app.ID))
	if len(a.publicKey) > 0 {
		all = append(all, matching("Discord public key", strings.EqualFold(app.VerifyKey, hex.EncodeToString(a.publicKey)),
			"set DISCORD_PUBLIC_KEY to "+app.VerifyKey))
	}
	all = append(all, a.endpointFinding(app.Endpoint), installFinding(app.Installs))
	if len(a.commands) > 0 {
		all = append(all, a.commandsFinding(ctx))
	}
	if a.roles != nil {
		all = append(all, a.roles.findings(ctx, app.RolesURL, app.Redirects)...)
	}
	return all
}

func matching(name string, ok bool, mend string) Finding {
	if ok {
		return Finding{OK: true, Name: name, Detail: "is the application's"}
	}
	return Finding{Name: name, Detail: "is of another application than the token", Mend: mend}
}

// installFinding is about people who want the application for themselves, so
// that its command follows them everywhere
// (https://discord.com/developers/docs/resources/application#setting-supported-installation-contexts).
func installFinding(installs map[string]json.RawMessage) Finding {
	if _, ok := installs[strconv.Itoa(installedByUser)]; !ok && len(installs) > 0 {
		return Finding{
			Name: "Discord user install", Detail: "is switched off: the command works in servers with the app and in messages to it only",
			Mend: "tick User Install under Installation in the developer portal",
		}
	}
	return Finding{OK: true, Name: "Discord user install", Detail: "is switched on"}
}

func (a *Adapter) endpointFinding(endpoint string) Finding {
	f := Finding{Name: "Discord interactions endpoint", Detail: endpoint}
	if a.byGateway {
		// Discord sends interactions to the endpoint or to the gateway, never
		// to both (https://discord.com/developers/docs/interactions/overview).
		if endpoint == "" {
			f.OK, f.Detail = true, "is not set, interactions come in by the gateway"
			return f
		}
		f.Mend = "remove the Interactions Endpoint URL in the developer portal, or set DISCORD_TRANSPORT=http"
		return f
	}
	want := strings.TrimSuffix(a.publicURL, "/") + PathInteractions
	if endpoint == want || a.publicURL == "" && strings.HasSuffix(endpoint, PathInteractions) {
		f.OK = true
		return f
	}
	if endpoint == "" {
		f.Detail = "is not set"
	}
	f.Mend = fmt.Sprintf("set the Interactions Endpoint URL in the developer portal to the public URL with %s", PathInteractions)
	return f
}

func (a *Adapter) commandsFinding(ctx context.Context) Finding {
	f := Finding{Name: "Discord commands", Detail: "are registered"}
	same, err := a.registered(ctx)
	switch {
	case err != nil:
		f.Detail, f.Mend = err.Error(), "check that Discord can be reached and try again"
	case !same:
		f.Detail, f.Mend = "are missing or outdated", "start the bot: it registers them"
	default:
		f.OK = true
	}
	return f
}
