package web

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/core/chat"
)

// verifyView is what the page of verification shows: the form, and a verdict
// above it where there is one.
type verifyView struct {
	MaxBytes int
	Verdict  *verdictView
}

// verdictView is a verdict in words. What stands in the badge is text of a
// stranger, and shown as text.
type verdictView struct {
	Status core.VerdictStatus
	// Look is good, over, bad or open: a colour and a shape.
	Look string
	// Claimed says that nothing shows the badge to be from the named issuer:
	// what it says is what it says of itself.
	Claimed bool
	// Said is the reason that whoever revoked the badge gives, in their words.
	Said string
	// Name may be empty, as may all that follows.
	Name, IssuerName, IssuerURL string
	Confirmed                   bool
	Picture                     template.URL
	Description, Narrative      []string
	Criteria, CriteriaHost      string
	Facts                       []verdictFact
	Checks                      []verdictCheck
	Endorsements                []verdictEndorsement
	// Foreign says that the page is not in the language of the checks' details,
	// which then stand apart.
	Foreign bool
}

// detailLang is the language of [core.Check.Detail].
const detailLang = "en"

// verdictFact is a line of what is known. Code is shown in a fixed width, At
// is a moment with its words in Text.
type verdictFact struct {
	Label, Text, Code string
	At                time.Time
	// Look colours the text where it answers what was asked.
	Look string
}

type verdictCheck struct {
	Label, Result, Look string
	Details             []string
}

type verdictEndorsement struct{ Issuer, Comment, Result, Look string }

// looks are how verdicts look; whatever else comes is open.
var looks = map[core.VerdictStatus]string{
	core.VerdictGenuine: "good", core.VerdictExpired: "over", core.VerdictNotYetValid: "over",
	core.VerdictRevoked: "bad", core.VerdictAltered: "bad",
	core.VerdictIssuerNotConfirmed: "over", core.VerdictOtherRecipient: "over",
}

func lookOf(s core.VerdictStatus) string {
	if look := looks[s]; look != "" {
		return look
	}
	return "open"
}

// always are the checks that are shown also where none of them was done, so
// that nobody takes for checked what was not.
var always = []string{
	core.CheckInput, core.CheckFormat, core.CheckSignature, core.CheckIssuer, core.CheckRevocation, core.CheckValidity, core.CheckRecipient,
}

func (p *Pages) verdictView(r *http.Request, a asked, v core.Verdict, png []byte) *view {
	w := p.words(r, "")
	d := &verdictView{
		Status: v.Status, Look: lookOf(v.Status), Claimed: !v.Issuer.Confirmed,
		Name: cleanTyped(v.Achievement.Name, maxShownName), IssuerName: cleanTyped(v.Issuer.Name, maxShownName),
		IssuerURL: webLink(v.Issuer.URL), Confirmed: v.Issuer.Confirmed,
		Description: lines(v.Achievement.Description), Narrative: lines(v.Achievement.Narrative), Criteria: webLink(v.Achievement.Criteria),
		Facts: facts(w, a, v), Checks: checks(w, a, v), Foreign: w.Lang() != detailLang,
	}
	if v.Status == core.VerdictRevoked {
		d.Said = cleanTyped(v.RevocationReason, maxShownText)
	}
	if d.IssuerName == "" {
		d.IssuerName = cleanTyped(v.Issuer.ID, maxShownName)
	}
	if u, err := url.Parse(d.Criteria); err == nil {
		d.CriteriaHost = u.Hostname()
	}
	if len(png) > 0 {
		d.Picture = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png)) //nolint:gosec // A PNG of our own making.
	}
	for _, e := range v.Endorsements {
		d.Endorsements = append(d.Endorsements, verdictEndorsement{
			Issuer: cleanTyped(e.Issuer, maxShownName), Comment: cleanTyped(e.Comment, maxShownText),
			Result: w.Plain("web.verify.endorsement."+known(e.Status), nil), Look: lookOf(e.Status),
		})
	}
	return &view{
		page: "verify", words: w, TitleID: "web.verify." + known(v.Status) + ".title", TextID: "web.verify." + known(v.Status) + ".text",
		Typed: a.typed, Verify: &verifyView{MaxBytes: core.MaxBadgeFileBytes, Verdict: d},
	}
}

// How much of a badge's own texts is shown, in characters.
const (
	maxShownName = 200
	maxShownText = 2000
)

