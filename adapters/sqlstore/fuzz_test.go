package sqlstore

import (
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// FuzzDatabaseURL: whatever an operator writes, no password comes out in an
// error.
func FuzzDatabaseURL(f *testing.F) {
	for _, rest := range []string{
		"db.example.org/laurel", "[::1/x", "db.example.org:port/laurel", "db.example.org/laurel?sslmode=maybe", "%zz",
		"/laurel?host=/run/postgresql&connect_timeout=x", "a,b,c/laurel?target_session_attrs=any", "h/%00?sslmode=disable", "",
	} {
		f.Add(rest)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		const password = "geheim-7d1f"
		c, err := newConnector("postgres://user:"+password+"@"+rest, map[string]string{"connect_timeout": connectTimeout})
		if (c == nil) == (err == nil) {
			t.Fatalf("connector %v and error %v", c, err)
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("error %q", err)
		}
	})
}

// FuzzSealedColumns: what stands in a sealed column of a copied or damaged
// database opens to nothing, and nobody stumbles over it.
func FuzzSealedColumns(f *testing.F) {
	keys, err := core.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		f.Fatal(err)
	}
	d := &DB{keys: keys, log: slog.New(slog.DiscardHandler)}
	place := core.Place{Ref: "reference"}
	sealed := d.sealPlace(place)
	for _, s := range []string{sealed, "", "x", sealed[:len(sealed)-1], "." + sealed, "\x00", keys.Seal("code", mailContext("v1"))} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := d.openPlace(t.Context(), postRow{PlaceSealed: s})
		if got != "" && got != place.Ref {
			t.Errorf("%q opened to %q", s, got.Reveal())
		}
		code := d.openPayload(t.Context(), deliveryRow{Kind: string(delivery.KindMail), Ref: "v1", Payload: s})
		if code != "" && code != "code" {
			t.Errorf("%q opened to %q", s, code.Reveal())
		}
	})
}

// FuzzClean: whatever comes from outside can be stored, and what could be
// stored stays as it is.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "a\x00b", "\xff\xfe", "\uFFFD", "ünïcode"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") || clean(got) != got {
			t.Errorf("%q became %q", s, got)
		}
		if utf8.ValidString(s) && !strings.Contains(s, "\x00") && got != s {
			t.Errorf("%q was changed to %q", s, got)
		}
	})
}

// FuzzWorkspace: what a lane was made of is read from it again.
func FuzzWorkspace(f *testing.F) {
	f.Add("slack", "T1", "U1")
	f.Add("discord", "", "42")
	f.Add("slack", "E1:T1", "U1")
	f.Fuzz(func(t *testing.T, platform, tenant, user string) {
		if strings.Contains(platform, ":") || strings.Contains(user, ":") {
			t.Skip("no platform names anything like that")
		}
		lane := core.Identity{Platform: core.Platform(platform), Tenant: tenant, User: user}.Lane()
		if p, n := workspace(lane, string(delivery.KindPost)); p != platform || n != tenant {
			t.Errorf("%q is of %q, %q", lane, p, n)
		}
		if p, n := workspace(lane, string(delivery.KindMail)); p != "" || n != "" {
			t.Errorf("a mail is of %q, %q", p, n)
		}
	})
}
