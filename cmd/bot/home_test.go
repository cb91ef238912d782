package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// isAtAGlance looks at everything at a glance: in the Home tab of Slack, which
// keeps itself current, and as an answer everywhere.
func isAtAGlance(t *testing.T, s *stage, who *newcomer) {
	if who.platform == "slack" {
		homeTab(t, s, who)
		return
	}
	who.types("home", "", "Let’s get your badges")
	who.proves(who)
	card := who.types("home", "", "at a glance", "to claim", "Next step", "Waiting for you", "Address", who.email)
	card.press("Claim")
	ready := card.says("Ready")
	s.takes(ready.link(), who.email)
	mine := ready.says("It’s yours")
	s.rest()
	card = who.types("home", "", "at a glance", "only you can see", "Make it public")
	if err := s.credly.SetPublic(s.badge(who.email, templateManager), true); err != nil {
		t.Fatal(err)
	}
	mine.says("Public for all to see")
	s.rest()
	card.press("Refresh")
	card.says("at a glance", "[Share]")
	card.press("Addresses")
	who.sees("Your e-mail addresses", who.email)
	broughtAlong(t, s, who)
}

// broughtAlong: who has the app for themselves uses it where it is not, and
// rules nothing there.
func broughtAlong(t *testing.T, s *stage, who *newcomer) {
	s.discord.SetUserInstall(who.discordID, true)
	s.discord.SetManager(foreignGuild, who.discordID, true)
	away := discordTalker{who, discordtest.New(t, s.discord).Within(20 * time.Second).As(who.discordID).In(foreignChannel)}
	card := away.types("home", "", "at a glance", "Next step", who.email)
	card.press("Claim")
	card.says("Ready")
	away.types("status", "", "This is for managers")
	away.types("announce", "", "Please do this in your server")
	other := s.newcomer(t, who.platform)
	if seen := s.discord.Messages(foreignChannel, other.discordID); len(seen) > 0 {
		t.Errorf("others see %+v", seen)
	}
}

// takes follows a handoff and accepts the badge.
func (s *stage) takes(link, email string) {
	s.t.Helper()
	if status, _ := s.follow(link); status != http.StatusSeeOther {
		s.t.Fatalf("the handoff led to %d", status)
	}
	if err := s.credly.Accept(s.badge(email, templateManager)); err != nil {
		s.t.Fatal(err)
	}
}

func homeTab(t *testing.T, s *stage, who *newcomer) {
	db := openDatabase(t, s.settings.DatabaseURL)
	known := `SELECT count(*) FROM accounts WHERE user_id = '` + who.slackID + `'`
	person := slacktest.New(t, s.slack).Within(20 * time.Second).As(who.slackID)
	home := person.OpenHome().Expect("Let’s get your badges")
	if n := countRows(t, db, known); n != 0 {
		t.Errorf("who only looks is stored %d times", n)
	}
	form := home.Press("Link my address").Modal("Link your address")
	form.Fill("address", "ada at example").SubmitExpectingError("one complete address").Fill("address", who.email).Submit()
	home = home.Expect("Check your mail", who.email)
	person.OpenHome().Expect("Check your mail")
	home.Press("Enter code").Modal("Enter the code").Fill("code", s.codeFor(who.email, 1)).Submit()
	home = home.Expect("at a glance", "to claim", "Next step", "Waiting for you", who.email, "Europe/London")

	home.Press("Claim")
	home = home.Expect("Ready", "Overview")
	link := ""
	for _, e := range home.Elements() {
		if strings.Contains(e.URL, "/h/") {
			link = e.URL
		}
	}
	s.takes(link, who.email)
	home = home.Expect("at a glance", "It’s yours", "Only you can see", "to claim")
	home.Press("Make it public")
	home.Expect("First make it public", "Overview").Press("Overview")
	home.Expect("at a glance")
	if err := s.credly.SetPublic(s.badge(who.email, templateManager), true); err != nil {
		t.Fatal(err)
	}
	home = home.Expect("at a glance", "[Share]")
	home.Press("Share")
	home.Expect("Show it to the world", "LinkedIn").Press("I shared it")
	home = home.Expect("at a glance")

	home.Press("Reminders")
	home.Expect("Stop reminders").Press("Stop reminders")
	home = home.Expect("at a glance", "Reminders", "off")
	who.types("reminders", "", "Turn reminders on").press("Turn reminders on")
	home = home.Expect("at a glance", "Reminders", "on, ")
	home.Press("Addresses")
	home.Expect("Your e-mail addresses", "Overview")
	person.OpenHome().Expect("at a glance")
	person.ExpectNothing("Ready")
	s.rest()
	if n := countRows(t, db, `SELECT count(*) FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.message_key = 'home' AND a.user_id = '`+who.slackID+`'`); n != 1 {
		t.Errorf("%d homes are followed", n)
	}

	who.types("forget", "", "Delete everything").press("Delete everything")
	home.Expect("Let’s get your badges")
	if n := countRows(t, db, known); n != 0 {
		t.Errorf("who was forgotten is stored %d times", n)
	}
}
