package delivery

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// parcel is a leased card to a person of a workspace.
func parcel(n int, tenant string) core.Parcel {
	who := core.Identity{Platform: "slack", Tenant: tenant, User: fmt.Sprintf("U%d", n)}
	return core.Parcel{
		Delivery: int64(n), Lane: who.Lane(), Key: fmt.Sprintf("key-%d", n), QueuedAt: start,
		Post: core.Post{ID: fmt.Sprintf("post-%d", n), Account: core.Account{Identity: who}},
	}
}

// A leased card is sent without a look at the store for it.
func TestCarrySendsWithoutLooking(t *testing.T) {
	t.Parallel()
	store := newMemory()
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(sent)}, nil)
	d.poll = time.Hour
	run(t, d)
	within(t, "the first look", store.looked)
	to := parcel(7, "T1")
	if until := d.Lease(to.Post.Account.Identity); !until.Equal(start.Add(lease)) {
		t.Errorf("leased until %v", until)
	}
	d.Carry(to)
	o := within(t, "its outcome", store.stored)
	got := o.Delivery
	if got.Parcel == nil || got.ID != 7 || got.Ref != "post-7" || got.Key != "key-7" || got.Tenant != "slack:T1" ||
		got.Attempts != 1 || !got.Fallback || got.Kind != KindPost || o.State != StateSent {
		t.Errorf("outcome %+v", o)
	}
}

// What waited for long is read again before it is shown, and what waited so
// long that its lease could end meanwhile is left to whoever takes it then.
func TestCarryAfterAWait(t *testing.T) {
	t.Parallel()
	store := newMemory()
	clock := &hand{now: start.Add(freshFor + time.Second)}
	d := NewDispatcher(store, clock, quietLog(), map[Kind]Sender{KindPost: senderFunc(sent)}, nil)
	run(t, d)
	d.Carry(parcel(1, "T1"))
	if o := within(t, "its outcome", store.stored); o.Delivery.Parcel != nil || o.Delivery.ID != 1 {
		t.Errorf("outcome %+v", o)
	}
	clock.move(lease - attemptTimeout)
	d.Carry(parcel(2, "T1"))
	late := parcel(3, "T1")
	late.QueuedAt = clock.Now()
	d.Carry(late)
	if o := within(t, "its outcome", store.stored); o.Delivery.ID != 3 {
		t.Errorf("outcome %+v, want that of the one in time", o)
	}
}

// A workspace that has its share waits its turn with carried cards as well.
func TestCarryKeepsShares(t *testing.T) {
	t.Parallel()
	store := newMemory()
	begun, end := make(chan Delivery, slots), make(chan struct{})
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(func(ctx context.Context, d Delivery) Outcome {
		begun <- d
		if d.Tenant == "slack:T1" {
			<-end
		}
		return sent(ctx, d)
	})}, nil)
	stop := run(t, d)
	for n := range tenantSlots {
		d.Carry(parcel(n, "T1"))
		within(t, "an attempt", begun)
	}
	who := parcel(0, "T1").Post.Account.Identity
	if until := d.Lease(who); !until.IsZero() {
		t.Errorf("leased until %v, though the workspace has its share", until)
	}
	d.Carry(parcel(1000, "T1"))
	o := within(t, "the outcome of the last", store.stored)
	if o.Delivery.ID != 1000 || o.State != StateReady || !o.Uncounted || !o.RetryAt.Equal(start) {
		t.Errorf("outcome %+v, want it handed back", o)
	}
	d.Carry(parcel(1001, "T2"))
	if o := within(t, "the outcome of another workspace", store.stored); o.Delivery.ID != 1001 || o.State != StateSent {
		t.Errorf("outcome %+v", o)
	}
	close(end)
	stop()
	if n := d.used("slack:T1") + d.used("slack:T2"); n != 0 {
		t.Errorf("%d attempts count as under way after the end", n)
	}
}

// What could not be begun before the end is due again at once.
func TestCarryHandsBackAtTheEnd(t *testing.T) {
	t.Parallel()
	store := newMemory()
	d := NewDispatcher(store, fixed(start), quietLog(), map[Kind]Sender{KindPost: senderFunc(sent)}, nil)
	d.Carry(parcel(1, "T1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.Run(ctx)
	if o := within(t, "its outcome", store.stored); o.State != StateReady || !o.Uncounted {
		t.Errorf("outcome %+v", o)
	}
}

// A carried card is made from what the claim returned: the store is away, and
// it is shown all the same. Where it stands is stored only if that changed.
func TestPostSenderReadsNothingForAParcel(t *testing.T) {
	t.Parallel()
	here := core.Place{Ref: "here", MessageKey: "m1", EditableUntil: start.Add(time.Minute), Shown: true}
	used := here
	used.Ref = "used once"
	for name, after := range map[string]core.Place{"unchanged": here, "changed": used} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &cards{failure: core.ErrUnavailable}
			m := &messenger{showPlace: after}
			s := &PostSender{
				Store: store, Clock: fixed(start), Composer: testComposer(t, store, start),
				Messengers: map[core.Platform]chat.Messenger{"slack": m},
			}
			p := parcel(1, "T1")
			p.Post.Place, p.Post.Account.MemberID = here, "m"
			p.Post.Subject = core.Subject{Kind: core.SubjectHandoff, ID: "h"}
			p.View = core.HandoffView{
				Handoff: core.Handoff{ID: core.NewID(), MemberID: "m", State: core.HandoffOpen, ExpiresAt: start.Add(time.Minute)},
				Badge:   core.Badge{ID: "b", Stage: core.StagePending, Template: core.Template{Name: "Gopher"}}, Owned: true,
			}
			got := s.Send(t.Context(), Of(p))
			if got.State != StateSent || len(m.calls) != 1 || m.calls[0].title != "Ready: Gopher" || m.calls[0].key != "key-1" {
				t.Fatalf("outcome %+v, calls %+v", got, m.calls)
			}
			if !got.SameMessage || (got.Place != nil) != (after != here) {
				t.Errorf("place %+v", got.Place)
			}
		})
	}
}
