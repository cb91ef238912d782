package sqlstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func (w *world) says(memberID string, k core.TaskKind, scope string, what core.Saying, now time.Time) bool {
	w.t.Helper()
	var changed bool
	w.tx(func(ctx context.Context, tx core.Tx) (err error) {
		changed, err = tx.SaveTask(ctx, memberID, core.TaskRef{Kind: k, Scope: scope}, what, now)
		return err
	})
	return changed
}

func (w *world) facts(memberID string) core.TaskFacts {
	w.t.Helper()
	f, err := w.TaskFacts(w.t.Context(), memberID)
	w.must(err)
	return f
}

func (w *world) known(normal string, known bool) string {
	w.t.Helper()
	var member string
	w.tx(func(ctx context.Context, tx core.Tx) (err error) {
		member, err = tx.NoteKnown(ctx, normal, known)
		return err
	})
	return member
}

func TestTaskFacts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account(slackUser("U1"), "ada@example.org", "ada@example.com", "ada@example.net")
		eve := w.account(slackUser("U2"), "eve@example.org")
		if f := w.facts("nobody"); len(f.Badges)+len(f.Addresses)+len(f.Said) != 0 {
			t.Errorf("facts of nobody %+v", f)
		}
		o := pending("p1", "ada@example.org")
		o.OwnerURL = "https://www.credly.com/users/ada/edit#credly"
		w.observe(o)
		w.observe(pending("p2", "eve@example.org"))
		if f := w.facts(a.MemberID); len(f.Badges) != 0 || len(f.Addresses) != 3 || f.Addresses[0].Known {
			t.Errorf("facts before acceptance %+v", f)
		}
		o.Stage, o.At, o.ReadAt = core.StageAccepted, start.Add(time.Minute), start.Add(time.Minute)
		badge := w.observe(o).After
		if got := w.known("ada@example.com", true); got != a.MemberID {
			t.Errorf("told %q of a known address", got)
		}
		for _, again := range []struct {
			normal string
			known  bool
		}{{"ada@example.com", true}, {"ada@example.net", false}, {"nobody@example.org", true}} {
			if got := w.known(again.normal, again.known); got != "" {
				t.Errorf("%s is news to %q", again.normal, got)
			}
		}
		if !w.says(a.MemberID, core.TaskProfile, "", core.SaidDone, start) || w.says(a.MemberID, core.TaskProfile, "", core.SaidDone, start.Add(time.Hour)) {
			t.Error("what is said twice counts twice, or never")
		}
		if !w.says(a.MemberID, core.TaskAuto, "i", core.SaidDone, start) || !w.says(a.MemberID, core.TaskAuto, "i", core.SaidSkipped, start.Add(time.Hour)) {
			t.Error("what is said cannot be changed")
		}
		w.says(a.MemberID, core.TaskPublic, badge.ID, core.SaidSkipped, start)
		if !w.says(a.MemberID, core.TaskPublic, badge.ID, "", start) || w.says(a.MemberID, core.TaskPublic, badge.ID, "", start) {
			t.Error("what is taken back counts twice, or never")
		}
		f := w.facts(a.MemberID)
		if len(f.Badges) != 1 || f.Badges[0] != badge || badge.OwnerURL != o.OwnerURL || f.MemberID != a.MemberID {
			t.Errorf("badges %+v, want %+v", f.Badges, badge)
		}
		known := map[string]bool{}
		for _, h := range f.Addresses {
			known[h.Address.Email.Normal] = h.Known
		}
		if len(known) != 3 || !known["ada@example.org"] || !known["ada@example.com"] || known["ada@example.net"] {
			t.Errorf("addresses %+v", f.Addresses)
		}
		want := []core.Said{
			{Ref: core.TaskRef{Kind: core.TaskProfile}, What: core.SaidDone, At: start},
			{Ref: core.TaskRef{Kind: core.TaskAuto, Scope: "i"}, What: core.SaidSkipped, At: start.Add(time.Hour)},
		}
		if len(f.Said) != 2 || f.Said[0] != want[0] || f.Said[1] != want[1] {
			t.Errorf("said %+v", f.Said)
		}
		if f := w.facts(eve.MemberID); len(f.Said)+len(f.Badges) != 0 || f.Addresses[0].Known {
			t.Errorf("facts of somebody else %+v", f)
		}
	})
}

