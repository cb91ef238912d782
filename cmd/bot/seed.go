package main

import (
	"context"
	"fmt"
	"slices"
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
	// runs says that the person runs the programme in both chats, and has no
	// badge there.
	runs bool
}

func seededPeople() []seeded {
	return []seeded{
		{"U0ADA00001", "100000000000000001", "Ada", "Example", "en", "en-US", "Europe/London", "ada@example.org", false},
		{"U0BRUNO001", "100000000000000002", "Bruno", "Beispiel", "de", "de-DE", "Europe/Berlin", "bruno@example.org", false},
		{"U0CARLA001", "100000000000000003", "Carla", "Ejemplo", "es-ES", "es-ES", "Europe/Madrid", "carla@example.org", false},
		{"U0MARA0001", "100000000000000004", "Mara", "Muster", "en", "en-GB", "Europe/Berlin", "mara@example.org", true},
	}
}

// The team channels, and those in which the bot cannot post: it is not in one,
// one is archived, and in Discord's it lacks the permission.
const (
	generalChannel  = "C0GENERAL1"
	badgesChannel   = "C0BADGES01"
	randomChannel   = "C0RANDOM01"
	archivedChannel = "C0OLDCHAP1"

	discordChannel       = "200000000000000001"
	discordBadgesChannel = "200000000000000002"
	discordRulesChannel  = "200000000000000003"
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
	r.guild = r.discord.AddGuild(discordsim.Guild{Name: "Example Chapter"})
	for _, c := range []discordsim.Channel{
		{ID: discordChannel, Name: "general"}, {ID: discordBadgesChannel, Name: "badges"}, {ID: discordRulesChannel, Name: "rules", ReadOnly: true},
	} {
		c.GuildID = r.guild
		if _, err := r.discord.AddChannel(c); err != nil {
			return nil, fmt.Errorf("seed Discord: %w", err)
		}
	}
	if err := r.seedRoles(); err != nil {
		return nil, err
	}
	var members []string
	var people []console.Person
	for _, p := range seededPeople() {
		name := p.first + " " + p.last
		r.slack.AddUser(slacksim.User{ID: p.slackID, Name: p.first, RealName: name, Locale: p.slackLocale, TZ: p.zone, Email: p.email, Admin: p.runs})
		r.discord.AddUser(discordsim.User{ID: p.discordID, Name: p.first, GlobalName: name, Locale: p.locale})
		r.discord.SetManager(r.guild, p.discordID, p.runs)
		members = append(members, p.slackID)
		people = append(people, console.Person{Name: name, SlackUser: p.slackID, DiscordUser: p.discordID, Emails: []string{p.email}, Runs: p.runs})
	}
	if err := r.seedElsewhere(); err != nil {
		return nil, err
	}
	withBot := append(slices.Clone(members), r.slack.Config().BotUserID)
	r.slack.AddChannel(generalChannel, "general", withBot...)
	r.slack.AddChannel(badgesChannel, "badges", withBot...)
	r.slack.AddChannel(randomChannel, "random", members...)
	r.slack.AddChannel(archivedChannel, "old-chapter", withBot...)
	r.slack.Archive(archivedChannel, true)
	return people, r.seedBadges(ctx)
}

func (r *rig) seedBadges(ctx context.Context) error {
	// What lies at Credly lay there before the bot came: it finds these
	// badges when somebody links their address.
	r.credly.DropWebhooks(true)
	defer r.credly.DropWebhooks(false)
	ago := func(days int) time.Time { return r.clock.Now().AddDate(0, 0, -days) }
	for _, p := range seededPeople() {
		if p.runs {
			continue
		}
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
	return r.seedForeign(ada)
}

// seedForeign gives somebody badges of other issuers: one that expires soon,
// one that has expired, one without an end.
func (r *rig) seedForeign(p seeded) error {
	now := r.clock.Now()
	for _, b := range []credlysim.ForeignBadge{
		{Name: "Cloud Practitioner", Issuer: "Example Cloud Academy", IssuedAt: now.AddDate(-3, 0, 45), ExpiresAt: now.AddDate(0, 0, 45)},
		{Name: "Prévention & secours civiques", Issuer: "Croix Fictive", IssuedAt: now.AddDate(-2, -1, 0), ExpiresAt: now.AddDate(0, -1, 0)},
		{Name: "日本語能力証明", Issuer: "見本語学院", IssuedAt: now.AddDate(-4, 0, 0)},
		{Name: "Not for everybody", Issuer: "Example Cloud Academy", IssuedAt: now.AddDate(-1, 0, 0), Hidden: true},
	} {
		if _, err := r.credly.AddForeignBadge(p.email, b); err != nil {
			return fmt.Errorf("seed Credly: %w", err)
		}
	}
	return nil
}
