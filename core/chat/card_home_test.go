package chat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// goldenHomes are the states of a home.
func goldenHomes(t *testing.T, c *Composer, w Words, reader core.Account, put func(name, text string)) {
	t.Helper()
	card := func(v homeView) Card {
		v.account = reader
		if v.tasks == nil {
			v.tasks = homeTasks(v.badges, "profile", "auto")
		}
		card, err := c.homeCard(w, v)
		if err != nil {
			t.Fatal(err)
		}
		return card
	}
	one, several := goldenPerson("ada@example.org").Addresses, goldenPerson("ada@example.org", "b@example.org", "c@example.org", "d@example.org").Addresses
	wishes := homeWishes()
	all := collection()
	put("home, unknown", readable(card(homeView{})))
	put("home, no badges", readable(card(homeView{addresses: one, wishes: wishes, kept: true})))
	put("home, everything", readable(card(homeView{addresses: several, badges: fullHome(), wishes: wishes})))
	stopped := wishes
	stopped.Wishes.Stopped = true
	put("home, one to claim, kept", readable(card(homeView{addresses: one, badges: all[1:2], wishes: stopped, kept: true})))
	snoozed := wishes
	snoozed.Wishes.SnoozedUntil = noon.AddDate(0, 0, 7)
	put("home, a live link", readable(card(homeView{addresses: one, badges: []core.BadgeView{liveLink()}, wishes: snoozed})))
	put("home, preparing", readable(card(homeView{addresses: one, badges: []core.BadgeView{{
		Badge: goldenBadge(core.StageGranted), Handoff: &core.Handoff{State: core.HandoffPreparing, ExpiresAt: noon.Add(time.Minute)},
	}}, wishes: wishes})))
	put("home, followed", readable(card(homeView{addresses: one, badges: all[4:5], wishes: wishes})))
	put("home, to be made public", readable(card(homeView{addresses: one, badges: all[5:6], wishes: wishes})))
	put("home, to be shared", readable(card(homeView{addresses: one, badges: all[6:7], wishes: wishes})))
	done := collection()[6:7]
	done[0].Shared = true
	put("home, all done", readable(card(homeView{addresses: one, badges: done, wishes: wishes, kept: true})))
	goldenHomeTasks(card, put)
}

// goldenHomeTasks are homes in which something is left to do at the provider,
// or is not wanted.
func goldenHomeTasks(card func(homeView) Card, put func(name, text string)) {
	both := goldenPerson("ada@example.org", "ada.l@example.com").Addresses
	public := collection()[6:7]
	home := func(badges []core.BadgeView, said ...string) string {
		return readable(card(homeView{addresses: both, badges: badges, wishes: homeWishes(), tasks: homeTasks(badges, said...)}))
	}
	put("home, the profile is left", home(public))
	public[0].Shared = true
	put("home, accepting by itself is left", home(public, "profile"))
	put("home, done, and the profile is private", home(public, "-profile", "auto"))
	private := collection()[5:6]
	put("home, kept private", home(private, "-public", "auto"))
}

// homeTasks are the tasks for badges, of which those are said to be done that
// are named, or skipped with a minus.
func homeTasks(badges []core.BadgeView, said ...string) []core.Task {
	var f core.TaskFacts
	for _, v := range badges {
		if !v.Badge.Stage.Held() {
			continue
		}
		f.Badges = append(f.Badges, v.Badge)
		for _, kind := range said {
			kind, skipped := strings.CutPrefix(kind, "-")
			what, scope := core.SaidDone, map[string]string{"public": v.Badge.ID, "auto": "i"}[kind]
			if skipped {
				what = core.SaidSkipped
			}
			f.Said = append(f.Said, core.Said{Ref: core.TaskRef{Kind: core.TaskKind(kind), Scope: scope}, What: what})
		}
	}
	return core.Tasks(f, "", core.Provided{Tells: core.TellsVisibility, Issuer: "i"}, noon)
}

func homeWishes() core.WishesView {
	return core.WishesView{Hours: core.Hours{
		Zone: time.UTC, From: 9 * time.Hour, To: 17 * time.Hour, Days: 1<<time.Monday | 1<<time.Tuesday | 1<<time.Wednesday | 1<<time.Thursday | 1<<time.Friday,
	}}
}

