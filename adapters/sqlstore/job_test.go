package sqlstore

import (
	"testing"
	"time"
)

// When the shared clock is put back, jobs go on at once, each slot still once.
func TestJobsAfterTheClockIsPutBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		claim := func(at time.Time) bool {
			t.Helper()
			won, err := w.ClaimSlot(t.Context(), "job", at.UnixMilli())
			w.must(err)
			return won
		}
		for i := range 80 {
			if at := start.Add(time.Duration(i) * 5 * time.Second); !claim(at) || claim(at) {
				t.Fatalf("slot %d is not claimed once", i)
			}
		}
		now := start.Add(79 * 5 * time.Second)
		// Two replicas that are a little apart, or one that slept for a moment.
		if claim(now.Add(-time.Minute)) {
			t.Error("a slot of a minute ago was run twice")
		}
		// Ten minutes and more.
		back := start.Add(time.Minute)
		var won int
		for _, ok := range w.race8(func() (bool, error) { return w.ClaimSlot(t.Context(), "job", back.UnixMilli()) }) {
			if ok {
				won++
			}
		}
		if won != 1 {
			t.Errorf("%d replicas have the slot, want 1", won)
		}
		for i := 1; i < 10; i++ {
			if at := back.Add(time.Duration(i) * 5 * time.Second); !claim(at) || claim(at) {
				t.Fatalf("slot %d after that is not claimed once", i)
			}
		}
	})
}

// race8 asks eight times at once.
func (w *world) race8(ask func() (bool, error)) [8]bool {
	w.t.Helper()
	var won [8]bool
	errs := race(len(won), func(i int) error {
		return untilFree(func() (err error) {
			won[i], err = ask()
			return err
		})
	})
	for _, err := range errs {
		w.must(err)
	}
	return won
}
