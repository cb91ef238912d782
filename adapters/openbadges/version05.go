package openbadges

import (
	"regexp"
	"strings"
	"time"

	"github.com/laurelbot/laurel/core"
)

// Forms of values of Open Badges 0.5.
var (
	oldHashForm = regexp.MustCompile(`^(?:sha1\$[0-9a-fA-F]{40}|sha256\$[0-9a-fA-F]{64}|md5\$[0-9a-fA-F]{32})$`)
	// oldOriginForm is protocol, host and port of an issuer.
	oldOriginForm = regexp.MustCompile(`^https?://[A-Za-z0-9.-]+(?::\d{1,5})?/?$`)
)

// hosted05 judges an assertion of Open Badges 0.5, which lies at that address.
// Its badge and its issuer stand inside it; the issuer is confirmed by its
// origin, which has to be that of the assertion:
// https://github.com/1EdTech/openbadges-specification/tree/master/0.5
func (s *session) hosted05(old map[string]any, at string) {
	s.r.pass(core.CheckInput, "read at the badge's own address")
	a, class, issuer := upgraded05(old, at)
	s.describe(a, class, issuer, version05)
	if b := check05(old); b != "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
		return
	}
	s.r.pass(core.CheckFormat, "the rules of Open Badges 0.5 are kept")
	s.r.pass(core.CheckSignature, "not needed: the document comes from the badge's own address")
	if sameAuthority(issuer.identity, at) {
		s.r.set(func(v *core.Verdict) { v.Issuer.Confirmed = true })
		s.r.pass(core.CheckIssuer, "the badge lies at the origin of its issuer")
	} else {
		s.r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, "the badge lies on another host than its issuer")
	}
	s.r.pass(core.CheckRevocation, "its address answers, and does not call it revoked")
	s.validity2(a)
	s.recipient2(a)
}

// isVersion05 reports whether a document without context is of version 0.5,
// whose badge is no address, and whose recipient is a text.
func isVersion05(doc map[string]any) bool {
	_, isText := doc["recipient"].(string)
	return isText || text(object(object(doc["badge"])["issuer"])["origin"]) != ""
}

// upgraded05 returns an assertion of 0.5 with its class and its issuer in the
// terms of 2.0, as far as they have the same ones.
func upgraded05(old map[string]any, at string) (a map[string]any, class, issuer *node) {
	badge := object(old["badge"])
	by := object(badge["issuer"])
	origin := strings.TrimSuffix(text(by["origin"]), "/")
	// Addresses may be paths at the issuer's origin.
	absolute := func(v any) string {
		if own := text(v); !strings.HasPrefix(own, "/") {
			return own
		}
		return origin + text(v)
	}
	identity := text(old["recipient"])
	a = map[string]any{"id": at, "recipient": map[string]any{
		"type": "email", "identity": identity, "hashed": oldHashForm.MatchString(identity), "salt": old["salt"],
	}}
	for now, before := range map[string]string{"issuedOn": "issued_on", "expires": "expires"} {
		if t, err := parseOldTime(old[before]); err == nil {
			a[now] = t.Format(time.RFC3339Nano)
		}
	}
	class = &node{doc: map[string]any{
		"name": badge["name"], "description": badge["description"], "image": absolute(badge["image"]), "criteria": absolute(badge["criteria"]),
	}}
	issuer = &node{doc: map[string]any{"name": by["name"], "url": origin}, identity: origin}
	return a, class, issuer
}

// check05 returns the first rule that an assertion of version 0.5 breaks, or "".
func check05(old map[string]any) string {
	badge := object(old["badge"])
	by := object(badge["issuer"])
	identity := text(old["recipient"])
	switch {
	case badge == nil:
		return "Assertion.badge is not an object"
	case by == nil:
		return "Assertion.badge.issuer is not an object"
	case !oldHashForm.MatchString(identity) && !emailForm.MatchString(identity):
		return "Assertion.recipient is neither an e-mail address nor a known hash"
	case old["salt"] != nil && text(old["salt"]) == "" && old["salt"] != any(""):
		return "Assertion.salt is not a text"
	case text(by["name"]) == "":
		return "Assertion.badge.issuer.name is missing"
	case !oldOriginForm.MatchString(text(by["origin"])):
		return "Assertion.badge.issuer.origin is not an origin"
	}
	for _, name := range []string{"name", "description", "image", "criteria"} {
		v := text(badge[name])
		address := name == "image" || name == "criteria"
		switch {
		case v == "":
			return "Assertion.badge." + name + " is missing"
		case address && !isURL(v) && !strings.HasPrefix(v, "/"):
			return "Assertion.badge." + name + " is not a web address"
		}
	}
	for _, name := range []string{"issued_on", "expires"} {
		if _, err := parseOldTime(old[name]); err != nil && old[name] != nil {
			return "Assertion." + name + " is not a time"
		}
	}
	return ""
}
