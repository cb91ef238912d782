package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// fakeLimiter is a limiter of several replicas that lets through what is not
// closed and has permits left.
type fakeLimiter struct {
	mu     sync.Mutex
	waits  map[string][]core.Rate
	closed map[string]time.Duration
	left   map[string]int
}

var _ core.Limiter = (*fakeLimiter)(nil)

func newFakeLimiter() *fakeLimiter {
	return &fakeLimiter{waits: map[string][]core.Rate{}, closed: map[string]time.Duration{}, left: map[string]int{}}
}

func (l *fakeLimiter) Wait(ctx context.Context, name string, rate core.Rate) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if after := l.closed[name]; after > 0 {
		return &core.DeliveryError{Class: core.RetryLater, Code: "limit", After: after}
	}
	if left, ok := l.left[name]; ok {
		if left == 0 {
			return &core.DeliveryError{Class: core.RetryLater, Code: "limit", After: rate.Interval}
		}
		l.left[name]--
	}
	l.waits[name] = append(l.waits[name], rate)
	return nil
}

func (l *fakeLimiter) Close(_ context.Context, name string, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed[name] = max(l.closed[name], after)
}

func (l *fakeLimiter) count(name string, rate core.Rate) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, r := range l.waits[name] {
		if r == rate {
			n++
		}
	}
	return n
}

func (l *fakeLimiter) closedFor(name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed[name]
}

// twoReplicas share a limiter and a Discord.
func twoReplicas(t *testing.T) (a, b *fixture, shared *fakeLimiter) {
	t.Helper()
	shared = newFakeLimiter()
	a, b = newFixture(t, nil), newFixture(t, nil)
	for _, f := range []*fixture{a, b} {
		f.limits.pace, f.limits.shared = shared, true
	}
	return a, b, shared
}

const okMessage = `{"id":"1","channel_id":"2"}`

func TestBotRoute(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string][2]string{
		"https://discord.com/api/v9/channels/12/messages/34":         {"PATCH/api/v9/channels/:id/messages/:id", "12"},
		"https://discord.com/api/v9/channels/12/messages?limit=3":    {"PATCH/api/v9/channels/:id/messages", "12"},
		"https://discord.com/api/v9/users/@me/channels":              {"PATCH/api/v9/users/@me/channels", ""},
		"https://discord.com/api/v9/applications/12/commands":        {"PATCH/api/v9/applications/:id/commands", ""},
		"https://discord.com/api/v9/guilds/5/channels/12/messages/3": {"PATCH/api/v9/guilds/:id/channels/:id/messages/:id", "5"},
	} {
		if r := botRoute("PATCH", endpoint); r.template != want[0] || r.major != want[1] {
			t.Errorf("%s: %+v", endpoint, r)
		}
	}
}

// Every call with the bot's token takes from the pace of all replicas, and
// none of those by an interaction's token.
func TestGlobalPaceIsShared(t *testing.T) {
	t.Parallel()
	a, b, shared := twoReplicas(t)
	for _, f := range []*fixture{a, b} {
		for _, p := range []core.Place{messagePlace(testChan, testMsg, start), originalPlace(true)} {
			if _, err := f.Show(t.Context(), p, aCard, "k"); err != nil {
				t.Fatal(err)
			}
		}
	}
	rate := globalRate()
	if n := shared.count(limitGlobal, rate); n != 2 {
		t.Errorf("%d permits", n)
	}
	if inWindow := int(1100*time.Millisecond/rate.Interval) + rate.Burst; inWindow > 50 {
		t.Errorf("%d calls in 1.1 s", inWindow)
	}
}

func TestRouteIsClosedInAllReplicas(t *testing.T) {
	t.Parallel()
	a, b, shared := twoReplicas(t)
	headers := []string{"X-RateLimit-Bucket", "b1", "X-RateLimit-Limit", "5", "X-RateLimit-Remaining", "4", "X-RateLimit-Reset-After", "5"}
	p, other := messagePlace(testChan, testMsg, start), messagePlace(testGuild, otherMsg, start)
	for _, f := range []*fixture{a, b} {
		f.api.respond(200, okMessage, headers...)
		if _, err := f.Show(t.Context(), p, aCard, "k"); err != nil {
			t.Fatal(err)
		}
	}
	a.api.respond(429, `{"retry_after":30,"global":false}`, "X-RateLimit-Bucket", "b1", "X-RateLimit-Scope", "shared")
	if _, err := a.Show(t.Context(), p, aCard, "k"); core.ClassOf(err) != core.RetryLater {
		t.Fatal(err)
	}
	_, err := b.Show(t.Context(), p, aCard, "k")
	var d *core.DeliveryError
	if !errors.As(err, &d) || d.Class != core.RetryLater || d.After != 30*time.Second {
		t.Errorf("the other replica: %v", err)
	}
	// Another message of that channel is of the same bucket, another channel
	// is not.
	if _, err := b.Show(t.Context(), messagePlace(testChan, otherMsg, start), aCard, "k"); core.ClassOf(err) != core.RetryLater {
		t.Error(err)
	}
	if _, err := b.Show(t.Context(), other, aCard, "k"); err != nil {
		t.Error(err)
	}
	if shared.closedFor(limitGlobal) != 0 {
		t.Error("everything is closed")
	}
	for name := range shared.closed {
		if strings.Contains(name, testChan) || !strings.HasPrefix(name, limitRoute) {
			t.Errorf("closed %s", name)
		}
	}
}

