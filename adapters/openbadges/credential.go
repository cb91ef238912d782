package openbadges

import (
	"strings"
	"sync"
	"time"

	"github.com/laurelbot/laurel/core"
)

// The contexts of the Verifiable Credentials Data Model, 2.0 and 1.1.
const (
	contextModel2 = "https://www.w3.org/ns/credentials/v2"
	contextModel1 = "https://www.w3.org/2018/credentials/v1"
)

// isCredential reports whether a document is a verifiable credential, which
// badges are since version 3.0.
func isCredential(doc map[string]any) bool {
	if isA(doc, "VerifiableCredential") {
		return true
	}
	for _, c := range texts(doc["@context"]) {
		if c == contextModel1 || c == contextModel2 {
			return true
		}
	}
	return false
}

// finding is what became of a proof.
type finding int

const (
	proofUnknown finding = iota
	// proofUncovered: the document is none that a proof of that kind covers
	// as a whole.
	proofUncovered
	proofUnreachable
	proofAltered
	proofExpired
	proofFits
)

// proof is a proof that was judged.
type proof struct {
	finding finding
	detail  string
	// by is what it was made with, when it fits.
	by *method
	// partial says that the holder could leave out what the issuer did not
	// make mandatory.
	partial bool
	// next looks for another proof that fits; nil when there can be none.
	next func() proof
}

// document3 verifies a credential with an embedded proof. Where it was
// fetched from proves nothing.
func (s *session) document3(doc map[string]any, r *report) {
	if token, ok := enveloped(doc); ok {
		s.token(token, r)
		return
	}
	s.credential(doc, s.embeddedProof(doc), r)
}

// enveloped returns the token that a document is only the envelope of:
// https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials
func enveloped(doc map[string]any) (token string, ok bool) {
	if !isA(doc, "EnvelopedVerifiableCredential") {
		return "", false
	}
	for _, kind := range []string{"data:application/vc+jwt,", "data:application/vc+ld+jwt,", "data:application/vc-ld+jwt,"} {
		if token, ok = strings.CutPrefix(id(doc), kind); ok {
			return token, looksLikeToken(token)
		}
	}
	return "", false
}

// credentialToken verifies a credential inside a token.
func (s *session) credentialToken(t *signed, r *report) {
	doc, mismatch := unwrap(t.claims)
	p := s.tokenProof(t, ref(doc["issuer"]))
	if mismatch != "" {
		r.fail(core.CheckFormat, core.VerdictMalformed, mismatch)
	}
	s.credential(doc, p, r)
}

// credential judges a credential whose proof was looked at.
func (s *session) credential(doc map[string]any, p proof, r *report) {
	inside := r != s.r
	if !inside && p.finding == proofFits {
		doc, p = s.newer(doc, p)
	}
	r.pass(core.CheckInput, "a verifiable credential")
	describe3(doc, r)
	kinds := []string{"OpenBadgeCredential", "AchievementCredential"}
	breachOf := checkBadge
	if inside {
		kinds, breachOf = []string{"EndorsementCredential"}, checkEndorsement
	}
	switch {
	case !isA(doc, kinds...):
		r.fail(core.CheckFormat, core.VerdictMalformed, "its type is none of "+words(kinds))
	default:
		if b := breachOf(doc); b != "" {
			r.fail(core.CheckFormat, core.VerdictMalformed, b)
		} else {
			r.pass(core.CheckFormat, "the rules of Open Badges 3.0 are kept")
		}
	}
	switch p.finding {
	case proofFits:
		r.pass(core.CheckSignature, p.detail)
		if p.partial {
			r.warn(core.CheckSignature, "its holder may have left out what its issuer did not demand, such as an end")
		}
	case proofAltered:
		r.fail(core.CheckSignature, core.VerdictAltered, p.detail)
	case proofUnreachable:
		r.failWith(core.CheckSignature, core.VerdictUnreachable, unknownProof, p.detail)
	case proofExpired:
		r.fail(core.CheckSignature, core.VerdictExpired, p.detail)
	case proofUncovered:
		r.failWith(core.CheckSignature, core.VerdictUnknown, uncoveredProof, p.detail)
	default:
		r.noProof(p.detail)
	}
	s.validity3(doc, r)
	if p.finding != proofFits && p.finding != proofExpired {
		// Whatever else it says is not worth a fetch.
		return
	}
	var wait sync.WaitGroup
	s.beside(&wait, r, func() { s.confirm(ref(doc["issuer"]), p, r) })
	s.beside(&wait, r, func() { s.status(doc, p.by, r) })
	if !inside {
		s.beside(&wait, r, func() { s.endorsements(r, vouchers3(doc)) })
		s.recipient3(doc)
		if doc["credentialSchema"] != nil {
			r.skip(core.CheckSchema, "the schemas that the badge names are not fetched; its own rules were checked")
		}
	}
	wait.Wait()
}

