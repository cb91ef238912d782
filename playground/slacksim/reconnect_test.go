package slacksim_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// attempts lists the retry attempts of the events that arrived.
func (a *app) attempts() []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []int
	for _, e := range a.envelopes {
		if e.Type == socketmode.RequestTypeEventsAPI {
			out = append(out, e.RetryAttempt)
		}
	}
	return out
}

func settled(sim *slacksim.Server, n int) func() bool {
	return func() bool {
		got := sim.Events()
		return got.Sent == n && got.Taken == n
	}
}

// TestNoConnection: people see the failure at once, events wait.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode = true })
	ctx := t.Context()
	res, err := sim.Command(ctx, ada, team, "/badges", "")
	if err != nil || res.UserError != "dispatch_failed" || !errors.Is(res.Err, slacksim.ErrNoConnection) {
		t.Errorf("command: %+v, %v", res, err)
	}
	slacktest.New(t, sim).As(ada).In(team).ExpectEphemeral("dispatch_failed")
	if res, err = sim.OpenHome(ctx, ada, "home"); err != nil || !errors.Is(res.Err, slacksim.ErrNoConnection) {
		t.Errorf("event: %+v, %v", res, err)
	}
	if got := sim.Events(); got.Sent != 1 || got.Waiting != 1 || got.Repeated != 0 {
		t.Errorf("events: %+v", got)
	}
	a := newSocketApp(t, sim)
	eventually(t, sim, "the event", settled(sim, 1))
	if got := a.attempts(); len(got) != 1 || got[0] != 1 {
		t.Errorf("attempts %v", got)
	}
}

// TestRefresh renews two connections in turn under a stream of events: none is
// lost, and each goes to one connection only.
func TestRefresh(t *testing.T) {
	t.Parallel()
	const events = 150
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode, c.RefreshNotice = true, 20*time.Millisecond })
	a := newSocketApp(t, sim)
	a.connect(sim)
	connected(t, sim, 2)
	for i := range events {
		if i%15 == 7 {
			// The one before may still be on its way out.
			all := slices.DeleteFunc(sim.Connections(), func(c slacksim.Connection) bool { return c.Warned || c.Leaving })
			if n := sim.RefreshConnections(all[0].ID); n != 1 {
				t.Errorf("refreshed %d", n)
			}
		}
		if _, err := sim.Say(t.Context(), ada, sim.DM(ada), fmt.Sprint("message ", i)); err != nil {
			t.Fatal(err)
		}
		if i%15 == 0 {
			connected(t, sim, 2)
		}
	}
	eventually(t, sim, "all events", settled(sim, events))
	connected(t, sim, 2)
	got := sim.Sockets()
	if got.Opened < 12 || got.Most > 4 || sim.Events().Lost != 0 {
		t.Errorf("sockets %+v, events %+v", got, sim.Events())
	}
	if n, again := len(a.attempts()), sim.Events().Repeated; n < events || n > events+again {
		t.Errorf("%d arrivals of %d events with %d repetitions", n, events, again)
	}
}

// TestRefreshMessages looks at a renewal on the wire: a patient client hears
// the warning and the request, still answers what it has, and is closed.
func TestRefreshMessages(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode, c.RefreshNotice = true, 100*time.Millisecond })
	c := dial(t, open(t, sim))
	c.next()
	connected(t, sim, 1)
	if sim.RefreshConnections() != 1 || sim.RefreshConnections() != 0 {
		t.Error("refreshed twice")
	}
	if m := c.next(); m.Type != "disconnect" || m.Reason != "warning" || m.DebugInfo.Host == "" {
		t.Errorf("first: %+v", m)
	}
	command := acting(t, func() (*slacksim.Result, error) { return sim.Command(t.Context(), ada, team, "/badges", "") })
	last := c.next()
	if m := c.next(); m.Type != "disconnect" || m.Reason != "refresh_requested" {
		t.Errorf("second: %+v", m)
	}
	if res, err := sim.Command(t.Context(), ada, team, "/badges", ""); err != nil || !errors.Is(res.Err, slacksim.ErrNoConnection) {
		t.Errorf("while leaving: %+v, %v", res, err)
	}
	c.ack(last.EnvelopeID, nil)
	if res := command(); !res.OK() {
		t.Errorf("acknowledged on the old connection: %+v", res)
	}
	c.closed(true)
}

// TestSilentConnection: the client notices that pings stay away and connects
// anew; what the silent connection swallowed comes again.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	clock := simclock.New()
	sim, _ := start(t, func(c *slacksim.Config) {
		c.SocketMode, c.Clock, c.PingInterval, c.AckTimeout = true, clock, 20*time.Millisecond, 500*time.Millisecond
	})
	a := &app{t: t}
	a.connect(sim, socketmode.OptionPingInterval(250*time.Millisecond))
	connected(t, sim, 1)
	if n := sim.FreezeConnections(); n != 1 {
		t.Fatalf("froze %d", n)
	}
	silent := sim.Connections()[0].ID
	res, err := sim.OpenHome(t.Context(), ada, "home")
	if err != nil || res.OK() || res.Connection != silent {
		t.Errorf("over the silent connection: %+v, %v", res, err)
	}
	connected(t, sim, 1)
	// The repetition at once may have gone the same way.
	eventually(t, sim, "its repetition", func() bool { return sim.Events().Waiting == 0 || sim.Events().Repeated > 0 })
	clock.Advance(time.Minute)
	eventually(t, sim, "the event", settled(sim, 1))
	if got := a.attempts(); len(got) != 1 || got[0] == 0 {
		t.Errorf("attempts %v", got)
	}
	if got := sim.Connections(); len(got) != 1 || got[0].ID == silent {
		t.Errorf("connections %+v", got)
	}
}

