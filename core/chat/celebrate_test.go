package chat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

const questionID = "0190f000-0000-7000-8000-000000000005"

var inChannel = core.Account{
	ID: "c1", MemberID: "mc", DisplayName: "launch", Identity: core.ChannelIdentity("slack", "T1", "C1"),
}

// consented is a badge of somebody that is public, with a decision about it.
func consented(n int, state core.ConsentState) core.Consent {
	c := core.Consent{
		Badge: goldenBadge(core.StagePublic), Question: questionID, Number: n, State: state, Owned: true, Chosen: true, Channel: inChannel,
		Person: core.Account{ID: "a1", MemberID: "m1", DisplayName: "Ada *Example* <!here> @everyone"},
	}
	c.Badge.ID = fmt.Sprintf("b%d", n)
	c.Badge.Template.Name = fmt.Sprintf("Certified Gopher %d", n)
	c.Badge.Template.Description = strings.Repeat("Knows how to\ngopher. ", 20)
	if state == core.ConsentAgreed {
		c.Batch = "batch"
	}
	return c
}

func goldenCelebrations(t *testing.T, c *Composer, w Words, reader core.Account, put func(name, text string)) {
	t.Helper()
	compose := func(name string, all ...core.Consent) {
		c.Store = &shelf{consents: all}
		card, err := c.Compose(t.Context(), core.Post{
			Account: reader, Subject: core.Subject{Kind: core.SubjectConsent, ID: questionID}, Place: core.Place{Ref: "here", Shown: true},
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		put("consent, "+name, readable(card))
	}
	asked, agreed, declined := consented(1, core.ConsentAsked), consented(2, core.ConsentAgreed), consented(3, core.ConsentDeclined)
	compose("asked", asked)
	waits, closed, never, nameless := agreed, agreed, declined, asked
	waits.Batch, waits.Badge.Stage, closed.Batch, never.NeverAsk, nameless.Channel.DisplayName = "", core.StageAccepted, "", true, ""
	missed := closed
	closed.Chosen = false
	compose("asked, channel without a name", nameless)
	compose("asked about two, one shared, one not", consented(7, core.ConsentAsked), asked, agreed, declined)
	compose("agreed", agreed)
	compose("agreed, not public", waits)
	compose("agreed, channel not used any more", closed)
	compose("agreed, too late", missed)
	compose("declined", declined)
	compose("never", never)
	compose("nothing left")

	celebrate := func(name string, all ...core.Consent) {
		c.Store = &shelf{consents: all}
		channel := inChannel
		channel.Locale = reader.Locale
		card, err := c.Compose(t.Context(), core.Post{Account: channel, Subject: core.Subject{Kind: core.SubjectCelebration, ID: "batch"}})
		if err != nil && !errors.Is(err, ErrWithdrawn) {
			t.Fatalf("%s: %v", name, err)
		}
		put("celebration, "+name, readable(card))
	}
	celebrate("one", agreed)
	other := consented(4, core.ConsentAgreed)
	other.Person.DisplayName = ""
	celebrate("two", agreed, other)
	celebrate("taken back")
	put("wishes, never asked", readable(wishesCard(w, core.WishesView{Hours: core.DefaultHours(noon.Location()), ZoneKnown: true, NeverAsk: true}, reader.Identity, noon)))
}

// Rule 7, at the last moment: only what is agreed to, public and still the
// person's is shown in the channel; with nothing left the message goes.
func TestCelebrationShowsOnlyWhatMayBeSeen(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*core.Consent){
		"declined":         func(c *core.Consent) { c.State = core.ConsentDeclined },
		"only asked":       func(c *core.Consent) { c.State = core.ConsentAsked },
		"private":          func(c *core.Consent) { c.Badge.Stage = core.StageAccepted },
		"revoked":          func(c *core.Consent) { c.Badge.Stage = core.StageRevoked },
		"of another":       func(c *core.Consent) { c.Owned = false },
		"no page":          func(c *core.Consent) { c.Badge.BadgeURL = "" },
		"page elsewhere":   func(c *core.Consent) { c.Badge.BadgeURL = "https://evil.example.com/badges/1" },
		"another channel":  func(c *core.Consent) { c.Channel.ID = "c2" },
		"nothing (agreed)": func(*core.Consent) {},
	} {
		c := consented(1, core.ConsentAgreed)
		change(&c)
		store := &shelf{consents: []core.Consent{c}}
		card, err := goldenComposer(t, store).Compose(t.Context(), core.Post{
			Account: inChannel, Subject: core.Subject{Kind: core.SubjectCelebration, ID: "batch"},
		})
		if strings.HasPrefix(name, "nothing") {
			if err != nil || len(card.Items) != 1 || len(card.Buttons) > 0 {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if text := readable(card); !errors.Is(err, ErrWithdrawn) || strings.Contains(text, "Ada") || strings.Contains(text, "Gopher") || card.Title == "" {
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
}

// A question that was never shown, and that nobody has to answer any more, is
// not shown; nor is one of somebody else.
func TestConsentIsAskedOnlyWhereItMatters(t *testing.T) {
	t.Parallel()
	compose := func(account core.Account, place core.Place, all ...core.Consent) error {
		_, err := goldenComposer(t, &shelf{consents: all}).Compose(t.Context(), core.Post{
			Account: account, Place: place, Subject: core.Subject{Kind: core.SubjectConsent, ID: questionID},
		})
		return err
	}
	lost := consented(1, core.ConsentAsked)
	lost.Badge.Stage = core.StagePending
	stranger := reads
	stranger.MemberID = "m2"
	for name, err := range map[string]error{
		"declined": compose(reads, core.Place{}, consented(1, core.ConsentDeclined)), "not held": compose(reads, core.Place{}, lost),
		"gone": compose(reads, core.Place{}), "of somebody else": compose(stranger, core.Place{Ref: "here"}, consented(1, core.ConsentAsked)),
	} {
		if !errors.Is(err, ErrNothing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := compose(reads, core.Place{}, consented(1, core.ConsentAsked)); err != nil {
		t.Errorf("asked: %v", err)
	}
}

// What a button decides is what the card listed, however many there are.
func TestConsentButtons(t *testing.T) {
	t.Parallel()
	var all []core.Consent
	for n := range 20 {
		all = append(all, consented(101+n, core.ConsentAsked))
	}
	card, err := goldenComposer(t, &shelf{consents: all}).Compose(t.Context(), core.Post{
		Account: reads, Subject: core.Subject{Kind: core.SubjectConsent, ID: questionID},
	})
	if err != nil || len(card.Items) != consentItems {
		t.Fatalf("%d items, %v", len(card.Items), err)
	}
	for _, b := range card.Buttons {
		verb, opaque, ok := ParseID(b.ID)
		d, read := parseConsent(opaque)
		if !ok || verb != VerbConsent || !read || d.Question != questionID || !slices.Equal(d.Numbers, []int{101, 102, 103, 104, 105, 106, 107, 108}) {
			t.Errorf("%q: %+v", b.ID, d)
		}
	}
	for _, bad := range []string{"", "share", "share.x", "share..1", "share.x.", "share.x.1-", "share.x.one", "dance.x.1", "share.x.1.2", ".x.1"} {
		if d, ok := parseConsent(bad); ok {
			t.Errorf("%q was read as %+v", bad, d)
		}
	}
}
