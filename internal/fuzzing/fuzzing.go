// Package fuzzing helps fuzz tests of decoders.
package fuzzing

import (
	"flag"
	"testing"
	"time"
)

// Limit is how long an input from outside may keep a decoder busy.
const Limit = 50 * time.Millisecond

// tries tell a slow input from a busy machine.
const tries = 3

// Soon runs f, and fails the test when f takes longer than [Limit] each time
// it is tried. It looks at the time only while fuzzing: in an ordinary run
// many tests share the machine, and a moment says nothing about the input.
func Soon(tb testing.TB, f func()) {
	tb.Helper()
	if !active() {
		f()
		return
	}
	var took time.Duration
	for range tries {
		begin := time.Now()
		f()
		if took = time.Since(begin); took < Limit {
			return
		}
	}
	tb.Errorf("took %v", took)
}

func active() bool {
	fuzz := flag.Lookup("test.fuzz")
	return fuzz != nil && fuzz.Value.String() != ""
}