func TestGlobal429ClosesEverything(t *testing.T) {
	t.Parallel()
	a, b, shared := twoReplicas(t)
	a.api.respond(429, `{"retry_after":3,"global":true}`)
	if _, err := a.Show(t.Context(), originalPlace(true), aCard, "k"); core.ClassOf(err) != core.RetryLater {
		t.Fatal(err)
	}
	if got := shared.closedFor(limitGlobal); got != 3*time.Second {
		t.Errorf("closed for %v", got)
	}
	for _, f := range []*fixture{a, b} {
		if _, err := f.Show(t.Context(), messagePlace(testChan, testMsg, start), aCard, "k"); core.ClassOf(err) != core.RetryLater {
			t.Error(err)
		}
	}
	if _, err := a.Show(t.Context(), followupPlace(), aCard, "k"); core.ClassOf(err) != core.RetryLater {
		t.Error(err)
	}
	if n := len(a.api.all()) + len(b.api.all()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// When the invalid requests of all replicas are used up, nothing is sent.
func TestInvalidBudget(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func() (*fixture, int){
		"alone": func() (*fixture, int) { return newFixture(t, nil), invalidRate().Burst },
		"shared": func() (*fixture, int) {
			a, _, shared := twoReplicas(t)
			shared.left[limitInvalid] = 3
			return a, 3
		},
	} {
		a, budget := f()
		a.api.respond(403, `{"code":50013}`)
		sent := 0
		for i := range 200 {
			p := messagePlace(strconv.Itoa(1000+i), testMsg, start)
			if i%2 == 0 {
				p = tokenPlace(ref{Kind: refOriginal, Token: "token" + strconv.Itoa(i), Created: start.UnixMilli()})
				p.Shown = true
			}
			_, err := a.Show(t.Context(), p, aCard, "k")
			if core.ClassOf(err) == core.TargetDead {
				sent++
			} else if core.ClassOf(err) != core.RetryLater {
				t.Fatal(err)
			}
		}
		if sent != budget+1 || len(a.api.all()) != sent {
			t.Errorf("%s: %d sent of a budget of %d", name, sent, budget)
		}
		// Acknowledgements go on.
		in := &interaction{ID: snowflakeAt(start), Token: testHook}
		if err := a.hooks.callback(t.Context(), in, callback{Type: callbackPong}); core.ClassOf(err) != core.TargetDead {
			t.Error(err)
		}
	}
	rate := invalidRate()
	if inTenMinutes := int(10*time.Minute/rate.Interval) + rate.Burst; inTenMinutes >= 90 {
		t.Errorf("%d in ten minutes", inTenMinutes)
	}
}

// After that each call takes one of the requests that come back, until one
// is answered well.
func TestProbation(t *testing.T) {
	t.Parallel()
	a, _, shared := twoReplicas(t)
	show := func(channel int) error {
		_, err := a.Show(t.Context(), messagePlace(strconv.Itoa(channel), testMsg, start), aCard, "k")
		return err
	}
	shared.left[limitInvalid] = 0
	a.api.respond(403, `{"code":50013}`)
	if err := show(1000); core.ClassOf(err) != core.TargetDead {
		t.Fatal(err)
	}
	if got := shared.closedFor(limitGlobal); got != invalidRate().Interval {
		t.Errorf("closed for %v", got)
	}
	delete(shared.closed, limitGlobal)
	if err := show(1001); core.ClassOf(err) != core.RetryLater {
		t.Error(err)
	}
	shared.left[limitInvalid] = 1
	if err := show(1002); core.ClassOf(err) != core.TargetDead {
		t.Error(err)
	}
	if err := show(1003); core.ClassOf(err) != core.RetryLater {
		t.Error(err)
	}
	shared.left[limitInvalid] = 1
	a.api.respond(200, okMessage)
	for channel := range 5 {
		if err := show(1004 + channel); err != nil {
			t.Error(err)
		}
	}
}

// A token that Discord does not know is not used again: at once when it is
// old, after a few tries when its acknowledgement may still be on its way.
func TestUnknownTokenIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]int{0: earlyTries + 1, ackGrace: 1} {
		f := newFixture(t, nil)
		f.clock.move(age)
		f.api.respond(404, fmt.Sprintf(`{"code":%d}`, codeUnknownWebhook))
		for range 20 {
			if _, err := f.Show(t.Context(), originalPlace(true), aCard, "k"); err == nil {
				t.Fatal("shown")
			}
			if _, err := f.Show(t.Context(), followupPlace(), aCard, "k"); err == nil {
				t.Fatal("shown")
			}
		}
		if n := len(f.api.all()); n != want {
			t.Errorf("%d calls at %v, want %d", n, age, want)
		}
		if _, err := f.Show(t.Context(), originalPlace(true), aCard, "k"); core.ClassOf(err) != core.PlaceGone {
			t.Error(err)
		}
	}
	f := newFixture(t, nil)
	f.api.respond(404, fmt.Sprintf(`{"code":%d}`, codeUnknownMessage))
	for range 3 {
		if _, err := f.Show(t.Context(), originalPlace(true), aCard, "k"); core.ClassOf(err) != core.PlaceGone {
			t.Error(err)
		}
	}
	f.api.respond(200, okMessage)
	if _, err := f.Show(t.Context(), followupPlace(), aCard, "k"); err != nil || len(f.api.all()) != 2 {
		t.Errorf("%d calls, %v", len(f.api.all()), err)
	}
}

