package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"maps"
	"math/big"
)

// canonicalize turns a document into the bytes that its proof covers. Names
// of nodes that have none are given out in an order that depends on the hash.
type canonicalize func(doc map[string]any, hash crypto.Hash) ([]byte, error)

// suite is a kind of Data Integrity proofs.
type suite struct {
	canonical canonicalize
	// linked documents and proofs are canonicalized as RDF.
	linked bool
	// elliptic proofs are made with ECDSA, the others with EdDSA.
	elliptic bool
	// selective proofs sign each statement for itself, so that the holder
	// may leave some out.
	selective bool
	// bbs proofs are selective ones by another scheme, whose points these are
	// and whose work is counted by spend; the others have none.
	bbs   *bbsGenerators
	spend func(work int) bool
}

// suite returns the kind of a proof, or false when it is not known:
// https://www.w3.org/TR/vc-di-eddsa/, https://www.w3.org/TR/vc-di-ecdsa/ and
// https://www.w3.org/TR/vc-di-bbs/
func (s *session) suite(p map[string]any) (suite, bool) {
	plain := func(doc map[string]any, _ crypto.Hash) ([]byte, error) { return jcs(doc) }
	switch {
	// What version 3.0 was begun with; its input is the same.
	case isA(p, "Ed25519Signature2020"):
		return suite{canonical: s.rdf, linked: true}, true
	case !isA(p, "DataIntegrityProof"):
		return suite{}, false
	}
	switch text(p["cryptosuite"]) {
	case "eddsa-rdfc-2022", "eddsa-2022": // The second is its name in drafts.
		return suite{canonical: s.rdf, linked: true}, true
	case "eddsa-jcs-2022":
		return suite{canonical: plain}, true
	case "ecdsa-rdfc-2019", "ecdsa-2019":
		return suite{canonical: s.rdf, linked: true, elliptic: true}, true
	case "ecdsa-jcs-2019":
		return suite{canonical: plain, elliptic: true}, true
	case "ecdsa-sd-2023":
		return suite{canonical: s.rdf, linked: true, elliptic: true, selective: true}, true
	case "bbs-2023":
		return suite{canonical: s.rdf, linked: true, selective: true, bbs: s.v.generators, spend: s.budget.work}, true
	default:
		return suite{}, false
	}
}

// scheme is how a key signs.
type scheme struct {
	// hash is that of what is signed.
	hash crypto.Hash
	// size of a signature in bytes.
	size int
	fits func(data, signature []byte) bool
	// bbs is the key of a proof whose signature is never shown.
	bbs *blsKey
}

// scheme returns how proofs of that kind are made with a key, or false when
// the key is none for them. A proof with ECDSA is hashed as its curve asks.
func (k suite) scheme(key crypto.PublicKey) (scheme, bool) {
	switch key := key.(type) {
	case ed25519.PublicKey:
		fits := func(data, signature []byte) bool { return ed25519.Verify(key, data, signature) }
		return scheme{hash: crypto.SHA256, size: ed25519.SignatureSize, fits: fits}, !k.elliptic && k.bbs == nil
	case *blsKey:
		return scheme{hash: crypto.SHA256, bbs: key}, k.bbs != nil
	case *ecdsa.PublicKey:
		switch {
		case !k.elliptic:
		case key.Curve == elliptic.P256():
			return ecdsaScheme(key, crypto.SHA256, 64), true
		case key.Curve == elliptic.P384() && !k.selective:
			return ecdsaScheme(key, crypto.SHA384, 96), true
		}
	}
	return scheme{}, false
}

// ecdsaScheme checks signatures that are both numbers behind one another, as
// RFC 7518 writes them.
func ecdsaScheme(key *ecdsa.PublicKey, hash crypto.Hash, size int) scheme {
	fits := func(data, signature []byte) bool {
		if len(signature) != size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size/2]), new(big.Int).SetBytes(signature[size/2:])
		return ecdsa.Verify(key, sum(hash, data), r, s)
	}
	return scheme{hash: hash, size: size, fits: fits}
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// errContext says that a proof names contexts that the document has not.
var errContext = errors.New("other contexts")

// configured returns the proof without its value as it is signed, and the
// document that belongs to it: both with the same contexts.
func (k suite) configured(bare, p map[string]any) (config, doc map[string]any, err error) {
	config = maps.Clone(p)
	delete(config, "proofValue")
	own := config["@context"]
	if own == nil {
		if k.linked {
			config["@context"] = bare["@context"]
		}
		return config, bare, nil
	}
	// The document's contexts have to begin with those of the proof, and
	// only the latter hold.
	mine, theirs := each(own), each(bare["@context"])
	if len(mine) > len(theirs) {
		return nil, nil, errContext
	}
	for i, c := range mine {
		if name, ok := c.(string); !ok || name != text(theirs[i]) {
			return nil, nil, errContext
		}
	}
	doc = maps.Clone(bare)
	doc["@context"] = own
	return config, doc, nil
}

// signingInput is what a proof signs: the hash of the canonical proof without
// its value, then the hash of the canonical document.
func (k suite) signingInput(bare, p map[string]any, hash crypto.Hash) ([]byte, error) {
	config, doc, err := k.configured(bare, p)
	if err != nil {
		return nil, err
	}
	head, err := k.canonical(config, hash)
	if err != nil {
		return nil, err
	}
	body, err := k.canonical(doc, hash)
	if err != nil {
		return nil, err
	}
	return append(sum(hash, head), sum(hash, body)...), nil
}
