package discordsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

const backHere = "http://127.0.0.1:1/back"

// client is an application that speaks OAuth2.
type client struct {
	t *testing.T
	s *discordsim.Server
}

func (c client) do(method, path, kind, authorization, body string) (int, obj) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.BaseURL()+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if id, secret, ok := strings.Cut(authorization, "\n"); ok {
		req.SetBasicAuth(id, secret)
	} else if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var out obj
	_ = json.Unmarshal(data, &out) // Some answers are lists, or nothing.
	return res.StatusCode, out
}

func (c client) token(form url.Values) (int, obj) {
	c.t.Helper()
	return c.do(http.MethodPost, "/api/oauth2/token", "application/x-www-form-urlencoded", c.s.ApplicationID()+"\n"+c.s.ClientSecret(), form.Encode())
}

func (c client) ask(change ...string) string {
	q := url.Values{
		"client_id": {c.s.ApplicationID()}, "response_type": {"code"}, "redirect_uri": {backHere}, "scope": {"role_connections.write identify"},
		"state": {"made-up"}, "prompt": {"consent"},
	}
	for i := 0; i < len(change); i += 2 {
		q.Set(change[i], change[i+1])
	}
	return c.s.BaseURL() + "/oauth2/authorize?" + q.Encode()
}

// code is what a person brings back who agreed.
func (c client) code(user string) string {
	c.t.Helper()
	to, err := c.s.Authorize(user, c.ask(), true)
	if err != nil {
		c.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("state") != "made-up" || !strings.HasPrefix(to, backHere+"?") {
		c.t.Fatalf("led to %s, %v", to, err)
	}
	return u.Query().Get("code")
}

func (c client) exchange(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {backHere}}
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{})
	w := populate(t, s)
	s.SetRedirects(backHere)
	c := client{t, s}

	for name, change := range map[string][]string{
		"application": {"client_id", "1"}, "type": {"response_type", "token"}, "redirect": {"redirect_uri", "http://127.0.0.1:2/"},
		"scope": {"scope", "email"}, "no scope": {"scope", " "}, "prompt": {"prompt", "maybe"},
	} {
		if to, err := s.Authorize(w.ada, c.ask(change...), true); err == nil {
			t.Errorf("%s: led to %s", name, to)
		}
		if status, _ := c.do(http.MethodGet, strings.TrimPrefix(c.ask(change...), s.BaseURL()), "", "", ""); status != http.StatusBadRequest {
			t.Errorf("%s: the page answers %d", name, status)
		}
	}
	if _, err := s.Authorize("9", c.ask(), true); err == nil {
		t.Error("nobody agreed")
	}
	if to, err := s.Authorize(w.ada, c.ask(), false); err != nil || !strings.Contains(to, "error=access_denied") || strings.Contains(to, "code=") {
		t.Errorf("refused: %s, %v", to, err)
	}

	refused := func(name string, status int, word string, got int, said obj) {
		t.Helper()
		if got != status || said["error"] != word {
			t.Errorf("%s: %d %v", name, got, said)
		}
	}
	got, said := c.do(http.MethodPost, "/api/oauth2/token", "application/json", s.ApplicationID()+"\n"+s.ClientSecret(), `{"grant_type":"refresh_token"}`)
	refused("JSON", 400, "invalid_request", got, said)
	got, said = c.do(http.MethodPost, "/api/v10/oauth2/token", "application/x-www-form-urlencoded", s.ApplicationID()+"\nwrong", c.exchange(c.code(w.ada)).Encode())
	refused("secret", 401, "invalid_client", got, said)
	form := c.exchange(c.code(w.ada))
	form.Set("redirect_uri", "http://127.0.0.1:2/")
	got, said = c.token(form)
	refused("another redirect", 400, "invalid_grant", got, said)
	late := c.code(w.ada)
	s.Clock().Advance(discordsim.CodeLife)
	got, said = c.token(c.exchange(late))
	refused("late code", 400, "invalid_grant", got, said)
	got, said = c.token(url.Values{"grant_type": {"password"}})
	refused("grant type", 400, "unsupported_grant_type", got, said)

	code := c.code(w.ada)
	status, first := c.token(c.exchange(code))
	if status != 200 || first["token_type"] != "Bearer" || first["expires_in"] != 604800.0 || first["scope"] != "role_connections.write identify" {
		t.Fatalf("tokens: %d %v", status, first)
	}
	got, said = c.token(c.exchange(code))
	refused("used code", 400, "invalid_grant", got, said)
	me := func(tokens obj) int {
		t.Helper()
		status, who := c.do(http.MethodGet, "/api/v9/users/@me", "", "Bearer "+str(tokens["access_token"]), "")
		if status == 200 && who["id"] != w.ada {
			t.Errorf("whose: %v", who)
		}
		return status
	}
	refresh := func(tokens obj) (int, obj) {
		t.Helper()
		return c.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {str(tokens["refresh_token"])}})
	}
	if me(first) != 200 {
		t.Error("the token does not work")
	}
	_, second := refresh(first)
	if me(first) != 401 || me(second) != 200 {
		t.Error("tokens do not rotate")
	}
	got, said = refresh(first)
	refused("former refresh token", 400, "invalid_grant", got, said)
	s.Clock().Advance(discordsim.AccessLife)
	if me(second) != 401 {
		t.Error("a token lives for ever")
	}
	_, third := refresh(second)
	c.do(http.MethodPost, "/api/oauth2/token/revoke", "application/x-www-form-urlencoded", s.ApplicationID()+"\n"+s.ClientSecret(),
		url.Values{"token": {str(third["access_token"])}}.Encode())
	if got, _ := refresh(third); me(third) != 401 || got != 400 || s.Authorizations() != 0 {
		t.Error("revoked tokens work")
	}
	data, err := json.Marshal(s.Log())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{code, str(first["access_token"]), str(second["refresh_token"]), s.ClientSecret()} {
		if strings.Contains(string(data), secret) {
			t.Errorf("the wire log holds %s", secret)
		}
	}
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