func liveLink() core.BadgeView {
	return core.BadgeView{Badge: goldenBadge(core.StagePending), Handoff: &core.Handoff{
		ID: handoffID, BadgeID: badgeID, MemberID: "m1", State: core.HandoffOpen, ExpiresAt: noon.Add(core.DefaultHandoffTTL),
	}}
}

// fullHome has more of everything than a home shows.
func fullHome() []core.BadgeView {
	out := collection()
	for n := range 8 {
		for _, stage := range []core.Stage{core.StagePending, core.StageAccepted, core.StagePublic} {
			b := goldenBadge(stage)
			b.ID, b.Template.Name, b.Template.ID = fmt.Sprintf("%s-%d", stage, n), fmt.Sprintf("More %s %d", stage, n), fmt.Sprintf("%s-%d", stage, n)
			b.ExpiresAt = noon.AddDate(0, 0, 10*n)
			out = append(out, core.BadgeView{Badge: b})
		}
	}
	out[2].Handoff.ID = handoffID
	return out
}

// What ends soon is what is held and not renewed.
func TestHomeExpiring(t *testing.T) {
	t.Parallel()
	held := func(id, template string, days int) core.BadgeView {
		b := core.Badge{ID: id, Stage: core.StageAccepted, Template: core.Template{ID: template}}
		if days != 0 {
			b.ExpiresAt = noon.AddDate(0, 0, days)
		}
		return core.BadgeView{Badge: b}
	}
	revoked := held("revoked", "e", 5)
	revoked.Badge.Stage = core.StageRevoked
	for name, test := range map[string]struct {
		badges []core.BadgeView
		want   []string
	}{
		"soon, late, never":           {[]core.BadgeView{held("1", "a", 90), held("2", "b", 91), held("3", "c", 0)}, []string{"1"}},
		"the next one first":          {[]core.BadgeView{held("1", "a", 30), held("2", "b", 3), held("3", "c", -3)}, []string{"3", "2", "1"}},
		"renewed":                     {[]core.BadgeView{held("1", "a", 30), held("2", "a", 400)}, nil},
		"renewed for ever":            {[]core.BadgeView{held("1", "a", 30), held("2", "a", 0)}, nil},
		"an older one renews nothing": {[]core.BadgeView{held("1", "a", 30), held("2", "a", -400)}, []string{"1"}},
		"of no known kind":            {[]core.BadgeView{held("1", "", 30), held("2", "", 400)}, []string{"1"}},
		"revoked":                     {[]core.BadgeView{revoked}, nil},
	} {
		var got []string
		for _, v := range sortHome(test.badges, nil, noon).expiring {
			got = append(got, v.Badge.ID)
		}
		if strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// The next step goes along the way of a badge: what was begun comes first, then
// what is needed so that others see it, then showing it.
func TestHomeNextStep(t *testing.T) {
	t.Parallel()
	all, shared := collection(), collection()[6:7]
	shared[0].Shared = true
	expired := collection()[5:6]
	expired[0].Badge.ExpiresAt = noon.AddDate(0, 0, -1)
	for name, test := range map[string]struct {
		from []core.BadgeView
		said []string
		want string
	}{
		"a link is live":              {all, nil, "b3"},
		"one waits":                   {all[:2], nil, "b1"},
		"one was followed":            {[]core.BadgeView{all[0], all[4]}, nil, "b5"},
		"one is private":              {all[5:], nil, "b6"},
		"it is kept private":          {all[5:6], []string{"-public"}, "auto"},
		"all of it":                   {all[5:6], []string{"-public", "auto"}, ""},
		"nobody looks at it any more": {expired, nil, ""},
		"nobody sees it":              {all[6:], nil, "profile"},
		"everybody sees it":           {all[6:], []string{"profile"}, "b7"},
		"it was shown":                {shared, []string{"profile"}, "auto"},
		"nobody is to see it":         {shared, []string{"-profile", "-auto"}, ""},
		"everything":                  {shared, []string{"profile", "auto"}, ""},
		"nothing is held":             {all[8:], nil, ""},
	} {
		s := sortHome(test.from, homeTasks(test.from, test.said...), noon)
		got := ""
		switch {
		case s.next != nil && s.task != nil:
			t.Errorf("%s: two next steps", name)
		case s.next != nil:
			got = s.next.Badge.ID
		case s.task != nil:
			got = string(s.task.Ref.Kind)
		}
		if got != test.want {
			t.Errorf("%s: next is %q, want %q", name, got, test.want)
		}
	}
}
