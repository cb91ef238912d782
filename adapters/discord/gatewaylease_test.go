package discord

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// At its end a replica leaves a session that Discord keeps, and the next one
// takes over without waiting for the lease to run out.
func TestGatewayHandsOver(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	a, b := newReplica(t, gw, posted()), newReplica(t, gw, posted())
	b.leases = a.leases
	for _, r := range []*replica{a, b} {
		r.gatewayTimes.leaseTTL, r.gatewayTimes.leaseMargin = time.Hour, time.Minute
	}
	a.run(t, "a")
	first := receive(t, gw.conns)
	first.ready(t, gw)
	b.run(t, "b")
	eventually(t, "a healthy replica that stands by", func() bool { return b.GatewayHealth() == nil })
	if len(gw.conns) != 0 {
		t.Error("the one that stands by has connected")
	}
	a.stop()
	if code := receive(t, first.closed); code == 1000 || code == 1001 || code == 0 {
		t.Errorf("closed with %d", code)
	}
	second := receive(t, gw.conns)
	second.ready(t, gw)
	second.event(2, "INTERACTION_CREATE", aCommand)
	b.awaitCallback(t)
	if len(a.callbacks()) != 0 {
		t.Error("both answered")
	}
}

// What is on its way when the end begins is still answered.
func TestGatewayAnswersWhatIsOnItsWayAtTheEnd(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	gw.open = true
	r := newReplica(t, gw, posted())
	r.gatewayTimes.linger = waitToFail
	r.run(t, "a")
	c := receive(t, gw.conns)
	c.ready(t, gw)
	eventually(t, "health", func() bool { return r.GatewayHealth() == nil })
	r.stop()
	receive(t, c.closed)
	c.event(2, "INTERACTION_CREATE", aCommand)
	r.awaitCallback(t)
	_ = c.ws.Close()
}

// A replica that cannot renew is silent before another one can begin.
func TestGatewayStoreGone(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	a, b := newReplica(t, gw, posted()), newReplica(t, gw, posted())
	b.leases = a.leases
	a.run(t, "a")
	first := receive(t, gw.conns)
	first.ready(t, gw)
	b.run(t, "b")
	a.leases.lose("a")
	if code := receive(t, first.closed); code != closeResumable {
		t.Errorf("closed with %d", code)
	}
	closed := time.Now()
	a.leases.mu.Lock()
	end := a.leases.leases[leaseName(0, 1)].end
	a.leases.mu.Unlock()
	if !closed.Before(end) {
		t.Errorf("closed %v after the lease's end", closed.Sub(end))
	}
	second := receive(t, gw.conns)
	if time.Now().Before(end) {
		t.Error("another one began before the lease's end")
	}
	second.ready(t, gw)
	eventually(t, "a health that tells of the store", func() bool {
		err := a.GatewayHealth()
		return err != nil && strings.Contains(err.Error(), "the store does not say who leads, since")
	})
	if err := b.GatewayHealth(); err != nil {
		t.Error(err)
	}
}

