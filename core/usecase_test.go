package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

func TestClaimAndFollow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.link(ada, "ada@example.org")
	h.link(bob, "bob@example.org")
	badge := h.pending("1", "ada@example.org")

	_, _, err := h.claims.Claim(ctx, bob, badge, h.place())
	h.wants(err, core.ErrNotFound)
	_, _, err = h.claims.Claim(ctx, ada, "malformed", h.place())
	h.wants(err, core.ErrNotFound)
	r, _, err := h.claims.Claim(ctx, ada, badge, h.place())
	if err != nil || r != core.ClaimOpened {
		t.Fatal(r, err)
	}
	all := h.sent()
	if got := titles(all, ada); !slices.Equal(got, []string{"Ready: Badge 1"}) || !slices.Equal(events(all), []core.EventType{core.EventClaimed}) {
		t.Errorf("told %q, %v", got, events(all))
	}
	token := linkToken(t, all)
	// A second press shows the same link in its own message.
	r, b, err := h.claims.Claim(ctx, ada, badge, h.place())
	if err != nil || r != core.ClaimAlreadyOpen || b.ID != badge {
		t.Fatal(r, b, err)
	}
	if again := linkToken(t, h.sent()); again != token {
		t.Error("a second press gave another link")
	}

	passage, err := h.passes.Look(ctx, token)
	h.must(err)
	if passage.State != core.HandoffOpen || passage.Badge.ID != badge || passage.Provider != "Credly" || !passage.ExpiresAt.Equal(h.now.Add(2*time.Minute)) {
		t.Errorf("passage %+v", passage)
	}
	// The provider's present link counts, not the one that was known.
	o := h.prov.badges["at-1"]
	o.AcceptURL = "https://www.credly.com/go/newer"
	h.prov.badges["at-1"] = o
	link, err := h.passes.Follow(ctx, token)
	if err != nil || link != o.AcceptURL {
		t.Fatalf("followed to %q, %v", link, err)
	}
	_, err = h.passes.Follow(ctx, token)
	h.wants(err, core.ErrGone)
	if got := titles(h.sent(), ada); len(got) != 2 || got[0] != "Now accept it: Badge 1" {
		t.Errorf("told %q", got)
	}

	h.pass(time.Minute)
	h.say(h.prov.badges["at-1"], core.StageAccepted)
	all = h.sent()
	if got := titles(all, ada); len(got) != 2 || got[0] != "It’s yours: Badge 1" || !slices.Equal(events(all), []core.EventType{core.EventAccepted}) {
		t.Errorf("told %q, %v", got, events(all))
	}
	if text := all[0].card.Text.String(); !strings.Contains(text, "Tip, just once") {
		t.Errorf("the card says %q", text)
	}
	passage, err = h.passes.Look(ctx, token)
	if err != nil || passage.State != core.HandoffCompleted {
		t.Errorf("passage %+v, %v", passage, err)
	}
	r, b, err = h.claims.Claim(ctx, ada, badge, h.place())
	if err != nil || r != core.ClaimNotOpen || b.Stage != core.StageAccepted {
		t.Errorf("claimed once more: %v, %+v, %v", r, b, err)
	}

	h.pass(time.Minute)
	h.say(h.prov.badges["at-1"], core.StagePublic)
	if all = h.sent(); !slices.Equal(events(all), []core.EventType{core.EventPublic}) || len(titles(all, ada)) != 2 {
		t.Errorf("told %q, %v", titles(all, ada), events(all))
	}
	// The card with the good news may be months old: the bad news comes anew.
	h.pass(time.Hour)
	h.say(h.prov.badges["at-1"], core.StageRevoked)
	if got := titles(h.sent(), ada); len(got) != 3 || got[2] != "Taken back: Badge 1" {
		t.Errorf("told %q", got)
	}
	passage, err = h.passes.Look(ctx, token)
	if err != nil || passage.State != core.HandoffFailed {
		t.Errorf("passage %+v, %v", passage, err)
	}
}

// linkToken is the token behind the button of the last card that has one.
func linkToken(t *testing.T, all []told) string {
	t.Helper()
	for _, one := range slices.Backward(all) {
		for _, b := range one.card.Buttons {
			if token, ok := strings.CutPrefix(b.URL, "https://laurel.example.org/h/"); ok {
				return token
			}
		}
	}
	t.Fatalf("no link in %+v", all)
	return ""
}

func TestFollowRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		do    func(h *house)
		want  error
		state core.HandoffState // as Look tells it, where the handoff is found
		link  string
		// opens says that the handoff can be followed once the trouble is over.
		opens bool
	}{
		{name: "after its time, whether or not a sweep ran", do: func(h *house) { h.pass(2 * time.Minute) }, want: core.ErrGone, state: core.HandoffExpired},
		{name: "at its last moment", do: func(h *house) { h.pass(2*time.Minute - time.Millisecond) }, state: core.HandoffOpen, link: "https://www.credly.com/go/1"},
		{name: "provider away, link known", do: func(h *house) { h.prov.fail["get"] = core.ErrUnreachable }, state: core.HandoffOpen, link: "https://www.credly.com/go/1"},
		{name: "no link to be had", do: func(h *house) {
			o := h.prov.badges["at-1"]
			o.AcceptURL = ""
			h.prov.badges["at-1"] = o
		}, want: core.ErrUnreachable, state: core.HandoffOpen, opens: true},
		{name: "a link that is not the provider's", do: func(h *house) {
			o := h.prov.badges["at-1"]
			o.AcceptURL = "https://evil.example.com/go/1"
			h.prov.badges["at-1"] = o
		}, want: core.ErrUnreachable, state: core.HandoffOpen, opens: true},
		{name: "accepted meanwhile", do: func(h *house) {
			o := h.prov.badges["at-1"]
			o.Stage, o.At = core.StageAccepted, h.now.Add(time.Second)
			h.prov.badges["at-1"] = o
		}, want: core.ErrGone, state: core.HandoffOpen},
		{name: "known to be accepted", do: func(h *house) {
			h.pass(time.Second)
			h.say(h.prov.badges["at-1"], core.StageAccepted)
		}, want: core.ErrGone, state: core.HandoffCompleted},
		{name: "no longer the person's", do: func(h *house) {
			p, err := h.db.Person(h.t.Context(), ada)
			h.must(err)
			_, err = h.links.Unlink(h.t.Context(), ada, p.Addresses[0].ID)
			h.must(err)
		}, want: core.ErrNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.link(ada, "ada@example.org")
			badge := h.pending("1", "ada@example.org")
			if r, _, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil || r != core.ClaimOpened {
				t.Fatal(r, err)
			}
			token := linkToken(t, h.sent())
			before := h.prov.badges["at-1"]
			tt.do(h)
			look, err := h.passes.Look(t.Context(), token)
			if tt.state == "" {
				h.wants(err, core.ErrNotFound)
			} else if err != nil || look.State != tt.state {
				t.Errorf("looks %+v, %v", look, err)
			}
			link, err := h.passes.Follow(t.Context(), token)
			if !errors.Is(err, tt.want) || link != tt.link {
				t.Fatalf("got %q, %v", link, err)
			}
			if !tt.opens {
				return
			}
			h.pass(time.Second)
			before.At = h.now
			h.prov.badges["at-1"] = before
			if _, err := h.passes.Follow(t.Context(), token); err != nil {
				t.Errorf("the handoff was used up: %v", err)
			}
		})
	}
}

