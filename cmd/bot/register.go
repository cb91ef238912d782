package main

import (
	"context"
	"time"
)

// Waits between two tries to tell Discord what it has to know.
const (
	firstRegisterWait   = 15 * time.Second
	longestRegisterWait = 10 * time.Minute
)

// register tells Discord the commands, until it has heard them.
func (a *app) register(ctx context.Context) { a.persist(ctx, "commands", a.discord.Register) }

// persist tells Discord something, until it has heard it.
func (a *app) persist(ctx context.Context, what string, tell func(context.Context) (changed bool, err error)) {
	for wait := firstRegisterWait; ; wait = min(2*wait, longestRegisterWait) {
		changed, err := tell(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && changed:
			a.log.InfoContext(ctx, "registered at Discord", "what", what)
			return
		case err == nil:
			return
		}
		a.log.WarnContext(ctx, "register at Discord", "what", what, "err", err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}
