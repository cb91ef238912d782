package main

import (
	"bytes"
	"image/png"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// TestBadgesAreVerified asks about a badge of the simulated Credly by the
// link that people share, as its state changes.
func TestBadgesAreVerified(t *testing.T) {
	t.Parallel()
	s := newStage(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db"))
	email := ada().email
	if len(s.credly.BadgesFor(email)) == 0 {
		t.Fatal("nobody has a badge")
	}
	badge := s.credly.BadgesFor(email)[0].ID
	link := s.credly.URL() + "/badges/" + badge + "/public_url?source=copied"
	verdict := func(q core.BadgeQuery) core.Verdict { return s.app.verifier.Verify(t.Context(), q) }
	want := func(when string, q core.BadgeQuery, want core.VerdictStatus) core.Verdict {
		t.Helper()
		v := verdict(q)
		if v.Status != want {
			t.Errorf("%s: %s (%s), want %s", when, v.Status, v.Reason, want)
		}
		return v
	}
	want("pending", core.BadgeQuery{Link: link}, core.VerdictUnreachable)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	v := want("public", core.BadgeQuery{Link: link, Recipient: email}, core.VerdictGenuine)
	if !v.Issuer.Confirmed || v.Achievement.Name == "" || v.Recipient.Hash == "" {
		t.Errorf("verdict: %+v", v)
	}
	want("another recipient", core.BadgeQuery{Link: link, Recipient: "other@example.org"}, core.VerdictOtherRecipient)
	status, body := s.get(s.settings.PublicURL + "/v/" + s.app.gallery.Token(v.Achievement.Image))
	if _, err := png.Decode(bytes.NewReader([]byte(body))); status != http.StatusOK || err != nil {
		t.Errorf("picture: %d, %v", status, err)
	}
	if err := s.credly.SetPublic(badge, false); err != nil {
		t.Fatal(err)
	}
	want("private", core.BadgeQuery{Link: link}, core.VerdictUnreachable)
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	if err := s.credly.Revoke(badge, "made up"); err != nil {
		t.Fatal(err)
	}
	want("revoked", core.BadgeQuery{Link: link}, core.VerdictRevoked)
	for _, private := range []string{s.settings.PublicURL + "/healthz", s.slack.APIURL(), strings.Replace(s.credly.URL(), "127.0.0.1", "localhost", 1) + "/badges/" + badge} {
		begin := time.Now()
		if v := want("private address", core.BadgeQuery{Link: private}, core.VerdictUnreachable); !strings.Contains(v.Reason, "not allowed") || time.Since(begin) > time.Second {
			t.Errorf("%s: %s", private, v.Reason)
		}
	}
}
