package delivery

import (
	"context"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// reminding is a store with one reminder.
type reminding struct {
	*cards
	view      core.ReminderView
	postponed []bool
}

func (r *reminding) ReminderView(context.Context, string) (core.ReminderView, error) {
	return r.view, nil
}

func (r *reminding) PostponeReminder(_ context.Context, _ string, gone bool, _ time.Time) error {
	r.postponed = append(r.postponed, gone)
	return nil
}

// A reminder that should have been edited into the last one, whose message is
// gone, would ring a bell: it comes within the person's hours only, and only
// if there is something to say.
func TestReminderWhoseMessageIsGone(t *testing.T) {
	t.Parallel()
	day := core.Hours{Zone: time.UTC, From: 8 * time.Hour, To: 20 * time.Hour, Days: core.EveryDay}
	night := core.Hours{Zone: time.UTC, From: 20 * time.Hour, To: 22 * time.Hour, Days: core.EveryDay}
	for name, tc := range map[string]struct {
		change    func(*core.ReminderView)
		place     bool
		repeated  bool
		sent      bool
		postponed bool
	}{
		"in their hours":                {change: func(*core.ReminderView) {}, sent: true},
		"at night":                      {change: func(v *core.ReminderView) { v.Hours = night }, postponed: true},
		"at night, may be there":        {change: func(v *core.ReminderView) { v.Hours = night }, repeated: true, sent: true},
		"at night, still there":         {change: func(v *core.ReminderView) { v.Hours = night }, place: true},
		"wants quiet":                   {change: func(v *core.ReminderView) { v.Wishes.SnoozedUntil = start.Add(time.Hour) }, postponed: true},
		"stopped":                       {change: func(v *core.ReminderView) { v.Wishes.Stopped = true }},
		"claimed meanwhile":             {change: func(v *core.ReminderView) { v.Items = nil }},
		"another one since":             {change: func(v *core.ReminderView) { v.Later = true }},
		"claimed, the message is there": {change: func(v *core.ReminderView) { v.Items = nil }, place: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			badge := core.Badge{ID: "b1", Stage: core.StagePending, Template: core.Template{Name: "Gopher"}}
			view := core.ReminderView{
				MemberID: "m1", Day: start.Format(time.DateOnly), Hours: day,
				Items: []core.ReminderItem{{Policy: core.PolicyPending, View: core.BadgeView{Badge: badge}}},
			}
			tc.change(&view)
			there := core.Place{Ref: "there", MessageKey: "m1", EditableUntil: start.Add(time.Hour), Shown: true}
			store := &reminding{cards: &cards{posts: map[string]core.Post{"p1": {
				ID: "p1", Place: there, Subject: core.Subject{Kind: core.SubjectReminder, ID: "m1.day"},
				Account: core.Account{ID: "a1", MemberID: "m1", Identity: core.Identity{Platform: "slack", Tenant: "T1", User: "U1"}},
			}}}, view: view}
			m := &messenger{showErr: classed(core.PlaceGone), showPlace: there}
			if tc.place {
				m.showErr = nil
			}
			s := &PostSender{
				Store: store, Clock: fixed(start), Composer: testComposer(t, store, start),
				Messengers: map[core.Platform]chat.Messenger{"slack": m},
			}
			d := Delivery{ID: 1, Kind: KindPost, Ref: "p1", Key: "k", Fallback: true, Attempts: 1}
			if tc.repeated {
				d.FirstTryAt = start.Add(-time.Minute)
			}
			got := s.Send(t.Context(), d)
			direct := len(m.calls) == 2 && m.calls[1].direct
			if got.State != StateSent || direct != tc.sent || !direct && len(m.calls) != 1 {
				t.Errorf("%+v after %+v", got, m.calls)
			}
			if !tc.place && !tc.sent && (got.Place == nil || got.Place.Shown) {
				t.Errorf("it counts as shown: %+v", got.Place)
			}
			if (len(store.postponed) == 1 && store.postponed[0]) != tc.postponed || len(store.postponed) > 1 {
				t.Errorf("postponed %v", store.postponed)
			}
		})
	}
}
