package sqlstore

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func TestMarkSharedBy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.account(slackUser("U1"), "ada@example.org")
		o := pending("p1", "ada@example.org")
		badge := w.observe(o).After.ID
		noted := func() int {
			return w.count(`SELECT count(*) FROM badges WHERE shared_at > 0`) + w.count(`SELECT count(*) FROM counters WHERE name LIKE 'shared.%'`) +
				w.count(`SELECT count(*) FROM audit WHERE kind = 'badge.shared'`)
		}
		w.must(w.MarkSharedBy(t.Context(), badge, core.OutletX, start))
		w.must(w.MarkSharedBy(t.Context(), core.NewID(), core.OutletX, start))
		if n := noted(); n != 0 {
			t.Errorf("what is not public is noted: %d", n)
		}
		o.Stage, o.At, o.ReadAt = core.StagePublic, o.At.Add(time.Minute), o.ReadAt.Add(time.Minute)
		w.observe(o)
		for i, by := range []core.Outlet{core.OutletMail, core.OutletX, core.OutletMail} {
			w.must(w.MarkSharedBy(t.Context(), badge, by, start.Add(time.Duration(i)*time.Hour)))
		}
		if n := w.count(`SELECT count(*) FROM badges WHERE shared_at = ?`, ms(start)); n != 1 {
			t.Error("the first time is not kept")
		}
		if n := w.count(`SELECT value FROM counters WHERE name = 'shared.mail'`); n != 1 || noted() != 3 {
			t.Errorf("counted %d, noted %d", n, noted())
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE kind = 'badge.shared' AND actor <> '' AND subject = ?`, badge); n != 1 {
			t.Errorf("%d audit entries", n)
		}
	})
}
