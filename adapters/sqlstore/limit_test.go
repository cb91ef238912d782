package sqlstore

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

func TestTakePermits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		rate := core.Rate{Interval: 100 * time.Millisecond, Burst: 5}
		ms := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
		for i, step := range []struct {
			at, n, patience int
			first           int
			unmet           bool
		}{
			// After a rest the whole burst is there at once.
			{at: 0, n: 3, first: -400},
			{at: 0, n: 2, first: -100},
			{at: 0, n: 1, patience: 99, first: 100, unmet: true},
			{at: 0, n: 1, patience: 100, first: 100},
			{at: 50, n: 8, patience: 150, first: 200},
			{at: 60, n: 1, patience: 900, first: 1000, unmet: true},
			// Another replica's clock is behind.
			{at: -50, n: 1, patience: 1050, first: 1000},
			// The burst gathers again, and no more than it.
			{at: 1300, n: 1, first: 1100},
			{at: 60_000, n: 1, first: 59_600},
		} {
			first, err := w.TakePermits(t.Context(), "a", ms(step.at), step.n, rate, time.Duration(step.patience)*time.Millisecond)
			if !first.Equal(ms(step.first)) || errors.Is(err, core.ErrUnmet) != step.unmet || err != nil && !step.unmet {
				t.Fatalf("step %d: %v, %v", i, first.Sub(start), err)
			}
		}
		if _, err := w.TakePermits(t.Context(), "b", start, 1, rate, 0); err != nil {
			t.Errorf("another limit: %v", err)
		}
		for _, bad := range []struct {
			n    int
			rate core.Rate
		}{{0, rate}, {-1, rate}, {1, core.Rate{Interval: time.Minute, Burst: 100}}} {
			if _, err := w.TakePermits(t.Context(), "c", start, bad.n, bad.rate, 0); err == nil || errors.Is(err, core.ErrUnmet) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func TestCloseLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		rate := core.Rate{Interval: 10 * time.Millisecond, Burst: 50}
		until := start.Add(time.Minute + 300*time.Microsecond)
		w.must(w.CloseLimit(t.Context(), "a", until))
		w.must(w.CloseLimit(t.Context(), "a", start.Add(time.Second)))
		first, err := w.TakePermits(t.Context(), "a", start, 1, rate, time.Second)
		if !errors.Is(err, core.ErrUnmet) || first.Before(until) || first.After(until.Add(time.Millisecond)) {
			t.Errorf("closed: %v, %v", first, err)
		}
		// The burst does not reach back to before its time.
		for i, at := range []time.Time{until.Add(time.Millisecond), until.Add(time.Second)} {
			first, err = w.TakePermits(t.Context(), "a", at, 1, rate, time.Second)
			if err != nil || first.Before(until) {
				t.Errorf("permit %d after it: %v, %v", i, first, err)
			}
		}
	})
}

// However many ask from wherever, with clocks apart, for as many as they
// like: no two permits are closer than the interval, and no burst is longer
// than it may be.
func TestPermitsKeepTheRate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(rt *rapid.T) {
			name := core.NewID()
			ctx := context.Background()
			rate := core.Rate{
				Interval: time.Duration(rapid.IntRange(1, 500).Draw(rt, "interval")) * time.Millisecond,
				Burst:    rapid.IntRange(0, 20).Draw(rt, "burst"),
			}
			burst := time.Duration(max(rate.Burst, 1)-1) * rate.Interval
			now, next, closed := start, time.Time{}, time.Time{}
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				now = now.Add(time.Duration(rapid.IntRange(-200, 2000).Draw(rt, "passes")) * time.Millisecond)
				if rapid.IntRange(0, 4).Draw(rt, "close") == 0 {
					until := now.Add(time.Duration(rapid.IntRange(-100, 3000).Draw(rt, "until")) * time.Millisecond)
					if err := w.CloseLimit(ctx, name, until); err != nil {
						rt.Fatal(err)
					}
					if until.After(closed) {
						closed = until
					}
				}
				n := rapid.IntRange(1, 8).Draw(rt, "n")
				patience := time.Duration(rapid.IntRange(0, 500).Draw(rt, "patience")) * time.Millisecond
				first, err := w.TakePermits(ctx, name, now, n, rate, patience)
				if errors.Is(err, core.ErrUnmet) {
					if !first.After(now.Add(patience)) {
						rt.Fatalf("refused although one is free at %v", first)
					}
					continue
				}
				if err != nil {
					rt.Fatal(err)
				}
				if first.Before(next) || first.Before(closed) || first.Before(now.Add(-burst)) || first.After(now.Add(patience)) {
					rt.Fatalf("permit at %v; now %v, next %v, closed until %v", first, now, next, closed)
				}
				next = first.Add(time.Duration(n) * rate.Interval)
			}
		})
	})
}