// confirm writes down whether the issuer stands behind a proof.
func (s *session) confirm(issuer string, p proof, r *report) {
	ok, detail := s.stands(issuer, p)
	if !ok {
		r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, detail)
		return
	}
	r.set(func(v *core.Verdict) { v.Issuer.Confirmed = true })
	r.pass(core.CheckIssuer, detail)
}

// dates returns from when and until when a credential is valid, by the names
// of either data model. Where both stand, the narrower holds.
func dates(doc map[string]any) (from, until any) {
	after := func(a, b time.Time) bool { return a.After(b) }
	before := func(a, b time.Time) bool { return a.Before(b) }
	return either(doc["validFrom"], doc["issuanceDate"], after), either(doc["validUntil"], doc["expirationDate"], before)
}

// either returns the one that is there; of two the one that comes first by
// that order, and one that cannot be read before all.
func either(a, b any, first func(a, b time.Time) bool) any {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	t, errT := parseTime(text(a))
	u, errU := parseTime(text(b))
	if errT != nil || errU == nil && first(t, u) {
		return a
	}
	return b
}

func (s *session) validity3(doc map[string]any, r *report) {
	first, last := dates(doc)
	from, err := parseTime(text(first))
	if err != nil {
		return // Judged by the rules already.
	}
	until, err := parseTime(text(last))
	r.set(func(v *core.Verdict) {
		v.IssuedAt = from
		if err == nil {
			v.ExpiresAt = until
		}
	})
	switch {
	case from.After(s.now):
		r.fail(core.CheckValidity, core.VerdictNotYetValid, "it is valid in the future only")
	case last != nil && err == nil && !until.After(s.now):
		r.fail(core.CheckValidity, core.VerdictExpired, "it expired")
	default:
		r.pass(core.CheckValidity, "valid, and not expired")
	}
}

// recipient3 compares the subject of a credential with the address that was
// asked about.
func (s *session) recipient3(doc map[string]any) {
	if s.recipient == "" {
		s.r.skip(core.CheckRecipient, "no address was asked about")
		return
	}
	subject := object(doc["credentialSubject"])
	if identityMatches(id(subject), "", s.recipient, false) {
		s.compareIdentity(true)
		return
	}
	for _, v := range each(subject["identifier"]) {
		identity := object(v)
		if identity == nil {
			continue
		}
		if identityMatches(text(identity["identityHash"]), text(identity["salt"]), s.recipient, isTrue(identity["hashed"])) {
			s.compareIdentity(true)
			return
		}
	}
	s.compareIdentity(false)
}

// isEmailKind: emailAddress is the term of the specification, email one that
// is seen in practice.
func isEmailKind(kind string) bool { return kind == "emailAddress" || kind == "email" }

// describe3 writes down what a credential says, whatever it is worth.
func describe3(doc map[string]any, r *report) {
	subject := object(doc["credentialSubject"])
	r.set(func(v *core.Verdict) {
		v.Version, v.ID = "3.0", shown(id(doc))
		v.Issuer.ID = shown(ref(doc["issuer"]))
		if issuer := object(doc["issuer"]); issuer != nil {
			v.Issuer.Name, v.Issuer.URL = shown(text(issuer["name"])), link(text(issuer["url"]))
		}
		if achievement := object(subject["achievement"]); achievement != nil {
			v.Achievement = describeAchievement(achievement)
		}
		if v.Achievement.Name == "" {
			v.Achievement.Name = shown(text(doc["name"]))
		}
		if image := picture(doc["image"]); image != "" && v.Achievement.Image == "" {
			v.Achievement.Image = image
		}
		for _, one := range each(subject["identifier"]) {
			if identity := object(one); identity != nil {
				kind := text(identity["identityType"])
				if isEmailKind(kind) {
					kind = "email"
				}
				v.Recipient = describeIdentity(kind, "", "")
				if isTrue(identity["hashed"]) {
					v.Recipient = describeIdentity(kind, text(identity["identityHash"]), text(identity["salt"]))
				}
				break
			}
		}
	})
}

// numericDate reads a NumericDate of RFC 7519.
func numericDate(v any) (time.Time, bool) {
	seconds, ok := v.(float64)
	if !ok || seconds < -1e11 || seconds > 1e11 {
		return time.Time{}, false
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)).UTC(), true
}
