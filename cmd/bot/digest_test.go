package main

import (
	"bytes"
	"image/png"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// until moves the clock to a time of day on a weekday, after now.
func (s *stage) until(day time.Weekday, hour, minute int, zone string) {
	s.t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.clock.Now().In(z)
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, z)
	for at.Weekday() != day || !at.After(now) {
		at = time.Date(at.Year(), at.Month(), at.Day()+1, hour, minute, 0, 0, z)
	}
	s.later(at.Sub(now))
	s.rest()
}

// earn grants somebody a badge today.
func (s *stage) earn(p seeded) {
	s.t.Helper()
	_, err := s.portal.Grant(s.t.Context(), portalsim.Award{
		Email: p.email, FirstName: p.first, LastName: p.last, Locale: p.locale, TemplateID: templateProgramme, IssuedAt: s.clock.Now(),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.rest()
}

// newDigest makes one in Slack and returns the list of them.
func newDigest(who *slacktest.Person, audience string) *slacktest.Shown {
	who.Command("/badges", "digests")
	list := who.ExpectEphemeral("Digests", "without naming anybody")
	list.Press("New digest")
	who.Modal("New digest").Fill("channel", generalChannel).Fill("audience", audience).Fill("zone", "Europe/London").Submit()
	return list.ExpectEdit("The first digest comes to #general")
}

// shownFile is the id of the file that a message shows in Slack.
var shownFile = regexp.MustCompile(`"slack_file":\{"id":"(F[A-Z0-9]+)"\}`)

// digests counts the messages with this title in Slack, and looks at their
// pictures.
func (s *stage) digests(title string) (found int) {
	s.t.Helper()
	for _, m := range s.slack.Messages(generalChannel, "") {
		if !strings.Contains(m.Plain(), title) || m.Ephemeral {
			continue
		}
		found++
		file := shownFile.FindSubmatch(m.Blocks)
		if file == nil {
			s.t.Errorf("a digest without picture: %s", m.Blocks)
			continue
		}
		data, ok := s.slack.FileData(string(file[1]))
		picture, err := png.Decode(bytes.NewReader(data))
		if !ok || err != nil || picture.Bounds().Dx() < 1000 {
			s.t.Errorf("the picture cannot be read: %t, %v", ok, err)
		}
		if !strings.Contains(string(m.Blocks), `"alt_text":"Bar chart: `) {
			s.t.Errorf("the picture has no words: %s", m.Blocks)
		}
		for _, p := range seededPeople() {
			if text := m.Plain() + string(m.Blocks); strings.Contains(text, p.email) || strings.Contains(text, p.last) {
				s.t.Errorf("rule 5: the digest names %s: %s", p.email, text)
			}
		}
	}
	return found
}

// A manager has digests sent, tries one, and gets one on Monday at nine, with
// its picture.
func TestDigestsInSlack(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.until(time.Wednesday, 12, 0, "Europe/London")
		s.linkSlack(ada())
		s.earn(ada())
		s.slackChat.As(ada().slackID).Command("/badges", "digests").ExpectEphemeral("This is for managers")
		manager := s.manager()
		s.slack.AddChannel("C0ELSEWHERE", "elsewhere", mara)
		manager.Command("/badges", "digests")
		list := manager.ExpectEphemeral("There is no digest yet")
		list.Press("New digest")
		form := manager.Modal("New digest")
		form.Fill("channel", "C0ELSEWHERE").Fill("zone", "Europe/London").SubmitExpectingError("I am not in this channel")
		form.Fill("channel", generalChannel).Fill("zone", "Mars/Olympus").SubmitExpectingError("Continent/City")
		form.Fill("channel", generalChannel).Fill("zone", "Europe/London").Submit()
		list = list.ExpectEdit("The first digest comes to #general", "For the team, every Monday", "9:00 in Europe/London")

		list.Press("Send one now")
		list = list.ExpectEdit("A digest is on its way to #general")
		s.rest()
		team := s.slackChat.As(ada().slackID).In(generalChannel)
		team.ExpectMessage("The week in badges", "Of all badges")
		list.Press("Send one now")
		manager.ExpectEphemeral("There was a digest within the last minute")
		if n := s.digests("The week in badges"); n != 1 {
			t.Errorf("%d digests, want the one that was asked for", n)
		}

		s.until(time.Monday, 8, 59, "Europe/London")
		if n := s.digestMessages(); n != 1 {
			t.Errorf("%d digests before nine, want 1", n)
		}
		s.later(time.Minute)
		s.rest()
		if n := s.digestMessages(); n != 2 {
			t.Errorf("%d digests at nine, want 2", n)
		}
		// After three weeks without anybody to send it, one digest comes.
		s.pass(22 * oneDay)
		s.rest()
		if n := s.digestMessages(); n != 3 {
			t.Errorf("%d digests after three weeks, want 3", n)
		}
		manager.Command("/badges", "digests")
		list = manager.ExpectEphemeral("There is 1 digest")
		list.Press("Remove")
		list.ExpectEdit("This digest will not come any more", "There is no digest yet")
		s.pass(8 * oneDay)
		s.rest()
		if n := s.digestMessages(); n != 3 {
			t.Errorf("%d digests after it was removed, want 3", n)
		}
	})
}