// TestDroppedConnection cuts a connection on which an event and a command are
// under way: the event goes over the other one, the command fails.
func TestDroppedConnection(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode = true })
	c := dial(t, open(t, sim))
	c.next()
	connected(t, sim, 1)
	event := acting(t, func() (*slacksim.Result, error) { return sim.OpenHome(t.Context(), ada, "home") })
	c.next()
	command := acting(t, func() (*slacksim.Result, error) { return sim.Command(t.Context(), ada, team, "/badges", "") })
	c.next()
	a := newSocketApp(t, sim)
	connected(t, sim, 2)
	if n := sim.DropConnections(sim.Connections()[0].ID); n != 1 || sim.DropConnections("unknown") != 0 {
		t.Fatalf("dropped %d", n)
	}
	c.closed(false)
	if res := event(); !errors.Is(res.Err, slacksim.ErrConnectionLost) {
		t.Errorf("event: %+v", res)
	}
	if res := command(); res.UserError != "dispatch_failed" || !errors.Is(res.Err, slacksim.ErrConnectionLost) {
		t.Errorf("command: %+v", res)
	}
	eventually(t, sim, "the event", settled(sim, 1))
	if got := a.attempts(); len(got) != 1 || got[0] != 1 {
		t.Errorf("attempts %v", got)
	}
}

// TestOpenRefused: the client comes back after refusals.
func TestOpenRefused(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.SocketMode = true })
	zero := 0
	sim.Fail(slacksim.Fault{Method: "apps.connections.open", Status: http.StatusTooManyRequests, RetryAfter: &zero})
	sim.Fail(slacksim.Fault{Method: "apps.connections.open", Status: http.StatusInternalServerError})
	a := newSocketApp(t, sim)
	if got := sim.Answers("apps.connections.open"); got.Calls != 3 || got.Limited != 1 || got.Statuses[500] != 1 || got.OK != 1 {
		t.Errorf("answers %+v", got)
	}
	a.on(func(slack.SlashCommand) any { return "here" }, nil)
	h := slacktest.New(t, sim)
	h.As(ada).In(team).Command("/badges", "").ExpectEphemeral("here")
	sim.DropConnections()
	connected(t, sim, 1)
	h.As(bert).In(team).Command("/badges", "").ExpectEphemeral("here")
	if got := sim.Sockets(); got.Opened != 2 {
		t.Errorf("sockets %+v", got)
	}
}

func TestDelayDelivery(t *testing.T) {
	t.Parallel()
	for name, reach := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, _ := start(t, func(c *slacksim.Config) { c.AckTimeout = 100 * time.Millisecond })
			reach(t, sim).on(func(slack.SlashCommand) any { return nil }, nil)
			sim.DelayDelivery(time.Second)
			if res, err := sim.Command(t.Context(), ada, team, "/badges", ""); err != nil || !res.TimedOut {
				t.Errorf("late: %+v, %v", res, err)
			}
			sim.DelayDelivery(0)
			if res, err := sim.Command(t.Context(), ada, team, "/badges", ""); err != nil || !res.OK() {
				t.Errorf("in time: %+v, %v", res, err)
			}
		})
	}
}

// TestUnansweredEvents follows the repetitions of an event that nobody takes,
// over both transports and by the simulation's clock.
func TestUnansweredEvents(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	sim, _ := start(t, func(c *slacksim.Config) {
		c.SocketMode, c.Clock, c.AckTimeout = true, clock, 20*time.Millisecond
	})
	c := dial(t, open(t, sim))
	c.next()
	connected(t, sim, 1)
	if res, err := sim.OpenHome(t.Context(), ada, "home"); err != nil || !res.TimedOut {
		t.Errorf("first: %+v, %v", res, err)
	}
	first := c.next()
	for i, wait := range []time.Duration{0, time.Minute, 5 * time.Minute} {
		if wait > 0 {
			clock.Advance(wait - time.Second)
			if got := sim.Events(); got.Repeated != i || got.Waiting != 1 {
				t.Errorf("before %s: %+v", wait, got)
			}
			clock.Advance(time.Second)
		}
		m := c.next()
		if *m.Attempt != i+1 || *m.RetryReason != "timeout" || string(m.Payload) != string(first.Payload) {
			t.Errorf("repetition %d: %+v", i+1, m)
		}
		eventually(t, sim, "the failure", func() bool { return sim.Events().Repeated == i+1 })
	}
	if got := sim.Events(); got.Lost != 1 || got.Waiting != 0 || got.Taken != 0 {
		t.Errorf("at last: %+v", got)
	}
}
