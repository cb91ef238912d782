package openbadges

import (
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// costly are hostile inputs each part of which is within its bounds, and which
// are dear where one part is gone through for each of another.
func costly(t *testing.T) []abuse {
	t.Helper()
	k := testKeys()
	const past = "2025-01-01T00:00:00Z"
	same := func(n int, one any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = one
		}
		return list
	}
	long := "_:" + strings.Repeat("a", 600_000)
	signedPages := func(issuer doc) map[string]page {
		pages := signedWorld(t).pages
		pages[issuerURL] = page{body: with(someIssuer(), issuer)}
		pages[listURL] = page{body: doc{"@context": "https://w3id.org/openbadges/v2", "type": "RevocationList", "id": listURL, "revokedAssertions": same(60_000, "b")}}
		return pages
	}
	signedBy := func(changes doc) string {
		return token(t, with(with(signedAssertionDoc(), doc{"expires": past}), changes), jose.RS256, k.rsa, nil)
	}
	own := prove(t, with(someCredential(), doc{
		"id": "urn:x:" + long, "validUntil": past, "credentialStatus": doc{"id": "https://example.org/list", "type": "1EdTechRevocationList"},
	}), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
	first := proveAs(t, with(someCredential(), doc{"validUntil": past}), "eddsa-jcs-2022", "urn:uuid:1")
	fat := prove(t, with(first, doc{"proof": nil}), "eddsa-jcs-2022", k.ed, didOf(k.ed), doc{"id": "urn:uuid:1", "x": long})["proof"]
	onItself := func(names ...any) doc {
		return with(first, doc{"proof": []any{doc{
			"id": "urn:uuid:2", "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
			"verificationMethod": didOf(k.ed), "proofValue": encode58(make([]byte, 64)), "previousProof": names,
		}, fat}})
	}
	farKeys := map[string]page{}
	var farProofs []any
	for _, c := range []string{"a", "b", "c"} {
		address := "https://example.org/" + strings.Repeat(c, 4000)
		farKeys[address] = page{body: doc{"id": address, "assertionMethod": same(49_000, "#")}}
		farProofs = append(farProofs, doc{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
			"verificationMethod": address + "#key", "proofValue": encode58(make([]byte, 64)),
		})
	}
	return []abuse{
		{"a long name in a long list, 2.0", fileOf(t, signedBy(doc{"id": long})), signedPages(doc{"publicKey": keyURL, "revocationList": listURL})},
		{"a long name in a long list, 3.0", fileOf(t, own), map[string]page{"https://example.org/list": {body: doc{"revokedCredential": same(60_000, "b")}}}},
		{"a long name among many keys", fileOf(t, signedBy(doc{"verification": doc{"type": "signed", "creator": doc{
			"type": "CryptographicKey", "id": long, "publicKeyPem": pemOf(t, k.rsa.Public()),
		}}})), signedPages(doc{"publicKey": same(24_000, "_:b")})},
		{"a proof that builds on one often", fileOf(t, onItself(same(1000, "urn:uuid:1")...)), nil},
		{"many short names at a long address", fileOf(t, with(first, doc{"proof": farProofs})), farKeys},
	}
}
