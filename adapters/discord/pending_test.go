package discord

import (
	"context"
	"testing"
)

// A message waits for the acknowledgement of its own interaction only.
func TestPendingHoldsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	var p pending
	acknowledged := p.open("one")
	p.wait(t.Context(), "another")
	passed := make(chan struct{})
	go func() {
		p.wait(context.WithoutCancel(t.Context()), "one")
		close(passed)
	}()
	select {
	case <-passed:
		t.Fatal("passed before the acknowledgement")
	default:
	}
	acknowledged()
	<-passed
	p.wait(t.Context(), "one")
	if len(p.gates) != 0 {
		t.Errorf("%d gates are left", len(p.gates))
	}
}

func TestPendingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	var p pending
	defer p.open("one")()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.wait(ctx, "one")
}
