package sqlstore

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// home is the home of an account, as it is followed from when it is opened.
func (w *world) home(a core.Account) string {
	w.t.Helper()
	place := core.Place{Ref: core.Secret("home of " + a.ID), MessageKey: core.HomeKey, EditableUntil: start.AddDate(100, 0, 0), Shown: true}
	return w.post(a, core.Subject{Kind: core.SubjectHome, ID: a.ID}, place, start)
}

// told delivers what waits, and returns the posts in order of their ids.
func (w *world) told() []string {
	w.t.Helper()
	// An import tells by the clock of the database.
	now := start.AddDate(50, 0, 0)
	var refs []string
	for {
		due := w.take(now, 50)
		if len(due) == 0 {
			slices.Sort(refs)
			return refs
		}
		for _, d := range due {
			if d.Kind == delivery.KindPost {
				refs = append(refs, d.Ref)
			}
			w.finish(now, delivery.Outcome{Delivery: d, State: delivery.StateSent})
		}
	}
}

// Whatever changes for a person is told to all of their homes, and to no other.
func TestHomesAreTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		slack, bruno := w.account(slackUser("U1"), "ada@example.org"), w.account(slackUser("U2"), "bruno@example.org")
		discord := w.account(core.Identity{Platform: "discord", User: "1"})
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.JoinMembers(ctx, discord.MemberID, slack.MemberID, start)
		})
		mine := []string{w.home(slack), w.home(discord)}
		slices.Sort(mine)
		others := w.home(bruno)
		// An import tells by the clock of the database.
		for _, home := range append(mine, others) {
			w.must(w.RenewHome(t.Context(), home, start.AddDate(50, 0, 0)))
		}
		homes, err := w.HomesOf(t.Context(), slack.MemberID)
		if err != nil || len(homes) != 2 || homes[0].Account.ID != slack.ID || homes[0].Place.Ref != core.Secret("home of "+slack.ID) ||
			!homes[0].Place.Shown || homes[0].Subject != (core.Subject{Kind: core.SubjectHome, ID: slack.ID}) {
			t.Fatalf("%+v, %v", homes, err)
		}
		ada := slack.Identity
		now := start.Add(time.Minute)
		var badge string
		var claim core.ClaimParams
		for _, step := range []struct {
			name string
			do   func()
			// more is what is told beside the homes.
			more int
		}{
			{"a badge is granted", func() { w.grant(award("a1", "ada@example.org")) }, 0},
			{"a badge comes", func() {
				badge = w.observe(pending("p1", "ada@example.org")).After.ID
				w.tx(func(ctx context.Context, tx core.Tx) error {
					_, err := tx.TellBadge(ctx, badge, false, now)
					return err
				})
			}, 0},
			{"a link is followed", func() {
				claim = claimOf(ada, badge, now)
				w.claimed(claim)
				w.told()
				w.must(w.FollowHandoff(t.Context(), claim.HandoffID, now, now))
			}, 1},
			{"a badge changes", func() {
				w.tx(func(ctx context.Context, tx core.Tx) error { _, err := tx.TellBadge(ctx, badge, true, now); return err })
			}, 1},
			{"wishes", func() { w.must(w.SaveWishes(t.Context(), ada, core.Wishes{Stopped: true}, now)) }, 0},
			{"shared", func() { w.must(w.MarkShared(t.Context(), ada, badge, now)) }, 0},
			{"a member", func() {
				w.tx(func(ctx context.Context, tx core.Tx) error { return tx.TellHomes(ctx, slack.MemberID, now) })
			}, 0},
		} {
			step.do()
			got := w.told()
			for _, post := range mine {
				if !slices.Contains(got, post) {
					t.Errorf("%s: a home is not told: %v", step.name, got)
				}
			}
			if slices.Contains(got, others) || len(got) != len(mine)+step.more {
				t.Errorf("%s: told %v", step.name, got)
			}
		}
	})
}

