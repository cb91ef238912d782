package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/laurelbot/laurel/core"
)

// shard keeps one connection to the gateway and goes on with its session for
// as long as this replica leads it. A session is never handed to another
// replica: what both would be told again, both would answer.
type shard struct {
	g         *gateway
	lease     *lease
	id, count int
	session   session
	seq       atomic.Int64
}

func newShard(g *gateway, l *lease, id, count int) *shard {
	return &shard{g: g, lease: l, id: id, count: count}
}

// run connects again and again until ctx ends, or returns why that makes no
// sense.
func (s *shard) run(ctx context.Context) (refused string) {
	t := s.g.a.gatewayTimes
	failures, short := 0, 0
	for ctx.Err() == nil {
		end := s.connect(ctx)
		s.g.a.metrics.connections.WithLabelValues(end.name).Inc()
		if ctx.Err() != nil {
			return ""
		}
		s.g.a.log.InfoContext(ctx, "discord gateway connection ended", "shard", s.id, "end", end.name)
		s.g.health.doing(s.id, end.reason)
		switch end.next {
		case stepFatal:
			return end.reason
		case stepReshard:
			select {
			case s.g.reshard <- struct{}{}:
			default:
			}
			return end.reason
		case stepFresh:
			s.session = session{}
			s.seq.Store(0)
		}
		failures++
		if end.established {
			failures = 0
		}
		wait := max(end.wait, t.backoff(failures))
		// New sessions are few: one after another that does not last is paid
		// for with longer waits.
		switch {
		case end.fresh && end.lived < t.shortSession:
			short++
		case end.lived >= t.shortSession:
			short = 0
		}
		if short > 1 && s.session.id == "" {
			wait = max(wait, t.about(t.sessionPause<<min(short-2, 6)))
		}
		pause(ctx, wait)
	}
	return ""
}

// connect opens a connection and stays with it to its end.
func (s *shard) connect(ctx context.Context) connEnd {
	fresh := s.session.id == ""
	address := s.session.url
	if fresh {
		if err := s.awaitStart(ctx); err != nil {
			if core.ClassOf(err) == core.InstallationDead {
				return connEnd{next: stepFatal, name: "refused", reason: fatalCloses[closeAuthentication] + " (status 401)"}
			}
			end := connEnd{name: "not_begun", reason: err.Error()}
			var d *core.DeliveryError
			if errors.As(err, &d) {
				end.wait = min(d.After, s.g.a.gatewayTimes.reconnectMax)
			}
			return end
		}
		address = s.first()
	}
	ws, err := s.dial(ctx, address)
	if err != nil {
		if !fresh {
			// Perhaps only the address of the session is gone.
			s.session.url = s.first()
		}
		return connEnd{name: "not_reached", reason: "the gateway cannot be reached"}
	}
	return newConn(s, ws, address).run(ctx)
}

// first is where new connections begin; it was checked when it was read.
func (s *shard) first() string {
	u, err := gatewayURL(s.g.known().URL)
	if err != nil {
		return ""
	}
	return u.String()
}

func (s *shard) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	within := s.g.a.gatewayTimes.helloWithin
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	d := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: within}
	ws, resp, err := d.DialContext(ctx, address, http.Header{"User-Agent": {userAgent}})
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("dial gateway: %w", err)
	}
	ws.SetReadLimit(maxFrame)
	return ws, nil
}

// awaitStart waits until a session may be started: the last twentieth of the
// day's is not touched, because one too many resets the bot's token
// (https://discord.com/developers/docs/events/gateway#session-start-limit-object).
func (s *shard) awaitStart(ctx context.Context) error {
	for again := false; ; again = true {
		if again || !s.g.fresh() {
			if err := s.g.readInfo(ctx); err != nil {
				return err
			}
		}
		limit := s.g.known().SessionStartLimit
		if limit.Total < 1 || limit.Remaining*20 >= limit.Total {
			return nil
		}
		reset := max(time.Duration(limit.ResetAfter)*time.Millisecond, time.Second)
		reason := fmt.Sprintf("only %d of %d sessions of the day are left, it waits for more until %s",
			limit.Remaining, limit.Total, stamp(time.Now().Add(reset)))
		s.g.health.doing(s.id, reason)
		s.g.a.log.WarnContext(ctx, "discord gateway waits for its session start limit", "shard", s.id, "remaining", limit.Remaining)
		pause(ctx, min(reset, s.g.a.gatewayTimes.infoEvery))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// awaitTurn waits for the turn of this shard's bucket over all replicas
// (https://discord.com/developers/docs/events/gateway#rate-limiting).
func (s *shard) awaitTurn(ctx context.Context) error {
	buckets := s.g.known().SessionStartLimit.MaxConcurrency
	name := fmt.Sprintf("%s%d", limitIdentify, s.id%max(1, buckets))
	rate := core.Rate{Interval: s.g.a.gatewayTimes.identifyEvery, Burst: 1}
	for {
		err := s.g.a.limits.pace.Wait(ctx, name, rate)
		if err == nil {
			return nil
		}
		var d *core.DeliveryError
		if ctx.Err() != nil || !errors.As(err, &d) {
			return err
		}
		pause(ctx, max(d.After, rate.Interval/50))
	}
}
