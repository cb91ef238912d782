package simwire_test

import (
	"slices"
	"testing"

	"github.com/laurelbot/laurel/playground/simwire"
)

func TestLog(t *testing.T) {
	t.Parallel()
	var log simwire.Log[int]
	if all := log.All(); all == nil || len(all) != 0 {
		t.Errorf("at first %v", all)
	}
	heard := 0
	log.Listen(func(int) { heard++ })
	const n = simwire.Kept + 3
	want := []int{}
	for i := range n {
		log.Add(i)
		want = append(want, i)
	}
	if got := log.All(); !slices.Equal(got, want[n-simwire.Kept:]) {
		t.Errorf("kept %v", got)
	}
	log.Listen(nil)
	log.Add(n)
	if heard != n {
		t.Errorf("heard of %d, want %d", heard, n)
	}
}
