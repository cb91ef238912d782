package openbadges

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"maps"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// maxProofs is how many proofs of one document are looked at.
const maxProofs = 4

// canonicalize turns a document into the bytes that its proof covers.
type canonicalize func(doc map[string]any) ([]byte, error)

// suite returns how a proof canonicalizes, or nil when it is not of a known
// kind: https://www.w3.org/TR/vc-di-eddsa/
func (s *session) suite(p map[string]any) canonicalize {
	switch {
	// What version 3.0 was begun with; its input is the same.
	case isA(p, "Ed25519Signature2020"):
		return s.v.rdf
	case !isA(p, "DataIntegrityProof"):
		return nil
	}
	switch text(p["cryptosuite"]) {
	case "eddsa-rdfc-2022", "eddsa-2022": // The second is its name in drafts.
		return s.v.rdf
	case "eddsa-jcs-2022":
		return func(doc map[string]any) ([]byte, error) { return jcs(doc) }
	default:
		return nil
	}
}

// embeddedProof judges the proofs of a document. One that fits is enough:
// https://www.imsglobal.org/spec/ob/v3p0#verification
func (s *session) embeddedProof(doc map[string]any) proof {
	proofs := each(doc["proof"])
	if len(proofs) == 0 {
		return proof{detail: "nobody signed it"}
	}
	bare := maps.Clone(doc)
	delete(bare, "proof")
	worst := proof{detail: "its proof is of a kind that is not known"}
	for _, v := range proofs[:min(len(proofs), maxProofs)] {
		p, ok := v.(map[string]any)
		if !ok {
			continue
		}
		got := s.oneProof(bare, p)
		if got.finding == proofFits {
			return got
		}
		// A proof that does not fit weighs more than one that is not known.
		if got.finding > worst.finding || worst.finding == proofUnknown && got.finding == proofUnknown {
			worst = got
		}
	}
	return worst
}

// oneProof judges one proof over a document without its proofs:
// https://www.w3.org/TR/vc-di-eddsa/#verify-proof-eddsa-rdfc-2022
func (s *session) oneProof(bare, p map[string]any) proof {
	canonical := s.suite(p)
	switch {
	case canonical == nil:
		return proof{detail: "its proof is of a kind that is not known"}
	case p["previousProof"] != nil:
		return proof{detail: "its proof builds on another one, which is not supported"}
	case text(p["proofPurpose"]) != "assertionMethod":
		return proof{detail: "its proof is not meant to assert anything"}
	}
	if v := p["created"]; v != nil {
		if _, err := parseTime(text(v)); err != nil {
			return proof{detail: "its proof has no readable date"}
		}
	}
	signature, err := multibase(text(p["proofValue"]))
	if err != nil || len(signature) != ed25519.SignatureSize {
		return proof{finding: proofAltered, detail: "the value of its proof is no signature"}
	}
	by, err := s.method(p["verificationMethod"])
	if err != nil {
		return unresolved(err)
	}
	key, ok := by.key.(ed25519.PublicKey)
	if !ok {
		return proof{detail: "its key is not of the kind that its proof needs"}
	}
	data, err := signingInput(bare, p, canonical)
	switch {
	case errors.Is(err, errContext):
		return proof{finding: proofAltered, detail: "its proof was made for other contexts"}
	case err != nil:
		return proof{detail: "what the proof covers cannot be worked out: " + err.Error()}
	case !ed25519.Verify(key, data, signature):
		return proof{finding: proofAltered, detail: "the signature does not fit"}
	}
	if v := p["expires"]; v != nil {
		until, err := parseTime(text(v))
		if err != nil {
			return proof{detail: "its proof has no readable end"}
		}
		if !until.After(s.now) {
			return proof{finding: proofExpired, detail: "the proof expired", by: by}
		}
	}
	return proof{finding: proofFits, detail: "the signature fits", by: by}
}

