package main

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

// secretKey is one key as SECRET_KEY holds it.
func secretKey(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, core.KeyBytes))
}

// command runs a command of the bot as an operator would.
func command(t *testing.T, databaseURL, secret string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), append(args, "--secret-key", secret, "--database-url", databaseURL), &out, &errs)
	return status, out.String(), errs.String()
}

func TestSecretKeyHoldsSeveralKeys(t *testing.T) {
	t.Parallel()
	a, b, c := secretKey('a'), secretKey('b'), secretKey('c')
	for value, former := range map[string]int{
		a: 0, a + "\n": 0, a + "," + b: 1, a + " " + b: 1, a + ", " + b: 1, a + "\n" + b + "\n" + c + "\n": 2, "," + a + ",,\t" + b + ",": 1,
	} {
		keys, err := (&Settings{SecretKey: core.Secret(value)}).keys()
		if err != nil || len(keys.FormerKeyIDs()) != former {
			t.Errorf("%q: %v", value, err)
			continue
		}
		if alone, err := (&Settings{SecretKey: core.Secret(a)}).keys(); err != nil || alone.KeyID() != keys.KeyID() {
			t.Errorf("%q: another key is first", value)
		}
	}
	for value, want := range map[string]string{
		"": "set SECRET_KEY", " , ": "set SECRET_KEY", hushed: "32 bytes", a + "," + hushed: "key 2 of 2 is not", a[:40] + " " + b: "key 1 of 2 is not",
		a + " " + b + " " + a: "same key twice", strings.Repeat(a+",", core.MaxKeys+1): "at most",
	} {
		_, err := (&Settings{SecretKey: core.Secret(value)}).keys()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", value, err, want)
			continue
		}
		for _, secret := range []string{a, b, hushed, a[:40]} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds a key: %v", err)
			}
		}
	}
}

func TestSecretKeyFileHoldsSeveralKeys(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "laurel.db")
	t.Setenv("SECRET_KEY_FILE", writeFile(t, "secret", secretKey('n')+"\n"+secretKey('o')+"\n"))
	for _, args := range [][]string{{"migrate"}, {"keys", "status"}} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), append(args, "--database-url", database), &out, &errs); status != 0 {
			t.Fatalf("%v: exit status %d\n%s", args, status, errs.String())
		}
		keys, err := (&Settings{SecretKey: core.Secret(secretKey('o'))}).keys()
		if err != nil {
			t.Fatal(err)
		}
		if args[0] == "keys" && !strings.Contains(out.String(), "former keys "+keys.KeyID()+": 0 sealed values") {
			t.Errorf("keys: %s", out.String())
		}
	}
}