// A process that stood still beyond its lease answers nothing of what it
// finds in its connection.
func TestGatewayLateProcessIsSilent(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	g := &gateway{a: r.Adapter, leases: r.leases, holder: "a"}
	l := &lease{g: g}
	past := time.Now().Add(-time.Millisecond)
	l.end.Store(&past)
	c := &conn{s: newShard(g, l, 0, 1)}
	e, err := decodeFrame([]byte(`{"op":0,"s":9,"t":"INTERACTION_CREATE","d":` + aCommand + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if end := c.dispatch(t.Context(), e); end != nil {
		t.Error(end)
	}
	if err := r.Drain(t.Context()); err != nil || len(r.api.all()) != 0 {
		t.Errorf("%d calls, %v", len(r.api.all()), err)
	}
}

func TestGatewayShardsAreShared(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	gw.tell(4, 4, 1000, 1000, 0)
	a, b := newReplica(t, gw, posted()), newReplica(t, gw, posted())
	b.leases = a.leases
	for _, r := range []*replica{a, b} {
		r.gatewayTimes.leaseTTL, r.gatewayTimes.leaseMargin = time.Hour, time.Minute
		r.gatewayTimes.sharePause = 300 * time.Millisecond
	}
	a.run(t, "a")
	b.run(t, "b")
	seen := map[[2]int]int{}
	for range 4 {
		seen[receive(t, gw.conns).ready(t, gw).Shard]++
	}
	for shard := range 4 {
		if seen[[2]int{shard, 4}] != 1 {
			t.Errorf("shards %v", seen)
		}
	}
	by := map[string]int{}
	for range 4 {
		_, holder, _ := strings.Cut(receive(t, a.leases.handed), " ")
		by[holder]++
	}
	if by["a"] == 0 || by["b"] == 0 {
		t.Errorf("led by %v", by)
	}
	for _, r := range []*replica{a, b} {
		eventually(t, "health", func() bool { return r.GatewayHealth() == nil })
	}
}

func TestGatewayStartLimits(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	gw.tell(4, 2, 1000, 49, 3_600_000)
	r := newReplica(t, gw, posted())
	shared := newFakeLimiter()
	r.limits.pace, r.limits.shared = shared, true
	r.gatewayTimes.infoEvery = 50 * time.Millisecond
	r.gatewayTimes.sharePause = time.Millisecond
	r.run(t, "a")
	eventually(t, "a health that tells of the limit", func() bool {
		err := r.GatewayHealth()
		return err != nil && strings.Contains(err.Error(), "only 49 of 1000 sessions of the day are left")
	})
	if len(gw.conns) != 0 {
		t.Error("it connected")
	}
	gw.tell(4, 2, 1000, 50, 3_600_000)
	for range 4 {
		receive(t, gw.conns).ready(t, gw)
	}
	rate := core.Rate{Interval: r.gatewayTimes.identifyEvery, Burst: 1}
	for _, name := range []string{"discord/identify/0", "discord/identify/1"} {
		// A connection that a busy machine lets wait begins again, with a permit.
		if n := shared.count(name, rate); n < 2 {
			t.Errorf("%s: %d permits", name, n)
		}
	}
}

func TestUsualGatewayTimes(t *testing.T) {
	t.Parallel()
	u := usualGatewayTimes()
	if u.leaseTTL-u.leaseMargin <= 2*u.renewEvery || u.identifyEvery <= 5*time.Second || u.ackWithin >= 3*time.Second {
		t.Errorf("times %+v", u)
	}
	for failures := range 100 {
		wait := u.backoff(failures)
		if wait < 0 || wait > u.reconnectMax*5/4 || failures > 0 && wait < u.reconnectMin*3/4 {
			t.Errorf("%d: %v", failures, wait)
		}
	}
}

func TestGatewayHealthTellsSince(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var h gatewayHealth
	h.begin(now)
	h.shards(2)
	check := func(at time.Time, want string) {
		t.Helper()
		err := h.check(at, 6*time.Second)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	check(now, "it begins")
	check(now.Add(7*time.Second), "the store does not say who leads")
	h.asked()
	check(now.Add(time.Second), "")
	h.lead(0)
	check(now.Add(time.Second), "shard 0 has no session since "+stamp(now)+": connecting")
	h.alive(0, 40*time.Second)
	check(now.Add(10*time.Second), "")
	h.mu.Lock()
	h.store = now.Add(time.Minute)
	h.mu.Unlock()
	check(now.Add(44*time.Second), "")
	h.doing(0, "the connection was silent, it is replaced")
	check(now.Add(46*time.Second), "shard 0 has no acknowledged heartbeat since "+stamp(now)+": the connection was silent")
	h.leave(0, "refused")
	check(now.Add(46*time.Second), "refused, since")
	h.elsewhere(0)
	check(now.Add(46*time.Second), "")
	h.trouble("the address is gone")
	check(now.Add(46*time.Second), "the address is gone, since")
	h.trouble("")
	check(now.Add(46*time.Second), "")
}

// A lease that comes back late is given up again.
func TestLeaseAnsweredAfterTheEnd(t *testing.T) {
	t.Parallel()
	gw := newFakeGateway(t, time.Minute)
	r := newReplica(t, gw, posted())
	g := &gateway{a: r.Adapter, leases: r.leases, holder: "a", resting: map[int]time.Time{}}
	g.health.begin(time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	g.leases = cancelling{r.leases, cancel}
	if s := g.takeOne(ctx, 1); s != nil {
		t.Error("took a shard after the end")
	}
	r.leases.mu.Lock()
	defer r.leases.mu.Unlock()
	if len(r.leases.leases) != 0 {
		t.Errorf("leases %v", r.leases.leases)
	}
}

type cancelling struct {
	*fakeLeases
	cancel context.CancelFunc
}

func (c cancelling) TakeLease(ctx context.Context, name, holder string, now time.Time, ttl time.Duration) (bool, error) {
	ok, err := c.fakeLeases.TakeLease(ctx, name, holder, now, ttl)
	c.cancel()
	return ok, err
}
