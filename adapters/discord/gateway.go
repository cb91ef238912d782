package discord

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/core"
)

// GatewayConfig is what the gateway needs.
type GatewayConfig struct {
	// Leases decide which replica leads a shard.
	Leases core.LeaseStore
	// Holder is this replica's name; no two may have the same.
	Holder string
}

// gateway receives interactions over Discord's gateway
// (https://discord.com/developers/docs/events/gateway) for the shards that
// this replica leads.
type gateway struct {
	a      *Adapter
	leases core.LeaseStore
	holder string
	health gatewayHealth
	intake intake
	// reshard asks for the number of shards to be read again.
	reshard chan struct{}

	mu     sync.Mutex
	info   discordgo.GatewayBotResponse
	infoAt time.Time
	// resting are shards whose session was refused, until when.
	resting map[int]time.Time
}

// RunGateway receives interactions over the gateway until ctx ends; then it
// returns nil. It reconnects for ever. Of several replicas one leads each
// shard, the others stand by. An error says that it could not begin.
func (a *Adapter) RunGateway(ctx context.Context, c GatewayConfig) error {
	if c.Leases == nil || c.Holder == "" {
		return errors.New("run gateway: no lease store or holder")
	}
	g := &gateway{
		a: a, leases: c.Leases, holder: c.Holder,
		reshard: make(chan struct{}, 1), resting: map[int]time.Time{},
	}
	g.health.begin(time.Now())
	if !a.gateway.CompareAndSwap(nil, g) {
		return errors.New("run gateway: it is running already")
	}
	defer a.gateway.Store(nil)
	for failures := 0; ctx.Err() == nil; {
		if err := g.readInfo(ctx); err != nil {
			if ctx.Err() != nil {
				break
			}
			failures++
			wait := a.gatewayTimes.backoff(failures)
			if core.ClassOf(err) == core.InstallationDead {
				wait = a.gatewayTimes.about(a.gatewayTimes.fatalPause)
				g.health.trouble(fatalCloses[closeAuthentication] + " (status 401)")
			} else {
				g.health.trouble("the address of the gateway could not be read: " + err.Error())
			}
			a.log.WarnContext(ctx, "discord gateway address not read", "error", err)
			pause(ctx, wait)
			continue
		}
		failures = 0
		g.health.trouble("")
		g.run(ctx)
	}
	return nil
}

// readInfo asks for the address, the number of shards and how many sessions
// may still be started
// (https://discord.com/developers/docs/events/gateway#get-gateway-bot).
func (g *gateway) readInfo(ctx context.Context) error {
	var info discordgo.GatewayBotResponse
	if err := g.a.bot.do(ctx, http.MethodGet, discordgo.EndpointGatewayBot, nil, &info); err != nil {
		return err
	}
	if _, err := gatewayURL(info.URL); err != nil || info.Shards < 1 || info.Shards > maxShards {
		return badAnswer()
	}
	info.SessionStartLimit.MaxConcurrency = max(1, info.SessionStartLimit.MaxConcurrency)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.info, g.infoAt = info, time.Now()
	return nil
}

// maxShards bounds what is believed of the number of shards.
const maxShards = 10_000

func (g *gateway) known() discordgo.GatewayBotResponse {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.info
}

// starting counts a session of those that the day has left.
func (g *gateway) starting() {
	g.a.metrics.identifies.Inc()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.info.SessionStartLimit.Remaining--
}

// fresh reports whether what is known was read a moment ago: Discord lets it
// be asked for a few times a minute only.
func (g *gateway) fresh() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Since(g.infoAt) < g.a.gatewayTimes.infoFresh
}

// run leads what shards it can until ctx ends or their number changes.
func (g *gateway) run(ctx context.Context) {
	count := g.known().Shards
	inner, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		g.compete(inner, count)
	})
	g.watchCount(ctx, count)
	stop()
	group.Wait()
	if ctx.Err() == nil {
		// The other replicas read the new number at about the same time. When
		// their old sessions are gone, the new ones begin.
		g.a.log.InfoContext(ctx, "discord gateway changes its number of shards")
		pause(ctx, g.a.gatewayTimes.leaseTTL)
	}
}

