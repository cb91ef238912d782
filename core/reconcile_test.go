package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

func TestReconcile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	var ids []string
	for i := range 3 {
		ids = append(ids, h.pending(fmt.Sprint(i), "ada@example.org"))
	}
	if n, err := h.rec.Poll(ctx); n != 0 || err != nil {
		t.Errorf("read %d, %v before anything is due", n, err)
	}
	h.pass(7 * time.Hour)
	for id, o := range h.prov.badges {
		o.Stage, o.At = core.StageAccepted, h.now
		h.prov.badges[id] = o
	}
	// One that cannot be read holds up no other, and is due again soon.
	h.prov.fail["get at-1"] = core.ErrUnreachable
	if n, err := h.rec.Poll(ctx); n != 2 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	if h.stage(ids[0]) != core.StageAccepted || h.stage(ids[1]) != core.StagePending || h.stage(ids[2]) != core.StageAccepted {
		t.Error("wrong stages")
	}
	h.pass(11 * time.Minute)
	h.prov.fail["get at-1"] = core.ErrUnauthorized
	if n, err := h.rec.Poll(ctx); n != 0 || !errors.Is(err, core.ErrUnauthorized) {
		t.Errorf("read %d, %v with credentials that are not accepted", n, err)
	}
	delete(h.prov.fail, "get at-1")
	h.pass(11 * time.Minute)
	if n, err := h.rec.Poll(ctx); n != 1 || err != nil || h.stage(ids[1]) != core.StageAccepted {
		t.Errorf("read %d, %v", n, err)
	}

	h.wants(h.obs.Read(ctx, "at-9"), core.ErrNoSuchBadge)
	h.pass(time.Minute)
	o := h.prov.badges["at-0"]
	o.Stage, o.At = core.StagePublic, h.now
	h.prov.badges["at-0"] = o
	h.must(h.obs.Read(ctx, "at-0"))
	if h.stage(ids[0]) != core.StagePublic {
		t.Errorf("stage %s", h.stage(ids[0]))
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.link(ada, "ada@example.org")
	h.prov.badges["at-1"] = h.award("1", "ada@example.org")
	h.prov.badges["at-2"] = h.award("2", "bob@example.org")
	h.pass(7 * time.Hour)
	h.prov.fail["person"] = core.ErrUnreachable
	if n, err := h.rec.Refresh(ctx); n != 0 || !errors.Is(err, core.ErrUnreachable) {
		t.Errorf("read %d, %v", n, err)
	}
	delete(h.prov.fail, "person")
	h.pass(7 * time.Hour)
	if n, err := h.rec.Refresh(ctx); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	p, err := h.db.Person(ctx, ada)
	h.must(err)
	views, err := h.db.BadgesOf(ctx, p.MemberID())
	h.must(err)
	if len(views) != 1 || views[0].Badge.ProviderID != "at-1" {
		t.Errorf("badges %+v", views)
	}
	// What was so before anybody looked is no news: nobody is told.
	if all := h.sent(); len(all) != 0 {
		t.Errorf("told %+v", all)
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	badge := h.granted("a1", "ada@example.org")
	h.prov.templates = []core.Template{{ID: "template-a1", Name: "Gopher", ImageURL: "https://images.example.org/1.png"}}
	h.prov.fail["templates"] = core.ErrUnauthorized
	h.wants(h.rec.Templates(t.Context()), core.ErrUnauthorized)
	delete(h.prov.fail, "templates")
	h.must(h.rec.Templates(t.Context()))
	b, err := h.db.Badge(t.Context(), badge)
	if err != nil || b.Template != h.prov.templates[0] {
		t.Errorf("template %+v, %v", b.Template, err)
	}
}

func TestObserverTellsTheBodyOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		stages []core.Stage
		quiet  bool
		want   []core.EventType
	}{
		{"accepted, then public", []core.Stage{core.StagePending, core.StageAccepted, core.StagePublic}, false, []core.EventType{core.EventAccepted, core.EventPublic}},
		{"public at once", []core.Stage{core.StagePending, core.StagePublic}, false, []core.EventType{core.EventAccepted, core.EventPublic}},
		{"hidden again", []core.Stage{core.StagePending, core.StagePublic, core.StageAccepted}, false, []core.EventType{core.EventAccepted, core.EventPublic}},
		{"rejected", []core.Stage{core.StagePending, core.StageRejected}, false, []core.EventType{core.EventRejected}},
		{"revoked", []core.Stage{core.StagePending, core.StageRevoked}, false, nil},
		{"accepted long before it was first seen", []core.Stage{core.StageAccepted}, false, nil},
		{"nobody listens", []core.Stage{core.StagePending, core.StageAccepted}, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.obs.Announce = !tt.quiet
			o := h.award("1", "ada@example.org")
			for _, s := range tt.stages {
				h.pass(time.Minute)
				h.say(o, s)
			}
			var got []core.EventType
			for _, one := range h.sent() {
				if one.kind == delivery.KindEvent {
					got = append(got, one.event)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("told %v, want %v", got, tt.want)
			}
		})
	}
}

// batches answers a sweep batch by batch.
type batches struct {
	core.Store
	sizes []int
	after []core.Cursor
	fail  error
}

func (b *batches) ExpireHandoffs(_ context.Context, _ time.Time, after core.Cursor, limit int) (int, core.Cursor, error) {
	b.after = append(b.after, after)
	i := len(b.after) - 1
	if i == len(b.sizes) {
		return 0, core.Cursor{}, b.fail
	}
	return min(b.sizes[i], limit), core.Cursor{ID: fmt.Sprint(i)}, nil
}

func TestSweepGoesOnBehindTheLastBatch(t *testing.T) {
	t.Parallel()
	h := &house{now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	store := &batches{sizes: []int{1000, 1000, 7}}
	n, err := (&core.Sweeper{Store: store, Clock: h}).Expire(t.Context())
	if err != nil || n != 1007 || !slices.Equal(store.after, []core.Cursor{{}, {ID: "0"}, {ID: "1"}}) {
		t.Errorf("expired %d, %v, %+v", n, err, store.after)
	}
	store = &batches{sizes: []int{1000}, fail: core.ErrUnavailable}
	n, err = (&core.Sweeper{Store: store, Clock: h}).Expire(t.Context())
	if n != 500 || !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("expired %d, %v", n, err)
	}
}

func TestSweepTellsThatItIsOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	badge := h.pending("1", "ada@example.org")
	if _, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil {
		t.Fatal(err)
	}
	h.sent()
	sweeper := &core.Sweeper{Store: h.db, Clock: h}
	h.pass(2*time.Minute - time.Millisecond)
	if n, err := sweeper.Expire(t.Context()); n != 0 || err != nil {
		t.Fatalf("expired %d, %v too early", n, err)
	}
	h.pass(time.Millisecond)
	if n, err := sweeper.Expire(t.Context()); n != 1 || err != nil {
		t.Fatalf("expired %d, %v", n, err)
	}
	if got := titles(h.sent(), ada); !slices.Equal(got, []string{"Time is up: Badge 1"}) {
		t.Errorf("told %q", got)
	}
	if got, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil || got.Result != core.ClaimOpened {
		t.Errorf("claimed again: %+v, %v", got, err)
	}
}
