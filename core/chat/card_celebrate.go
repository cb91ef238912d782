package chat

import (
	"context"
	"slices"
	"strings"

	"github.com/laurelbot/laurel/core"
)

const (
	// consentItems is how many badges a question lists at once; the others
	// come when it is answered.
	consentItems = 8
	// maxCelebrated and maxDescription are how much of a badge's name and of
	// what it certifies a celebration tells, in characters: as many badges as
	// share one message fit into Discord's 4,000.
	maxCelebrated  = 100
	maxDescription = 120
)

// consent asks whether the team may know of badges, or says what was decided.
func (c *Composer) consent(ctx context.Context, w Words, p core.Post) (Card, error) {
	all, err := c.Store.Consents(ctx, p.Subject.ID)
	if err != nil {
		return Card{}, err
	}
	if len(all) > 0 && all[0].Person.MemberID != p.Account.MemberID {
		return Card{}, core.ErrNotFound
	}
	never := len(all) > 0 && all[0].NeverAsk
	all = slices.DeleteFunc(all, func(one core.Consent) bool { return !one.Owned || !one.Badge.Stage.Held() })
	asked := slices.ContainsFunc(all, func(one core.Consent) bool { return one.State == core.ConsentAsked })
	if !asked && p.Place.Ref == "" && !p.Tried {
		// It was never shown, and there is nothing to ask any more.
		return Card{}, core.ErrNotFound
	}
	if len(all) == 0 {
		return Card{
			Title: w.Plain("consent.over.title", nil), Summary: w.Plain("consent.over.title", nil), Text: w.Text("consent.over.text", nil),
			Buttons: []Button{{ID: pageID(p.Account.Identity, "new"), Label: w.Plain("button.my_badges", nil)}},
		}, nil
	}
	return c.consentCard(w, p.Subject.ID, all, never), nil
}

// consentCard shows what is unanswered first, then what was agreed to.
func (c *Composer) consentCard(w Words, question string, all []core.Consent, never bool) Card {
	rank := map[core.ConsentState]int{core.ConsentAsked: 0, core.ConsentAgreed: 1, core.ConsentDeclined: 2}
	slices.SortStableFunc(all, func(a, b core.Consent) int { return rank[a.State] - rank[b.State] })
	count := map[core.ConsentState]int{}
	for _, one := range all {
		count[one.State]++
	}
	all = all[:min(len(all), consentItems)]
	args := Args{"Count": max(1, count[all[0].State]), "Channel": celebratedIn(w, all[0].Channel)}
	var card Card
	for _, one := range all {
		card.Items = append(card.Items, c.consentItem(w, one))
	}
	var numbers []int
	for _, one := range all {
		if one.State == all[0].State {
			numbers = append(numbers, one.Number)
		}
	}
	button := func(choice core.Choice, label string, style ButtonStyle) Button {
		return Button{ID: consentID(choice, question, numbers), Label: w.Plain(label, args), Style: style}
	}
	back := button(core.ChooseBack, "button.take_back", StylePlain)
	id := "consent.ask"
	switch all[0].State {
	case core.ConsentAsked:
		card.Tone = ToneAction
		card.Footer = w.Text("consent.ask.footer", nil)
		card.Buttons = []Button{
			button(core.ChooseShare, "button.share_with", StylePrimary), button(core.ChooseLater, "button.not_now", StylePlain),
			button(core.ChooseNever, "button.never_ask", StylePlain),
		}
		if count[core.ConsentAgreed] > 0 {
			card.Buttons = append(card.Buttons, back)
		}
	case core.ConsentAgreed:
		id, card.Tone = "consent.agreed", ToneGood
		card.Buttons = []Button{back}
	default:
		id = "consent.declined"
		card.Buttons = []Button{button(core.ChooseShare, "button.share_after_all", StylePlain)}
		if never {
			card.Footer = w.Text("consent.never", nil)
		}
	}
	card.Title, card.Summary, card.Text = w.Plain(id+".title", args), w.Plain(id+".title", args), w.Text(id+".text", args)
	return card
}

// consentItem names a badge and says what follows from what was decided.
func (c *Composer) consentItem(w Words, one core.Consent) Item {
	args := Args{"Channel": celebratedIn(w, one.Channel)}
	item := Item{Text: Text{{Text: badgeName(w, one.Badge), Bold: true}}}
	switch {
	case one.State == core.ConsentAsked:
	case one.State == core.ConsentDeclined:
		item.Text = Join(item.Text, w.Text("consent.item.declined", args))
	case one.Batch != "":
		item.Text = Join(item.Text, w.Text("consent.item.shown", args))
	case core.HasPage(c.Provider, one.Badge) && !one.Chosen:
		item.Text = Join(item.Text, w.Text("consent.item.closed", args))
	case core.HasPage(c.Provider, one.Badge):
		item.Text = Join(item.Text, w.Text("consent.item.missed", args))
	default:
		item.Text = Join(item.Text, w.Text("consent.item.waits", args))
		if page := c.publishURL(one.Badge); page != "" {
			item.Button = &Button{URL: page, Label: w.Plain("button.make_public", nil), Style: StylePrimary}
		}
	}
	return item
}

// celebratedIn names a channel within a sentence.
func celebratedIn(w Words, channel core.Account) string {
	if name := strings.TrimPrefix(channel.DisplayName, "#"); name != "" {
		return "#" + name
	}
	return w.Plain("consent.team", nil)
}

// celebration shows the badges that the team may know of, as it is now: with
// consent, public, and of an address that the person still has.
func (c *Composer) celebration(ctx context.Context, w Words, p core.Post) (Card, error) {
	all, err := c.Store.Celebrated(ctx, p.Subject.ID)
	if err != nil {
		return Card{}, err
	}
	var card Card
	var names []string
	for _, one := range all {
		if !one.Shows(c.Provider) || one.Channel.ID != p.Account.ID {
			continue
		}
		name := one.Person.DisplayName
		if name == "" {
			name = w.Plain("celebration.unnamed", nil)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		card.Items = append(card.Items, celebrationItem(w, one.Badge, name))
	}
	args := Args{"Count": len(card.Items), "Names": strings.Join(names, ", ")}
	id := "celebration"
	if len(card.Items) == 0 {
		id, err = "celebration.gone", ErrWithdrawn
	} else {
		card.Tone = ToneGood
		card.Footer = w.Text("celebration.footer", nil)
	}
	card.Title, card.Summary = w.Plain(id+".title", args), w.Plain(id+".summary", args)
	return card, err
}

func celebrationItem(w Words, b core.Badge, name string) Item {
	about := Text(nil)
	if b.Template.Description != "" {
		about = Plain(clip(strings.Join(strings.Fields(b.Template.Description), " "), maxDescription))
	}
	return Item{
		Image: badgeImage(w, b),
		Text: Join(
			w.Text("celebration.item", Args{"Name": name, "Badge": clip(badgeName(w, b), maxCelebrated)}), about,
			Text{{Text: w.Plain("celebration.link", nil), URL: b.BadgeURL}},
		),
	}
}
