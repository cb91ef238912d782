package openbadges

import (
	"net/http"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// hosted verifies an assertion at its address. Only what the address answers
// counts, never what was handed in. got is an answer that came from there
// already, or nil.
func (s *session) hosted(address string, got *fetch.Response) {
	for {
		if !isURL(address) {
			s.r.fail(core.CheckInput, core.VerdictMalformed, "a hosted badge without a web address")
			return
		}
		if !s.hop() {
			s.r.fail(core.CheckInput, core.VerdictUnreachable, "the badge leads from address to address")
			return
		}
		a, at, next := s.assertionAt(address, got)
		if a == nil && next == "" {
			return
		}
		if a != nil {
			s.hostedAssertion(a, at)
			return
		}
		s.r.warn(core.CheckInput, "the document names another address as its own, which is asked instead")
		address, got = next, nil
	}
}

// assertionAt reads an assertion from an address: the assertion and where it
// lies, or the address that it names as its own. It is neither when the
// verdict is found.
func (s *session) assertionAt(address string, got *fetch.Response) (a map[string]any, at, next string) {
	if got == nil {
		resp, err := s.get(address, core.MaxBadgeFileBytes, acceptBadge)
		if err != nil {
			s.r.fail(core.CheckInput, core.VerdictUnreachable, "the badge did not come: "+why(err))
			return nil, "", ""
		}
		got = &resp
	}
	switch {
	case got.Status == http.StatusGone:
		// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#hosted-revocation
		s.r.set(func(v *core.Verdict) { v.ID = shown(address) })
		s.r.fail(core.CheckRevocation, core.VerdictRevoked, "its address answers 410: the badge was taken back")
		return nil, "", ""
	case !got.OK():
		s.r.fail(core.CheckInput, core.VerdictUnreachable, "the badge did not come: "+why(&fetch.StatusError{Status: got.Status}))
		return nil, "", ""
	}
	doc, err := parseObject(got.Body, maxDocumentBytes)
	if err != nil {
		// A picture, a token, or something else behind the address.
		s.content(got)
		return nil, "", ""
	}
	if isCredential(doc) {
		s.document3(doc, s.r)
		return nil, "", ""
	}
	doc = upgraded(doc, "Assertion", address)
	own := id(doc)
	if version2(doc) == version05 {
		return doc, lies(address, got.URL), ""
	}
	if fold(own) == fold(address) || fold(own) == fold(got.URL) {
		return doc, lies(address, got.URL), ""
	}
	if !isURL(own) {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "a hosted badge whose id is no web address")
		return nil, "", ""
	}
	return nil, "", own
}

// lies says which of two addresses counts: the one that was asked, or, where
// it led to another host, the one that answered. An address that forwards
// anywhere would otherwise lend the name of its host to anybody.
func lies(asked, answered string) string {
	if sameAuthority(asked, answered) {
		return asked
	}
	return answered
}

// revokedFlag judges an assertion that says of itself that it is revoked;
// then nothing else has to be in it.
func (s *session) revokedFlag(a map[string]any) bool {
	if !isTrue(a["revoked"]) {
		return false
	}
	s.r.set(func(v *core.Verdict) { v.ID, v.Version = shown(id(a)), version20 })
	s.r.revoked("the badge says that it was taken back", a)
	return true
}

// hostedAssertion judges an assertion that was read at its own address.
func (s *session) hostedAssertion(a map[string]any, at string) {
	if s.revokedFlag(a) {
		return
	}
	version := version2(a)
	if version == version05 {
		s.hosted05(a, at)
		return
	}
	if version == "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "the context is not that of Open Badges")
		return
	}
	if b := notIssued(a); b != "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
		return
	}
	s.r.pass(core.CheckInput, "read at the badge's own address")
	if isOther(a) {
		s.describe(a, nil, nil, version)
		s.r.noProof(otherKind)
		return
	}
	if b := checkAssertion(a); b != "" {
		s.describe(a, nil, nil, version)
		s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
		return
	}
	if !isHosted(a) {
		s.describe(a, nil, nil, version)
		s.r.noProof("a signed badge without its signature")
		return
	}
	s.r.pass(core.CheckSignature, "not needed: the document comes from the badge's own address")
	c, p := s.chain(a, version, false)
	s.describe(a, c, p, version)
	if p != nil {
		s.scope(a, at, p)
	}
	s.r.pass(core.CheckRevocation, "its address answers, and does not call it revoked")
	s.validity2(a)
	s.recipient2(a)
	s.endorsements(s.r, vouchers2(a, c, p))
}

// otherKind says that an extension defines how a badge is verified.
const otherKind = "it is verified in a way that is not understood here"

// notIssued says what a document is that is no assertion, or "".
func notIssued(doc map[string]any) string {
	switch {
	case isA(doc, "Assertion"):
		return ""
	case isA(doc, "BadgeClass", "Issuer", "Profile"):
		return "not a badge that was issued to somebody, but a class or an issuer"
	case isA(doc, "Endorsement"):
		return "not a badge, but what somebody says of one"
	default:
		return ""
	}
}

// node is a class or an issuer, with the address that it was fetched from.
type node struct {
	doc map[string]any
	// identity is the address that the document is known by: its id, where
	// it was found there; otherwise where it was found. Empty when it stood
	// inside another document without an address of its own.
	identity string
	// met is the document that was found where the badge pointed, when it
	// names another one as the right one. Its rules hold as well.
	met map[string]any
}

