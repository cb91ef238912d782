package console_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/playground/console"
	"github.com/laurelbot/laurel/playground/simclock"
)

// diary is a program with appointments, which notes when it kept them, and
// takes a moment for each.
type diary struct {
	clock   *simclock.Clock
	due     []console.Due
	kept    []time.Time
	working int
}

func (d *diary) work(context.Context) (console.Work, error) {
	var work console.Work
	for _, one := range d.due {
		if one.At.After(d.clock.Now()) {
			work.Due = append(work.Due, one)
		}
	}
	if d.working > 0 {
		d.working--
		work.Deliveries = append(work.Deliveries, console.Task{State: "ready", NextAt: d.clock.Now()})
	}
	work.Deliveries = append(work.Deliveries, console.Task{State: "ready", NextAt: d.clock.Now().Add(time.Hour)}, console.Task{State: "dead"})
	return work, nil
}

// A day that somebody jumps over has its appointments all the same, each at
// its time; what has none is done at the end.
func TestTheClockStopsOnTheWay(t *testing.T) {
	t.Parallel()
	evening := time.Date(2026, 11, 2, 18, 0, 0, 0, time.UTC)
	at := func(hours float64) time.Time { return evening.Add(time.Duration(hours * float64(time.Hour))) }
	d := &diary{clock: simclock.NewFrozen(evening), due: []console.Due{
		{What: "long ago", At: at(-1), Timely: true},
		{What: "a link ends", At: at(1)},
		{What: "nine", At: at(15), Timely: true},
		{What: "half past", At: at(15.5), Timely: true},
		{What: "next day", At: at(39), Timely: true},
	}}
	d.clock.OnMove(func(now time.Time) {
		d.kept = append(d.kept, now.Truncate(time.Minute))
		d.working = 2
	})
	server := httptest.NewServer(console.New(console.Config{Clock: d.clock, App: console.App{Work: d.work}}))
	defer server.Close()
	if resp, raw := call(t, "POST", server.URL+"/clock", "application/json", `{"advance":"24h"}`); resp.StatusCode != 200 {
		t.Fatalf("%d: %s", resp.StatusCode, raw)
	}
	if want := []time.Time{at(15), at(15.5), at(24)}; !slices.EqualFunc(d.kept, want, time.Time.Equal) {
		t.Errorf("the clock stopped at %v, want %v", d.kept, want)
	}
	if !d.clock.Now().Equal(at(24)) {
		t.Errorf("it is %s", d.clock.Now())
	}
}

// A program that cannot say what is due, or never comes to rest, holds nothing
// up.
func TestTheClockWaitsForNobody(t *testing.T) {
	t.Parallel()
	clock := simclock.NewFrozen(time.Date(2026, 11, 2, 18, 0, 0, 0, time.UTC))
	app := console.App{Work: func(context.Context) (console.Work, error) { return console.Work{}, errors.New("away") }}
	server := httptest.NewServer(console.New(console.Config{Clock: clock, App: app}))
	defer server.Close()
	before := clock.Now()
	if resp, raw := call(t, "POST", server.URL+"/clock", "application/json", `{"advance":"48h"}`); resp.StatusCode != 200 {
		t.Fatalf("%d: %s", resp.StatusCode, raw)
	}
	if !clock.Now().Equal(before.Add(48 * time.Hour)) {
		t.Errorf("it is %s", clock.Now())
	}
}
