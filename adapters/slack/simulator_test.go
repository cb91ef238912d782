package slack

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/core/inbox"
	"github.com/laurelbot/laurel/playground/slacksim"
	"github.com/laurelbot/laurel/playground/slacksim/slacktest"
)

// While Slack renews every connection over and over nothing is lost, nothing
// is answered late or in the wrong place, and few connections are open.
func TestSimulatedRefreshes(t *testing.T) {
	t.Parallel()
	const (
		notice  = time.Second
		pace    = 20 * time.Millisecond
		rounds  = 3
		senders = 4
	)
	sim, err := slacksim.Start(slacksim.Config{SocketMode: true, PingInterval: 50 * time.Millisecond, RefreshNotice: notice})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	sim.AddUser(slacksim.User{ID: "U1", Name: "Ada", RealName: "Ada Example", Locale: "en-GB", TZ: "Europe/London", Email: "ada@example.org"})
	keys, err := core.NewKeys(make([]byte, core.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	logs, kept := &lockedBuffer{}, &testInbox{seen: map[string]inbox.Message{}}
	handler := newTestHandler(chat.Answer{Card: card("List")})
	handler.actions = make(chan chat.Action, 10_000)
	a, err := New(Config{
		APIURL: sim.APIURL(), BotToken: core.Secret(sim.Config().BotToken), AppToken: core.Secret(sim.Config().AppToken),
		Clock: &testClock{now: time.Now()}, Keys: keys, Handler: handler, Inbox: kept, Log: slog.New(slog.NewTextHandler(logs, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.socketTimes.spareWait, a.socketTimes.settled, a.socketTimes.firstWait = 0, 0, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.RunSocket(ctx) }()
	slacktest.New(t, sim).Connected(socketsInUse)
	var people sync.WaitGroup
	sent := make([]int, senders)
	over, stop := context.WithCancel(t.Context())
	defer stop()
	for i := range senders {
		people.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for over.Err() == nil {
				sent[i]++
				res, err := sim.Command(t.Context(), "U1", sim.DM("U1"), "/badges", "help")
				if err != nil || !res.OK() || res.Message == nil {
					t.Errorf("command: %+v, %v", res, err)
				}
				event := map[string]any{"type": "app_uninstalled", "note": fmt.Sprint(i, sent[i])}
				if res, err = sim.Event(t.Context(), event); err != nil || !res.OK() {
					t.Errorf("event: %+v, %v", res, err)
				}
				select {
				case <-tick.C:
				case <-over.Done():
				}
			}
		})
	}
	for range rounds {
		sim.RefreshConnections()
		patient, end := context.WithTimeout(t.Context(), patience)
		err := sim.Eventually(patient, func() bool {
			open := sim.Connections()
			return len(open) == socketsInUse && !slices.ContainsFunc(open, func(c slacksim.Connection) bool { return c.Warned })
		})
		end()
		if err != nil {
			t.Errorf("not renewed: %+v", sim.Connections())
		}
	}
	stop()
	people.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := a.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	stats := sim.Sockets()
	if stats.Most > ownSockets || stats.StrayAcks > 0 || stats.LargeAcks > 0 || stats.TurnedAway > 0 || stats.Opened != (rounds+1)*socketsInUse {
		t.Errorf("got %+v", stats)
	}
	want := 0
	for _, n := range sent {
		want += n
	}
	if len(handler.actions) != want || len(kept.seen) != want {
		t.Errorf("%d actions and %d events of %d", len(handler.actions), len(kept.seen), want)
	}
	if t.Failed() {
		t.Logf("log:\n%s", logs)
	}
}
