package delivery

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Backoff says how often and after which waits an attempt is repeated.
type Backoff struct {
	// Waits are the waits after the first, second, … attempt; the last one
	// serves for all that follow.
	Waits []time.Duration
	// Most is the number of attempts after which a delivery is dead. Those
	// that met a limit do not count.
	Most int
	// Limited is for how long a delivery may meet nothing but limits.
	Limited time.Duration
}

// PostBackoff is for messages in a chat: about three hours, and a day of
// limits.
var PostBackoff = Backoff{
	Waits:   []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute},
	Most:    17,
	Limited: 24 * time.Hour,
}

// mailBackoff is for mails with a code, which are of no use after ten
// minutes.
var mailBackoff = Backoff{
	Waits:   []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute},
	Most:    12,
	Limited: 10 * time.Minute,
}

// eventBackoff is for the body's own system: five days, by the schedule that
// webhook services promise (https://docs.svix.com/retries).
var eventBackoff = Backoff{
	Waits: []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
	},
	Most:    16,
	Limited: 5 * 24 * time.Hour,
}

// Waits differ by up to a part of them, so that what failed together does not
// come again together: a fifth, or a tenth of one that the other side named.
const (
	spread      = 5
	namedSpread = 10
)

// Failed is the outcome of a failed attempt: again after a wait, or dead
// after too many. A wait that the other side named is kept, never shortened,
// and the attempt does not count: only time gives such a delivery up.
func Failed(d Delivery, err error, now time.Time, b Backoff) Outcome {
	out := Outcome{Delivery: d, State: StateReady, Cause: err.Error()}
	counted := d.Attempts - d.Uncounted
	wait, limited := namedWait(err)
	if limited {
		out.Uncounted = true
		out.LimitedSince = d.LimitedSince
		if out.LimitedSince.IsZero() {
			out.LimitedSince = now
		}
	}
	if limited && now.Sub(out.LimitedSince) >= b.Limited || !limited && counted >= b.Most {
		out.State = StateDead
		return out
	}
	if wait > 0 {
		wait += part(wait, namedSpread)
	} else {
		wait = b.Waits[min(max(counted, 1), len(b.Waits))-1]
		wait += part(wait, spread)
	}
	out.RetryAt = now.Add(wait)
	return out
}

// part is a random time of up to one n-th of wait.
func part(wait time.Duration, n int64) time.Duration {
	return time.Duration(rand.Int64N(int64(wait)/n + 1)) //nolint:gosec // Spreads load; nothing depends on its being unguessable.
}

// namedWait reports whether the other side asked for patience, and the time
// that it named, if any.
func namedWait(err error) (wait time.Duration, limited bool) {
	var d *core.DeliveryError
	if errors.As(err, &d) && d.Class == core.RetryLater {
		return d.After, true
	}
	var r *core.RetryAfterError
	if errors.As(err, &r) {
		return r.After, true
	}
	return 0, false
}
