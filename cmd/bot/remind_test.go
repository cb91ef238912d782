package main

import (
	"testing"
	"time"
)

// monday moves the clock to eleven in the morning of the next Monday in a
// zone.
func (s *stage) monday(zone string) {
	s.t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		s.t.Fatal(err)
	}
	now := s.clock.Now().In(z)
	days := 1
	for now.AddDate(0, 0, days).Weekday() != time.Monday {
		days++
	}
	s.pass(time.Date(now.Year(), now.Month(), now.Day()+days, 11, 0, 0, 0, z).Sub(now))
}

// later lets everything be done, and time pass.
func (s *stage) later(d time.Duration) {
	s.t.Helper()
	s.rest()
	s.pass(d)
}

const oneDay = 24 * time.Hour

// Somebody is reminded, wants quiet, is reminded again, claims, and wants no
// more of it.
func TestRemindersInSlack(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.monday(ada().zone)
		who := s.linkSlack(ada())

		s.later(oneDay + time.Hour)
		first := who.ExpectDM("2 badges need you", "Earned and waiting for you").
			ExpectButton("Claim", "Remind me next week", "Stop reminders")
		first.Press("Remind me next week")
		first.ExpectEdit("pause until", "After that: at most once a day")

		// The next one comes as a new message, and the one after it in its
		// place, because it is still new.
		s.later(7*oneDay + 2*time.Hour)
		second := who.ExpectDM("4 badges need you", "Earned and waiting", "only you can see it", "nobody has seen it yet")
		s.later(6*oneDay - time.Hour)
		third := second.ExpectEdit("3 badges need you")

		if err := s.credly.Accept(s.badge(ada().email, templateAssociate)); err != nil {
			t.Fatal(err)
		}
		left := third.ExpectEdit("2 badges need you", "Certified Project Manager")
		left.Press("Claim")
		left.ExpectEdit("Ready")

		s.later(2*oneDay + time.Hour)
		last := who.ExpectDM("One badge needs you", "only you can see it")
		last.Press("Stop reminders")
		stopped := last.ExpectEdit("I write only when something about your badges changes")
		s.later(20 * oneDay)
		s.rest()
		who.In(s.slack.DM(ada().slackID)).ExpectNothing("need")

		stopped.Press("Turn reminders on")
		on := stopped.ExpectEdit("at most once a day", "Mon–Fri, 09:00 to 17:00", "Europe/London")
		on.Press("Change hours")
		form := who.Modal("When may I remind you?")
		form.Fill("zone", "London").SubmitExpectingError("Continent/City")
		form.Fill("zone", "Asia/Tokyo").Fill("from", "8").Fill("to", "12").Fill("days", "1,2").Submit()
		on.ExpectEdit("Mon, Tue, 08:00 to 12:00", "Asia/Tokyo")
		who.Command("/badges", "reminders").ExpectEphemeral("Asia/Tokyo")
	})
}

// Discord does not tell time zones: the first reminder asks.
func TestRemindersInDiscord(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.monday("UTC")
		who := s.linkDiscord(bruno())
		s.later(oneDay + time.Hour)
		reminder := who.ExpectDM("2 Badges brauchen dich", "Zeit von UTC").ExpectButton("Zeiten ändern")
		form := reminder.Press("Zeiten ändern").Modal("Wann darf ich erinnern?")
		refused := form.Fill("zone", "Europe/Nirgends").Fill("to", "16").Submit().
			ExpectEphemeral("Diese Zeiten gehen nicht", "Diese Zeitzone kenne ich nicht")
		// What was typed is there again.
		refused.Press(word(bruno(), "button.try_again")).Modal("Wann darf ich erinnern?").Fill("zone", "Europe/Paris").Submit().
			ExpectUpdate("Mo–Fr, 09:00 bis 16:00", "Europe/Paris", "noch nicht angenommen: nach 1, 3, 7, 14, 30 Tagen")
		form = reminder.Press("Zeiten ändern").Modal("Wann darf ich erinnern?")
		form.Fill("zone", "Europe/Berlin").Fill("to", "17").Submit()
		reminder.ExpectEdit("Mo–Fr, 09:00 bis 17:00", "Europe/Berlin")
		s.later(7 * oneDay)
		last := who.ExpectDM("Badges brauchen dich")
		last.Press("Nicht mehr erinnern")
		last.ExpectEdit("Ich schreibe nur")
	})
}

// The status is for those who run the workspace, and names nobody.
func TestStatusIsForManagers(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		s.linkSlack(ada())
		s.slackChat.As(ada().slackID).Command("/badges", "status").ExpectEphemeral("This is for managers")
		s.slackChat.As(theManager().slackID).Command("/badges", "status").ExpectEphemeral("How it stands", "linked an account")
		s.slackChat.As(ada().slackID).Command("/badges", "reminders").ExpectEphemeral("What I remind you of", "Expires soon: 90, 30, 7 days before").
			ExpectNoButton("Team settings")
		s.discordChat.As(theManager().discordID).In(discordChannel).Command("badges", "status", nil).ExpectEphemeral("How it stands", "linked an account")

		s.discordChat.As(bruno().discordID).Command("badges", "status", nil).ExpectEphemeral("Das ist für Verantwortliche")
	})
}
