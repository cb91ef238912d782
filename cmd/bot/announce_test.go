package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

const mara = "U0MANAGER1"

// manager is somebody who runs the workspace, in the team's channel.
func (s *stage) manager() *slacktest.Person {
	s.t.Helper()
	s.slack.AddUser(slacksim.User{ID: mara, Name: "Mara", RealName: "Mara Example", Locale: "en-US", TZ: "Europe/London", Admin: true})
	s.slack.Join(generalChannel, mara)
	return s.slackChat.As(mara).In(generalChannel)
}

// newCall opens the form for a call in Slack, with a channel and a text.
func newCall(who *slacktest.Person, words string) (list *slacktest.Shown, form *slacktest.Form) {
	who.Command("/badges", "announce")
	list = who.ExpectEphemeral("Calls to claim")
	list.Press("New call")
	return list, who.Modal("Announce a badge").Fill("channel", generalChannel).Fill("words", words)
}

// A manager announces a badge; people come to their own from it, and the post
// counts them without naming anybody.
func TestAnnounceInSlack(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.linkSlack(ada())
		manager := s.manager()
		list, form := newCall(manager, "Congratulations to everybody!")
		form.Fill("templates", templateAssociate).Submit()
		preview := list.ExpectEdit("Preview", "#general", "Congratulations").ExpectButton("Post now", "Change", "Discard")
		preview.Press("Change")
		manager.Modal("Announce a badge").Fill("words", "Well done, everybody!").Submit()
		preview = preview.ExpectEdit("Well done, everybody!")
		preview.Press("Post now")
		managed := preview.ExpectEdit("Open in #general", "0 of 1 claimed")

		team := s.slackChat.As(ada().slackID).In(generalChannel)
		post := team.ExpectMessage("Claim your digital badge", "Well done, everybody!", "0 of 1 claimed")
		post.Press("Claim your badge")
		own := team.ExpectEphemeral("Your badges", "Certified Project Management Associate")
		own.Press("Claim")
		own.ExpectEdit("Ready")
		// Who is not known is greeted, in their own language, and nobody else
		// sees it.
		post.PressedBy(bruno().slackID, "Claim your badge").ExpectEphemeral(word(bruno(), "greeting.title"))
		team.ExpectNothing(word(bruno(), "greeting.title"))

		if err := s.credly.Accept(s.badge(ada().email, templateAssociate)); err != nil {
			t.Fatal(err)
		}
		s.later(30 * time.Second)
		s.later(time.Minute)
		counted := post.ExpectEdit("1 of 1 claimed").ExpectButton("Claim your badge")
		counted.Press("Claim your badge")
		team.ExpectEphemeral("You have it already")

		managed.Press("Change")
		manager.Modal("Announce a badge").Fill("words", "Last chance!").Submit()
		changed := post.ExpectEdit("Last chance!", "1 of 1 claimed")
		managed = managed.ExpectEdit("Last chance!")
		managed.Press("Close it")
		managed.ExpectEdit("Closed in #general").ExpectNoButton("Change")
		changed.ExpectEdit("This call is closed", "1 of 1 claimed").ExpectNoButton("Claim your badge")
		// A press on what the post was still helps.
		post.Again("Claim your badge").ExpectEphemeral("You have it already")
		preview.Again("Post now").ExpectEphemeral("This preview is used up")
		db := openDatabase(t, s.settings.DatabaseURL)
		if n := countRows(t, db, `SELECT count(*) FROM posts WHERE subject_kind = 'call'`); n != 1 {
			t.Errorf("%d posts, want 1", n)
		}
		if n := countRows(t, db, `SELECT count(*) FROM call_drafts`); n != 0 {
			t.Errorf("%d drafts are left", n)
		}
	})
}

