package openbadges

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

const kidURL = "https://example.org/jwks#1"

// claimsOf is a credential as the payload of a token.
func claimsOf(changes doc) doc {
	return with(with(someCredential(), doc{
		"issuer": doc{"id": issuerURL, "type": []any{"Profile"}, "name": "Example Body"},
		"iss":    issuerURL, "jti": "https://example.org/credentials/1", "nbf": 1714557600, "iat": 1714557600,
	}), changes)
}

func TestTokenCredential(t *testing.T) {
	t.Parallel()
	k := testKeys()
	jwks := map[string]page{"https://example.org/jwks": {body: doc{"keys": []any{jwkOf(t, k.other.Public(), "0"), jwkOf(t, k.rsa.Public(), "1")}}}}
	single := map[string]page{"https://example.org/jwks": {body: jwkOf(t, k.rsa.Public(), "")}}
	profileWith := func(key any) map[string]page {
		return map[string]page{issuerURL: {body: doc{"id": issuerURL, "type": "Profile", "verificationMethod": doc{"id": issuerURL + "#k", "publicKeyJwk": key}}}}
	}
	nested := func(changes doc) doc {
		inner := with(someCredential(), doc{
			"@context": []any{contextModel1, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"},
			"issuer":   doc{"id": issuerURL, "type": []any{"Profile"}}, "validFrom": nil, "issuanceDate": "2024-05-01T10:00:00Z",
		})
		return with(doc{"vc": inner, "iss": issuerURL, "jti": inner["id"], "nbf": 1714557600}, changes)
	}
	kid := doc{"kid": kidURL}
	const genuine, unknown, noIssuer, malformed = core.VerdictGenuine, core.VerdictUnknown, core.VerdictIssuerNotConfirmed, core.VerdictMalformed
	tests := []struct {
		name   string
		claims doc
		alg    jose.SignatureAlgorithm
		key    any
		header doc
		pages  map[string]page
		want   core.VerdictStatus
	}{
		{"kid in a set", claimsOf(nil), jose.RS256, k.rsa, kid, jwks, genuine},
		{"kid of a single key", claimsOf(nil), jose.RS256, k.rsa, kid, single, genuine},
		{"nested", nested(nil), jose.RS256, k.rsa, kid, jwks, genuine},
		{"nested, dates in the claims only", nested(doc{"vc": with(nested(nil)["vc"].(doc), doc{"issuanceDate": nil})}), jose.RS256, k.rsa, kid, jwks, genuine},
		{"jwk that the issuer lists", claimsOf(nil), jose.ES256, k.ec, doc{"jwk": jose.JSONWebKey{Key: k.ec.Public()}}, profileWith(jwkOf(t, k.ec.Public(), "")), genuine},
		{"EdDSA by did:key", claimsOf(doc{"issuer": didOf(k.ed), "iss": didOf(k.ed)}), jose.EdDSA, k.ed, doc{"kid": didOf(k.ed)}, nil, genuine},
		{"audience", claimsOf(doc{"aud": "somebody"}), jose.RS256, k.rsa, kid, jwks, genuine},
		{"expires later", claimsOf(doc{"exp": 1900000000, "validUntil": "2030-03-17T17:46:40Z"}), jose.RS256, k.rsa, kid, jwks, genuine},

		{"jwk that nobody lists", claimsOf(nil), jose.RS256, k.rsa, doc{"jwk": jose.JSONWebKey{Key: k.rsa.Public()}}, map[string]page{issuerURL: {body: doc{"id": issuerURL}}}, noIssuer},
		{"jwk, issuer down", claimsOf(nil), jose.RS256, k.rsa, doc{"jwk": jose.JSONWebKey{Key: k.rsa.Public()}}, nil, noIssuer},
		{"key of another host", claimsOf(nil), jose.RS256, k.rsa, doc{"kid": "https://evil.example.net/jwk"}, map[string]page{
			"https://evil.example.net/jwk": {body: jwkOf(t, k.rsa.Public(), "")}, issuerURL: {body: doc{"id": issuerURL}},
		}, noIssuer},
		{"no key named", claimsOf(nil), jose.RS256, k.rsa, nil, nil, unknown},
		{"not in the set", claimsOf(nil), jose.RS256, k.rsa, doc{"kid": "https://example.org/jwks#7"}, jwks, unknown},
		{"key down", claimsOf(nil), jose.RS256, k.rsa, kid, nil, core.VerdictUnreachable},
		{"another key", claimsOf(nil), jose.RS256, k.other, kid, jwks, core.VerdictAltered},
		{"shared secret", claimsOf(nil), jose.HS256, []byte("0123456789abcdef0123456789abcdef"), kid, jwks, unknown},
		{"another issuer", claimsOf(doc{"iss": "https://example.com/issuer"}), jose.RS256, k.rsa, kid, jwks, malformed},
		{"another id", claimsOf(doc{"jti": "urn:uuid:1"}), jose.RS256, k.rsa, kid, jwks, malformed},
		{"another date", claimsOf(doc{"nbf": 1714557601}), jose.RS256, k.rsa, kid, jwks, malformed},
		{"another end", claimsOf(doc{"exp": 1900000000, "validUntil": "2031-03-17T17:46:40Z"}), jose.RS256, k.rsa, kid, jwks, malformed},
		{"another subject", claimsOf(doc{"sub": "did:example:1", "credentialSubject": with(someCredential()["credentialSubject"].(doc), doc{"id": "did:example:2"})}), jose.RS256, k.rsa, kid, jwks, malformed},
		{"expired", claimsOf(doc{"exp": 1750000000}), jose.RS256, k.rsa, kid, jwks, core.VerdictExpired},
		{"not yet", claimsOf(doc{"nbf": 1900000000, "validFrom": "2030-03-17T17:46:40Z"}), jose.RS256, k.rsa, kid, jwks, core.VerdictNotYetValid},
		{"date as text", claimsOf(doc{"nbf": "yesterday"}), jose.RS256, k.rsa, kid, jwks, malformed},
		{"no badge", claimsOf(doc{"credentialSubject": nil}), jose.RS256, k.rsa, kid, jwks, malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]page{})
			for address, p := range tt.pages {
				w.set(address, p)
			}
			text := token(t, tt.claims, tt.alg, tt.key, tt.header)
			v := w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text), Recipient: "nobody@example.org"})
			wantStatus(t, v, tt.want)
		})
	}
}

