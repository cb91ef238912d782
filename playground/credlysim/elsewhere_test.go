package credlysim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/playground/credlysim"
)

// The list behind a profile is there for everybody, without authorization:
// public badges of every organization, and nothing of a private profile.
func TestProfileList(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	own := w.issue("ada@example.org", "")
	w.tpl = w.AddTemplate(credlysim.Template{Name: "Agile Leader"})
	hidden := w.issue("ada@example.org", "")
	for _, id := range []string{own, hidden} {
		if err := w.Accept(id); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SetPublic(own, true); err != nil {
		t.Fatal(err)
	}
	foreign, err := w.AddForeignBadge("ada@example.org", credlysim.ForeignBadge{
		Name: "Cloud", Issuer: "Academy", IssuedAt: start.AddDate(-1, 0, 0), ExpiresAt: start.AddDate(1, 0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := w.AddForeignBadge("ada@example.org", credlysim.ForeignBadge{Name: "Secret", Issuer: "Academy", IssuedAt: start, Hidden: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddForeignBadge("nobody@example.org", credlysim.ForeignBadge{}); err == nil {
		t.Error("a badge for nobody")
	}
	account, _ := w.Account("ada@example.org")
	list := w.URL() + "/users/" + account.Slug + "/badges.json"
	status, got := w.request(http.MethodGet, list+"?page=1", "", nil)
	data, _ := got["data"].([]any)
	if status != http.StatusOK || len(data) != 2 {
		t.Fatalf("%d %v", status, got)
	}
	ids := map[string]bool{}
	for _, one := range data {
		b, _ := one.(map[string]any)
		id, _ := b["id"].(string)
		ids[id] = true
		if b["state"] != "accepted" || b["recipient_email"] != nil || b["issuer"] == nil || b["badge_template"] == nil {
			t.Errorf("badge %v", b)
		}
	}
	if !ids[own] || !ids[foreign] || got["metadata"] == nil {
		t.Errorf("listed %v", got)
	}
	if status, got := w.request(http.MethodGet, list+"?page=2", "", nil); status != http.StatusOK || len(got["data"].([]any)) != 0 {
		t.Errorf("page 2: %d %v", status, got)
	}
	for path, want := range map[string]int{
		"/badges/" + foreign: http.StatusOK, "/badges/" + secret: http.StatusNotFound,
		"/v1/obi/v2/badge_assertions/" + foreign: http.StatusOK, "/v1/obi/v2/badge_assertions/" + secret: http.StatusNotFound,
		"/users/nobody/badges.json": http.StatusNotFound,
	} {
		if status, _ := w.page(http.MethodGet, w.URL()+path, nil); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	// Its documents lead from one to the next, on the same origin.
	_, assertion := w.request(http.MethodGet, w.URL()+"/v1/obi/v2/badge_assertions/"+foreign, "", nil)
	_, class := w.request(http.MethodGet, assertion["badge"].(string), "", nil)
	_, issuer := w.request(http.MethodGet, class["issuer"].(string), "", nil)
	if class["name"] != "Cloud" || issuer["name"] != "Academy" || !strings.HasPrefix(issuer["id"].(string), w.URL()) || assertion["expires"] == nil {
		t.Errorf("%v, %v, %v", assertion, class, issuer)
	}
	if _, page := w.page(http.MethodGet, w.URL()+"/users/"+account.Slug, nil); !strings.Contains(page, "Cloud") || strings.Contains(page, "Secret") {
		t.Errorf("profile:\n%s", page)
	}
	if err := w.SetProfilePublic("ada@example.org", false); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{list, w.URL() + "/badges/" + foreign, w.URL() + "/v1/obi/v2/badge_assertions/" + foreign} {
		if status, _ := w.page(http.MethodGet, path, nil); status != http.StatusNotFound {
			t.Errorf("of a private profile %s: %d", path, status)
		}
	}
}
