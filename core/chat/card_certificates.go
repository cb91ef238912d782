package chat

import (
	"strconv"

	"github.com/laurelbot/laurel/core"
)

// certificatesID makes the id of a button that shows a page of the
// certificates of this person.
func certificatesID(owner core.Identity, page int) string {
	return ID(VerbCertificates, strconv.Itoa(page)+"."+ownerMark(owner))
}

// certificatesButton leads to a person's certificates.
func certificatesButton(w Words, owner core.Identity) Button {
	return Button{ID: certificatesID(owner, 1), Label: w.Plain("button.certificates", nil)}
}

// maxShownName keeps a page of names within what a message holds, in
// characters.
const maxShownName = 200

// certificatesCard shows a page of what a person keeps track of, counted from
// 1.
func (c *Composer) certificatesCard(w Words, k core.Kept, owner core.Identity, page int) Card {
	all := k.All()
	pages := max((len(all)+pageSize-1)/pageSize, 1)
	page = min(max(page, 1), pages)
	card := Card{
		Title: w.Plain("certificates.title", nil), Summary: w.Plain("certificates.summary", Args{"Count": len(all)}),
		Text:    Join(w.Text("certificates.summary", Args{"Count": len(all)}), countValidities(w, all)),
		Footer:  w.Text("certificates.footer", nil),
		Buttons: []Button{{URL: c.PublicURL + "/c/" + k.Page, Label: w.Plain("button.certificates.page", nil), Style: StylePrimary}},
	}
	for _, one := range all[(page-1)*pageSize : min(page*pageSize, len(all))] {
		card.Items = append(card.Items, Item{Text: credentialText(w, one)})
		if one.Validity == core.ValidityExpiring {
			card.Tone = ToneAction
		}
	}
	if len(all) == 0 {
		card.Summary, card.Text = w.Plain("web.certificates.empty", nil), w.Text("web.certificates.empty", nil)
	}
	if page > 1 {
		card.Buttons = append(card.Buttons, Button{ID: certificatesID(owner, page-1), Label: w.Plain("button.previous", nil)})
	}
	if page < pages {
		card.Buttons = append(card.Buttons, Button{ID: certificatesID(owner, page+1), Label: w.Plain("button.next", nil)})
	}
	if pages > 1 {
		card.Footer = Join(w.Text("list.page", Args{"Page": page, "Pages": pages}), card.Footer)
	}
	if k.Elsewhere != core.ElsewhereNone {
		state, change := string(k.Elsewhere), "off"
		switch {
		case k.Elsewhere == core.ElsewhereOff:
			change = "on"
		case k.Elsewhere == core.ElsewhereListed && len(k.Others) == 0:
			state = "none"
		}
		card.Footer = Join(card.Footer, w.Text("certificates.elsewhere."+state, Args{"Provider": c.Provider.Name()}))
		card.Buttons = append(card.Buttons, Button{
			ID: ID(VerbElsewhere, change+"."+ownerMark(owner)), Label: w.Plain("button.elsewhere."+change, nil),
		})
	}
	card.Buttons = append(card.Buttons,
		Button{
			ID: ID(VerbEndLinks, ownerMark(owner)), Label: w.Plain("button.end_links", nil), Confirm: w.Plain("confirm.end_links", nil),
		},
		Button{ID: pageID(owner, "new"), Label: w.Plain("button.my_badges", nil)},
	)
	return card
}

// countValidities says how many stand how, as far as that asks for anything.
func countValidities(w Words, all []core.Credential) Text {
	counts := map[string]int{}
	for _, c := range all {
		id := string(c.Validity)
		switch {
		case c.Validity == core.ValidityLasting:
			id = string(core.ValidityValid)
		case c.Renewed:
			id = ""
		}
		counts[id]++
	}
	var out Text
	for _, v := range []core.Validity{core.ValidityExpiring, core.ValidityExpired, core.ValidityValid, core.ValidityWaiting} {
		if n := counts[string(v)]; n > 0 {
			if out != nil {
				out = append(out, Run{Text: " · "})
			}
			out = append(out, w.Text("certificates.count."+string(v), Args{"Count": n})...)
		}
	}
	return out
}

// credentialText is one row: the name, what is known, what can be done. Days
// are those of UTC, as with the provider and in every export; platforms would
// show them by the reader's clock, which may be a day off.
func credentialText(w Words, c core.Credential) Text {
	name := Text{{Text: clip(w.CredentialName(c), maxShownName), Bold: true}}
	if c.Elsewhere && c.Issuer != "" {
		name = append(name, Run{Text: " "})
		name = append(name, w.Text("certificates.by", Args{"Issuer": clip(c.Issuer, maxShownName)})...)
	}
	facts := Text{{Text: validityMark(c) + w.Validity(c.Validity)}}
	fact := func(t Text) { facts = append(append(facts, Run{Text: " · "}), t...) }
	if c.Stage == core.StagePublic {
		fact(w.Text("certificates.public", nil))
	}
	if c.Stage == core.StageAccepted {
		fact(w.Text("certificates.private", nil))
	}
	if c.Certificate.Number != "" {
		fact(w.Text("certificates.number", Args{"Number": clip(c.Certificate.Number, maxShownName)}))
	}
	if !c.IssuedAt.IsZero() {
		fact(w.Text("certificates.issued", Args{"Date": w.Date(c.IssuedAt)}))
	}
	switch {
	case c.ExpiresAt.IsZero() || c.Stage.Ended():
	case c.Validity == core.ValidityExpired:
		fact(w.Text("certificates.over", Args{"Date": w.Date(c.ExpiresAt)}))
	default:
		fact(w.Text("certificates.until", Args{"Date": w.Date(c.ExpiresAt)}))
	}
	return Join(name, facts, w.Advice(c))
}

// validityMark is a sign that is seen before anything is read.
func validityMark(c core.Credential) string {
	switch c.Validity {
	case core.ValidityValid, core.ValidityLasting:
		return "✓ "
	case core.ValidityExpiring, core.ValidityWaiting:
		return "▸ "
	case core.ValidityExpired:
		return "✕ "
	}
	return "○ "
}
