package discord

import (
	"strconv"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/playground/discordsim"
)

// No interaction is lost, doubled or paid for with a new session where the
// gateway lets a session be gone on with.
func TestGatewayFaultsOnSimulator(t *testing.T) {
	t.Parallel()
	h := newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Card: &chat.Card{Title: "Hello"}} })
	_, sim, ada, _ := onSim(t, h, true, discordsim.GatewayConfig{
		Heartbeat: 400 * time.Millisecond, IdentifyEvery: time.Millisecond,
	})
	gw := sim.Gateway()
	faults := []struct {
		name   string
		happen func() int
	}{
		{"op 7", func() int { return gw.AskReconnect("") }},
		{"op 1", func() int { return gw.AskHeartbeat("") }},
		{"op 9, resumable", func() int { return gw.Invalidate("", true) }},
		{"cut", func() int { return gw.Drop("") }},
		{"zombie", func() int { return gw.Freeze("") }},
		{"code 4000", func() int { return gw.Close("", 4000) }},
	}
	for _, f := range faults {
		for range 2 {
			eventually(t, "a session before "+f.name, gw.Ready)
			if n := f.happen(); n != 1 {
				t.Errorf("%s happened to %d", f.name, n)
			}
			ada.Command("badges", "list", nil).ExpectEphemeral("Hello")
		}
	}
	eventually(t, "a session", gw.Ready)
	st := gw.Stats()
	if st.Identifies != 1 || st.ResumesRefused != 0 || st.ResumedElsewhere != 0 || st.ClientCloses[1000]+st.ClientCloses[1001] != 0 {
		t.Errorf("stats %+v", st)
	}
	if got := len(h.actions); got != 2*len(faults) {
		t.Errorf("%d actions", got)
	}
	// A session that is over is begun anew.
	gw.Invalidate("", false)
	eventually(t, "a new session", func() bool { return gw.Stats().Started == 2 && gw.Ready() })
	ada.Command("badges", "list", nil).ExpectEphemeral("Hello")
	if st = gw.Stats(); st.Identifies != 2 || st.IdentifiesTooSoon != 0 {
		t.Errorf("stats %+v", st)
	}
}

// One of two replicas answers; when it ends, the other one does.
func TestGatewayReplicasOnSimulator(t *testing.T) {
	t.Parallel()
	h := newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Card: &chat.Card{Title: "One"}} })
	other := newTestHandler(func(chat.Action) chat.Answer { return chat.Answer{Card: &chat.Card{Title: "Two"}} })
	a, sim, ada, _ := onSim(t, h, true, discordsim.GatewayConfig{IdentifyEvery: time.Millisecond})
	leases, ok := a.gateway.Load().leases.(*fakeLeases)
	if !ok {
		t.Fatal("leases of another kind")
	}
	b := simAdapter(t, sim, other, true)
	runOnSim(t, b, sim, leases, "b")
	ada.Command("badges", "list", nil).ExpectEphemeral("One")
	if got := sim.Gateway().Stats().Started; got != 1 {
		t.Fatalf("%d sessions", got)
	}
	leases.lose("a")
	eventually(t, "a second session", func() bool { return sim.Gateway().Stats().Started == 2 })
	ada.Command("badges", "list", nil).ExpectEphemeral("Two")
	if len(h.actions) != 1 || len(other.actions) != 1 || sim.Gateway().Stats().MostOpen != 1 {
		t.Errorf("%d and %d actions, %+v", len(h.actions), len(other.actions), sim.Gateway().Stats())
	}
}

// Storms of refusals end long before Discord's patience does.
func TestStormsOnSimulator(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]discordsim.Fault{
		"401": {Status: 401},
		"403": {Status: 403, Code: codeMissingPermissions},
		"404": {Status: 404, Code: codeUnknownWebhook},
		"429": {Status: 429, HTMLBody: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, err := discordsim.Start(discordsim.Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := sim.Close(); err != nil {
					t.Error(err)
				}
			})
			a := simAdapter(t, sim, nil, false)
			fault.Times, fault.PathPattern = -1, "/**"
			storm := sim.Fail(fault)
			now := sim.Clock().Now()
			for i := range 400 {
				p := messagePlace(strconv.Itoa(1000+i%200), testMsg, now)
				if i%2 == 0 {
					p = tokenPlace(ref{Kind: refOriginal, Token: "token" + strconv.Itoa(i%20), Created: now.Add(-time.Minute).UnixMilli()})
					p.Shown = true
				}
				if _, err := a.Show(t.Context(), p, aCard, "k"); err == nil || core.ClassOf(err) == "" {
					t.Fatal(err)
				}
				if storm.Served() > 40 && name == "404" {
					break
				}
			}
			got := sim.Traffic()
			if got.MostInvalid+got.InvalidShared >= 100 || storm.Served() == 0 {
				t.Errorf("%d served, traffic %+v", storm.Served(), got)
			}
			if name == "404" && got.Repeated404 != 0 {
				t.Errorf("%d times again after 404", got.Repeated404)
			}
		})
	}
}
