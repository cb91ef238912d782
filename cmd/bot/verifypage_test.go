package main

import (
	"bytes"
	"errors"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/refdata"
)

// verifies sends the form of the page as a browser does, with a file where
// there is one, and returns the status of the verdict that is shown.
func (s *stage) verifies(link, recipient, file string) (status, page string) {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	err := errors.Join(form.WriteField("badge", link), form.WriteField("recipient", recipient))
	if file != "" {
		part, partErr := form.CreateFormFile("file", "badge.jwt")
		if err = errors.Join(err, partErr); err == nil {
			_, err = io.WriteString(part, file)
		}
	}
	if err = errors.Join(err, form.Close()); err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.settings.PublicURL+"/verify", &body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	said, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("the page answers %d, %v", res.StatusCode, err)
	}
	found := regexp.MustCompile(`data-status="([a-z_]+)"`).FindSubmatch(said)
	if found == nil {
		s.t.Fatalf("no verdict:\n%s", said)
	}
	return string(found[1]), string(said)
}

// TestBadgesAreVerified asks about a badge of the simulated Credly by the
// link that people share, as its state changes; in the page, and past it.
func TestBadgesAreVerified(t *testing.T) {
	t.Parallel()
	s := newStage(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db"))
	email := ada().email
	badge := s.credly.BadgesFor(email)[0].ID
	link := s.credly.URL() + "/badges/" + badge + "/public_url?source=copied"
	verify := func(link, recipient string) core.Verdict {
		return s.app.verifier.Verify(t.Context(), core.BadgeQuery{Link: link, Recipient: recipient})
	}
	want := func(when, recipient, file string, want core.VerdictStatus) string {
		t.Helper()
		status, page := s.verifies(link, recipient, file)
		if status != string(want) {
			t.Errorf("%s: %s, want %s", when, status, want)
		}
		if recipient != "" && strings.Contains(page, recipient) {
			t.Errorf("%s: the page repeats the address", when)
		}
		return page
	}
	want("pending", "", "", core.VerdictUnreachable)
	if err := errors.Join(s.credly.Accept(badge), s.credly.SetPublic(badge, true)); err != nil {
		t.Fatal(err)
	}
	page := want("public", email, "", core.VerdictGenuine)
	for _, part := range []string{"Example Certification Body", "confirmed", "data:image/png;base64,", "is the one that it was issued to"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	want("another recipient", "other@example.org", "", core.VerdictOtherRecipient)
	v := verify(link, email)
	if !v.Genuine() || !v.Issuer.Confirmed {
		t.Errorf("verdict: %+v", v)
	}
	status, body := s.get(s.settings.PublicURL + "/v/" + s.app.gallery.Token(v.Achievement.Image))
	if _, err := png.Decode(strings.NewReader(body)); status != http.StatusOK || err != nil {
		t.Errorf("picture: %d, %v", status, err)
	}
	if err := s.credly.SetPublic(badge, false); err != nil {
		t.Fatal(err)
	}
	want("private", "", "", core.VerdictUnreachable)
	if err := errors.Join(s.credly.SetPublic(badge, true), s.credly.Revoke(badge, "made up")); err != nil {
		t.Fatal(err)
	}
	want("revoked", "", "", core.VerdictRevoked)
	token := regexp.MustCompile(`ey[\w-]+\.[\w-]+\.[\w-]+`).FindString(string(refdata.Read(t, "openbadges", "samples", "simple-jwt.png")))
	middle := strings.IndexByte(token, '.') + 40
	changed := "A"
	if token[middle] == 'A' {
		changed = "B"
	}
	want("altered", "", token[:middle]+changed+token[middle+1:], core.VerdictAltered)
	for _, private := range []string{s.settings.PublicURL + "/healthz", s.slack.APIURL(), strings.Replace(s.credly.URL(), "127.0.0.1", "localhost", 1) + "/badges/" + badge} {
		if v := verify(private, ""); v.Status != core.VerdictUnreachable || !strings.Contains(v.Reason, "not allowed") {
			t.Errorf("%s: %s, %s", private, v.Status, v.Reason)
		}
	}
}
