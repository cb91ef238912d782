package openbadges

import (
	"bytes"
	"crypto"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// stands reports whether an issuer stands behind a proof that fits, or behind
// another one of the same document: a witness may have signed before it did.
func (s *session) stands(issuer string, p proof) (bool, string) {
	first := ""
	for {
		ok, detail := s.owns(issuer, p.by)
		if ok {
			return true, detail
		}
		if first == "" {
			first = detail
		}
		if p.next == nil {
			return false, first
		}
		if p = p.next(); p.finding != proofFits {
			return false, first
		}
	}
}

// owns reports whether an issuer stands behind a key, and says why.
//
// A key that a proof brings along, or that stands in its own identifier,
// shows that nothing was altered since, and nothing about who signed: then
// the issuer itself is asked whether the key is one of its keys.
func (s *session) owns(issuer string, by *method) (bool, string) {
	switch {
	case issuer == "" || by == nil:
		return false, "the badge names no issuer"
	case strings.HasPrefix(issuer, "did:"):
		return s.ownsByDID(issuer, by)
	case isURL(issuer):
		return s.ownsByAddress(issuer, by)
	default:
		return false, "the issuer's identifier is not one that could confirm a key"
	}
}

func (s *session) ownsByDID(issuer string, by *method) (bool, string) {
	if did, _, _ := strings.Cut(by.id, "#"); did == issuer {
		if by.controller != "" && by.controller != issuer {
			return false, "the key belongs to somebody else"
		}
		return true, "the key is the issuer's own, by its DID"
	}
	switch {
	case strings.HasPrefix(issuer, "did:key:"), strings.HasPrefix(issuer, "did:jwk:"):
		read := didKey
		if strings.HasPrefix(issuer, "did:jwk:") {
			read = didJWK
		}
		if own, err := read(issuer); err == nil && sameKey(own.key, by.key) {
			return true, "the key is the issuer's own, by its DID"
		}
		return false, "the key is not the one that the issuer is named by"
	case strings.HasPrefix(issuer, "did:web:"):
		doc, _, err := s.didDocument(issuer)
		if err != nil {
			return false, "the issuer's keys did not come: " + why(err)
		}
		if among(listed(doc, issuer), by.key) {
			return true, "the issuer lists the key"
		}
		return false, "the issuer does not list the key that signed"
	default:
		return false, "the issuer's DID is of a method that is not known"
	}
}

func (s *session) ownsByAddress(issuer string, by *method) (bool, string) {
	if by.controller != "" && by.from != "" && fold(by.controller) != fold(issuer) {
		return false, "the key belongs to somebody else"
	}
	near := by.from != "" && sameAuthority(by.from, issuer)
	doc, err := s.ownDocument(issuer)
	if err == nil && id(doc) != "" && fold(id(doc)) != fold(issuer) {
		return false, "the profile at the issuer's address is another's"
	}
	keys := listed(doc, issuer)
	switch {
	case err == nil && among(keys, by.key):
		return true, "the issuer lists the key"
	case err == nil && len(keys) > 0:
		// Then others on its host do not speak for it, nor does a key that
		// it took back.
		return false, "the issuer lists other keys than the one that signed"
	case near:
		return true, "the key lies on the issuer's host"
	case err != nil:
		return false, "nothing shows that the key is the issuer's: its profile did not come: " + why(err)
	}
	return false, "the issuer does not list the key that signed"
}

// listed are the keys that a document lists.
func listed(doc map[string]any, base string) []crypto.PublicKey {
	var keys []crypto.PublicKey
	for _, candidate := range assertionKeys(doc, base) {
		keys = append(keys, candidate.key)
	}
	sets := each(doc["keys"])
	if jwks := object(doc["jwks"]); jwks != nil {
		sets = append(sets, each(jwks["keys"])...)
	}
	for _, v := range sets[:min(len(sets), maxKeys)] {
		if jwk := object(v); jwk != nil {
			if key := keyOfJWK(jwk); key != nil {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func among(keys []crypto.PublicKey, key crypto.PublicKey) bool {
	return slices.ContainsFunc(keys, func(other crypto.PublicKey) bool { return sameKey(other, key) })
}

// sameKey compares public keys.
func sameKey(a, b crypto.PublicKey) bool {
	if a == nil || b == nil {
		return false
	}
	if one, ok := a.(*blsKey); ok {
		other, ok := b.(*blsKey)
		return ok && bytes.Equal(one.raw, other.raw)
	}
	first, err1 := (&jose.JSONWebKey{Key: a}).Thumbprint(crypto.SHA256)
	second, err2 := (&jose.JSONWebKey{Key: b}).Thumbprint(crypto.SHA256)
	return err1 == nil && err2 == nil && string(first) == string(second)
}
