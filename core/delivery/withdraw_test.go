package delivery

import (
	"context"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// wall is a store in which a celebration shows what is left of it.
type wall struct {
	core.Store
	post core.Post
	left []core.Consent
}

func (w *wall) Post(context.Context, string) (core.Post, error) { return w.post, nil }

func (w *wall) Celebrated(context.Context, string) ([]core.Consent, error) { return w.left, nil }

// trusting trusts every link.
type trusting struct{ provider }

func (trusting) TrustedURL(string) bool { return true }

// A celebration of which nothing may be seen any more goes, wherever its
// message is found; one that cannot be edited goes before another comes.
func TestPostSenderTakesBack(t *testing.T) {
	t.Parallel()
	here := core.Place{Ref: "here", MessageKey: "m1", EditableUntil: start.Add(time.Minute), Shown: true}
	dm := core.Place{Ref: "found", MessageKey: "m2", EditableUntil: start.Add(time.Hour), Shown: true}
	over := here
	over.EditableUntil = start
	none := core.Place{}
	for _, tt := range []struct {
		name               string
		place              core.Place
		left               bool
		removeErr, showErr error
		directErr          error
		tried, noFallback  bool
		// What is wanted.
		state   State
		cause   string
		showed  *core.Place
		calls   []bool
		removed int
	}{
		{name: "removed", place: here, state: StateSent, cause: "withdrawn", showed: &none, removed: 1},
		{name: "never shown", state: StateSent, cause: "nothing to show"},
		{name: "perhaps shown", tried: true, state: StateSent, cause: "withdrawn", showed: &none, calls: []bool{true}, removed: 1},
		{name: "perhaps shown, not found now", tried: true, directErr: classed(core.Temporary), state: StateReady, calls: []bool{true}},
		{name: "there is no such message", place: here, removeErr: classed(core.PlaceGone), state: StateSent, cause: "withdrawn", showed: &none, removed: 1},
		{name: "may not be removed", place: here, removeErr: classed(core.Invalid), state: StateSent, cause: "withdrawn", showed: &here, calls: []bool{false}, removed: 1},
		{name: "may be neither removed nor edited", place: here, removeErr: classed(core.Invalid), showErr: classed(core.Temporary), state: StateReady, calls: []bool{false}, removed: 1},
		{name: "later", place: here, removeErr: classed(core.RetryLater), state: StateReady, removed: 1},
		{name: "channel is dead", place: here, removeErr: classed(core.TargetDead), state: StateDead, removed: 1},
		{name: "something is left", place: here, left: true, state: StateSent, showed: &here, calls: []bool{false}},
		{name: "can no longer be edited", place: over, left: true, state: StateSent, showed: &dm, calls: []bool{true}, removed: 1},
		{name: "can no longer be edited, something was taken back", place: over, left: true, noFallback: true, state: StateSent, cause: "place is gone", showed: &none, removed: 1},
		{name: "deleted by somebody", place: here, left: true, showErr: classed(core.PlaceGone), noFallback: true, state: StateSent, cause: "place is gone", showed: &none, calls: []bool{false}, removed: 1},
		{name: "can no longer be edited, not removed now", place: over, left: true, removeErr: classed(core.Temporary), state: StateReady, removed: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			channel := core.Account{ID: "c1", Identity: core.ChannelIdentity("slack", "T1", "C1")}
			store := &wall{post: core.Post{
				ID: "p1", Account: channel, Place: tt.place, Subject: core.Subject{Kind: core.SubjectCelebration, ID: "batch"},
			}}
			if tt.left {
				store.left = []core.Consent{{
					State: core.ConsentAgreed, Owned: true, Channel: channel, Person: core.Account{DisplayName: "Ada"},
					Badge: core.Badge{Stage: core.StagePublic, BadgeURL: "https://www.credly.com/badges/1"},
				}}
			}
			m := &messenger{removeErr: tt.removeErr, showErr: tt.showErr, showPlace: tt.place, directErr: tt.directErr, directAt: dm}
			composer := testComposer(t, store, start)
			composer.Provider = trusting{}
			s := &PostSender{Store: store, Clock: fixed(start), Composer: composer, Messengers: map[core.Platform]chat.Messenger{"slack": m}}
			d := Delivery{ID: 1, Kind: KindPost, Ref: "p1", Key: "key-1", Attempts: 1, Fallback: !tt.noFallback}
			if tt.tried {
				d.FirstTryAt = start.Add(-time.Minute)
			}
			got := s.Send(t.Context(), d)
			if got.State != tt.state || tt.cause != "" && got.Cause != tt.cause {
				t.Fatalf("outcome %+v", got)
			}
			if (tt.showed == nil) != (got.Place == nil) && tt.showed != nil && *tt.showed != tt.place || got.Place != nil && tt.showed != nil && *got.Place != *tt.showed {
				t.Errorf("place %+v, want %+v", got.Place, tt.showed)
			}
			if len(m.calls) != len(tt.calls) || len(m.removed) != tt.removed {
				t.Fatalf("%d sent, %d removed", len(m.calls), len(m.removed))
			}
			for i, c := range m.calls {
				if c.direct != tt.calls[i] || c.key != d.Key {
					t.Errorf("sent %+v", c)
				}
			}
		})
	}
}