// The consent page in a browser: it asks whose it is, and leads back.
func TestConsentPage(t *testing.T) {
	t.Parallel()
	s := start(t, discordsim.Config{AppName: `<b>App</b>`})
	w := populate(t, s)
	s.SetRedirects(backHere)
	s.SignIn(w.ada)
	c := client{t, s}
	res, err := http.Get(c.ask()) //nolint:noctx // A browser of this test's own.
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != 200 || strings.Contains(string(page), "<b>App") ||
		!strings.Contains(string(page), `<option value="`+w.ada+`" selected>`) || !strings.Contains(string(page), "Update your connection") {
		t.Fatalf("%d, %v\n%s", res.StatusCode, err, page)
	}
	_, query, _ := strings.Cut(c.ask(), "?")
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for decision, want := range map[string]string{"authorize": "code=", "cancel": "error=access_denied"} {
		res, err := browser.PostForm(s.BaseURL()+"/oauth2/authorize", url.Values{"user": {w.ada}, "decision": {decision}, "query": {query}}) //nolint:noctx // As above.
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if to := res.Header.Get("Location"); res.StatusCode != http.StatusFound || !strings.HasPrefix(to, backHere+"?") || !strings.Contains(to, want) {
			t.Errorf("%s: %d %s", decision, res.StatusCode, to)
		}
	}
}

