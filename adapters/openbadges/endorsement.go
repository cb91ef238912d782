package openbadges

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// Bounds of the endorsements of one badge, all together.
const (
	maxEndorsements       = 8
	maxEndorsementFetches = 24
)

// judged is an endorsement with the way to judge it.
type judged func(s *session) core.Endorsement

// endorsements judges those who vouch, at the same time. What becomes of them
// does not change what is said of the badge, nor do they take its fetches or
// more than half of its time.
func (s *session) endorsements(r *report, all []judged) {
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.v.maxTime/2)
	defer cancel()
	shared := &budget{most: maxEndorsementFetches, mostNodes: maxGraphNodes}
	found := make([]core.Endorsement, min(len(all), maxEndorsements))
	var wait sync.WaitGroup
	for i := range found {
		own := newReport(s.now)
		found[i].Status = core.VerdictUnknown
		s.beside(&wait, own, func() {
			found[i] = all[i](&session{v: s.v, ctx: ctx, now: s.now, r: own, budget: shared})
		})
	}
	wait.Wait()
	r.set(func(v *core.Verdict) { v.Endorsements = append(v.Endorsements, found...) })
	if len(all) > maxEndorsements {
		r.skip(core.CheckEndorsement, "there are more endorsements than are looked at")
	}
	r.pass(core.CheckEndorsement, "endorsements were looked at, each for itself")
}

// vouchers3 are the endorsements of a badge, its achievement and its issuer:
// https://www.imsglobal.org/spec/ob/v3p0#endorsementcredential
func vouchers3(doc map[string]any) []judged {
	achievement := object(object(doc["credentialSubject"])["achievement"])
	var embedded, tokens []judged
	for _, from := range []map[string]any{doc, object(doc["issuer"]), achievement, object(achievement["creator"])} {
		for _, v := range each(from["endorsement"]) {
			if e, ok := v.(map[string]any); ok {
				embedded = append(embedded, func(s *session) core.Endorsement {
					own := newReport(s.now)
					s.document3(e, own)
					return endorsement3(own, e)
				})
			}
		}
		for _, v := range each(from["endorsementJwt"]) {
			if e, ok := v.(string); ok {
				tokens = append(tokens, func(s *session) core.Endorsement {
					own := newReport(s.now)
					s.token(e, own)
					inside := map[string]any{}
					if t, err := readToken(e); err == nil {
						inside, _ = unwrap(t.claims)
					}
					return endorsement3(own, inside)
				})
			}
		}
	}
	return append(embedded, tokens...)
}

func endorsement3(own *report, doc map[string]any) core.Endorsement {
	v := own.verdict()
	issuer := v.Issuer.Name
	if issuer == "" {
		issuer = v.Issuer.ID
	}
	return core.Endorsement{Issuer: issuer, Comment: prose(text(object(doc["credentialSubject"])["endorsementComment"])), Status: v.Status}
}

// vouchers2 are the endorsements of an assertion, its class and its issuer.
func vouchers2(a map[string]any, class, issuer *node) []judged {
	var all []judged
	for _, n := range []*node{{doc: a}, class, issuer} {
		if n == nil {
			continue
		}
		about := []string{id(n.doc), n.identity}
		for _, v := range each(n.doc["endorsement"]) {
			all = append(all, func(s *session) core.Endorsement { return s.endorsement2(v, about) })
		}
	}
	return all
}

// endorsementRules2 are those of
// https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html#Endorsement
var endorsementRules2 = []property{
	{name: "id", kind: kindIRI, required: true},
	{name: "type", kind: kindTypes, required: true, many: true},
	{name: "claim", kind: kindObject, required: true, inside: []property{
		{name: "id", kind: kindIRI, required: true},
		{name: "endorsementComment", kind: kindText},
	}},
	{name: "issuer", kind: kindNode, required: true},
	{name: "issuedOn", kind: kindTime, required: true},
	{name: "expires", kind: kindTime},
	{name: "verification", kind: kindObject, required: true, inside: []property{
		{name: "type", kind: kindTypes, required: true},
		{name: "creator", kind: kindNode},
	}},
}

// endorsement2 judges an endorsement of Open Badges 2.0 of somebody or
// something with one of the names. As with a badge, only what lies at its
// address counts.
func (s *session) endorsement2(v any, about []string) core.Endorsement {
	found := core.Endorsement{}
	if embedded := object(v); embedded != nil {
		found.Issuer, found.Comment = shown(ref(embedded["issuer"])), prose(text(object(embedded["claim"])["endorsementComment"]))
	}
	if e, at := s.endorsementAt(ref(v), about); e != nil {
		found.Issuer, found.Comment = shown(ref(e["issuer"])), prose(text(object(e["claim"])["endorsementComment"]))
		if issuer := s.follow(e["issuer"], "Issuer", false); issuer != nil {
			found.Issuer = shown(text(issuer.doc["name"]))
			if b := checkProfile(issuer.doc); b != "" {
				s.r.fail(core.CheckFormat, core.VerdictMalformed, b)
			}
			s.scope(e, at, issuer)
		}
		s.validity2(e)
	}
	found.Status = s.r.verdict().Status
	return found
}

// endorsementAt fetches an endorsement and judges all but its issuer. It is
// nil when the verdict is found.
func (s *session) endorsementAt(own string, about []string) (e map[string]any, at string) {
	if !isURL(own) {
		s.r.noProof("nothing says where the endorsement is hosted")
		return nil, ""
	}
	e, from, err := s.document(own, maxDocumentBytes)
	var status *fetch.StatusError
	switch {
	case errors.As(err, &status) && status.Status == http.StatusGone:
		s.r.fail(core.CheckRevocation, core.VerdictRevoked, "its address answers 410: the endorsement was taken back")
		return nil, ""
	case err != nil:
		s.r.fail(core.CheckInput, unfetched(err), "the endorsement did not come: "+why(err))
		return nil, ""
	case isTrue(e["revoked"]):
		s.r.fail(core.CheckRevocation, core.VerdictRevoked, "the endorsement says that it was taken back")
		return nil, ""
	}
	e = upgraded(e, "Endorsement", "")
	broken := breach(e, "Endorsement", endorsementRules2)
	switch {
	case broken != "":
	case version2(e) != version20 || isCredential(e) || !isA(e, "Endorsement"):
		broken = "it is no Endorsement of Open Badges 2.0"
	case fold(id(e)) != fold(own) && fold(id(e)) != fold(from):
		broken = "it does not stand at the address that it names as its own"
	case !slices.ContainsFunc(about, func(name string) bool { return name != "" && fold(name) == fold(id(object(e["claim"]))) }):
		broken = "it vouches for something else"
	}
	if broken != "" {
		s.r.fail(core.CheckFormat, core.VerdictMalformed, broken)
		return nil, ""
	}
	if !isHosted(e) {
		s.r.noProof("a signed endorsement without its signature")
		return e, lies(own, from)
	}
	s.r.pass(core.CheckInput, "read at the endorsement's own address")
	s.r.pass(core.CheckFormat, "the rules of Open Badges 2.0 are kept")
	s.r.pass(core.CheckSignature, "not needed: the document comes from the endorsement's own address")
	s.r.pass(core.CheckRevocation, "its address answers, and does not call it revoked")
	return e, lies(own, from)
}
