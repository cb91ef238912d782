package chat

import (
	"fmt"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// stepFacts are those of somebody with a badge in a stage, and with addresses
// of which the first is the badge's own.
func stepFacts(stage core.Stage, addresses int, said ...core.Said) core.TaskFacts {
	b := goldenBadge(stage)
	b.OwnerURL = "https://www.credly.com/users/ada/edit#credly"
	f := core.TaskFacts{MemberID: "m1", Badges: []core.Badge{b}, Said: said}
	for i := range addresses {
		e := core.Email{Shown: fmt.Sprintf("ada.%d@example.org", i), Normal: fmt.Sprintf("ada.%d@example.org", i)}
		f.Addresses = append(f.Addresses, core.HeldAddress{
			Address: core.Address{ID: fmt.Sprintf("d%d", i), MemberID: "m1", Email: e}, Known: i == 0,
		})
	}
	return f
}

func says(what core.Saying, k core.TaskKind, scope string) core.Said {
	return core.Said{Ref: core.TaskRef{Kind: k, Scope: scope}, What: what, At: noon}
}

func goldenSteps(compose func(string, core.SubjectKind, *shelf)) {
	profile, auto := says(core.SaidDone, core.TaskProfile, ""), says(core.SaidDone, core.TaskAuto, "issuer-1")
	skipped := says(core.SaidSkipped, core.TaskAddress, "d2")
	kept := says(core.SaidSkipped, core.TaskPublic, badgeID)
	for _, tt := range []struct {
		name  string
		facts core.TaskFacts
	}{
		{"accepted", stepFacts(core.StageAccepted, 1)},
		{"public", stepFacts(core.StagePublic, 1)},
		{"public, profile done", stepFacts(core.StagePublic, 1, profile)},
		{"an address is left", stepFacts(core.StagePublic, 3, profile, auto, skipped)},
		{"many addresses", stepFacts(core.StagePublic, 12, profile)},
		{"kept private", stepFacts(core.StageAccepted, 1, kept)},
		{"kept private, all done", stepFacts(core.StageAccepted, 1, kept, auto)},
		{"all done", stepFacts(core.StagePublic, 1, profile, auto)},
	} {
		compose("steps, one badge, "+tt.name, core.SubjectBadge, &shelf{badge: core.BadgeView{Badge: tt.facts.Badges[0]}, tasks: tt.facts})
		compose("steps, "+tt.name, core.SubjectTasks, &shelf{tasks: tt.facts})
	}
	compose("steps, nothing held", core.SubjectTasks, &shelf{})
	several := stepFacts(core.StagePublic, 1, profile, auto)
	for i, stage := range []core.Stage{core.StageAccepted, core.StagePublic, core.StagePublic, core.StageAccepted} {
		b := several.Badges[0]
		b.ID, b.Stage, b.Template.Name = fmt.Sprintf("b%d", i), stage, fmt.Sprintf("Badge %d", i)
		several.Badges = append(several.Badges, b)
	}
	several.Badges[4].ExpiresAt = noon.AddDate(0, 0, -1)
	compose("steps, several badges", core.SubjectTasks, &shelf{tasks: several})
}

func TestParseStep(t *testing.T) {
	t.Parallel()
	ref := core.TaskRef{Kind: core.TaskAddress, Scope: addressID}
	for _, what := range []string{stepLook, stepDone, stepSkip, stepUndo} {
		for _, about := range []string{"", badgeID} {
			id := stepID(what, ref, about)
			verb, opaque, ok := ParseID(id)
			p, known := parseStep(opaque)
			if !ok || !known || verb != VerbSteps || p.what != what || p.about != about || p.word.Kind != ref.Kind || p.word.Scope != ref.Scope {
				t.Errorf("%s reads %+v", id, p)
			}
		}
	}
	if p, ok := parseStep(stepShow + "." + badgeID); !ok || p.about != badgeID {
		t.Errorf("reads %+v", p)
	}
	for _, bad := range []string{"", ".", "show", "done", "done.profile", "done.profile..", "done.profile...", "dance.profile..", "look.", "show.public.x.", "undo."} {
		if p, ok := parseStep(bad); ok != (bad == "done.profile..") {
			t.Errorf("%q reads %+v", bad, p)
		}
	}
}
