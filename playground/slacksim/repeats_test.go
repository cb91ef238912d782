package slacksim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/simclock"
	"github.com/laurelbot/laurel/playground/slacksim"
)

// TestEventRetries follows the repetitions of an event over HTTP.
func TestEventRetries(t *testing.T) {
	t.Parallel()
	type arrival struct{ num, reason, body string }
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, n int)
		// reason is what the first repetition names; none without one.
		reason string
		end    slacksim.EventStats
	}{
		{"always 500", func(w http.ResponseWriter, _ int) { w.WriteHeader(500) }, "http_error", slacksim.EventStats{Sent: 1, Lost: 1, Repeated: 3}},
		{"taken at the third", func(w http.ResponseWriter, n int) {
			if n < 3 {
				w.WriteHeader(404)
			}
		}, "http_error", slacksim.EventStats{Sent: 1, Taken: 1, Repeated: 2}},
		{"cut", func(w http.ResponseWriter, _ int) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		}, "connection_failed", slacksim.EventStats{Sent: 1, Lost: 1, Repeated: 3}},
		{"no retry wanted", func(w http.ResponseWriter, _ int) {
			w.Header().Set("X-Slack-No-Retry", "1")
			w.WriteHeader(503)
		}, "", slacksim.EventStats{Sent: 1, Lost: 1}},
		{"any success", func(w http.ResponseWriter, _ int) { w.WriteHeader(204) }, "", slacksim.EventStats{Sent: 1, Taken: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan arrival, 10)
			var n atomic.Int64
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				arrived <- arrival{r.Header.Get("X-Slack-Retry-Num"), r.Header.Get("X-Slack-Retry-Reason"), string(body)}
				tt.answer(w, int(n.Add(1)))
			}))
			t.Cleanup(app.Close)
			clock := simclock.NewFrozen(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
			sim, _ := start(t, func(c *slacksim.Config) { c.Clock, c.EventsURL = clock, app.URL })
			if _, err := sim.OpenHome(t.Context(), ada, "home"); err != nil {
				t.Fatal(err)
			}
			first := <-arrived
			if first.num != "" || first.reason != "" {
				t.Errorf("first: %+v", first)
			}
			for i, wait := range []time.Duration{0, time.Minute, 5 * time.Minute}[:tt.end.Repeated] {
				if wait > 0 {
					if len(arrived) != 0 {
						t.Error("too early")
					}
					clock.Advance(wait)
				}
				again := <-arrived
				if again.num != []string{"1", "2", "3"}[i] || again.reason != tt.reason || again.body != first.body {
					t.Errorf("repetition %d: %+v", i+1, again)
				}
				eventually(t, sim, "the outcome", func() bool { return sim.Events().Repeated == i+1 })
			}
			clock.Advance(time.Hour)
			eventually(t, sim, "the end", func() bool { return sim.Events() == tt.end })
			if len(arrived) != 0 {
				t.Errorf("%d more", len(arrived))
			}
		})
	}
}

func TestEventTimeoutIsRepeated(t *testing.T) {
	t.Parallel()
	reasons := make(chan string, 10)
	release := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reasons <- r.Header.Get("X-Slack-Retry-Reason")
		if r.Header.Get("X-Slack-Retry-Num") == "" {
			<-release
		}
	}))
	t.Cleanup(app.Close)
	t.Cleanup(func() { close(release) })
	sim, _ := start(t, func(c *slacksim.Config) { c.AckTimeout, c.EventsURL = 100*time.Millisecond, app.URL })
	if res, err := sim.OpenHome(t.Context(), ada, "home"); err != nil || !res.TimedOut {
		t.Errorf("first: %+v, %v", res, err)
	}
	eventually(t, sim, "the repetition", settled(sim, 1))
	if <-reasons != "" || <-reasons != "http_timeout" {
		t.Error("wrong reason")
	}
}

func TestNoEventRetries(t *testing.T) {
	t.Parallel()
	sim, _ := start(t, func(c *slacksim.Config) { c.NoEventRetries = true })
	sim.SetEventsURL(sim.URL() + "/nowhere")
	if _, err := sim.OpenHome(t.Context(), ada, "home"); err != nil {
		t.Fatal(err)
	}
	if got := sim.Events(); got.Lost != 1 || got.Waiting != 0 {
		t.Errorf("events: %+v", got)
	}
}
