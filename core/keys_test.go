package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode"
)

func testKeys(tb testing.TB, fill byte) *Keys {
	tb.Helper()
	k, err := NewKeys([]byte(strings.Repeat(string(rune(fill)), KeyBytes)))
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
	for _, bad := range []string{"", token[1:], token + "A", token + "=", strings.Repeat("A", 43)} {
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
	k, err := NewKeys([]byte(strings.Repeat("k", KeyBytes)))
	if err != nil {
		f.Fatal(err)
	}
	token, err := k.Token(PurposeHandoff, NewID())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := k.ParseToken(PurposeHandoff, s); ok && s != token {
			t.Errorf("forged token %q was taken", s)
		}
	})
}
