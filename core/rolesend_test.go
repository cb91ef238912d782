package core_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
)

// logs is what is logged from now on.
func (r *roleHouse) logs() fmt.Stringer {
	b := &bytes.Buffer{}
	r.roles.Log = slog.New(slog.NewTextHandler(b, nil))
	return b
}

// newConnected is a person with a public badge whom the platform was told of.
func newConnected(t *testing.T) *roleHouse {
	t.Helper()
	r := newRoleHouse(t, newHouse(t))
	r.link()
	r.says(core.StagePublic)
	r.connect()
	r.expect("1 4")
	return r
}

func (r *roleHouse) disconnect() {
	r.t.Helper()
	p, err := r.db.Person(r.t.Context(), adaElse)
	r.must(err)
	r.must(r.roles.Disconnect(r.t.Context(), p, adaElse))
}

func (r *roleHouse) forget() {
	r.t.Helper()
	r.must((&core.Farewells{Store: r.db, Clock: r}).Forget(r.t.Context(), adaElse))
}

// A wrong client secret is for the operator to mend: it is tried seldom, said
// loudly, and costs nobody the time in which roles are taken back.
func TestRolesWaitForTheClientSecret(t *testing.T) {
	t.Parallel()
	r := newConnected(t)
	r.forget()
	r.platform.unknown = &core.DeliveryError{Class: core.InstallationDead, Err: core.ErrRoleClient}
	logged := r.logs()
	refused := 0
	for range 48 {
		n := r.tick(time.Hour)
		refused += n.Refused
		if n.Withdrawn+n.GivenUp+n.Lost > 0 {
			t.Fatalf("while the client secret is wrong: %+v", n)
		}
	}
	if refused != 48 || r.platform.asked > refused {
		t.Errorf("waited %d times, asked %d times", refused, r.platform.asked)
	}
	if n := strings.Count(logged.String(), "level=ERROR"); n == 0 || n > refused || !strings.Contains(logged.String(), "client secret") {
		t.Errorf("%d errors logged", n)
	}
	r.expect("none")
	// Once it is mended nothing is too late.
	r.platform.unknown = nil
	if n := r.tick(time.Hour); n.Withdrawn != 1 || !r.platform.revoked {
		t.Errorf("mended: %+v", n)
	}
}

// Not even those tokens are kept for ever, nor those of somebody who could not
// be told anything for a month.
func TestTokensOfRolesEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]bool{"ending": true, "standing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newConnected(t)
			r.platform.unknown = &core.DeliveryError{Class: core.InstallationDead, Err: core.ErrRoleClient}
			logged := r.logs()
			if end {
				r.disconnect()
			} else {
				// Six hundred tries later.
				soon := r.now.Add(24 * time.Hour)
				taken, err := r.db.TakeRoles(t.Context(), soon, soon.Add(time.Minute), 1, "")
				r.must(err)
				r.must(r.db.FinishRoles(t.Context(), core.RoleOutcome{
					Connection: taken[0], Told: taken[0].Told, ToldAt: taken[0].ToldAt, Failures: 600, Next: soon,
				}))
			}
			for range 2 {
				if n := r.tick(14 * 24 * time.Hour); n.Refused != 1 || n.GivenUp != 0 {
					t.Errorf("within a month: %+v", n)
				}
			}
			if n := r.tick(14 * 24 * time.Hour); n.GivenUp != 1 || !strings.Contains(logged.String(), "give up") {
				t.Errorf("after a month: %+v", n)
			}
			if n := r.tick(48 * time.Hour); n.Looked != 0 {
				t.Errorf("looked again: %+v", n)
			}
		})
	}
}

