package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/portalsim"
)

// word is what the catalogue says to a person.
func word(p seeded, id string) string {
	catalog, err := chat.NewCatalog()
	if err != nil {
		panic(err)
	}
	return catalog.For(p.locale).Plain(id, nil)
}

// The whole way of a newcomer in Slack: greeting, a wrong address, a wrong
// code, the right one, the list, a claim, Credly, the good news.
func journeyInSlack(t *testing.T, s *stage) {
	who := s.slackChat.As(ada().slackID)
	who.Command("/badges", "")
	greeting := who.ExpectEphemeral("Let’s get your badges")

	greeting.Press("Link my address")
	form := who.Modal("Link your address")
	form.Fill("address", "ada at example").SubmitExpectingError("one complete address")
	form.Fill("address", " Ada@Example.org ").Submit()
	card := greeting.ExpectEdit("Check your mail", "Ada@Example.org")
	code := s.codeFor("Ada@Example.org", 1)

	card.Press("Enter code")
	enter := who.Modal("Enter the code")
	enter.Fill("code", "00000000").SubmitExpectingError("4 tries left")
	enter.Fill("code", code[:4]+" "+code[4:]).Submit()
	card = card.ExpectEdit("Linked", "2 badges are waiting")
	s.rest()

	card.Press("My badges")
	list := card.ExpectEdit("Your badges", "2 badges are waiting for you", "Certified Project Management Associate")

	list.Press("Claim")
	ready := list.ExpectEdit("Ready", "ada@example.org")
	link := ready.ExpectLink("Continue to")
	status, where := s.follow(link)
	if status != http.StatusSeeOther || !strings.HasPrefix(where, s.credly.URL()) {
		t.Fatalf("the handoff led to %d %s", status, where)
	}
	followed := ready.ExpectEdit("Now accept it")
	if status, _ := s.post(link); status != http.StatusGone {
		t.Errorf("the link worked twice: %d", status)
	}

	badge := s.badge(ada().email, templateManager)
	if err := s.credly.Accept(badge); err != nil {
		t.Fatal(err)
	}
	good := followed.ExpectEdit("It’s yours", "A few steps are left", "Make it public")
	if err := s.credly.SetPublic(badge, true); err != nil {
		t.Fatal(err)
	}
	good.ExpectEdit("Public for all to see")
	s.waitFor("the portal to hear of it", func() bool {
		return heard(s, "badge.claimed") && heard(s, "badge.accepted") && heard(s, "badge.public")
	})
	s.slackChat.ExpectNothingMore()
}

func heard(s *stage, event string) bool {
	for _, e := range s.portal.Received() {
		if e.Type == event {
			return true
		}
	}
	return false
}

// slackLink is the link on the newest message that the person sees.
func slackLink(t *testing.T, s *stage, user string) string {
	t.Helper()
	return newestLink(t, s, s.slack.DM(user), user)
}

// newestLink is the same in any channel.
func newestLink(t *testing.T, s *stage, channel, user string) string {
	t.Helper()
	messages := s.slack.Messages(channel, user)
	for i := len(messages) - 1; i >= 0; i-- {
		for _, e := range messages[i].Elements() {
			if strings.Contains(e.URL, "/h/") {
				return e.URL
			}
		}
	}
	t.Fatal("no link on any message")
	return ""
}

func TestJourneyInDiscord(t *testing.T) {
	t.Parallel()
	forEachStore(t, journeyInDiscord)
}

func journeyInDiscord(t *testing.T, s *stage) {
	who := s.discordChat.As(bruno().discordID)
	greeting := who.Command("badges", "list", nil).ExpectEphemeral("Holen wir deine Badges")
	form := greeting.Press("Adresse verknüpfen").Modal("Adresse verknüpfen")
	form.Fill("address", bruno().email).Submit()
	card := greeting.ExpectEdit("Sieh in dein Postfach", bruno().email)
	code := s.codeFor(bruno().email, 1)

	card.Press("Code eingeben").Modal("Code eingeben").Fill("code", "00000000").Submit().ExpectEphemeral("noch 4 Versuche")
	card.Press("Code eingeben").Modal("Code eingeben").Fill("code", code).Submit()
	card = card.ExpectEdit("Verknüpft", "2 Badges warten")
	s.rest()
	card.Press("Meine Badges")
	list := card.ExpectEdit("Deine Badges", "2 Badges warten auf dich")

	if found := who.Complete("badges", "claim", "badge", "associate"); len(found) != 1 {
		t.Errorf("completions: %v", found)
	}
	list.Press("Abholen")
	ready := list.ExpectEdit("Bereit")
	link := ready.ExpectLink("Weiter zu")
	if status, where := s.follow(link); status != http.StatusSeeOther {
		t.Fatalf("the handoff led to %d %s", status, where)
	}
	followed := ready.ExpectEdit("Jetzt annehmen")
	if err := s.credly.Accept(s.badge(bruno().email, templateManager)); err != nil {
		t.Fatal(err)
	}
	followed.ExpectEdit("Er ist deiner")
	s.discordChat.ExpectNothingMore()
}