// Two replicas with a limiter each never let more through than the rate.
func TestTwoLimitersShareOneRate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		clock, err := w.Clock(t.Context())
		w.must(err)
		defer clock.Close()
		rate := core.Rate{Interval: 10 * time.Millisecond, Burst: 10}
		log := slog.New(slog.DiscardHandler)
		limiters := []*delivery.Limiter{delivery.NewLimiter(w, clock, log), delivery.NewLimiter(w, clock, log)}
		begin := clock.Now()
		var through, refused atomic.Int64
		errs := race(12, func(i int) error {
			ctx := context.WithoutCancel(t.Context())
			for clock.Now().Sub(begin) < 400*time.Millisecond {
				err := limiters[i%2].Wait(ctx, "a", rate)
				switch {
				case err == nil:
					through.Add(1)
				case core.ClassOf(err) == core.RetryLater:
					refused.Add(1)
				default:
					return err
				}
			}
			return nil
		})
		tally(t, errs, nil)
		// What was let through has its time behind it.
		most := int64(clock.Now().Sub(begin)/rate.Interval) + int64(rate.Burst) + 1
		if n := through.Load(); n > most || n < int64(rate.Burst) {
			t.Errorf("%d let through and %d refused, %d are allowed", n, refused.Load(), most)
		}
	})
}

func TestLease(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		take := func(holder string, at time.Time) bool {
			t.Helper()
			got, err := w.TakeLease(t.Context(), "gateway", holder, at, 10*time.Second)
			w.must(err)
			return got
		}
		later := start.Add(8 * time.Second)
		if !take("a", start) || take("b", start) || take("b", start.Add(9999*time.Millisecond)) {
			t.Error("the first holder does not have it alone")
		}
		if !take("a", later) || take("b", start.Add(10*time.Second)) {
			t.Error("the holder could not hold on to it")
		}
		w.must(w.ReleaseLease(t.Context(), "gateway", "b"))
		if take("b", later) {
			t.Error("somebody else gave it up")
		}
		if !take("b", later.Add(10*time.Second)) || take("a", later.Add(10*time.Second)) {
			t.Error("nobody takes over when its time ran out")
		}
		w.must(w.ReleaseLease(t.Context(), "gateway", "b"))
		if !take("c", later) {
			t.Error("it is not free after it was given up")
		}
		if got, err := w.TakeLease(t.Context(), "other", "a", start, time.Second); err != nil || !got {
			t.Errorf("another lease: %v, %v", got, err)
		}
	})
}

func TestLeaseIsTakenByOneOfMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for round := range 5 {
			now := start.Add(time.Duration(round) * time.Minute)
			got := make([]bool, 8)
			tally(t, race(len(got), func(i int) (err error) {
				got[i], err = w.TakeLease(context.WithoutCancel(t.Context()), "a", string(rune('a'+i)), now, time.Second)
				return err
			}), nil)
			if n := len(slices.DeleteFunc(got, func(has bool) bool { return !has })); n != 1 {
				t.Errorf("round %d: %d holders", round, n)
			}
		}
	})
}

func TestTidyForgetsOldLimitsAndLeases(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		rate := core.Rate{Interval: time.Second, Burst: 10}
		for name, at := range map[string]time.Time{"old": start.Add(-2 * time.Hour), "new": start} {
			_, err := w.TakePermits(t.Context(), name, at, 1, rate, 0)
			w.must(err)
			_, err = w.TakeLease(t.Context(), name, "a", at.Add(-23*time.Hour), time.Second)
			w.must(err)
		}
		w.must(w.Tidy(t.Context(), start))
		for _, table := range []string{"limits", "leases"} {
			if got := w.texts(`SELECT name FROM ` + table); !slices.Equal(got, []string{"new"}) {
				t.Errorf("%s: %v", table, got)
			}
		}
	})
}
