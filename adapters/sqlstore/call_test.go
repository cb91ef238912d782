package sqlstore

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

const team = "slack:T1"

func (w *world) calls(now time.Time) *core.Calls { return &core.Calls{Store: w, Clock: still(now)} }

// still is a clock that stands still.
type still time.Time

func (c still) Now() time.Time { return time.Time(c) }

func callTo(channel, words string) core.Call {
	return core.Call{
		Team: team, Words: words, Zone: "Europe/Berlin", Locale: "de", ChannelName: channel,
		Channel: core.Account{Identity: core.ChannelIdentity("slack", "T1", channel), Team: team},
	}
}

// publish makes a call of a draft of its own.
func (w *world) publish(c core.Call, at time.Time, rule string) core.Call {
	w.t.Helper()
	draft := core.CallDraft{ID: core.NewID(), Team: team, Fields: map[string]string{"words": c.Words}}
	w.must(w.SaveCallDraft(w.t.Context(), draft, start))
	made, err := w.calls(start).Publish(w.t.Context(), "m1", draft.ID, c, at, rule)
	w.must(err)
	return made
}

func (w *world) tick(now time.Time) (posted, recounted int) {
	w.t.Helper()
	posted, recounted, err := w.calls(now).Tick(w.t.Context())
	w.must(err)
	return posted, recounted
}

func (w *world) call(id string) core.Call {
	w.t.Helper()
	c, err := w.Call(w.t.Context(), id)
	w.must(err)
	return c
}

func TestCallIsPostedAndCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.observe(pending("p1", "ada@example.org"))
		other := pending("p2", "bruno@example.org")
		other.Template.ID, other.Template.Name = "template-2", "Other"
		w.observe(other)
		ended := pending("p3", "carla@example.org")
		ended.Stage = core.StageRejected
		w.observe(ended)
		about := callTo("C1", "Hello")
		about.Templates = []string{"template-1"}
		c := w.publish(about, time.Time{}, "")
		all := w.publish(callTo("C2", "Hello all"), time.Time{}, "")
		if c.State != core.CallOpen || c.Edition != 1 || c.Claimed != 0 || c.Total != 1 || all.Total != 2 {
			t.Errorf("made %+v and %+v", c, all)
		}
		posts := w.send(start)
		if len(posts) != 2 || w.subjectOf(posts[0]).Kind != core.SubjectCall {
			t.Fatalf("posted %v", posts)
		}
		account, err := w.Account(t.Context(), w.call(c.ID).Channel.ID)
		w.must(err)
		if channel, ok := account.Identity.Channel(); !ok || channel != "C1" || account.Team != team {
			t.Errorf("channel %+v", account)
		}

		// It counts at most once a minute, and tells only what changed.
		held := pending("p1", "ada@example.org")
		held.Stage, held.At = core.StageAccepted, start.Add(time.Second)
		w.observe(held)
		if _, told := w.tick(start.Add(59 * time.Second)); told != 0 {
			t.Errorf("told %d within a minute", told)
		}
		if _, told := w.tick(start.Add(time.Minute)); told != 2 {
			t.Errorf("told %d, want both", told)
		}
		if got := w.call(c.ID); got.Claimed != 1 || got.Total != 1 {
			t.Errorf("counted %+v", got)
		}
		if edits := w.send(start.Add(time.Minute)); len(edits) != 2 {
			t.Errorf("edited %v", edits)
		}
		if _, told := w.tick(start.Add(2 * time.Minute)); told != 0 {
			t.Errorf("told %d although nothing changed", told)
		}

		// Its end counts once more, and it is not counted any more.
		public := pending("p2", "bruno@example.org")
		public.Template, public.Stage, public.At = other.Template, core.StagePublic, start.Add(time.Minute)
		w.observe(public)
		later := start.Add(150 * time.Second)
		ended2, err := w.calls(later).End(t.Context(), "m1", team, all.ID)
		w.must(err)
		if ended2.State != core.CallClosed || ended2.Claimed != 2 {
			t.Errorf("ended %+v", ended2)
		}
		if edits := w.send(later); len(edits) != 1 {
			t.Errorf("edited %v", edits)
		}
		again, err := w.calls(later).End(t.Context(), "m1", team, all.ID)
		w.must(err)
		if again.State != core.CallClosed {
			t.Errorf("ended twice: %+v", again)
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE kind LIKE 'call.%' AND actor = 'm1'`); n != 4 {
			t.Errorf("%d lines in the audit", n)
		}
	})
}

func TestCallIsRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		first := monday().Add(-time.Hour) // Nine in Berlin.
		c := w.publish(callTo("C1", "Hello"), first, "0 9 * * 1")
		if posted, _ := w.tick(first.Add(-time.Second)); posted != 0 {
			t.Errorf("posted %d too early", posted)
		}
		if posted, _ := w.tick(first); posted != 1 {
			t.Errorf("posted %d, want 1", posted)
		}
		one := w.send(first)
		got := w.call(c.ID)
		if len(one) != 1 || got.Edition != 1 || got.State != core.CallOpen || !got.NextAt.Equal(first.AddDate(0, 0, 7)) {
			t.Errorf("first: %v, %+v", one, got)
		}
		second := first.AddDate(0, 0, 7)
		w.tick(second.Add(time.Hour))
		two := w.send(second.Add(time.Hour))
		if len(two) != 2 || two[0] != one[0] || two[1] == one[0] || w.subjectOf(two[1]) != core.CallSubject(c.ID, 2) {
			t.Errorf("second: %v", two)
		}
		// After two weeks without anybody looking it waits for its next time.
		late := second.AddDate(0, 0, 16)
		w.tick(late)
		if got := w.call(c.ID); got.Edition != 2 || !got.NextAt.Equal(second.AddDate(0, 0, 21)) {
			t.Errorf("late: %+v", got)
		}
		_, err := w.calls(late).End(t.Context(), "m1", team, c.ID)
		w.must(err)
		if posted, _ := w.tick(late.AddDate(0, 1, 0)); posted != 0 {
			t.Errorf("posted %d after its end", posted)
		}
	})
}

func TestCallIsChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		calls := w.calls(start)
		at := start.Add(time.Hour)
		c := w.publish(callTo("C1", "Hello"), at, "")
		if _, err := calls.Reword(t.Context(), "m1", team, c.ID, callTo("C1", "x")); !errors.Is(err, core.ErrUnmet) {
			t.Errorf("reword before it is posted: %v", err)
		}
		for name, try := range map[string]func(team, id string) error{
			"reschedule": func(team, id string) error {
				_, err := calls.Reschedule(t.Context(), "m1", team, id, callTo("C1", "x"), at, "")
				return err
			},
			"end":  func(team, id string) error { _, err := calls.End(t.Context(), "m1", team, id); return err },
			"show": func(team, id string) error { _, err := w.CallViewOf(t.Context(), id, team); return err },
		} {
			if err := try("slack:T2", c.ID); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%s of another team's: %v", name, err)
			}
			if err := try(team, "nothing"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%s of nothing: %v", name, err)
			}
		}
		changed, err := calls.Reschedule(t.Context(), "m1", team, c.ID, callTo("C2", "Changed"), at.Add(time.Hour), "")
		w.must(err)
		if changed.Channel.ID == c.Channel.ID || w.call(c.ID).ChannelName != "C2" || w.call(c.ID).Words != "Changed" {
			t.Errorf("changed %+v", w.call(c.ID))
		}
		now, err := calls.Reschedule(t.Context(), "m1", team, c.ID, callTo("C2", "Now"), time.Time{}, "")
		w.must(err)
		if now.State != core.CallOpen || now.Edition != 1 {
			t.Errorf("now %+v", now)
		}
		if _, err := calls.Reschedule(t.Context(), "m1", team, c.ID, callTo("C1", "x"), at, ""); !errors.Is(err, core.ErrUnmet) {
			t.Errorf("reschedule when it is open: %v", err)
		}
		cancelled := w.publish(callTo("C1", "Never"), at, "")
		_, err = calls.End(t.Context(), "m1", team, cancelled.ID)
		w.must(err)
		if posted, _ := w.tick(at.AddDate(0, 0, 1)); posted != 0 || w.call(cancelled.ID).State != core.CallCancelled {
			t.Errorf("posted %d after it was cancelled", posted)
		}
		list, err := w.CallsOf(t.Context(), team, 0, 10)
		w.must(err)
		if len(list) != 2 || list[0].Call.ID != c.ID || list[1].Call.ID != cancelled.ID {
			t.Errorf("listed %+v", list)
		}
	})
}

// Why a message could not be posted is told with its call; a change gives it
// another chance, and a message that was posted never comes twice.
func TestCallTrouble(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.publish(callTo("C1", "Hello"), time.Time{}, "")
		due := w.take(start, 10)
		if len(due) != 1 || !due[0].Fallback {
			t.Fatalf("due %+v", due)
		}
		dead := outcomeSent(due[0])
		dead.State, dead.Cause = "dead", "target_dead (not_in_channel): chat.postMessage"
		w.finish(start, dead)
		v, err := w.CallViewOf(t.Context(), c.ID, team)
		w.must(err)
		if v.Trouble != dead.Cause {
			t.Errorf("trouble %q", v.Trouble)
		}
		_, err = w.calls(start).Reword(t.Context(), "m1", team, c.ID, callTo("C1", "Again"))
		w.must(err)
		again := w.take(start.Add(time.Minute), 10)
		if len(again) != 1 || !again[0].Fallback {
			t.Fatalf("another chance %+v", again)
		}
		sent := outcomeSent(again[0])
		sent.Place = &core.Place{Ref: "ref", MessageKey: "k", EditableUntil: start.Add(1000 * time.Hour), Shown: true}
		w.finish(start.Add(time.Minute), sent)
		if v, err = w.CallViewOf(t.Context(), c.ID, team); err != nil || v.Trouble != "" {
			t.Errorf("trouble %q, %v", v.Trouble, err)
		}
		_, err = w.calls(start).Reword(t.Context(), "m1", team, c.ID, callTo("C1", "Once more"))
		w.must(err)
		if edit := w.take(start.Add(2*time.Minute), 10); len(edit) != 1 || edit[0].Fallback {
			t.Errorf("edit %+v", edit)
		}
	})
}

// However many replicas look, and whatever becomes of them, each edition is
// posted once.
func TestCallsOfSeveralReplicas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const calls = 12
		for range calls {
			w.publish(callTo("C1", "Hello"), start.Add(time.Minute), "0 9 * * 1")
		}
		now := start.Add(time.Hour)
		done := make(chan error, 4)
		posted := make(chan int, cap(done))
		for range cap(done) {
			go func() {
				n, _, err := w.calls(now).Tick(t.Context())
				posted <- n
				done <- err
			}()
		}
		total := 0
		for range cap(done) {
			w.must(<-done)
			total += <-posted
		}
		if n := w.count(`SELECT count(*) FROM posts WHERE subject_kind = 'call'`); n != calls || total != calls {
			t.Errorf("%d messages, %d posted, of %d calls", n, total, calls)
		}
		if n := w.count(`SELECT count(*) FROM outbox`); n != calls {
			t.Errorf("%d deliveries", n)
		}
		// Several that count at once tell once.
		w.send(now)
		w.observe(pending("p1", "ada@example.org"))
		now = now.Add(time.Hour)
		told := 0
		for range cap(done) {
			go func() {
				_, n, err := w.calls(now).Tick(t.Context())
				posted <- n
				done <- err
			}()
		}
		for range cap(done) {
			w.must(<-done)
			told += <-posted
		}
		if told != calls {
			t.Errorf("told %d times", told)
		}
	})
}

func TestCallOfAKilledTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	c := w.publish(callTo("C1", "Hello"), start.Add(time.Minute), "")
	now := start.Add(time.Hour)
	killed := false
	_, err := w.OpenCall(t.Context(), now, func(call *core.Call) error {
		call.Edition++
		call.State, call.NextAt = core.CallOpen, time.Time{}
		if !killed {
			killed = true
			_, err := w.run().exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND state = 'idle in transaction'`)
			return err
		}
		return nil
	})
	if err == nil {
		t.Log("the store began again by itself")
	} else if n := w.count(`SELECT count(*) FROM posts`); n != 0 || w.call(c.ID).Edition != 0 {
		t.Errorf("%d messages of a killed transaction", n)
	}
	w.tick(now)
	w.tick(now)
	if n := w.count(`SELECT count(*) FROM posts`); n != 1 || w.call(c.ID).Edition != 1 {
		t.Errorf("%d messages", n)
	}
}

