package main

import "testing"

// The playground's teams celebrate from the start, and what they chose stays.
func TestTeamsCelebrateFromTheStart(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, s *stage) {
		for range 2 {
			if err := s.celebrate(t.Context(), s.app.db); err != nil {
				t.Fatal(err)
			}
		}
		channels := map[string]bool{}
		for _, team := range []string{"slack:" + s.slack.Config().TeamID, "discord:" + s.guild} {
			customs, err := s.app.db.Customs(t.Context(), team)
			if err != nil || customs.CelebrateIn == "" {
				t.Errorf("%s: %+v, %v", team, customs, err)
			}
			channels[customs.CelebrateIn] = true
		}
		if len(channels) != 2 {
			t.Errorf("channels: %v", channels)
		}
	})
}
