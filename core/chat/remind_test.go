package chat

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

// reminded is a reminder of the day of noon, which is a Monday, with an item
// for each policy.
func reminded() core.ReminderView {
	v := core.ReminderView{MemberID: "m1", Day: "2026-11-02", Hours: core.DefaultHours(time.UTC)}
	for _, policy := range core.AllPolicies() {
		b := goldenBadge(core.StagePending)
		b.ID, b.Template.Name = "b-"+string(policy), "Badge that is "+string(policy)
		b.ExpiresAt = noon.AddDate(0, 0, 7)
		v.Items = append(v.Items, core.ReminderItem{Policy: policy, View: core.BadgeView{Badge: b}})
	}
	return v
}

// goldenReminders makes every card about reminders.
func goldenReminders(t *testing.T, c *Composer, w Words, reader core.Account, put func(name, text string)) {
	t.Helper()
	compose := func(name string, change func(*core.ReminderView)) {
		v := reminded()
		change(&v)
		facts := core.TaskFacts{}
		for _, item := range reminded().Items {
			facts.Badges = append(facts.Badges, item.View.Badge)
		}
		c.Store = &shelf{reminder: v, tasks: facts}
		card, err := c.Compose(t.Context(), core.Post{
			Account: reader, Subject: core.Subject{Kind: core.SubjectReminder, ID: "m1.2026-11-02"}, Place: core.Place{Shown: true},
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		put(name, readable(card))
	}
	compose("reminder", func(*core.ReminderView) {})
	compose("reminder, one badge, no time zone known", func(v *core.ReminderView) { v.Items, v.AskZone = v.Items[2:3], true })
	compose("reminder, many", func(v *core.ReminderView) { v.Items = append(v.Items, reminded().Items...) })
	compose("reminder, nothing left", func(v *core.ReminderView) { v.Items = nil })
	compose("reminder, later one", func(v *core.ReminderView) { v.Later = true })
	compose("reminder, stopped", func(v *core.ReminderView) { v.Wishes.Stopped = true })
	compose("reminder, snoozed", func(v *core.ReminderView) { v.Wishes.SnoozedUntil = noon.AddDate(0, 0, 7) })

	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	hours := core.DefaultHours(berlin)
	put("wishes", readable(wishesCard(w, core.WishesView{Hours: hours, ZoneKnown: true, Plan: core.DefaultPlan()}, reader.Identity, noon)))
	put("wishes, no time zone known", readable(wishesCard(w, core.WishesView{Hours: core.DefaultHours(time.UTC), Plan: core.Plan{core.PolicyPending: {1}}}, reader.Identity, noon)))
	put("wishes, stopped", readable(wishesCard(w, core.WishesView{Hours: hours, Wishes: core.Wishes{Stopped: true}}, reader.Identity, noon)))
	put("wishes, snoozed", readable(wishesCard(w, core.WishesView{
		Hours: core.Hours{Zone: berlin, From: 8 * time.Hour, To: 12 * time.Hour, Days: core.EveryDay &^ (1 << time.Wednesday)}, ZoneKnown: true,
		Wishes: core.Wishes{SnoozedUntil: noon.AddDate(0, 0, 7)},
	}, reader.Identity, noon)))
	put("status", readable(statusCard(w, core.Status{
		Badges:  map[core.Stage]int64{core.StageGranted: 2, core.StagePending: 3, core.StageAccepted: 1, core.StagePublic: 40, core.StageRejected: 1, core.StageRevoked: 1},
		Members: 17, Stopped: 1, Reminded: 9, Waiting: 2, Dead: 1,
	})))
	put("status, nothing", readable(statusCard(w, core.Status{})))
	put("form, hours", readableForm(hoursForm(w, writtenHours(hours))))
	_, wrong := parseHours(w, map[string]string{fieldZone: "Europe/Nowhere", fieldFrom: "17", fieldTo: "9"})
	put("refusal, hours", readable(*refused(w, "trouble.hours", typedID(VerbHours, "", []string{"Europe/Nowhere", "17", "9", ""}), hoursFieldNames(), wrong).Card))
}

// What is not sent, and what comes back another day.
func TestReminderIsDecidedWhenItIsSent(t *testing.T) {
	t.Parallel()
	night := core.Hours{Zone: time.UTC, From: 20 * time.Hour, To: 22 * time.Hour, Days: core.EveryDay}
	for name, tc := range map[string]struct {
		change    func(*core.ReminderView)
		tried     bool
		shown     bool
		sent      bool
		postponed bool
	}{
		"as planned":            {change: func(*core.ReminderView) {}, sent: true},
		"claimed meanwhile":     {change: func(v *core.ReminderView) { v.Items = nil }},
		"stopped":               {change: func(v *core.ReminderView) { v.Wishes.Stopped = true }},
		"another one since":     {change: func(v *core.ReminderView) { v.Later = true }},
		"quiet hours by now":    {change: func(v *core.ReminderView) { v.Hours = night }, postponed: true},
		"another day by now":    {change: func(v *core.ReminderView) { v.Day = "2026-10-30" }, postponed: true},
		"wants quiet":           {change: func(v *core.ReminderView) { v.Wishes.SnoozedUntil = noon.Add(time.Hour) }, postponed: true},
		"may have been shown":   {change: func(v *core.ReminderView) { v.Hours = night }, tried: true, sent: true},
		"is there already":      {change: func(v *core.ReminderView) { v.Hours = night }, shown: true, sent: true},
		"of somebody else":      {change: func(v *core.ReminderView) { v.MemberID = "m2" }},
		"quiet is over by then": {change: func(v *core.ReminderView) { v.Wishes.SnoozedUntil = noon }, sent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := reminded()
			tc.change(&v)
			store := &shelf{reminder: v}
			_, err := goldenComposer(t, store).Compose(t.Context(), core.Post{
				Account: reads, Subject: core.Subject{Kind: core.SubjectReminder, ID: "m1.2026-11-02"},
				Place: core.Place{Shown: tc.shown}, Tried: tc.tried,
			})
			if sent := err == nil; sent != tc.sent || !sent && !errors.Is(err, ErrNothing) {
				t.Errorf("got %v", err)
			}
			if (len(store.postponed) == 1) != tc.postponed {
				t.Errorf("postponed %q", store.postponed)
			}
		})
	}
}

func TestParseHours(t *testing.T) {
	t.Parallel()
	c := goldenComposer(t, nil)
	w := c.Catalog.For("en")
	good := map[string]string{fieldZone: " Europe/Berlin ", fieldFrom: "9", fieldTo: "17", fieldDays: "1,2,3"}
	h, wrong := parseHours(w, good)
	if len(wrong) > 0 || h.Zone.String() != "Europe/Berlin" || h.From != 9*time.Hour || h.To != 17*time.Hour ||
		h.Days != 1<<time.Monday|1<<time.Tuesday|1<<time.Wednesday {
		t.Errorf("got %+v, %v", h, wrong)
	}
	for name, tc := range map[string]struct{ field, value, wrong string }{
		"no zone":        {fieldZone, "", fieldZone},
		"own zone":       {fieldZone, "Local", fieldZone},
		"unknown zone":   {fieldZone, "Europe/Nowhere", fieldZone},
		"a path":         {fieldZone, "../../etc/passwd", fieldZone},
		"no end":         {fieldTo, "", fieldTo},
		"end too late":   {fieldTo, "25", fieldTo},
		"backwards":      {fieldTo, "9", fieldTo},
		"no beginning":   {fieldFrom, "nine", fieldFrom},
		"no day":         {fieldDays, "", fieldDays},
		"a day too many": {fieldDays, "7", fieldDays},
	} {
		fields := maps.Clone(good)
		fields[tc.field] = tc.value
		if _, wrong := parseHours(w, fields); wrong[tc.wrong] == "" {
			t.Errorf("%s: not refused at its field: %v", name, wrong)
		}
	}
}

func TestDayNames(t *testing.T) {
	t.Parallel()
	w := goldenComposer(t, nil).Catalog.For("en")
	for days, want := range map[core.Weekdays]string{
		core.Workdays: "Mon–Fri", core.EveryDay: "Mon–Sun", 1 << time.Sunday: "Sun",
		1<<time.Saturday | 1<<time.Sunday: "Sat, Sun", core.EveryDay &^ (1 << time.Wednesday): "Mon, Tue, Thu–Sun",
	} {
		if got := dayNames(w, days); got != want {
			t.Errorf("%07b: %q, want %q", days, got, want)
		}
	}
}