// digestMessages counts the digests for the team in Slack.
func (s *stage) digestMessages() (n int) {
	for _, m := range s.slack.Messages(generalChannel, "") {
		if strings.Contains(m.Plain(), "The week in badges") {
			n++
		}
	}
	return n
}

// Managers see the whole way, and what stands in it.
func TestManagersDigestInSlack(t *testing.T) {
	t.Parallel()
	s := newStage(t, "sqlite:"+t.TempDir()+"/laurel.db")
	s.until(time.Wednesday, 12, 0, "Europe/London")
	who := s.linkSlack(ada())
	manager := s.manager()
	who.Command("/badges", "list")
	own := who.ExpectEphemeral("Your badges")
	own.Press("Claim")
	s.follow(own.ExpectEdit("Ready").ExpectLink("Continue"))
	if err := s.credly.Accept(s.badge(ada().email, templateAssociate)); err != nil {
		t.Fatal(err)
	}
	s.earn(bruno())
	s.later(time.Minute)
	newDigest(manager, "managers")
	s.until(time.Monday, 9, 0, "Europe/London")
	manager.ExpectMessage("The week in badges, for managers", "What became of the", "Granted: ", "Went to accept",
		"Half of those claimed in this time were claimed within", "who have not linked their address", "All badges so far")
	if n := s.digests("for managers"); n != 1 {
		t.Errorf("%d digests, want 1", n)
	}
}

// managersDigests are the digests for managers in Slack.
func (s *stage) managersDigests() (found []slacksim.Message) {
	for _, m := range s.slack.Messages(generalChannel, "") {
		if strings.Contains(m.Plain(), "for managers") && !m.Ephemeral {
			found = append(found, m)
		}
	}
	return found
}

// A replica that ends before it has stored that a digest was shown leaves it
// to another, which finds it.
func TestDigestOutlivesItsReplica(t *testing.T) {
	t.Parallel()
	s := newStage(t, testpg.New(t))
	s.linkSlack(ada())
	s.earn(ada())
	list := newDigest(s.manager(), "managers")
	s.slack.Fail(slacksim.Fault{Method: "chat.postMessage", DropAnswer: true})
	list.Press("Send one now")
	s.waitFor("the digest", func() bool { return len(s.managersDigests()) > 0 })
	s.stop()
	s.waitFor("another replica", s.ready(s.another()))
	s.rest()
	if n := len(s.managersDigests()); n != 1 || s.digests("for managers") != 1 {
		t.Errorf("%d digests, want 1", n)
	}
}

// In Discord the picture travels with the message.
func TestDigestsInDiscord(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.until(time.Wednesday, 12, 0, "Europe/Berlin")
		s.linkDiscord(bruno())
		s.earn(bruno())
		guild := s.discord.AddGuild(discordsim.Guild{Name: "Chapter"})
		general, err := s.discord.AddChannel(discordsim.Channel{GuildID: guild, Name: "general"})
		if err != nil {
			t.Fatal(err)
		}
		closed, err := s.discord.AddChannel(discordsim.Channel{GuildID: guild, Name: "news", ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		s.discord.SetManager(guild, bruno().discordID, true)
		s.discordChat.As(bruno().discordID).Command("badges", "digests", nil).ExpectEphemeral("Bitte mach das auf deinem Server")
		manager := s.discordChat.As(bruno().discordID).In(general)
		list := manager.Command("badges", "digests", nil).ExpectEphemeral("Es gibt noch keinen Überblick")
		form := list.Press("Neuer Überblick").Modal("Neuer Überblick")
		refused := form.Fill("channel", []string{closed}).Fill("audience", "managers").Fill("zone", "Europe/Berlin").Submit().
			ExpectEphemeral("Ich darf in diesem Kanal nicht schreiben")
		// What was entered is there again.
		form = refused.Press(word(bruno(), "button.try_again")).Modal("Neuer Überblick")
		form.Fill("channel", []string{general}).Submit()
		made := manager.ExpectEphemeral("Der erste Überblick kommt in #general", "Für Verantwortliche, jeden Montag", "Europe/Berlin")
		made.Press("Jetzt einen senden")
		s.rest()
		post := manager.ExpectMessage("Die Woche in Badges, für Verantwortliche", "Alle Badges bisher")
		s.later(2 * time.Minute)
		s.until(time.Monday, 9, 0, "Europe/Berlin")
		var found []discordsim.Message
		for _, m := range s.discord.Messages(general, "") {
			if strings.Contains(m.Text(), "Die Woche in Badges") {
				found = append(found, m)
			}
		}
		if len(found) != 2 || found[0].ID != post.ID() {
			t.Fatalf("%d digests, want that which was asked for and that of Monday", len(found))
		}
		if len(found[1].Attachments) != 1 {
			t.Fatalf("attached: %+v", found[1].Attachments)
		}
		file := found[1].Attachments[0]
		status, body := s.get(file.URL)
		picture, err := png.Decode(strings.NewReader(body))
		if status != 200 || err != nil || picture.Bounds().Dx() != file.Width || !strings.Contains(file.Description, "Balkendiagramm") {
			t.Errorf("the picture: status %d, %v, %+v", status, err, file)
		}
	})
}
