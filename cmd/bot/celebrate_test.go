package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/playground/credlysim"
)

// celebrateIn has a team celebrate in a channel.
func (s *stage) celebrateIn(team string, channel core.Identity, name string) {
	s.t.Helper()
	err := s.app.db.InTx(s.t.Context(), func(ctx context.Context, tx core.Tx) error {
		account, err := tx.EnsureAccount(ctx, core.Account{Identity: channel, DisplayName: name}, s.clock.Now())
		if err != nil {
			return err
		}
		return tx.SaveCustoms(ctx, team, core.CustomsChange{CelebrateIn: &account.ID}, s.clock.Now())
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// hears waits until the bot knows that a badge is in a stage, and has done
// what follows.
func (s *stage) hears(badge string, stage core.Stage) {
	s.t.Helper()
	db := openDatabase(s.t, s.settings.DatabaseURL)
	s.waitFor("the badge to be "+string(stage), func() bool {
		return countRows(s.t, db, `SELECT count(*) FROM badges WHERE provider_id = '`+badge+`' AND stage = '`+string(stage)+`'`) == 1
	})
	s.rest()
}

// accepts lets somebody accept a badge at Credly.
func (s *stage) accepts(p seeded, template string) (badge string) {
	s.t.Helper()
	badge = s.badge(p.email, template)
	s.hears(badge, core.StagePending)
	if err := s.credly.Accept(badge); err != nil {
		s.t.Fatal(err)
	}
	s.hears(badge, core.StageAccepted)
	return badge
}

// earns awards a badge at Credly, which is accepted.
func (s *stage) earns(p seeded, template string) (badge string) {
	s.t.Helper()
	_, err := s.credly.Issue(credlysim.IssueRequest{
		RecipientEmail: p.email, FirstName: p.first, LastName: p.last, TemplateID: template, IssuedAt: s.clock.Now().Format(time.RFC3339),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.accepts(p, template)
}

func (s *stage) public(badge string, public bool) {
	s.t.Helper()
	if err := s.credly.SetPublic(badge, public); err != nil {
		s.t.Fatal(err)
	}
	stage := core.StageAccepted
	if public {
		stage = core.StagePublic
	}
	s.hears(badge, stage)
}

// Two people agree, within an hour, and are celebrated together. One hides the
// badge, the other one takes the consent back; then it begins anew, and ends
// with the badge.
func TestCelebrationsInSlack(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		tenant := s.slack.Config().TeamID
		s.celebrateIn("slack:"+tenant, core.ChannelIdentity("slack", tenant, generalChannel), "general")
		a, b := s.linkSlack(ada()), s.linkSlack(bruno())
		wall := s.slackChat.As(carla().slackID).In(generalChannel)

		first := s.accepts(ada(), templateAssociate)
		question := a.ExpectDM("May your team know?", "Project Management Associate").
			ExpectButton("Share with #general", "Not now", "Never ask")
		question.Press("Share with #general")
		agreed := question.ExpectEdit("Your team may know", "Not public yet").ExpectButton("Make it public", "Take it back")
		s.rest()
		wall.ExpectNothing("Associate")
		s.public(first, true)
		party := wall.ExpectMessage("A new badge", "Ada", "earned", "Project Management Associate", "Knows the competences", "See the badge")
		agreed.ExpectEdit("Stands in #general")

		s.later(30 * time.Minute)
		second := s.accepts(bruno(), templateAssociate)
		s.public(second, true)
		b.ExpectDM("Darf dein Team es wissen?").Press("Mit #general teilen")
		both := party.ExpectEdit("2 new badges", "Ada", "Bruno")
		s.public(first, false)
		left := both.ExpectEdit("A new badge", "Bruno")
		if text := left.Now().Text + string(left.Now().Blocks); strings.Contains(text, "Ada") {
			t.Errorf("the hidden badge is still shown: %s", text)
		}
		b.ExpectDM("Dein Team darf es wissen", "Steht in #general").Press("Zurücknehmen")
		left.ExpectDeleted()
		b.ExpectDM("Das bleibt unter uns").ExpectButton("Doch teilen")

		s.later(2 * time.Hour)
		s.public(first, true)
		again := wall.ExpectMessage("A new badge", "Ada")
		s.rest()
		if err := s.credly.Revoke(first, "An error of ours"); err != nil {
			t.Fatal(err)
		}
		again.ExpectDeleted()
		s.rest()
		wall.ExpectNothing("earned")
	})
}

// Somebody does not want to be asked, and changes their mind.
func TestNeverAskedAgain(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		tenant := s.slack.Config().TeamID
		s.celebrateIn("slack:"+tenant, core.ChannelIdentity("slack", tenant, generalChannel), "general")
		who := s.linkSlack(carla())
		s.accepts(carla(), templateAssociate)
		question := who.ExpectDM("¿Puede saberlo tu equipo?")
		question.Press("No preguntar nunca")
		question.ExpectEdit("Queda entre nosotros", "No te lo volveré a preguntar")
		s.rest()
		s.earns(carla(), templateAgile)
		who.In(s.slack.DM(carla().slackID)).ExpectNothing("¿Puede saber")

		who.Command("/badges", "reminders")
		wishes := who.ExpectEphemeral("No te pregunto si tu equipo")
		wishes.Press("Volver a preguntar")
		wishes.ExpectEdit("Tus recordatorios").ExpectNoButton("Volver a preguntar")
		s.earns(carla(), templateProgramme)
		who.ExpectDM("¿Puede saberlo tu equipo?", "Programme Manager").Press("Ahora no")
		who.ExpectDM("Queda entre nosotros", "Programme Manager").Press("Compartir después de todo")
		who.ExpectDM("Tu equipo puede saberlo", "Programme Manager", "Aún no es pública")
	})
}

// The same in a server of Discord; where nothing is celebrated, nobody is asked.
func TestCelebrationsInDiscord(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		p := bruno()
		who := s.discordChat.As(p.discordID).In(discordChannel)
		who.Command("badges", "link", map[string]any{"address": p.email})
		card := who.Expect(p.email)
		code := s.codeFor(p.email, 1)
		card.Press(word(p, "button.enter_code")).Modal(word(p, "form.code.title")).Fill("code", code).Submit()
		card.ExpectEdit(word(p, "verify.used.title"), "2 ")
		s.earns(p, templateAgile)
		who.In(s.discord.DM(p.discordID)).ExpectNothing("Darf dein Team")

		person, err := s.app.db.Person(t.Context(), core.Identity{Platform: "discord", User: p.discordID})
		if err != nil {
			t.Fatal(err)
		}
		s.celebrateIn(person.Account.Team, core.ChannelIdentity("discord", "", discordChannel), "general")
		badge := s.accepts(p, templateAssociate)
		question := who.ExpectDM("Darf dein Team es wissen?").ExpectButton("Mit #general teilen", "Jetzt nicht", "Nie fragen")
		s.public(badge, true)
		who.ExpectNothing("earned")
		question.Press("Mit #general teilen")
		party := who.ExpectMessage("Bruno Beispiel", "earned", "Project Management Associate", "Knows the competences")
		agreed := question.ExpectEdit("Dein Team darf es wissen", "Steht in #general")

		agreed.Press("Zurücknehmen")
		party.ExpectDeleted()
		declined := agreed.ExpectEdit("Das bleibt unter uns")
		s.rest()
		declined.Press("Doch teilen")
		again := who.ExpectMessage("Bruno Beispiel", "earned")
		who.Command("badges", "forget", nil)
		who.Expect(word(p, "forget.title")).Press(word(p, "button.forget"))
		again.ExpectDeleted()
	})
}
