package core_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/laurelbot/laurel/core"
)

// gate is a store that holds claims up until it opens.
type gate struct {
	core.Store
	claims atomic.Int64
	opens  chan struct{}
}

func (g *gate) Claim(_ context.Context, p core.ClaimParams) (core.Opening, error) {
	g.claims.Add(1)
	<-g.opens
	return core.Opening{Handoff: core.Handoff{ID: p.HandoffID}, Fresh: true, Parcel: &core.Parcel{Key: p.PostID}}, nil
}

type still time.Time

func (s still) Now() time.Time { return time.Time(s) }

// Presses on one button that come together are one claim with one card, those
// on other messages are others.
func TestPressesThatComeTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const each = 8
		store := &gate{opens: make(chan struct{})}
		c := &core.Claims{Store: store, Clock: still(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)), TTL: core.DefaultHandoffTTL}
		results := make(chan core.Claimed, 3*each)
		for _, place := range []core.Place{{MessageKey: "m1"}, {MessageKey: "m2"}, {}} {
			for range each {
				go func() {
					got, err := c.Claim(t.Context(), ada, "badge", place)
					if err != nil {
						t.Error(err)
					}
					results <- got
				}()
			}
		}
		synctest.Wait()
		// A message that has no name yet is nobody else's.
		if n := store.claims.Load(); n != 2+each {
			t.Errorf("%d claims, want %d", n, 2+each)
		}
		close(store.opens)
		opened, cards := 0, 0
		for range 3 * each {
			got := <-results
			if got.Result == core.ClaimOpened {
				opened++
			} else if got.Result != core.ClaimAlreadyOpen {
				t.Errorf("result %v", got.Result)
			}
			if got.Parcel != nil {
				cards++
			}
		}
		if opened != 2+each || cards != 2+each {
			t.Errorf("%d opened, %d cards, want %d of both", opened, cards, 2+each)
		}
		if got, err := c.Claim(t.Context(), ada, "badge", core.Place{MessageKey: "m1"}); err != nil || got.Parcel == nil {
			t.Errorf("a later press got %+v, %v", got, err)
		}
	})
}
