package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/laurelbot/laurel/adapters/sqlstore"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/playground/console"
)

// page is the playground's page, with a look into the bot.
func (r *rig) page(people []console.Person, a *app, lines *console.Lines) http.Handler {
	return console.New(console.Config{
		Slack: r.slack, Discord: r.discord, Credly: r.credly, Mail: r.mail, Portal: r.portal,
		Clock: r.clock, People: people, Title: "Laurel playground",
		App: console.App{
			Verify: a.settings.PublicURL + "/verify",
			Work:   a.outlook, Lines: lines, Import: r.intake(a), DiscordGateway: a.settings.DiscordTransport == transportGateway,
			Unplug: func(gone bool) {
				a.db.Unplug(gone)
				if !gone {
					a.wake()
				}
			},
		},
	})
}

// errNoDatabase is what the page says when the bot cannot look.
var errNoDatabase = errors.New("the database does not answer")

// outlook says for the page what the bot has to do.
func (a *app) outlook(ctx context.Context) (console.Work, error) {
	work := console.Work{Deliveries: []console.Task{}, Inbox: []console.Task{}, Due: []console.Due{}}
	seen, err := a.db.Outlook(ctx, a.clock.Now())
	if errors.Is(err, core.ErrUnavailable) {
		return work, errNoDatabase
	}
	if err != nil {
		return work, fmt.Errorf("look ahead: %w", err)
	}
	for _, d := range seen.Deliveries {
		work.Deliveries = append(work.Deliveries, console.Task{
			ID: "d" + strconv.FormatInt(d.ID, 10), What: deliveryName(d.Kind), Via: d.Platform, State: deliveryState(d.State),
			Attempts: d.Attempts, NextAt: d.NextAt, Cause: d.Cause,
		})
	}
	for _, i := range seen.Inbox {
		state := i.State
		if state == "parked" {
			state = "dead"
		}
		work.Inbox = append(work.Inbox, console.Task{
			ID: "i" + strconv.FormatInt(i.ID, 10), What: inboxName(inbox.Kind(i.Kind)), Via: i.Source, State: state,
			Attempts: i.Attempts, NextAt: i.NextAt, Cause: i.Cause,
		})
	}
	for _, d := range seen.Due {
		work.Due = append(work.Due, console.Due{What: dueName(d.What), At: d.At, Timely: timely(d.What)})
	}
	return work, nil
}

func deliveryName(k delivery.Kind) string {
	switch k {
	case delivery.KindPost:
		return "Message in the chat"
	case delivery.KindMail:
		return "Mail with a code"
	case delivery.KindEvent:
		return "News for the portal"
	}
	return string(k)
}

func deliveryState(s delivery.State) string {
	if s == delivery.StateSending {
		return "running"
	}
	return string(s)
}

func inboxName(k inbox.Kind) string {
	switch k {
	case inbox.KindIssue:
		return "Issue a badge at Credly"
	case inbox.KindReplace:
		return "Replace a badge at Credly"
	case inbox.KindRevoke:
		return "Revoke a badge at Credly"
	case inbox.KindCelebrate:
		return "Celebrate in another channel"
	case inbox.KindReadPerson:
		return "Read a person's badges at Credly"
	case inbox.KindProviderEvent:
		return "Work off a webhook of Credly"
	case inbox.KindPortalEvent:
		return "Work off a message of the portal"
	case inbox.KindInstallationEnded, inbox.KindInstallationRemoved:
		return "Say farewell to a workspace"
	}
	return string(k)
}

// timely reports whether something has its time of day, which may be over when
// it is looked at later.
func timely(k sqlstore.DueKind) bool {
	return k == sqlstore.DueReminder || k == sqlstore.DueCall || k == sqlstore.DueDigest
}

func dueName(k sqlstore.DueKind) string {
	switch k {
	case sqlstore.DueDelivery:
		return "a message or mail is tried again"
	case sqlstore.DueInbox:
		return "waiting work is tried again"
	case sqlstore.DueHandoff:
		return "a claim link ends"
	case sqlstore.DueVerification:
		return "a code from a mail ends"
	case sqlstore.DueBadge:
		return "a badge is read again at Credly"
	case sqlstore.DueAddress:
		return "an address is looked up again at Credly"
	case sqlstore.DueReminder:
		return "somebody may be reminded"
	case sqlstore.DueCall:
		return "a call to claim is posted"
	case sqlstore.DueDigest:
		return "a digest is sent"
	case sqlstore.DueRoles:
		return "somebody's roles are looked at again"
	}
	return string(k)
}
