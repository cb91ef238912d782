package sqlstore

import (
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
	"github.com/laurelbot/laurel/internal/testpg"
)

// planWith plans reminders while something else happens: between reading
// everything and storing what follows.
func (w *world) planWith(now time.Time, meanwhile func()) core.RemindCounts {
	w.t.Helper()
	n, _, err := w.PlanReminders(w.t.Context(), now, core.Cursor{}, 100, func(p core.Remindable) core.Reminding {
		meanwhile()
		return core.Decide(p, now)
	})
	w.must(err)
	return n
}

// Somebody presses a button in the last reminder while the next one is planned
// into its place: the message becomes what was asked for and stays that, and
// the reminder comes as a message of its own. SQLite lets nobody in between.
func TestReminderLosesItsMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	claims, lists := w.account(slackUser("U1"), "ada@example.org"), w.account(slackUser("U2"), "bob@example.org")
	badge := w.observe(pending("p1", "ada@example.org")).After.ID
	w.observe(pending("p2", "bob@example.org"))
	w.plan(monday())
	message := map[string]string{}
	for _, post := range w.send(monday()) {
		message[w.subjectOf(post).ID] = "message-" + post
	}
	w.observe(pending("p3", "ada@example.org"))
	w.observe(pending("p4", "bob@example.org"))
	next := monday().Add(25 * time.Hour)
	presses := []func(){
		func() {
			p := claimOf(claims.Identity, badge, next)
			p.Place.MessageKey = message[core.ReminderID(claims.MemberID, "2026-11-09")]
			w.claimed(p)
		},
		func() {
			w.must(w.ForgetPost(t.Context(), lists.Identity, message[core.ReminderID(lists.MemberID, "2026-11-09")]))
		},
	}
	n := w.planWith(next, func() { presses[0](); presses = presses[1:] })
	if n.Reminders != 2 {
		t.Fatalf("planned %+v", n)
	}
	found := map[core.Subject]bool{}
	for _, post := range w.send(next) {
		if w.count(`SELECT count(*) FROM posts WHERE id = ?`, post) == 0 {
			continue // An event.
		}
		subject := w.subjectOf(post)
		found[subject] = true
		if subject.Kind == core.SubjectHandoff && w.count(`SELECT count(*) FROM handoffs WHERE id = ?`, subject.ID) == 0 {
			t.Errorf("the claim's message shows %+v", subject)
		}
	}
	for _, a := range []core.Account{claims, lists} {
		if !found[core.Subject{Kind: core.SubjectReminder, ID: core.ReminderID(a.MemberID, "2026-11-10")}] {
			t.Errorf("the reminder of %s has no message", a.Identity.User)
		}
	}
	if n := w.count(`SELECT count(*) FROM posts p JOIN members m ON m.reminder_post = p.id WHERE p.subject_kind = 'reminder'`); n != 2 {
		t.Errorf("%d of 2 members know the message of their reminder", n)
	}
}

// What a reminder that nobody saw was about is part of the next one.
func TestReminderTakesOverWhatNobodySaw(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		first := w.observe(pending("p1", "ada@example.org")).After.ID
		now := monday()
		w.plan(now)
		// Direct messages are closed.
		for _, d := range w.take(now, 10) {
			w.finish(now, delivery.Outcome{Delivery: d, State: delivery.StateWaiting, Cause: "closed"})
		}
		second := w.observe(pending("p2", "ada@example.org")).After.ID
		w.plan(now.Add(25 * time.Hour))
		view, err := w.ReminderView(t.Context(), core.ReminderID(a.MemberID, "2026-11-10"))
		w.must(err)
		got := map[string]bool{}
		for _, item := range view.Items {
			got[item.View.Badge.ID] = true
		}
		if len(got) != 2 || !got[first] || !got[second] {
			t.Errorf("the reminder is about %v, want %s and %s", got, first, second)
		}
		if posts := w.send(now.Add(25 * time.Hour)); len(posts) != 1 {
			t.Errorf("sent %v", posts)
		}
	})
}

// Somebody who has thousands of badges holds nobody up.
func TestRenewedBadges(t *testing.T) {
	t.Parallel()
	day := func(n int) int64 { return int64(n) * 24 * time.Hour.Milliseconds() }
	rows := []occasionRow{
		{ID: "a", TemplateID: "t", ExpiresAt: day(1)},
		{ID: "b", TemplateID: "t", ExpiresAt: day(2)},
		{ID: "c", TemplateID: "t", ExpiresAt: day(2)},
		{ID: "d", TemplateID: "u", ExpiresAt: day(1)},
		{ID: "e", TemplateID: "v", ExpiresAt: day(1)},
		{ID: "f", TemplateID: "v"},
		{ID: "g", TemplateID: "v"},
	}
	last := lasting(rows)
	var renewed strings.Builder
	for _, r := range rows {
		if last[r.TemplateID] > r.lasts() {
			renewed.WriteString(r.ID)
		}
	}
	if renewed.String() != "ae" {
		t.Errorf("renewed are %q, want a and e", renewed.String())
	}
}

// Whoever is reminded again after a quiet week still is when that reminder is
// taken back.
func TestPostponeReminderAfterQuiet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org")
		shown := pending("p1", "ada@example.org")
		shown.Stage = core.StagePublic
		w.observe(shown)
		w.plan(monday())
		w.send(monday())
		next := monday().Add(7 * 24 * time.Hour)
		w.must(w.SaveWishes(t.Context(), a.Identity, core.Wishes{SnoozedUntil: next}, monday()))
		for range 2 {
			if n := w.plan(next); n.Reminders != 1 || n.Steps != 1 {
				t.Fatalf("planned %+v", n)
			}
			w.must(w.PostponeReminder(t.Context(), core.ReminderID(a.MemberID, "2026-11-16"), false, next))
		}
		w.plan(next)
		// The message of last week is told that there is a newer one.
		if sent := w.send(next); len(sent) != 2 || w.subjectOf(sent[1]).ID != core.ReminderID(a.MemberID, "2026-11-16") {
			t.Errorf("sent %v", sent)
		}
		if n := w.plan(next.Add(48 * time.Hour)); n.Reminders != 0 {
			t.Errorf("and again: %+v", n)
		}
	})
}
