package discordsim_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/discordsim"
	"github.com/laurelbot/laurel/playground/simclock"
)

// inbound reads an interaction.
func (w *wire) inbound() inbound {
	w.t.Helper()
	var in inbound
	if err := json.Unmarshal(w.event("INTERACTION_CREATE").Data, &in); err != nil {
		w.t.Fatal(err)
	}
	return in
}

func TestTransportsExcludeEachOther(t *testing.T) {
	t.Parallel()
	s := gatewaySim(t, discordsim.Config{})
	w := populate(t, s)
	badges(t, s)
	bot := attach(t, s, func(inbound) any { return ephemeral("by HTTP") })
	c := hello(t, s)
	c.identify(s, obj{"intents": 0})
	command(t, s, w.ada, "")
	if st := s.Gateway().Stats(); st.Interactions != 0 || bot.count() != 1 {
		t.Fatalf("%+v, endpoint %d", st, bot.count())
	}
	if err := s.SetInteractionsURL(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	done := make(chan *discordsim.Result, 1)
	go func() {
		res, err := s.Command(t.Context(), w.ada, w.channel, "badges", "list", nil)
		if err != nil {
			t.Error(err)
		}
		done <- res
	}()
	in := c.inbound()
	if in.GuildID != w.guild || in.Type != 2 || in.Token == "" || string(in.Member) == "" {
		t.Errorf("interaction = %+v", in)
	}
	path := "/interactions/" + in.ID + "/" + in.Token + "/callback"
	if status, _, body := call(t, s, "POST", path+"?with_response=true", ephemeral("by REST"), false); status != 200 || body["resource"] == nil {
		t.Errorf("callback: %d %v", status, body)
	}
	if status, _, body := call(t, s, "POST", path, ephemeral("again"), false); status != 400 || body["code"] != 40060.0 {
		t.Errorf("second callback: %d %v", status, body)
	}
	res := <-done
	if res.Failed || res.Callback != 4 || bot.count() != 1 {
		t.Fatalf("%+v, endpoint %d", res, bot.count())
	}
	// The same once more, as a repeated delivery.
	if _, err := s.Redeliver(t.Context(), res); err != nil {
		t.Fatal(err)
	}
	if again := c.inbound(); again.ID != in.ID {
		t.Errorf("redelivered %s, want %s", again.ID, in.ID)
	}
}

func TestGatewayDeadline(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	s := gatewaySim(t, discordsim.Config{Clock: clock})
	w := populate(t, s)
	badges(t, s)
	res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
	if err != nil || !res.Failed || res.Reason == "" {
		t.Fatalf("without a session: %+v, %v", res, err)
	}
	c := hello(t, s)
	c.identify(s, obj{"intents": 0})
	done := make(chan *discordsim.Result, 1)
	go func() {
		res, err := s.Command(t.Context(), w.ada, "", "badges", "list", nil)
		if err != nil {
			t.Error(err)
		}
		done <- res
	}()
	in := c.inbound()
	clock.Advance(discordsim.AnswerWithin + time.Millisecond)
	if res := <-done; !res.Failed || res.Notice != discordsim.NoticeFailed || res.Reason != "no answer in time" {
		t.Errorf("%+v", res)
	}
	path := "/interactions/" + in.ID + "/" + in.Token + "/callback"
	if status, _, body := call(t, s, "POST", path, ephemeral("late"), false); status != 404 || body["code"] != 10062.0 {
		t.Errorf("late callback: %d %v", status, body)
	}
}
