package sqlstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// monday is nine in the morning, in UTC, a week after start.
func monday() time.Time { return time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC) }

func (w *world) plan(now time.Time) core.RemindCounts {
	w.t.Helper()
	n, _, err := w.PlanReminders(w.t.Context(), now, core.Cursor{}, 100, func(p core.Remindable) core.Reminding {
		return core.Decide(p, now)
	})
	w.must(err)
	return n
}

// send takes and finishes everything due and returns the posts.
func (w *world) send(now time.Time) []string {
	w.t.Helper()
	var posts []string
	for {
		due := w.take(now, 100)
		if len(due) == 0 {
			return posts
		}
		for _, d := range due {
			posts = append(posts, d.Ref)
			o := outcomeSent(d)
			o.Place = &core.Place{Ref: "ref", MessageKey: "message-" + d.Ref, EditableUntil: now.Add(1000 * time.Hour), Shown: true}
			w.finish(now, o)
		}
	}
}

func (w *world) subjectOf(post string) core.Subject {
	w.t.Helper()
	p, err := w.Post(w.t.Context(), post)
	w.must(err)
	return p.Subject
}

func TestRemindersOfAPerson(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		one := w.observe(pending("p1", "ada@example.org")).After.ID
		w.observe(pending("p2", "ada@example.org"))
		now := monday()
		if n := w.plan(now); n.Looked != 1 || n.Reminders != 1 || n.Steps != 2 {
			t.Fatalf("first look: %+v", n)
		}
		first := w.send(now)
		want := core.Subject{Kind: core.SubjectReminder, ID: core.ReminderID(a.MemberID, "2026-11-09")}
		if len(first) != 1 || w.subjectOf(first[0]) != want {
			t.Fatalf("first reminder %v", first)
		}
		// Nobody is looked at again on the same day, whatever is due.
		if n := w.plan(now.Add(time.Hour)); n.Looked != 0 {
			t.Errorf("an hour later: %+v", n)
		}
		w.observe(pending("p3", "ada@example.org"))
		if n := w.plan(now.Add(2 * time.Hour)); n.Looked != 1 || n.Reminders != 0 || n.Skipped[core.SkippedDay] != 1 {
			t.Errorf("with something new: %+v", n)
		}
		// The next day it is the new badge's turn, in the same message.
		if n := w.plan(now.Add(25 * time.Hour)); n.Reminders != 1 || n.Steps != 1 {
			t.Errorf("next day: %+v", n)
		}
		second := w.send(now.Add(25 * time.Hour))
		if len(second) != 1 || second[0] != first[0] || w.subjectOf(second[0]).ID != core.ReminderID(a.MemberID, "2026-11-10") {
			t.Errorf("second reminder %v, first %v", second, first)
		}
		// A message of last week is too old to be edited unseen: a new one
		// follows, and the old one is told that it is.
		w.plan(now.Add(169 * time.Hour))
		third := w.send(now.Add(169 * time.Hour))
		if len(third) != 2 || third[0] != first[0] || third[1] == first[0] {
			t.Errorf("third reminder %v, first %v", third, first)
		}
		if n := w.count(`SELECT count(*) FROM reminder_steps WHERE badge_id = ?`, one); n != 2 {
			t.Errorf("%d steps of the badge are done, want 2", n)
		}
	})
}

// Who renews a badge in time is told so by the reminder that still stands, and
// is not reminded of it again.
func TestARenewedBadgeEndsItsReminder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		public := func(id string, at, ends time.Time) {
			o := pending(id, "ada@example.org")
			o.Stage, o.At, o.ReadAt, o.ExpiresAt, o.BadgeURL = core.StagePublic, at, at, ends, "https://www.credly.com/badges/"+id
			obs := &core.Observer{Store: w.DB, Clock: fixedClock(at), Provider: credly{}}
			w.must(obs.Apply(t.Context(), o))
		}
		now := monday()
		ends := now.AddDate(0, 0, 30)
		public("old", start, ends)
		if n := w.plan(now); n.Reminders != 1 || n.Steps != 1 {
			t.Fatalf("30 days before: %+v", n)
		}
		first := w.send(now)
		view := func() []core.ReminderItem {
			v, err := w.ReminderView(t.Context(), core.ReminderID(a.MemberID, "2026-11-09"))
			w.must(err)
			return v.Items
		}
		if items := view(); len(items) != 1 || items[0].Policy != core.PolicyExpiring {
			t.Fatalf("reminded of %+v", items)
		}
		public("new", now.Add(time.Hour), ends.AddDate(5, 0, 0))
		if told := w.send(now.Add(time.Hour)); len(told) != 1 || told[0] != first[0] || len(view()) != 0 {
			t.Errorf("told %v, want %v; it names %+v", told, first, view())
		}
		if n := w.plan(ends.AddDate(0, 0, -7).Add(time.Hour)); n.Skipped[core.SkippedDay] > 0 || n.Reminders > 1 {
			t.Errorf("a week before: %+v", n)
		}
		if n := w.count(`SELECT count(*) FROM reminder_steps WHERE policy = 'expiring'`); n != 1 {
			t.Errorf("%d steps of what expires, want 1", n)
		}
	})
}

func TestReminderIsNotPlannedFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		now := monday()
		w.account(slackUser("U1"), "accepted@example.org")
		held := pending("p1", "accepted@example.org")
		held.Stage = core.StageRejected
		w.observe(held)
		w.account(slackUser("U2"))
		w.account(core.Identity{Platform: "slack", Tenant: "T2", User: "U3"}, "gone@example.org")
		w.observe(pending("p2", "gone@example.org"))
		w.must(w.MarkInstallation(t.Context(), "slack", "T2", "tokens_revoked", start))
		stopped := w.account(slackUser("U4"), "stopped@example.org")
		w.observe(pending("p3", "stopped@example.org"))
		_, err := w.run().exec(t.Context(), `UPDATE members SET stopped = true WHERE id = ?`, stopped.MemberID)
		w.must(err)
		asleep := w.account(slackUser("U5"), "asleep@example.org")
		w.observe(pending("p4", "asleep@example.org"))
		_, err = w.run().exec(t.Context(), `UPDATE accounts SET time_zone = 'America/Los_Angeles' WHERE id = ?`, asleep.ID)
		w.must(err)
		snoozed := w.account(slackUser("U6"), "snoozed@example.org")
		w.observe(pending("p5", "snoozed@example.org"))
		_, err = w.run().exec(t.Context(), `UPDATE members SET snoozed_until = ? WHERE id = ?`, ms(now.Add(time.Hour)), snoozed.MemberID)
		w.must(err)
		n := w.plan(now)
		for _, reason := range []string{core.SkippedUnreachable, core.SkippedStopped, core.SkippedHours, core.SkippedSnoozed} {
			if n.Skipped[reason] != 1 {
				t.Errorf("%s: %d, want 1", reason, n.Skipped[reason])
			}
		}
		if n.Reminders != 0 || n.Looked != 5 {
			t.Errorf("looked %+v", n)
		}
		if left := w.count(`SELECT count(*) FROM members WHERE remind_at > 0`); left != 3 {
			t.Errorf("%d are to be looked at again, want the one asleep, the one who wants quiet and the one of a dead workspace", left)
		}
		if again := w.plan(now.Add(8 * time.Hour)); again.Looked != 1 || again.Reminders != 0 {
			t.Errorf("before nine in Los Angeles: %+v", again)
		}
		if again := w.plan(now.Add(9 * time.Hour)); again.Reminders != 1 {
			t.Errorf("after nine in Los Angeles: %+v", again)
		}
	})
}

