package main

import (
	"context"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/playground/console"
	"github.com/laurelbot/laurel/playground/credlysim"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/portalsim"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// seeded is somebody of the playground's small world.
type seeded struct {
	slackID, discordID, first, last, locale, slackLocale, zone, email string
}

func seededPeople() []seeded {
	return []seeded{
		{"U0ADA00001", "100000000000000001", "Ada", "Example", "en", "en-US", "Europe/London", "ada@example.org"},
		{"U0BRUNO001", "100000000000000002", "Bruno", "Beispiel", "de", "de-DE", "Europe/Berlin", "bruno@example.org"},
		{"U0CARLA001", "100000000000000003", "Carla", "Ejemplo", "es-ES", "es-ES", "Europe/Madrid", "carla@example.org"},
	}
}

// The team channels.
const (
	generalChannel = "C0GENERAL1"
	discordChannel = "200000000000000001"
)

// Templates of the playground.
const (
	templateAssociate = "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d001"
	templateManager   = "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d002"
	templateSenior    = "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d003"
	templateAgile     = "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d004"
	// templateProgramme is nobody's yet.
	templateProgramme = "0b6f3a52-2a67-4d70-9a3c-6f3f3ce0d005"
)

// seed fills the simulated world with people and with badges in different
// stages: some already at Credly, some only decided by the portal.
func (r *rig) seed(ctx context.Context) ([]console.Person, error) {
	year := 365 * 24 * time.Hour
	for _, t := range []credlysim.Template{
		{ID: templateAssociate, Name: "Certified Project Management Associate", Description: "Knows the competences of project management.", ValidFor: 5 * year},
		{ID: templateManager, Name: "Certified Project Manager", Description: "Has led projects of limited complexity.", ValidFor: 5 * year},
		{ID: templateSenior, Name: "Certified Senior Project Manager", Description: "Has led complex projects.", ValidFor: 5 * year},
		{ID: templateAgile, Name: "Certified Agile Leader", Description: "Leads agile teams.", ValidFor: 5 * year},
		{ID: templateProgramme, Name: "Certified Programme Manager", Description: "Has led programmes of several projects.", ValidFor: 5 * year},
	} {
		r.credly.AddTemplate(t)
	}
	guild := r.discord.AddGuild(discordsim.Guild{Name: "Example Chapter"})
	if _, err := r.discord.AddChannel(discordsim.Channel{ID: discordChannel, GuildID: guild, Name: "general"}); err != nil {
		return nil, fmt.Errorf("seed Discord: %w", err)
	}
	members := []string{r.slack.Config().BotUserID}
	var people []console.Person
	for _, p := range seededPeople() {
		name := p.first + " " + p.last
		r.slack.AddUser(slacksim.User{ID: p.slackID, Name: p.first, RealName: name, Locale: p.slackLocale, TZ: p.zone, Email: p.email})
		r.discord.AddUser(discordsim.User{ID: p.discordID, Name: p.first, GlobalName: name, Locale: p.locale})
		members = append(members, p.slackID)
		people = append(people, console.Person{Name: name, SlackUser: p.slackID, DiscordUser: p.discordID, Emails: []string{p.email}})
	}
	r.slack.AddChannel(generalChannel, "general", members...)
	return people, r.seedBadges(ctx)
}

func (r *rig) seedBadges(ctx context.Context) error {
	// What lies at Credly lay there before the bot came: it finds these
	// badges when somebody links their address.
	r.credly.DropWebhooks(true)
	defer r.credly.DropWebhooks(false)
	ago := func(days int) time.Time { return r.clock.Now().AddDate(0, 0, -days) }
	for _, p := range seededPeople() {
		_, err := r.credly.Issue(credlysim.IssueRequest{
			RecipientEmail: p.email, FirstName: p.first, LastName: p.last, TemplateID: templateAssociate,
			IssuedAt: ago(9).Format(time.RFC3339), Locale: p.locale,
		})
		if err != nil {
			return fmt.Errorf("seed Credly: %w", err)
		}
		_, err = r.portal.Grant(ctx, portalsim.Award{
			Email: p.email, FirstName: p.first, LastName: p.last, Locale: p.locale, TemplateID: templateManager,
			IssuedAt: ago(1), ExpiresAt: r.clock.Now().AddDate(5, 0, -1), CertificateNumber: "EX-" + p.slackID[2:5],
		})
		if err != nil {
			return fmt.Errorf("seed portal: %w", err)
		}
	}
	ada := seededPeople()[0]
	for _, template := range []string{templateSenior, templateAgile} {
		b, err := r.credly.Issue(credlysim.IssueRequest{
			RecipientEmail: ada.email, FirstName: ada.first, LastName: ada.last, TemplateID: template,
			IssuedAt: ago(400).Format(time.RFC3339),
		})
		if err != nil {
			return fmt.Errorf("seed Credly: %w", err)
		}
		if err := r.credly.Accept(b.ID); err != nil {
			return fmt.Errorf("seed Credly: %w", err)
		}
		if template == templateSenior {
			if err := r.credly.SetPublic(b.ID, true); err != nil {
				return fmt.Errorf("seed Credly: %w", err)
			}
		}
	}
	return nil
}
