package sqlstore

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

func TestClaimPending(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		h := w.claimed(p)
		want := core.Handoff{
			ID: p.HandoffID, BadgeID: badge, MemberID: a.MemberID, State: core.HandoffOpen,
			OpenedAt: start, ExpiresAt: p.ExpiresAt,
		}
		if h != want {
			t.Errorf("handoff %+v, want %+v", h, want)
		}
		post, err := w.Post(t.Context(), p.PostID)
		w.must(err)
		if post.Place != p.Place || post.Subject != (core.Subject{Kind: core.SubjectHandoff, ID: h.ID}) || post.Account.ID != a.ID {
			t.Errorf("post %+v", post)
		}
		got := w.take(start, 10)
		if len(got) != 2 {
			t.Fatalf("%d deliveries, want the post and the event", len(got))
		}
		for _, d := range got {
			switch d.Kind {
			case "post":
				if d.Ref != p.PostID || !d.Fallback || d.Lane != ada.Lane() || d.Attempts != 1 || !d.FirstTryAt.IsZero() {
					t.Errorf("delivery %+v", d)
				}
			case "event":
				if d.Ref != badge || d.Payload.Reveal() != "badge.claimed" || d.Key != p.EventID {
					t.Errorf("delivery %+v", d)
				}
			default:
				t.Errorf("kind %q", d.Kind)
			}
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE actor = ? AND kind = 'badge.claim' AND subject = ?`, a.MemberID, badge); n != 1 {
			t.Errorf("%d audit rows, want 1", n)
		}
		if n := w.count(`SELECT count(*) FROM inbox`); n != 0 {
			t.Errorf("%d inbox rows for a pending badge, want 0", n)
		}
		again, err := w.DB.Claim(t.Context(), claimOf(ada, badge, start.Add(time.Minute)))
		w.must(err)
		if again.Fresh || again.Handoff != want {
			t.Errorf("second claim: %+v, want the first one's handoff", again)
		}
		if n := w.count(`SELECT count(*) FROM audit`); n != 1 {
			t.Errorf("%d audit rows after a second press, want 1", n)
		}
		state, err := w.ClaimState(t.Context(), ada, badge, start.Add(time.Minute))
		w.must(err)
		if state.Open == nil || state.Open.ID != h.ID {
			t.Errorf("open handoff %+v, want the first one", state.Open)
		}
	})
}

func TestClaimGrantedIsPreparedFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		badge := w.grant(award("a1", "ada@example.org"))
		p := claimOf(ada, badge, start)
		p.Announce = false
		h := w.claimed(p)
		if h.State != core.HandoffPreparing || !h.ExpiresAt.Equal(p.IssueBy) {
			t.Errorf("handoff %+v, want preparing until %v", h, p.IssueBy)
		}
		items, err := w.TakeItems(t.Context(), start, 10, time.Minute)
		w.must(err)
		if len(items) != 1 || items[0].Message.Kind != inbox.KindIssue || items[0].Message.Payload != h.ID {
			t.Errorf("inbox items %+v", items)
		}
		if n := w.count(`SELECT count(*) FROM outbox WHERE kind = 'event'`); n != 0 {
			t.Errorf("%d events, want none", n)
		}
		end := start.Add(5 * time.Minute)
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.OpenHandoff(ctx, h.ID, start, end) })
		err = w.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error { return tx.OpenHandoff(ctx, h.ID, start, end) })
		if !errors.Is(err, core.ErrUnmet) {
			t.Errorf("open twice: %v, want ErrUnmet", err)
		}
		view, err := w.HandoffView(t.Context(), h.ID)
		w.must(err)
		if view.Handoff.State != core.HandoffOpen || !view.Handoff.ExpiresAt.Equal(end) || !view.Owned || view.Locale != "de" {
			t.Errorf("view %+v", view)
		}
	})
}

func TestClaimRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada, eve := slackUser("U1"), slackUser("U2")
		w.account(ada, "ada@example.org")
		w.account(eve, "eve@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		held := pending("p2", "ada@example.org")
		held.Stage = core.StageAccepted
		accepted := w.observe(held).After.ID
		for name, p := range map[string]core.ClaimParams{
			"somebody else": claimOf(eve, badge, start),
			"nobody":        claimOf(slackUser("U9"), badge, start),
			"no badge":      claimOf(ada, "nothing", start),
			"accepted":      claimOf(ada, accepted, start),
		} {
			if _, err := w.DB.Claim(t.Context(), p); !errors.Is(err, core.ErrUnmet) {
				t.Errorf("%s: %v, want ErrUnmet", name, err)
			}
		}
		for _, id := range []core.Identity{eve, slackUser("U9")} {
			if _, err := w.ClaimState(t.Context(), id, badge, start); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("claim state for somebody else: %v, want ErrNotFound", err)
			}
		}
		if n := w.count(`SELECT count(*) FROM handoffs`) + w.count(`SELECT count(*) FROM posts`) + w.count(`SELECT count(*) FROM outbox`); n != 0 {
			t.Errorf("refused claims left %d rows", n)
		}
	})
}

func TestClaimCountsStaleHandoffAsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		first := claimOf(ada, badge, start)
		first.Place.MessageKey = "old"
		w.claimed(first)
		for _, d := range w.take(start, 10) {
			w.finish(start, outcomeSent(d))
		}
		// The very end belongs to the time after it.
		again := claimOf(ada, badge, first.ExpiresAt)
		again.Place.MessageKey = "new"
		h := w.claimed(again)
		if h.ID != again.HandoffID {
			t.Errorf("handoff %s, want the new one", h.ID)
		}
		if got := w.texts(`SELECT state FROM handoffs ORDER BY opened_at`); len(got) != 2 || got[0] != "expired" || got[1] != "open" {
			t.Errorf("states %v", got)
		}
		ready := w.texts(`SELECT ref FROM outbox WHERE kind = 'post' AND state = 'ready' AND NOT fallback`)
		if len(ready) != 1 || ready[0] != first.PostID {
			t.Errorf("told without fallback %v, want the old post", ready)
		}
		ready = w.texts(`SELECT ref FROM outbox WHERE kind = 'post' AND state = 'ready' AND fallback`)
		if len(ready) != 1 || ready[0] != again.PostID {
			t.Errorf("told with fallback %v, want the new post", ready)
		}
		// The same message shows the third handoff: its post is taken over.
		third := claimOf(ada, badge, again.ExpiresAt.Add(time.Second))
		third.Place.MessageKey = "new"
		w.claimed(third)
		if n := w.count(`SELECT count(*) FROM posts`); n != 2 {
			t.Errorf("%d posts, want 2", n)
		}
		post, err := w.Post(t.Context(), again.PostID)
		w.must(err)
		if post.Subject.ID != third.HandoffID {
			t.Errorf("taken over post shows %s, want the third handoff", post.Subject.ID)
		}
	})
}

func TestClaimRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		for round, now := range []time.Time{start, start.Add(time.Hour)} {
			var fresh atomic.Int64
			errs := race(32, func(int) error {
				p := claimOf(ada, badge, now)
				p.Place.MessageKey = p.PostID
				o, err := w.DB.Claim(context.WithoutCancel(t.Context()), p)
				if o.Fresh {
					fresh.Add(1)
				}
				return err
			})
			tally(t, errs, nil, core.ErrUnmet)
			if n := fresh.Load(); n != 1 {
				t.Errorf("round %d: %d claims opened a handoff, want 1", round, n)
			}
			if n := w.count(`SELECT count(*) FROM handoffs WHERE state IN ('preparing', 'open')`); n != 1 {
				t.Errorf("round %d: %d open handoffs, want 1", round, n)
			}
			if n := w.count(`SELECT count(*) FROM audit`); n != round+1 {
				t.Errorf("round %d: %d audit rows", round, n)
			}
		}
	})
}

func TestFollowOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		w.claimed(p)
		now := start.Add(time.Minute)
		errs := race(16, func(int) error {
			return w.FollowHandoff(context.WithoutCancel(t.Context()), p.HandoffID, now, now.Add(15*time.Second))
		})
		if n := tally(t, errs, nil, core.ErrGone); n[0] != 1 {
			t.Errorf("followed %d times, want once", n[0])
		}
		due, err := w.DuePolls(t.Context(), now.Add(15*time.Second), 10, time.Minute)
		w.must(err)
		if len(due) != 1 || due[0].ID != badge || due[0].Template.Name != "Gopher" {
			t.Errorf("due polls %+v", due)
		}
		due, err = w.DuePolls(t.Context(), now.Add(15*time.Second), 10, time.Minute)
		w.must(err)
		if len(due) != 0 {
			t.Errorf("polled twice: %+v", due)
		}
		// A followed handoff is watched, and no new claim is held up by it.
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.SaveObservation(ctx, pending("p1", "ada@example.org"), now,
				core.PollPlan{At: now.Add(time.Hour), Soon: now.Add(time.Second), Since: now.Add(-time.Hour)})
			return err
		})
		if n := w.count(`SELECT count(*) FROM badges WHERE next_poll_at = ?`, ms(now.Add(time.Second))); n != 1 {
			t.Error("a followed badge is not read soon")
		}
		w.claimed(claimOf(ada, badge, now))
	})
}

func TestFollowAfterEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		p := claimOf(ada, badge, start)
		w.claimed(p)
		if err := w.FollowHandoff(t.Context(), p.HandoffID, p.ExpiresAt, p.ExpiresAt); !errors.Is(err, core.ErrGone) {
			t.Errorf("follow at the end: %v, want ErrGone", err)
		}
		w.must(w.FollowHandoff(t.Context(), p.HandoffID, p.ExpiresAt.Add(-time.Millisecond), p.ExpiresAt))
	})
}

func TestExpireHandoffs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org")
		var posts []string
		for _, id := range []string{"p1", "p2", "p3", "p4", "p5"} {
			p := claimOf(ada, w.observe(pending(id, "ada@example.org")).After.ID, start)
			p.Place.MessageKey = id
			w.claimed(p)
			posts = append(posts, p.PostID)
		}
		late := start.Add(3 * time.Minute)
		total := 0
		var after core.Cursor
		for _, want := range []int{2, 2, 1, 0} {
			n, next, err := w.DB.ExpireHandoffs(t.Context(), late, after, 2)
			w.must(err)
			if n != want {
				t.Fatalf("%d expired, want %d", n, want)
			}
			total, after = total+n, next
		}
		if total != len(posts) || w.count(`SELECT count(*) FROM handoffs WHERE state = 'expired'`) != total {
			t.Errorf("%d expired, want %d", total, len(posts))
		}
		if n := w.count(`SELECT count(*) FROM outbox WHERE kind = 'post' AND state = 'ready' AND fallback`); n != len(posts) {
			t.Errorf("%d posts told, want %d", n, len(posts))
		}
	})
}

func TestTwoMembersRaceForAnAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.account(slackUser("U1")), w.account(slackUser("U2"))
		members := []string{a.MemberID, b.MemberID}
		errs := race(8, func(i int) error {
			return w.InTx(context.WithoutCancel(t.Context()), func(ctx context.Context, tx core.Tx) error {
				_, err := tx.AddressOwner(ctx, "ada@example.org")
				if !errors.Is(err, core.ErrNotFound) {
					return err
				}
				return tx.AddAddress(ctx, core.Address{
					ID: core.NewID(), MemberID: members[i%2], Email: email("ada@example.org"), VerifiedAt: start,
				})
			})
		})
		tally(t, errs, nil)
		if n := w.count(`SELECT count(*) FROM addresses`); n != 1 {
			t.Errorf("%d addresses, want 1", n)
		}
	})
}

func TestClaimAgainstRemovedAddress(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for i, id := range []string{"p1", "p2", "p3", "p4", "p5", "p6"} {
			ada := slackUser(id)
			address := id + "@example.org"
			w.account(ada, address)
			badge := w.observe(pending(id, address)).After.ID
			person, err := w.Person(t.Context(), ada)
			w.must(err)
			errs := race(2, func(n int) error {
				ctx := context.WithoutCancel(t.Context())
				if n == i%2 {
					_, err := w.DB.Claim(ctx, claimOf(ada, badge, start))
					return err
				}
				return w.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
					_, err := tx.RemoveAddress(ctx, person.Addresses[0].ID, ada, start)
					return err
				})
			})
			tally(t, errs, nil, core.ErrUnmet)
		}
		if n := w.count(`SELECT count(*) FROM handoffs WHERE state IN ('preparing', 'open')`); n != 0 {
			t.Errorf("%d handoffs open for addresses that are nobody's", n)
		}
	})
}
