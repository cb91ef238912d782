package openbadges

import (
	"net/http"
	"strings"

	"github.com/laurelbot/laurel/core"
)

// newer asks the issuer for a newer version of a badge whose proof fits, and
// returns that one with its own proof; otherwise the badge as it is. It is
// asked once, and each time:
// https://www.imsglobal.org/spec/ob/v3p0#refresh
func (s *session) newer(doc map[string]any, p proof) (map[string]any, proof) {
	service := object(doc["refreshService"])
	switch {
	case doc["refreshService"] == nil:
		return doc, p
	case service == nil || !isA(service, "1EdTechCredentialRefresh"):
		s.r.skip(core.CheckRefresh, "a newer version can be asked for in a way that is not known")
		return doc, p
	}
	resp, err := s.get(id(service), maxDocumentBytes, acceptBadge)
	switch {
	case err != nil:
		s.r.skip(core.CheckRefresh, "whether there is a newer version could not be asked: "+why(err))
		return doc, p
	case resp.Status == http.StatusNotFound || resp.OK() && len(resp.Body) == 0:
		s.r.pass(core.CheckRefresh, "there is no newer version")
		return doc, p
	case !resp.OK():
		s.r.skip(core.CheckRefresh, "whether there is a newer version was not answered")
		return doc, p
	}
	other, otherProof, ok := s.readCredential(resp.Body, maxDocumentBytes)
	switch {
	case !ok || !isCredential(other):
		s.r.skip(core.CheckRefresh, "what was answered as newer version is no credential")
		return doc, p
	case id(other) != id(doc) || ref(other["issuer"]) != ref(doc["issuer"]):
		s.r.warn(core.CheckRefresh, "what was answered as newer version is another badge")
		return doc, p
	}
	s.r.pass(core.CheckRefresh, "the issuer's present version was judged")
	return other, otherProof
}

// readCredential reads a credential in JSON or in a token, and judges its
// proof.
func (s *session) readCredential(body []byte, limit int) (map[string]any, proof, bool) {
	if compact := strings.TrimSpace(string(body)); looksLikeToken(compact) {
		t, err := readToken(compact)
		if err != nil {
			return nil, proof{}, false
		}
		doc, mismatch := unwrap(t.claims)
		return doc, s.tokenProof(t, ref(doc["issuer"])), mismatch == ""
	}
	// However long its list is, a credential has few values.
	if bound(body, false) != nil {
		return nil, proof{}, false
	}
	doc, err := s.parse(body, limit)
	if err != nil {
		return nil, proof{}, false
	}
	return doc, s.embeddedProof(doc), true
}
