package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// keys are made once: RSA keys take a while.
type keys struct {
	rsa, other *rsa.PrivateKey
	ec, ec384  *ecdsa.PrivateKey
	ed, ed2    ed25519.PrivateKey
}

var testKeys = sync.OnceValue(func() keys {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var k keys
	var err error
	k.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.other, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	k.ec384, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(err)
	k.ed = ed25519.NewKeyFromSeed([]byte(strings.Repeat("1", 32)))
	k.ed2 = ed25519.NewKeyFromSeed([]byte(strings.Repeat("2", 32)))
	return k
})

func pemOf(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	raw, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: raw}))
}

// token signs claims.
func token(t testing.TB, claims doc, alg jose.SignatureAlgorithm, key any, header doc) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, v := range header {
		options = options.WithHeader(jose.HeaderKey(name), v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(raw)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const keyURL, listURL = "https://example.org/key", "https://example.org/revoked"

func signedAssertionDoc() doc {
	return with(someAssertion(), doc{
		"id": "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6", "verification": doc{"type": "signed", "creator": keyURL},
	})
}

func signedWorld(t testing.TB) *world {
	t.Helper()
	return newWorld(map[string]page{
		classURL:  {body: someClass()},
		issuerURL: {body: with(someIssuer(), doc{"publicKey": keyURL, "revocationList": listURL})},
		keyURL: {body: doc{
			"@context": "https://w3id.org/openbadges/v2", "type": "CryptographicKey", "id": keyURL, "owner": issuerURL,
			"publicKeyPem": pemOf(t, testKeys().rsa.Public()),
		}},
		listURL: {body: doc{"@context": "https://w3id.org/openbadges/v2", "type": "RevocationList", "id": listURL, "revokedAssertions": []any{}}},
	})
}

func TestSignedBadge(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const mine, other = "urn:uuid:2d391246-6e0d-4dab-906c-b29770bd7aa6", "urn:uuid:00000000-6e0d-4dab-906c-b29770bd7aa6"
	list := func(entries ...any) map[string]page {
		return map[string]page{listURL: {body: doc{"type": "RevocationList", "id": listURL, "revokedAssertions": entries}}}
	}
	keyPage := func(changes doc) map[string]page {
		return map[string]page{keyURL: {body: with(doc{
			"type": "CryptographicKey", "id": keyURL, "owner": issuerURL, "publicKeyPem": pemOf(t, k.rsa.Public()),
		}, changes)}}
	}
	issuer := func(changes doc) map[string]page {
		return map[string]page{issuerURL: {body: with(someIssuer(), changes)}}
	}
	const revoked, unknown, noIssuer = core.VerdictRevoked, core.VerdictUnknown, core.VerdictIssuerNotConfirmed
	tests := []struct {
		name    string
		changes doc
		key     any
		alg     jose.SignatureAlgorithm
		pages   map[string]page
		want    core.VerdictStatus
	}{
		{"as it is", nil, nil, "", nil, core.VerdictGenuine},
		{"RS512", nil, nil, jose.RS512, nil, core.VerdictGenuine},
		{"SignedBadge", doc{"verification": doc{"type": "SignedBadge", "creator": keyURL}}, nil, "", nil, core.VerdictGenuine},
		{"no list", nil, nil, "", issuer(doc{"publicKey": []any{keyURL}}), core.VerdictGenuine},
		{"key as object", nil, nil, "", issuer(doc{"publicKey": doc{"id": keyURL}}), core.VerdictGenuine},
		{"key over http", nil, nil, "", issuer(doc{"publicKey": "http://example.org/key"}), core.VerdictGenuine},
		{"no creator", doc{"verification": doc{"type": "signed"}}, nil, "", nil, core.VerdictGenuine},
		{"lists others", nil, nil, "", list(other, doc{"id": other}, doc{"uid": "x"}), core.VerdictGenuine},

		{"by another key", nil, k.other, "", nil, core.VerdictAltered},
		{"by another key, none named", doc{"verification": doc{"type": "signed"}}, k.other, "", nil, core.VerdictAltered},
		{"listed as text", nil, nil, "", list(other, mine), revoked},
		{"listed as object", nil, nil, "", list(doc{"id": mine, "revocationReason": "cheated"}), revoked},
		{"listed by uid", doc{"uid": "123"}, nil, "", list(doc{"uid": "123"}), revoked},
		{"says so itself", doc{"revoked": true}, nil, "", nil, revoked},
		{"list down", nil, nil, "", map[string]page{listURL: {err: errDown}}, core.VerdictUnreachable},
		{"list of another type", nil, nil, "", map[string]page{listURL: {body: doc{"type": "Issuer", "revokedAssertions": []any{}}}}, unknown},
		{"list without entries", nil, nil, "", map[string]page{listURL: {body: doc{"type": "RevocationList"}}}, unknown},
		{"list with nonsense", nil, nil, "", list(7), unknown},
		{"key not named by the issuer", nil, nil, "", issuer(doc{"publicKey": "https://example.org/key2"}), noIssuer},
		{"issuer without key", nil, nil, "", issuer(nil), noIssuer},
		{"key of somebody else", nil, nil, "", keyPage(doc{"owner": "https://example.org/other"}), noIssuer},
		{"key with another id", nil, nil, "", keyPage(doc{"id": "https://example.org/key2"}), unknown},
		{"key without PEM", nil, nil, "", keyPage(doc{"publicKeyPem": "hello"}), unknown},
		{"key down", nil, nil, "", map[string]page{keyURL: {err: errDown}}, core.VerdictUnreachable},
		{
			"key inside the badge", doc{"verification": doc{"type": "signed", "creator": doc{
				"type": "CryptographicKey", "publicKeyPem": pemOf(t, k.other.Public()),
			}}}, k.other, "", nil, noIssuer,
		},
		{"expired", doc{"expires": "2025-01-01T00:00:00Z"}, nil, "", nil, core.VerdictExpired},
		{"future", doc{"issuedOn": "2027-01-01T00:00:00Z"}, nil, "", nil, core.VerdictNotYetValid},
		{"shared secret", nil, []byte(pemOf(t, k.rsa.Public())), jose.HS256, nil, unknown},
		{"no recipient", doc{"recipient": nil}, nil, "", nil, core.VerdictMalformed},
		{"hosted after all", doc{"verification": doc{"type": "hosted"}}, nil, "", nil, core.VerdictMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := signedWorld(t)
			for address, p := range tt.pages {
				w.set(address, p)
			}
			if tt.key == nil {
				tt.key = k.rsa
			}
			if tt.alg == "" {
				tt.alg = jose.RS256
			}
			text := token(t, with(signedAssertionDoc(), tt.changes), tt.alg, tt.key, nil)
			wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), tt.want)
		})
	}
}

