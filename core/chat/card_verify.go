package chat

import (
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/laurelbot/laurel/core"
)

const (
	// maxBadgeText is how much of a badge's own words is shown, in
	// characters: whoever made the badge wrote them.
	maxBadgeText = 120
	// maxBadgeAbout is the same for what it certifies.
	maxBadgeAbout = 240
	// shownHash is how much of a hash is shown: enough to compare by eye.
	shownHash = 12
)

// fieldRecipient is the one field of [recipientForm].
const fieldRecipient = "address"

// checksNamed is how many of [checksShown] are told in any case, so that nobody
// takes for checked what was not.
const checksNamed = 7

// checksShown are the checks in the order in which they are told.
var checksShown = []string{
	core.CheckInput, core.CheckFormat, core.CheckSignature, core.CheckIssuer, core.CheckRevocation, core.CheckValidity,
	core.CheckRecipient, core.CheckSchema, core.CheckRefresh, core.CheckEndorsement,
}

// verdictTone is how bad it is. Only a genuine badge is good.
func verdictTone(s core.VerdictStatus) Tone {
	switch s {
	case core.VerdictGenuine:
		return ToneGood
	case core.VerdictRevoked, core.VerdictAltered:
		return ToneBad
	default:
		return ToneWarn
	}
}

// verdictID is the part of a sentence's id that a status has. A status that is
// not known here is told as unknown, never as anything better.
func verdictID(s core.VerdictStatus) string {
	switch s {
	case core.VerdictGenuine, core.VerdictExpired, core.VerdictNotYetValid, core.VerdictRevoked, core.VerdictAltered,
		core.VerdictIssuerNotConfirmed, core.VerdictOtherRecipient, core.VerdictUnreachable, core.VerdictMalformed:
		return string(s)
	default:
		return string(core.VerdictUnknown)
	}
}

// tame makes a stranger's words fit to stand in a sentence: one line, of
// bounded length, without characters that turn or hide what stands around.
func tame(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar, unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d':
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, ""))
	return clip(strings.Join(strings.Fields(s), " "), limit)
}

// verdictCard tells a verdict with what was checked and what was not.
func (c *Composer) verdictCard(w Words, f finding, withRecipient bool) Card {
	if f.trouble != "" {
		return troubleCard(w, f)
	}
	v := f.verdict
	id := "verify." + verdictID(v.Status)
	card := Card{Tone: verdictTone(v.Status), Title: w.Plain(id+".title", nil), Text: w.Text(id+".text", nil)}
	card.Summary = card.Title
	if name := tame(v.Achievement.Name, maxBadgeText); name != "" {
		card.Summary = w.Plain("verify.summary", Args{"Badge": name, "Verdict": card.Title})
	}
	if reason := tame(v.RevocationReason, maxBadgeAbout); reason != "" && v.Status == core.VerdictRevoked {
		card.Text = Join(card.Text, w.Text("verify.revoked.given", Args{"Reason": reason}))
	}
	if check, ok := v.Check(core.CheckRecipient); ok && withRecipient && check.Result == core.CheckPassed {
		card.Text = Join(card.Text, w.Text("verify.recipient.matches", nil))
	}
	if facts := badgeFacts(w, v); len(facts) > 0 {
		card.Items = append(card.Items, Item{Text: facts, Image: f.image})
	}
	if checks := checkLines(w, v, withRecipient); len(checks) > 0 {
		card.Items = append(card.Items, Item{Text: Join(w.Text("verify.checks", nil), checks)})
	}
	card.Footer = verdictFooter(w, v)
	if isLink(f.link) {
		card.Buttons = append(card.Buttons, Button{
			URL: c.PublicURL + verifyPage + "badge=" + url.QueryEscape(f.link), Label: w.Plain("button.verify_page", nil),
		})
	}
	if (v.Recipient.Kind != "" || v.Recipient.Hash != "") && f.id != "" {
		label := "button.verify_recipient"
		if withRecipient {
			label = "button.verify_other_recipient"
		}
		card.Buttons = append(card.Buttons, Button{ID: ID(VerbRecipient, f.id), Label: w.Plain(label, nil)})
	}
	return card
}

