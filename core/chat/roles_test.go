package chat

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

var discordReader = core.Identity{Platform: "discord", User: "1"}

// goldenRoles are the cards about roles.
func goldenRoles(c *Composer, w Words, put func(name, text string)) {
	c.RolesAt = "discord"
	put("roles, not set up", readable(c.noRolesCard(w)))
	c.Roles = &core.Roles{}
	put("roles, elsewhere", readable(c.noRolesCard(w)))
	told := &core.RoleStanding{Since: noon, ToldAt: noon}
	for _, one := range []struct {
		name, id string
		view     core.RoleView
	}{
		{"none", "roles.none", core.RoleView{}},
		{"ended", "roles.ended", core.RoleView{}},
		{"lost", "roles.lost", core.RoleView{}},
		{"unlinked", "roles.unlinked", core.RoleView{Connected: told}},
		{"empty", "roles.empty", core.RoleView{Connected: told, Levels: true}},
		{"one", "roles.on", core.RoleView{Connected: told, Facts: core.RoleFacts{Badges: 1}}},
		{"several", "roles.on", core.RoleView{
			Connected: &core.RoleStanding{Since: noon}, Levels: true,
			Facts: core.RoleFacts{Badges: 3, Level: 4, ValidUntil: noon.AddDate(1, 0, 0)},
		}},
	} {
		put("roles, "+one.name, readable(c.rolesCard(w, discordReader, one.view, one.id)))
	}
	c.RolesClosed = true
	put("roles, ended while there is no client secret", readable(c.rolesCard(w, discordReader, core.RoleView{}, "roles.ended")))
	put("forget, done while roles may stay", readable(c.forgottenCard(w, "forget.done", true)))
	c.Roles, c.RolesAt, c.RolesClosed = nil, "", false
}

// roleShelf is a shelf that knows whether there is a connection.
type roleShelf struct {
	*shelf
	err error
}

func (s roleShelf) RoleStanding(context.Context, core.Identity) (core.RoleStanding, error) {
	return core.RoleStanding{Since: noon}, s.err
}

// What is asked where there are no roles, or by somebody unknown, has an
// answer.
func TestRolesAnswers(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		roles bool
		actor core.Identity
		want  string
	}{
		"not set up":      {false, discordReader, "roles.off.title"},
		"on Slack":        {true, reads.Identity, "roles.elsewhere.title"},
		"unknown, no way": {true, discordReader, "roles.none.title"},
	} {
		c := goldenComposer(t, &shelf{})
		s := &Service{Store: &shelf{}, Clock: fixed(noon), Catalog: c.Catalog, Composer: c, Provider: provider{}, Log: slog.New(slog.DiscardHandler)}
		if one.roles {
			c.Roles, c.RolesAt = &core.Roles{Store: roleShelf{&shelf{}, core.ErrNotFound}, Clock: fixed(noon)}, "discord"
		}
		a, err := s.roles(t.Context(), c.Catalog.For("en"), Action{Actor: one.actor, Verb: VerbRoles, Source: SourceCommand})
		if err != nil || a.Card.Title != c.Catalog.For("en").Plain(one.want, nil) {
			t.Errorf("%s: %+v, %v", name, a.Card, err)
		}
	}
}

