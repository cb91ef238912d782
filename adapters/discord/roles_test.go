package discord

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

const rolesPublic = "https://laurel.example.org"

func roleTexts() map[string]CommandText {
	texts := map[string]CommandText{}
	for _, key := range RoleKeys {
		texts[key] = CommandText{
			Name: "Name of " + key, Description: "Description of " + key,
			Names: map[string]string{"de": "Name von " + key}, Descriptions: map[string]string{"de": "Beschreibung von " + key},
		}
	}
	return texts
}

// rolesOnSim are roles at a simulated Discord that is held against its own
// description.
func rolesOnSim(t *testing.T) (*Roles, *discordsim.Server, string) {
	t.Helper()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := discordsim.Start(discordsim.Config{Schema: set, EnforceRateLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sim.Close()
		for _, v := range sim.Violations() {
			t.Errorf("the simulator's own answer: %s", v)
		}
	})
	sim.SetRedirects(rolesPublic + chat.PathRolesCallback)
	sim.SetVerificationURL(rolesPublic + chat.PathRoles)
	user := sim.AddUser(discordsim.User{Name: "ada"})
	return rolesAt(t, sim, sim.ClientSecret()), sim, user
}

func rolesAt(t *testing.T, sim *discordsim.Server, secret string) *Roles {
	t.Helper()
	a, err := New(Config{
		APIURL: sim.BaseURL(), BotToken: core.Secret(sim.BotToken()), ApplicationID: sim.ApplicationID(), PublicKey: sim.PublicKey(),
		Clock: sim.Clock(), PublicURL: rolesPublic + "/", Gateway: true,
		Roles: RolesConfig{ClientSecret: core.Secret(secret), Platform: strings.Repeat("Credly ", 10), Texts: roleTexts()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.Roles()
}

// agree is a person who agrees, with the code that they bring back.
func agree(t *testing.T, r *Roles, sim *discordsim.Server, user string) string {
	t.Helper()
	to, err := sim.Authorize(user, r.AuthorizeURL("a state"), true)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("state") != "a state" {
		t.Fatalf("led to %s, %v", to, err)
	}
	return u.Query().Get("code")
}

func TestRolesAtDiscord(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r, sim, user := rolesOnSim(t)
	for _, want := range []bool{true, false} {
		if changed, err := r.Register(ctx); err != nil || changed != want {
			t.Fatalf("registered: %v, %v", changed, err)
		}
	}
	if got := sim.RoleRecords(); !slices.Equal(got, RoleKeys) {
		t.Errorf("records %v", got)
	}
	guild := sim.AddGuild(discordsim.Guild{Name: "Chapter"})
	role, err := sim.AddLinkedRole(guild, "Valid", discordsim.Requirement{Key: roleUntil}, discordsim.Requirement{Key: roleLevel, Value: 3})
	if err != nil {
		t.Fatal(err)
	}
	code := agree(t, r, sim, user)
	first, err := r.Exchange(ctx, code)
	if err != nil || !first.EndsAt.After(sim.Clock().Now().Add(6*24*time.Hour)) {
		t.Fatalf("exchanged: %v, until %v", err, first.EndsAt)
	}
	if _, err := r.Exchange(ctx, code); !errors.Is(err, core.ErrGone) {
		t.Errorf("a used code: %v", err)
	}
	if who, err := r.Owner(ctx, first); err != nil || who != (core.Identity{Platform: Platform, User: user}) {
		t.Errorf("whose: %v, %v", who, err)
	}
	told := func(tokens core.RoleTokens, f core.RoleFacts, want bool) {
		t.Helper()
		if err := r.Tell(ctx, tokens, f); err != nil {
			t.Errorf("tell: %v", err)
		}
		if got := sim.HasRole(role, user); got != want {
			c, _ := sim.RoleConnectionOf(user)
			t.Errorf("%v: role %v, told %+v", f, got, c)
		}
	}
	told(first, core.RoleFacts{Badges: 1, Level: 3}, true)
	told(first, core.RoleFacts{Badges: 1, Level: 2}, false)
	told(first, core.RoleFacts{Badges: 2, Level: 4, ValidUntil: sim.Clock().Now().Add(time.Hour)}, true)
	told(first, core.RoleFacts{}, false)

	second, err := r.Refresh(ctx, first)
	if err != nil || second.Access == first.Access {
		t.Fatalf("refreshed: %v", err)
	}
	if _, err := r.Refresh(ctx, first); !errors.Is(err, core.ErrGone) {
		t.Errorf("refreshed with a former token: %v", err)
	}
	if err := r.Tell(ctx, first, core.RoleFacts{}); !errors.Is(err, core.ErrGone) {
		t.Errorf("told with a former token: %v", err)
	}
	told(second, core.RoleFacts{Badges: 1, Level: 3}, true)
	if err := r.Withdraw(ctx, second); err != nil {
		t.Errorf("withdraw: %v", err)
	}
	if _, known := sim.RoleConnectionOf(user); known || sim.HasRole(role, user) {
		t.Error("something is left")
	}
	for range 2 {
		if err := r.Revoke(ctx, second); err != nil {
			t.Errorf("revoke: %v", err)
		}
	}
	if _, err := r.Owner(ctx, second); !errors.Is(err, core.ErrGone) || sim.Authorizations() != 0 {
		t.Errorf("after that: %v", err)
	}
}

// A limit is kept: what Discord refuses for a time is not asked again before.
func TestRolesKeepLimits(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r, sim, user := rolesOnSim(t)
	tokens, err := r.Exchange(ctx, agree(t, r, sim, user))
	if err != nil {
		t.Fatal(err)
	}
	after := func(want core.DeliveryClass, err error) time.Duration {
		t.Helper()
		var d *core.DeliveryError
		if !errors.As(err, &d) || d.Class != want {
			t.Fatalf("%v, want %s", err, want)
		}
		return d.After
	}
	class := func(want core.DeliveryClass, err error) {
		t.Helper()
		_ = after(want, err)
	}
	wait := 60.0
	sim.Fail(discordsim.Fault{PathPattern: "/users/@me/applications/*/role-connection", RetryAfter: &wait})
	if wait := after(core.RetryLater, r.Tell(ctx, tokens, core.RoleFacts{})); wait != time.Minute {
		t.Errorf("wait %v", wait)
	}
	before := sim.Traffic().Requests
	class(core.RetryLater, r.Tell(ctx, tokens, core.RoleFacts{}))
	if n := sim.Traffic().Requests - before; n != 0 {
		t.Errorf("asked %d times within the limit", n)
	}
	// Somebody else's calls count apart.
	other, err := r.Exchange(ctx, agree(t, r, sim, user))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Tell(ctx, other, core.RoleFacts{}); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	sim.Fail(discordsim.Fault{PathPattern: "/users/@me/**", Status: 503, HTMLBody: true})
	_, err = r.Owner(ctx, other)
	class(core.Temporary, err)
	for _, answer := range []discordsim.Fault{{}, {PathPattern: "/oauth2/token/revoke", Status: 401, HTMLBody: true}} {
		if answer.Status > 0 {
			sim.Fail(answer)
		}
		err := rolesAt(t, sim, "wrong").Revoke(ctx, other)
		class(core.InstallationDead, err)
		if !errors.Is(err, core.ErrRoleClient) {
			t.Errorf("a wrong client secret: %v", err)
		}
	}
}

// Without a client secret what was agreed before is told and taken back by the
// tokens alone; nothing is asked that would be refused anyway.
func TestRolesWithoutASecret(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r, sim, user := rolesOnSim(t)
	tokens, err := r.Exchange(ctx, agree(t, r, sim, user))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{
		APIURL: sim.BaseURL(), BotToken: core.Secret(sim.BotToken()), ApplicationID: sim.ApplicationID(), PublicKey: sim.PublicKey(), Clock: sim.Clock(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.Roles() != nil {
		t.Error("people can connect without a client secret")
	}
	link := a.RoleLink("Credly")
	if who, err := link.Owner(ctx, tokens); err != nil || who.User != user {
		t.Errorf("whose: %v, %v", who, err)
	}
	if err := link.Tell(ctx, tokens, core.RoleFacts{Badges: 1}); err != nil {
		t.Errorf("tell: %v", err)
	}
	if err := link.Withdraw(ctx, tokens); err != nil {
		t.Errorf("withdraw: %v", err)
	}
	if _, known := sim.RoleConnectionOf(user); known {
		t.Error("something is left")
	}
	before := sim.Traffic().Requests
	_, refreshed := link.Refresh(ctx, tokens)
	for _, err := range []error{refreshed, link.Revoke(ctx, tokens)} {
		if !errors.Is(err, core.ErrRoleClient) {
			t.Errorf("without a secret: %v", err)
		}
	}
	if n := sim.Traffic().Requests - before; n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// Answers that are none, and tokens that do not allow what is needed.
func TestRolesBadAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	a, err := New(Config{
		APIURL: f.api.URL, BotToken: "made-up", ApplicationID: testApp, Clock: f.clock, PublicURL: rolesPublic,
		Roles: RolesConfig{ClientSecret: "made-up", Platform: "Credly", Texts: roleTexts()},
	})
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]any{"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 604800, "scope": "identify role_connections.write"}
	for name, one := range map[string]struct {
		key   string
		value any
		gone  bool
	}{
		"good": {"token_type", "bearer", false}, "no token": {"access_token", "", false}, "no refresh token": {"refresh_token", "", false},
		"another type": {"token_type", "MAC", false}, "no end": {"expires_in", 0, false}, "an end long ago": {"expires_in", -1, false},
		"no end in sight": {"expires_in", 1e15, false}, "a scope less": {"scope", "identify", true}, "text for a number": {"expires_in", "soon", false},
	} {
		answer := maps.Clone(good)
		answer[one.key] = one.value
		data, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		f.api.respond(http.StatusOK, string(data))
		_, err = a.Roles().Exchange(t.Context(), "c")
		if (err == nil) != (name == "good") || errors.Is(err, core.ErrGone) != one.gone {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "made-up") || strings.Contains(err.Error(), "a,")) {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
	for status, body := range map[int]string{200: `{"id":"no number"}`, 500: "<html>", 403: `{"code":50026}`} {
		f.api.respond(status, body)
		_, err := a.Roles().Owner(t.Context(), core.RoleTokens{Access: "hushed"})
		if err == nil || errors.Is(err, core.ErrGone) != (status == 403) || strings.Contains(err.Error(), "hushed") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestRoleRecordsAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*CommandText){
		"no name": func(c *CommandText) { c.Name = "" }, "a long name": func(c *CommandText) { c.Name = strings.Repeat("n", 101) },
		"a long description": func(c *CommandText) { c.Description = strings.Repeat("d", 201) },
		"a locale":           func(c *CommandText) { c.Names = map[string]string{"xx": "n"} },
		"a long translation": func(c *CommandText) { c.Descriptions = map[string]string{"de": strings.Repeat("d", 201)} },
	} {
		texts := roleTexts()
		one := texts[roleLevel]
		change(&one)
		texts[roleLevel] = one
		if _, err := roleRecords(texts); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// The check-up names what is missing at Discord.
func TestCheckRoles(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	r, sim, _ := rolesOnSim(t)
	bad := func(r *Roles) []string {
		t.Helper()
		var names []string
		for _, f := range r.a.Check(ctx) {
			if !f.OK {
				names = append(names, f.Name)
			}
			if strings.Contains(f.Detail+f.Mend, sim.ClientSecret()) {
				t.Errorf("%s tells the secret", f.Name)
			}
		}
		return names
	}
	if got := bad(r); !slices.Equal(got, []string{"Discord role records"}) {
		t.Errorf("before the first start: %v", got)
	}
	if _, err := r.Register(ctx); err != nil {
		t.Fatal(err)
	}
	if got := bad(r); len(got) != 0 {
		t.Errorf("all well: %v", got)
	}
	sim.SetVerificationURL("")
	sim.SetRedirects(rolesPublic + "/other")
	if got := bad(rolesAt(t, sim, "wrong")); !slices.Equal(got, []string{"Discord client secret", "Discord linked roles", "Discord redirect"}) {
		t.Errorf("nothing well: %v", got)
	}
}