// unresolved says why there is no key.
func unresolved(err error) proof {
	switch {
	case errors.Is(err, errMethod), errors.Is(err, errNotJSON):
		return proof{detail: err.Error()}
	case errors.Is(err, fetch.ErrForbidden):
		return proof{detail: "the key did not come: " + why(err)}
	default:
		return proof{finding: proofUnreachable, detail: "the key did not come: " + why(err)}
	}
}

// errContext says that a proof names contexts that the document has not.
var errContext = errors.New("other contexts")

// signingInput is what an EdDSA proof signs: the hash of the canonical proof
// without its value, then the hash of the canonical document.
func signingInput(bare, p map[string]any, canonical canonicalize) ([]byte, error) {
	config := maps.Clone(p)
	delete(config, "proofValue")
	if own := config["@context"]; own != nil {
		// The document's contexts have to begin with those of the proof,
		// and only the latter hold.
		mine, theirs := each(own), each(bare["@context"])
		if len(mine) > len(theirs) {
			return nil, errContext
		}
		for i, c := range mine {
			if name, ok := c.(string); !ok || name != text(theirs[i]) {
				return nil, errContext
			}
		}
		bare = maps.Clone(bare)
		bare["@context"] = own
	} else {
		config["@context"] = bare["@context"]
	}
	head, err := canonical(config)
	if err != nil {
		return nil, err
	}
	body, err := canonical(bare)
	if err != nil {
		return nil, err
	}
	first, second := sha256.Sum256(head), sha256.Sum256(body)
	return append(first[:], second[:]...), nil
}

// tokenProof judges the signature of a token that holds a credential of that
// issuer: https://www.imsglobal.org/spec/ob/v3p0#jwt-proof
func (s *session) tokenProof(t *signed, issuer string) proof {
	if t.unfit != "" {
		return proof{detail: t.unfit}
	}
	by, err := s.tokenKey(t, issuer)
	if err != nil {
		return unresolved(err)
	}
	if !t.fits(by.key) {
		return proof{finding: proofAltered, detail: "the signature does not fit"}
	}
	return proof{finding: proofFits, detail: "the signature fits", by: by}
}

// endorsements3 judges the endorsements of a badge, its achievement and its
// issuer: https://www.imsglobal.org/spec/ob/v3p0#endorsementcredential
func (s *session) endorsements3(doc map[string]any, r *report) {
	achievement := object(object(doc["credentialSubject"])["achievement"])
	var embedded, tokens []any
	for _, from := range []map[string]any{doc, object(doc["issuer"]), achievement, object(achievement["creator"])} {
		embedded = append(embedded, each(from["endorsement"])...)
		tokens = append(tokens, each(from["endorsementJwt"])...)
	}
	left := maxEndorsements
	for _, v := range embedded {
		if e, ok := v.(map[string]any); ok && left > 0 {
			left--
			own := newReport(s.now)
			s.document3(e, own)
			reportEndorsement(r, own.verdict(), text(object(e["credentialSubject"])["endorsementComment"]))
		}
	}
	for _, v := range tokens {
		if e, ok := v.(string); ok && left > 0 {
			left--
			own := newReport(s.now)
			comment := ""
			if t, err := readToken(e); err == nil {
				inside, _ := unwrap(t.claims)
				comment = text(object(inside["credentialSubject"])["endorsementComment"])
			}
			s.token(e, own)
			reportEndorsement(r, own.verdict(), comment)
		}
	}
	if left < maxEndorsements {
		r.pass(core.CheckEndorsement, "endorsements were looked at, each for itself")
	}
}

func reportEndorsement(r *report, e core.Verdict, comment string) {
	issuer := e.Issuer.Name
	if issuer == "" {
		issuer = e.Issuer.ID
	}
	r.set(func(v *core.Verdict) {
		v.Endorsements = append(v.Endorsements, core.Endorsement{Issuer: issuer, Comment: prose(comment), Status: e.Status})
	})
}
