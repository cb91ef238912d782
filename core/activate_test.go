package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/delivery"
)

// steps are the rows of the cards that were sent to a person, the newest last.
func steps(all []told, to core.Identity) []string {
	var out []string
	for _, one := range all {
		if one.to != to || one.none {
			continue
		}
		var rows []string
		for _, item := range one.card.Items {
			for line := range strings.Lines(item.Text.String()) {
				if mark, _, _ := strings.Cut(line, " "); strings.Contains("✓▸○–", mark) {
					rows = append(rows, strings.TrimSpace(line))
				}
			}
		}
		out = append(out, one.card.Title+": "+strings.Join(rows, ", "))
	}
	return out
}

func (h *house) activation() *core.Activation {
	h.prov.caps |= core.TellsAcceptance | core.TellsVisibility
	return &core.Activation{Store: h.db, Clock: h, Provider: h.prov}
}

// accepted is a badge that somebody claimed and accepted.
func (h *house) accepted(who core.Identity, id, to string) string {
	h.t.Helper()
	badge := h.pending(id, to)
	if got, err := h.claims.Claim(h.t.Context(), who, badge, h.place()); err != nil || got.Result != core.ClaimOpened {
		h.t.Fatal(got, err)
	}
	h.pass(time.Second)
	h.say(h.prov.badges["at-"+id], core.StageAccepted)
	return badge
}

func TestActivation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org", "ada@example.com")
	act := h.activation()
	badge := h.accepted(ada, "1", "ada@example.org")
	wants := func(want ...string) {
		t.Helper()
		if got := steps(h.sent(), ada); !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	const yours, public = "It’s yours: Badge 1: ", "Public for all to see: Badge 1: "
	const addresses = ", ✓ ada@example.org is in your profile, ○ Add ada@example.com to your profile"
	wants(yours + "✓ Accepted, ▸ Make it public, ○ Make your profile public, ○ Accept further badges automatically" + addresses)
	say := func(k core.TaskKind, scope string, what core.Saying) {
		t.Helper()
		h.pass(time.Second)
		h.must(act.Say(t.Context(), ada, core.Word{Kind: k, Scope: scope, What: what}, badge, core.Place{}))
	}
	// Out of order, and said twice.
	say(core.TaskAuto, "", core.SaidDone)
	wants(yours + "✓ Accepted, ▸ Make it public, ○ Make your profile public, ✓ Further badges are accepted automatically · you said so" + addresses)
	say(core.TaskAuto, "", core.SaidDone)
	wants()
	h.pass(time.Second)
	h.say(h.prov.badges["at-1"], core.StagePublic)
	wants(public + "✓ Accepted, ✓ Public, ▸ Make your profile public, ✓ Further badges are accepted automatically · you said so" + addresses)
	say(core.TaskProfile, "", core.SaidDone)
	say(core.TaskAuto, "", "")
	wants(public + "✓ Accepted, ✓ Public, ✓ Your profile is public · you said so, ▸ Accept further badges automatically" + addresses)
	say(core.TaskAuto, "", core.SaidSkipped)
	h.sent()

	// The provider shows that it knows the other address.
	h.pass(time.Second)
	f, err := h.db.TaskFacts(t.Context(), h.member(ada))
	if err != nil || len(f.Addresses) != 2 || !f.Addresses[0].Known || f.Addresses[1].Known || len(f.Said) != 2 {
		t.Errorf("facts %+v, %v", f, err)
	}
	h.prov.all = true
	h.must(h.rec.ReadPerson(t.Context(), core.Email{Shown: "ada@example.com", Normal: "ada@example.com"}))
	wants("All set: Badge 1: ")
	h.must(h.rec.ReadPerson(t.Context(), core.Email{Shown: "ada@example.com", Normal: "ada@example.com"}))
	wants()

	// A further badge brings nothing but itself.
	h.accepted(ada, "2", "ada@example.com")
	if got := steps(h.sent(), ada); len(got) != 2 || !strings.HasPrefix(got[0], "All set: Badge 1") && !strings.HasPrefix(got[1], "All set: Badge 1") {
		t.Errorf("told %q", got)
	}
	// An address that is taken off is no task any more.
	h.must(act.Show(t.Context(), ada, "", h.place()))
	if got := steps(h.sent(), ada); len(got) != 1 || !strings.Contains(got[0], "ada@example.com is in your profile") {
		t.Errorf("told %q", got)
	}
}

// Whoever has one address has no step about it, so that the provider knows it is
// told to no message: Slack takes few edits of a private one.
func TestOneAddressIsNoStep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	h.accepted(ada, "1", "ada@example.org")
	h.sent()
	h.pass(time.Second)
	h.must(h.rec.ReadPerson(t.Context(), core.Email{Shown: "ada@example.org", Normal: "ada@example.org"}))
	if got := steps(h.sent(), ada); len(got) != 0 {
		t.Errorf("told %q", got)
	}
	f, err := h.db.TaskFacts(t.Context(), h.member(ada))
	if err != nil || len(f.Addresses) != 1 || !f.Addresses[0].Known {
		t.Errorf("facts %+v, %v", f, err)
	}
}

