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
	// Most is the number of attempts after which a delivery is dead.
	Most int
}

// PostBackoff is for messages in a chat: about three hours.
var PostBackoff = Backoff{
	Waits: []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute},
	Most:  17,
}

// MailBackoff is for mails with a code, which are of no use after ten
// minutes.
var MailBackoff = Backoff{
	Waits: []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute},
	Most:  12,
}

// EventBackoff is for the body's own system: five days, by the schedule that
// webhook services promise (https://docs.svix.com/retries).
var EventBackoff = Backoff{
	Waits: []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
	},
	Most: 16,
}

// spread is the part by which waits differ, so that what failed together
// does not come again together.
const spread = 5

// Failed is the outcome of a failed attempt: again after a wait, or dead
// after too many. A wait that the other side named is kept exactly and does
// not count towards giving up before the usual number.
func Failed(d Delivery, err error, now time.Time, b Backoff) Outcome {
	out := Outcome{Delivery: d, State: StateReady, Cause: err.Error()}
	if d.Attempts >= b.Most {
		out.State = StateDead
		return out
	}
	wait := b.Waits[min(max(d.Attempts, 1), len(b.Waits))-1]
	wait += time.Duration(rand.Int64N(int64(wait)/spread + 1)) //nolint:gosec // Spreads load; nothing depends on its being unguessable.
	if named := namedWait(err); named > 0 {
		wait = named
	}
	out.RetryAt = now.Add(wait)
	return out
}

func namedWait(err error) time.Duration {
	var d *core.DeliveryError
	if errors.As(err, &d) && d.Class == core.RetryLater {
		return d.After
	}
	var r *core.RetryAfterError
	if errors.As(err, &r) {
		return r.After
	}
	return 0
}
