package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// goldenSettings makes every card and form about the settings of a team.
func goldenSettings(w Words, put func(name, text string)) {
	usual := core.DefaultCustoms()
	put("settings", readable(settingsCard(w, usual, core.Account{})))
	changed := core.Customs{
		Plan:        core.Plan{core.PolicyPending: {1}, core.PolicyExpiring: {30, 1}, core.PolicyPrivate: {}},
		Hours:       core.Hours{Zone: time.UTC, From: 8 * time.Hour, To: 12 * time.Hour, Days: core.EveryDay},
		CelebrateIn: "a7",
	}
	channel := core.Account{ID: "a7", Identity: core.ChannelIdentity("slack", "T1", "C1"), DisplayName: "cheers **bold**"}
	put("settings, changed", readable(settingsCard(w, changed, channel)))
	put("form, settings, plan", readableForm(planForm(w, writtenPlan(usual.Plan))))
	put("form, settings, hours", readableForm(teamHoursForm(w, writtenHours(usual.Hours))))
	put("form, settings, celebrations", readableForm(celebrationsForm(w, "C1")))
	put("settings, no team", readable(*forTeams(w, Action{}).Card))
	put("settings, no manager", readable(*forManagers(w, Action{}).Card))

	many := strings.Repeat("1,", core.MaxPlanSteps) + "1"
	_, wrong := parsePlan(w, map[string]string{"pending": "soon", "followed": many, "private": "400", "unshared": "3, 2", "expiring": "7, 30"})
	for field, sentence := range wrong {
		put("refusal, plan, "+field, sentence+"\n")
	}
	for _, problem := range []string{"unknown", "absent", "archived", "permission", "foreign"} {
		answer := refused(w, "trouble.channel", typedID(VerbSettings, settingsCelebrate, []string{"C7"}), []string{fieldTeamChannel}, map[string]string{
			fieldTeamChannel: w.Plain("trouble.channel."+problem, nil),
		})
		put("refusal, channel, "+problem, readable(*answer.Card))
	}
}

func TestParsePlan(t *testing.T) {
	t.Parallel()
	w := goldenComposer(t, nil).Catalog.For("en")
	for name, tc := range map[string]struct {
		field, value string
		days         []int
		wrong        string
	}{
		"usual":          {"pending", "1, 3, 7, 14, 30", []int{1, 3, 7, 14, 30}, ""},
		"otherwise":      {"pending", " 2 ;4\t365,", []int{2, 4, 365}, ""},
		"off":            {"pending", " ", []int{}, ""},
		"down":           {"expiring", "90,30,7", []int{90, 30, 7}, ""},
		"word":           {"private", "two", nil, "whole numbers"},
		"half a day":     {"private", "1.5", nil, "whole numbers"},
		"zero":           {"private", "0", nil, "between 1 and 365"},
		"less":           {"private", "-1", nil, "between 1 and 365"},
		"beyond":         {"private", "366", nil, "between 1 and 365"},
		"far beyond":     {"private", "99999999999999999999999", nil, "between 1 and 365"},
		"twice":          {"private", "2, 2", nil, "larger"},
		"out of order":   {"followed", "3, 2", nil, "larger"},
		"up, not down":   {"expiring", "7, 30", nil, "smaller"},
		"eleven":         {"unshared", "1 2 3 4 5 6 7 8 9 10 11", nil, "At most 10"},
		"ten":            {"unshared", "1 2 3 4 5 6 7 8 9 10", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, ""},
		"missing fields": {"nothing", "1", nil, ""},
	} {
		plan, wrong := parsePlan(w, map[string]string{tc.field: tc.value})
		if tc.wrong == "" {
			if len(wrong) > 0 || !slices.Equal(plan[core.Policy(tc.field)], tc.days) || plan.Check() != nil {
				t.Errorf("%s: got %v, %v", name, plan, wrong)
			}
			continue
		}
		if len(wrong) != 1 || !strings.Contains(wrong[tc.field], tc.wrong) {
			t.Errorf("%s: refused with %q", name, wrong)
		}
	}
}

