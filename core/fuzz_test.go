package core

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/laurelbot/laurel/internal/fuzzing"
)

// An address that is taken compares equal to itself however often it is read,
// can stand in a mail's header as it is, and has no second address in it.
func FuzzEmail(f *testing.F) {
	for _, s := range []string{
		"ada@example.org", " <Ada+Badges@EXAMPLE.org> ", "Jörg@Bücher.example", "Jo\u0308rg@example.org", "GROß@example.org",
		`"a b"@example.org`, `"a@b"@example.org`, "a@b.c,d@e.f", "a@example.org.", "a@xn--bcher-kva.example", "ada@[127.0.0.1]",
		"a(comment)@example.org", "İ@example.org", "a@ex\u00adample.org", "ﬁ@example.org", "a@。example.org",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got Email
		var err error
		fuzzing.Soon(t, func() { got, err = ParseEmail(s) })
		if err != nil {
			if !errors.Is(err, ErrBadAddress) || got != (Email{}) {
				t.Fatalf("refused with %+v, %v", got, err)
			}
			return
		}
		for name, form := range map[string]string{"shown": got.Shown, "normal": got.Normal} {
			again, err := ParseEmail(form)
			if err != nil || again.Normal != got.Normal {
				t.Errorf("%s %q of %q is read as %q, %v", name, form, s, again.Normal, err)
			}
			if !utf8.ValidString(form) || strings.ContainsAny(form, "\r\n\t \x00,;") && !strings.Contains(form, `"`) {
				t.Errorf("%s %q of %q", name, form, s)
			}
		}
		local, domain, _ := strings.Cut(got.Normal[strings.LastIndexByte(got.Normal, '"')+1:], "@")
		if len(got.Normal) > MaxAddressBytes || len(local) > 4*maxLocalBytes || !strings.Contains(domain, ".") ||
			domain != strings.ToLower(domain) || strings.ContainsFunc(domain, func(r rune) bool { return r > '~' }) {
			t.Errorf("normal %q of %q", got.Normal, s)
		}
		if list, err := mail.ParseAddressList(got.Shown); err != nil || len(list) != 1 {
			t.Errorf("%q is %d addresses in a header, %v", got.Shown, len(list), err)
		}
	})
}

// A token that is taken is the one that was made for the row and the purpose:
// not another spelling of it, and none of another purpose.
func FuzzToken(f *testing.F) {
	k := ring(f, "kj")
	id := NewID()
	for _, keys := range []*Keys{k, testKeys(f, 'j'), testKeys(f, 'x')} {
		for _, p := range []Purpose{PurposeHandoff, PurposeEmail} {
			token, err := keys.Token(p, id)
			if err != nil {
				f.Fatal(err)
			}
			for _, s := range []string{token, token + "=", token + "\n", token[:7] + "\r\n" + token[7:], strings.ToLower(token), token[:len(token)-1] + "_"} {
				f.Add(s)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		taken := 0
		for _, p := range []Purpose{PurposeHandoff, PurposeEmail} {
			var id string
			var ok bool
			fuzzing.Soon(t, func() { id, ok = k.ParseToken(p, s) })
			if !ok {
				if id != "" {
					t.Errorf("%q was refused and names %q", s, id)
				}
				continue
			}
			taken++
			now, err := k.Token(p, id)
			before, errBefore := testKeys(t, 'j').Token(p, id)
			if err != nil || errBefore != nil || s != now && s != before {
				t.Errorf("%q was taken for %s %s: %v, %v", s, p, id, err, errBefore)
			}
		}
		if taken > 1 {
			t.Errorf("%q serves two purposes", s)
		}
	})
}

// What is sealed comes back as it was, for the row it was sealed for alone;
// whatever else the column holds is refused, and says nothing.
func FuzzSealed(f *testing.F) {
	k := ring(f, "kj")
	sealed := k.Seal("xoxb-secret", "post:1")
	f.Add(sealed, "xoxb-secret", "post:1", 3, byte('A'))
	f.Add(testKeys(f, 'j').Seal("", "mail:2"), "", "mail:2", 8, byte(0))
	f.Add("nothing", "\xff\x00", "", -1, byte('.'))
	f.Add(sealed[:4], strings.Repeat("long", 100), "\xff", 1<<30, byte('='))
	f.Fuzz(func(t *testing.T, column, plain, context string, at int, with byte) {
		fuzzing.Soon(t, func() {
			got, err := k.Open(column, "fuzz:"+context)
			if err == nil || got != "" || !errors.Is(err, ErrSealed) {
				t.Errorf("%q opened as %q, %v", column, got, err)
			}
		})
		made := k.Seal(plain, context)
		if got, err := k.Open(made, context); err != nil || got != plain {
			t.Errorf("%q came back as %q, %v", plain, got, err)
		}
		if _, err := k.Open(made, context+"x"); !errors.Is(err, ErrSealed) {
			t.Errorf("opened for another row: %v", err)
		}
		at = ((at % len(made)) + len(made)) % len(made)
		if at < len(made)-1 && made[at] != with && with != '\n' && with != '\r' {
			altered := made[:at] + string([]byte{with}) + made[at+1:]
			if got, err := k.Open(altered, context); !errors.Is(err, ErrSealed) || got != "" {
				t.Errorf("altered at %d: %q, %v", at, got, err)
			}
		}
	})
}

// A code is compared as it is: nothing but itself is the same.
func FuzzCode(f *testing.F) {
	k := ring(f, "kj")
	id := NewID()
	f.Add("12345678", "12345678")
	f.Add("12345678 ", "12345678")
	f.Add("", "\x00")
	f.Fuzz(func(t *testing.T, typed, code string) {
		if k.SameCode(id, typed, k.HashCode(id, code)) != (typed == code) || k.SameCode(id, typed, typed) || k.SameCode(id, typed, "") {
			t.Errorf("%q and %q", typed, code)
		}
	})
}
