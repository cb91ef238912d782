package main

import (
	"context"
	"time"
)

// restTime is how long the bot rests before its memory is read.
const restTime = 3 * time.Second

// measureStart starts the bot on the filled database.
func measureStart(ctx context.Context, s *stage) error {
	var ready, idle []float64
	for range s.rounds {
		err := s.withBot(ctx, s.binary, s.world.dsn, func() error {
			ready = append(ready, ms(s.bot.ready))
			select {
			case <-time.After(restTime):
			case <-ctx.Done():
				return ctx.Err()
			}
			rss, err := memory(s.bot.pid())
			idle = append(idle, rss.now)
			return err
		})
		if err != nil {
			return err
		}
	}
	s.goals.atMost("start to ready, schema in place, ms", median(ready), 150, "%.0f")
	s.goals.atMost("memory idle, MB", median(idle), 30, "%.0f")
	return nil
}
