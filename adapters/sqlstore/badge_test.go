package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/inbox"
)

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var awards []core.Award
		for i := range 2*importChunk + 7 {
			awards = append(awards, award(fmt.Sprintf("a%d", i), fmt.Sprintf("p%d@example.org", i)))
		}
		n, err := w.ImportAwards(t.Context(), awards)
		w.must(err)
		if n != (core.AwardCounts{New: len(awards)}) {
			t.Errorf("first import %+v", n)
		}
		for i := range awards {
			awards[i].DecidedAt = start.Add(time.Hour)
		}
		awards[3].LastName = "Other"
		n, err = w.ImportAwards(t.Context(), awards)
		w.must(err)
		if n != (core.AwardCounts{Changed: 1, Unchanged: len(awards) - 1}) {
			t.Errorf("second import %+v", n)
		}
		awards[3].LastName = "Older"
		awards[3].DecidedAt = start.Add(time.Minute)
		n, err = w.ImportAwards(t.Context(), awards[:5])
		w.must(err)
		if n != (core.AwardCounts{Unchanged: 5}) {
			t.Errorf("older import %+v", n)
		}
		// Twice in one batch: the later one wins.
		twice := []core.Award{award("x", "x@example.org"), award("x", "y@example.org")}
		twice[1].DecidedAt = start.Add(time.Hour)
		n, err = w.ImportAwards(t.Context(), twice)
		w.must(err)
		if n != (core.AwardCounts{New: 1, Changed: 1}) {
			t.Errorf("doubled import %+v", n)
		}
	})
}

func TestImportRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var awards []core.Award
		for i := range 50 {
			awards = append(awards, award(fmt.Sprintf("a%d", i), fmt.Sprintf("p%d@example.org", i)))
		}
		tally(t, race(4, func(int) error {
			_, err := w.ImportAwards(context.WithoutCancel(t.Context()), awards)
			return err
		}), nil)
		if n := w.count(`SELECT count(*) FROM badges`); n != len(awards) {
			t.Errorf("%d badges, want %d", n, len(awards))
		}
	})
}

func TestAwardAttachesToSeenBadge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		seen := w.observe(pending("p1", "ada@example.org")).After
		ended := pending("p2", "eve@example.org")
		ended.Stage = core.StageRejected
		w.observe(ended)
		n, err := w.ImportAwards(t.Context(), []core.Award{award("a1", "ada@example.org"), award("a2", "ada@example.org"), award("a3", "eve@example.org")})
		w.must(err)
		if n.New != 3 {
			t.Errorf("counts %+v", n)
		}
		b, err := w.Badge(t.Context(), seen.ID)
		w.must(err)
		if b.AwardID != "a1" || b.Stage != core.StagePending || b.Certificate.Number != "N-a1" {
			t.Errorf("badge %+v", b)
		}
		if n := w.count(`SELECT count(*) FROM badges WHERE stage = 'granted'`); n != 2 {
			t.Errorf("%d granted badges, want 2", n)
		}
	})
}

func TestRecipientChangeWhilePending(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.grant(award("a1", "old@example.org"))
		o := pending("p1", "old@example.org")
		w.observe(o)
		changed := award("a1", "new@example.org")
		changed.DecidedAt = start.Add(time.Hour)
		n, err := w.ImportAwards(t.Context(), []core.Award{changed})
		w.must(err)
		if n.Changed != 1 {
			t.Errorf("counts %+v", n)
		}
		items := w.texts(`SELECT kind || ' ' || payload FROM inbox`)
		if want := string(inbox.KindReplace) + " " + id; len(items) != 1 || items[0] != want {
			t.Errorf("inbox %v, want %s", items, want)
		}
		// What the provider says before it followed does not undo the change.
		o.ReadAt = start.Add(2 * time.Hour)
		if c := w.observe(o); c.After.Recipient.Normal != "new@example.org" {
			t.Errorf("recipient %v", c.After.Recipient)
		}
		// Replaced: the award goes over to the new badge.
		next := pending("p2", "new@example.org")
		next.ExternalID, next.At = "a1", start.Add(3*time.Hour)
		c := w.observe(next)
		if !c.New || c.After.AwardID != "a1" || c.After.Certificate.Number != "N-a1" {
			t.Errorf("new badge %+v", c)
		}
		o.Stage, o.ReplacedBy, o.At, o.ExternalID = core.StageReplaced, "p2", start.Add(4*time.Hour), "a1"
		c = w.observe(o)
		if c.After.ID != id || c.After.Stage != core.StageReplaced || c.After.AwardID != "" {
			t.Errorf("old badge %+v", c.After)
		}
		// Held: it stays with its address.
		next.Stage, next.At = core.StageAccepted, start.Add(5*time.Hour)
		w.observe(next)
		changed.Recipient, changed.DecidedAt = email("third@example.org"), start.Add(6*time.Hour)
		n, err = w.ImportAwards(t.Context(), []core.Award{changed})
		w.must(err)
		if n.Unchanged != 1 {
			t.Errorf("counts %+v", n)
		}
	})
}

