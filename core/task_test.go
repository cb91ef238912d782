package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// readTasks writes tasks as "kind:scope=state".
func readTasks(all []core.Task) string {
	var out []string
	for _, t := range all {
		out = append(out, fmt.Sprintf("%s:%s=%s", t.Ref.Kind, t.Ref.Scope, t.State))
	}
	return strings.Join(out, " ")
}

func TestTasks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	badge := func(id string, s core.Stage) core.Badge { return core.Badge{ID: id, Stage: s} }
	expired := badge("old", core.StageAccepted)
	expired.ExpiresAt = now.Add(-time.Second)
	address := func(id string, known bool) core.HeldAddress {
		return core.HeldAddress{Address: core.Address{ID: id}, Known: known}
	}
	said := func(what core.Saying, k core.TaskKind, scope string) core.Said {
		return core.Said{Ref: core.TaskRef{Kind: k, Scope: scope}, What: what}
	}
	private, public := badge("a", core.StageAccepted), badge("a", core.StagePublic)
	tells := core.Provided{Tells: core.TellsAcceptance | core.TellsVisibility, Issuer: "i"}
	for name, tt := range map[string]struct {
		f        core.TaskFacts
		about    string
		provided core.Provided
		want     string
	}{
		"nothing held":      {core.TaskFacts{Addresses: []core.HeldAddress{address("x", false), address("y", false)}}, "", tells, ""},
		"another's badge":   {core.TaskFacts{Badges: []core.Badge{private}}, "b", tells, ""},
		"accepted":          {core.TaskFacts{Badges: []core.Badge{private}}, "a", tells, "accept:a=seen public:a=next profile:=later auto:i=later"},
		"accepted, in all":  {core.TaskFacts{Badges: []core.Badge{private}}, "", tells, "public:a=next profile:=later auto:i=later"},
		"public":            {core.TaskFacts{Badges: []core.Badge{public}}, "a", tells, "accept:a=seen public:a=seen profile:=next auto:i=later"},
		"only the old left": {core.TaskFacts{Badges: []core.Badge{expired}}, "", tells, ""},
		"the old itself":    {core.TaskFacts{Badges: []core.Badge{expired}}, "old", tells, "accept:old=seen public:old=next profile:=later auto:i=later"},
		"out of order": {
			core.TaskFacts{Badges: []core.Badge{private}, Said: []core.Said{said(core.SaidDone, core.TaskAuto, "i")}},
			"a", tells,
			"accept:a=seen public:a=next profile:=later auto:i=said",
		},
		"the provider knows better": {
			core.TaskFacts{Badges: []core.Badge{private}, Said: []core.Said{said(core.SaidDone, core.TaskPublic, "a")}},
			"a", tells,
			"accept:a=seen public:a=next profile:=later auto:i=later",
		},
		"the provider does not tell": {
			core.TaskFacts{Badges: []core.Badge{private}, Said: []core.Said{said(core.SaidDone, core.TaskPublic, "a")}},
			"a",
			core.Provided{},
			"accept:a=seen public:a=said profile:=next auto:=later",
		},
		"kept private": {
			core.TaskFacts{Badges: []core.Badge{private}, Said: []core.Said{said(core.SaidSkipped, core.TaskPublic, "a")}},
			"a", tells,
			"accept:a=seen public:a=skipped auto:i=next",
		},
		"kept private, public after all": {
			core.TaskFacts{Badges: []core.Badge{public}, Said: []core.Said{said(core.SaidSkipped, core.TaskPublic, "a")}},
			"a", tells,
			"accept:a=seen public:a=seen profile:=next auto:i=later",
		},
		"one kept private, one not": {
			core.TaskFacts{
				Badges: []core.Badge{private, badge("b", core.StagePublic), expired},
				Said:   []core.Said{said(core.SaidSkipped, core.TaskPublic, "a"), said(core.SaidDone, core.TaskProfile, "")},
			},
			"", tells,
			"public:a=skipped public:b=seen profile:=said auto:i=next",
		},
		"another issuer": {
			core.TaskFacts{Badges: []core.Badge{public}, Said: []core.Said{said(core.SaidDone, core.TaskAuto, "former"), said(core.SaidDone, core.TaskProfile, "")}},
			"a", tells,
			"accept:a=seen public:a=seen profile:=said auto:i=next",
		},
		"one address": {
			core.TaskFacts{Badges: []core.Badge{public}, Addresses: []core.HeldAddress{address("x", false)}},
			"", tells,
			"public:a=seen profile:=next auto:i=later",
		},
		"several addresses": {
			core.TaskFacts{
				Badges: []core.Badge{public}, Addresses: []core.HeldAddress{address("w", false), address("x", true), address("y", false), address("z", false)},
				Said: []core.Said{
					said(core.SaidDone, core.TaskProfile, ""), said(core.SaidSkipped, core.TaskAuto, "i"), said(core.SaidDone, core.TaskAddress, "y"),
					said(core.SaidSkipped, core.TaskAddress, "x"), said(core.SaidDone, core.TaskAddress, "gone"),
				},
			},
			"", tells,
			"public:a=seen profile:=said auto:i=skipped address:x=seen address:y=said address:w=next address:z=later",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := core.Tasks(tt.f, tt.about, tt.provided, now)
			if text := readTasks(got); text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
			if done := core.AllDone(got); done != !strings.Contains(tt.want, "=next") {
				t.Errorf("all done: %t", done)
			}
		})
	}
}
