package credly

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/laurelbot/laurel/core"
)

// tokenWarning is how long before its expiry a token is reported; tokens
// live 180 days.
const tokenWarning = 30 * 24 * time.Hour

// Finding is one thing that was looked at, and how to mend it.
type Finding struct {
	OK   bool
	Name string
	// Detail says what was found, without personal data or secrets.
	Detail string
	// Mend says what an operator does about it; empty when OK.
	Mend string
}

// TokenExpiry returns when the authorization token expires; false where
// there is no token or Credly does not tell. The answer it reads holds all
// tokens of the organization in clear and goes nowhere. See
// https://www.credly.com/docs/authorization_tokens.
func (c *Client) TokenExpiry(ctx context.Context) (time.Time, bool, error) {
	if c.token == "" {
		return time.Time{}, false, nil
	}
	k := call{
		name: "authorization_tokens", url: c.path("authorization_tokens"),
		permission: "read authorization_tokens", auth: basic{c.token},
	}
	entries, _, err := c.list(ctx, k, nil, nil)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read token expiry: %w", err)
	}
	var expires time.Time
	for _, e := range entries {
		var t struct {
			Token     text   `json:"token"`
			ExpiresAt moment `json:"expires_at"`
		}
		if json.Unmarshal(e.raw, &t) == nil && subtle.ConstantTimeCompare([]byte(t.Token), []byte(c.token.Reveal())) == 1 {
			expires = t.ExpiresAt.Time
		}
	}
	return expires, !expires.IsZero(), nil
}

// Check looks at everything that the bot needs of Credly. It takes a few
// requests; where the first fails for want of a connection, the rest is not
// asked.
func (c *Client) Check(ctx context.Context) []Finding {
	var all []Finding
	if c.auth.renewable() {
		f := c.checkOAuth(ctx)
		if all = append(all, f); !f.OK {
			return all
		}
	}
	f := c.checkOrganization(ctx)
	if all = append(all, f); !f.OK {
		return all
	}
	all = append(all, c.checkTemplates(ctx))
	if c.token != "" {
		all = append(all, c.checkToken(ctx))
	}
	return all
}

func (c *Client) checkOAuth(ctx context.Context) Finding {
	if _, err := c.auth.header(ctx, ""); err != nil {
		return Finding{
			Name: "Credly OAuth", Detail: err.Error(),
			Mend: "Check CREDLY_CLIENT_ID, CREDLY_CLIENT_SECRET and CREDLY_OAUTH_URL against Developers > OAuth Applications at Credly.",
		}
	}
	return Finding{OK: true, Name: "Credly OAuth", Detail: "access token received"}
}

func (c *Client) checkOrganization(ctx context.Context) Finding {
	const name = "Credly organization"
	_, err := c.do(ctx, call{
		name: "organization", method: http.MethodGet, url: c.base.String() + "/organizations/" + c.organization,
		permission: "read organizations",
	})
	switch {
	case err == nil:
		return Finding{OK: true, Name: name, Detail: "readable"}
	case hasStatus(err, http.StatusNotFound):
		return Finding{Name: name, Detail: err.Error(), Mend: "Set CREDLY_ORGANIZATION_ID to the organization's UUID at Credly."}
	case errors.Is(err, core.ErrUnauthorized):
		return Finding{Name: name, Detail: err.Error(), Mend: "Make a new token under Developers > Authorization Tokens at Credly and set CREDLY_TOKEN; tokens expire after 180 days."}
	}
	return Finding{Name: name, Detail: err.Error(), Mend: "Check CREDLY_API_URL and that this machine reaches it."}
}

func (c *Client) checkTemplates(ctx context.Context) Finding {
	const name = "Credly templates"
	all, err := c.Templates(ctx)
	switch {
	case err != nil:
		return Finding{Name: name, Detail: err.Error(), Mend: "Give the token or OAuth application the permission to read badge templates."}
	case len(all) == 0:
		return Finding{Name: name, Detail: "no active badge template", Mend: "Publish a badge template at Credly."}
	}
	return Finding{OK: true, Name: name, Detail: fmt.Sprintf("%d active", len(all))}
}

func (c *Client) checkToken(ctx context.Context) Finding {
	const (
		name = "Credly token"
		mend = "Make a new token under Developers > Authorization Tokens at Credly and set CREDLY_TOKEN."
	)
	expires, known, err := c.TokenExpiry(ctx)
	switch {
	case err != nil:
		return Finding{Name: name, Detail: err.Error(), Mend: mend}
	case !known:
		return Finding{OK: true, Name: name, Detail: "expiry not told by Credly"}
	}
	left := expires.Sub(c.clock.Now())
	detail := fmt.Sprintf("expires on %s, in %d days", expires.Format(time.DateOnly), int(left.Hours()/24))
	switch {
	case left <= 0:
		return Finding{Name: name, Detail: "expired on " + expires.Format(time.DateOnly), Mend: mend}
	case left < tokenWarning:
		return Finding{Name: name, Detail: detail, Mend: mend}
	}
	return Finding{OK: true, Name: name, Detail: detail}
}