func TestAdviceAboutKeys(t *testing.T) {
	t.Parallel()
	one, two := secretKey('a'), secretKey('a')+","+secretKey('b')
	for name, tt := range map[string]struct {
		keys string
		use  sqlstore.KeyUse
		ok   bool
		want string
	}{
		"one key":       {one, sqlstore.KeyUse{First: 7}, true, "one key, which opens all 7"},
		"needed":        {two, sqlstore.KeyUse{First: 7, Former: 3}, true, "(1) are still needed: 3 of 10 sealed values"},
		"not needed":    {two, sqlstore.KeyUse{First: 7}, true, "(1) are no longer needed by any of the 7"},
		"lost":          {one, sqlstore.KeyUse{First: 7, Unknown: 2}, false, "2 stored values were sealed with a key that is not in SECRET_KEY"},
		"lost as well":  {two, sqlstore.KeyUse{Former: 7, Unknown: 2}, false, "2 stored values"},
		"nothing there": {two, sqlstore.KeyUse{}, true, "no longer needed"},
	} {
		keys, err := (&Settings{SecretKey: core.Secret(tt.keys)}).keys()
		if err != nil {
			t.Fatal(err)
		}
		if f := adviseKeys(keys, tt.use); f.OK != tt.ok || !strings.Contains(f.Detail, tt.want) || f.OK == (f.Mend != "") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// serveAgain starts the bot anew at the same address.
func (s *stage) serveAgain(secret string) (stop func()) {
	s.t.Helper()
	s.settings.SecretKey = core.Secret(secret)
	var listen net.ListenConfig
	l, err := listen.Listen(s.t.Context(), "tcp", strings.TrimPrefix(s.settings.PublicURL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.serveOn(l, slog.New(slog.DiscardHandler))
}

// The whole of a rotation, as docs/security.md tells it: what people hold in
// their hands goes on working, and in the end the former key is not needed.
func TestKeysRotateOverARunningBot(t *testing.T) {
	t.Parallel()
	forEachDatabase(t, func(t *testing.T, databaseURL string) {
		former, first := secretKey('o'), secretKey('n')
		s := newWorldStage(t, databaseURL, "http://"+freeAddress(t))
		stop := s.serveAgain(former)
		s.enter()
		who := s.linkSlack(ada())
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		ready := list.ExpectEdit("Ready")
		link := slackLink(t, s, ada().slackID)
		who.Command("/badges", "link second@example.org")
		card := who.ExpectEphemeral("second@example.org")
		code := s.codeFor("second@example.org", 1)
		stop()

		stop = s.serveAgain(first + "," + former)
		if f := s.keyFinding(); !f.OK || !strings.Contains(f.Detail, "still needed") {
			t.Errorf("before: %+v", f)
		}
		both := first + " " + former
		status, out, errs := command(t, databaseURL, both, "keys", "rotate")
		if status != 0 || !strings.Contains(out, "values sealed anew") || strings.HasPrefix(out, "0 ") || !strings.Contains(out, "no longer needed") {
			t.Fatalf("exit status %d\n%s%s", status, out, errs)
		}
		if status, out, _ := command(t, databaseURL, both, "keys", "rotate"); status != 0 || !strings.HasPrefix(out, "0 values") {
			t.Errorf("a second time: exit status %d\n%s", status, out)
		}
		old, err := (&Settings{SecretKey: core.Secret(former)}).keys()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(allRows(t, openDatabase(t, databaseURL)), " "+old.KeyID()+".") {
			t.Error("a column that is not known to the rotation is sealed with the former key")
		}
		if strings.Contains(out+errs, former) || strings.Contains(out+errs, first) {
			t.Error("a key was printed")
		}
		if f := s.keyFinding(); !f.OK || !strings.Contains(f.Detail, "no longer needed") {
			t.Errorf("after: %+v", f)
		}
		// What was made with the former key works.
		card.Press("Enter code")
		who.Modal("Enter the code").Fill("code", code).Submit()
		card.ExpectEdit("Linked")
		if status, where := s.follow(link); status != http.StatusSeeOther || !strings.HasPrefix(where, s.credly.URL()) {
			t.Errorf("the link led to %d %s", status, where)
		}
		followed := ready.ExpectEdit("Now accept it")
		stop()

		// The former key is gone, what it had sealed is not.
		stop = s.serveAgain(first)
		defer stop()
		if f := s.keyFinding(); !f.OK || !strings.Contains(f.Detail, "one key, which opens all") {
			t.Errorf("without the former key: %+v", f)
		}
		if err := s.credly.Accept(s.badge(ada().email, templateManager)); err != nil {
			t.Fatal(err)
		}
		followed.ExpectEdit("It’s yours")
		status, out, _ = command(t, databaseURL, first, "keys")
		if status != 0 || !regexp.MustCompile(`first key [\w-]{4}: [1-9]\d* sealed values\nformer keys \(none\): 0 sealed values\nunknown keys: 0 `).MatchString(out) {
			t.Errorf("exit status %d\n%s", status, out)
		}
		if status, _ := s.get(link); status == http.StatusOK {
			t.Error("a link of the former key still works")
		}
	})
}

// keyFinding is what the doctor says about keys.
func (s *stage) keyFinding() finding {
	s.t.Helper()
	found, opened := checkStore(s.t.Context(), s.settings, slog.New(slog.DiscardHandler))
	if !opened {
		s.t.Fatal("the database was not opened")
	}
	for _, f := range found {
		if f.Name == "Secret keys" {
			return f
		}
	}
	s.t.Fatalf("the doctor says nothing about keys: %+v", found)
	return finding{}
}

// A key that was taken away too early is missed by name, and its values can
// be given up.
func TestKeysAreMissed(t *testing.T) {
	t.Parallel()
	databaseURL := testpg.New(t)
	s, stop := patient(t, databaseURL)
	s.linkSlack(ada())
	s.rest()
	stop()
	s.settings.SecretKey = core.Secret(secretKey('n'))
	if f := s.keyFinding(); f.OK || !strings.Contains(f.Mend, "keys rotate --discard") {
		t.Errorf("a lost key: %+v", f)
	}
	key := s.settings.SecretKey.Reveal()
	status, out, _ := command(t, databaseURL, key, "keys", "rotate")
	if status != 0 || !strings.HasPrefix(out, "0 values sealed anew") || !strings.Contains(out, "--discard empties them") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	status, out, _ = command(t, databaseURL, key, "keys", "rotate", "--discard")
	if status != 0 || !strings.Contains(out, "were emptied") || !strings.Contains(out, "one key, which opens all 0 sealed values") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	if f := s.keyFinding(); !f.OK {
		t.Errorf("afterwards: %+v", f)
	}
}
