package chat

import (
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// verdictStatuses are all that there are, and one that nobody knows.
var verdictStatuses = []core.VerdictStatus{
	core.VerdictGenuine, core.VerdictExpired, core.VerdictNotYetValid, core.VerdictRevoked, core.VerdictAltered,
	core.VerdictIssuerNotConfirmed, core.VerdictOtherRecipient, core.VerdictUnreachable, core.VerdictUnknown, core.VerdictMalformed,
	"splendid",
}

// goldenVerdict is a badge of which everything is known.
func goldenVerdict(status core.VerdictStatus) core.Verdict {
	v := core.Verdict{
		Status: status, Reason: "for the operator", Version: "2.0", ID: "https://api.credly.com/v1/obi/v2/badge_assertions/1",
		Issuer:    core.VerifiedIssuer{ID: "https://api.credly.com/v1/obi/v2/issuers/1", Name: "Example Body", Confirmed: status == core.VerdictGenuine},
		Recipient: core.VerifiedRecipient{Kind: "email", Hash: "sha256$b36a83701f1c3191e19722d6f90274bc1b5501fe69ebf33313e440fe4b0fe210"},
		Achievement: core.VerifiedAchievement{
			Name: "Certified Gopher", Description: "Digs tunnels\nunder supervision.", Image: "https://images.credly.com/gopher.png",
		},
		IssuedAt: noon.AddDate(-1, 0, 0), ExpiresAt: noon.AddDate(1, 0, 0), CheckedAt: noon,
		Checks: []core.Check{
			{Name: core.CheckInput, Result: core.CheckPassed},
			{Name: core.CheckFormat, Result: core.CheckWarned, Detail: "odd"},
			{Name: core.CheckSignature, Result: core.CheckPassed},
			{Name: core.CheckIssuer, Result: core.CheckPassed},
			{Name: core.CheckRevocation, Result: core.CheckPassed},
			{Name: core.CheckRevocation, Result: core.CheckFailed, Detail: "listed"},
			{Name: core.CheckValidity, Result: core.CheckPassed},
			{Name: core.CheckRecipient, Result: core.CheckNotDone},
		},
	}
	switch status {
	case core.VerdictGenuine:
		v.Checks = append(v.Checks[:5:5], v.Checks[6:]...)
		v.ExpiresAt = time.Time{}
		v.Endorsements = []core.Endorsement{{Status: core.VerdictGenuine}, {Status: core.VerdictUnknown}}
	case core.VerdictRevoked:
		v.RevocationReason = "Issued **twice**.\n<!channel> Rely on the other one!"
	case core.VerdictExpired:
		v.ExpiresAt = noon.AddDate(0, 0, -1)
	case core.VerdictUnreachable, core.VerdictMalformed:
		v = core.Verdict{Status: status, CheckedAt: noon, Checks: []core.Check{{Name: core.CheckInput, Result: core.CheckFailed}}}
	case core.VerdictUnknown:
		v.Version, v.Recipient.Kind, v.Recipient.Hash, v.Issuer.Name = "", "did", "", ""
		for _, name := range []string{core.CheckSchema, core.CheckRefresh, core.CheckEndorsement} {
			v.Checks = append(v.Checks, core.Check{Name: name, Result: core.CheckNotDone})
		}
	}
	return v
}

// hostileVerdict has words that want to be more than words.
func hostileVerdict() core.Verdict {
	v := goldenVerdict(core.VerdictAltered)
	v.Achievement.Name = "**Genuine**\n\u202e<!channel> @everyone [x](https://evil.example.com) " + strings.Repeat("A", 500)
	v.Achievement.Description = "\ue0000\ue001\x00 `code` " + strings.Repeat("*_~", 400)
	v.Achievement.Image = "data:image/png;base64,AAAA"
	v.Issuer.Name = "<@U1>\x1b[31m" + strings.Repeat("\u200b", 50) + "Body"
	v.Recipient = core.VerifiedRecipient{Kind: strings.Repeat("email ", 40), Hash: "md5$" + strings.Repeat("`", 90)}
	v.Version = strings.Repeat("9", 400)
	return v
}

func goldenVerdicts(c *Composer, w Words, put func(name, text string)) {
	link := inquiry{id: badgeID, link: "https://www.credly.com/badges/1?x=ü&y"}
	image := Image{URL: "https://laurel.example.org/v/token", Alt: w.Plain("verify.image", nil)}
	file := inquiry{id: badgeID, file: &FileRef{Name: "badge.png", Size: 1}}
	for _, status := range verdictStatuses {
		put("verdict, "+string(status), readable(c.verdictCard(w, finding{inquiry: link, verdict: goldenVerdict(status), image: image}, false)))
	}
	put("verdict, of a file, with an address", readable(c.verdictCard(w, finding{inquiry: file, verdict: goldenVerdict(core.VerdictGenuine)}, true)))
	matched := goldenVerdict(core.VerdictGenuine)
	matched.Checks = append(matched.Checks[:len(matched.Checks)-1:len(matched.Checks)-1], core.Check{Name: core.CheckRecipient, Result: core.CheckPassed})
	put("verdict, of the address", readable(c.verdictCard(w, finding{inquiry: link, verdict: matched}, true)))
	put("verdict, hostile", readable(c.verdictCard(w, finding{inquiry: link, verdict: hostileVerdict()}, false)))
	put("verdict, empty", readable(c.verdictCard(w, finding{inquiry: file}, false)))
	for _, trouble := range []string{troubleLarge, troubleFile, troubleFetch, troubleBusy} {
		put("verdict, trouble, "+trouble, readable(c.verdictCard(w, finding{inquiry: file, trouble: trouble}, false)))
	}
	put("verdicts, mixed", readable(c.verdictsCard(w, []finding{
		{inquiry: file, verdict: goldenVerdict(core.VerdictGenuine)}, {inquiry: link, verdict: hostileVerdict()}, {inquiry: file, trouble: troubleFile},
	})))
	put("verdicts, all genuine", readable(c.verdictsCard(w, []finding{
		{inquiry: file, verdict: goldenVerdict(core.VerdictGenuine)}, {inquiry: link, verdict: goldenVerdict(core.VerdictGenuine)},
	})))
	put("verdicts, none", readable(c.verdictsCard(w, []finding{
		{inquiry: link, verdict: goldenVerdict(core.VerdictUnreachable)}, {inquiry: file, trouble: troubleBusy},
	})))
	put("verify, checking one", readable(checkingCard(w, 1)))
	put("verify, checking three", readable(checkingCard(w, 3)))
	put("verify, nothing named", readable(nothingToVerify(w, Action{Actor: core.Identity{Platform: "slack"}, Source: SourceCommand})))
	put("verify, nothing there", readable(nothingToVerify(w, Action{Actor: core.Identity{Platform: "discord"}, Source: SourcePress})))
	put("verify, over", readable(overCard(w)))
	put("verify, too many", readable(tooManyVerified(w, noon)))
	put("form, recipient", readableForm(recipientForm(w, badgeID)))
}