func TestWithdrawAward(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		withdraw := func(id string, at time.Time) (b core.Badge, err error) {
			err = w.InTx(t.Context(), func(ctx context.Context, tx core.Tx) (err error) {
				b, err = tx.WithdrawAward(ctx, id, at, start)
				return err
			})
			return b, err
		}
		w.grant(award("a1", "ada@example.org"))
		if _, err := withdraw("a1", start.Add(-time.Second)); !errors.Is(err, core.ErrUnmet) {
			t.Errorf("older withdrawal: %v, want ErrUnmet", err)
		}
		for range 2 {
			b, err := withdraw("a1", start.Add(time.Minute))
			w.must(err)
			if b.Stage != core.StageWithdrawn {
				t.Errorf("stage %s", b.Stage)
			}
		}
		// Withdrawn before it was granted.
		b, err := withdraw("late", start.Add(time.Minute))
		w.must(err)
		if b.Stage != core.StageWithdrawn || b.ID == "" {
			t.Errorf("unknown award %+v", b)
		}
		n, err := w.ImportAwards(t.Context(), []core.Award{award("a1", "ada@example.org"), award("late", "ada@example.org")})
		w.must(err)
		if n.Unchanged != 2 {
			t.Errorf("older grants %+v", n)
		}
		again := award("late", "ada@example.org")
		again.DecidedAt = start.Add(time.Hour)
		if id := w.grant(again); id != b.ID {
			t.Errorf("granted again as %s, want %s", id, b.ID)
		}
		got, err := w.Badge(t.Context(), b.ID)
		w.must(err)
		if got.Stage != core.StageGranted || got.Recipient.Normal != "ada@example.org" {
			t.Errorf("granted again %+v", got)
		}
		// At the provider already: revoking there is another matter.
		w.grant(award("a2", "eve@example.org"))
		w.observe(pending("p2", "eve@example.org"))
		b, err = withdraw("a2", start.Add(time.Minute))
		w.must(err)
		if b.Stage != core.StagePending || b.ProviderID != "p2" {
			t.Errorf("pending badge %+v", b)
		}
	})
}

func TestObservationIsFoundByAward(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		byTemplate, byAward := w.grant(award("a1", "ada@example.org")), w.grant(award("a2", "eve@example.org"))
		if c := w.observe(pending("p1", "ada@example.org")); c.After.ID != byTemplate || c.New || !c.Moved || c.Before.Stage != core.StageGranted {
			t.Errorf("change %+v", c)
		}
		o := pending("p2", "elsewhere@example.org")
		o.ExternalID = "a2"
		if c := w.observe(o); c.After.ID != byAward || c.After.FirstName != "Ada" {
			t.Errorf("change %+v", c)
		}
		o = pending("p3", "ada@example.org")
		if c := w.observe(o); !c.New || !c.Moved || c.Before.Stage != core.StageUnknown {
			t.Errorf("third badge %+v", c)
		}
		// The same said again, and a new link alone, move nothing.
		o.AcceptURL += "/fresh"
		c := w.observe(o)
		if c.Moved || c.After.AcceptURL != o.AcceptURL {
			t.Errorf("same again %+v", c)
		}
		o.Template.Name, o.Stage = "Gopher II", core.StageAccepted
		c = w.observe(o)
		if !c.Moved || c.After.AcceptURL != "" || c.After.Template.Name != "Gopher II" || c.Before.Template.Name != "Gopher" {
			t.Errorf("accepted %+v", c)
		}
		o.Stage, o.At = core.StageUnknown, start.Add(time.Hour)
		if c := w.observe(o); c.Moved || c.After.Stage != core.StageAccepted {
			t.Errorf("unknown stage %+v", c)
		}
	})
}

func TestObservationRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		tally(t, race(8, func(i int) error {
			return w.InTx(context.WithoutCancel(t.Context()), func(ctx context.Context, tx core.Tx) error {
				o := pending("p1", "ada@example.org")
				o.At = start.Add(time.Duration(i) * time.Second)
				_, err := tx.SaveObservation(ctx, o, start, core.PollPlan{})
				return err
			})
		}), nil)
		if n := w.count(`SELECT count(*) FROM badges WHERE provider_time = ?`, ms(start.Add(7*time.Second))); n != 1 {
			t.Error("the newest observation is not the one that is kept")
		}
	})
}

