package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/mailsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// Half an hour after a press Slack lets nobody edit the ephemeral message:
// the good news comes as a direct message, and is edited from then on.
func TestNewsFollowsByDirectMessage(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		channel := who.In(generalChannel)
		channel.Command("/badges", "")
		list := channel.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		ready := list.ExpectEdit("Ready")
		if status, _ := s.follow(newestLink(t, s, generalChannel, ada().slackID)); status != http.StatusSeeOther {
			t.Fatalf("follow: %d", status)
		}
		ready.ExpectEdit("Now accept it")
		s.pass(31 * time.Minute)
		badge := s.badge(ada().email, templateManager)
		if err := s.credly.Accept(badge); err != nil {
			t.Fatal(err)
		}
		good := who.ExpectDM("It’s yours")
		if err := s.credly.SetPublic(badge, true); err != nil {
			t.Fatal(err)
		}
		good.ExpectEdit("Public for all to see")
	})
}

// A person whose direct messages are closed is told at the next contact.
func TestClosedDirectMessagesWaitForTheNextContact(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkDiscord(bruno())
		who.Command("badges", "claim", map[string]any{"badge": s.storedBadge(bruno(), "Associate")})
		who.Expect("Bereit")
		s.discord.SetDMsClosed(bruno().discordID, true)
		s.pass(20 * time.Minute)
		if err := s.credly.Accept(s.badge(bruno().email, templateAssociate)); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the delivery to wait", func() bool {
			stats, err := s.app.db.Stats(t.Context())
			return err == nil && stats.Deliveries["waiting"] > 0
		})
		who.Command("badges", "list", nil).ExpectEphemeral("Deine Badges")
		who.Expect("Er ist deiner")
	})
}

// What Slack answers badly is repeated until it arrives, once.
func TestSlackFaultsAreRiddenOut(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		one := 1
		s.slack.Fail(slacksim.Fault{Method: slacksim.FaultResponseURL, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: &one})
		s.slack.Fail(slacksim.Fault{Method: slacksim.FaultResponseURL, Times: 1, Status: http.StatusInternalServerError})
		list.Press("Claim")
		list.ExpectEdit("Ready")
	})
}

// A direct message whose answer was lost is found again, not sent twice.
func TestLostAnswerIsFoundAgain(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		lost := s.slack.Fail(slacksim.Fault{Method: "chat.postMessage", Times: 1, DropAnswer: true})
		who.In(generalChannel).Command("/badges", "claim Associate")
		who.In(generalChannel).ExpectEphemeral("Ready")
		s.pass(2*time.Minute + time.Second)
		who.ExpectDM("Time is up")
		s.waitFor("the delivery to be settled", func() bool {
			stats, err := s.app.db.Stats(t.Context())
			return err == nil && stats.Deliveries["ready"]+stats.Deliveries["sending"] == 0
		})
		if lost.Served() != 1 {
			t.Fatal("no answer was lost")
		}
		n := 0
		for _, m := range s.slack.Messages(s.slack.DM(ada().slackID), ada().slackID) {
			if !m.Ephemeral {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d direct messages, want 1", n)
		}
	})
}

// The same on Discord: the enforced nonce hides the repetition.
func TestLostAnswerIsHiddenByNonce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkDiscord(bruno())
		who.Command("badges", "claim", map[string]any{"badge": s.storedBadge(bruno(), "Associate")})
		who.Expect("Bereit")
		lost := s.discord.Fail(discordsim.Fault{Method: http.MethodPost, PathPattern: "/channels/*/messages", Times: 1, DropAnswer: true})
		s.pass(20 * time.Minute)
		who.ExpectDM("Die Zeit ist um")
		s.waitFor("the delivery to be settled", func() bool {
			stats, err := s.app.db.Stats(t.Context())
			return err == nil && stats.Deliveries["ready"]+stats.Deliveries["sending"] == 0
		})
		if lost.Served() != 1 {
			t.Fatal("no answer was lost")
		}
		n := 0
		for _, m := range s.discord.Messages(s.discord.DM(bruno().discordID), bruno().discordID) {
			if m.Flags&64 == 0 {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d direct messages, want 1", n)
		}
	})
}

// Issuing whose answer was lost, and a Credly that is away for a moment, give
// one badge and a link.
func TestIssuingSurvivesCredly(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(carla())
		s.credly.Fail(credlysim.Fault{Method: http.MethodPost, Path: "/badges", Times: 1, DropAnswer: true})
		s.credly.Fail(credlysim.Fault{Method: http.MethodPost, Path: "/badges", Times: 1, Status: http.StatusBadGateway})
		who.Command("/badges", "claim Certified Project Manager")
		s.waitFor("the badge to be issued", func() bool {
			s.pass(5 * time.Second)
			return len(s.credly.BadgesFor(carla().email)) == 2
		})
		who.ExpectDM("Lista")
		if n := len(s.credly.BadgesFor(carla().email)); n != 2 {
			t.Errorf("Credly has %d badges, want 2", n)
		}
	})
}

