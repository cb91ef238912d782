package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// method is a key, and what is known of whose it is.
type method struct {
	// id is the identifier by which the proof names it; empty when the proof
	// brought the key along.
	id string
	// controller is whom the document of the key names as its owner.
	controller string
	key        crypto.PublicKey
	// from is the address that the key was fetched from; empty when it
	// stands in the identifier or in the proof itself.
	from string
}

// errMethod says that a key is named in a way that is not understood.
var errMethod = errors.New("the key cannot be found")

func methodError(why string) error { return fmt.Errorf("%w: %s", errMethod, why) }

// method finds the key of a Data Integrity proof. Keys and documents of keys
// are never remembered.
func (s *session) method(v any) (*method, error) {
	own := ref(v)
	switch {
	case own == "":
		return nil, methodError("the proof names none")
	case strings.HasPrefix(own, "did:key:"):
		return didKey(own)
	case strings.HasPrefix(own, "did:jwk:"):
		return didJWK(own)
	case strings.HasPrefix(own, "did:web:"):
		return s.didWeb(own)
	case strings.HasPrefix(own, "did:"):
		return nil, methodError("it is named by a DID method that is not known")
	case !isURL(own):
		return nil, methodError("it is not named by an address")
	}
	address, fragment, _ := strings.Cut(own, "#")
	if key, err := multikey(fragment); err == nil {
		// The identifier is the key. Whose it is remains to be seen.
		return &method{id: own, key: key, controller: address}, nil
	}
	doc, err := s.ownDocument(address)
	if err != nil {
		return nil, err
	}
	return keyIn(doc, own, address)
}

// didKey reads a key from its identifier: https://w3c-ccg.github.io/did-key-spec/
func didKey(own string) (*method, error) {
	did, fragment, _ := strings.Cut(own, "#")
	value := strings.TrimPrefix(did, "did:key:")
	if fragment != "" && fragment != value {
		return nil, methodError("a did:key with another key behind it")
	}
	key, err := multikey(value)
	if err != nil {
		return nil, methodError("a did:key of a kind that is not known")
	}
	return &method{id: own, controller: did, key: key}, nil
}

// maxJWKBytes bounds a key that stands in its own identifier.
const maxJWKBytes = 8 << 10

// didJWK reads a key from its identifier:
// https://github.com/quartzjer/did-jwk/blob/main/spec.md
func didJWK(own string) (*method, error) {
	did, fragment, named := strings.Cut(own, "#")
	encoded := strings.TrimPrefix(did, "did:jwk:")
	if named && fragment != "0" || len(encoded) > maxJWKBytes {
		return nil, methodError("a did:jwk that is malformed")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return nil, methodError("a did:jwk that is malformed")
	}
	doc, err := parseObject(raw, maxJWKBytes)
	if err != nil {
		return nil, methodError("a did:jwk that is malformed")
	}
	// A key for encryption signs nothing.
	key := keyOfJWK(doc)
	if key == nil || doc["use"] != nil && doc["use"] != any("sig") {
		return nil, methodError("a did:jwk of a kind that is not known")
	}
	return &method{id: own, controller: did, key: key}, nil
}

// didWebAddress is where the document of a did:web lies:
// https://w3c-ccg.github.io/did-method-web/#read-resolve
func didWebAddress(did string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(did, "did:web:"), ":")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, "/?#@\\ ") {
			return "", methodError("a did:web that is malformed")
		}
		if i == 0 {
			parts[i] = plain
		} else {
			parts[i] = url.PathEscape(plain)
		}
	}
	if len(parts) == 1 {
		parts = append(parts, ".well-known")
	}
	return "https://" + strings.Join(parts, "/") + "/did.json", nil
}

// didWeb fetches the document of a did:web and finds the key in it.
func (s *session) didWeb(own string) (*method, error) {
	did, _, _ := strings.Cut(own, "#")
	doc, address, err := s.didDocument(did)
	if err != nil {
		return nil, err
	}
	for _, candidate := range assertionKeys(doc, did) {
		if candidate.id == own || own == did && len(assertionKeys(doc, did)) == 1 {
			candidate.from = address
			return candidate, nil
		}
	}
	return nil, methodError("the document of its DID does not let it assert anything")
}

func (s *session) didDocument(did string) (map[string]any, string, error) {
	address, err := didWebAddress(did)
	if err != nil {
		return nil, "", err
	}
	doc, err := s.ownDocument(address)
	if err != nil {
		return nil, "", err
	}
	if id(doc) != did {
		return nil, "", methodError("the document of its DID is that of another")
	}
	return doc, address, nil
}

// keyIn finds a key in the document behind its address: the key itself, or
// one of those that the document lists.
func keyIn(doc map[string]any, own, address string) (*method, error) {
	if key := keyOf(doc); key != nil {
		if named := id(doc); named != "" && fold(named) != fold(own) {
			return nil, methodError("the document at its address is another key")
		}
		return &method{id: own, controller: text(doc["controller"]), key: key, from: address}, nil
	}
	for _, candidate := range assertionKeys(doc, address) {
		if fold(candidate.id) == fold(own) {
			candidate.from = address
			return candidate, nil
		}
	}
	return nil, methodError("the document at its address does not list it")
}

// maxKeys is how many keys of a document are looked at, maxAsserted how many of
// the names of those that may assert something: each may be completed by the
// document's own, which is long.
const (
	maxKeys     = 32
	maxAsserted = 8 * maxKeys
)

