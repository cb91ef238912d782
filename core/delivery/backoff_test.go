package delivery

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

var start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func TestFailed(t *testing.T) {
	t.Parallel()
	plain := errors.New("broken")
	backoff := Backoff{Waits: []time.Duration{time.Second, 10 * time.Second}, Most: 4, Limited: time.Hour}
	later := &core.DeliveryError{Class: core.RetryLater, Code: "ratelimited", After: 3 * time.Minute}
	for _, tt := range []struct {
		name        string
		attempts    int
		err         error
		state       State
		least, most time.Duration
		uncounted   int
		since       time.Time
		limited     bool
	}{
		{name: "first", attempts: 1, err: plain, state: StateReady, least: time.Second, most: 1200 * time.Millisecond},
		{name: "second", attempts: 2, err: plain, state: StateReady, least: 10 * time.Second, most: 12 * time.Second},
		{name: "the last wait serves for all that follow", attempts: 3, err: plain, state: StateReady, least: 10 * time.Second, most: 12 * time.Second},
		{name: "never counted", attempts: 0, err: plain, state: StateReady, least: time.Second, most: 1200 * time.Millisecond},
		{name: "too many", attempts: 4, err: plain, state: StateDead},
		{name: "more than too many", attempts: 9, err: plain, state: StateDead},
		{name: "named by the platform", attempts: 1, err: fmt.Errorf("send: %w", later), state: StateReady, least: 3 * time.Minute, most: 198 * time.Second, limited: true},
		{
			name: "named by the body's system", attempts: 2, err: fmt.Errorf("publish: %w", &core.RetryAfterError{After: time.Hour, Err: plain}),
			state: StateReady, least: time.Hour, most: 66 * time.Minute, limited: true,
		},
		{
			name: "only a retry-later names a wait", attempts: 1, err: &core.DeliveryError{Class: core.Temporary, After: time.Hour},
			state: StateReady, least: time.Second, most: 1200 * time.Millisecond,
		},
		{
			name: "retry later without a time", attempts: 2, err: &core.DeliveryError{Class: core.RetryLater},
			state: StateReady, least: 10 * time.Second, most: 12 * time.Second, limited: true,
		},
		{
			name: "limits do not count", attempts: 400, err: later, since: start.Add(-59 * time.Minute),
			state: StateReady, least: 3 * time.Minute, most: 198 * time.Second, limited: true,
		},
		{name: "nothing but limits for too long", attempts: 2, err: later, since: start.Add(-time.Hour), state: StateDead, limited: true},
		{
			name: "failed after many limits", attempts: 403, uncounted: 400, err: plain, since: start.Add(-time.Minute),
			state: StateReady, least: 10 * time.Second, most: 12 * time.Second,
		},
		{name: "failed too often between limits", attempts: 404, uncounted: 400, err: plain, state: StateDead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := Delivery{ID: 7, Attempts: tt.attempts, Uncounted: tt.uncounted, LimitedSince: tt.since}
			got := Failed(d, tt.err, start, backoff)
			if got.State != tt.state || got.Delivery != d || got.Cause != tt.err.Error() {
				t.Fatalf("outcome %+v", got)
			}
			since := tt.since
			switch {
			case !tt.limited:
				since = time.Time{}
			case since.IsZero():
				since = start
			}
			if got.Uncounted != tt.limited || !got.LimitedSince.Equal(since) {
				t.Errorf("limited %v since %v", got.Uncounted, got.LimitedSince)
			}
			if tt.state == StateDead {
				if !got.RetryAt.IsZero() {
					t.Errorf("dead, yet again at %v", got.RetryAt)
				}
				return
			}
			if wait := got.RetryAt.Sub(start); wait < tt.least || wait > tt.most {
				t.Errorf("waits %v, want %v to %v", wait, tt.least, tt.most)
			}
		})
	}
}

// What failed together does not come again together.
func TestFailedSpreadsWaits(t *testing.T) {
	t.Parallel()
	waits := map[time.Time]bool{}
	for range 50 {
		waits[Failed(Delivery{Attempts: 1}, errors.New("x"), start, PostBackoff).RetryAt] = true
	}
	if len(waits) < 10 {
		t.Errorf("50 deliveries come again at %d moments", len(waits))
	}
}

// How long is tried, as the comments promise.
func TestBackoffsLastAsLongAsPromised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		backoff     Backoff
		least, most time.Duration
	}{
		{"post", PostBackoff, 2*time.Hour + 15*time.Minute, 3 * time.Hour},
		{"mail", mailBackoff, 8 * time.Minute, 11 * time.Minute},
		{"event", eventBackoff, 4 * 24 * time.Hour, 6 * 24 * time.Hour},
	} {
		var total time.Duration
		for n := 1; n < tt.backoff.Most; n++ {
			total += tt.backoff.Waits[min(n, len(tt.backoff.Waits))-1]
		}
		if total < tt.least || total > tt.most {
			t.Errorf("%s: given up after %v, want %v to %v", tt.name, total, tt.least, tt.most)
		}
	}
}
