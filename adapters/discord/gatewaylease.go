package discord

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

var (
	errLeaseRanOut = errors.New("the lease could not be renewed in time")
	errLeaseTaken  = errors.New("another replica took the lease")
)

// lease lets one replica lead one shard.
type lease struct {
	g     *gateway
	name  string
	end   atomic.Pointer[time.Time]
	asked chan leaseAnswer
}

type leaseAnswer struct {
	end time.Time
	ok  bool
	err error
}

func leaseName(shard, count int) string {
	return fmt.Sprintf("discord/gateway/%d/%d", shard, count)
}

// ask takes or renews the lease. Its end is reckoned from before the
// question, by this process's own clock, which runs on while it stands still.
func (l *lease) ask(ctx context.Context) leaseAnswer {
	t := l.g.a.gatewayTimes
	ctx, cancel := context.WithTimeout(ctx, t.renewEvery)
	defer cancel()
	end := time.Now().Add(t.leaseTTL - t.leaseMargin)
	ok, err := l.g.leases.TakeLease(ctx, l.name, l.g.holder, l.g.a.clock.Now(), t.leaseTTL)
	return leaseAnswer{end, ok, err}
}

// holds reports whether nobody else can have the lease.
func (l *lease) holds() bool { return time.Now().Before(*l.end.Load()) }

// keep renews the lease until ctx ends, or until it is lost, which it tells
// lose at once: a store that hangs does not hold it up.
func (l *lease) keep(ctx context.Context, lose context.CancelCauseFunc) {
	t := l.g.a.gatewayTimes
	expire := time.NewTimer(time.Until(*l.end.Load()))
	defer expire.Stop()
	renew := time.NewTimer(t.renewEvery)
	defer renew.Stop()
	asking := false
	// What was asked may still be granted: release comes after it.
	defer func() {
		if asking {
			select {
			case <-l.asked:
			case <-time.After(t.leaseMargin):
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-expire.C:
			lose(errLeaseRanOut)
			return
		case <-renew.C:
			asking = true
			go func() { l.asked <- l.ask(ctx) }()
		case got := <-l.asked:
			asking = false
			switch {
			case got.err != nil:
				renew.Reset(t.renewEvery / 4)
			case !got.ok:
				lose(errLeaseTaken)
				return
			default:
				l.g.health.asked()
				l.end.Store(&got.end)
				expire.Reset(time.Until(got.end))
				renew.Reset(t.renewEvery)
			}
		}
	}
}

// release gives the lease up, so that another replica takes over at once.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.g.a.gatewayTimes.renewEvery)
	defer cancel()
	if err := l.g.leases.ReleaseLease(ctx, l.name, l.g.holder); err != nil {
		l.g.a.log.WarnContext(ctx, "discord gateway lease not released", "error", err)
	}
}