// A claim that was begun in the home takes it over, and a home that shows one
// is told once.
func TestClaimInAHome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		home := w.home(a)
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		claim := claimOf(a.Identity, badge, start)
		claim.Place = core.Place{Ref: "home", MessageKey: core.HomeKey, EditableUntil: start.AddDate(100, 0, 0), Shown: true}
		w.claimed(claim)
		post, err := w.Post(t.Context(), home)
		if err != nil || post.Subject != (core.Subject{Kind: core.SubjectHandoff, ID: claim.HandoffID}) || post.Place.MessageKey != core.HomeKey {
			t.Fatalf("%+v, %v", post, err)
		}
		w.told()
		later := start.Add(time.Hour)
		n, _, err := w.ExpireHandoffs(t.Context(), later, core.Cursor{}, 10)
		if got := w.told(); err != nil || n != 1 || len(got) != 1 || got[0] != home {
			t.Errorf("%d expired, told %v, %v", n, got, err)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.TellBadge(ctx, badge, true, later)
			return err
		})
		if got := w.told(); len(got) != 1 || got[0] != home {
			t.Errorf("told %v", got)
		}
		// A home is followed whatever it shows.
		w.must(w.ForgetPost(t.Context(), a.Identity, core.HomeKey))
		if homes, err := w.HomesOf(t.Context(), a.MemberID); err != nil || len(homes) != 1 {
			t.Errorf("%v, %v", homes, err)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, a.Identity, later) })
		if n := w.count(`SELECT count(*) FROM posts`) + w.count(`SELECT count(*) FROM outbox`); n != 0 {
			t.Errorf("%d rows left", n)
		}
	})
}

// A platform that lets homes wait holds up no message: not a claim's, nor any
// other of the same person.
func TestHomesHoldUpNoMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		home := w.home(a)
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.TellHomes(ctx, a.MemberID, start) })
		due := w.take(start, 10)
		if len(due) != 1 || due[0].Ref != home {
			t.Fatalf("%+v", due)
		}
		w.finish(start, delivery.Outcome{Delivery: due[0], State: delivery.StateReady, RetryAt: start.Add(time.Hour), LimitedSince: start})
		card := w.post(a, core.Subject{Kind: core.SubjectBadge, ID: "b1"}, core.Place{Ref: "m1", MessageKey: "m1"}, start)
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.Tell(ctx, card, false, start) })
		if due = w.take(start, 10); len(due) != 1 || due[0].Ref != card {
			t.Fatalf("%+v", due)
		}
		w.finish(start, delivery.Outcome{Delivery: due[0], State: delivery.StateSent})
		if due = w.take(start.Add(time.Hour), 10); len(due) != 1 || due[0].Ref != home {
			t.Fatalf("later: %+v", due)
		}
	})
}

// A home is followed for as long as somebody looks at it now and then.
func TestHomesAreRenewed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada, bruno := w.account(slackUser("U1"), "ada@example.org"), w.account(slackUser("U2"), "bruno@example.org")
		opened, forgotten := w.home(ada), w.home(bruno)
		message := w.post(ada, core.Subject{Kind: core.SubjectHome, ID: ada.ID}, core.Place{Ref: "r", MessageKey: "k"}, start)
		later := start.Add(keepPosts - time.Hour)
		for _, post := range []string{opened, message, core.NewID()} {
			w.must(w.RenewHome(t.Context(), post, later))
		}
		w.must(w.Tidy(t.Context(), start.Add(keepPosts+time.Hour)))
		for post, kept := range map[string]bool{opened: true, forgotten: false, message: false} {
			if _, err := w.Post(t.Context(), post); (err == nil) != kept {
				t.Errorf("%s is kept %t, want %t", post, err == nil, kept)
			}
		}
		// It goes in the end, and whoever looks all the time writes once a day.
		w.must(w.RenewHome(t.Context(), opened, later.Add(renewHomes-time.Second)))
		w.must(w.Tidy(t.Context(), later.Add(keepPosts+time.Second)))
		if _, err := w.Post(t.Context(), opened); err == nil {
			t.Error("it is kept for ever")
		}
	})
}

// A home that was not opened lately is left as it is: who opens it sees what is
// true then.
func TestHomesThatNobodyOpens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		home := w.home(a)
		for after, want := range map[time.Duration]int{watchHomes - time.Second: 1, watchHomes: 0} {
			w.tx(func(ctx context.Context, tx core.Tx) error { return tx.TellHomes(ctx, a.MemberID, start.Add(after)) })
			if got := w.told(); len(got) != want {
				t.Errorf("after %s: %v", after, got)
			}
		}
		w.must(w.RenewHome(t.Context(), home, start.Add(watchHomes)))
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return tx.TellHomes(ctx, a.MemberID, start.Add(watchHomes+time.Second))
		})
		if got := w.told(); len(got) != 1 {
			t.Errorf("opened again: %v", got)
		}
	})
}

// Who stays without an address that the body had erased does not go on seeing
// its badges.
func TestHomesAreToldOfAnErasure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada, bruno := w.account(slackUser("U1"), "ada@example.org", "ada@example.com"), w.account(slackUser("U2"), "bruno@example.org")
		home := w.home(ada)
		w.home(bruno)
		w.grant(award("a1", "ada@example.com"))
		w.told()
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseAddress(ctx, "ada@example.com", start) })
		if got := w.told(); len(got) != 1 || got[0] != home {
			t.Errorf("told %v, want %s", got, home)
		}
	})
}