// TestObservationOrder: whatever the order of arrival, doubled or not, the
// badge is in the end what the provider said last (rule 3).
func TestObservationOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		stages := []core.Stage{
			core.StagePending, core.StageAccepted, core.StagePublic, core.StageRejected, core.StageRevoked, core.StageUnknown,
		}
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			id, address := fmt.Sprintf("r%d", round), fmt.Sprintf("r%d@example.org", round)
			withAward := rapid.Bool().Draw(rt, "award")
			if withAward {
				w.grant(award(id, address))
			}
			history := make([]core.Observation, rapid.IntRange(1, 5).Draw(rt, "length"))
			var last *core.Observation
			for i := range history {
				o := pending(id, address)
				o.Stage = rapid.SampledFrom(stages).Draw(rt, "stage")
				o.At = start.Add(time.Duration(i/2) * time.Hour)
				o.ReadAt = start.Add(time.Duration(i) * time.Minute)
				o.BadgeURL = fmt.Sprintf("https://credentials.example.org/%d", i)
				if withAward {
					o.ExternalID = id
				}
				history[i] = o
				if o.Stage != core.StageUnknown || last == nil || last.Stage == core.StageUnknown {
					last = &history[i]
				}
			}
			arrival := rapid.Permutation(append(history, history[0])).Draw(rt, "arrival")
			var c core.Change
			for _, o := range arrival {
				c = w.observe(o)
			}
			if withAward && last.Stage == core.StageUnknown {
				return // Nothing is understood: it stays granted.
			}
			if c.After.Stage != last.Stage || c.After.BadgeURL != last.BadgeURL {
				rt.Fatalf("badge is %s at %s, want %s at %s", c.After.Stage, c.After.BadgeURL, last.Stage, last.BadgeURL)
			}
			if n := w.count(`SELECT count(*) FROM badges WHERE provider_id = ?`, id); n != 1 {
				rt.Fatalf("%d badges, want 1", n)
			}
		})
	})
}

func TestBadgesOf(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org")
		eve := w.account(slackUser("U2"), "eve@example.org")
		var ids []string
		for i, stage := range []core.Stage{core.StageRevoked, core.StagePublic, core.StagePending, core.StagePending} {
			o := pending(fmt.Sprintf("p%d", i), "ada@example.org")
			o.Stage, o.IssuedAt = stage, start.Add(time.Duration(i)*time.Hour)
			ids = append(ids, w.observe(o).After.ID)
		}
		w.observe(pending("other", "eve@example.org"))
		p := claimOf(ada, ids[2], start)
		w.claimed(p)
		got, err := w.BadgesOf(t.Context(), a.MemberID)
		w.must(err)
		if len(got) != 4 {
			t.Fatalf("%d badges, want 4", len(got))
		}
		for i, want := range []string{ids[3], ids[2], ids[1], ids[0]} {
			if got[i].Badge.ID != want {
				t.Errorf("place %d: %s, want %s", i, got[i].Badge.ID, want)
			}
		}
		if got[0].Handoff != nil || got[1].Handoff == nil || got[1].Handoff.ID != p.HandoffID {
			t.Errorf("handoffs %+v %+v", got[0].Handoff, got[1].Handoff)
		}
		if _, err := w.BadgeViewFor(t.Context(), ids[3], eve.MemberID); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("somebody else's badge: %v, want ErrNotFound", err)
		}
		view, err := w.BadgeViewFor(t.Context(), ids[2], a.MemberID)
		w.must(err)
		if view.Handoff == nil || view.Badge.Template.Name != "Gopher" {
			t.Errorf("view %+v", view)
		}
	})
}

func TestSaveTemplates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		badge := w.grant(award("a1", "ada@example.org"))
		b, err := w.Badge(t.Context(), badge)
		w.must(err)
		if b.Template != (core.Template{ID: "template-1"}) {
			t.Errorf("unknown template %+v", b.Template)
		}
		want := core.Template{ID: "template-1", Name: "Gopher", Description: "Digs.", ImageURL: "https://images.example.org/1.png"}
		for range 2 {
			w.must(w.SaveTemplates(t.Context(), []core.Template{{ID: "template-1", Name: "Old"}, want, {ID: "t2"}}, start))
		}
		b, err = w.Badge(t.Context(), badge)
		w.must(err)
		if b.Template != want {
			t.Errorf("template %+v, want %+v", b.Template, want)
		}
		if n := w.count(`SELECT count(*) FROM templates`); n != 1 {
			t.Errorf("%d templates, want 1", n)
		}
	})
}
