package core_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

func TestClaimAndFollow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.link(ada, "ada@example.org")
	h.link(bob, "bob@example.org")
	badge := h.pending("1", "ada@example.org")

	_, err := h.claims.Claim(ctx, bob, badge, h.place())
	h.wants(err, core.ErrNotFound)
	_, err = h.claims.Claim(ctx, ada, "malformed", h.place())
	h.wants(err, core.ErrNotFound)
	got, err := h.claims.Claim(ctx, ada, badge, h.place())
	if err != nil || got.Result != core.ClaimOpened {
		t.Fatal(got, err)
	}
	all := h.sent()
	if got := titles(all, ada); !slices.Equal(got, []string{"Ready: Badge 1"}) || !slices.Equal(events(all), []core.EventType{core.EventClaimed}) {
		t.Errorf("told %q, %v", got, events(all))
	}
	token := linkToken(t, all)
	// A second press shows the same link in its own message.
	got, err = h.claims.Claim(ctx, ada, badge, h.place())
	if err != nil || got.Result != core.ClaimAlreadyOpen {
		t.Fatal(got, err)
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
	if text := all[0].card.Items[1].Text.String(); !strings.HasPrefix(text, "▸ Make it public") {
		t.Errorf("the card says %q", text)
	}
	passage, err = h.passes.Look(ctx, token)
	if err != nil || passage.State != core.HandoffCompleted {
		t.Errorf("passage %+v, %v", passage, err)
	}
	got, err = h.claims.Claim(ctx, ada, badge, h.place())
	if err != nil || got.Result != core.ClaimNotOpen || got.Badge.Stage != core.StageAccepted {
		t.Errorf("claimed once more: %+v, %v", got, err)
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
			if got, err := h.claims.Claim(t.Context(), ada, badge, h.place()); err != nil || got.Result != core.ClaimOpened {
				t.Fatal(got, err)
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
