package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// personIsForgotten: in one of two chats somebody asks to be forgotten, and
// nothing of them is left in either; then they begin anew.
func personIsForgotten(t *testing.T, s *stage, who *newcomer) {
	ready := who.claims()
	link := ready.link()
	there := who.at(who.other(), false)
	who.proves(there)
	who.isTold("Another account is connected to you")
	s.rest()
	ask := who.types("forget", "", "Shall I forget you?", "2 chat accounts", who.email, "2 badges")
	ask.press("Delete everything")
	done := ask.says("Everything about you is deleted", "link your address again at any time")
	s.nothingOf(t, who.email, who.slackID, who.discordID)
	if status, _ := s.post(link); status != http.StatusNotFound && status != http.StatusGone {
		t.Errorf("the link of a person who was forgotten leads to %d", status)
	}
	there.types("list", "", "Let’s get your badges")
	done.opens("Link my address", "Link your address").send("address", who.email)
	card := done.says("Check your mail")
	card.opens("Enter code", "Enter the code").send("code", s.codeFor(who.email, 3))
	card.says("Linked", "2 badges are waiting")
	s.rest()
}

// nothingOf fails for each line of the database that holds one of the traces.
func (s *stage) nothingOf(t *testing.T, traces ...string) {
	t.Helper()
	for line := range strings.Lines(allRows(t, openDatabase(t, s.settings.DatabaseURL))) {
		for _, trace := range traces {
			if strings.Contains(strings.ToLower(line), strings.ToLower(trace)) {
				t.Errorf("%s is still stored: %s", trace, line)
			}
		}
	}
}

// A workspace removes the bot by mistake and takes it back: nothing is lost.
// It removes it for good: its people are gone within the day, but for what is
// linked in another chat. Then it begins anew.
func TestUninstalled(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		s.linkSlack(bruno())
		s.linkDiscord(bruno())
		who.Command("/badges", "claim Associate")
		who.ExpectEphemeral("Ready")
		s.rest()
		db := openDatabase(t, s.settings.DatabaseURL)
		remove := func() {
			t.Helper()
			if res, err := s.slack.RevokeTokens(t.Context()); err != nil || !res.OK() {
				t.Fatalf("revoke: %+v, %v", res, err)
			}
			if res, err := s.slack.Uninstall(t.Context()); err != nil || !res.OK() {
				t.Fatalf("uninstall: %+v, %v", res, err)
			}
			s.waitFor("the removal to be noted", func() bool {
				return countRows(t, db, `SELECT count(*) FROM installations WHERE dead <> '' AND removed_at > 0`) == 1
			})
		}

		remove()
		sent := len(s.slack.Messages(s.slack.DM(ada().slackID), ada().slackID))
		if err := s.credly.Accept(s.badge(ada().email, templateAssociate)); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the news to wait", func() bool {
			return countRows(t, db, `SELECT count(*) FROM outbox WHERE state = 'ready'`) > 0
		})
		s.pass(11 * time.Hour)
		if n := len(s.slack.Messages(s.slack.DM(ada().slackID), ada().slackID)); n != sent {
			t.Errorf("%d messages were sent to a workspace that removed the bot", n-sent)
		}
		s.slack.Reinstall()
		s.pass(time.Second)
		who.ExpectDM("It’s yours")
		s.pass(24 * time.Hour)
		who.Command("/badges", "")
		who.ExpectEphemeral("Your badges", "Certified Project Management Associate")
		s.rest()

		remove()
		s.pass(12*time.Hour + time.Second)
		s.waitFor("the removal to be over", func() bool {
			return countRows(t, db, `SELECT count(*) FROM installations WHERE removed_at > 0`) == 0
		})
		s.nothingOf(t, ada().email, ada().slackID, bruno().slackID)
		there := s.discordChat.As(bruno().discordID)
		there.Command("badges", "list", nil).ExpectEphemeral(bruno().email)

		s.slack.Reinstall()
		who = slacktest.New(t, s.slack).Within(20 * time.Second).As(ada().slackID)
		who.Command("/badges", "")
		who.ExpectEphemeral("Let’s get your badges")
	})
}
