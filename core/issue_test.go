package core_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

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
			if got, err := h.claims.Claim(ctx, ada, badge, h.place()); err != nil || got.Result != core.ClaimOpened {
				t.Fatal(got, err)
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
