package openbadges

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// Keys that can be broken, or are no public keys, prove nothing.
func TestUnfitKeys(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	k := testKeys()
	for name, p := range map[string]page{
		"weak":          {body: jwkOf(t, weak.Public(), "")},
		"weak, in PEM":  {body: doc{"id": kidURL, "publicKeyPem": pemOf(t, weak.Public())}},
		"private":       {body: jwkOf(t, k.rsa, "")},
		"symmetric":     {body: doc{"kty": "oct", "k": b64("0123456789abcdef0123456789abcdef")}},
		"unknown curve": {body: doc{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}},
		"nonsense":      {body: doc{"kty": "RSA", "n": 5, "e": []any{}}},
		"multibase":     {body: doc{"publicKeyMultibase": "zAAAA"}},
		"no key":        {body: doc{"id": kidURL}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := k.rsa
			if strings.HasPrefix(name, "weak") {
				key = weak
			}
			text := token(t, claimsOf(nil), jose.RS256, key, doc{"kid": kidURL})
			w := newWorld(map[string]page{"https://example.org/jwks": p})
			wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), core.VerdictUnknown)
		})
	}
}
