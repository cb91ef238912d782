package chat

import (
	"github.com/laurelbot/laurel/core"
)

// verificationCard shows where the proof of an address stands.
func (c *Composer) verificationCard(w Words, v core.Verification) Card {
	args := Args{"Address": Code(v.Email.Shown), "Until": Live(v.ExpiresAt)}
	var card Card
	prefix := "verify.open"
	switch {
	case v.State == core.VerificationUsed:
		prefix = "verify.used"
		card.Tone = ToneGood
		card.Buttons = []Button{
			{ID: pageID(v.Account.Identity, "1"), Label: w.Plain("button.my_badges", nil), Style: StylePrimary},
		}
	case v.Dead(c.Clock.Now()):
		prefix = "verify.dead"
		card.Tone = ToneWarn
		card.Buttons = []Button{
			{ID: ID(VerbResend, v.ID), Label: w.Plain("button.new_code", nil), Style: StylePrimary},
			{ID: ID(VerbLink, "start"), Label: w.Plain("button.other_address", nil)},
		}
	default:
		card.Tone = ToneAction
		card.Buttons = []Button{
			{ID: ID(VerbCode, v.ID), Label: w.Plain("button.enter_code", nil), Style: StylePrimary},
			{ID: ID(VerbResend, v.ID), Label: w.Plain("button.resend", nil)},
			{ID: ID(VerbLink, "start"), Label: w.Plain("button.other_address", nil)},
		}
	}
	card.Title = w.Plain(prefix+".title", args)
	card.Summary = w.Plain(prefix+".summary", args)
	card.Text = w.Text(prefix+".text", args)
	return card
}

// emailsCard lists a person's verified addresses.
func emailsCard(w Words, p core.Person, provider string) Card {
	card := Card{
		Title: w.Plain("emails.title", nil), Summary: w.Plain("emails.summary", Args{"Count": len(p.Addresses)}),
		Text: w.Text("emails.text", Args{"Count": len(p.Addresses)}),
		Buttons: []Button{
			{ID: ID(VerbLink, "start"), Label: w.Plain("button.add_address", nil), Style: StylePrimary},
			{ID: pageID(p.Account.Identity, "1"), Label: w.Plain("button.my_badges", nil)},
		},
	}
	for _, a := range p.Addresses {
		card.Items = append(card.Items, Item{
			Text: Join(Text{{Text: a.Email.Shown, Code: true}}, w.Text("emails.since", Args{"Since": Day(a.VerifiedAt)})),
			Button: &Button{
				ID: ID(VerbUnlink, a.ID), Label: w.Plain("button.unlink", nil), Style: StyleDanger,
				Confirm: w.Plain("emails.confirm", Args{"Address": a.Email.Shown}),
			},
		})
	}
	if len(p.Addresses) > 1 {
		card.Footer = w.Text("emails.profile", Args{"Provider": provider})
	}
	return card
}

func linkForm(w Words) *Form {
	return &Form{
		ID: ID(VerbLink, "submit"), Title: w.Plain("form.link.title", nil), Intro: w.Text("form.link.intro", nil),
		Submit: w.Plain("form.link.submit", nil), Cancel: w.Plain("form.cancel", nil),
		Fields: []Field{{
			Name: fieldAddress, Label: w.Plain("form.link.label", nil), Hint: w.Plain("form.link.hint", nil),
			Placeholder: w.Plain("form.link.placeholder", nil), Kind: FieldEmail, MinLen: 3, MaxLen: core.MaxAddressBytes,
		}},
	}
}

func codeForm(w Words, verificationID string) *Form {
	return &Form{
		ID: ID(VerbCode, verificationID), Title: w.Plain("form.code.title", nil), Intro: w.Text("form.code.intro", nil),
		Submit: w.Plain("form.code.submit", nil), Cancel: w.Plain("form.cancel", nil),
		Fields: []Field{{
			Name: fieldCode, Label: w.Plain("form.code.label", nil), Hint: w.Plain("form.code.hint", nil),
			Kind: FieldDigits, MinLen: 1, MaxLen: 2 * core.CodeDigits,
		}},
	}
}

// Names of form fields.
const (
	fieldAddress = "address"
	fieldCode    = "code"
)