// Linked roles follow what the application tells, and nothing else.
func TestLinkedRoles(t *testing.T) {
	t.Parallel()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, discordsim.Config{Schema: set})
	w := populate(t, s)
	s.SetRedirects(backHere)
	s.SetVerificationURL("http://127.0.0.1:1/roles")
	c := client{t, s}
	_, tokens := c.token(c.exchange(c.code(w.ada)))
	records := "/api/v9/applications/" + s.ApplicationID() + "/role-connections/metadata"
	connection := "/api/v9/users/@me/applications/" + s.ApplicationID() + "/role-connection"
	bot, ada := "Bot "+s.BotToken(), "Bearer "+str(tokens["access_token"])
	guild := s.AddGuild(discordsim.Guild{Name: "Chapter"})
	role := func(name string, requires ...discordsim.Requirement) string {
		t.Helper()
		id, err := s.AddLinkedRole(guild, name, requires...)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	certified := role("Certified", discordsim.Requirement{Key: "certified", Value: 1})
	valid := role("Valid", discordsim.Requirement{Key: "badges", Value: 2}, discordsim.Requirement{Key: "until"})
	connected := role("Connected")

	for name, body := range map[string]string{
		"no list": `{}`, "a key": `[{"key":"A-b","type":2,"name":"n","description":"d"}]`, "a type": `[{"key":"a","type":9,"name":"n","description":"d"}]`,
		"no type": `[{"key":"a","name":"n","description":"d"}]`, "no name": `[{"key":"a","type":2,"description":"d"}]`,
		"a long description": `[{"key":"a","type":2,"name":"n","description":"` + strings.Repeat("d", 201) + `"}]`,
		"twice":              `[{"key":"a","type":2,"name":"n","description":"d"},{"key":"a","type":2,"name":"n","description":"d"}]`,
		"a locale":           `[{"key":"a","type":2,"name":"n","description":"d","name_localizations":{"xx":"n"}}]`,
		"six":                `[` + strings.TrimSuffix(strings.Repeat(`{"key":"a","type":2,"name":"n","description":"d"},`, 6), ",") + `]`,
	} {
		if status, _ := c.do(http.MethodPut, records, "application/json", bot, body); status != 400 {
			t.Errorf("records with %s: %d", name, status)
		}
	}
	all := `[{"key":"certified","type":7,"name":"Certified","description":"d"},{"key":"badges","type":2,"name":"Badges","description":"d"},` +
		`{"key":"until","type":6,"name":"Until","description":"d","name_localizations":{"de":"Bis"}}]`
	if status, _ := c.do(http.MethodPut, records, "application/json", ada, all); status != 401 {
		t.Errorf("records by a person: %d", status)
	}
	if status, _ := c.do(http.MethodPut, records, "application/json", bot, all); status != 200 || !slices.Equal(s.RoleRecords(), []string{"certified", "badges", "until"}) {
		t.Errorf("records: %d, %v", status, s.RoleRecords())
	}
	if status, _ := c.do(http.MethodGet, records, "", bot, ""); status != 200 {
		t.Errorf("read records: %d", status)
	}

	tell := func(metadata string) int {
		t.Helper()
		status, _ := c.do(http.MethodPut, connection, "application/json", ada, `{"platform_name":"Credly","metadata":`+metadata+`}`)
		return status
	}
	has := func(want ...string) {
		t.Helper()
		for _, id := range []string{certified, valid, connected} {
			if got := s.HasRole(id, w.ada); got != slices.Contains(want, id) {
				t.Errorf("role %s: %v, want %v", id, got, want)
			}
		}
	}
	has()
	today := s.Clock().Now().Add(time.Hour).Format(time.RFC3339)
	if status := tell(`{"certified":"1","badges":"2","until":"` + today + `"}`); status != 200 {
		t.Errorf("tell: %d", status)
	}
	has(certified, valid, connected)
	status, member := c.do(http.MethodGet, "/api/v9/guilds/"+guild+"/members/"+w.ada, "", bot, "")
	if roles, _ := member["roles"].([]any); status != 200 || !slices.Contains(roles, any(certified)) {
		t.Errorf("member: %d %v", status, member)
	}
	if status := tell(`{}`); status != 200 {
		t.Errorf("tell nothing: %d", status)
	}
	has(certified, valid, connected)
	tell(`{"certified":"1","badges":"1","until":"2020-01-01T00:00:00Z"}`)
	has(certified, connected)
	for name, metadata := range map[string]string{"a number": `{"badges":2}`, "empty": `{"badges":""}`, "long": `{"badges":"` + strings.Repeat("1", 101) + `"}`} {
		if status := tell(metadata); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, got := c.do(http.MethodGet, connection, "", ada, ""); status != 200 || got["platform_name"] != "Credly" {
		t.Errorf("read: %d %v", status, got)
	}
	if status, _ := c.do(http.MethodGet, connection, "", bot, ""); status != 401 {
		t.Errorf("read by the bot: %d", status)
	}
	if status, _ := c.do(http.MethodDelete, connection, "", ada, ""); status != 204 {
		t.Errorf("delete: %d", status)
	}
	has()
	tell(`{"certified":"1"}`)
	s.Deauthorize(w.ada)
	has()
	if status := tell(`{"certified":"1"}`); status != 401 {
		t.Errorf("after the app was taken away: %d", status)
	}
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("answers do not follow the description: %v", v)
	}
}