// What is taken is a plan that keeps its own rules, and is written as it was
// read.
func FuzzParseDays(f *testing.F) {
	for _, s := range []string{"", "1, 3, 7", "90,30,7", "1;2", "٣", "1,,2", "+1", "-0", "1e3", "999999999999999999999", "\xff", strings.Repeat("1 ", 1000)} {
		f.Add(s)
	}
	c, err := NewCatalog()
	if err != nil {
		f.Fatal(err)
	}
	w := c.For("en")
	f.Fuzz(func(t *testing.T, s string) {
		for _, field := range planFields() {
			plan, wrong := parsePlan(w, map[string]string{field: s})
			if len(wrong) > 0 {
				continue
			}
			if plan.Check() != nil {
				t.Errorf("%q was taken as %v", s, plan)
			}
			if again, _ := parsePlan(w, writtenPlan(plan)); !maps.EqualFunc(plan, again, slices.Equal) {
				t.Errorf("%q: %v is written as %v", s, plan, again)
			}
		}
	})
}

// What was typed comes back with "try again", as far as a button holds it.
func TestTypedComesBack(t *testing.T) {
	t.Parallel()
	counts := map[string]string{"pending": "1, 3"}
	for name, tc := range map[string]struct {
		typed map[string]string
		back  bool
	}{
		"short":      {map[string]string{"pending": "soon: 1, 2", "expiring": "7, 30"}, true},
		"nothing":    {map[string]string{}, true},
		"too long":   {map[string]string{"pending": strings.Repeat("x", 60), "private": strings.Repeat("y", 60)}, false},
		"semicolons": {map[string]string{"pending": "1;2"}, true},
	} {
		id := typedID(VerbSettings, settingsPlan, typedFields(planFields(), tc.typed))
		verb, opaque, ok := ParseID(id)
		what, rest, again := strings.Cut(opaque, ":")
		if !ok || verb != VerbSettings || what != settingsPlan {
			t.Fatalf("%s: %q", name, id)
		}
		got := typedOr(rest, again, planFields(), counts)
		for _, field := range planFields() {
			want := strings.ReplaceAll(tc.typed[field], ";", ",")
			if !tc.back {
				want = counts[field]
			}
			if got[field] != want {
				t.Errorf("%s: %s is %q, want %q", name, field, got[field], want)
			}
		}
	}
	if got := typedOr("a;b", true, planFields(), counts); got["pending"] != "1, 3" {
		t.Errorf("an id made up by hand gives %q", got)
	}
}

// gate is a platform's channels.
type gate struct {
	info ChannelInfo
	err  error
}

func (g gate) Channel(context.Context, core.Identity) (ChannelInfo, error) { return g.info, g.err }

func TestChannelsThatDoNotGo(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	w := c.Catalog.For("en")
	for name, tc := range map[string]struct {
		channels map[core.Platform]Channels
		want     string
	}{
		"no platform": {nil, "cannot look"},
		"not there":   {map[core.Platform]Channels{"slack": gate{err: fmt.Errorf("look: %w", ErrNoChannel)}}, "not in this channel"},
		"archived":    {map[core.Platform]Channels{"slack": gate{err: ErrArchived}}, "archived"},
		"not allowed": {map[core.Platform]Channels{"slack": gate{err: ErrMayNotPost}}, "not allowed"},
		"away":        {map[core.Platform]Channels{"slack": gate{err: errors.New("busy")}}, "cannot look"},
		"of another":  {map[core.Platform]Channels{"slack": gate{info: ChannelInfo{Team: "slack:T2"}}}, "another server"},
	} {
		s := &Service{Catalog: c.Catalog, Log: slog.New(slog.DiscardHandler), Channels: tc.channels, Managers: map[core.Identity]bool{reads.Identity: true}}
		answer, err := s.settings(t.Context(), w, Action{
			Actor: reads.Identity, Team: "slack:T1", Source: SourceSubmit, Verb: VerbSettings, Arg: settingsCelebrate,
			Fields: map[string]string{fieldTeamChannel: "C1"},
		})
		if err != nil || !strings.Contains(answer.FieldErrors[fieldTeamChannel], tc.want) {
			t.Errorf("%s: %q, %v", name, answer.FieldErrors, err)
		}
	}
}
