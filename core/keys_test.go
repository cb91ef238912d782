package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func testKeys(tb testing.TB, fill byte) *Keys {
	tb.Helper()
	k, err := NewKeys(secretOf(fill))
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestNewKeysWantsTheRightLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := NewKeys(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}

func secretOf(fill byte) []byte { return []byte(strings.Repeat(string(rune(fill)), KeyBytes)) }

func ring(tb testing.TB, fills string) *Keys {
	tb.Helper()
	var former [][]byte
	for _, fill := range []byte(fills[1:]) {
		former = append(former, secretOf(fill))
	}
	k, err := NewKeys(secretOf(fills[0]), former...)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// What was made with a former key is taken, nothing is made with it.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	id, old := NewID(), testKeys(t, 'a')
	token, err := old.Token(PurposeEmail, id)
	if err != nil {
		t.Fatal(err)
	}
	hash, sealed := old.HashCode(id, "12345678"), old.Seal("plain", "row:1")
	for _, tt := range []struct {
		keys  string
		taken bool
	}{
		{"a", true},
		{"ba", true},
		{"bca", true},
		{"bac", true},
		{"ab", true},
		{"b", false},
		{"bc", false},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			t.Parallel()
			k := ring(t, tt.keys)
			if got, ok := k.ParseToken(PurposeEmail, token); ok != tt.taken || ok && got != id {
				t.Errorf("token: %q, %v", got, ok)
			}
			if _, ok := k.ParseToken(PurposeHandoff, token); ok {
				t.Error("a token of another purpose was taken")
			}
			if k.SameCode(id, "12345678", hash) != tt.taken || k.SameCode(id, "12345679", hash) || k.SameCode(NewID(), "12345678", hash) {
				t.Error("codes are compared wrongly")
			}
			plain, err := k.Open(sealed, "row:1")
			if tt.taken && (err != nil || plain != "plain") || !tt.taken && !errors.Is(err, ErrSealed) {
				t.Errorf("sealed: %q, %v", plain, err)
			}
			if _, err := k.Open(sealed, "row:2"); !errors.Is(err, ErrSealed) {
				t.Errorf("another row: %v", err)
			}
			// What is made now is made with the first key alone.
			first := testKeys(t, tt.keys[0])
			made, err := k.Token(PurposeHandoff, id)
			if _, ok := first.ParseToken(PurposeHandoff, made); err != nil || !ok {
				t.Errorf("made token: %v, %v", ok, err)
			}
			if !first.SameCode(id, "1", k.HashCode(id, "1")) {
				t.Error("a code was hashed with a former key")
			}
			again := k.Seal("plain", "row:1")
			if _, err := first.Open(again, "row:1"); err != nil || !strings.HasPrefix(again, k.KeyID()+".") {
				t.Errorf("sealed with a former key: %v", err)
			}
			if got := k.FormerKeyIDs(); len(got) != len(tt.keys)-1 || slices.Contains(got, k.KeyID()) {
				t.Errorf("former keys: %v", got)
			}
		})
	}
}

func TestNewKeysRefusesRings(t *testing.T) {
	t.Parallel()
	if _, err := NewKeys(secretOf('a'), secretOf('b'), secretOf('a')); !errors.Is(err, ErrKeyTwice) {
		t.Errorf("a key twice: %v", err)
	}
	if _, err := NewKeys(secretOf('a'), []byte("short")); err == nil {
		t.Error("a short former key was taken")
	}
	var former [][]byte
	for i := range MaxKeys {
		former = append(former, secretOf(byte('b'+i)))
	}
	if _, err := NewKeys(secretOf('a'), former[1:]...); err != nil {
		t.Errorf("%d keys: %v", MaxKeys, err)
	}
	if _, err := NewKeys(secretOf('a'), former...); err == nil {
		t.Errorf("%d keys were taken", MaxKeys+1)
	}
}

func TestTokenOpensOnlyItsOwn(t *testing.T) {
	t.Parallel()
	k, id := testKeys(t, 'a'), NewID()
	token, err := k.Token(PurposeHandoff, id)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := k.ParseToken(PurposeHandoff, token); !ok || got != id {
		t.Errorf("got %q, %v", got, ok)
	}
	if again, _ := k.Token(PurposeHandoff, id); again != token {
		t.Error("the same row got another token")
	}
	if _, ok := k.ParseToken(PurposeEmail, token); ok {
		t.Error("a handoff token opened an address")
	}
	if _, ok := testKeys(t, 'b').ParseToken(PurposeHandoff, token); ok {
		t.Error("another key's token was taken")
	}
	for i := range token {
		c := byte('A')
		if token[i] == c {
			c = 'B'
		}
		if _, ok := k.ParseToken(PurposeHandoff, token[:i]+string(c)+token[i+1:]); ok {
			t.Errorf("altered at %d, still taken", i)
		}
	}
	for _, bad := range []string{"", token[1:], token + "A", token + "=", token + "\n", token[:9] + "\r\n" + token[9:], strings.Repeat("A", 43)} {
		if _, ok := k.ParseToken(PurposeHandoff, bad); ok {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	k, id := testKeys(t, 'a'), NewID()
	code, err := k.NewCode()
	if err != nil || len(code) != CodeDigits || strings.ContainsFunc(code, func(r rune) bool { return !unicode.IsDigit(r) }) {
		t.Fatalf("code %q, %v", code, err)
	}
	hash := k.HashCode(id, code)
	if strings.Contains(hash, code) {
		t.Error("the hash holds the code")
	}
	if !k.SameCode(id, code, hash) {
		t.Error("the right code was refused")
	}
	if k.SameCode(NewID(), code, hash) {
		t.Error("the code of another row was taken")
	}
	if k.SameCode(id, code+" ", hash) || k.SameCode(id, "", hash) {
		t.Error("a wrong code was taken")
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	k := testKeys(t, 'a')
	sealed := k.Seal("xoxb-secret", "post:1")
	if strings.Contains(sealed, "xoxb") {
		t.Error("the sealed value can be read")
	}
	if got, err := k.Open(sealed, "post:1"); err != nil || got != "xoxb-secret" {
		t.Errorf("got %q, %v", got, err)
	}
	for name, open := range map[string]func() (string, error){
		"another row": func() (string, error) { return k.Open(sealed, "post:2") },
		"another key": func() (string, error) { return testKeys(t, 'b').Open(sealed, "post:1") },
		"altered":     func() (string, error) { return k.Open(sealed[:len(sealed)-2]+"xx", "post:1") },
		"no key id":   func() (string, error) { return k.Open("nothing", "post:1") },
		"empty":       func() (string, error) { return k.Open("", "post:1") },
	} {
		if _, err := open(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := Secret("hunter2")
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "in", struct{ S Secret }{s})
	encoded, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%s %v %q %#v %+v %s", s, s, s, s, struct{ S Secret }{s}, encoded) + log.String()
	if strings.Contains(all, "hunter2") {
		t.Errorf("printed: %s", all)
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal hides the content too")
	}
}

func FuzzParseToken(f *testing.F) {
	// The same in every process that takes part.
	k, id := ring(f, "kj"), "0190f000-0000-7000-8000-000000000001"
	made := map[string]bool{}
	for _, one := range []*Keys{k, testKeys(f, 'j')} {
		token, err := one.Token(PurposeHandoff, id)
		if err != nil {
			f.Fatal(err)
		}
		made[token] = true
		f.Add(token)
	}
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := k.ParseToken(PurposeHandoff, s); ok && !made[s] {
			t.Errorf("forged token %q was taken", s)
		}
	})
}