// chain fetches the class and the issuer of an assertion and holds both
// against the rules. What is missing is nil, and the verdict knows. fresh says
// that the issuer must not be remembered.
func (s *session) chain(a map[string]any, version string, fresh bool) (class, issuer *node) {
	class = s.follow(a["badge"], "BadgeClass", false)
	if class == nil {
		return nil, nil
	}
	if b := checkClass(class.doc); b != "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
		return class, nil
	}
	issuer = s.follow(class.doc["issuer"], "Issuer", fresh)
	if issuer == nil {
		return class, nil
	}
	if b := checkProfile(issuer.doc); b != "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
		return class, nil
	}
	for _, doc := range []map[string]any{a, class.doc, issuer.doc} {
		broken, unknown := checkExtensions(doc)
		if broken != "" {
			s.r.fail(core.CheckFormat, core.VerdictMalformed, broken)
		}
		if unknown {
			s.r.skip(core.CheckSchema, "there are extensions whose schemas are not known")
		}
	}
	s.r.pass(core.CheckFormat, "badge, class and issuer keep the rules of Open Badges "+version)
	return class, issuer
}

// follow returns the node that a property points at. What stands embedded
// with a web address is fetched from there all the same.
func (s *session) follow(v any, class string, fresh bool) *node {
	own := ref(v)
	if embedded := object(v); embedded != nil && !isURL(own) {
		return &node{doc: upgraded(embedded, class, "")}
	}
	if !isURL(own) {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "the "+class+" has no web address")
		return nil
	}
	doc, from, err := s.known(own, fresh)
	if err != nil {
		s.r.fail(core.CheckInput, unfetched(err), "the "+class+" did not come: "+why(err))
		return nil
	}
	if isCredential(doc) || version2(doc) == "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, "the context of the "+class+" is not that of Open Badges")
		return nil
	}
	doc = upgraded(doc, class, own)
	named := id(doc)
	if fold(named) == fold(own) || fold(named) == fold(from) {
		return &node{doc: doc, identity: lies(named, from)}
	}
	// It calls itself something else. If that is an address where it stands
	// as well, it is right; otherwise only where it was found counts, so
	// that nobody takes on the name of another by writing it down.
	if isURL(named) {
		if other, from, err := s.known(named, fresh); err == nil {
			other = upgraded(other, class, named)
			if fold(id(other)) == fold(named) && !isCredential(other) {
				s.r.warn(core.CheckFormat, "the "+class+" names another address as its own, which was asked instead")
				return &node{doc: other, identity: lies(named, from), met: doc}
			}
		}
	}
	s.r.warn(core.CheckFormat, "the "+class+" does not stand at the address that it names as its own")
	return &node{doc: doc, identity: lies(own, from)}
}

// scope holds the assertion, which lies at that address, against what its
// issuer allows:
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#issuer-verification-properties
func (s *session) scope(a map[string]any, at string, issuer *node) {
	// What an issuer allows counts only if the issuer itself was fetched.
	if !isURL(issuer.identity) {
		s.r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, "the issuer has no web address that could confirm it")
		return
	}
	for _, profile := range []map[string]any{issuer.doc, issuer.met} {
		if b := outside(id(a), at, issuer.identity, object(profile["verification"])); b != "" {
			s.r.fail(core.CheckIssuer, core.VerdictIssuerNotConfirmed, b)
			return
		}
	}
	s.r.set(func(v *core.Verdict) { v.Issuer.Confirmed = true })
	s.r.pass(core.CheckIssuer, "the badge lies where its issuer allows")
}

// outside says why a badge lies outside of what an issuer allows, or "".
// Where nothing is said, the issuer's own host is allowed.
func outside(own, at, issuer string, rules map[string]any) string {
	if property := text(rules["verificationProperty"]); property != "" && property != "id" && property != "@id" {
		return "the issuer asks to be confirmed by a property that is not known"
	}
	if begins := texts(rules["startsWith"]); len(begins) > 0 && !startsWithAny(own, begins) {
		return "the badge's address does not begin as its issuer demands"
	}
	origins := texts(rules["allowedOrigins"])
	if len(origins) == 0 {
		origins = []string{authority(issuer)}
	}
	where := authority(at)
	for _, o := range origins {
		if authority("https://"+o) == where {
			return ""
		}
	}
	return "the badge lies on a host that its issuer does not name"
}

// startsWithAny compares addresses folded, so that http and https are alike.
// A prefix that is a whole host ends there: example.org is not example.org.evil.
func startsWithAny(address string, begins []string) bool {
	address = fold(address)
	for _, b := range begins {
		if b = fold(b); len(address) >= len(b) && address[:len(b)] == b {
			return true
		}
	}
	return false
}

// validity2 holds the dates of an assertion against the present.
func (s *session) validity2(a map[string]any) {
	issued, err := parseTime(text(a["issuedOn"]))
	if err != nil && a["issuedOn"] != nil {
		return // Judged by the rules already.
	}
	s.r.set(func(v *core.Verdict) { v.IssuedAt = issued })
	until, err := parseTime(text(a["expires"]))
	if err == nil {
		s.r.set(func(v *core.Verdict) { v.ExpiresAt = until })
	}
	switch {
	case issued.After(s.now):
		s.r.fail(core.CheckValidity, core.VerdictNotYetValid, "it is issued in the future")
	case err == nil && !until.After(s.now):
		s.r.fail(core.CheckValidity, core.VerdictExpired, "it expired")
	default:
		s.r.pass(core.CheckValidity, "issued, and not expired")
	}
}
