package chat

import (
	"context"
	"fmt"
	"slices"

	"github.com/laurelbot/laurel/core"
)

// showing offers every way to show a public badge, and says first what keeps
// others from seeing it.
func (c *Composer) showing(ctx context.Context, w Words, b core.Badge, a core.Account) (Card, error) {
	card, err := c.shareCard(w, b, a)
	if err != nil {
		return Card{}, err
	}
	f, err := c.Store.TaskFacts(ctx, a.MemberID)
	if err != nil {
		return Card{}, err
	}
	// There are buttons enough.
	card.Text = c.asking(ctx, w, card, b).Text
	tasks := c.tasks(f, b.ID)
	if i := slices.IndexFunc(tasks, func(t core.Task) bool { return t.Ref.Kind == core.TaskProfile && t.State.Open() }); i >= 0 {
		first := c.taskItem(w, tasks[i])
		first.Heading, first.Button.Style = "", StylePlain
		card.Items = slices.Insert(card.Items, 0, first)
	}
	return card, nil
}

// shareCard offers every way to show a public badge.
func (c *Composer) shareCard(w Words, b core.Badge, a core.Account) (Card, error) {
	args := c.badgeArgs(w, b)
	card := Card{
		Tone: ToneGood, Image: badgeImage(w, b),
		Title: w.Plain("share.title", args), Summary: w.Plain("share.summary", args),
		Text: w.Text("share.text", args), Footer: w.Text("share.footer", args),
		Items: []Item{{Text: Join(w.Text("share.link", nil), Text{{Text: b.BadgeURL, Code: true}})}},
	}
	if s, ok := c.Provider.(core.Showcase); ok {
		if code := s.Embed(b); code != "" {
			card.Items = append(card.Items, Item{Text: Join(w.Text("share.embed", nil), Text{{Text: code, Code: true}})})
		}
	}
	for _, o := range core.AllOutlets() {
		token, err := c.Keys.ShareToken(o, b.ID)
		if err != nil {
			return Card{}, fmt.Errorf("link to outlet: %w", err)
		}
		button := Button{URL: c.PublicURL + "/r/" + token, Label: w.Plain("button.share."+string(o), nil)}
		if o == core.OutletProfile {
			button.Style = StylePrimary
		}
		card.Buttons = append(card.Buttons, button)
	}
	token, err := c.Keys.SignatureToken(a.MemberID, c.Clock.Now())
	if err != nil {
		return Card{}, fmt.Errorf("link to signatures: %w", err)
	}
	card.Buttons = append(card.Buttons,
		Button{URL: c.PublicURL + "/s/" + token, Label: w.Plain("button.signature", nil)},
		Button{ID: ID(VerbShared, b.ID), Label: w.Plain("button.shared", nil)},
	)
	return card, nil
}

// publishCard says what comes before sharing: a badge that nobody else can
// see cannot be shown.
func (c *Composer) publishCard(ctx context.Context, w Words, v core.BadgeView, a core.Account) (Card, error) {
	f, err := c.Store.TaskFacts(ctx, a.MemberID)
	if err != nil {
		return Card{}, err
	}
	b := v.Badge
	// Who wants to share it does not keep it private any more.
	kept := core.TaskRef{Kind: core.TaskPublic, Scope: b.ID}
	f.Said = slices.DeleteFunc(slices.Clone(f.Said), func(s core.Said) bool { return s.Ref == kept })
	args := c.badgeArgs(w, b)
	card := Card{
		Tone: ToneAction, Image: badgeImage(w, b),
		Title: w.Plain("share.private.title", args), Summary: w.Plain("share.private.summary", args),
		Text: w.Text("share.private.text", args), Items: c.stepRows(w, c.tasks(f, b.ID), b.ID).items,
	}
	if c.lookedAt(b) {
		card.Footer = w.Text("share.private.looked", args)
	}
	if page := c.publishURL(b); page != "" {
		card.Buttons = append(card.Buttons, Button{URL: page, Label: w.Plain("button.make_public", nil), Style: StylePrimary})
	}
	card.Buttons = append(card.Buttons,
		shareButton(w, b, "button.share_again"),
		Button{ID: pageID(a.Identity, "new"), Label: w.Plain("button.my_badges", nil)},
	)
	return card, nil
}

// shareButton leads to the ways to show a badge.
func shareButton(w Words, b core.Badge, label string) Button {
	return Button{ID: ID(VerbShare, b.ID), Label: w.Plain(label, nil)}
}

// maxShared is how many badges are offered to choose from; whoever has more
// names one.
const maxShared = 8

// chooseCard asks which badge is to be shown.
func (c *Composer) chooseCard(w Words, held []core.BadgeView, a core.Account) Card {
	card := Card{
		Title: w.Plain("share.choose.title", nil), Summary: w.Plain("share.choose.summary", nil),
		Text:    w.Text("share.choose.text", nil),
		Buttons: []Button{{ID: pageID(a.Identity, "new"), Label: w.Plain("button.my_badges", nil)}},
	}
	for _, v := range held[:min(len(held), maxShared)] {
		state := w.Text("share.choose."+string(v.Badge.Stage), nil)
		button := shareButton(w, v.Badge, "button.share")
		card.Items = append(card.Items, Item{Text: Join(Text{{Text: badgeName(w, v.Badge), Bold: true}}, state), Button: &button})
	}
	if more := len(held) - maxShared; more > 0 {
		card.Footer = w.Text("share.choose.more", Args{"Count": more})
	}
	return card
}
