package portal

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// meetingSink holds batches up until as many are there as are stored at once,
// or none came for a while, and sees which of them meet.
type meetingSink struct {
	mu     sync.Mutex
	under  map[subject]int
	batch  int
	most   int
	errs   []error
	arrive chan struct{}
}

func (s *meetingSink) ImportAwards(_ context.Context, awards []core.Award) (core.AwardCounts, error) {
	s.mu.Lock()
	s.batch++
	s.most = max(s.most, s.batch)
	own := map[subject]bool{}
	for _, a := range awards {
		own[subject{a.Recipient.Normal, a.TemplateID}] = true
	}
	for one := range own {
		if s.under[one]++; s.under[one] > 1 {
			s.errs = append(s.errs, fmt.Errorf("two batches with %v", one))
		}
	}
	if s.batch == storing {
		close(s.arrive)
		s.arrive = make(chan struct{})
	}
	arrive, wait := s.arrive, s.most < storing
	s.mu.Unlock()
	if wait {
		select {
		case <-arrive:
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch--
	for one := range own {
		s.under[one]--
	}
	return core.AwardCounts{New: len(awards)}, nil
}

func TestKeeperStoresAtOnceWhatDoesNotMeet(t *testing.T) {
	t.Parallel()
	one := func(person, template int) core.Award {
		return core.Award{Recipient: core.Email{Normal: fmt.Sprint("p", person)}, TemplateID: fmt.Sprint("t", template)}
	}
	for _, tc := range []struct {
		name  string
		award func(batch, i int) core.Award
		most  int
	}{
		{"others", func(batch, i int) core.Award { return one(10*batch+i, 0) }, storing},
		{"other badges of the same people", func(batch, i int) core.Award { return one(i, batch) }, storing},
		{"the same", func(batch, i int) core.Award { return one(i*batch, 0) }, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			const batches, each = 6, 3
			sink := &meetingSink{under: map[subject]int{}, arrive: make(chan struct{})}
			var counts core.AwardCounts
			k := &keeper{sink: sink, counts: &counts}
			for n := range batches {
				var batch []core.Award
				for i := range each {
					batch = append(batch, tc.award(n, i))
				}
				if err := k.keep(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			if err := k.settleAll(); err != nil {
				t.Fatal(err)
			}
			if len(sink.errs) > 0 || counts.New != batches*each {
				t.Errorf("%v, %+v", sink.errs, counts)
			}
			if sink.most > tc.most {
				t.Errorf("%d batches at once, want %d", sink.most, tc.most)
			}
		})
	}
}