// A change that fails leaves everything as it was.
func TestCallChangeThatFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.publish(callTo("C1", "Hello"), start.Add(time.Minute), "")
		boom := errors.New("boom")
		if _, err := w.OpenCall(t.Context(), start.Add(time.Hour), func(call *core.Call) error {
			call.Words = "x"
			return boom
		}); !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := w.OpenCall(ctx, start.Add(time.Hour), func(call *core.Call) error {
			call.Edition++
			cancel()
			return nil
		}); err == nil {
			t.Error("stored after its end")
		}
		if got := w.call(c.ID); got.Words != "Hello" || got.Edition != 0 || w.count(`SELECT count(*) FROM outbox`) != 0 {
			t.Errorf("got %+v", got)
		}
	})
}

// A workspace that removed the bot takes its calls along.
func TestCallsGoWithTheirWorkspace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.account(slackUser("U1"), "ada@example.org")
		w.publish(callTo("C1", "Hello"), time.Time{}, "")
		w.publish(callTo("C2", "Later"), start.Add(time.Hour), "0 9 * * 1")
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.EraseAccountsOf(ctx, "slack", "T1", 25, start)
			return err
		})
		for _, table := range []string{"calls", "accounts", "members", "posts", "outbox", "lanes"} {
			if n := w.count(`SELECT count(*) FROM ` + table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		if posted, told := w.tick(start.AddDate(0, 0, 7)); posted+told != 0 {
			t.Errorf("posted %d, told %d", posted, told)
		}
	})
}

