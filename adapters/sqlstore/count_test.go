package sqlstore

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/testpg"
)

// However many templates there are, each badge is counted once, with its
// template and stage.
func TestCountBadges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		stages := []core.Stage{core.StagePending, core.StageAccepted, core.StageRejected}
		want := map[string]int{}
		for i := range 3 * countChunk {
			o := pending(fmt.Sprintf("p%d", i), "ada@example.org")
			o.Template.ID, o.Stage = fmt.Sprintf("template-%d", i%(2*countChunk+1)), stages[i%len(stages)]
			w.observe(o)
			if o.Stage != core.StageRejected {
				want[o.Template.ID+" "+string(o.Stage)]++
			}
		}
		count := func(templates texts) map[string]int {
			t.Helper()
			found, err := w.run().countBadges(t.Context(), templates, core.StagePending, core.StageAccepted, core.StagePublic)
			w.must(err)
			got := map[string]int{}
			for _, one := range found {
				got[one.Template+" "+string(one.stage)] += one.N
			}
			return got
		}
		if got := count(nil); !reflect.DeepEqual(got, want) {
			t.Errorf("all: %v, want %v", got, want)
		}
		var named texts
		for i := range 2*countChunk + 1 {
			named = append(named, fmt.Sprintf("template-%d", i))
		}
		if got := count(append(named, "nowhere")); !reflect.DeepEqual(got, want) {
			t.Errorf("by name: %v, want %v", got, want)
		}
		if got := count(texts{}); len(got) != 0 {
			t.Errorf("none: %v", got)
		}
		stats, err := w.Stats(t.Context())
		w.must(err)
		if n := stats.Badges; n[core.StagePending] != countChunk || n[core.StageAccepted] != countChunk || n[core.StageRejected] != countChunk {
			t.Errorf("by stage: %v", n)
		}
		if w.dialect.postgres {
			w.countsByAnIndex()
		}
	})
}

// countsByAnIndex: to read the badges themselves takes longer than a statement
// may.
func (w *world) countsByAnIndex() {
	w.t.Helper()
	for _, statement := range []string{
		`INSERT INTO badges (id, template_id, recipient_shown, recipient, stage, created_at, updated_at)
		SELECT 'b' || g, 't' || g % 100, 'a', 'a', 'pending', 1, 1 FROM generate_series(1, 20000) g`,
		`VACUUM ANALYZE badges`,
	} {
		_, err := w.x.ExecContext(w.t.Context(), statement)
		w.must(err)
	}
	for _, query := range []string{
		w.dialect.sql(templatesThere),
		strings.NewReplacer("$1", `'{t1,t2,t3}'`, "$2", `'pending'`).Replace(w.dialect.sql(countInStage)),
	} {
		var plan []string
		w.must(w.x.SelectContext(w.t.Context(), &plan, `EXPLAIN (COSTS OFF) `+query))
		scans := slices.DeleteFunc(slices.Clone(plan), func(line string) bool { return !strings.Contains(line, " on badges") })
		if len(scans) == 0 || slices.ContainsFunc(scans, func(line string) bool { return !strings.Contains(line, "Index Only Scan using badges_template") }) {
			w.t.Errorf("planned as\n%s", strings.Join(plan, "\n"))
		}
	}
}

// A call is posted and ends whatever keeps its badges from being counted, and
// is counted when that is over.
func TestCallIsPostedUncounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testpg.New(t))
	w.observe(pending("p1", "ada@example.org"))
	later := w.publish(callTo("C2", "Later"), start.Add(time.Hour), "")
	away, err := w.x.BeginTxx(t.Context(), nil)
	w.must(err)
	_, err = away.ExecContext(t.Context(), `LOCK TABLE badges IN ACCESS EXCLUSIVE MODE`)
	w.must(err)
	now := w.publish(callTo("C1", "Now"), time.Time{}, "")
	if now.Edition != 1 || now.Total != 0 || w.call(now.ID).State != core.CallOpen {
		t.Errorf("posted %+v", now)
	}
	then := start.Add(time.Hour)
	if found, err := w.OpenCall(t.Context(), then, func(c *core.Call) error { return c.Schedule(time.Time{}, "", then) }); !found || err != nil {
		t.Errorf("opened: %v, %v", found, err)
	}
	if posts := w.send(then); len(posts) != 2 {
		t.Errorf("posted %v", posts)
	}
	w.must(away.Rollback())
	if _, told := w.tick(then); told != 2 {
		t.Errorf("%d calls count anew, want both", told)
	}
	for _, id := range []string{now.ID, later.ID} {
		if c := w.call(id); c.Total != 1 {
			t.Errorf("counted %+v", c)
		}
	}
}