func answer(status int, body string, header ...string) *note {
	n := &note{status: status, body: []byte(body), header: http.Header{}}
	for i := 0; i+1 < len(header); i += 2 {
		n.header.Set(header[i], header[i+1])
	}
	return n
}

func TestGates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r := botRoute("POST", "https://discord.com/api/v9/channels/1/messages")
	left := func(n int) *note {
		return answer(200, "", "X-RateLimit-Bucket", "b", "X-RateLimit-Limit", "3",
			"X-RateLimit-Remaining", strconv.Itoa(n), "X-RateLimit-Reset-After", "5")
	}
	var g gates
	name, rate := g.shared(r)
	if rate.Interval*time.Duration(rate.Burst) > time.Hour || !strings.HasPrefix(name, limitRoute) {
		t.Errorf("unknown: %s %v", name, rate)
	}
	if wait := g.enter(r, now); wait != 0 {
		t.Error(wait)
	}
	g.observe(r, left(2), now)
	for range 2 {
		if wait := g.enter(r, now); wait != 0 {
			t.Error(wait)
		}
	}
	if wait := g.enter(r, now); wait != 5*time.Second {
		t.Errorf("the bucket is used up: %v", wait)
	}
	// An answer to an earlier call gives nothing back.
	g.observe(r, left(1), now.Add(time.Millisecond))
	if wait := g.enter(r, now.Add(2*time.Millisecond)); wait <= 0 {
		t.Error("calls that are on their way count")
	}
	// The next window has its own.
	next := now.Add(6 * time.Second)
	for range 3 {
		if wait := g.enter(r, next); wait != 0 {
			t.Error(wait)
		}
	}
	if wait := g.enter(r, next); wait <= 0 {
		t.Error("the next window has no end")
	}
	if _, rate = g.shared(r); rate.Burst+int(5*time.Second/rate.Interval) > 3 {
		t.Errorf("shared rate %v", rate)
	}
	// The network edge closes everything here, but names no limit of Discord.
	if told := g.observe(r, answer(429, "<html>"), next); told.global != 0 || told.route != 0 {
		t.Errorf("told %+v", told)
	}
	if wait := g.enter(route{template: "x", exact: "x", urgent: true}, next); wait != defaultRetryAfter {
		t.Error(wait)
	}
}

func TestGatesForget(t *testing.T) {
	t.Parallel()
	var g gates
	now := time.Now()
	for i := range 10 * gatesSweep {
		r := hookRoute("PATCH", pathOriginal, strconv.Itoa(i))
		g.observe(r, answer(200, "", "X-RateLimit-Bucket", "b", "X-RateLimit-Limit", "5", "X-RateLimit-Remaining", "4",
			"X-RateLimit-Reset-After", "1"), now.Add(time.Duration(i)*10*time.Millisecond))
	}
	if n := len(g.buckets) + len(g.closed); n > 2*gatesSweep {
		t.Errorf("%d remembered", n)
	}
}

func TestLocalPace(t *testing.T) {
	t.Parallel()
	p := newLocalPace()
	rate := core.Rate{Interval: time.Hour, Burst: 1}
	if err := p.Wait(t.Context(), "x", rate); err != nil {
		t.Error(err)
	}
	err := p.Wait(t.Context(), "x", rate)
	var d *core.DeliveryError
	if !errors.As(err, &d) || d.Class != core.RetryLater || d.After < 59*time.Minute || d.After > time.Hour {
		t.Error(err)
	}
	p.Close(t.Context(), "y", time.Minute)
	if err := p.Wait(t.Context(), "y", rate); core.ClassOf(err) != core.RetryLater {
		t.Error(err)
	}
	if err := p.Wait(t.Context(), "z", rate); err != nil {
		t.Error(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Wait(canceled, "w", rate); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