// known returns a status that there are sentences for.
func known(s core.VerdictStatus) string {
	if looks[s] != "" || s == core.VerdictUnreachable || s == core.VerdictMalformed {
		return string(s)
	}
	return string(core.VerdictUnknown)
}

// webLink returns an address that can be a link, or "".
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || originOf(u) == "" {
		return ""
	}
	return u.String()
}

// lines are the paragraphs of a text.
func lines(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if line = cleanTyped(line, maxShownText); line != "" {
			found = append(found, line)
		}
	}
	return found
}

func facts(w chat.Words, a asked, v core.Verdict) []verdictFact {
	var list []verdictFact
	add := func(label string, f verdictFact) {
		if f.Text != "" || f.Code != "" {
			f.Label = w.Plain("web.verify.fact."+label, nil)
			list = append(list, f)
		}
	}
	to := verdictFact{Code: cleanTyped(v.Recipient.Hash, maxShownName)}
	switch {
	case v.Recipient.Hash != "":
		to.Text = w.Plain("web.verify.hashed", nil)
	case v.Recipient.Kind != "":
		to.Text = w.Plain("web.verify.hidden", nil)
	}
	add("recipient", to)
	if a.query.Recipient != "" {
		c, _ := v.Check(core.CheckRecipient)
		switch c.Result {
		case core.CheckPassed:
			add("asked", verdictFact{Text: w.Plain("web.verify.asked.yes", nil), Look: "good"})
		case core.CheckFailed:
			add("asked", verdictFact{Text: w.Plain("web.verify.asked.no", nil), Look: "over"})
		default:
			add("asked", verdictFact{Text: w.Plain("web.verify.asked.open", nil), Look: "open"})
		}
	}
	add("issued", dayFact(w, v.IssuedAt))
	if until := dayFact(w, v.ExpiresAt); until.Text != "" {
		add("expires", until)
	} else if !v.IssuedAt.IsZero() {
		add("expires", verdictFact{Text: w.Plain("web.verify.unlimited", nil)})
	}
	if v.Version != "" {
		add("version", verdictFact{Text: "Open Badges " + cleanTyped(v.Version, 20)})
	}
	add("id", verdictFact{Code: cleanTyped(v.ID, maxShownText)})
	if a.file {
		add("input", verdictFact{Text: w.Plain("web.verify.input.file", nil)})
	}
	checked := dayFact(w, v.CheckedAt)
	checked.Text += " " + v.CheckedAt.UTC().Format("15:04 MST")
	add("checked", checked)
	return list
}

// dayFact is a day in words, in UTC.
func dayFact(w chat.Words, t time.Time) verdictFact {
	if t.IsZero() {
		return verdictFact{}
	}
	t = t.UTC()
	return verdictFact{At: t, Text: w.Plain("web.verify.day", chat.Args{
		"Day": strconv.Itoa(t.Day()), "Month": w.Plain("web.verify.month."+strconv.Itoa(int(t.Month())), nil), "Year": strconv.Itoa(t.Year()),
	})}
}

// strength orders how checks of one name went: the strongest is told.
var strength = map[core.CheckResult]int{core.CheckFailed: 3, core.CheckWarned: 2, core.CheckPassed: 1}

var checkLooks = map[core.CheckResult]string{core.CheckPassed: "good", core.CheckFailed: "bad", core.CheckWarned: "over"}

// checks are the checks by name, those that were not done included.
func checks(w chat.Words, a asked, v core.Verdict) []verdictCheck {
	names := slices.Clone(always)
	results, details := map[string]core.CheckResult{}, map[string][]string{}
	for _, c := range v.Checks {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
		if results[c.Name] == "" || strength[c.Result] > strength[results[c.Name]] {
			results[c.Name] = c.Result
		}
		if detail := cleanTyped(c.Detail, maxShownText); detail != "" && !slices.Contains(details[c.Name], detail) {
			details[c.Name] = append(details[c.Name], detail)
		}
	}
	var list []verdictCheck
	for _, name := range names {
		result, look := results[name], checkLooks[results[name]]
		if look == "" {
			result, look = core.CheckNotDone, "open"
		}
		label := "web.verify.check." + name
		if name == core.CheckRecipient && a.query.Recipient == "" {
			label += ".unasked"
		}
		list = append(list, verdictCheck{
			Label: w.Plain(label, nil), Result: w.Plain("web.verify.result."+string(result), nil), Look: look,
			Details: details[name],
		})
	}
	return list
}
