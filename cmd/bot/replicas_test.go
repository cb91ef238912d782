package main

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/laurelbot/laurel/internal/testpg"
)

// takeOverWithin is how long nobody may lead after the leader has gone.
const takeOverWithin = 15 * time.Second

// another starts one more replica of the bot, beside that of the stage, and
// returns its address.
func (s *stage) another() (url string) {
	s.t.Helper()
	l := listenLocal(s.t)
	log := slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelInfo}))
	a, err := newApp(s.t.Context(), s.settings, log, s.clock)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.serve(ctx, l) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("serve: %v", err)
		}
		a.close()
	})
	return "http://" + l.Addr().String()
}

func (s *stage) ready(url string) func() bool {
	return func() bool {
		status, _ := s.get(url + "/readyz")
		return status == http.StatusOK
	}
}

// Two replicas with connections of their own: what people do is worked off
// once wherever it lands, and goes on when the one that listened first ends.
func TestReplicasShareTheConnections(t *testing.T) {
	t.Parallel()
	for _, by := range ways() {
		if by.name == "slack over http" || by.name == "discord over http" {
			continue // Requests find a replica through a balancer, outside of the bot.
		}
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, testpg.New(t), by.settle)
			other := s.another()
			s.waitFor("the other replica to be ready", s.ready(other))
			who := s.newcomer(t, by.platform)
			link := who.claims().link()
			s.rest()
			db := openDatabase(t, s.settings.DatabaseURL)
			if n := countRows(t, db, `SELECT count(*) FROM handoffs`); n != 1 {
				t.Errorf("%d handoffs, want 1", n)
			}
			if s.settings.DiscordTransport == transportGateway {
				if open := s.discord.Gateway().Stats().Open; open != 1 {
					t.Errorf("%d connections to the gateway, want that of the leader alone", open)
				}
			}

			s.stop()
			begin := time.Now()
			if err := s.connected(t.Context(), s.settings); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > takeOverWithin {
				t.Errorf("taken over after %s", took)
			}
			again := who.types("list", "", "Your badges", "Show link")
			again.press("Show link")
			if got := again.says("Ready").link(); got != link {
				t.Error("the link changed with the replica")
			}
		})
	}
}
