package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/playground/credlysim"
)

// browser is somebody's, with what it keeps.
type browser struct {
	t      *testing.T
	s      *stage
	client *http.Client
}

func (s *stage) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{t: s.t, s: s, client: &http.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// do returns the status, where it leads and the page.
func (b *browser) do(method, address string) (status int, to, page string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(body)
}

// connects goes to Discord and back, and says how that ended.
func (b *browser) connects(user string) string {
	b.t.Helper()
	page := b.s.settings.PublicURL + "/roles"
	if status, _, body := b.do(http.MethodGet, page); status != http.StatusOK || !strings.Contains(body, "<form") {
		b.t.Fatalf("the page: %d\n%s", status, body)
	}
	status, consent, _ := b.do(http.MethodPost, page)
	if status != http.StatusSeeOther {
		b.t.Fatalf("the button led to %d %s", status, consent)
	}
	back, err := b.s.discord.Authorize(user, consent, true)
	if err != nil {
		b.t.Fatal(err)
	}
	status, done, body := b.do(http.MethodGet, back)
	if status != http.StatusSeeOther {
		b.t.Fatalf("back from Discord: %d %s\n%s", status, done, body)
	}
	how, ok := strings.CutPrefix(done, "/roles/done/")
	if status, _, body := b.do(http.MethodGet, b.s.settings.PublicURL+done); !ok || status != http.StatusOK {
		b.t.Fatalf("ended at %s: %d\n%s", done, status, body)
	}
	// What the browser kept is gone: the same way back leads nowhere.
	if status, _, _ := b.do(http.MethodGet, back); status != http.StatusBadRequest {
		b.t.Errorf("back twice: %d", status)
	}
	return how
}

func (s *stage) hasRole(name, user string) bool { return s.discord.HasRole(s.linked[name], user) }

func (s *stage) waitForRole(name, user string, want bool) {
	s.t.Helper()
	s.waitFor("the role "+name, func() bool { s.tickRoles(); return s.hasRole(name, user) == want })
}

// tickRoles lets the job run now.
func (s *stage) tickRoles() {
	s.t.Helper()
	if _, err := s.app.tickRoles(s.t.Context()); err != nil {
		s.t.Error(err)
	}
}

// The whole way of roles: connected before there is a badge, given when one is
// public, taken when it is revoked or ends, given up when the person is
// forgotten.
func TestLinkedRoles(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		user := bruno().discordID
		who := s.discordChat.As(user)
		card := who.Command("badges", "roles", nil).ExpectEphemeral("Rollen für deine Badges")
		if link := card.ExpectLink("Meine Rollen verbinden"); link != s.settings.PublicURL+"/roles" {
			t.Errorf("leads to %s", link)
		}
		if how := s.browser().connects(user); how != string(core.RolesUnlinked) {
			t.Errorf("connected: %s", how)
		}
		if s.hasRole(roleCertified, user) {
			t.Error("a role without a badge")
		}
		s.linkDiscord(bruno())
		who.Command("badges", "roles", nil).ExpectEphemeral("Verbunden, und noch zählt nichts")

		// What is private tells nothing.
		badge := s.badge(bruno().email, templateAssociate)
		if err := s.credly.Accept(badge); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.pass(time.Second)
		if s.hasRole(roleCertified, user) {
			t.Error("a role for a private badge")
		}
		if err := s.credly.SetPublic(badge, true); err != nil {
			t.Fatal(err)
		}
		s.waitForRole(roleCertified, user, true)
		told, _ := s.discord.RoleConnectionOf(user)
		if told.PlatformName != "Credly" || told.PlatformUsername != "" || told.Metadata["badges"] != "1" || told.Metadata["level"] != "1" || told.Metadata["certified"] != "1" {
			t.Errorf("Discord knows %+v", told)
		}
		who.Command("badges", "roles", nil).ExpectEphemeral("Deine Rollen sind verbunden", "**1** öffentlicher Badge", "Höchste Stufe: **1**")

		// A better one, for a week only.
		short, err := s.credly.Issue(credlysim.IssueRequest{
			RecipientEmail: bruno().email, FirstName: "Bruno", LastName: "Beispiel", TemplateID: templateSenior,
			IssuedAt: s.clock.Now().Format(time.RFC3339), ExpiresAt: json.RawMessage(`"` + s.clock.Now().Add(7*24*time.Hour).Format(time.RFC3339) + `"`),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.credly.Accept(short.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.credly.SetPublic(short.ID, true); err != nil {
			t.Fatal(err)
		}
		s.waitForRole(roleSenior, user, true)
		// Its end takes one role and leaves the other, with tokens that had to be
		// replaced on the way.
		s.pass(7*24*time.Hour + time.Second)
		s.waitForRole(roleSenior, user, false)
		s.waitForRole(roleCertified, user, true)

		if err := s.credly.Revoke(badge, "Made up"); err != nil {
			t.Fatal(err)
		}
		s.waitForRole(roleCertified, user, false)
		if n := s.discord.Authorizations(); n != 1 {
			t.Errorf("%d authorizations", n)
		}

		forget := who.Command("badges", "forget", nil).ExpectEphemeral("gespeichert")
		forget.Press(word(bruno(), "button.forget"))
		s.waitFor("Discord to be told nothing any more", func() bool {
			s.tickRoles()
			_, known := s.discord.RoleConnectionOf(user)
			return !known && s.discord.Authorizations() == 0
		})
		s.waitFor("nothing to be left", func() bool {
			return countRows(t, openDatabase(t, s.settings.DatabaseURL), `SELECT count(*) FROM role_connections`) == 0
		})
		if n := s.discord.Traffic().Invalid; n > 0 {
			t.Errorf("%d calls were refused", n)
		}
	})
}

// Somebody takes the app away at Discord, and hears of it once; disconnects in
// the chat; does not agree; comes back in another browser.
func TestLinkedRolesEnd(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		user := ada().discordID
		who := s.linkDiscord(ada())
		s.rest()
		if how := s.browser().connects(user); how != string(core.RolesTold) {
			t.Errorf("connected: %s", how)
		}
		if !s.hasRole(roleSenior, user) {
			t.Error("the role does not wait for the job")
		}
		s.discord.Deauthorize(user)
		badge := s.badge(ada().email, templateAgile)
		if err := s.credly.SetPublic(badge, true); err != nil {
			t.Fatal(err)
		}
		s.rest()
		s.pass(time.Second)
		lost := who.ExpectDM("Connect your roles again")
		if link := lost.ExpectLink("Connect my roles"); link != s.settings.PublicURL+"/roles" {
			t.Errorf("leads to %s", link)
		}
		if how := s.browser().connects(user); how != string(core.RolesTold) {
			t.Errorf("connected again: %s", how)
		}
		card := who.Command("badges", "roles", nil).ExpectEphemeral("Your roles are connected", "**2** public badges")
		card.Press("Disconnect")
		card.ExpectEdit("Disconnected")
		s.waitForRole(roleSenior, user, false)
		s.waitFor("the tokens to be void", func() bool { return s.discord.Authorizations() == 0 })

		// Not agreed, in another browser, too late.
		b := s.browser()
		page := s.settings.PublicURL + "/roles"
		_, consent, _ := b.do(http.MethodPost, page)
		back, err := s.discord.Authorize(user, consent, false)
		if err != nil {
			t.Fatal(err)
		}
		if status, _, body := b.do(http.MethodGet, back); status != http.StatusOK || !strings.Contains(body, "You did not agree") {
			t.Errorf("not agreed: %d", status)
		}
		_, consent, _ = b.do(http.MethodPost, page)
		if back, err = s.discord.Authorize(user, consent, true); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := s.browser().do(http.MethodGet, back); status != http.StatusBadRequest {
			t.Errorf("in another browser: %d", status)
		}
		s.pass(10 * time.Minute)
		if status, _, _ := b.do(http.MethodGet, back); status != http.StatusBadRequest {
			t.Errorf("too late: %d", status)
		}
		if n := s.discord.Authorizations(); n != 0 {
			t.Errorf("%d authorizations", n)
		}
		s.slackChat.As(ada().slackID).Command("/badges", "roles")
		s.slackChat.As(ada().slackID).ExpectEphemeral("Roles are given on Discord")
		s.checkNothingOfRoles(consent)
	})
}

