package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// pageSize keeps a list within Discord's 40 components for one message
// (https://discord.com/developers/docs/components/reference) and short
// enough to read on a phone.
const pageSize = 5

// pageID makes the id of a button that shows a page of the list of this
// person and of nobody else: a press by another person is noticed.
func pageID(owner core.Identity, page string) string {
	return ID(VerbPage, page+"."+ownerMark(owner))
}

// ownerMark tells two people apart without naming them.
func ownerMark(owner core.Identity) string {
	sum := sha256.Sum256([]byte(owner.Lane()))
	return hex.EncodeToString(sum[:6])
}

// parsePage reads what [pageID] made.
func parsePage(opaque string) (page, owner string) {
	page, owner, _ = strings.Cut(opaque, ".")
	return page, owner
}

func greetingCard(w Words, provider string) Card {
	args := Args{"Provider": provider}
	return Card{
		Tone: ToneAction, Title: w.Plain("greeting.title", nil), Summary: w.Plain("greeting.summary", nil),
		Text: w.Text("greeting.text", args),
		Buttons: []Button{
			{ID: ID(VerbLink, "start"), Label: w.Plain("button.link", nil), Style: StylePrimary},
			{ID: ID(VerbHelp, "start"), Label: w.Plain("button.help", nil)},
		},
	}
}

func (c *Composer) helpCard(w Words, unknown string) Card {
	provider := c.Provider.Name()
	card := Card{
		Title: w.Plain("help.title", nil), Summary: w.Plain("help.summary", nil),
		Text: w.Text("help.text", Args{"Provider": provider, "Lifetime": c.lifetime(w)}),
	}
	if unknown != "" {
		card.Text = Join(w.Text("help.unknown", Args{"Word": clip(unknown, 40)}), Plain(""), card.Text)
	}
	card.Footer = w.Text("help.footer", Args{"Provider": provider})
	return card
}

// listCard shows a page of a person's badges, counted from 1.
func listCard(w Words, p core.Person, badges []core.BadgeView, page int, now time.Time) Card {
	owner := p.Account.Identity
	addresses := make([]string, 0, len(p.Addresses))
	for _, a := range p.Addresses {
		addresses = append(addresses, a.Email.Shown)
	}
	add := Button{ID: ID(VerbLink, "start"), Label: w.Plain("button.add_address", nil)}
	if len(badges) == 0 {
		return Card{
			Title: w.Plain("list.title", nil), Summary: w.Plain("list.empty.summary", nil),
			Text:    w.Text("list.empty.text", Args{"Addresses": clip(strings.Join(addresses, ", "), 500)}),
			Buttons: []Button{add, {ID: pageID(owner, "1"), Label: w.Plain("button.refresh", nil)}},
		}
	}
	pages := (len(badges) + pageSize - 1) / pageSize
	page = min(max(page, 1), pages)
	open := countOpen(badges)
	card := Card{
		Title:   w.Plain("list.title", nil),
		Summary: w.Plain("list.summary", Args{"Count": open}),
		Text:    w.Text("list.summary", Args{"Count": open}),
		Footer:  w.Text("list.footer", Args{"Addresses": clip(strings.Join(addresses, ", "), 500)}),
	}
	if open > 0 {
		card.Tone = ToneAction
	}
	for _, b := range badges[(page-1)*pageSize : min(page*pageSize, len(badges))] {
		card.Items = append(card.Items, badgeItem(w, b, now))
	}
	if page > 1 {
		card.Buttons = append(card.Buttons, Button{ID: pageID(owner, strconv.Itoa(page-1)), Label: w.Plain("button.previous", nil)})
	}
	if page < pages {
		card.Buttons = append(card.Buttons, Button{ID: pageID(owner, strconv.Itoa(page+1)), Label: w.Plain("button.next", nil)})
	}
	if pages > 1 {
		card.Footer = Join(w.Text("list.page", Args{"Page": page, "Pages": pages}), card.Footer)
	}
	card.Buttons = append(card.Buttons, add, Button{ID: pageID(owner, strconv.Itoa(page)), Label: w.Plain("button.refresh", nil)}, certificatesButton(w, owner))
	return card
}

// countOpen counts the badges that wait to be claimed.
func countOpen(badges []core.BadgeView) int {
	open := 0
	for _, b := range badges {
		if b.Badge.Stage.Claimable() {
			open++
		}
	}
	return open
}

func badgeItem(w Words, v core.BadgeView, now time.Time) Item {
	b := v.Badge
	item := Item{
		Text: Join(Text{{Text: badgeName(w, b), Bold: true}}, progress(w, v, now), validity(w, b, now)),
	}
	if b.Stage.Claimable() {
		label, style := "button.claim", StylePrimary
		if v.Handoff != nil && v.Handoff.Live(now) {
			label, style = "button.show_link", StylePlain
		}
		item.Button = &Button{ID: ID(VerbClaim, b.ID), Label: w.Plain(label, nil), Style: style}
	} else {
		item.Image = badgeImage(w, b)
		switch b.Stage {
		case core.StageAccepted:
			item.Button = &Button{ID: stepsID(b.ID), Label: w.Plain("button.next_step", nil)}
		case core.StagePublic:
			button := shareButton(w, b, "button.share")
			item.Button = &button
		}
	}
	return item
}

// progress is the way of a badge in one line: what is done, what is next,
// what is still to come.
func progress(w Words, v core.BadgeView, now time.Time) Text {
	const done, next, later = "✓ ", "▸ ", "○ "
	b := v.Badge
	at := -1
	switch {
	case b.Stage.Claimable():
		at = 1
		if v.Handoff != nil && v.Handoff.StateAt(now) == core.HandoffFollowed {
			at = 2
		}
	case b.Stage == core.StageAccepted:
		at = 3
	case b.Stage == core.StagePublic:
		at = 4
	}
	if at < 0 {
		return w.Text("progress."+string(b.Stage), nil)
	}
	var out Text
	for i, step := range [...]string{"earned", "claim", "accept", "public"} {
		mark := later
		switch {
		case i < at:
			mark = done
		case i == at:
			mark = next
		}
		if i > 0 {
			out = append(out, Run{Text: "  ·  "})
		}
		out = append(out, Run{Text: mark + w.Plain("progress."+step, nil), Bold: i == at})
	}
	return out
}

func validity(w Words, b core.Badge, now time.Time) Text {
	switch {
	case b.ExpiresAt.IsZero() || b.Stage.Ended():
		return nil
	case b.ExpiresAt.Before(now):
		return w.Text("list.expired", Args{"Date": Day(b.ExpiresAt)})
	default:
		return w.Text("list.valid", Args{"Date": Day(b.ExpiresAt)})
	}
}

// clip cuts s to n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
