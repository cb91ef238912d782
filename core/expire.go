package core

import (
	"context"
	"fmt"
)

// expireBatch keeps one statement short enough not to hold up claims.
const expireBatch = 500

// Sweeper makes visible that handoffs ran out. That they did does not
// depend on it.
type Sweeper struct {
	Store Store
	Clock Clock
}

// Expire closes every handoff whose time ran out and queues the edits of
// their messages. It returns how many.
func (s *Sweeper) Expire(ctx context.Context) (int, error) {
	total := 0
	var after Cursor
	for {
		n, next, err := s.Store.ExpireHandoffs(ctx, s.Clock.Now(), after, expireBatch)
		if err != nil {
			return total, fmt.Errorf("expire handoffs: %w", err)
		}
		total += n
		if n < expireBatch {
			return total, nil
		}
		after = next
	}
}
