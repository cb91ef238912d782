package delivery

import (
	"context"
	"slices"
	"testing"
)

// A tenant that does not answer holds its share of the slots; the others are
// served, however many of its messages wait before theirs.
func TestASlowTenantHoldsItsShareOnly(t *testing.T) {
	t.Parallel()
	var queue []Delivery
	for i, d := range lanes(2*slots + 100) {
		d.Tenant = "slow-" + string(rune('a'+i%3))
		if i >= 2*slots {
			d.Tenant = "quick"
		}
		queue = append(queue, d)
	}
	store := newMemory(queue...)
	release, begun := make(chan struct{}), make(chan Delivery, len(queue))
	run(t, NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		begun <- d
		if d.Tenant != "quick" {
			<-release
		}
		return sent(ctx, d)
	})}, nil))
	for range 100 {
		if o := within(t, "an outcome", store.stored); o.Delivery.Tenant != "quick" {
			t.Fatal("a slow one was done")
		}
	}
	under := map[string]int{}
	for len(begun) > 0 {
		under[(<-begun).Tenant]++
	}
	for tenant, n := range under {
		if tenant != "quick" && n > tenantSlots {
			t.Errorf("%d attempts of %s are under way", n, tenant)
		}
	}
	close(release)
	for range 2 * slots {
		within(t, "a slow one", store.stored)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	if _, limited := (Share{}).Left("a"); limited || (Share{Under: map[string]int{"a": 9}}).Full() != nil {
		t.Error("the zero share has limits")
	}
	s := Share{Each: 3, Under: map[string]int{"a": 1, "b": 3, "c": 7}}
	for tenant, want := range map[string]int{"a": 2, "b": 0, "c": 0, "d": 3} {
		if n, limited := s.Left(tenant); !limited || n != want {
			t.Errorf("%s may have %d", tenant, n)
		}
	}
	if full := s.Full(); !slices.Equal(full, []string{"b", "c"}) {
		t.Errorf("full: %v", full)
	}
	busy := Share{Each: 64, Under: map[string]int{"a": 1, "b": 40, "c": 64}}
	for n, want := range map[int]int{5: 5, 100: 24} {
		if got := busy.most(n); got != want {
			t.Errorf("takes %d of %d at once", got, n)
		}
	}
	busy.Under["b"] = 60
	if got := busy.most(100); got != fewLanes {
		t.Errorf("takes %d at once behind a busy tenant", got)
	}
}