func TestForgedHandoffLinks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	unknown, err := h.keys.Token(core.PurposeHandoff, core.NewID())
	h.must(err)
	for _, token := range []string{"", "../../etc/passwd", strings.Repeat("A", 43), unknown} {
		_, err := h.passes.Look(t.Context(), token)
		h.wants(err, core.ErrNotFound)
		_, err = h.passes.Follow(t.Context(), token)
		h.wants(err, core.ErrNotFound)
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	refused := fmt.Errorf("template is gone: %w", core.ErrRefused)
	for _, tt := range []struct {
		name string
		do   func(h *house, badge string)
		// err is what comes of the first attempt, or nil.
		err   error
		state core.HandoffState
		stage core.Stage
		title string
	}{
		{name: "issued", state: core.HandoffOpen, stage: core.StagePending, title: "Ready: Badge a1"},
		{name: "provider away", do: func(h *house, _ string) { h.prov.fail["issue"] = core.ErrUnreachable }, err: core.ErrUnreachable, state: core.HandoffPreparing, stage: core.StageGranted},
		{name: "refused", do: func(h *house, _ string) { h.prov.fail["issue"] = refused }, err: core.ErrRefused, state: core.HandoffFailed, stage: core.StageGranted, title: "That did not work: Digital badge"},
		{name: "took too long", do: func(h *house, _ string) { h.pass(core.IssueWithin) }, state: core.HandoffPreparing, stage: core.StageGranted},
		{
			name: "withdrawn meanwhile", do: func(h *house, _ string) { h.must(h.work.Withdraw(h.t.Context(), "a1", h.now.Add(time.Second))) },
			state: core.HandoffFailed, stage: core.StageWithdrawn, title: "Withdrawn: Digital badge",
		},
		{name: "seen pending meanwhile", do: func(h *house, _ string) {
			o := h.award("a1", "ada@example.org")
			o.ExternalID = "a1"
			h.say(o, core.StagePending)
		}, state: core.HandoffOpen, stage: core.StagePending, title: "Ready: Badge a1"},
		{name: "already accepted at the provider", do: func(h *house, _ string) {
			o := h.award("a1", "ada@example.org")
			o.Stage = core.StageAccepted
			h.prov.badges["at-a1"] = o
		}, state: core.HandoffCompleted, stage: core.StageAccepted, title: "It’s yours: Badge a1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			ctx := t.Context()
			h.link(ada, "ada@example.org")
			badge := h.granted("a1", "ada@example.org")
			if r, _, err := h.claims.Claim(ctx, ada, badge, h.place()); err != nil || r != core.ClaimOpened {
				t.Fatal(r, err)
			}
			if got := titles(h.sent(), ada); !slices.Equal(got, []string{"One moment: Digital badge"}) {
				t.Errorf("told %q", got)
			}
			items := h.items()
			if len(items) != 1 || items[0].Message.Kind != "badge.issue" {
				t.Fatalf("to do: %+v", items)
			}
			handoff := items[0].Message.Payload
			if tt.do != nil {
				tt.do(h, badge)
			}
			err := h.work.Issue(ctx, handoff)
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			v, err := h.db.HandoffView(ctx, handoff)
			h.must(err)
			if v.Handoff.State != tt.state || v.Badge.Stage != tt.stage {
				t.Errorf("handoff %s, badge %s", v.Handoff.State, v.Badge.Stage)
			}
			all := h.sent()
			if got := titles(all, ada); tt.title != "" && !slices.Contains(got, tt.title) || tt.title == "" && len(got) > 0 {
				t.Errorf("told %q, want %q", got, tt.title)
			}
			if tt.state != core.HandoffOpen {
				return
			}
			// The two minutes begin when the link is there, and a repetition
			// changes nothing.
			if !v.Handoff.ExpiresAt.Equal(h.now.Add(core.DefaultHandoffTTL)) || v.Badge.AwardID != "a1" {
				t.Errorf("handoff %+v of %q", v.Handoff, v.Badge.AwardID)
			}
			asked := h.prov.asked["issue"]
			h.must(h.work.Issue(ctx, handoff))
			if h.prov.asked["issue"] != asked || len(h.sent()) != 0 {
				t.Error("a repetition did something")
			}
		})
	}
}

func TestIssueOfNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.must(h.work.Issue(t.Context(), core.NewID()))
	h.must(h.work.Replace(t.Context(), core.NewID()))
	h.must(h.work.Revoke(t.Context(), core.NewID()))
	if len(h.prov.asked) != 0 {
		t.Errorf("asked %v", h.prov.asked)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	badge := h.granted("a1", "old@example.org")
	o := h.award("a1", "old@example.org")
	o.ExternalID = "a1"
	h.say(o, core.StagePending)
	h.pass(time.Minute)
	_, err := h.db.ImportAwards(ctx, []core.Award{{
		AwardID: "a1", Recipient: email("new@example.org"), TemplateID: "template-a1", IssuedAt: h.now, DecidedAt: h.now,
	}})
	h.must(err)

	h.prov.fail["replace"] = core.ErrUnreachable
	h.wants(h.work.Replace(ctx, badge), core.ErrUnreachable)
	delete(h.prov.fail, "replace")
	h.must(h.work.Replace(ctx, badge))
	moved := h.badgeOf("at-a1-moved")
	if moved.AwardID != "a1" || moved.Recipient.Normal != "new@example.org" || moved.Stage != core.StagePending {
		t.Errorf("moved badge %+v", moved)
	}
	// A repetition finds a badge that need not move, or is no longer pending.
	asked := h.prov.asked["replace"]
	h.say(h.prov.badges["at-a1-moved"], core.StageAccepted)
	h.must(h.work.Replace(ctx, moved.ID))
	h.prov.caps = 0
	h.must(h.work.Replace(ctx, badge))
	if h.prov.asked["replace"] != asked {
		t.Error("replaced again")
	}
}