// isLink reports whether what was asked about is the address of a badge. What
// else it may be, a signed token, is the badge itself: it belongs into no
// address, because servers on the way keep those.
func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// badgeFacts are what the badge says of itself.
func badgeFacts(w Words, v core.Verdict) Text {
	var lines []Text
	if name := tame(v.Achievement.Name, maxBadgeText); name != "" {
		lines = append(lines, Text{{Text: name, Bold: true}})
	}
	if about := tame(v.Achievement.Description, maxBadgeAbout); about != "" {
		lines = append(lines, Plain(about))
	}
	issuer := tame(v.Issuer.Name, maxBadgeText)
	if issuer == "" {
		issuer = tame(v.Issuer.ID, maxBadgeText)
	}
	if issuer != "" {
		id := "verify.issuer.named"
		if v.Issuer.Confirmed {
			id = "verify.issuer.confirmed"
		}
		lines = append(lines, w.Text(id, Args{"Issuer": issuer}))
	}
	if to := recipientLine(w, v.Recipient); to != nil {
		lines = append(lines, to)
	}
	if !v.IssuedAt.IsZero() {
		lines = append(lines, w.Text("verify.issued", Args{"At": Day(v.IssuedAt)}))
	}
	switch {
	case !v.ExpiresAt.IsZero() && v.ExpiresAt.Before(v.CheckedAt):
		lines = append(lines, w.Text("verify.expired_at", Args{"At": Day(v.ExpiresAt)}))
	case !v.ExpiresAt.IsZero():
		lines = append(lines, w.Text("verify.expires", Args{"At": Day(v.ExpiresAt)}))
	case v.Status == core.VerdictGenuine:
		lines = append(lines, w.Text("verify.expires_never", nil))
	}
	return Join(lines...)
}

// recipientLine tells to whom a badge is issued without naming anybody.
func recipientLine(w Words, r core.VerifiedRecipient) Text {
	if r.Kind == "" && r.Hash == "" {
		return nil
	}
	kind := tame(r.Kind, maxBadgeText/2)
	switch strings.ToLower(kind) {
	case "", "email", "emailaddress":
		kind = w.Plain("verify.kind.email", nil)
	}
	if _, hex, named := strings.Cut(r.Hash, "$"); named {
		r.Hash = hex
	}
	if r.Hash == "" {
		return w.Text("verify.to", Args{"Kind": kind})
	}
	return w.Text("verify.to_hashed", Args{"Kind": kind, "Hash": Code(tame(clip(r.Hash, shownHash), shownHash))})
}

// checkLines are a line for each check: passed, failed, unusual, or not done.
func checkLines(w Words, v core.Verdict, withRecipient bool) Text {
	var lines []Text
	for i, name := range checksShown {
		check, ok := v.Check(name)
		if !ok && i >= checksNamed {
			continue
		}
		id := "verify.check." + name
		if name == core.CheckRecipient && withRecipient {
			id += ".asked"
		}
		label := w.Plain(id, nil)
		args := Args{"Check": label}
		switch check.Result {
		case core.CheckPassed:
			lines = append(lines, Plain("✅ "+label))
		case core.CheckFailed:
			lines = append(lines, w.Text("verify.failed", args))
		case core.CheckWarned:
			lines = append(lines, w.Text("verify.warned", args))
		default:
			lines = append(lines, w.Text("verify.not_checked", args))
		}
	}
	if n := len(v.Endorsements); n > 0 {
		good := 0
		for _, e := range v.Endorsements {
			if e.Status == core.VerdictGenuine {
				good++
			}
		}
		lines = append(lines, w.Text("verify.endorsed", Args{"Count": n, "Good": good}))
	}
	return Join(lines...)
}

// verdictFooter says when, by the clock of who verified, and by which rules.
func verdictFooter(w Words, v core.Verdict) Text {
	if v.CheckedAt.IsZero() {
		return nil
	}
	version := tame(v.Version, maxBadgeText/4)
	if version == "" {
		return w.Text("verify.footer", Args{"At": v.CheckedAt})
	}
	return w.Text("verify.footer_version", Args{"At": v.CheckedAt, "Version": version})
}

