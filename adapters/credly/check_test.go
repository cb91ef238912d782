package credly

import (
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/refdata"
)

func TestTokenExpiry(t *testing.T) {
	t.Parallel()
	list := string(refdata.Read(t, "credly", "docs-examples", "authorization_tokens_list.json"))
	a := newAPI(t, func(c *Config) { c.Token = "EXAMPLE-TOKEN-REDACTED" })
	a.on("GET /authorization_tokens", ok(list))
	at, known, err := a.client.TokenExpiry(t.Context())
	if err != nil || !known || !at.Equal(time.Date(2025, 1, 14, 20, 54, 48, 303_000_000, time.UTC)) {
		t.Errorf("got %v, %v, %v", at, known, err)
	}
	b := newAPI(t, nil)
	b.on("GET /authorization_tokens", ok(list))
	if _, known, err := b.client.TokenExpiry(t.Context()); known || err != nil {
		t.Errorf("another's token: %v, %v", known, err)
	}
	if strings.Contains(a.log.String()+b.log.String(), "EXAMPLE-TOKEN") {
		t.Error("token in log")
	}
	c := newAPI(t, func(c *Config) { c.Token, c.ClientID, c.ClientSecret = "", "app", "secret" })
	if _, known, err := c.client.TokenExpiry(t.Context()); known || err != nil || len(c.requests()) != 0 {
		t.Errorf("without token: %v, %v", known, err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tokens := func(left time.Duration) string {
		return `{"data":[{"token":"another"},{"token":"` + testToken.Reveal() + `","expires_at":"` + testTime.Add(left).Format(time.RFC3339) + `"}]}`
	}
	for _, tc := range []struct {
		name    string
		change  func(*Config)
		prepare func(*api)
		want    []string
	}{
		{"all well", nil, nil, []string{"ok Credly organization", "ok Credly templates", "ok Credly token"}},
		{"token ends soon", nil, func(a *api) { a.on("GET /authorization_tokens", ok(tokens(29*24*time.Hour))) }, []string{"ok Credly organization", "ok Credly templates", "bad Credly token"}},
		{"token ended", nil, func(a *api) { a.on("GET /authorization_tokens", ok(tokens(-time.Hour))) }, []string{"ok Credly organization", "ok Credly templates", "bad Credly token"}},
		{"no templates", nil, func(a *api) { a.on("GET /badge_templates?state::active", many()) }, []string{"ok Credly organization", "bad Credly templates", "ok Credly token"}},
		{"wrong organization", nil, func(a *api) { a.on("GET ", status(404, ``)) }, []string{"bad Credly organization"}},
		{"wrong token", nil, func(a *api) { a.on("GET ", status(401, ``)) }, []string{"bad Credly organization"}},
		{"oauth", func(c *Config) { c.ClientID, c.ClientSecret = "app", "secret" }, nil, []string{"ok Credly OAuth", "ok Credly organization", "ok Credly templates", "ok Credly token"}},
		{
			"oauth refused", func(c *Config) { c.ClientID, c.ClientSecret = "app", "secret" },
			func(a *api) { a.on("POST /oauth/token", status(401, `{"error":"invalid_client"}`)) },
			[]string{"bad Credly OAuth"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, tc.change)
			a.on("POST /oauth/token", ok(`{"access_token":"bearer","expires_in":"7200"}`))
			a.on("GET ", one(`{"id":"`+testOrganization+`"}`))
			a.on("GET /badge_templates?state::active", many(`{"id":"t1","state":"active"}`))
			a.on("GET /authorization_tokens", ok(tokens(90*24*time.Hour)))
			if tc.prepare != nil {
				tc.prepare(a)
			}
			var got []string
			for _, f := range a.client.Check(t.Context()) {
				word := "ok "
				if !f.OK {
					word = "bad "
				}
				got = append(got, word+f.Name)
				if f.OK == (f.Mend != "") || f.Detail == "" || strings.Contains(f.Detail+f.Mend, testToken.Reveal()) {
					t.Errorf("finding %+v", f)
				}
			}
			if strings.Join(got, ", ") != strings.Join(tc.want, ", ") {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestProviderSpeaksOfItself(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	if a.client.Name() != "Credly" || !a.client.Capabilities().Has(core.CanIssue|core.TellsVisibility|core.PushesChanges) {
		t.Error("name or capabilities")
	}
}