func TestTokenCredentialAltered(t *testing.T) {
	t.Parallel()
	k := testKeys()
	text := token(t, claimsOf(doc{"issuer": didOf(k.ed), "iss": didOf(k.ed)}), jose.EdDSA, k.ed, doc{"kid": didOf(k.ed)})
	v := newWorld(nil).verifier()
	wantStatus(t, v.Verify(t.Context(), core.BadgeQuery{Link: text}), core.VerdictGenuine)
	for i := 0; i < len(text); i += 1 + len(text)/300 {
		changed := []byte(text)
		changed[i] = altered(changed[i])
		if v.Verify(t.Context(), core.BadgeQuery{File: changed}).Genuine() {
			t.Fatalf("byte %d of %d changed, and still genuine", i, len(text))
		}
	}
}

// Mails and documents break tokens into lines; no other text is touched.
func TestTokenInLines(t *testing.T) {
	t.Parallel()
	k := testKeys()
	own := token(t, claimsOf(doc{"issuer": didOf(k.ed), "iss": didOf(k.ed)}), jose.EdDSA, k.ed, doc{"kid": didOf(k.ed)})
	broken := own[:50] + "\r\n  " + own[50:200] + "\n" + own[200:] + "\n"
	by := newWorld(nil).verifier()
	for _, q := range []core.BadgeQuery{{File: []byte(broken)}, {Link: broken}} {
		wantStatus(t, by.Verify(t.Context(), q), core.VerdictGenuine)
	}
	for _, text := range []string{"", "ey", "ey \n not a token", "https://example.org/a b", "ey.a b", strings.Repeat("ey ", maxDocumentBytes)} {
		if got := unbroken(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// A document that is only the envelope of a token is that token.
func TestEnveloped(t *testing.T) {
	t.Parallel()
	k := testKeys()
	text := token(t, claimsOf(doc{"issuer": didOf(k.ed), "iss": didOf(k.ed)}), jose.EdDSA, k.ed, doc{"kid": didOf(k.ed)})
	envelope := doc{"@context": contextModel2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt," + text}
	wantStatus(t, verify(t, newWorld(nil), envelope), core.VerdictGenuine)
	wantStatus(t, verify(t, newWorld(nil), with(envelope, doc{"id": "data:application/vc+jwt," + text[:len(text)-4] + "AAAA"})), core.VerdictAltered)
	for _, own := range []any{"data:application/vc+sd-jwt," + text, "data:application/vc+jwt,", "data:application/vc+jwt,x.y.z", text, 5, nil} {
		if v := verify(t, newWorld(nil), with(envelope, doc{"id": own})); v.Genuine() {
			t.Errorf("%v is genuine", own)
		}
	}
	inner := token(t, with(envelope, doc{"iss": didOf(k.ed)}), jose.EdDSA, k.ed, doc{"kid": didOf(k.ed)})
	wantStatus(t, verify(t, newWorld(nil), with(envelope, doc{"id": "data:application/vc+jwt," + inner})), core.VerdictMalformed)
}

// Every algorithm that is accepted, and the names of those that are not.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	k := testKeys()
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[jose.SignatureAlgorithm]crypto.Signer{
		jose.RS256: k.rsa, jose.RS384: k.rsa, jose.RS512: k.rsa, jose.PS256: k.rsa, jose.PS384: k.rsa, jose.PS512: k.rsa,
		jose.ES256: k.ec, jose.ES384: k.ec384, jose.ES512: p521, jose.EdDSA: k.ed,
	}
	if len(keys) != len(algorithms) {
		t.Errorf("%d algorithms are accepted, and %d tried", len(algorithms), len(keys))
	}
	for alg, key := range keys {
		w := newWorld(map[string]page{"https://example.org/jwks": {body: jwkOf(t, key.Public(), "")}})
		text := token(t, claimsOf(nil), alg, key, doc{"kid": kidURL})
		wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), core.VerdictGenuine)
		// A key of another kind fits nothing.
		other := crypto.Signer(k.ec)
		if key == other {
			other = k.ed
		}
		w.set("https://example.org/jwks", page{body: jwkOf(t, other.Public(), "")})
		wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), core.VerdictAltered)
	}
	secret := []byte(strings.Repeat("0123456789abcdef", 4))
	w := newWorld(map[string]page{"https://example.org/jwks": {body: doc{"kty": "oct", "k": b64(string(secret))}}})
	for _, alg := range []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512} {
		text := token(t, claimsOf(nil), alg, secret, doc{"kid": kidURL})
		wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)}), core.VerdictUnknown)
	}
}