// A mail server that is away for a moment only delays the code.
func TestMailIsRepeated(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.mail.Fail(mailsim.Fault{Command: mailsim.RCPT, Times: 2, Code: 451, Enhanced: [3]int{4, 3, 0}})
		who := s.slackChat.As(ada().slackID)
		who.Command("/badges", "link "+ada().email)
		who.ExpectEphemeral("Check your mail")
		s.waitFor("the mail", func() bool {
			s.pass(10 * time.Second)
			return len(s.mail.Messages(ada().email)) == 1
		})
	})
}

// Addresses outside ASCII are mailed, shown as typed, and compared by their
// normal form.
func TestInternationalAddress(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		const typed, same = "Jörg@Bücher.example", "jörg@xn--bcher-kva.example"
		grant := portalsim.Award{
			ID: "award-international", Email: same, FirstName: "Jörg", LastName: "Bücher",
			TemplateID: templateAgile, IssuedAt: s.clock.Now(),
		}
		if _, err := s.portal.Grant(t.Context(), grant); err != nil {
			t.Fatal(err)
		}
		who := s.slackChat.As(ada().slackID)
		who.Command("/badges", "link "+typed)
		card := who.ExpectEphemeral("Check your mail", typed)
		card.Press("Enter code")
		who.Modal("Enter the code").Fill("code", s.codeFor("", 1)).Submit()
		card = card.ExpectEdit("Linked", typed, "1 badge is waiting")
		s.rest()
		card.Press("My badges")
		card.ExpectEdit("Certified Agile Leader", typed)
	})
}

// Rules 5 and 7: whatever a person does in a team channel, nobody else in it
// sees anything of it.
func TestNobodyElseSeesAnything(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada()).In(generalChannel)
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		ready := list.ExpectEdit("Ready")
		if status, _ := s.follow(newestLink(t, s, generalChannel, ada().slackID)); status != http.StatusSeeOther {
			t.Fatalf("follow: %d", status)
		}
		followed := ready.ExpectEdit("Now accept it")
		if err := s.credly.Accept(s.badge(ada().email, templateManager)); err != nil {
			t.Fatal(err)
		}
		followed.ExpectEdit("It’s yours")
		for _, m := range s.slack.Messages(generalChannel, bruno().slackID) {
			t.Errorf("somebody else sees: %s", m.Plain())
		}
		there := s.discordChat.As(bruno().discordID).In(discordChannel)
		there.Command("badges", "list", nil).ExpectEphemeral("Holen wir deine Badges")
		for _, m := range s.discord.Messages(discordChannel, carla().discordID) {
			t.Errorf("somebody else sees: %s", m.Text())
		}
	})
}

// A badge that is taken back long after it was accepted is news of its own:
// an edit of the old message would be seen by nobody.
func TestRevokedBadgeIsNews(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		who.Command("/badges", "claim Associate")
		who.ExpectEphemeral("Ready")
		badge := s.badge(ada().email, templateAssociate)
		if err := s.credly.Accept(badge); err != nil {
			t.Fatal(err)
		}
		who.ExpectDM("It’s yours")
		s.pass(30 * 24 * time.Hour)
		if err := s.credly.Revoke(badge, "An error of ours"); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the news of its own", func() bool {
			n := 0
			for _, m := range s.slack.Messages(s.slack.DM(ada().slackID), ada().slackID) {
				if !m.Ephemeral && strings.Contains(m.Plain(), "Taken back") {
					n++
				}
			}
			return n == 2
		})
	})
}

// The body changes the address of an award that waits at Credly: the badge
// moves there, and the message that offered it says that it was replaced.
func TestAwardMovesToAnotherAddress(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		award := portalsim.Award{
			ID: "award-moving", Email: ada().email, FirstName: ada().first, LastName: ada().last,
			TemplateID: "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d005", IssuedAt: s.clock.Now(),
		}
		s.credly.AddTemplate(credlysim.Template{ID: award.TemplateID, Name: "Certified Gardener"})
		if _, err := s.portal.Grant(t.Context(), award); err != nil {
			t.Fatal(err)
		}
		who := s.slackChat.As(ada().slackID)
		who.Command("/badges", "link "+ada().email)
		card := who.ExpectEphemeral("Check your mail")
		card.Press("Enter code")
		who.Modal("Enter the code").Fill("code", s.codeFor(ada().email, 1)).Submit()
		card = card.ExpectEdit("3 badges are waiting")
		s.rest()
		card.Press("My badges")
		list := card.ExpectEdit("Your badges", "3 badges are waiting")
		list.Press("Claim")
		ready := list.ExpectEdit("Ready: ")
		link := slackLink(t, s, ada().slackID)
		moving := strings.Contains(ready.Plain(), "Certified Gardener")
		if !moving {
			t.Fatalf("another badge was claimed: %s", ready.Plain())
		}
		s.pass(time.Second)
		award.Email = "ada.new@example.org"
		if _, err := s.portal.Change(t.Context(), award); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the badge to move", func() bool { return len(s.credly.BadgesFor("ada.new@example.org")) == 1 })
		if status, _ := s.post(link); status != http.StatusNotFound && status != http.StatusGone {
			t.Errorf("the old link led to %d", status)
		}
		ready.ExpectEdit("Replaced")
	})
}