// Nothing is said of what is not one's own, and nothing is kept of it.
func TestActivationIsOnesOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org", "ada@example.com")
	h.link(bob, "bob@example.org")
	act := h.activation()
	badge := h.accepted(ada, "1", "ada@example.org")
	pending := h.pending("2", "ada@example.org")
	h.sent()
	var address string
	h.must(h.db.InTx(t.Context(), func(ctx context.Context, tx core.Tx) error {
		a, err := tx.AddressOwner(ctx, "ada@example.com")
		address = a.ID
		return err
	}))
	for name, tt := range map[string]struct {
		who   core.Identity
		w     core.Word
		about string
	}{
		"another's badge":    {bob, core.Word{Kind: core.TaskProfile, What: core.SaidDone}, badge},
		"no badge at all":    {bob, core.Word{Kind: core.TaskProfile, What: core.SaidDone}, ""},
		"another's address":  {bob, core.Word{Kind: core.TaskAddress, Scope: address, What: core.SaidDone}, ""},
		"somebody unknown":   {core.Identity{Platform: "slack", Tenant: "T9", User: "U9"}, core.Word{Kind: core.TaskProfile, What: core.SaidDone}, ""},
		"no such address":    {ada, core.Word{Kind: core.TaskAddress, Scope: "x", What: core.SaidDone}, badge},
		"no address":         {ada, core.Word{Kind: core.TaskAddress, What: core.SaidDone}, badge},
		"no such task":       {ada, core.Word{Kind: "dance", What: core.SaidDone}, badge},
		"what is seen":       {ada, core.Word{Kind: core.TaskAccept, Scope: badge, What: ""}, ""},
		"a badge that waits": {ada, core.Word{Kind: core.TaskPublic, Scope: pending, What: core.SaidSkipped}, pending},
	} {
		if err := act.Say(t.Context(), tt.who, tt.w, tt.about, h.place()); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := act.Show(t.Context(), bob, badge, h.place()); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("shows another's badge: %v", err)
	}
	f, err := h.db.TaskFacts(t.Context(), h.member(ada))
	if err != nil || len(f.Said) != 0 {
		t.Errorf("facts %+v, %v", f, err)
	}
	if p, err := h.db.Person(t.Context(), core.Identity{Platform: "slack", Tenant: "T9", User: "U9"}); err != nil || p.Account != nil {
		t.Errorf("somebody unknown is known now: %+v, %v", p, err)
	}
	if got := h.sent(); len(got) != 0 {
		t.Errorf("told %+v", got)
	}
}

// Each time a badge becomes public its owner hears of it, also where the
// message that said so last cannot be edited any more.
func TestPublicAgainIsNews(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	h.accepted(ada, "1", "ada@example.org")
	h.sent()
	for i, stage := range []core.Stage{core.StagePublic, core.StageAccepted, core.StagePublic, core.StageAccepted, core.StagePublic} {
		h.pass(time.Hour)
		h.say(h.prov.badges["at-1"], stage)
		got := slices.DeleteFunc(h.sent(), func(one told) bool { return one.kind != delivery.KindPost })
		if len(got) != 1 || got[0].fallback != (stage == core.StagePublic) {
			t.Errorf("%d, %s: told %+v", i, stage, got)
		}
		want := map[core.Stage]string{core.StagePublic: "Public for all to see: Badge 1", core.StageAccepted: "It’s yours: Badge 1"}[stage]
		if len(got) == 1 && got[0].card.Title != want {
			t.Errorf("%d: %q, want %q", i, got[0].card.Title, want)
		}
	}
}

// Nobody is reminded of a badge that they want to keep private.
func TestKeptPrivate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	act := h.activation()
	badge := h.accepted(ada, "1", "ada@example.org")
	h.sent()
	reminders := func() int {
		t.Helper()
		n := 0
		for range 72 {
			h.pass(time.Hour)
			c, err := (&core.Reminders{Store: h.db, Clock: h}).Plan(t.Context())
			h.must(err)
			n += c.Reminders
		}
		h.sent()
		return n
	}
	keep := core.Word{Kind: core.TaskPublic, Scope: badge, What: core.SaidSkipped}
	h.must(act.Say(t.Context(), ada, keep, badge, core.Place{}))
	if n := reminders(); n != 0 {
		t.Errorf("%d reminders", n)
	}
	keep.What = ""
	h.must(act.Say(t.Context(), ada, keep, badge, core.Place{}))
	if n := reminders(); n != 1 {
		t.Errorf("%d reminders after that was taken back", n)
	}
}

// What became public elsewhere is told where the steps for all badges stand,
// and nowhere else.
func TestPublicElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.link(ada, "ada@example.org")
	act := h.activation()
	h.pending("1", "ada@example.org")
	h.say(h.prov.badges["at-1"], core.StageAccepted)
	if got := h.sent(); slices.ContainsFunc(got, func(one told) bool { return one.kind == delivery.KindPost }) {
		t.Errorf("told %+v", got)
	}
	for range 2 {
		h.must(act.Show(t.Context(), ada, "", h.place()))
	}
	h.sent()
	h.pass(time.Hour)
	h.say(h.prov.badges["at-1"], core.StagePublic)
	var fallbacks int
	got := h.sent()
	for _, one := range got {
		if one.fallback {
			fallbacks++
		}
	}
	if fallbacks != 1 || len(steps(got, ada)) != 2 {
		t.Errorf("%d new messages at most of %q", fallbacks, steps(got, ada))
	}
}
