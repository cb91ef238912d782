package openbadges

import (
	"slices"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// weight orders what speaks against a badge: of several reasons the heaviest
// is the verdict. What is signed wrongly is not judged by what it says, and
// what is certain comes before what is not.
var weight = map[core.VerdictStatus]int{
	core.VerdictAltered:            100,
	core.VerdictMalformed:          90,
	core.VerdictRevoked:            80,
	core.VerdictExpired:            70,
	core.VerdictNotYetValid:        60,
	core.VerdictUnreachable:        50,
	core.VerdictUnknown:            40,
	core.VerdictIssuerNotConfirmed: 30,
	core.VerdictOtherRecipient:     20,
}

// unknownProof is heavier than a broken rule: what nobody signed in a way
// that can be checked is not worth looking at closely.
const unknownProof = 95

// uncoveredProof is lighter than a broken rule, which is often what makes a
// document one that no proof covers.
const uncoveredProof = 85

// needed are the checks without which nothing is genuine.
var needed = []string{core.CheckInput, core.CheckFormat, core.CheckSignature, core.CheckIssuer, core.CheckRevocation, core.CheckValidity}

// rank is the place of a check in the list that is shown.
func rank(name string) int {
	if i := slices.Index(needed, name); i >= 0 {
		return i
	}
	return len(needed)
}

// report collects what was checked. It is safe for concurrent use.
type report struct {
	mu      sync.Mutex
	v       core.Verdict
	heavies int
}

func newReport(now time.Time) *report { return &report{v: core.Verdict{CheckedAt: now}} }

func (r *report) add(name string, result core.CheckResult, detail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.v.Checks = append(r.v.Checks, core.Check{Name: name, Result: result, Detail: clip(detail)})
}

func (r *report) pass(name, detail string) { r.add(name, core.CheckPassed, detail) }
func (r *report) warn(name, detail string) { r.add(name, core.CheckWarned, detail) }
func (r *report) skip(name, detail string) { r.add(name, core.CheckNotDone, detail) }

func (r *report) fail(name string, status core.VerdictStatus, detail string) {
	r.failWith(name, status, weight[status], detail)
}

// revoked says that a badge was taken back, and keeps apart what the document
// that says so gives as the reason.
func (r *report) revoked(detail string, by map[string]any) {
	r.fail(core.CheckRevocation, core.VerdictRevoked, detail)
	if given := text(by["revocationReason"]); given != "" {
		r.set(func(v *core.Verdict) { v.RevocationReason = clip(given) })
	}
}

// noProof says that nothing shows whether the badge is whole.
func (r *report) noProof(detail string) {
	r.failWith(core.CheckSignature, core.VerdictUnknown, unknownProof, detail)
}

func (r *report) failWith(name string, status core.VerdictStatus, heavy int, detail string) {
	r.add(name, core.CheckFailed, detail)
	r.mu.Lock()
	defer r.mu.Unlock()
	if heavy > r.heavies {
		r.heavies, r.v.Status, r.v.Reason = heavy, status, clip(detail)
	}
}

// set changes what the verdict says of the badge.
func (r *report) set(change func(v *core.Verdict)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.v)
}

// verdict is genuine only when all that is needed was checked and passed.
func (r *report) verdict() core.Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heavies == 0 {
		r.v.Status, r.v.Reason = core.VerdictGenuine, ""
		for _, name := range needed {
			if !r.passed(name) {
				r.v.Status, r.v.Reason = core.VerdictUnknown, "not checked: "+name
				break
			}
		}
	}
	v := r.v
	v.Checks = append([]core.Check{}, r.v.Checks...)
	// In one order, although they were done at the same time.
	slices.SortStableFunc(v.Checks, func(a, b core.Check) int { return rank(a.Name) - rank(b.Name) })
	return v
}

func (r *report) passed(name string) bool {
	for _, c := range r.v.Checks {
		if c.Name == name && c.Result == core.CheckPassed {
			return true
		}
	}
	return false
}

// maxDetailRunes bounds what a stranger's document can put into a detail.
const maxDetailRunes = 200

// clip shortens a text and takes control characters out of it.
func clip(text string) string { return shorten(text, maxDetailRunes) }

func shorten(text string, runes int) string {
	out := make([]rune, 0, min(len(text), runes))
	for _, c := range text {
		if len(out) == runes {
			return string(append(out, '…'))
		}
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			c = ' '
		}
		out = append(out, c)
	}
	return string(out)
}
