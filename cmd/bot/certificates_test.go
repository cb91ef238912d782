package main

import (
	"archive/zip"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/credlysim"
)

// A person keeps track of what they earned, here and elsewhere, takes it along,
// and ends every link to it.
func TestCertificatesAreKept(t *testing.T) {
	t.Parallel()
	t.Run("slack and sqlite", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, "sqlite:"+filepath.Join(t.TempDir(), "laurel.db"))
		areKept(t, s, s.newcomer(t, "slack"))
	})
	t.Run("discord and postgres", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, testpg.New(t))
		areKept(t, s, s.newcomer(t, "discord"))
	})
}

func areKept(t *testing.T, s *stage, who *newcomer) {
	ready := who.claims()
	if status, _ := s.follow(ready.link()); status != http.StatusSeeOther {
		t.Fatalf("the handoff led to %d", status)
	}
	badge := s.badge(who.email, templateManager)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	ready.says("It’s yours")
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	ready.says("Public for all to see")
	if _, err := s.credly.AddForeignBadge(who.email, credlysim.ForeignBadge{
		Name: "Cloud, 資格", Issuer: "Example Academy", IssuedAt: s.clock.Now().AddDate(-1, 0, 0), ExpiresAt: s.clock.Now().AddDate(0, 0, 30),
	}); err != nil {
		t.Fatal(err)
	}
	s.rest()

	card := who.types("certificates", "", "Your certificates", "Certified Project Manager", "Nothing to do for now", "are not listed")
	card.press("List badges from elsewhere")
	card = card.says("Cloud, 資格", "by Example Academy", "Expires in 30 days", "public profile")
	link := linkTo(t, card, "Open, print, download")
	if !strings.HasPrefix(link, s.settings.PublicURL+"/c/") {
		t.Fatalf("leads to %s", link)
	}
	status, page := s.get(link)
	if status != http.StatusOK || !strings.Contains(page, "Certified Project Manager") || !strings.Contains(page, "Cloud, 資格") || strings.Contains(page, who.email) {
		t.Fatalf("page: %d\n%s", status, page)
	}
	for kind, parts := range map[string][]string{
		"csv":  {"Example Certification Body", `"Cloud, 資格",Example Academy`},
		"json": {`"format": "laurel.certificates"`, `"elsewhere": true`},
		"ics":  {"BEGIN:VALARM", "SUMMARY:Certified Project Manager expires"},
		"zip":  {"PK"},
	} {
		status, body := s.get(link + "/certificates." + kind)
		for _, part := range parts {
			if status != http.StatusOK || !strings.Contains(body, part) || strings.Contains(body, who.email) {
				t.Errorf("%s lacks %q: %d\n%s", kind, part, status, body)
			}
		}
		if kind == "zip" {
			z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
			if err != nil || len(z.File) != 3 {
				t.Errorf("archive: %v, %d files", err, len(z.File))
			}
		}
	}
	subscribed := regexp.MustCompile(`http://[^<"]+/certificates\.ics`).FindString(page)
	if status, body := s.get(subscribed); status != http.StatusOK || !strings.Contains(body, "END:VCALENDAR") || strings.Contains(body, "Cloud") {
		t.Errorf("calendar: %d\n%s", status, body)
	}
	// A profile that is private again shows nothing of elsewhere.
	if err := s.credly.SetProfilePublic(who.email, false); err != nil {
		t.Fatal(err)
	}
	s.rest()
	s.pass(6 * time.Minute)
	if _, page := s.get(link); strings.Contains(page, "Cloud") || !strings.Contains(page, "is private") {
		t.Errorf("a hidden profile:\n%s", page)
	}
	card.press("End all links")
	card.says("All links are ended")
	for _, ended := range []string{link, subscribed, link + "/certificates.json"} {
		if status, _ := s.get(ended); status != http.StatusGone {
			t.Errorf("%s: %d", ended, status)
		}
	}
}