// A key that stands in its own identifier, as did:jwk writes it.
func TestDIDJWK(t *testing.T) {
	t.Parallel()
	k := testKeys()
	name := func(key doc) string {
		raw, err := jcs(plain(t, key))
		if err != nil {
			t.Fatal(err)
		}
		return "did:jwk:" + b64(string(raw))
	}
	own := name(jwkOf(t, k.ec.Public(), ""))
	text := func(issuer, kid string) core.BadgeQuery {
		return core.BadgeQuery{File: []byte(token(t, claimsOf(doc{"issuer": issuer, "iss": issuer}), jose.ES256, k.ec, doc{"kid": kid}))}
	}
	for _, tt := range []struct {
		name        string
		issuer, kid string
		want        core.VerdictStatus
	}{
		{"by its DID", own, own, core.VerdictGenuine},
		{"by its only key", own, own + "#0", core.VerdictGenuine},
		{"by a relative name", own, "#0", core.VerdictGenuine},
		{"by the same key's other name", own, didOf(k.ec), core.VerdictGenuine},
		{"by a key it has not", own, own + "#1", core.VerdictUnknown},
		{"another's", name(jwkOf(t, k.ed.Public(), "")), own, core.VerdictIssuerNotConfirmed},
		{"another key", name(jwkOf(t, k.ed.Public(), "")), name(jwkOf(t, k.ed.Public(), "")), core.VerdictAltered},
		{"a private key", name(jwkOf(t, k.ec, "")), name(jwkOf(t, k.ec, "")), core.VerdictUnknown},
		{"a key for encryption", name(with(jwkOf(t, k.ec.Public(), ""), doc{"use": "enc"})), name(with(jwkOf(t, k.ec.Public(), ""), doc{"use": "enc"})), core.VerdictUnknown},
		{"no key", "did:jwk:" + b64("{}"), "did:jwk:" + b64("{}"), core.VerdictUnknown},
		{"no JSON", "did:jwk:AAAA", "did:jwk:AAAA", core.VerdictUnknown},
		{"padded", own + "=", own + "=", core.VerdictUnknown},
		{"long", "did:jwk:" + strings.Repeat("A", 20_000), "did:jwk:" + strings.Repeat("A", 20_000), core.VerdictUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, newWorld(nil).verifier().Verify(t.Context(), text(tt.issuer, tt.kid)), tt.want)
		})
	}
	ed := name(jwkOf(t, k.ed.Public(), ""))
	wantStatus(t, verify(t, newWorld(nil), prove(t, with(someCredential(), doc{"issuer": ed}), "eddsa-rdfc-2022", k.ed, ed+"#0", nil)), core.VerdictGenuine)
}
