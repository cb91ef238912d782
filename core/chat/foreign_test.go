package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// stranger is somebody with something of every kind that has an id.
type stranger struct {
	who                          core.Identity
	address                      string
	badge, verification, mailbox string
	code                         string
}

// Whoever presents an id of somebody else, of another workspace or of the
// same one, gets what an id of nothing gets, and changes nothing.
func TestForeignIDsAreRefusedAlike(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	var all []stranger
	for i, who := range []core.Identity{
		{Platform: "slack", Tenant: "T1", User: "U1"},
		{Platform: "slack", Tenant: "T1", User: "U2"},
		// The same user id in another workspace is another person.
		{Platform: "slack", Tenant: "T2", User: "U1"},
		{Platform: "discord", User: "1001"},
	} {
		s := stranger{who: who, address: fmt.Sprintf("person%d@example.org", i)}
		r.link(who, "en", s.address)
		p, err := r.db.Person(t.Context(), who)
		r.must(err)
		s.mailbox = p.Addresses[0].ID
		s.badge = r.badge(fmt.Sprintf("Badge %d", i), s.address, core.StagePending)
		card, code := r.ask(who, fmt.Sprintf("other%d@example.org", i))
		s.code = code
		s.verification = strings.TrimPrefix(button(t, card, chat.VerbCode), string(chat.VerbCode)+":")
		r.press(who, chat.ID(chat.VerbClaim, s.badge))
		r.sent()
		all = append(all, s)
	}
	before := r.picture(all)
	rapid.Check(t, func(rt *rapid.T) {
		owner := rapid.SampledFrom(all).Draw(rt, "owner")
		thief := rapid.SampledFrom(all).Filter(func(s stranger) bool { return s.who != owner.who }).Draw(rt, "thief")
		a := chat.Action{
			Actor:  thief.who,
			Verb:   rapid.SampledFrom([]chat.Verb{chat.VerbClaim, chat.VerbCode, chat.VerbResend, chat.VerbUnlink}).Draw(rt, "verb"),
			Source: rapid.SampledFrom([]chat.Source{chat.SourcePress, chat.SourceSubmit}).Draw(rt, "source"),
			Arg:    rapid.SampledFrom([]string{owner.badge, owner.verification, owner.mailbox}).Draw(rt, "id"),
			Fields: map[string]string{"code": owner.code, "address": owner.address},
		}
		foreign := shown(r.do(a), a.Arg)
		a.Arg = core.NewID()
		if nothing := shown(r.do(a), a.Arg); foreign != nothing {
			rt.Errorf("an id of somebody else is answered with\n%s\nand one of nothing with\n%s", foreign, nothing)
		}
	})
	if sent := r.sent(); len(sent) != 0 {
		t.Errorf("%d messages were sent", len(sent))
	}
	if after := r.picture(all); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
	if log := r.log.String(); strings.Contains(log, "example.org") {
		t.Errorf("the log names somebody: %s", log)
	}
	// The rightful ones get on.
	for _, s := range all {
		r.submit(s.who, chat.ID(chat.VerbCode, s.verification), "code", s.code)
		if card := r.card(); card.Title != "Linked" {
			t.Errorf("the rightful one sees %q", card.Title)
		}
	}
}

// shown is an answer without the id that was presented.
func shown(a chat.Answer, id string) string {
	text := fmt.Sprintf("%d %v %v %v %v", a.Where, a.Posted, a.FieldErrors, a.Choices, a.Form != nil)
	if a.Card != nil {
		c := *a.Card
		c.Items = slices.Clone(c.Items)
		for i, item := range c.Items {
			if item.Button != nil {
				text += fmt.Sprintf(" %+v", *item.Button)
			}
			c.Items[i].Button = nil
		}
		text += fmt.Sprintf(" %+v", c)
	}
	return strings.ReplaceAll(text, id, "ID")
}

// picture is what people have: addresses, and where badges and codes stand.
func (r *room) picture(all []stranger) string {
	r.t.Helper()
	var b strings.Builder
	for _, s := range all {
		p, err := r.db.Person(r.t.Context(), s.who)
		r.must(err)
		badges, err := r.db.BadgesOf(r.t.Context(), p.MemberID())
		r.must(err)
		v, err := r.db.Verification(r.t.Context(), s.verification)
		r.must(err)
		fmt.Fprintf(&b, "%+v %s %d", p.Addresses, v.State, v.Tries)
		for _, badge := range badges {
			fmt.Fprintf(&b, " %+v %+v", badge.Badge, *badge.Handoff)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
