package chat

import (
	"context"
	"fmt"
	"slices"

	"github.com/laurelbot/laurel/core"
)

// handoffCard shows a badge on its way to the provider.
func (c *Composer) handoffCard(w Words, v core.HandoffView) (Card, error) {
	args := c.badgeArgs(w, v.Badge)
	again := Button{ID: ID(VerbClaim, v.Badge.ID), Label: w.Plain("button.claim_again", nil), Style: StylePrimary}
	card := Card{Image: badgeImage(w, v.Badge)}
	state := v.Handoff.StateAt(c.Clock.Now())
	switch state {
	case core.HandoffPreparing:
		card.Tone = ToneNeutral
	case core.HandoffOpen:
		token, err := c.Keys.Token(core.PurposeHandoff, v.Handoff.ID)
		if err != nil {
			return Card{}, fmt.Errorf("link to handoff: %w", err)
		}
		card.Tone = ToneAction
		args["Until"] = Live(v.Handoff.ExpiresAt)
		card.Buttons = []Button{{
			URL: c.PublicURL + "/h/" + token, Style: StylePrimary,
			Label: w.Plain("button.continue", args),
		}}
	case core.HandoffFollowed:
		card.Tone = ToneAction
		card.Buttons = []Button{
			{ID: again.ID, Label: w.Plain("button.new_link", nil)},
			{ID: ID(VerbHelp, "followed"), Label: w.Plain("button.help", nil)},
		}
	case core.HandoffExpired:
		card.Tone = ToneWarn
		card.Buttons = []Button{again}
	default:
		state = core.HandoffFailed
		card.Tone = ToneWarn
		card.Buttons = []Button{again}
	}
	prefix := "handoff." + string(state)
	card.Title = w.Plain(prefix+".title", args)
	card.Summary = w.Plain(prefix+".summary", args)
	card.Text = w.Text(prefix+".text", args)
	return card, nil
}

// goneCard stands where a handoff was that is no longer the person's. It names
// neither the badge nor an address.
func goneCard(w Words, a core.Account) Card {
	return Card{
		Tone: ToneWarn, Title: w.Plain("handoff.gone.title", nil), Summary: w.Plain("handoff.gone.summary", nil),
		Text:    w.Text("handoff.gone.text", nil),
		Buttons: []Button{{ID: pageID(a.Identity, "new"), Label: w.Plain("button.my_badges", nil)}},
	}
}

// stageCard shows how a badge stands once it is no longer claimable; see
// [Composer.heldCard] for what follows.
func (c *Composer) stageCard(w Words, v core.BadgeView, a core.Account) Card {
	b := v.Badge
	args := c.badgeArgs(w, b)
	prefix := "stage." + string(b.Stage)
	card := Card{
		Tone: ToneWarn, Image: badgeImage(w, b),
		Title: w.Plain(prefix+".title", args), Summary: w.Plain(prefix+".summary", args),
		Text:    w.Text(prefix+".text", args),
		Buttons: []Button{{ID: pageID(a.Identity, "new"), Label: w.Plain("button.my_badges", nil)}},
	}
	if b.Stage.Held() {
		card.Tone = ToneGood
		if b.BadgeURL != "" && c.Provider.TrustedURL(b.BadgeURL) {
			open := Button{URL: b.BadgeURL, Label: w.Plain("button.open_badge", args), Style: StylePrimary}
			card.Buttons = append([]Button{open}, card.Buttons...)
			if b.Stage == core.StagePublic {
				card.Buttons = append([]Button{{ID: ID(VerbShare, b.ID), Label: w.Plain("button.share", nil), Style: StylePrimary}}, card.Buttons...)
				card.Buttons[1].Style = StylePlain
			}
		}
	}
	return card
}

// asking adds where the issuer is asked about a badge that only it can give
// back or renew.
func (c *Composer) asking(ctx context.Context, w Words, card Card, b core.Badge) Card {
	switch {
	case b.Stage == core.StageRejected, b.Stage == core.StageRevoked, b.Stage == core.StageWithdrawn:
	case b.Stage.Held() && !b.ExpiresAt.IsZero() && !c.Clock.Now().Before(b.ExpiresAt):
		card.Text = Join(card.Text, w.Text("stage.renew", Args{"Date": Day(b.ExpiresAt)}))
	default:
		return card
	}
	show, ok := c.Provider.(core.Showcase)
	if !ok {
		return card
	}
	issuer := show.Issuer(ctx)
	if issuer.SupportMail != "" {
		card.Text = Join(card.Text, w.Text("stage.ask", Args{"Address": Code(issuer.SupportMail)}))
	}
	if issuer.SupportURL != "" {
		ask := Button{URL: issuer.SupportURL, Label: w.Plain("button.ask", nil)}
		if len(card.Buttons) == 1 {
			ask.Style = StylePrimary
		}
		card.Buttons = slices.Insert(slices.Clone(card.Buttons), max(len(card.Buttons)-1, 0), ask)
	}
	return card
}

func (c *Composer) badgeArgs(w Words, b core.Badge) Args {
	return Args{
		"Badge": badgeName(w, b), "Address": Code(b.Recipient.Shown), "Provider": c.Provider.Name(),
		"Lifetime": c.lifetime(w),
	}
}

func badgeName(w Words, b core.Badge) string {
	if b.Template.Name != "" {
		return b.Template.Name
	}
	return w.Plain("badge.unnamed", nil)
}

func badgeImage(w Words, b core.Badge) Image {
	if b.Template.ImageURL == "" {
		return Image{}
	}
	return Image{URL: b.Template.ImageURL, Alt: w.Plain("badge.image", Args{"Badge": badgeName(w, b)})}
}
