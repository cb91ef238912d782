package main

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// A manager settles when people are reminded, and where badges are
// celebrated; what does not go is refused at its field.
func TestSettingsInSlack(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		const runs, quiet = "U0MANAGER1", "C0QUIET001"
		s.slack.AddUser(slacksim.User{ID: runs, Name: "Mara", RealName: "Mara Example", Locale: "en-US", TZ: "Europe/London", Admin: true})
		s.slack.Join(generalChannel, runs)
		s.slack.AddChannel(quiet, "quiet", runs)
		s.monday(ada().zone)
		who := s.linkSlack(ada())
		who.Command("/badges", "settings").ExpectEphemeral("This is for managers")

		manager := s.slackChat.As(runs)
		status := manager.Command("/badges", "status").ExpectEphemeral("How it stands")
		status.Press("Settings")
		status.ExpectEdit("Settings of this team")
		card := manager.Command("/badges", "settings").ExpectEphemeral("not accepted yet: after 1, 3, 7, 14, 30 days", "09:00 to 17:00", "nowhere").
			ExpectNoButton("Back to the usual")
		card.Press("Change reminders")
		form := manager.Modal("When do I remind?")
		form.Fill("pending", "soon").SubmitExpectingError("whole numbers")
		form.Fill("private", "10, 2").SubmitExpectingError("larger than the one before")
		form.Fill("expiring", "7, 30").SubmitExpectingError("smaller than the one before")
		form.Fill("pending", "1 2 3 4 5 6 7 8 9 10 11").SubmitExpectingError("At most 10")
		form.Fill("pending", "400").SubmitExpectingError("between 1 and 365")
		form.Fill("pending", "2").Fill("private", "").Submit()
		card.ExpectEdit("not accepted yet: after 2 days", "nobody else: never", "Expires soon: 90, 30, 7 days before")

		card.Press("Change hours")
		form = manager.Modal("When may I remind?")
		form.Fill("zone", "Atlantis").SubmitExpectingError("Continent/City")
		form.Fill("from", "18").SubmitExpectingError("after the beginning")
		form.Fill("zone", "Asia/Tokyo").Fill("from", "10").Fill("to", "16").Submit()
		card.ExpectEdit("Mon–Fri, 10:00 to 16:00", "Asia/Tokyo", "after 2 days")
		// The zone is for those who told none.
		who.Command("/badges", "reminders").ExpectEphemeral("10:00 to 16:00", "Europe/London")

		card.Press("Celebrations")
		form = manager.Modal("Where do we celebrate?")
		form.Fill("channel", quiet).SubmitExpectingError("not in this channel")
		form.Fill("channel", generalChannel).Submit()
		card.ExpectEdit("in #general", "after 2 days", "10:00 to 16:00")
		card.Press("Celebrations")
		manager.Modal("Where do we celebrate?").Submit()
		card.ExpectEdit("in #general")

		inDM := who.In(s.slack.DM(ada().slackID))
		s.later(oneDay + time.Hour)
		s.rest()
		inDM.ExpectNothing("need")
		s.later(oneDay)
		reminder := who.ExpectDM("2 badges need you", "Earned and waiting for you")

		card.Press("Back to the usual")
		card.ExpectEdit("after 1, 3, 7, 14, 30 days", "09:00 to 17:00", "nowhere").ExpectNoButton("Back to the usual")
		// The third day is one of the usual days again, and the second for what
		// is private.
		s.later(oneDay)
		reminder.ExpectEdit("3 badges need you", "only you can see it")
		db := openDatabase(t, s.settings.DatabaseURL)
		if n := countRows(t, db, `SELECT count(*) FROM audit WHERE kind LIKE 'team.%' AND actor <> ''`); n != 5 {
			t.Errorf("%d changes are on record, want 5", n)
		}
	})
}

// The same in Discord, whose people tell no time zone: the team's counts. A
// refused form comes back with what was typed.
func TestSettingsInDiscord(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		channel := func(c discordsim.Channel) string {
			id, err := s.discord.AddChannel(c)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		guild, other := s.discord.AddGuild(discordsim.Guild{Name: "Chapter"}), s.discord.AddGuild(discordsim.Guild{Name: "Elsewhere"})
		general := channel(discordsim.Channel{GuildID: guild, Name: "general"})
		s.discord.SetManager(guild, ada().discordID, true)
		s.monday("UTC")
		who := s.linkDiscord(bruno()).In(general)
		// From now on this server is the one of this person.
		who.Command("badges", "settings", nil).ExpectEphemeral("Das ist für Verantwortliche")
		who.Command("badges", "reminders", nil).ExpectEphemeral("Zeit von UTC")

		// Who runs one server runs no other, and none in direct messages.
		s.discordChat.As(ada().discordID).Command("badges", "settings", nil).ExpectEphemeral("Please do this in your server")
		elsewhere := channel(discordsim.Channel{GuildID: other, Name: "elsewhere"})
		s.discordChat.As(ada().discordID).In(elsewhere).Command("badges", "settings", nil).ExpectEphemeral("This is for managers")

		manager := s.discordChat.As(ada().discordID).In(general)
		card := manager.Command("badges", "settings", nil).ExpectEphemeral("after 1, 3, 7, 14, 30 days", "nowhere")
		refused := card.Press("Change reminders").Modal("When do I remind?").Fill("pending", "two").Fill("expiring", "30").Submit().
			ExpectEphemeral("These days do not work", "Earned, not accepted yet: Write whole numbers")
		card = refused.Press("Try again").Modal("When do I remind?").Fill("pending", "2").Submit().
			ExpectUpdate("after 2 days", "Expires soon: 30 days before")

		card.Press("Change hours").Modal("When may I remind?").Fill("zone", "Atlantis").Submit().
			ExpectEphemeral("These hours do not work", "Continent/City")
		card = card.Press("Change hours").Modal("When may I remind?").Fill("zone", "Asia/Tokyo").Submit().
			ExpectUpdate("09:00 to 17:00", "Asia/Tokyo", "after 2 days")

		for id, says := range map[string]string{
			channel(discordsim.Channel{GuildID: guild, Name: "hidden", Hidden: true}): "not in this channel",
			channel(discordsim.Channel{GuildID: guild, Name: "news", ReadOnly: true}): "not allowed to write",
		} {
			card.Press("Celebrations").Modal("Where do we celebrate?").Fill("channel", []string{id}).Submit().
				ExpectEphemeral("Nothing was changed", says)
		}
		card.Press("Celebrations").Modal("Where do we celebrate?").Fill("channel", []string{general}).Submit().
			ExpectUpdate("in #general", "Asia/Tokyo", "after 2 days")

		// Noon in UTC is night in Tokyo; early morning is not.
		s.later(2*oneDay + time.Hour)
		s.rest()
		who.In(s.discord.DM(bruno().discordID)).ExpectNothing("brauchen dich")
		s.later(14 * time.Hour)
		who.ExpectDM("2 Badges brauchen dich", "Zeit von Asia/Tokyo")
	})
}