// Two replicas look at the same time: nobody gets two, nobody is left out.
func TestRemindersOfTwoReplicas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const people = 60
		for i := range people {
			name := strings.Repeat("x", i+1) + "@example.org"
			w.account(slackUser("U"+name), name)
			w.observe(pending("p"+name, name))
		}
		now := monday()
		done := make(chan error, 4)
		for range cap(done) {
			go func() {
				var err error
				for range 20 {
					_, _, err = w.PlanReminders(t.Context(), now, core.Cursor{}, 7, func(p core.Remindable) core.Reminding {
						return core.Decide(p, now)
					})
					if err != nil {
						break
					}
				}
				done <- err
			}()
		}
		for range cap(done) {
			w.must(<-done)
		}
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'reminder'`); n != people {
			t.Errorf("%d reminders for %d people", n, people)
		}
		if n := w.count(`SELECT count(*) FROM outbox`); n != people {
			t.Errorf("%d deliveries for %d people", n, people)
		}
	})
}

// Nothing is left of reminders when their person is forgotten, also of badges
// whose address was taken off the list before.
func TestEraseReminders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		w.account(ada, "ada@example.org", "old@example.org")
		w.observe(pending("p1", "ada@example.org"))
		w.observe(pending("p2", "old@example.org"))
		w.plan(monday())
		address := w.texts(`SELECT id FROM addresses WHERE normal = 'old@example.org'`)[0]
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.RemoveAddress(ctx, address, ada, monday())
			return err
		})
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, ada, monday()) })
		for _, table := range []string{"members", "reminder_steps", "posts", "outbox"} {
			if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
	})
}

// A reminder that nobody saw in time is due again; one that stands in a chat
// is not.
func TestPostponeReminder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		w.observe(pending("p1", "ada@example.org"))
		now := monday()
		w.plan(now)
		id := core.ReminderID(a.MemberID, "2026-11-09")
		view, err := w.ReminderView(t.Context(), id)
		w.must(err)
		if len(view.Items) != 1 || view.Items[0].Policy != core.PolicyPending || view.Later || !view.AskZone {
			t.Fatalf("view %+v", view)
		}
		w.must(w.PostponeReminder(t.Context(), id, false, now))
		if n := w.count(`SELECT count(*) FROM reminder_steps`); n != 0 {
			t.Errorf("%d steps are done", n)
		}
		if n := w.plan(now); n.Reminders != 1 {
			t.Fatalf("planned again: %+v", n)
		}
		if sent := w.send(now); len(sent) != 1 {
			t.Fatalf("sent %v", sent)
		}
		w.must(w.PostponeReminder(t.Context(), id, false, now))
		if n := w.count(`SELECT count(*) FROM reminder_steps`); n != 1 {
			t.Errorf("%d steps are done, want the one that was seen", n)
		}
		// Unless the message is there no more.
		w.must(w.PostponeReminder(t.Context(), id, true, now))
		if n := w.plan(now); n.Reminders != 1 || w.count(`SELECT count(*) FROM posts`) != 1 {
			t.Fatalf("planned again: %+v", n)
		}
		w.send(now)
		// What does not hold any more is not shown.
		rejected := pending("p1", "ada@example.org")
		rejected.Stage, rejected.At = core.StageRejected, start.Add(time.Minute)
		w.observe(rejected)
		view, err = w.ReminderView(t.Context(), id)
		w.must(err)
		if len(view.Items) != 0 {
			t.Errorf("view %+v", view)
		}
	})
}

func TestWishes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		if _, err := w.WishesOf(t.Context(), ada); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		if err := w.SaveWishes(t.Context(), ada, core.Wishes{}, start); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
		w.account(ada, "ada@example.org")
		v, err := w.WishesOf(t.Context(), ada)
		w.must(err)
		if v.ZoneKnown || v.Wishes != (core.Wishes{}) || v.Hours.Zone.String() != "UTC" {
			t.Errorf("at first %+v", v)
		}
		want := core.Wishes{
			Stopped: true, SnoozedUntil: start.Add(time.Hour), Zone: "Asia/Tokyo", From: 8 * time.Hour, To: 24 * time.Hour,
			Days: core.EveryDay, AskedZone: true,
		}
		w.must(w.SaveWishes(t.Context(), ada, want, start))
		v, err = w.WishesOf(t.Context(), ada)
		w.must(err)
		if v.Wishes != want || !v.ZoneKnown || v.Hours.Zone.String() != "Asia/Tokyo" || v.Hours.To != 24*time.Hour {
			t.Errorf("then %+v", v)
		}
		badge := w.observe(pending("p1", "ada@example.org")).After.ID
		if err := w.MarkShared(t.Context(), slackUser("U2"), badge, start); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("shared by somebody else: %v", err)
		}
		w.must(w.MarkShared(t.Context(), ada, badge, start))
		w.must(w.MarkShared(t.Context(), ada, badge, start.Add(time.Hour)))
		if n := w.count(`SELECT count(*) FROM badges WHERE shared_at = ?`, ms(start)); n != 1 {
			t.Error("the first time is not kept")
		}
		if n := w.count(`SELECT count(*) FROM audit a JOIN members m ON m.id = a.actor WHERE a.kind = 'wishes.changed'`); n != 1 {
			t.Errorf("%d lines in the audit", n)
		}
	})
}