// checkNothingOfRoles looks whether the log holds anything that opens doors.
func (s *stage) checkNothingOfRoles(consent string) {
	s.t.Helper()
	u, err := url.Parse(consent)
	if err != nil {
		s.t.Fatal(err)
	}
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	for _, secret := range []string{u.Query().Get("state"), s.discord.ClientSecret()} {
		if strings.Contains(s.logs.b.String(), secret) {
			s.t.Error("the log holds a secret")
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	good := &Settings{BadgeLevels: []string{"a-1=1", " b_2=1000000 "}}
	if got, err := good.levels(); err != nil || got["a-1"] != 1 || got["b_2"] != 1000000 || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range [][]string{{"a"}, {"=1"}, {"a="}, {"a=0"}, {"a=-1"}, {"a=1000001"}, {"a=x"}, {"a b=1"}, {"a=1", "a=2"}, {""}} {
		if _, err := (&Settings{BadgeLevels: wrong}).levels(); err == nil || !strings.Contains(err.Error(), "BADGE_LEVELS") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if !slices.ContainsFunc(seededLevels(), func(s string) bool { return strings.HasPrefix(s, templateSenior) }) {
		t.Error("the playground has no levels")
	}
}

// storedConnection is somebody's who is not looked at.
const storedConnection = `INSERT INTO role_connections (id, platform, tenant, user_id, tokens_sealed, tokens_end, since, due_at)
	VALUES ('r', 'discord', '', '1', '', 1, 1, 9000000000000)`

// Where the client secret, or all of Discord, was taken out of the settings, a
// start says so as soon as somebody is connected, and what is due ends in time.
func TestConnectionsWithoutAClientSecret(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var logged bytes.Buffer
	secret := core.Secret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'k'}, core.KeyBytes)))
	s := &Settings{DatabaseURL: "sqlite:" + filepath.Join(t.TempDir(), "laurel.db"), SecretKey: secret}
	log := slog.New(slog.NewTextHandler(&logged, nil))
	db, keys, err := openStore(ctx, s, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	logged.Reset()
	a := &app{settings: s, log: log, db: db, clock: machineClock{}, metrics: prometheus.NewRegistry()}
	if err := a.openRoles(keys); err != nil {
		t.Fatal(err)
	}
	a.reportRoles(ctx)
	if said, err := a.tickRoles(ctx); err != nil || said != "not set up" || logged.Len() > 0 {
		t.Errorf("without connections: %s, %v, %s", said, err, &logged)
	}
	ada := core.Identity{Platform: discord.Platform, User: "1"}
	now := a.clock.Now()
	if _, err := db.ConnectRoles(ctx, ada, core.RoleTokens{Access: "a", Refresh: "r", EndsAt: now.Add(time.Hour)}, now); err != nil {
		t.Fatal(err)
	}
	a.reportRoles(ctx)
	for _, want := range []string{"level=ERROR", "1 connections", "DISCORD_CLIENT_SECRET is not set", "mend="} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("want %q in %s", want, &logged)
		}
	}
	if said, err := a.tickRoles(ctx); err != nil || said != "1 refused" {
		t.Errorf("with a connection: %s, %v", said, err)
	}
}
