package main

import (
	"context"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/scheduler"
)

// jobs are what has to happen as time passes.
func (a *app) jobs() []scheduler.Job {
	sweeper := &core.Sweeper{Store: a.db, Clock: a.clock}
	count := func(what string, n int) string {
		if n == 0 {
			return scheduler.OutcomeOK
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	return []scheduler.Job{
		{Name: "expire-handoffs", Every: 5 * time.Second, Timeout: 30 * time.Second, Run: func(ctx context.Context) (string, error) {
			n, err := sweeper.Expire(ctx)
			if n > 0 {
				a.dispatcher.Nudge()
			}
			return count("expired", n), err
		}},
		{Name: "remind", Every: time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.reminders.Plan(ctx)
			if n.Reminders > 0 {
				a.dispatcher.Nudge()
			}
			a.remindMetrics.planned(n)
			return count("reminded", n.Reminders), err
		}},
		{Name: "call", Every: 15 * time.Second, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			posted, recounted, err := a.calls.Tick(ctx)
			if posted > 0 || recounted > 0 {
				a.dispatcher.Nudge()
			}
			return count("posted", posted), err
		}},
		{Name: "digest", Every: time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.digests.Issue(ctx)
			if n > 0 {
				a.dispatcher.Nudge()
			}
			return count("sent", n), err
		}},
		{Name: "roles", Every: 5 * time.Second, Timeout: time.Minute, Run: a.tickRoles},
		{Name: "read-badges", Every: 15 * time.Second, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.reconciler.Poll(ctx)
			a.dispatcher.Nudge()
			return count("read", n), err
		}},
		{Name: "read-people", Every: time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.reconciler.Refresh(ctx)
			a.dispatcher.Nudge()
			return count("read", n), err
		}},
		{Name: "read-templates", Every: 10 * time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			return "", a.reconciler.Templates(ctx)
		}},
		{Name: "erase-removed", Every: 10 * time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			n, err := a.farewells.Sweep(ctx)
			a.dispatcher.Nudge()
			return count("erased", n), err
		}},
		{Name: "tidy", Every: 10 * time.Minute, Timeout: time.Minute, Run: func(ctx context.Context) (string, error) {
			return "", a.db.Tidy(ctx, a.clock.Now())
		}},
		{Name: "credly-token", Every: 24 * time.Hour, Timeout: time.Minute, Run: a.reportTokenExpiry},
	}
}

// warnBefore is how long before its end an operator is told of a token.
const warnBefore = 30 * 24 * time.Hour

func (a *app) reportTokenExpiry(ctx context.Context) (string, error) {
	ends, known, err := a.credly.TokenExpiry(ctx)
	if err != nil || !known {
		return "", err
	}
	if left := ends.Sub(a.clock.Now()); left < warnBefore {
		a.log.WarnContext(ctx, "CREDLY_TOKEN ends soon: make a new one under Developers, Authorization Tokens", "ends", ends)
	}
	return "ends " + ends.UTC().Format(time.DateOnly), nil
}
