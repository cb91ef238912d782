package simchange_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/laurelbot/laurel/playground/simchange"
)

func TestEventually(t *testing.T) {
	t.Parallel()
	var s simchange.Signal
	var n atomic.Int64
	looked := make(chan struct{}, 10)
	done := make(chan error)
	go func() {
		done <- s.Eventually(t.Context(), func() bool {
			defer func() { looked <- struct{}{} }()
			return n.Load() == 2
		})
	}()
	for range 2 {
		<-looked
		n.Add(1)
		s.Touch()
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestEventuallyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	var s simchange.Signal
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Eventually(ctx, func() bool {
		cancel()
		return false
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
