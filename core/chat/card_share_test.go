package chat

import (
	"context"
	"testing"

	"github.com/laurelbot/laurel/core"
)

func goldenSharing(t *testing.T, c *Composer, w Words, reader core.Account, put func(name, text string)) {
	t.Helper()
	reader.MemberID = addressID
	c.Provider = showcase{}
	defer func() { c.Provider = provider{} }()
	card, err := c.shareCard(w, goldenBadge(core.StagePublic), reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(card.Buttons) > 10 {
		t.Errorf("%d buttons", len(card.Buttons))
	}
	put("share", readable(card))
	c.Store = &shelf{tasks: stepFacts(core.StagePublic, 1)}
	if card, err = c.showing(t.Context(), w, c.Store.(*shelf).tasks.Badges[0], reader); err != nil {
		t.Fatal(err)
	}
	put("share, the profile is left", readable(card))
	c.Store = &shelf{tasks: stepFacts(core.StageAccepted, 1)}
	if card, err = c.publishCard(t.Context(), w, core.BadgeView{Badge: c.Store.(*shelf).tasks.Badges[0]}, reader); err != nil {
		t.Fatal(err)
	}
	put("share, private", readable(card))
	looked := c.Store.(*shelf).tasks.Badges[0]
	put("steps, the provider is silent", readable(c.stillPrivateCard(w, looked, "")))
	looked.ReadAt = noon
	put("steps, still private", readable(c.stillPrivateCard(w, looked, looked.ID)))
	if card, err = c.publishCard(t.Context(), w, core.BadgeView{Badge: looked}, reader); err != nil {
		t.Fatal(err)
	}
	put("share, still private", readable(card))
	var held []core.BadgeView
	for range 5 {
		held = append(held, collection()[5:7]...)
	}
	put("share, choose", readable(c.chooseCard(w, held, reader)))
	for _, stage := range []core.Stage{core.StageRejected, core.StageRevoked} {
		if card, err = c.badgeCard(t.Context(), w, core.BadgeView{Badge: goldenBadge(stage)}, reader); err != nil {
			t.Fatal(err)
		}
		put("stage, "+string(stage)+", with somebody to ask", readable(card))
	}
	expired := stepFacts(core.StagePublic, 1, says(core.SaidDone, core.TaskProfile, ""))
	expired.Badges[0].ExpiresAt = noon.AddDate(0, 0, -1)
	c.Store = &shelf{tasks: expired}
	if card, err = c.badgeCard(t.Context(), w, core.BadgeView{Badge: expired.Badges[0]}, reader); err != nil {
		t.Fatal(err)
	}
	put("stage, public, expired", readable(card))
	if card, err = c.showing(t.Context(), w, expired.Badges[0], reader); err != nil {
		t.Fatal(err)
	}
	put("share, expired", readable(card))
}

// showcase is a provider whose badges can be embedded.
type showcase struct{ provider }

func (showcase) Embed(core.Badge) string { return `<div data-share-badge-id="1"></div>` }

func (showcase) Issuer(context.Context) core.Issuer {
	return core.Issuer{SupportURL: "https://www.example.org/support", SupportMail: "support@example.org"}
}
