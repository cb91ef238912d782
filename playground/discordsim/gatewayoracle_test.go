package discordsim_test

import (
	"sync"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/laurelbot/laurel/playground/discordsim"
)

// oracle is discordgo's own gateway client, which answers each interaction.
type oracle struct {
	*discordgo.Session
	mu   sync.Mutex
	seen []string
}

func openOracle(t *testing.T, s *discordsim.Server, setup func(*discordgo.Session)) *oracle {
	t.Helper()
	o := &oracle{Session: session(t, s)}
	o.Identify.Intents = discordgo.IntentsGuilds
	if setup != nil {
		setup(o.Session)
	}
	o.AddHandler(func(dg *discordgo.Session, in *discordgo.InteractionCreate) {
		o.mu.Lock()
		o.seen = append(o.seen, in.ID)
		o.mu.Unlock()
		// A second session may have been first.
		_ = dg.InteractionRespond(in.Interaction, &discordgo.InteractionResponse{
			Type: discordgo.InteractionResponseChannelMessageWithSource,
			Data: &discordgo.InteractionResponseData{Content: "hello", Flags: discordgo.MessageFlagsEphemeral},
		})
	})
	if err := o.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	eventually(t, s, s.Gateway().Ready)
	return o
}

func (o *oracle) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.seen)
}

// command runs the command and expects that it is answered.
func command(t *testing.T, s *discordsim.Server, user, channel string) *discordsim.Result {
	t.Helper()
	ctx, cancel := timeout(t)
	defer cancel()
	res, err := s.Command(ctx, user, channel, "badges", "list", nil)
	if err != nil || res.Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	return res
}

func TestLibraryOverGateway(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	readies := make(chan string, 8)
	o := openOracle(t, s, func(dg *discordgo.Session) {
		dg.AddHandler(func(_ *discordgo.Session, r *discordgo.Ready) { readies <- r.SessionID })
	})
	first := <-readies
	g := s.Gateway()
	res := command(t, s, w.ada, w.channel)
	if res.Callback != 4 || res.Status != 0 || o.count() != 1 {
		t.Fatalf("%+v, seen %d", res, o.count())
	}
	command(t, s, w.ada, "")

	// Op 7: the library leaves and resumes.
	if g.AskReconnect(first) != 1 {
		t.Fatal("no session")
	}
	eventually(t, s, func() bool { return g.Stats().Resumed == 1 })
	command(t, s, w.ada, w.channel)

	// A dropped connection: what was pressed meanwhile comes by the replay.
	g.Drop(first)
	command(t, s, w.ada, w.channel)
	if st := g.Stats(); st.Resumed != 2 || st.Replayed == 0 || st.Identifies != 1 {
		t.Fatalf("stats = %+v", st)
	}

	// Op 9: a new session.
	if g.Invalidate(first, false) != 1 {
		t.Fatal("no session")
	}
	second := <-readies
	eventually(t, s, g.Ready)
	command(t, s, w.ada, w.channel)
	if list := g.Sessions(); len(list) != 1 || list[0].ID != second || second == first {
		t.Fatalf("sessions = %+v", list)
	}
	if st := g.Stats(); st.Identifies != 2 || st.Started != 2 || st.Open != 1 || st.Interactions != 5 || o.count() != 5 {
		t.Fatalf("stats = %+v, seen %d", st, o.count())
	}
}

func TestLibraryNoticesZombie(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{Gateway: discordsim.GatewayConfig{
		Heartbeat: 50 * time.Millisecond, HeartbeatTimeout: 2 * time.Second,
	}})
	w := populate(t, s)
	badges(t, s)
	openOracle(t, s, nil)
	g := s.Gateway()
	eventually(t, s, func() bool { return g.Sessions()[0].Acked > 0 || g.Stats().Heartbeats > 0 })
	if g.Freeze("") != 1 {
		t.Fatal("nothing frozen")
	}
	// Pressed into the silence; answered after the library gave it up and
	// resumed.
	command(t, s, w.ada, w.channel)
	st := g.Stats()
	if st.Frozen != 1 || st.Resumed != 1 || st.Replayed == 0 || st.Identifies != 1 {
		t.Fatalf("stats = %+v", st)
	}
}

func TestTwoSessionsBothReceive(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	a, b := openOracle(t, s, nil), openOracle(t, s, nil)
	eventually(t, s, func() bool { return len(s.Gateway().Sessions()) == 2 })
	command(t, s, w.ada, w.channel)
	eventually(t, s, func() bool { return s.Traffic().ByCode[40060] == 1 })
	if a.count() != 1 || b.count() != 1 || len(s.Messages(w.channel, w.ada)) != 1 {
		t.Fatalf("seen %d and %d, %d messages", a.count(), b.count(), len(s.Messages(w.channel, w.ada)))
	}
}
