package credly

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func TestTaskURL(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	site := a.client.site()
	public := core.Badge{ProviderID: "b1", OwnerURL: "https://www.credly.com/users/ada/edit#credly"}
	for name, tt := range map[string]struct {
		kind core.TaskKind
		b    core.Badge
		want string
	}{
		"public":                  {core.TaskPublic, public, public.OwnerURL},
		"public, owner not known": {core.TaskPublic, core.Badge{ProviderID: "b1"}, site + "/earner/earned/badge/b1"},
		"public, odd id":          {core.TaskPublic, core.Badge{ProviderID: "../b1"}, ""},
		"profile":                 {core.TaskProfile, core.Badge{}, site + "/earner/dashboard"},
		"accepting by itself":     {core.TaskAuto, core.Badge{}, site + "/earner/dashboard"},
		"address":                 {core.TaskAddress, core.Badge{}, site + "/earner/dashboard"},
		"accepted":                {core.TaskAccept, public, ""},
	} {
		got := a.client.TaskURL(tt.kind, tt.b)
		if got != tt.want || got != "" && !a.client.TrustedURL(got) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if a.client.IssuerID() == "" {
		t.Error("no issuer")
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"api.credly.com": "https://www.credly.com", "api.youracclaim.com": "https://www.credly.com",
		"sandbox-api.credly.com": "https://sandbox.credly.com", "127.0.0.1:8080": "http://127.0.0.1:8080",
	} {
		a := newAPI(t, nil)
		a.client.base.Host = host
		if got := a.client.site(); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestOwnerPage(t *testing.T) {
	t.Parallel()
	a := newAPI(t, nil)
	for link, want := range map[string]string{
		"https://www.credly.com/users/ada-example.1":  "https://www.credly.com/users/ada-example.1/edit#credly",
		"https://www.credly.com/users/ada/":           "https://www.credly.com/users/ada/edit#credly",
		"https://www.credly.com/users/%C3%A5sa?x=1#y": "https://www.credly.com/users/%C3%A5sa/edit#credly",
		"https://www.credly.com/users/":               "",
		"https://www.credly.com/users/ada/badges":     "",
		"https://www.credly.com/organizations/ada":    "",
		"https://evil.example.com/users/ada":          "",
		"http://www.credly.com/users/ada":             "",
		"javascript:alert(1)":                         "",
		"":                                            "",
	} {
		got := a.client.observe(badgeData{ID: "b1", User: &userData{ID: "u1", URL: text(link)}}, time.Now()).OwnerURL
		if got != want || got != "" && !a.client.TrustedURL(got) {
			t.Errorf("%q: %q, want %q", link, got, want)
		}
	}
	if got := a.client.observe(badgeData{ID: "b1"}, time.Now()).OwnerURL; got != "" {
		t.Errorf("nobody's page is %q", got)
	}
}
