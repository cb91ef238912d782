package sqlstore

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// leasedClaim is a claim whose card may be carried at once.
func leasedClaim(actor core.Identity, badge string, now time.Time) core.ClaimParams {
	p := claimOf(actor, badge, now)
	p.Announce = false
	p.LeaseUntil = now.Add(time.Minute)
	return p
}

func TestClaimLeasesItsCard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := leasedClaim(ada, badge, start)
		o, err := w.DB.Claim(t.Context(), p)
		w.must(err)
		if !o.Fresh || o.Parcel == nil {
			t.Fatalf("opening %+v, want a fresh one with its card", o)
		}
		// What is carried is what would have been read.
		post, err := w.Post(t.Context(), o.Parcel.Post.ID)
		w.must(err)
		if o.Parcel.Post != post || post.Account.ID != a.ID {
			t.Errorf("post %+v, want %+v", o.Parcel.Post, post)
		}
		view, err := w.HandoffView(t.Context(), o.Handoff.ID)
		w.must(err)
		if o.Parcel.View != view {
			t.Errorf("view %+v, want %+v", o.Parcel.View, view)
		}
		if got := w.take(start.Add(59*time.Second), 10); len(got) != 0 {
			t.Errorf("took %+v while it is leased", got)
		}
		// Whoever claimed died: the lease brings the card back.
		got := w.take(start.Add(time.Minute), 10)
		if len(got) != 1 || got[0].ID != o.Parcel.Delivery || got[0].Key != o.Parcel.Key || got[0].Attempts != 2 || !got[0].FirstTryAt.Equal(start) {
			t.Fatalf("took %+v", got)
		}
		w.finish(start.Add(time.Minute), delivery.Outcome{Delivery: delivery.Of(*o.Parcel), State: delivery.StateSent})
		if n := w.count(`SELECT count(*) FROM outbox WHERE state = 'sending'`); n != 1 {
			t.Errorf("an outcome of the attempt before counted")
		}
	})
}

func TestClaimCarriesOnlyWhatIsFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		claim := func(n string, change func(*core.ClaimParams)) *core.Parcel {
			t.Helper()
			p := leasedClaim(ada, w.observe(pending(n, "ada@example.org")).After.ID, start)
			p.Place.MessageKey = "message-" + n
			if change != nil {
				change(&p)
			}
			o, err := w.DB.Claim(t.Context(), p)
			w.must(err)
			return o.Parcel
		}
		if claim("p1", func(p *core.ClaimParams) { p.LeaseUntil = time.Time{} }) != nil {
			t.Error("a card was leased unasked")
		}
		if claim("p2", nil) != nil {
			t.Error("a card was leased though another waits before it")
		}
		sent := func(now time.Time, pause time.Duration) {
			t.Helper()
			for got := w.take(now, 10); len(got) > 0; got = w.take(now, 10) {
				for _, d := range got {
					w.finish(now, delivery.Outcome{Delivery: d, State: delivery.StateSent, Pause: pause})
				}
			}
		}
		sent(start, 0)
		first := claim("p3", nil)
		if first == nil {
			t.Fatal("no card was leased though nothing waits")
		}
		if claim("p4", nil) != nil {
			t.Error("a card was leased though another is being sent, with the same lease")
		}
		w.finish(start, delivery.Outcome{Delivery: delivery.Of(*first), State: delivery.StateSent, Pause: time.Second})
		sent(start.Add(time.Second), time.Minute)
		if claim("p5", nil) != nil {
			t.Error("a card was leased though its lane pauses")
		}
		sent(start.Add(time.Minute+time.Second), 0)
		w.must(w.MarkInstallation(t.Context(), "slack", "T1", "gone", start))
		if claim("p6", func(p *core.ClaimParams) { p.Now = start.Add(time.Hour); p.LeaseUntil = start.Add(2 * time.Hour) }) != nil {
			t.Error("a card was leased for a workspace whose credentials are void")
		}
	})
}