func TestCallDrafts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		d := core.CallDraft{ID: "d1", Team: team, CallID: "c1", Zone: "Europe/Berlin", Fields: map[string]string{"words": "a\x00b", "when": ""}}
		w.must(w.SaveCallDraft(ctx, d, start))
		got, err := w.CallDraft(ctx, "d1")
		w.must(err)
		if got.Team != team || got.CallID != "c1" || got.Zone != d.Zone || got.Fields["words"] != "a\uFFFDb" {
			t.Errorf("got %+v", got)
		}
		foreign := d
		foreign.Team = "slack:T2"
		if err := w.SaveCallDraft(ctx, foreign, start); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("over another team's: %v", err)
		}
		w.must(w.DropCallDraft(ctx, "d1", "slack:T2"))
		if _, err := w.CallDraft(ctx, "d1"); err != nil {
			t.Errorf("dropped by another team: %v", err)
		}
		if _, err := w.AddCall(ctx, callTo("C1", "x"), "nothing", "m1", start); !errors.Is(err, core.ErrGone) {
			t.Errorf("call without a draft: %v", err)
		}
		w.must(w.Tidy(ctx, start.Add(keepDrafts)))
		if _, err := w.CallDraft(ctx, "d1"); err != nil {
			t.Errorf("tidied too early: %v", err)
		}
		w.must(w.Tidy(ctx, start.Add(keepDrafts+time.Second)))
		if _, err := w.CallDraft(ctx, "d1"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("after a day: %v", err)
		}
	})
}

func TestCallTemplates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		for i, id := range []string{"t1", "t2", "t3"} {
			w.must(w.SaveTemplates(ctx, []core.Template{{ID: id, Name: "Name " + id}}, start.Add(time.Duration(i)*time.Hour)))
		}
		for name, tc := range map[string]struct {
			named []string
			want  string
		}{"latest": {nil, "t3 t2"}, "named first": {[]string{"t1"}, "t1 t3"}} {
			found, err := w.CallTemplates(ctx, tc.named, 2)
			w.must(err)
			if len(found) != 2 || found[0].ID+" "+found[1].ID != tc.want || found[0].Name != "Name "+found[0].ID {
				t.Errorf("%s: %+v", name, found)
			}
		}
	})
}

// A call counts and has its button until it is closed, however old its message.
func TestOpenCallsAreNotTidiedAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		open := w.publish(callTo("C1", "Open"), time.Time{}, "")
		again := w.publish(callTo("C2", "Again"), start.Add(time.Hour), "0 11 * * *")
		w.tick(start.Add(time.Hour))
		w.tick(start.Add(25 * time.Hour))
		w.send(start.Add(25 * time.Hour))
		subjects := func() []string { return w.texts(`SELECT subject_id FROM posts ORDER BY created_at, id`) }
		later := start.Add(200 * 24 * time.Hour)
		w.must(w.Tidy(t.Context(), later))
		want := []string{open.ID + ".1", again.ID + ".2"}
		if got := subjects(); !slices.Equal(got, want) {
			t.Errorf("kept %v, want %v", got, want)
		}
		for _, c := range []core.Call{open, again} {
			_, err := w.calls(later).End(t.Context(), "m1", team, c.ID)
			w.must(err)
		}
		if edits := w.send(later); len(edits) != 2 {
			t.Errorf("closed %v", edits)
		}
		w.must(w.Tidy(t.Context(), later.Add(keepAgain+time.Second)))
		if got := subjects(); len(got) != 0 {
			t.Errorf("kept %v after their end", got)
		}
	})
}
