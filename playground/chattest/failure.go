package chattest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Failure runs a story as a test of its own and returns what it failed with,
// nothing when it did not: so the languages themselves are tested.
func Failure(tb testing.TB, story func(testing.TB)) string {
	tb.Helper()
	t := &trial{TB: tb}
	run := func(part func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			part()
		}()
		<-done
	}
	run(func() { story(t) })
	for i := len(t.cleanup) - 1; i >= 0; i-- {
		run(t.cleanup[i])
	}
	return strings.Join(t.said, "\n")
}

// trial is a test that may fail: what it would have said is kept.
type trial struct {
	testing.TB

	mu      sync.Mutex
	said    []string
	cleanup []func()
}

func (t *trial) add(words string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, words)
}

func (t *trial) Errorf(format string, args ...any) { t.add(fmt.Sprintf(format, args...)) }
func (t *trial) Fatal(args ...any)                 { t.add(fmt.Sprint(args...)); runtime.Goexit() }
func (t *trial) Fatalf(format string, args ...any) { t.Errorf(format, args...); runtime.Goexit() }
func (t *trial) Cleanup(end func())                { t.cleanup = append(t.cleanup, end) }

func (t *trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.said) > 0
}