// assertionKeys are the keys by which the subject of a document may assert
// something: https://www.w3.org/TR/cid-1.0/#assertion. A document that says
// nothing of assertions lets every key that it lists assert. base is what
// relative identifiers belong to.
func assertionKeys(doc map[string]any, base string) []*method {
	listed := append(each(doc["verificationMethod"]), each(doc["publicKey"])...)
	asserted, restricted := doc["assertionMethod"]
	var allowed []string
	names := each(asserted)
	for _, v := range names[:min(len(names), maxAsserted)] {
		if name, ok := v.(string); ok {
			allowed = append(allowed, absolute(name, base))
		} else if node := object(v); node != nil {
			allowed = append(allowed, absolute(id(node), base))
			listed = append(listed, node)
		}
	}
	var found []*method
	for _, v := range listed[:min(len(listed), maxKeys)] {
		node := object(v)
		if node == nil {
			continue
		}
		name := absolute(id(node), base)
		key := keyOf(node)
		if key == nil || restricted && !slices.Contains(allowed, name) {
			continue
		}
		found = append(found, &method{id: name, controller: text(node["controller"]), key: key})
	}
	// A list may also name keys that stand in their own identifiers.
	for _, name := range allowed[:min(len(allowed), maxKeys)] {
		if m, err := didKey(name); err == nil && strings.HasPrefix(name, "did:key:") {
			found = append(found, &method{id: name, key: m.key})
		} else if _, fragment, ok := strings.Cut(name, "#"); ok {
			if key, err := multikey(fragment); err == nil {
				found = append(found, &method{id: name, key: key})
			}
		}
	}
	return found
}

// absolute completes an identifier that is only a fragment.
func absolute(name, base string) string {
	if strings.HasPrefix(name, "#") {
		return base + name
	}
	return name
}

// keyOf reads the key of a verification method, or of a document that is a
// JWK; nil when there is none that is understood.
func keyOf(node map[string]any) crypto.PublicKey {
	if s := text(node["publicKeyMultibase"]); s != "" {
		if key, err := multikey(s); err == nil {
			return key
		}
		return nil
	}
	if s := text(node["publicKeyBase58"]); s != "" && isA(node, "Ed25519VerificationKey2018") {
		// How documents of DIDs wrote them before: without a mark.
		if raw, err := multibase("z" + s); err == nil && len(raw) == ed25519.PublicKeySize {
			return ed25519.PublicKey(raw)
		}
		return nil
	}
	if jwk := object(node["publicKeyJwk"]); jwk != nil {
		return keyOfJWK(jwk)
	}
	if s := text(node["publicKeyPem"]); s != "" {
		if key, err := parsePEM(s); err == nil && fitKey(key) {
			return key
		}
		return nil
	}
	if text(node["kty"]) != "" {
		return keyOfJWK(node)
	}
	return nil
}

func keyOfJWK(doc map[string]any) crypto.PublicKey {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil || !jwk.Valid() {
		return nil
	}
	if !jwk.IsPublic() {
		// A published private key proves nothing of anybody.
		return nil
	}
	if !fitKey(jwk.Key) {
		return nil
	}
	return jwk.Key
}

// Bounds of RSA keys. Shorter ones can be broken, longer ones take long.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// fitKey reports whether a key is of a kind and size that is accepted.
func fitKey(key crypto.PublicKey) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits && k.N.Bit(0) == 1 && k.E >= 3 && k.E&1 == 1
	case *ecdsa.PublicKey:
		return true
	case ed25519.PublicKey:
		return len(k) == ed25519.PublicKeySize
	case *blsKey:
		return true // Its form was looked at when it was read.
	default:
		return false
	}
}

// tokenKey finds the key of a token: by its address, or in the token.
func (s *session) tokenKey(t *signed, issuer string) (*method, error) {
	kid := t.header.KeyID
	embedded := t.header.JSONWebKey
	if strings.HasPrefix(issuer, "did:") && kid != "" && !strings.Contains(kid, ":") {
		kid = issuer + "#" + strings.TrimPrefix(kid, "#")
	}
	switch {
	case strings.HasPrefix(kid, "did:"):
		return s.method(kid)
	case isURL(kid):
		return s.keyAt(kid)
	case embedded != nil:
		if !fitKey(embedded.Key) {
			return nil, methodError("it is too weak, or of a kind that is not known")
		}
		return &method{key: embedded.Key}, nil
	case kid != "" && isURL(issuer):
		return s.keyAt(issuer + "#" + strings.TrimPrefix(kid, "#"))
	default:
		return nil, methodError("the token names none")
	}
}

// keyAt fetches the key of a token: a JWK, one of a set, or one that a
// document lists.
func (s *session) keyAt(kid string) (*method, error) {
	address, fragment, _ := strings.Cut(kid, "#")
	doc, err := s.ownDocument(address)
	if err != nil {
		return nil, err
	}
	if set := each(doc["keys"]); len(set) > 0 {
		for _, v := range set[:min(len(set), maxKeys)] {
			jwk := object(v)
			if jwk == nil {
				continue
			}
			name := text(jwk["kid"])
			if len(set) == 1 || name != "" && (name == kid || name == fragment) {
				if key := keyOfJWK(jwk); key != nil {
					return &method{id: kid, key: key, from: address}, nil
				}
			}
		}
		return nil, methodError("the set of keys does not hold it")
	}
	if text(doc["kty"]) != "" {
		if key := keyOfJWK(doc); key != nil {
			return &method{id: kid, key: key, from: address}, nil
		}
		return nil, methodError("it is too weak, or of a kind that is not known")
	}
	return keyIn(doc, kid, address)
}
