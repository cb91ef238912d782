package discord

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
	"github.com/laurelbot/laurel/internal/refdata"
	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/discordsim/discordtest"
	"github.com/laurelbot/laurel/playground/discordsim/schema"
)

// onSim starts an adapter that talks over the wire with a simulated Discord,
// which reaches it by HTTP or by the gateway.
func onSim(t *testing.T, h chat.Handler, byGateway bool, gw discordsim.GatewayConfig) (*Adapter, *discordsim.Server, *discordtest.Person, string) {
	t.Helper()
	set, err := schema.Load(refdata.Path(t, "discord", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := discordsim.Start(discordsim.Config{Schema: set, EnforceRateLimits: true, Gateway: gw})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
		for _, v := range sim.Violations() {
			t.Errorf("the simulator's own answer: %s", v)
		}
	})
	a := simAdapter(t, sim, h, byGateway)
	if byGateway {
		runOnSim(t, a, sim, newFakeLeases(), "a")
	} else {
		mux := http.NewServeMux()
		a.Routes(mux)
		srv := httptest.NewServer(mux)
		t.Cleanup(srv.Close)
		if err := sim.SetInteractionsURL(t.Context(), srv.URL+PathInteractions); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []bool{true, false} {
		if changed, err := a.Register(t.Context()); err != nil || changed != want {
			t.Fatalf("changed %v, %v", changed, err)
		}
	}
	user := sim.AddUser(discordsim.User{Name: "ada"})
	return a, sim, discordtest.New(t, sim).As(user), user
}

func simAdapter(t *testing.T, sim *discordsim.Server, h chat.Handler, byGateway bool) *Adapter {
	t.Helper()
	a, err := New(Config{
		APIURL: sim.BaseURL(), BotToken: core.Secret(sim.BotToken()), ApplicationID: sim.ApplicationID(),
		PublicKey: sim.PublicKey(), Gateway: byGateway, Clock: sim.Clock(), Handler: h, Texts: testTexts(),
	})
	if err != nil {
		t.Fatal(err)
	}
	a.gatewayTimes = quickTimes()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitToFail)
		defer cancel()
		if err := a.Drain(ctx); err != nil {
			t.Error(err)
		}
	})
	return a
}

// runOnSim runs an adapter's gateway until the test ends, or until stop.
func runOnSim(t *testing.T, a *Adapter, sim *discordsim.Server, leases core.LeaseStore, holder string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.RunGateway(ctx, GatewayConfig{Leases: leases, Holder: holder}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := receive(t, done); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	eventually(t, "a session", sim.Gateway().Ready)
	return stop
}

func TestJourneyOnSimulator(t *testing.T) {
	t.Parallel()
	for name, byGateway := range map[string]bool{"http": false, "gateway": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			journeyOnSimulator(t, byGateway)
		})
	}
}

func journeyOnSimulator(t *testing.T, byGateway bool) {
	t.Helper()
	list := chat.Card{
		Title: "Your badges", Tone: chat.ToneAction,
		Items: []chat.Item{{Text: chat.Plain("Go basics"), Button: &chat.Button{ID: "claim:b1", Label: "Claim", Style: chat.StylePrimary}}},
		Buttons: []chat.Button{
			{ID: "link:", Label: "Add an address"},
			{URL: "https://laurel.example.org/h/token", Label: "Go to Credly"},
		},
	}
	release := make(chan struct{})
	h := newTestHandler(func(a chat.Action) chat.Answer {
		switch {
		case a.Source == chat.SourceComplete:
			return chat.Answer{Choices: []chat.Choice{{Name: "Go basics", Value: "b1"}}}
		case a.Source == chat.SourceSubmit && a.Fields["address"] == "wrong":
			return chat.Answer{FieldErrors: map[string]string{"address": "x"}, Card: &chat.Card{Text: chat.Plain("Not an address")}}
		case a.Source == chat.SourceSubmit:
			return chat.Answer{Card: &chat.Card{Title: "Code sent"}}
		case a.Verb == chat.VerbLink:
			return chat.Answer{Form: &chat.Form{ID: "link:", Title: "Link an address", Fields: []chat.Field{{Name: "address", Label: "Address", MinLen: 3}}}}
		case a.Verb == chat.VerbClaim:
			<-release
			return chat.Answer{Card: &chat.Card{Title: "Ready"}}
		case a.Verb == chat.VerbEmails:
			return chat.Answer{Posted: true}
		default:
			return chat.Answer{Card: &list}
		}
	})
	a, sim, ada, user := onSim(t, h, byGateway, discordsim.GatewayConfig{})
	a.answerWithin = 50 * time.Millisecond

	shown := ada.Command("badges", "list", nil).ExpectEphemeral("Your badges", "Go basics")
	shown.Press("Add an address").Modal("Link an address").Fill("address", "wrong").Submit().ExpectEphemeral("Not an address")
	shown.Press("Add an address").Modal("Link an address").Fill("address", "ada@example.org").Submit().ExpectUpdate("Code sent")
	if got := ada.Complete("badges", "claim", "badge", "Go"); len(got) != 1 {
		t.Errorf("completions %v", got)
	}

	// A slow claim is acknowledged and edited.
	second := ada.Command("badges", "list", nil).ExpectEphemeral("Your badges")
	second.Press("Claim")
	close(release)
	second.ExpectEdit("Ready")

	// A posted answer is delivered by the messenger.
	for len(h.actions) > 0 {
		<-h.actions
	}
	ada.Command("badges", "emails", nil)
	act := receive(t, h.actions)
	receive(t, h.acked)
	p, err := a.Show(t.Context(), act.Reply, chat.Card{Title: "Preparing"}, "k1")
	if err != nil {
		t.Fatal(err)
	}
	ada.Expect("Preparing")
	if _, err := a.Show(t.Context(), p, chat.Card{Title: "Your addresses"}, "k2"); err != nil {
		t.Fatal(err)
	}
	ada.Expect("Your addresses")
	if _, err := a.Show(t.Context(), act.Aside, chat.Card{Title: "By the way"}, "k3"); err != nil {
		t.Fatal(err)
	}
	ada.Expect("By the way")

	// A direct message comes once, is edited and ends when they are closed.
	to := core.Identity{Platform: Platform, User: user}
	first, err := a.Direct(t.Context(), to, list, "d1", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.Direct(t.Context(), to, list, "d1", sim.Clock().Now())
	if err != nil || again.MessageKey != first.MessageKey {
		t.Errorf("sent twice: %v %v, %v", first.MessageKey, again.MessageKey, err)
	}
	if _, err := a.Show(t.Context(), first, chat.Card{Title: "Expired"}, "d1e"); err != nil {
		t.Fatal(err)
	}
	ada.ExpectDM("Expired")
	sim.SetDMsClosed(user, true)
	if _, err := a.Direct(t.Context(), to, list, "d2", time.Time{}); core.ClassOf(err) != core.TargetDead {
		t.Error(err)
	}

	// The interaction's token ends.
	sim.Clock().Advance(tokenLife)
	if _, err := a.Show(t.Context(), p, list, "k4"); core.ClassOf(err) != core.PlaceGone {
		t.Error(err)
	}
	for _, f := range a.Check(t.Context()) {
		if !f.OK {
			t.Errorf("finding %+v", f)
		}
	}
}
