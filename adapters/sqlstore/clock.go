package sqlstore

import (
	"context"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// How often the database is asked for the time, and how long it may take.
const (
	clockEvery = 2 * time.Second
	clockLimit = 5 * time.Second
)

// Clock is the database's clock. Between two readings it goes on by the
// machine's own steady clock, and so it does while the database is away.
type Clock struct {
	db     *DB
	cancel context.CancelFunc
	done   chan struct{}

	mu sync.RWMutex
	// reading is what the database said at the moment taken.
	reading, taken time.Time
}

var _ core.Clock = (*Clock)(nil)

// Clock reads the database's clock and keeps reading it every two seconds
// until Close is called or ctx ends.
func (d *DB) Clock(ctx context.Context) (*Clock, error) {
	c := &Clock{db: d, done: make(chan struct{})}
	if err := c.Sync(ctx); err != nil {
		return nil, err
	}
	ctx, c.cancel = context.WithCancel(ctx)
	go c.keep(ctx)
	return c, nil
}

// Now implements [core.Clock].
func (c *Clock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.reading.Add(time.Since(c.taken)).UTC()
}

// Sync reads the database's clock now. The reading counts for the middle of
// the time that asking took.
func (c *Clock) Sync(ctx context.Context) error {
	var now int64
	asked := time.Now()
	if err := c.db.run().get(ctx, &now, `SELECT now_ms FROM clock`); err != nil {
		return err
	}
	trip := time.Since(asked)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading, c.taken = time.UnixMilli(now), asked.Add(trip/2)
	return nil
}

// Close stops reading; Now goes on from the last reading.
func (c *Clock) Close() {
	c.cancel()
	<-c.done
}

func (c *Clock) keep(ctx context.Context) {
	defer close(c.done)
	ticker := time.NewTicker(clockEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		read, cancel := context.WithTimeout(ctx, clockLimit)
		err := c.Sync(read)
		cancel()
		if err != nil && !failing && ctx.Err() == nil {
			c.db.log.WarnContext(ctx, "read the database's clock", "err", err)
		}
		failing = err != nil
	}
}