func TestWithdrawAndRevoke(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.link(ada, "ada@example.org")
	badge := h.granted("a1", "ada@example.org")
	h.must(h.work.Withdraw(ctx, "a1", h.now.Add(-time.Hour)))
	if h.stage(badge) != core.StageGranted {
		t.Error("an older word withdrew the award")
	}
	o := h.award("a1", "ada@example.org")
	o.ExternalID = "a1"
	h.say(o, core.StagePending)
	h.must(h.work.Withdraw(ctx, "a1", h.now.Add(time.Second)))
	items := h.items()
	if h.stage(badge) != core.StagePending || len(items) != 1 || items[0].Message.Kind != "badge.revoke" || items[0].Message.Payload != badge {
		t.Fatalf("stage %s, to do %+v", h.stage(badge), items)
	}
	// The same word again asks for nothing more; a later one does, because the
	// award may have been granted anew in between.
	h.must(h.work.Withdraw(ctx, "a1", h.now.Add(time.Second)))
	if again := h.items(); len(again) != 0 {
		t.Errorf("the same word asked for %+v", again)
	}
	h.must(h.work.Withdraw(ctx, "a1", h.now.Add(2*time.Second)))
	if again := h.items(); len(again) != 1 {
		t.Errorf("a later word asked for %+v", again)
	}
	h.prov.fail["revoke"] = core.ErrUnreachable
	h.wants(h.work.Revoke(ctx, badge), core.ErrUnreachable)
	delete(h.prov.fail, "revoke")
	h.pass(time.Second)
	h.must(h.work.Revoke(ctx, badge))
	if h.stage(badge) != core.StageRevoked {
		t.Errorf("stage %s", h.stage(badge))
	}
	asked := h.prov.asked["revoke"]
	h.must(h.work.Revoke(ctx, badge))
	if h.prov.asked["revoke"] != asked {
		t.Error("revoked again")
	}
	// An award that was never told of stays withdrawn.
	h.must(h.work.Withdraw(ctx, "a9", h.now))
	_, err := h.db.ImportAwards(ctx, []core.Award{{
		AwardID: "a9", Recipient: email("ada@example.org"), TemplateID: "t", DecidedAt: h.now.Add(-time.Hour),
	}})
	h.must(err)
	p, err := h.db.Person(ctx, ada)
	h.must(err)
	views, err := h.db.BadgesOf(ctx, p.MemberID())
	h.must(err)
	for _, v := range views {
		if v.Badge.AwardID == "a9" && v.Badge.Stage != core.StageWithdrawn {
			t.Errorf("a late word brought it back: %+v", v.Badge)
		}
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	h.pending("1", "ada@example.org")
	h.must(h.work.Erase(t.Context(), email("ada@example.org")))
	p, err := h.db.Person(t.Context(), ada)
	h.must(err)
	if p.Account != nil || p.MemberID() != "" {
		t.Errorf("still known: %+v", p)
	}
}

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

// The tip on accepting automatically comes with one badge only.
func TestAutoAcceptHintComesOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	tips := 0
	for i := range 3 {
		id := fmt.Sprint(i)
		badge := h.pending(id, "ada@example.org")
		if i > 0 {
			if r, _, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil || r != core.ClaimOpened {
				t.Fatal(r, err)
			}
			h.sent()
		}
		h.pass(time.Second)
		h.say(h.prov.badges["at-"+id], core.StageAccepted)
		for _, one := range h.sent() {
			if strings.Contains(one.card.Text.String(), "Tip, just once") {
				tips++
				if i != 1 {
					t.Errorf("the tip came with badge %d", i)
				}
			}
		}
	}
	if tips != 1 {
		t.Errorf("the tip came %d times", tips)
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
	if _, _, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil {
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
	if r, _, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil || r != core.ClaimOpened {
		t.Errorf("claimed again: %v, %v", r, err)
	}
}