// watchCount returns when Discord recommends another number of shards. All
// replicas look at the same times of the clock they share.
func (g *gateway) watchCount(ctx context.Context, count int) {
	for {
		every := g.a.gatewayTimes.infoEvery
		wait := every - time.Duration(g.a.clock.Now().UnixNano())%every
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-g.reshard:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
		if err := g.readInfo(ctx); err != nil {
			g.a.log.WarnContext(ctx, "discord gateway shards not read", "error", err)
			continue
		}
		if g.known().Shards != count {
			return
		}
	}
}

// compete takes shards that nobody leads, one at a time, until ctx ends, and
// returns when all that it led are closed.
func (g *gateway) compete(ctx context.Context, count int) {
	t := g.a.gatewayTimes
	var group sync.WaitGroup
	defer group.Wait()
	g.health.shards(count)
	g.mu.Lock()
	clear(g.resting)
	g.mu.Unlock()
	for ctx.Err() == nil {
		wait := t.about(t.renewEvery)
		took := g.takeOne(ctx, count)
		if took != nil {
			group.Go(func() { g.lead(ctx, took) })
			if count > 1 {
				wait = t.about(t.sharePause)
			}
		}
		pause(ctx, wait)
	}
}

// maxTries bounds how many leases a replica asks for in one round.
const maxTries = 32

// takeOne takes the lease of a shard that is free, if there is one.
func (g *gateway) takeOne(ctx context.Context, count int) *shard {
	first := rand.IntN(count) //nolint:gosec // Any beginning will do.
	for tries := 0; tries < min(count, maxTries) && ctx.Err() == nil; tries++ {
		id := (first + tries) % count
		if g.health.leads(id) || g.rests(id) {
			continue
		}
		l := &lease{g: g, name: leaseName(id, count), asked: make(chan leaseAnswer, 1)}
		got := l.ask(ctx)
		if ctx.Err() != nil {
			if got.ok {
				l.release(ctx)
			}
			return nil
		}
		if got.err != nil {
			continue
		}
		g.health.asked()
		if got.ok {
			l.end.Store(&got.end)
			return newShard(g, l, id, count)
		}
		g.health.elsewhere(id)
	}
	return nil
}

func (g *gateway) rests(id int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.resting[id])
}

// lead keeps the connection of a shard for as long as this replica has its
// lease.
func (g *gateway) lead(ctx context.Context, s *shard) {
	g.health.lead(s.id)
	g.a.metrics.leading.Inc()
	defer g.a.metrics.leading.Dec()
	log := g.a.log.With("shard", s.id, "shards", s.count)
	log.InfoContext(ctx, "discord gateway shard is led here")

	held, lose := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	group.Go(func() { s.lease.keep(held, lose) })
	refused := s.run(held)
	cause := context.Cause(held)
	lose(nil)
	group.Wait()
	if cause != nil && ctx.Err() == nil {
		log.WarnContext(ctx, "discord gateway shard is no longer led here", "error", cause)
	}
	if refused != "" {
		// Perhaps another replica has better credentials.
		g.mu.Lock()
		g.resting[s.id] = time.Now().Add(g.a.gatewayTimes.about(g.a.gatewayTimes.fatalPause))
		g.mu.Unlock()
	}
	if !errors.Is(cause, errLeaseTaken) {
		s.lease.release(ctx)
	}
	// Only now may this replica take the same lease again.
	g.health.leave(s.id, refused)
}

// GatewayHealth says what is wrong with the gateway in one sentence, or nil:
// then each shard either has a heartbeat that was acknowledged within its
// interval, or is led by another replica.
func (a *Adapter) GatewayHealth() error {
	g := a.gateway.Load()
	if g == nil {
		return errors.New("discord gateway is not running")
	}
	if err := g.health.check(time.Now(), a.gatewayTimes.leaseTTL); err != nil {
		return fmt.Errorf("discord gateway: %w", err)
	}
	return nil
}

// pause waits, or returns when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
