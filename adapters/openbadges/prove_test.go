package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"testing"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func encode58(raw []byte) string {
	n, out := new(big.Int).SetBytes(raw), []byte{}
	for mod := new(big.Int); n.Sign() > 0; {
		n.DivMod(n, big.NewInt(58), mod)
		out = append([]byte{base58Alphabet[mod.Int64()]}, out...)
	}
	for _, b := range raw {
		if b != 0 {
			break
		}
		out = append([]byte{'1'}, out...)
	}
	return "z" + string(out)
}

// multicodecOf is a public key behind the mark of its kind.
func multicodecOf(key crypto.Signer) []byte {
	switch public := key.Public().(type) {
	case ed25519.PublicKey:
		return append([]byte(ed25519Prefix), public...)
	case *ecdsa.PublicKey:
		prefix := p256Prefix
		if public.Curve == elliptic.P384() {
			prefix = p384Prefix
		}
		full, err := public.Bytes()
		if err != nil {
			panic(err)
		}
		return append([]byte(prefix+string(rune(2+full[len(full)-1]&1))), full[1:1+len(full)/2]...)
	default:
		panic("unknown kind of key")
	}
}

func multikeyOf(key crypto.Signer) string { return encode58(multicodecOf(key)) }

func didOf(key crypto.Signer) string { return "did:key:" + multikeyOf(key) }

// signData signs as proofs are signed.
func signData(t testing.TB, key crypto.Signer, hash crypto.Hash, data []byte) []byte {
	t.Helper()
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, data)
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum(hash, data))
		if err != nil {
			t.Fatal(err)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	default:
		t.Fatal("unknown kind of key")
		return nil
	}
}

// prove adds a proof of a suite by a key, named by a method.
func prove(t testing.TB, d doc, suite string, key crypto.Signer, method string, more doc) doc {
	t.Helper()
	d = plain(t, d)
	p := doc{
		"type": "DataIntegrityProof", "cryptosuite": suite, "created": "2024-05-01T10:00:00Z",
		"proofPurpose": "assertionMethod", "verificationMethod": method,
	}
	if suite == "Ed25519Signature2020" {
		p["type"] = suite
		delete(p, "cryptosuite")
	}
	p = plain(t, with(p, more))
	s := New(Options{}).session(t)
	kind, known := s.suite(p)
	if !known {
		kind, _ = s.suite(doc{"type": "Ed25519Signature2020"})
	}
	hash := crypto.SHA256
	if made, ok := kind.scheme(key.Public()); ok {
		hash = made.hash
	}
	data, err := kind.signingInput(d, p, hash)
	if err != nil {
		t.Fatal(err)
	}
	p["proofValue"] = encode58(signData(t, key, hash, data))
	d["proof"] = p
	return d
}
