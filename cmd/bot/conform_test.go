package main

import (
	"path/filepath"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

// way is one way by which a platform reaches the bot.
type way struct {
	name     string
	platform core.Platform
	settle   func(*Settings)
}

func ways() []way {
	return []way{
		{"slack over http", "slack", func(s *Settings) { s.SlackTransport = transportHTTP }},
		{"slack over socket mode", "slack", func(s *Settings) { s.SlackTransport = transportSocket }},
		{"discord over http", "discord", func(s *Settings) { s.DiscordTransport = transportHTTP }},
		{"discord over the gateway", "discord", func(s *Settings) { s.DiscordTransport = transportGateway }},
	}
}

// TestConformance lets every scenario come true over every transport and both
// databases. Whoever adds a platform or a transport adds it here.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, by := range ways() {
		for name, database := range map[string]func(*testing.T) string{
			"sqlite":   func(t *testing.T) string { t.Helper(); return "sqlite:" + filepath.Join(t.TempDir(), "laurel.db") },
			"postgres": func(t *testing.T) string { t.Helper(); return testpg.New(t) },
		} {
			t.Run(by.name+" and "+name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, database(t), by.settle)
				for _, one := range scenarios() {
					// One after the other: some of them move the clock.
					t.Run(one.name, func(t *testing.T) {
						part := s.within(t)
						one.play(t, part, part.newcomer(t, by.platform))
					})
				}
			})
		}
	}
}