// A call for later can be changed and cancelled, one that is repeated comes
// again and again, and what could not be posted is told.
func TestScheduledCallsInSlack(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		london, err := time.LoadLocation("Europe/London")
		if err != nil {
			t.Fatal(err)
		}
		team := s.slackChat.As(ada().slackID).In(generalChannel)
		manager := s.manager()
		at := s.clock.Now().Add(3 * time.Hour)
		list, form := newCall(manager, "In three hours")
		form.Fill("when", core.WriteMoment(at, london)).Submit()
		preview := list.ExpectEdit("Preview", "It will be posted")
		preview.Press("Schedule")
		managed := preview.ExpectEdit("To come in #general", "Next time")
		s.later(2 * time.Hour)
		managed.Press("Change")
		manager.Modal("Announce a badge").Fill("words", "In one hour").Submit()
		managed = managed.ExpectEdit("In one hour", "To come")
		team.ExpectNothing("In one hour")
		s.later(time.Hour + time.Minute)
		team.ExpectMessage("In one hour")
		managed.Press("All calls")
		managed.ExpectEdit("Open in #general")

		list, form = newCall(manager, "Never")
		form.Fill("when", core.WriteMoment(s.clock.Now().Add(3*time.Hour), london)).Submit()
		preview = list.ExpectEdit("Preview")
		preview.Press("Schedule")
		managed = preview.ExpectEdit("To come")
		managed.Press("Cancel it")
		managed.ExpectEdit("Cancelled in #general")
		s.later(4 * time.Hour)
		s.rest()
		team.ExpectNothing("Never")

		list, form = newCall(manager, "Every Monday")
		form.Fill("when", "0 9 * * 1").Submit()
		preview = list.ExpectEdit("Preview", "each Monday at 09:00", "Europe/London")
		preview.Press("Schedule")
		preview.ExpectEdit("To come")
		s.monday("Europe/London")
		first := team.ExpectMessage("Every Monday").ExpectButton("Claim your badge")
		s.later(7 * oneDay)
		first.ExpectEdit("There is a newer call").ExpectNoButton("Claim your badge")
		second := team.ExpectMessage("Every Monday", "0 of 3 claimed").ExpectButton("Claim your badge")
		if first.TS == second.TS {
			t.Error("the second edition stands in the first message")
		}

		// The bot is removed from the channel: its managers are told.
		bot := s.slack.Config().BotUserID
		s.slack.Leave(generalChannel, bot)
		s.later(7 * oneDay)
		s.rest()
		manager.Command("/badges", "announce")
		told := manager.ExpectEphemeral("could not be posted", "I am not in #general any more")
		s.slack.Join(generalChannel, bot)
		told.Press("Show")
		shown := told.ExpectEdit("Every Monday")
		shown.Press("Change")
		manager.Modal("Announce a badge").Fill("words", "Back again").Submit()
		team.ExpectMessage("Back again")
	})
}

// gallery is a server with one picture.
type gallery struct{}

func (gallery) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := http.StatusNotFound, ""
	switch r.URL.Path {
	case "/party.png":
		status, body = http.StatusOK, "\x89PNG\r\n\x1a\n and so on"
	case "/index.html":
		status, body = http.StatusOK, "<html><title>party.png</title></html>"
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"image/png"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// What cannot be is refused in the form, at the field.
func TestAnnounceRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t, testpg.New(t), func(s *Settings) { s.pictures = gallery{} })
	manager := s.manager()
	bot := s.slack.Config().BotUserID
	s.slack.AddChannel("C0WITHOUT1", "without", mara)
	s.slack.AddChannel("C0ARCHIVED", "archived", mara, bot)
	s.slack.Archive("C0ARCHIVED", true)
	list, form := newCall(manager, "Hello")
	for _, tc := range []struct{ field, value, says string }{
		{"channel", "C0WITHOUT1", "I am not in this channel"},
		{"channel", "C0ARCHIVED", "archived"},
		{"channel", "C0NOWHERE1", "I am not in this channel"},
		{"words", "  ", "Write what"},
		{"when", "2020-01-01 09:00", "passed already"},
		{"when", "0 0 30 2 *", "never be posted"},
		{"when", "* * * * *", "more than once a day"},
		{"when", "* * * * * *", "more than once a day"},
		{"when", "@every 1s", "more than once a day"},
		{"when", "0 0 9 * * 1", "do not understand"},
		{"when", "soon", "do not understand"},
		{"picture", "http://example.org/party.png", "not a picture"},
		{"picture", "party", "not a picture"},
		{"picture", "https://pictures.example.org/index.html", "not a picture"},
		{"picture", "https://pictures.example.org/missing.png", "not a picture"},
		{"picture", "https://127.0.0.1/party.png", "not a picture"},
		{"picture", "https://localhost/party.png", "not a picture"},
	} {
		form.Fill(tc.field, tc.value).SubmitExpectingError(tc.says)
	}
	form.Fill("picture", "https://pictures.example.org/party.png").Submit()
	preview := list.ExpectEdit("Preview")
	if !strings.Contains(string(preview.Blocks), "https://pictures.example.org/party.png") {
		t.Errorf("the preview has no picture: %s", preview.Blocks)
	}
	preview.Press("Discard")
	list.ExpectEdit("There is no call yet")
	db := openDatabase(t, s.settings.DatabaseURL)
	if n := countRows(t, db, `SELECT count(*) FROM calls`); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	s.slackChat.As(ada().slackID).In(generalChannel).Command("/badges", "announce").ExpectEphemeral("This is for managers")
	s.slackChat.As(ada().slackID).Shortcut("announce").ExpectDM("This is for managers")
	manager.Shortcut("announce")
	manager.Modal("Announce a badge").Fill("channel", generalChannel).Fill("words", "By the shortcut").Submit()
	s.slackChat.As(mara).ExpectDM("Preview", "By the shortcut").Press("Post now")
	manager.ExpectMessage("By the shortcut")
}