// A message about a lost connection says nothing once there is one again, and
// nothing to anybody else.
func TestLostRoles(t *testing.T) {
	t.Parallel()
	account := core.Account{ID: "a1", MemberID: "m1", Identity: discordReader}
	for name, one := range map[string]struct {
		standing error
		subject  string
		want     error
	}{
		"lost":            {core.ErrNotFound, "a1", nil},
		"made again":      {nil, "a1", ErrNothing},
		"somebody else's": {core.ErrNotFound, "a2", ErrNothing},
	} {
		c := goldenComposer(t, roleShelf{&shelf{}, one.standing})
		c.Roles, c.RolesAt = &core.Roles{}, "discord"
		_, err := c.Compose(t.Context(), core.Post{Account: account, Subject: core.Subject{Kind: core.SubjectRoles, ID: one.subject}})
		if !errors.Is(err, one.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only the owner's mark on the button disconnects.
func TestDisconnectIsForTheOwner(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	c := goldenComposer(t, &shelf{})
	s := &Service{Store: &shelf{}, Clock: fixed(at), Catalog: c.Catalog, Composer: c, Provider: provider{}, Log: slog.New(slog.DiscardHandler)}
	c.Roles, c.RolesAt = &core.Roles{Store: roleShelf{&shelf{}, core.ErrNotFound}, Clock: fixed(at)}, "discord"
	for _, arg := range []string{"", "off", rolesOff, rolesOff + ownerMark(reads.Identity), rolesOff + "x"} {
		a, err := s.roles(t.Context(), c.Catalog.For("en"), Action{Actor: discordReader, Verb: VerbRoles, Source: SourcePress, Arg: arg})
		if err != nil || a.Where != Aside || a.Card.Title != c.Catalog.For("en").Plain("roles.none.title", nil) {
			t.Errorf("%q: %+v, %v", arg, a.Card, err)
		}
	}
}

// connected is a shelf with a connection and nothing else of anybody.
type connected struct {
	roleShelf
	core.Tx
	gone []core.Identity
}

func (c *connected) InTx(ctx context.Context, f func(context.Context, core.Tx) error) error {
	return f(ctx, c.Tx)
}

// connectedTx ends that connection once.
type connectedTx struct {
	core.Tx
	shelf *connected
}

func (t connectedTx) DisconnectRoles(_ context.Context, id core.Identity, _ time.Time) error {
	if len(t.shelf.gone) > 0 {
		return core.ErrNotFound
	}
	t.shelf.gone = append(t.shelf.gone, id)
	return nil
}

func (connectedTx) Audit(context.Context, string, string, string, time.Time) error { return nil }

// Who connected and never linked an address sees that, and can take it back
// like anybody else.
func TestRolesOfSomebodyOtherwiseUnknown(t *testing.T) {
	t.Parallel()
	store := &connected{roleShelf: roleShelf{&shelf{}, nil}}
	store.Tx = connectedTx{shelf: store}
	c := goldenComposer(t, &shelf{})
	s := &Service{Store: &shelf{}, Clock: fixed(noon), Catalog: c.Catalog, Composer: c, Provider: provider{}, Log: slog.New(slog.DiscardHandler)}
	c.Roles, c.RolesAt = &core.Roles{Store: store, Clock: fixed(noon)}, "discord"
	w := c.Catalog.For("en")
	a, err := s.roles(t.Context(), w, Action{Actor: discordReader, Verb: VerbRoles, Source: SourceCommand})
	if err != nil || a.Card.Title != w.Plain("roles.unlinked.title", nil) {
		t.Errorf("asked: %+v, %v", a.Card, err)
	}
	for _, want := range []string{"forget.done.title", "forget.nothing.title"} {
		a, err := s.forget(t.Context(), w, Action{Actor: discordReader, Verb: VerbForget, Source: SourceCommand})
		if err != nil || a.Card.Title != w.Plain(want, nil) {
			t.Errorf("forgotten: %+v, %v, want %s", a.Card, err, want)
		}
	}
	if len(store.gone) != 1 || store.gone[0] != discordReader {
		t.Errorf("ended %v", store.gone)
	}
}

// Who did not agree may be connected since earlier: nothing is said of what is
// stored.
func TestDeniedRolesPromiseNothing(t *testing.T) {
	t.Parallel()
	catalog := goldenComposer(t, &shelf{}).Catalog
	for locale, stored := range map[string]string{"en": "stored", "de": "gespeichert", "es": "guard"} {
		if text := catalog.For(locale).Plain("web.roles.denied.text", nil); strings.Contains(text, stored) {
			t.Errorf("%s: %s", locale, text)
		}
	}
}

// Where the operator took the client secret away nobody is sent to connect, but
// who is connected sees that and can end it.
func TestRolesWithoutAClientSecret(t *testing.T) {
	t.Parallel()
	w := goldenComposer(t, &shelf{}).Catalog.For("en")
	for name, one := range map[string]struct {
		standing error
		want     string
	}{"not connected": {core.ErrNotFound, "roles.off.title"}, "connected": {nil, "roles.unlinked.title"}} {
		store := &connected{roleShelf: roleShelf{&shelf{}, one.standing}}
		store.Tx = connectedTx{shelf: store}
		c := goldenComposer(t, store)
		s := &Service{Store: store, Clock: fixed(noon), Catalog: c.Catalog, Composer: c, Provider: provider{}, Log: slog.New(slog.DiscardHandler)}
		c.Roles, c.RolesAt, c.RolesClosed = &core.Roles{Store: store, Clock: fixed(noon)}, "discord", true
		a, err := s.roles(t.Context(), w, Action{Actor: discordReader, Verb: VerbRoles, Source: SourceCommand})
		if err != nil || a.Card.Title != w.Plain(one.want, nil) {
			t.Errorf("%s: %+v, %v", name, a.Card, err)
		}
		if one.standing != nil {
			continue
		}
		had, err := c.hasRoles(t.Context(), []core.Account{{Identity: reads.Identity}, {Identity: discordReader}})
		if err != nil || !had {
			t.Errorf("an account with roles: %v, %v", had, err)
		}
		a, err = s.roles(t.Context(), w, Action{Actor: discordReader, Verb: VerbRoles, Source: SourcePress, Arg: rolesOff + ownerMark(discordReader)})
		if err != nil || len(store.gone) != 1 || len(a.Card.Buttons) != 1 {
			t.Errorf("ended: %+v, %v, %v", a.Card, store.gone, err)
		}
	}
}
