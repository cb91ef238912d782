package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/laurelbot/laurel/core"
)

var _ core.LimitStore = (*DB)(nil)

// takePermits sets permits aside in one statement, so that no two replicas
// ever get the same. A limit without a row is one that was not used for long.
// The statement changes nothing where the first permit would come too late.
const takePermits = `INSERT INTO limits (name, next_at) VALUES (?, CAST(? AS bigint) + CAST(? AS bigint))
	ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at
		+ CASE WHEN limits.next_at > CAST(? AS bigint) THEN limits.next_at - CAST(? AS bigint) ELSE 0 END
	WHERE limits.next_at <= CAST(? AS bigint)
	RETURNING next_at`

// TakePermits implements [core.LimitStore]. Intervals count in whole
// milliseconds, rounded up, of which a burst may have an hour in all: after
// that the row of an unused limit is tidied away.
func (d *DB) TakePermits(ctx context.Context, name string, now time.Time, n int, rate core.Rate, patience time.Duration) (time.Time, error) {
	interval := max((rate.Interval + time.Millisecond - 1).Milliseconds(), 1)
	if n < 1 || interval*int64(max(rate.Burst, 1)) > keepLimits.Milliseconds() {
		return time.Time{}, fmt.Errorf("take %d permits of a limit with an interval of %v and a burst of %d: out of range",
			n, rate.Interval, rate.Burst)
	}
	taken := int64(n) * interval
	// The earliest permit that is still good: those before it were not used.
	oldest := ms(now) - int64(max(rate.Burst, 1)-1)*interval
	name = clean(name)
	var next int64
	err := d.hot().get(ctx, &next, takePermits, name, oldest, taken, oldest, oldest, ms(now.Add(patience)))
	if err == nil {
		return at(next - taken), nil
	}
	if !errors.Is(err, core.ErrNotFound) {
		return time.Time{}, err
	}
	err = d.run().get(ctx, &next, `SELECT COALESCE(max(next_at), 0) FROM limits WHERE name = ?`, name)
	if err != nil {
		return time.Time{}, err
	}
	return at(max(next, ms(now))), core.ErrUnmet
}

// CloseLimit implements [core.LimitStore].
func (d *DB) CloseLimit(ctx context.Context, name string, until time.Time) error {
	_, err := d.run().exec(ctx, `INSERT INTO limits (name, next_at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE limits.next_at < excluded.next_at`,
		clean(name), ms(roundUp(until)))
	return err
}
