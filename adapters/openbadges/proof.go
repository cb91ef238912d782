package openbadges

import (
	"errors"

	"github.com/laurelbot/laurel/internal/fetch"
)

// oneProof judges one proof over a document without its proofs:
// https://www.w3.org/TR/vc-data-integrity/#verify-proof
func (s *session) oneProof(bare, p map[string]any) proof {
	kind, known := s.suite(p)
	switch {
	case !known:
		return proof{detail: "its proof is of a kind that is not known"}
	case text(p["proofPurpose"]) != "assertionMethod":
		return proof{detail: "its proof is not meant to assert anything"}
	}
	if v := p["created"]; v != nil {
		if _, err := parseTime(text(v)); err != nil {
			return proof{detail: "its proof has no readable date"}
		}
	}
	signature, err := multibase(text(p["proofValue"]))
	if err != nil {
		return proof{finding: proofAltered, detail: "the value of its proof is no signature"}
	}
	by, err := s.method(p["verificationMethod"])
	if err != nil {
		return unresolved(err)
	}
	made, ok := kind.scheme(by.key)
	switch {
	case !ok:
		return proof{detail: "its key is not of the kind that its proof needs"}
	case s.ctx.Err() != nil:
		// What follows takes time that nothing interrupts.
		return proof{finding: proofUnreachable, detail: "there was no time left to check the signature"}
	}
	fits, err := proofFitsKey(bare, p, signature, kind, made)
	switch {
	case errors.Is(err, errContext):
		return proof{finding: proofAltered, detail: "its proof was made for other contexts"}
	case errors.Is(err, errDerived):
		return proof{finding: proofAltered, detail: err.Error()}
	case errors.Is(err, errBaseProof), errors.Is(err, errBBSOption), errors.Is(err, errBBSLarge):
		return proof{detail: err.Error()}
	case err != nil:
		return proof{finding: proofUncovered, detail: "what the proof covers cannot be worked out: " + err.Error()}
	case !fits:
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
	return proof{finding: proofFits, detail: "the signature fits", by: by, partial: kind.selective}
}

// proofFitsKey reports whether the value of a proof was made with a key.
func proofFitsKey(bare, p map[string]any, signature []byte, kind suite, made scheme) (bool, error) {
	switch {
	case kind.bbs != nil:
		return bbsDisclosedFits(bare, p, signature, kind, made)
	case kind.selective:
		return disclosedFits(bare, p, signature, kind, made)
	}
	if len(signature) != made.size {
		return false, nil
	}
	data, err := kind.signingInput(bare, p, made.hash)
	return err == nil && made.fits(data, signature), err
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
	if _, ok := by.key.(*blsKey); ok {
		return proof{detail: "its key is not of the kind that its proof needs"}
	}
	if !t.fits(by.key) {
		return proof{finding: proofAltered, detail: "the signature does not fit"}
	}
	return proof{finding: proofFits, detail: "the signature fits", by: by}
}