// The same on Discord, where a form is refused by a message, and what was
// typed is not lost.
func TestAnnounceInDiscord(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		guild := s.discord.AddGuild(discordsim.Guild{Name: "Chapter"})
		other := s.discord.AddGuild(discordsim.Guild{Name: "Elsewhere"})
		channel := func(c discordsim.Channel) string {
			id, err := s.discord.AddChannel(c)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		general := channel(discordsim.Channel{GuildID: guild, Name: "general"})
		s.discord.SetManager(guild, bruno().discordID, true)
		s.discordChat.As(bruno().discordID).Command("badges", "announce", nil).ExpectEphemeral("Bitte mach das auf deinem Server")
		s.discordChat.As(ada().discordID).In(general).Command("badges", "announce", nil).ExpectEphemeral("This is for managers")

		manager := s.discordChat.As(bruno().discordID).In(general)
		list := manager.Command("badges", "announce", nil).ExpectEphemeral("Es gibt noch keinen Aufruf")
		form := list.Press("Neuer Aufruf").Modal("Badge ankündigen").Fill("channel", []string{general}).Fill("words", "Glückwunsch!")
		refused := form.Fill("when", "gestern").Submit().ExpectEphemeral("Diese Zeit verstehe ich nicht", "bleibt einen Tag lang")
		for id, says := range map[string]string{
			channel(discordsim.Channel{GuildID: guild, Name: "hidden", Hidden: true}): "Ich bin nicht in diesem Kanal",
			channel(discordsim.Channel{GuildID: guild, Name: "news", ReadOnly: true}): "Ich darf in diesem Kanal nicht schreiben",
			channel(discordsim.Channel{GuildID: other, Name: "elsewhere"}):            "gehört zu einem anderen Server",
		} {
			refused = refused.Press(word(bruno(), "button.try_again")).Modal("Badge ankündigen").
				Fill("when", "").Fill("channel", []string{id}).Submit().ExpectEphemeral(says)
		}
		preview := refused.Press(word(bruno(), "button.try_again")).Modal("Badge ankündigen").
			Fill("channel", []string{general}).Submit().ExpectUpdate("Vorschau", "Glückwunsch!", "#general")
		preview.Press("Jetzt posten").ExpectUpdate("Offen in #general")

		someone := s.discordChat.As(ada().discordID).In(general)
		post := someone.ExpectMessage("Hol dir deinen digitalen Badge", "Glückwunsch!").ExpectButton("Badge abholen")
		someone.PressOn(post.ID(), "Badge abholen").ExpectEphemeral("Let’s get your badges")
		s.linkDiscord(ada())
		own := someone.PressOn(post.ID(), "Badge abholen").ExpectEphemeral("Your badges", "Certified Project Management Associate")
		own.Press("Claim")
		own.ExpectEdit("Ready")
		if err := s.credly.Accept(s.badge(ada().email, templateAssociate)); err != nil {
			t.Fatal(err)
		}
		s.later(30 * time.Second)
		s.later(time.Minute)
		post.ExpectEdit("abgeholt").ExpectButton("Badge abholen")
		for _, m := range s.discord.Messages(general, "") {
			for _, p := range seededPeople() {
				if text := m.Text(); strings.Contains(text, p.email) || strings.Contains(text, p.last) {
					t.Errorf("rule 5: the channel names somebody: %s", text)
				}
			}
		}
	})
}
