package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/laurelbot/laurel/adapters/discord"
	"github.com/laurelbot/laurel/core"
)

// wake lets the workers look at once for what was queued just now.
func (a *app) wake() {
	a.dispatcher.Nudge()
	a.worker.Nudge()
}

// start lets everything run in the background until ctx ends, and returns a
// function that waits for the end.
func (a *app) start(ctx context.Context) (wait func()) {
	// Before the first event can say that an installation ended.
	if err := a.reviveInstallations(ctx); err != nil {
		a.log.WarnContext(ctx, "revive installations", "err", err)
	}
	a.reportRoles(ctx)
	var group sync.WaitGroup
	group.Go(func() { a.dispatcher.Run(ctx) })
	group.Go(func() { a.worker.Run(ctx) })
	group.Go(func() { a.learnTemplates(ctx) })
	if a.discord != nil {
		group.Go(func() { a.register(ctx) })
		if a.hasRoles() {
			group.Go(func() { a.registerRoles(ctx) })
		}
	}
	a.scheduler.Start()
	return func() {
		if err := a.scheduler.Stop(); err != nil {
			a.log.Warn("stop scheduler", "err", err)
		}
		group.Wait()
	}
}

// connect keeps the connections by which platforms reach the bot until ctx
// ends, and returns a function that waits for the end.
func (a *app) connect(ctx context.Context) (wait func()) {
	var group sync.WaitGroup
	run := func(name string, f func(context.Context) error) {
		group.Go(func() {
			if err := f(ctx); err != nil {
				a.log.ErrorContext(ctx, "give up connection", "transport", name, "err", err)
			}
		})
	}
	if a.slack != nil && a.settings.SlackTransport == transportSocket {
		run("Slack Socket Mode", a.slack.RunSocket)
	}
	if a.discord != nil && a.settings.DiscordTransport == transportGateway {
		run("Discord gateway", func(ctx context.Context) error {
			return a.discord.RunGateway(ctx, discord.GatewayConfig{Leases: a.db, Holder: core.NewID()})
		})
	}
	return group.Wait
}

// connected says what is wrong with those connections.
func (a *app) connected() error {
	if a.slack != nil && a.settings.SlackTransport == transportSocket {
		if err := a.slack.SocketHealth(); err != nil {
			return err
		}
	}
	if a.discord != nil && a.settings.DiscordTransport == transportGateway {
		return a.discord.GatewayHealth()
	}
	return nil
}

// learnTemplates reads once what may take a while: nothing waits for it.
func (a *app) learnTemplates(ctx context.Context) {
	if err := a.reconciler.Templates(ctx); err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "read templates", "err", err)
	}
}

// reviveWithin bounds what a start waits for.
const reviveWithin = 3 * time.Second

// reviveInstallations gives every workspace whose credentials were void
// another try: a new start may have brought new ones. Where it did not, the
// first message finds out.
func (a *app) reviveInstallations(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reviveWithin)
	defer cancel()
	all, err := a.db.Installations(ctx)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Dead == "" {
			continue
		}
		if err := a.db.MarkInstallation(ctx, i.Platform, i.Tenant, "", a.clock.Now()); err != nil {
			return err
		}
	}
	return nil
}

// drain waits for answers that are still being worked on.
func (a *app) drain(ctx context.Context) error {
	var errs []error
	if a.slack != nil {
		errs = append(errs, a.slack.Drain(ctx))
	}
	if a.discord != nil {
		errs = append(errs, a.discord.Drain(ctx))
	}
	return errors.Join(errs...)
}
