package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// takesEveryStep goes from accepted to public and through everything after it.
func takesEveryStep(t *testing.T, s *stage, who *newcomer) {
	ready := who.claims()
	if status, _ := s.follow(ready.link()); status != http.StatusSeeOther {
		t.Fatalf("the handoff led to %d", status)
	}
	badge := s.badge(who.email, templateManager)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	const public, yours = "Public for all to see", "It’s yours"
	card := ready.says(yours, "Make it public", "Make your profile public", "Accept further badges automatically")
	account, _ := s.credly.Account(who.email)
	if where := linkTo(t, card, "Make it public"); where != s.credly.URL()+"/users/"+account.Slug+"/edit#credly" {
		t.Errorf("made public at %s", where)
	}
	db := openDatabase(t, s.settings.DatabaseURL)
	show := func(public bool) {
		t.Helper()
		s.rest()
		if err := s.credly.SetPublic(badge, public); err != nil {
			t.Fatal(err)
		}
		stage := map[bool]string{true: "public", false: "accepted"}[public]
		s.waitFor("the badge to be "+stage, func() bool {
			return countRows(t, db, `SELECT count(*) FROM badges WHERE provider_id = '`+badge+`' AND stage = '`+stage+`'`) == 1
		})
	}
	show(true)
	// Slack takes five edits of a private message and no more: what becomes
	// public after that is told anew. On a busy machine that may be so already.
	card = who.reads(public)
	show(false)
	if who.platform == "slack" {
		show(true)
		card = who.isTold(public)
	} else {
		card = card.says(yours)
		show(true)
		card = card.says(public)
	}
	s.rest()
	if where := linkTo(t, card, "Open Credly"); where != s.credly.URL()+"/earner/dashboard" {
		t.Errorf("settings at %s", where)
	}
	card.press("Done")
	card = card.says("Your profile is public", "you said so", "Organizations")
	s.rest()
	card.press("Undo")
	card = card.says("Allow my profile to be publicly visible")
	s.rest()
	card.press("Done")
	card = card.says("Your profile is public", "Organizations")
	s.rest()
	card.press("Done")
	card = card.says("All set", "you have gone through every step")
	if where := linkTo(t, card, "E-mail signature"); !strings.HasPrefix(where, s.settings.PublicURL+"/s/") {
		t.Errorf("signature at %s", where)
	}
	s.rest()
	if v := s.app.verifier.Verify(t.Context(), core.BadgeQuery{Link: s.credly.URL() + "/badges/" + badge, Recipient: who.email}); !v.Genuine() {
		t.Errorf("what the body granted and the bot issued is %s: %s", v.Status, v.Reason)
	}

	// A further address is a further step, in the message that was glad.
	second := "also." + who.email
	proof := who.types("link", second, "Check your mail", second)
	proof.opens("Enter code", "Enter the code").send("code", s.codeFor(second, 1))
	proof.says("Linked")
	card.says(public, who.email, second, "Add Email")
	if err := s.credly.AddEmail(who.email, second, true); err != nil {
		t.Fatal(err)
	}
	s.rest()
	// It is read again in its time, and Credly shows that it knows it.
	s.pass(7 * time.Hour)
	s.waitFor("the address to be known", func() bool {
		return countRows(t, db, `SELECT count(*) FROM addresses WHERE at_provider AND normal = '`+second+`'`) == 1
	})
	s.rest()
	who.types("steps", "", "Your next steps", "Nothing is left to do", second+"` is in your profile")
	ours := ` FROM member_tasks k JOIN addresses d ON d.member_id = k.member_id WHERE d.normal = '` + second + `' AND k.said = 'done'`
	if n := countRows(t, db, `SELECT count(*)`+ours); n != 2 {
		t.Errorf("%d things are said", n)
	}
	audited := `SELECT count(*) FROM audit WHERE kind LIKE 'task.%' AND actor IN (SELECT k.member_id` + ours + `)`
	if n := countRows(t, db, audited); n != 4 {
		t.Errorf("%d entries in the audit", n)
	}
}