// Whatever byte of a token is changed, it is not genuine any more.
func TestSignedBadgeAltered(t *testing.T) {
	t.Parallel()
	w := signedWorld(t)
	v := w.verifier()
	text := token(t, signedAssertionDoc(), jose.RS256, testKeys().rsa, nil)
	wantStatus(t, v.Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), core.VerdictGenuine)
	step := max(1, len(text)/120)
	for i := 0; i < len(text); i += step {
		changed := []byte(text)
		changed[i] = altered(changed[i])
		if got := v.Verify(t.Context(), core.BadgeQuery{File: changed}); got.Genuine() {
			t.Fatalf("byte %d of %d changed, and still genuine", i, len(text))
		}
	}
	// The last letter of base64 has bits that decode to nothing.
	last := []byte(text)
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") {
		if last[len(last)-1] = c; string(last) != text && v.Verify(t.Context(), core.BadgeQuery{File: last}).Genuine() {
			t.Fatalf("last letter %q, and still genuine", c)
		}
	}
	if got := v.Verify(t.Context(), core.BadgeQuery{File: []byte(text + "=")}); got.Genuine() {
		t.Error("genuine with padding")
	}
}

// altered changes a byte so that base64 and JSON stay what they are.
func altered(c byte) byte {
	switch c {
	case 'A':
		return 'B'
	case '.':
		return 'x'
	default:
		return 'A'
	}
}

func TestNoneIsNoAlgorithm(t *testing.T) {
	t.Parallel()
	text := token(t, signedAssertionDoc(), jose.RS256, testKeys().rsa, nil)
	parts := strings.Split(text, ".")
	for _, head := range []string{`{"alg":"none"}`, `{"alg":"None","typ":"JWT"}`, `{"typ":"JWT"}`} {
		forged := b64(head) + "." + parts[1] + "."
		wantStatus(t, signedWorld(t).verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(forged)}), core.VerdictUnknown)
	}
}
