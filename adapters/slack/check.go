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
	{"users:read", "the language and time zone of people are unknown"},
}

// Check asks Slack whether the credentials work and are allowed what is
// needed. It sends nothing that anybody sees.
func (a *Adapter) Check(ctx context.Context) []Finding {
	signing := Finding{OK: a.signingSecret != "", Name: "Slack signing secret", Detail: "set"}
	if !signing.OK {
		signing.Detail = "missing, so every request of Slack is refused"
		signing.Mend = "Copy it from Basic Information, App Credentials of the app at api.slack.com/apps."
	}
	auth, err := a.api.AuthTestContext(ctx)
	if err != nil {
		return []Finding{signing, tokenFinding(deliveryError("auth.test", err))}
	}
	token := Finding{OK: true, Name: "Slack bot token", Detail: fmt.Sprintf("accepted for workspace %s", auth.TeamID)}
	if auth.BotID == "" {
		token = Finding{
			Name: "Slack bot token", Detail: "belongs to a person, not to a bot",
			Mend: "Use the Bot User OAuth Token, which begins with xoxb-, from OAuth & Permissions of the app.",
		}
	}
	return []Finding{signing, token, scopeFinding(auth.Header.Get("X-OAuth-Scopes"))}
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
