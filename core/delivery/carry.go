package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// freshFor is how long what a parcel holds counts as what is true. Whatever
// changed since it was queued has queued an edit behind it.
const freshFor = 2 * time.Second

var _ core.Courier = (*Dispatcher)(nil)

// tenantOf names the workspace of somebody as [Delivery] does.
func tenantOf(to core.Identity) string { return string(to.Platform) + ":" + to.Tenant }

// Lease implements [core.Courier].
func (d *Dispatcher) Lease(to core.Identity) time.Time {
	free := cap(d.slots) - len(d.slots) - len(d.parcels)
	if free <= 0 || d.used(tenantOf(to)) >= shareOf(free) {
		return time.Time{}
	}
	return d.clock.Now().Add(lease)
}

// Carry implements [core.Courier]. A card for which there is no room, or that
// comes after the end of Run, is left to its lease.
func (d *Dispatcher) Carry(p core.Parcel) {
	select {
	case d.parcels <- p:
	default:
	}
}

// carryAll begins an attempt for each parcel until ctx ends. Those that are
// left then are handed back.
func (d *Dispatcher) carryAll(ctx, sending context.Context, attempts *sync.WaitGroup) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case p := <-d.parcels:
			d.carry(sending, attempts, p)
		}
	}
	for len(d.parcels) > 0 {
		d.handBack(<-d.parcels)
	}
}

func (d *Dispatcher) carry(sending context.Context, attempts *sync.WaitGroup, p core.Parcel) {
	tenant := tenantOf(p.Post.Account.Identity)
	if d.clock.Now().Sub(p.QueuedAt) > lease-attemptTimeout {
		// Its lease would be over before the attempt: it comes back by itself.
		return
	}
	if d.used(tenant) >= tenantSlots {
		d.handBack(p)
		return
	}
	d.slots <- struct{}{}
	d.count(tenant, 1)
	d.start(sending, attempts, d.deliveryOf(p))
}

// handBack makes a leased card wait its turn like any other.
func (d *Dispatcher) handBack(p core.Parcel) {
	d.slots <- struct{}{}
	one := d.deliveryOf(p)
	d.count(one.Tenant, 1)
	d.outcomes <- Outcome{Delivery: one, State: StateReady, RetryAt: d.clock.Now(), Uncounted: true}
}

// Of is the delivery of a leased card.
func Of(p core.Parcel) Delivery {
	return Delivery{
		ID: p.Delivery, Lane: p.Lane, Tenant: tenantOf(p.Post.Account.Identity), Kind: KindPost, Ref: p.Post.ID,
		Key: p.Key, Fallback: true, Attempts: 1, CreatedAt: p.QueuedAt, Parcel: &p,
	}
}

func (d *Dispatcher) deliveryOf(p core.Parcel) Delivery {
	one := Of(p)
	if d.clock.Now().Sub(p.QueuedAt) > freshFor {
		one.Parcel = nil
	}
	return one
}

// used is how many attempts of a tenant are under way.
func (d *Dispatcher) used(tenant string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.under[tenant]
}