// Many connections that need the client secret do not ask one by one whether
// it is still wrong: platforms shut out who is refused too often.
func TestRefusedClientSecretIsNotTriedByEverybody(t *testing.T) {
	t.Parallel()
	r := newConnected(t)
	for i := range 20 {
		id := core.Identity{Platform: "discord", User: fmt.Sprint(1000 + i)}
		_, err := r.db.ConnectRoles(t.Context(), id, core.RoleTokens{Access: "a", Refresh: "r", EndsAt: r.now}, r.now)
		r.must(err)
	}
	r.platform.unknown = core.ErrRoleClient
	logged := r.logs()
	if n := r.tick(0); n.Refused != 20 || r.platform.asked > 8 {
		t.Errorf("%+v, asked %d times", n, r.platform.asked)
	}
	if n := strings.Count(logged.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors logged", n)
	}
}

// Who connects again before the old connection was taken back keeps the new
// one, in each order of events.
func TestRolesConnectedAgain(t *testing.T) {
	t.Parallel()
	outage := &core.DeliveryError{Class: core.Temporary}
	for name, events := range map[string]func(r *roleHouse){
		"forgotten, during an outage": func(r *roleHouse) {
			r.forget()
			r.platform.fail = outage
			r.tick(0)
			r.platform.fail = nil
			r.connect()
		},
		"forgotten, while it is taken back": func(r *roleHouse) {
			r.forget()
			r.platform.between = func() { r.connect() }
		},
		"disconnected, while it is taken back": func(r *roleHouse) {
			r.disconnect()
			r.platform.between = func() { r.connect() }
		},
		"disconnected, during an outage": func(r *roleHouse) {
			r.disconnect()
			r.platform.fail = outage
			r.tick(0)
			r.platform.fail = nil
			r.connect()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newConnected(t)
			events(r)
			var total core.RoleCounts
			for range 4 {
				n := r.tick(time.Minute)
				total.Lost, total.Withdrawn = total.Lost+n.Lost, total.Withdrawn+n.Withdrawn
			}
			if total.Lost+total.Withdrawn != 0 || r.platform.revoked || r.facts() == "none" {
				t.Errorf("%+v, revoked %v, the platform knows %q", total, r.platform.revoked, r.facts())
			}
			if n, err := r.db.CountRoles(t.Context()); err != nil || n != 1 {
				t.Errorf("%d connections, %v", n, err)
			}
			if _, err := r.db.RoleStanding(t.Context(), adaElse); err != nil {
				t.Errorf("the new connection: %v", err)
			}
		})
	}
}

// A replica with another SECRET_KEY leaves connections alone that it cannot
// open: those that stand and those that end.
func TestRolesOfAnotherKey(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]bool{"ending": true, "standing": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := newRoleHouse(t, h)
			r.link()
			r.says(core.StagePublic)
			r.connect()
			if end {
				r.forget()
			} else {
				r.now = r.now.Add(time.Second)
				r.says(core.StageRevoked)
			}
			keys, err := core.NewKeys(bytes.Repeat([]byte{'z'}, core.KeyBytes))
			r.must(err)
			db, err := sqlstore.Open(t.Context(), sqlstore.Config{URL: h.url, Keys: keys})
			r.must(err)
			t.Cleanup(func() { _ = db.Close() })
			logged := &bytes.Buffer{}
			other := &core.Roles{Store: db, Clock: h, Keys: keys, Link: r.platform, Log: slog.New(slog.NewTextHandler(logged, nil))}
			for range 10 {
				n, err := other.Tick(t.Context())
				if err != nil || n.Looked != n.Unreadable || n.Looked != 1 {
					t.Fatalf("with another key: %+v, %v", n, err)
				}
				r.now = r.now.Add(5 * 24 * time.Hour)
			}
			if n := strings.Count(logged.String(), "level=ERROR"); n != 10 {
				t.Errorf("%d errors logged", n)
			}
			r.expect("1 4")
			n := r.tick(0)
			if end && n.Withdrawn != 1 || !end && n.Told != 1 {
				t.Errorf("with its own key: %+v", n)
			}
		})
	}
}