// What both members said is the person's; that it is done counts more.
func TestJoinedTasks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		from := w.account(slackUser("U1"), "ada@example.org")
		into := w.account(core.Identity{Platform: "discord", User: "77"}, "two@example.org")
		for _, s := range []struct {
			member string
			kind   core.TaskKind
			scope  string
			what   core.Saying
		}{
			{from.MemberID, core.TaskProfile, "", core.SaidDone},
			{into.MemberID, core.TaskProfile, "", core.SaidSkipped},
			{from.MemberID, core.TaskAuto, "i", core.SaidSkipped},
			{into.MemberID, core.TaskAuto, "i", core.SaidDone},
			{from.MemberID, core.TaskAuto, "j", core.SaidSkipped},
			{into.MemberID, core.TaskPublic, "b", core.SaidSkipped},
		} {
			w.says(s.member, s.kind, s.scope, s.what, start)
		}
		post := w.post(from, core.Subject{Kind: core.SubjectTasks, ID: from.ID}, core.Place{Ref: "r"}, start)
		w.tx(func(ctx context.Context, tx core.Tx) error {
			return errors.Join(tx.JoinMembers(ctx, from.MemberID, into.MemberID, start), tx.TellTasks(ctx, into.MemberID, true, start))
		})
		got := w.texts(`SELECT task || ':' || scope || '=' || said FROM member_tasks WHERE member_id = ? ORDER BY 1`, into.MemberID)
		want := []string{"auto:i=done", "auto:j=skipped", "profile:=done", "public:b=skipped"}
		if len(got) != len(want) || w.count(`SELECT count(*) FROM member_tasks`) != len(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if d := w.take(start, 10); len(d) != 1 || d[0].Ref != post || !d[0].Fallback {
			t.Errorf("told %+v", d)
		}
	})
}

// Rule 8: nothing that was said outlives what it was about, or the person.
func TestForgottenTasks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a := w.account(ada, "ada@example.org", "ada@example.com", "ada@example.net")
		o := pending("p1", "ada@example.com")
		o.Stage = core.StageAccepted
		badge := w.observe(o).After.ID
		addresses := w.texts(`SELECT id FROM addresses ORDER BY normal`)
		for _, id := range addresses {
			w.says(a.MemberID, core.TaskAddress, id, core.SaidDone, start)
		}
		w.says(a.MemberID, core.TaskPublic, badge, core.SaidSkipped, start)
		w.says(a.MemberID, core.TaskProfile, "", core.SaidDone, start)
		left := func() int { return w.count(`SELECT count(*) FROM member_tasks`) }
		w.tx(func(ctx context.Context, tx core.Tx) error {
			_, err := tx.RemoveAddress(ctx, addresses[0], ada, start) // ada@example.com
			return err
		})
		if n := left(); n != 3 {
			t.Errorf("%d left after an address was taken off, want 3", n)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseAddress(ctx, "ada@example.net", start) })
		if n := left(); n != 2 {
			t.Errorf("%d left after an address was erased, want 2", n)
		}
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.EraseMember(ctx, ada, start) })
		if n := left(); n != 0 {
			t.Errorf("%d left after the person was erased", n)
		}
	})
}

// Only messages that show tasks of the person are brought up to date, and of
// many the newest.
func TestTellTasks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := slackUser("U1")
		a, eve := w.account(ada, "ada@example.org"), w.account(slackUser("U2"), "eve@example.org")
		waits, held := pending("p1", "ada@example.org"), pending("p2", "ada@example.org")
		held.Template.ID = "template-2"
		waiting, other := w.observe(waits).After.ID, w.observe(held).After.ID
		claims := map[string]string{}
		for _, badge := range []string{waiting, other} {
			p := claimOf(ada, badge, start)
			p.Place.MessageKey = badge
			claims[badge] = w.claimed(p).ID
		}
		held.Stage, held.At, held.ReadAt = core.StagePublic, start.Add(time.Minute), start.Add(time.Minute)
		w.observe(held)
		_, err := w.run().exec(t.Context(), `DELETE FROM outbox`)
		w.must(err)
		shows := []string{
			w.post(a, core.Subject{Kind: core.SubjectBadge, ID: other}, core.Place{Ref: "r"}, start.Add(time.Second)),
			w.post(a, core.Subject{Kind: core.SubjectTasks, ID: a.ID}, core.Place{Ref: "r"}, start.Add(2*time.Second)),
		}
		w.post(a, core.Subject{Kind: core.SubjectBadge, ID: waiting}, core.Place{Ref: "r"}, start)
		w.post(eve, core.Subject{Kind: core.SubjectTasks, ID: eve.ID}, core.Place{Ref: "r"}, start)
		shows = append(shows, w.post(a, core.Subject{Kind: core.SubjectHome, ID: a.ID}, core.Place{Ref: "h", MessageKey: core.HomeKey}, start))
		w.post(eve, core.Subject{Kind: core.SubjectHome, ID: eve.ID}, core.Place{Ref: "h", MessageKey: core.HomeKey}, start)
		tell := func() []string {
			w.tx(func(ctx context.Context, tx core.Tx) error { return tx.TellTasks(ctx, a.MemberID, false, start) })
			return w.texts(`SELECT ref FROM outbox WHERE kind = 'post' AND NOT fallback`)
		}
		got := tell()
		if len(got) != 4 || w.count(`SELECT count(*) FROM outbox WHERE ref IN (?, ?, ?)`, shows[0], shows[1], shows[2]) != 3 ||
			w.count(`SELECT count(*) FROM outbox o JOIN posts p ON p.id = o.ref WHERE p.subject_id = ?`, claims[other]) != 1 {
			t.Errorf("told %v", got)
		}
		for range tellTasksOf {
			w.post(a, core.Subject{Kind: core.SubjectTasks, ID: a.ID}, core.Place{Ref: "r"}, start.Add(time.Hour))
		}
		if got := tell(); len(got) != 4+tellTasksOf {
			t.Errorf("told %d", len(got))
		}
	})
}

