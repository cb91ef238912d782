package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/laurelbot/laurel/adapters/portal"
	"github.com/laurelbot/laurel/adapters/slack"
	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

// inboxHandlers say what is done with what came in.
func (a *app) inboxHandlers() map[inbox.Kind]inbox.Handler {
	payload := func(handle func(context.Context, string) error) inbox.Handler {
		return func(ctx context.Context, item inbox.Item) error { return handle(ctx, item.Message.Payload) }
	}
	handlers := map[inbox.Kind]inbox.Handler{
		inbox.KindIssue:               payload(a.work.Issue),
		inbox.KindReplace:             payload(a.work.Replace),
		inbox.KindRevoke:              payload(a.work.Revoke),
		inbox.KindCelebrate:           payload(a.celebrations.Moved),
		inbox.KindReadPerson:          a.readPerson,
		inbox.KindProviderEvent:       payload(a.providerEvent),
		inbox.KindPortalEvent:         payload(a.portalEvent),
		inbox.KindInstallationEnded:   payload(a.installationEnded),
		inbox.KindInstallationRemoved: payload(a.installationRemoved),
	}
	out := make(map[inbox.Kind]inbox.Handler, len(handlers))
	for kind, handle := range handlers {
		out[kind] = func(ctx context.Context, item inbox.Item) error {
			err := handle(ctx, item)
			a.dispatcher.Nudge()
			return err
		}
	}
	return out
}

func (a *app) readPerson(ctx context.Context, item inbox.Item) error {
	email, err := core.ParseEmail(item.Message.Payload)
	if err != nil {
		return fmt.Errorf("%w: %w", inbox.ErrPark, err)
	}
	if err := a.reconciler.ReadPerson(ctx, email); err != nil {
		return err
	}
	return a.links.Found(ctx, item.Message.Source, item.Message.Key)
}

// providerEvent re-reads the badge an event is about. What the provider does
// not know was forged, or deleted since: neither changes anything.
func (a *app) providerEvent(ctx context.Context, payload string) error {
	id, err := a.credly.Event(ctx, []byte(payload))
	if err == nil && id != "" {
		err = a.observer.Read(ctx, id)
	}
	if errors.Is(err, core.ErrNoSuchBadge) {
		a.log.InfoContext(ctx, "event about a badge that the provider does not know")
		return nil
	}
	return err
}

func (a *app) portalEvent(ctx context.Context, payload string) error {
	event, err := portal.DecodeEvent([]byte(payload))
	if err != nil {
		return fmt.Errorf("%w: %w", inbox.ErrPark, err)
	}
	switch event.Type {
	case portal.AwardGranted, portal.AwardChanged:
		a.learnTemplate(ctx, event.Award.TemplateID)
		_, err := a.db.ImportAwards(ctx, []core.Award{event.Award})
		a.worker.Nudge()
		return err
	case portal.AwardWithdrawn:
		defer a.worker.Nudge()
		return a.work.Withdraw(ctx, event.Withdrawn, event.At)
	case portal.PersonErased:
		return a.work.Erase(ctx, event.Erase)
	default:
		return fmt.Errorf("%w: unknown event type", inbox.ErrPark)
	}
}

// learnEvery bounds how often an award of an unknown template makes all
// templates be read.
const learnEvery = time.Minute

// learnTemplate reads the templates again when an award names one that is not
// known yet, so that its badge has a name when it is first shown. That it
// does not work is no reason to take the award in again.
func (a *app) learnTemplate(ctx context.Context, id string) {
	known, err := a.db.TemplateKnown(ctx, id)
	if err != nil || known {
		return
	}
	now := a.clock.Now().UnixMilli()
	last := a.learnedAt.Load()
	if now-last < learnEvery.Milliseconds() || !a.learnedAt.CompareAndSwap(last, now) {
		return
	}
	if err := a.reconciler.Templates(ctx); err != nil {
		a.log.WarnContext(ctx, "read templates", "err", err)
	}
}

func (a *app) installationEnded(ctx context.Context, payload string) error {
	platform, tenant, err := installation(payload)
	if err != nil {
		return err
	}
	return a.db.MarkInstallation(ctx, platform, tenant, "credentials revoked", a.clock.Now())
}

func (a *app) installationRemoved(ctx context.Context, payload string) error {
	platform, tenant, err := installation(payload)
	if err != nil {
		return err
	}
	return a.farewells.Remove(ctx, platform, tenant)
}

func installation(payload string) (platform core.Platform, tenant string, err error) {
	before, after, ok := strings.Cut(payload, ":")
	if !ok {
		return "", "", fmt.Errorf("%w: no tenant", inbox.ErrPark)
	}
	return core.Platform(before), after, nil
}

// installed asks a platform whether a workspace still has the bot.
func (a *app) installed(ctx context.Context, platform core.Platform, tenant string) bool {
	return platform == slack.Platform && a.slack != nil && a.slack.Installed(ctx, tenant)
}