// One person in both chats: proving the address on the second joins them,
// the first is told, and a badge claimed in one shows in the other.
func TestBothChatsBecomeOnePerson(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		slack := s.linkSlack(ada())
		discord := s.discordChat.As(ada().discordID)
		discord.Command("badges", "link", map[string]any{"address": ada().email})
		card := discord.Expect("Check your mail")
		mail := s.mailTo(ada().email, 2)
		link := ""
		for _, l := range linksOf(mail) {
			if strings.HasPrefix(l, s.settings.PublicURL+"/e/") {
				link = l
			}
		}
		if status, body := s.get(link); status != http.StatusOK || !strings.Contains(body, "Discord") {
			t.Fatalf("the page of the mailed link: %d\n%s", status, body)
		}
		if status, _ := s.post(link); status >= 400 {
			t.Fatalf("confirming led to %d", status)
		}
		card.ExpectEdit("Linked")
		slack.ExpectDM("Another account is connected to you", "Discord")

		slack.Command("/badges", "")
		list := slack.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		here := list.ExpectEdit("Ready").ExpectLink("Continue to")
		there := discord.Command("badges", "list", nil).ExpectEphemeral("Show link")
		there.Press("Show link")
		if same := there.ExpectEdit("Ready").ExpectLink("Continue to"); same != here {
			t.Errorf("the two chats show different links: %s, %s", here, same)
		}
	})
}

// Rejected, revoked and withdrawn badges are told plainly.
func TestEndsAreTold(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		who.Command("/badges", "")
		list := who.ExpectEphemeral("2 badges are waiting")
		list.Press("Claim")
		ready := list.ExpectEdit("Ready")
		if err := s.credly.Reject(s.badge(ada().email, templateManager)); err != nil {
			t.Fatal(err)
		}
		ready.ExpectEdit("Declined")
		s.waitFor("the portal to hear of it", func() bool { return heard(s, "badge.rejected") })
	})
}

// The body takes an award back before it was claimed, and forgets a person.
func TestPortalWithdrawsAndErases(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		who := s.linkSlack(ada())
		grant := portalsim.Award{
			ID: "award-x", Email: ada().email, FirstName: "Ada", LastName: "Example", TemplateID: "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d009", IssuedAt: s.clock.Now(),
		}
		if _, err := s.portal.Grant(t.Context(), grant); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the award to arrive", func() bool {
			who.Command("/badges", "")
			return lastSays(s, ada().slackID, "3 badges are waiting")
		})
		s.pass(time.Second)
		if _, err := s.portal.Withdraw(t.Context(), "award-x"); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the award to go", func() bool {
			who.Command("/badges", "")
			return lastSays(s, ada().slackID, "2 badges are waiting", "Withdrawn by the issuer")
		})
		if _, err := s.portal.ErasePerson(t.Context(), ada().email); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the person to be forgotten", func() bool {
			who.Command("/badges", "")
			return lastSays(s, ada().slackID, "Let’s get your badges")
		})
	})
}

func lastSays(s *stage, user string, texts ...string) bool {
	messages := s.slack.Messages(s.slack.DM(user), user)
	if len(messages) == 0 {
		return false
	}
	for _, text := range texts {
		if !strings.Contains(messages[len(messages)-1].Plain(), text) {
			return false
		}
	}
	return true
}

// The built binary, with nothing but its environment, goes the whole way on
// both platforms and both databases, with its clock moved.
func TestBinaryGoesTheWholeWay(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return "sqlite:" + filepath.Join(t.TempDir(), "laurel.db") },
		"postgres": func(t *testing.T) string { t.Helper(); return testpg.New(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newBinaryStage(t, database(t))
			journeyInSlack(t, s)
			journeyInDiscord(t, s)
			who := s.slackChat.As(ada().slackID)
			who.Command("/badges", "")
			list := who.ExpectEphemeral("1 badge is waiting")
			list.Press("Claim")
			ready := list.ExpectEdit("Ready")
			s.pass(2*time.Minute + time.Second)
			ready.ExpectEdit("Time is up")
		})
	}
}
