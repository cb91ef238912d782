package slack

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// scopePattern is a list of scopes as Slack writes it.
var scopePattern = regexp.MustCompile(`^[a-z][a-z.:_, -]{0,200}$`)

// Finding is one thing that was looked at, for the operator.
type Finding struct {
	OK     bool
	Name   string
	Detail string
	// Mend says what to do; it is empty when OK.
	Mend string
}

// leastScopes are the scopes in the manifest, and what stops working without
// each.
var leastScopes = []struct{ name, without string }{
	{"commands", "nobody can type /badges"},
	{"chat:write", "no message can be sent or edited"},
	{"im:write", "no direct message can be sent"},
	{"im:history", "a message whose confirmation was lost is sent twice"},
	{"channels:history", "a post whose confirmation was lost is sent twice in public channels"},
	{"groups:history", "a post whose confirmation was lost is sent twice in private channels"},
	{"channels:read", "nothing can be announced in public channels"},
	{"groups:read", "nothing can be announced in private channels"},
	{"files:write", "digests come without their picture"},
	{"files:read", "badges that are shared as files cannot be verified"},
	{"users:read", "the language and time zone of people are unknown"},
}

// Check asks Slack whether the credentials work and are allowed what is
// needed. It sends nothing that anybody sees.
func (a *Adapter) Check(ctx context.Context) []Finding {
	findings := []Finding{a.transportFinding(ctx)}
	auth, err := a.api.AuthTestContext(ctx)
	if err != nil {
		return append(findings, tokenFinding(deliveryError("auth.test", err)))
	}
	token := Finding{OK: true, Name: "Slack bot token", Detail: fmt.Sprintf("accepted for workspace %s", auth.TeamID)}
	if auth.BotID == "" {
		token = Finding{
			Name: "Slack bot token", Detail: "belongs to a person, not to a bot",
			Mend: "Use the Bot User OAuth Token, which begins with xoxb-, from OAuth & Permissions of the app.",
		}
	}
	return append(findings, token, scopeFinding(auth.Header.Get("X-OAuth-Scopes")))
}

// Installed reports whether Slack takes the bot token for a workspace or
// organisation. False also where Slack does not answer.
// https://docs.slack.dev/reference/methods/auth.test
func (a *Adapter) Installed(ctx context.Context, tenant string) bool {
	auth, err := a.api.AuthTestContext(ctx)
	return err == nil && tenant != "" && (auth.TeamID == tenant || auth.EnterpriseID == tenant)
}

// transportFinding is about what the way in needs: the app token where there
// is one, else the signing secret.
func (a *Adapter) transportFinding(ctx context.Context) Finding {
	if a.appToken == "" {
		if a.signingSecret != "" {
			return Finding{OK: true, Name: "Slack signing secret", Detail: "set"}
		}
		return Finding{
			Name: "Slack signing secret", Detail: "missing, so every request of Slack is refused",
			Mend: "Copy it from Basic Information, App Credentials of the app at api.slack.com/apps.",
		}
	}
	// The address that comes back is not used and dies by itself.
	if _, _, err := a.api.StartSocketModeContext(ctx); err != nil {
		failed := openError(deliveryError(connectionsOpen, err))
		f := Finding{
			Name: "Slack app token", Detail: "not accepted: " + failed.code,
			Mend: "Look whether this machine can reach Slack, and try again.",
		}
		if failed.void {
			f.Mend = "Make an app-level token with the scope connections:write under Basic Information of the app, and set that."
		}
		return f
	}
	return Finding{OK: true, Name: "Slack app token", Detail: "accepted for Socket Mode"}
}

func tokenFinding(err error) Finding {
	f := Finding{Name: "Slack bot token", Mend: "Look whether this machine can reach Slack, and try again."}
	var d *core.DeliveryError
	if errors.As(err, &d) {
		f.Detail = "not accepted: " + d.Code
		if d.Class == core.InstallationDead {
			f.Mend = "Install the app again and set the new Bot User OAuth Token from OAuth & Permissions of the app."
		}
	}
	return f
}

func scopeFinding(header string) Finding {
	f := Finding{Name: "Slack scopes"}
	if header == "" {
		f.Detail = "Slack did not say which scopes are granted"
		f.Mend = "Compare the scopes under OAuth & Permissions of the app with those in the manifest."
		return f
	}
	granted := strings.FieldsFunc(header, func(r rune) bool { return r == ',' || r == ' ' })
	var missing, effects []string
	for _, scope := range leastScopes {
		if !slices.Contains(granted, scope.name) {
			missing = append(missing, scope.name)
			effects = append(effects, scope.without)
		}
	}
	if len(missing) == 0 {
		f.OK, f.Detail = true, "all granted"
		return f
	}
	f.Detail = fmt.Sprintf("missing %s: %s", strings.Join(missing, ", "), strings.Join(effects, "; "))
	f.Mend = "Update the app with the manifest, then install it again so that the scopes are granted."
	return f
}