// seeing is a provider that shows whether a badge is public.
type seeing struct{ core.Provider }

func (seeing) Capabilities() core.Capability { return core.TellsAcceptance | core.TellsVisibility }
func (seeing) TrustedURL(string) bool        { return true }

// A person who presses everything at once, while the provider tells of their
// badges, says each thing once, and nobody waits for each other in a circle.
func TestTasksAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		slack, discord := slackUser("U1"), core.Identity{Platform: "discord", User: "77"}
		a := w.account(slack, "ada@example.org", "ada@example.com")
		b := w.account(discord, "two@example.org")
		w.tx(func(ctx context.Context, tx core.Tx) error { return tx.JoinMembers(ctx, b.MemberID, a.MemberID, start) })
		var badges []core.Observation
		for i, address := range []string{"ada@example.org", "two@example.org"} {
			o := pending([]string{"p1", "p2"}[i], address)
			o.Stage = core.StageAccepted
			badge := w.observe(o).After.ID
			for _, who := range []core.Account{a, b} {
				w.post(who, core.Subject{Kind: core.SubjectBadge, ID: badge}, core.Place{Ref: "r"}, start)
			}
			badges = append(badges, o)
		}
		clock := fixedClock(start.Add(time.Hour))
		act := core.Activation{Store: w.DB, Clock: clock, Provider: seeing{}}
		obs := core.Observer{Store: w.DB, Clock: clock, Provider: seeing{}}
		ctx := t.Context()
		do := func(i int) error {
			who := []core.Identity{slack, discord}[i/4%2]
			switch i % 4 {
			case 0:
				return act.Say(ctx, who, core.Word{Kind: core.TaskProfile, What: core.SaidDone}, "", core.Place{Ref: "r", MessageKey: "m"})
			case 1:
				return act.Say(ctx, who, core.Word{Kind: core.TaskAuto, What: core.SaidDone}, "", core.Place{Ref: "r"})
			case 2:
				o := badges[i/4%2]
				o.Stage, o.At, o.ReadAt = core.StagePublic, start.Add(time.Minute), start.Add(time.Duration(i)*time.Minute)
				return obs.Apply(ctx, o)
			default:
				return w.InTx(ctx, func(ctx context.Context, tx core.Tx) error {
					member, err := tx.NoteKnown(ctx, "ada@example.com", true)
					if err != nil || member == "" {
						return err
					}
					return tx.TellTasks(ctx, member, false, start)
				})
			}
		}
		tally(t, race(16, func(i int) error { return untilFree(func() error { return do(i) }) }), nil)
		for _, kind := range []string{"profile:", "auto:"} {
			if n := w.count(`SELECT count(*) FROM audit WHERE kind = 'task.done' AND subject = ?`, kind); n != 1 {
				t.Errorf("%s is said %d times", kind, n)
			}
		}
		all := core.Tasks(w.facts(a.MemberID), "", core.ProvidedBy(seeing{}), start)
		for _, task := range all {
			if task.State.Open() {
				t.Errorf("left to do: %+v", task)
			}
		}
		if n := w.count(`SELECT count(*) FROM posts WHERE message_key = 'm'`); n != 2 {
			t.Errorf("%d posts of the pressed message, want one for each account", n)
		}
	})
}
