package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// linkTo is where a button of a card leads.
func linkTo(t *testing.T, m shown, label string) string {
	t.Helper()
	switch m := m.(type) {
	case slackShown:
		return m.m.ExpectLink(label)
	case discordShown:
		return m.m.ExpectLink(label)
	}
	t.Fatalf("no card: %T", m)
	return ""
}

// isShown goes from accepted to public, shared and signed.
func isShown(t *testing.T, s *stage, who *newcomer) {
	ready := who.claims()
	if status, _ := s.follow(ready.link()); status != http.StatusSeeOther {
		t.Fatalf("the handoff led to %d", status)
	}
	badge := s.badge(who.email, templateManager)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	ready.says("It’s yours")
	s.rest()
	first := who.types("share", "", "First make it public", "It is public now")
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	// Where the first message is edited no more, Slack's is followed by a new
	// one, so it is not waited for.
	db := openDatabase(t, s.settings.DatabaseURL)
	s.waitFor("the badge to be public", func() bool {
		return countRows(t, db, `SELECT count(*) FROM badges WHERE stage = 'public' AND provider_id = '`+badge+`'`) == 1
	})
	s.rest()
	first.press("It is public now")
	card := who.sees("Show it to the world", "data-share-badge-id=\""+badge+"\"")

	shared := `SELECT count(*) FROM badges WHERE shared_at > 0 AND recipient = '` + who.email + `'`
	profile := linkTo(t, card, "Add to LinkedIn profile")
	status, _ := s.request(http.MethodHead, profile)
	if n := countRows(t, db, shared); status != http.StatusFound || n != 0 {
		t.Errorf("a preview: %d, %d shared", status, n)
	}
	status, where := s.get(profile)
	to, err := url.Parse(where)
	if err != nil || status != http.StatusFound || to.Host != "www.linkedin.com" {
		t.Fatalf("led to %d %s, %v", status, where, err)
	}
	if q := to.Query(); q.Get("organizationId") != "1234567" || q.Get("name") == "" || q.Get("issueYear") == "" || !strings.HasPrefix(q.Get("certUrl"), s.credly.URL()) {
		t.Errorf("LinkedIn is told %v", q)
	}
	for _, label := range []string{"Post on LinkedIn", "X", "Facebook", "Bluesky", "Threads", "Mastodon", "E-mail"} {
		status, where := s.get(linkTo(t, card, label))
		if elsewhere := label == "Mastodon" || label == "E-mail"; status != http.StatusFound && !elsewhere || elsewhere && status != http.StatusOK {
			t.Errorf("%s: %d %s", label, status, where)
		}
	}
	counted := `SELECT count(*) FROM counters WHERE name = 'shared.profile' AND value > 0`
	audited := `SELECT count(*) FROM audit WHERE kind = 'badge.shared' AND actor <> ''`
	if countRows(t, db, shared) != 1 || countRows(t, db, counted) != 1 || countRows(t, db, audited) != 1 {
		t.Error("the first click is not noted, or not once")
	}

	status, page := s.get(linkTo(t, card, "E-mail signature"))
	if status != http.StatusOK || !strings.Contains(page, s.credly.URL()+"/badges/"+badge) {
		t.Fatalf("signature: %d\n%s", status, page)
	}
	picture := regexp.MustCompile(`/b/[\w-]+\.png`).FindString(page)
	if status, body := s.get(s.settings.PublicURL + picture); status != http.StatusOK || !strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("picture %s: %d", picture, status)
	}
	if err := s.credly.SetPublic(badge, false); err != nil {
		t.Fatal(err)
	}
	s.waitFor("the badge to be private again", func() bool {
		status, _ := s.get(profile)
		return status == http.StatusGone
	})
}