// verdictsCard tells several verdicts in short; a button shows each in full.
func (c *Composer) verdictsCard(w Words, found []finding) Card {
	card := Card{Tone: ToneGood}
	genuine := 0
	for _, f := range found {
		item := Item{Button: &Button{ID: ID(VerbVerify, f.id), Label: w.Plain("button.verify_full", nil)}}
		name, verdict, sign := tame(f.verdict.Achievement.Name, maxBadgeText), w.Plain("verify.trouble."+f.trouble+".title", nil), "⬜ "
		if f.trouble == "" {
			verdict = w.Plain("verify."+verdictID(f.verdict.Status)+".title", nil)
			sign = map[Tone]string{ToneGood: "✅ ", ToneBad: "❌ ", ToneWarn: "⚠️ "}[verdictTone(f.verdict.Status)]
		}
		if f.trouble == "" && f.verdict.Genuine() {
			genuine++
		}
		if name == "" {
			name = source(w, f.inquiry)
		}
		item.Text = Join(Text{{Text: name, Bold: true}}, Plain(sign+verdict))
		if issuer := tame(f.verdict.Issuer.Name, maxBadgeText); issuer != "" {
			id := "verify.issuer.named"
			if f.verdict.Issuer.Confirmed {
				id = "verify.issuer.confirmed"
			}
			item.Text = Join(item.Text, w.Text(id, Args{"Issuer": issuer}))
		}
		card.Items = append(card.Items, item)
	}
	args := Args{"Count": genuine, "All": len(found)}
	if genuine < len(found) {
		card.Tone = ToneWarn
	}
	card.Title, card.Summary = w.Plain("verify.several.title", args), w.Plain("verify.several.title", args)
	if at := newest(found); !at.IsZero() {
		card.Footer = w.Text("verify.footer", Args{"At": at})
	}
	return card
}

// newest is when the last of several was verified.
func newest(found []finding) time.Time {
	var at time.Time
	for _, f := range found {
		if f.verdict.CheckedAt.After(at) {
			at = f.verdict.CheckedAt
		}
	}
	return at
}

// source names what was asked about, where the badge has no name.
func source(w Words, in inquiry) string {
	name := in.link
	if in.file != nil {
		name = in.file.Name
	}
	if name = tame(name, maxBadgeText/2); name != "" {
		return name
	}
	return w.Plain("badge.unnamed", nil)
}

// troubleCard says why a file was not looked at, and what to do.
func troubleCard(w Words, f finding) Card {
	id := "verify.trouble." + f.trouble
	return Card{
		Tone: ToneWarn, Title: w.Plain(id+".title", nil), Summary: w.Plain(id+".title", nil), Text: w.Text(id+".text", nil),
	}
}

// checkingCard stands where the verdict will stand.
func checkingCard(w Words, n int) Card {
	args := Args{"Count": n}
	return Card{
		Title: w.Plain("verify.checking.title", args), Summary: w.Plain("verify.checking.title", args),
		Text: w.Text("verify.checking.text", args),
	}
}

// nothingToVerify says what can be verified, and how.
func nothingToVerify(w Words, a Action) Card {
	id := "verify.nothing"
	if a.Source == SourcePress {
		id = "verify.nothing_there"
	}
	return Card{
		Title: w.Plain(id+".title", nil), Summary: w.Plain(id+".title", nil), Text: w.Text(id+".text", nil),
		Footer: w.Text("verify.nothing.footer", Args{"Command": w.Plain("verify.nothing.menu."+string(a.Actor.Platform), nil)}),
	}
}

// overCard answers a button whose question is forgotten, or somebody else's.
func overCard(w Words) Card {
	return Card{
		Tone: ToneWarn, Title: w.Plain("verify.over.title", nil), Summary: w.Plain("verify.over.title", nil), Text: w.Text("verify.over.text", nil),
	}
}

func tooManyVerified(w Words, from time.Time) Card {
	return Card{
		Tone: ToneWarn, Title: w.Plain("verify.too_many.title", nil), Summary: w.Plain("verify.too_many.title", nil),
		Text: w.Text("verify.too_many.text", Args{"At": Live(from)}),
	}
}

// recipientForm asks for the address with which a badge is compared.
func recipientForm(w Words, inquiry string) *Form {
	return &Form{
		ID: ID(VerbRecipient, inquiry), Title: w.Plain("verify.recipient.form", nil), Intro: w.Text("verify.recipient.intro", nil),
		Submit: w.Plain("verify.recipient.submit", nil), Cancel: w.Plain("form.cancel", nil),
		Fields: []Field{{
			Name: fieldRecipient, Kind: FieldEmail, Label: w.Plain("verify.recipient.label", nil),
			Placeholder: w.Plain("verify.recipient.example", nil), Hint: w.Plain("verify.recipient.hint", nil),
			MinLen: 1, MaxLen: core.MaxAddressBytes,
		}},
	}
}
