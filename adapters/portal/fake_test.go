package portal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

// testSecret is the published example key of the specification.
const testSecret core.Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type fixedClock struct{ now time.Time }

func (c fixedClock) Now() time.Time { return c.now }

// fakeInbox keeps messages by name.
type fakeInbox struct {
	mu   sync.Mutex
	all  []inbox.Message
	fail bool
}

func (f *fakeInbox) Receive(_ context.Context, m inbox.Message) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail {
		return false, errors.New("store is gone")
	}
	for _, have := range f.all {
		if have.Source == m.Source && have.Key == m.Key {
			return false, nil
		}
	}
	f.all = append(f.all, m)
	return true, nil
}

// fakeSink keeps awards by id.
type fakeSink struct {
	mu      sync.Mutex
	awards  map[string]core.Award
	batches []int
	failAt  int
}

func (f *fakeSink) ImportAwards(_ context.Context, awards []core.Award) (core.AwardCounts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failAt > 0 && len(f.batches)+1 == f.failAt {
		return core.AwardCounts{}, errors.New("store is gone")
	}
	f.batches = append(f.batches, len(awards))
	if f.awards == nil {
		f.awards = map[string]core.Award{}
	}
	var c core.AwardCounts
	for _, a := range awards {
		have, known := f.awards[a.AwardID]
		switch {
		case !known:
			c.New++
		case have == a:
			c.Unchanged++
		default:
			c.Changed++
		}
		f.awards[a.AwardID] = a
	}
	return c, nil
}
