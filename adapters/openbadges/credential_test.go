package openbadges

import (
	"bytes"
	"compress/gzip"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// someCredential is an evidently made-up badge of version 3.0.
func someCredential() doc {
	return doc{
		"@context": []any{contextModel2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
		"id":       "https://example.org/credentials/1",
		"type":     []any{"VerifiableCredential", "OpenBadgeCredential"},
		"issuer":   doc{"id": didOf(testKeys().ed), "type": []any{"Profile"}, "name": "Example Body"},
		"name":     "Made-up Badge", "validFrom": "2024-05-01T10:00:00Z",
		"credentialSubject": doc{
			"type": []any{"AchievementSubject"},
			"identifier": []any{doc{
				"type": "IdentityObject", "identityType": "emailAddress", "hashed": true, "salt": "deadsea",
				"identityHash": "sha256$ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942",
			}},
			"achievement": doc{
				"id": "https://example.org/achievements/1", "type": []any{"Achievement"}, "name": "Made-up Badge",
				"description": "For nothing at all.", "criteria": doc{"narrative": "Be made up."},
			},
		},
	}
}

// plain turns values into what JSON decodes to.
func plain(t testing.TB, d doc) doc {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseObject(raw, maxListBytes)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func verify(t testing.TB, w *world, d doc) core.Verdict {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return w.verifier().Verify(t.Context(), core.BadgeQuery{File: raw, Recipient: "nobody@example.org"})
}

func TestCredential(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, suite := range []string{"eddsa-rdfc-2022", "eddsa-2022", "eddsa-jcs-2022"} {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			d := prove(t, someCredential(), suite, k.ed, didOf(k.ed)+"#"+multikeyOf(k.ed), nil)
			v := verify(t, newWorld(nil), d)
			wantStatus(t, v, core.VerdictGenuine)
			if v.Version != "3.0" || v.Issuer.Name != "Example Body" || !v.Issuer.Confirmed || v.Achievement.Name != "Made-up Badge" ||
				v.Recipient.Kind != "email" || !v.Recipient.Salted {
				t.Errorf("verdict %+v", v)
			}
			d["name"] = "Another Badge"
			wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
		})
	}
	t.Run("data model 1.1", func(t *testing.T) {
		t.Parallel()
		for _, suite := range []string{"Ed25519Signature2020", "eddsa-rdfc-2022"} {
			d := with(someCredential(), doc{
				"@context": []any{
					contextModel1, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
					"https://w3id.org/security/suites/ed25519-2020/v1", "https://w3id.org/security/data-integrity/v2",
				},
				"validFrom": nil, "issuanceDate": "2024-05-01T10:00:00Z", "expirationDate": "2027-01-01T00:00:00Z",
			})
			if suite == "Ed25519Signature2020" {
				d["@context"] = d["@context"].([]any)[:3]
			}
			v := verify(t, newWorld(nil), prove(t, d, suite, k.ed, didOf(k.ed), nil))
			wantStatus(t, v, core.VerdictGenuine)
			if v.ExpiresAt.Year() != 2027 {
				t.Errorf("%s: expires %v", suite, v.ExpiresAt)
			}
		}
	})
}

// Each case changes one thing before the badge is signed.
func TestCredentialRules(t *testing.T) {
	t.Parallel()
	k := testKeys()
	subject := func(changes doc) doc {
		return doc{"credentialSubject": with(someCredential()["credentialSubject"].(doc), changes)}
	}
	achievement := func(changes doc) doc {
		return subject(doc{"achievement": with(someCredential()["credentialSubject"].(doc)["achievement"].(doc), changes)})
	}
	identifier := func(changes doc) doc {
		return subject(doc{"identifier": []any{with(doc{
			"type": "IdentityObject", "identityType": "emailAddress", "hashed": false, "identityHash": "nobody@example.org",
		}, changes)}})
	}
	const genuine, malformed = core.VerdictGenuine, core.VerdictMalformed
	tests := []struct {
		name    string
		changes doc
		want    core.VerdictStatus
	}{
		{"achievement credential", doc{"type": []any{"VerifiableCredential", "AchievementCredential"}}, genuine},
		{"issuer as text", doc{"issuer": didOf(k.ed)}, genuine},
		{"valid until later", doc{"validUntil": "2027-01-01T00:00:00Z"}, genuine},
		{"plain recipient", identifier(nil), genuine},
		{"recipient by mailto", subject(doc{"identifier": nil, "id": "mailto:nobody@example.org"}), genuine},
		{"bare hash", identifier(doc{"hashed": true, "salt": "deadsea", "identityHash": "ecf5409f3f4b91ab60cc5ef4c02aef7032354375e70cf4d8e43f6a1d29891942"}), genuine},
		{"evidence", doc{"evidence": []any{doc{"type": []any{"Evidence"}, "narrative": "Done."}}}, genuine},

		{"other recipient", identifier(doc{"identityHash": "somebody@example.org"}), core.VerdictOtherRecipient},
		{"no e-mail recipient", subject(doc{"identifier": nil, "id": "did:example:1"}), core.VerdictOtherRecipient},
		{"expired", doc{"validUntil": "2026-01-01T00:00:00Z"}, core.VerdictExpired},
		{"future", doc{"validFrom": "2027-01-01T00:00:00Z"}, core.VerdictNotYetValid},
		{"two ends, one of them over", doc{"validUntil": "2030-01-01T00:00:00Z", "expirationDate": "2025-01-01T00:00:00Z"}, core.VerdictExpired},
		{"two ends, the other over", doc{"validUntil": "2025-01-01T00:00:00Z", "expirationDate": "2030-01-01T00:00:00Z"}, core.VerdictExpired},
		{"two ends, one unreadable", doc{"validUntil": "2030-01-01T00:00:00Z", "expirationDate": "never"}, malformed},
		{"two beginnings, one to come", doc{"issuanceDate": "2027-01-01T00:00:00Z"}, core.VerdictNotYetValid},
		{"another issuer", doc{"issuer": doc{"id": didOf(k.ed2), "type": "Profile"}}, core.VerdictIssuerNotConfirmed},
		{"issuer by URN", doc{"issuer": doc{"id": "urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10164", "type": "Profile"}}, core.VerdictIssuerNotConfirmed},
		{"issuer by an unknown DID", doc{"issuer": "did:example:1"}, core.VerdictIssuerNotConfirmed},
		{"issuer by an address that is down", doc{"issuer": "https://example.org/nothing"}, core.VerdictIssuerNotConfirmed},
		{"state of unknown kind", doc{"credentialStatus": doc{"id": "https://example.org/s", "type": "1EdTechRefresh"}}, core.VerdictUnknown},

		{"no badge", doc{"type": []any{"VerifiableCredential"}}, malformed},
		{"no credential", doc{"type": []any{"OpenBadgeCredential"}}, malformed},
		{"no id", doc{"id": nil}, malformed},
		{"no date", doc{"validFrom": nil}, malformed},
		{"no badge context", doc{"@context": []any{contextModel2, "https://www.w3.org/ns/credentials/examples/v2"}}, malformed},
		{"until before from", doc{"validUntil": "2020-01-01T00:00:00Z"}, malformed},
		{"issuer of another type", doc{"issuer": doc{"id": didOf(k.ed), "type": []any{"Achievement"}}}, malformed},
		{"subject of another type", subject(doc{"type": []any{"Achievement"}}), malformed},
		{"nobody", subject(doc{"identifier": nil}), malformed},
		{"no achievement", subject(doc{"achievement": nil}), malformed},
		{"achievement without type", achievement(doc{"type": nil}), malformed},
		{"achievement without name", achievement(doc{"name": nil}), malformed},
		{"achievement without description", achievement(doc{"description": nil}), malformed},
		{"achievement without criteria", achievement(doc{"criteria": nil}), malformed},
		{"achievement without id", achievement(doc{"id": nil}), malformed},
		{"identifier of another type", identifier(doc{"type": "Profile"}), malformed},
		{"identifier without hashed", identifier(doc{"hashed": nil}), malformed},
		{"evidence of another type", doc{"evidence": []any{doc{"type": []any{"Profile"}, "narrative": "Done."}}}, malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := prove(t, with(someCredential(), tt.changes), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
			wantStatus(t, verify(t, newWorld(nil), d), tt.want)
		})
	}
}

// Each case changes the proof.
func TestProofs(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const suite = "eddsa-rdfc-2022"
	own := didOf(k.ed)
	good := prove(t, someCredential(), suite, k.ed, own, nil)
	proof := func(changes doc) doc { return with(good, doc{"proof": with(good["proof"].(doc), changes)}) }
	tests := []struct {
		name string
		d    doc
		want core.VerdictStatus
	}{
		{"one of several", with(good, doc{"proof": []any{doc{"type": "SomeProof"}, good["proof"]}}), core.VerdictGenuine},
		{"none", with(good, doc{"proof": nil}), core.VerdictUnknown},
		{"empty", with(good, doc{"proof": []any{}}), core.VerdictUnknown},
		{"text", with(good, doc{"proof": "trust me"}), core.VerdictUnknown},
		{"unknown suite", proof(doc{"cryptosuite": "made-up-2030"}), core.VerdictUnknown},
		{"unknown type", proof(doc{"type": "RsaSignature2018"}), core.VerdictUnknown},
		{"other purpose", proof(doc{"proofPurpose": "authentication"}), core.VerdictUnknown},
		{"no method", proof(doc{"verificationMethod": nil}), core.VerdictUnknown},
		{"method without scheme", proof(doc{"verificationMethod": "example.org#key"}), core.VerdictUnknown},
		{"method of unknown scheme", proof(doc{"verificationMethod": "ftp://example.org/key"}), core.VerdictUnknown},
		{"unknown DID method", proof(doc{"verificationMethod": "did:example:1#key"}), core.VerdictUnknown},
		{"did:key of another kind", proof(doc{"verificationMethod": didOf(k.ec)}), core.VerdictUnknown},
		{"did:key of an unknown kind", proof(doc{"verificationMethod": "did:key:" + encode58([]byte("\xe7\x01somewhere on another curve......"))}), core.VerdictUnknown},
		{"did:key with another fragment", proof(doc{"verificationMethod": own + "#" + multikeyOf(k.ed2)}), core.VerdictUnknown},
		{"key that is down", proof(doc{"verificationMethod": "https://example.org/nothing#key"}), core.VerdictUnreachable},
		{"key on a private address", proof(doc{"verificationMethod": "https://127.0.0.1/key"}), core.VerdictUnknown},
		{"another key", proof(doc{"verificationMethod": didOf(k.ed2)}), core.VerdictAltered},
		{"no value", proof(doc{"proofValue": nil}), core.VerdictAltered},
		{"value of another base", proof(doc{"proofValue": "m" + b64("x")}), core.VerdictAltered},
		{"short value", proof(doc{"proofValue": encode58([]byte("short"))}), core.VerdictAltered},
		{"another date", proof(doc{"created": "2024-05-02T10:00:00Z"}), core.VerdictAltered},
		{"a term that no context defines", with(good, doc{"addedLater": "unsigned"}), core.VerdictUnknown},
		{"a context that is not known", with(good, doc{"@context": append(append([]any{}, good["@context"].([]any)...), "https://evil.example.net/context")}), core.VerdictUnknown},
		{"a type that no context defines, where another has to be", with(good, doc{"issuer": doc{"id": own, "type": []any{"Special"}}}), core.VerdictMalformed},
		{"terms of its own", with(good, doc{"@context": append(append([]any{}, good["@context"].([]any)...), doc{"x": "https://example.org/x"})}), core.VerdictUnknown},
		{
			"the proof expired", prove(t, someCredential(), suite, k.ed, own, doc{"expires": "2025-01-01T00:00:00Z"}), core.VerdictExpired,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, verify(t, newWorld(nil), tt.d), tt.want)
		})
	}
}

// What RDF can say is counted statement by statement, whatever its form.
func TestEverythingCounted(t *testing.T) {
	t.Parallel()
	k := testKeys()
	description := doc{
		"id": "urn:uuid:1", "type": []any{"ResultDescription"}, "name": "Grade", "resultType": "LetterGrade",
		"allowedValue": []any{"A", "B", "B", "A"}, "requiredValue": "B",
	}
	subject := someCredential()["credentialSubject"].(doc)
	achievement := with(subject["achievement"].(doc), doc{
		"resultDescription": []any{description, with(description, doc{"id": "urn:uuid:2", "allowedValue": []any{}})},
		"tag":               []any{"a", "a", "b"}, "creditsAvailable": 36, "inLanguage": "en-GB",
		"alignment": []any{
			doc{"type": []any{"Alignment"}, "targetName": "Same", "targetUrl": "https://example.org/same"},
			doc{"type": []any{"Alignment"}, "targetName": "Same", "targetUrl": "https://example.org/same"},
		},
	})
	d := with(someCredential(), doc{
		"credentialSubject": with(subject, doc{"achievement": achievement, "creditsEarned": 1.5}),
		"evidence":          []any{},
		"endorsement": []any{prove(t, doc{
			"@context": someCredential()["@context"], "id": "urn:uuid:3", "type": []any{"VerifiableCredential", "EndorsementCredential"},
			"issuer": doc{"id": didOf(k.ed2), "type": []any{"Profile"}}, "validFrom": "2024-05-01T10:00:00Z",
			"credentialSubject": doc{"id": "https://example.org/achievements/1", "type": []any{"EndorsementSubject"}},
		}, "eddsa-rdfc-2022", k.ed2, didOf(k.ed2), nil)},
	})
	for _, suite := range []string{"eddsa-rdfc-2022", "ecdsa-rdfc-2019"} {
		var key crypto.Signer = k.ed
		if suite == "ecdsa-rdfc-2019" {
			key = k.ec
		}
		v := verify(t, newWorld(nil), prove(t, with(d, doc{"issuer": didOf(key)}), suite, key, didOf(key), nil))
		wantStatus(t, v, core.VerdictGenuine)
		if len(v.Endorsements) != 1 || v.Endorsements[0].Status != core.VerdictGenuine {
			t.Errorf("endorsements %+v", v.Endorsements)
		}
	}
}

// Nothing can be added to a signed badge that its signature does not cover:
// JSON-LD drops what RDF cannot say, and the signature would fit.
func TestNothingCanBeAdded(t *testing.T) {
	t.Parallel()
	k := testKeys()
	good := prove(t, someCredential(), "eddsa-rdfc-2022", k.ed, didOf(k.ed), nil)
	stranger := doc{"type": "IdentityObject", "identityType": "emailAddress", "hashed": false, "identityHash": "nobody@example.org", "id": "relative"}
	subject := good["credentialSubject"].(doc)
	identifiers := append(append([]any{}, subject["identifier"].([]any)...), stranger)
	issuer := good["issuer"].(doc)
	for name, d := range map[string]doc{
		"recipient without a full name": with(good, doc{"credentialSubject": with(subject, doc{"identifier": identifiers})}),
		"second subject":                with(good, doc{"credentialSubject": []any{subject, with(subject, doc{"id": "relative"})}}),
		"picture by a relative address": with(good, doc{"image": "badge.png"}),
		"picture node":                  with(good, doc{"image": doc{"id": "badge.png", "type": "Image"}}),
		"evidence":                      with(good, doc{"evidence": []any{doc{"id": "x", "type": []any{"Evidence"}, "narrative": "y"}}}),
		"status":                        with(good, doc{"credentialStatus": doc{"id": "x", "type": "1EdTechRevocationList"}}),
		"type with a space":             with(good, doc{"type": append(append([]any{}, good["type"].([]any)...), "https://exa mple.org/")}),
		"unknown type":                  with(good, doc{"type": append(append([]any{}, good["type"].([]any)...), "Special")}),
		"unknown type inside":           with(good, doc{"issuer": with(issuer, doc{"type": []any{"Profile", "Special"}})}),
		"language that is none":         with(good, doc{"description": doc{"@value": "x", "@language": "not one"}}),
		"language that RDF drops":       with(good, doc{"description": doc{"@value": "x", "@language": "en_US"}}),
		"recipient by a strange host":   with(good, doc{"credentialSubject": with(subject, doc{"identifier": append(append([]any{}, subject["identifier"].([]any)...), with(stranger, doc{"id": "https://-/"}))})}),
		"recipient by a long address":   with(good, doc{"credentialSubject": with(subject, doc{"identifier": append(append([]any{}, subject["identifier"].([]any)...), with(stranger, doc{"id": "https://example.org/" + strings.Repeat("a", 2100)}))})}),
		"evidence by a strange host":    with(good, doc{"evidence": []any{doc{"id": "http://.", "type": []any{"Evidence"}, "narrative": "y"}}}),
		"picture by a strange host":     with(good, doc{"image": doc{"id": "https://a b/", "type": "Image"}}),
		"type by a strange address":     with(good, doc{"type": append(append([]any{}, good["type"].([]any)...), "https://-/")}),
		"term":                          with(good, doc{"achievement": "x"}),
		"keyword":                       with(good, doc{"@unknown": "x"}),
		"blank predicate":               with(good, doc{"_:b0": "x"}),
		"context inside":                with(good, doc{"issuer": with(issuer, doc{"@context": doc{"title": "https://schema.org/name"}, "title": "x"})}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verify(t, newWorld(nil), d)
			if v.Genuine() {
				t.Fatalf("genuine: %+v", v)
			}
			wantCheck(t, v, core.CheckSignature, core.CheckFailed)
		})
	}
}

// What is signed cannot be put so that it is not read: RDF knows one
// statement by several names and at several places.
func TestNothingCanBeHidden(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const own = "https://example.org/credentials/1"
	expired := prove(t, with(someCredential(), doc{
		"validUntil": "2025-01-01T00:00:00Z", "refreshService": doc{"id": own, "type": "1EdTechCredentialRefresh"},
		"@context": append(append([]any{}, someCredential()["@context"].([]any)...), "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"),
	}), "eddsa-rdfc-2022", k.ed, didOf(k.ed), nil)
	wantStatus(t, verify(t, newWorld(nil), expired), core.VerdictExpired)
	dateTime := doc{"@value": "2025-01-01T00:00:00Z", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
	for name, d := range map[string]doc{
		"by its full name":      with(expired, doc{"validUntil": nil, "https://www.w3.org/2018/credentials#validUntil": dateTime}),
		"as a set":              with(expired, doc{"validUntil": doc{"@set": []any{"2025-01-01T00:00:00Z"}}}),
		"as a value":            with(expired, doc{"validUntil": dateTime}),
		"in a list":             with(expired, doc{"validUntil": []any{"2025-01-01T00:00:00Z"}}),
		"taken away":            with(expired, doc{"validUntil": nil}),
		"at another place":      with(expired, doc{"validUntil": nil, "refreshService": doc{"id": own, "type": []any{"1EdTechCredentialRefresh", "VerifiableCredential"}, "validUntil": "2025-01-01T00:00:00Z"}}),
		"in a node of one list": with(expired, doc{"validUntil": nil, "refreshService": []any{doc{"id": own, "type": []any{"1EdTechCredentialRefresh", "VerifiableCredential"}, "validUntil": "2025-01-01T00:00:00Z"}}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := verify(t, newWorld(nil), d); v.Genuine() {
				t.Fatalf("genuine: %+v", v)
			}
		})
	}
}

// Whose a key is: each case names it in another way.
func TestIssuers(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const web, webDoc = "did:web:example.org:bodies:1", "https://example.org/bodies/1/did.json"
	didDocument := func(changes doc) page {
		return page{body: with(doc{
			"id": web, "assertionMethod": []any{web + "#key-0"},
			"verificationMethod": []any{doc{"id": web + "#key-0", "type": "Multikey", "controller": web, "publicKeyMultibase": multikeyOf(k.ed)}},
		}, changes)}
	}
	profile := func(changes doc) page { return page{body: with(doc{"id": issuerURL, "type": "Profile"}, changes)} }
	const genuine, noIssuer, unknown = core.VerdictGenuine, core.VerdictIssuerNotConfirmed, core.VerdictUnknown
	fragment := issuerURL + "#" + multikeyOf(k.ed)
	tests := []struct {
		name, issuer, method string
		pages                map[string]page
		want                 core.VerdictStatus
	}{
		{"did:web", web, web + "#key-0", map[string]page{webDoc: didDocument(nil)}, genuine},
		{"did:web, relative names", web, web + "#key-0", map[string]page{webDoc: didDocument(doc{
			"assertionMethod":    []any{"#key-0"},
			"verificationMethod": doc{"id": "#key-0", "controller": web, "publicKeyMultibase": multikeyOf(k.ed)},
		})}, genuine},
		{"did:web of a host", "did:web:example.org", "did:web:example.org#k", map[string]page{"https://example.org/.well-known/did.json": {body: doc{
			"id": "did:web:example.org", "assertionMethod": []any{doc{"id": "#k", "controller": "did:web:example.org", "publicKeyMultibase": multikeyOf(k.ed)}},
		}}}, genuine},
		{"did:web lists the did:key", web, didOf(k.ed), map[string]page{webDoc: didDocument(nil)}, genuine},
		{"did:web, a key of 2018", web, web + "#key-0", map[string]page{webDoc: didDocument(doc{"verificationMethod": doc{
			"id": "#key-0", "type": "Ed25519VerificationKey2018", "controller": web, "publicKeyBase58": encode58(multicodecOf(k.ed)[2:])[1:],
		}})}, genuine},
		{"did:web, a key of 2018 with a mark", web, web + "#key-0", map[string]page{webDoc: didDocument(doc{"verificationMethod": doc{
			"id": "#key-0", "type": "Ed25519VerificationKey2018", "controller": web, "publicKeyBase58": multikeyOf(k.ed)[1:],
		}})}, unknown},
		{"did:web, a key as JWK", web, web + "#key-0", map[string]page{webDoc: didDocument(doc{"verificationMethod": doc{
			"id": "#key-0", "type": "JsonWebKey", "controller": web, "publicKeyJwk": jwkOf(t, k.ed.Public(), ""),
		}})}, genuine},
		{"did:web without assertions", web, web + "#key-0", map[string]page{webDoc: didDocument(doc{"assertionMethod": []any{}})}, unknown},
		{"did:web of another", web, web + "#key-0", map[string]page{webDoc: didDocument(doc{"id": "did:web:example.com"})}, unknown},
		{"did:web down", web, web + "#key-0", map[string]page{webDoc: {err: errDown}}, core.VerdictUnreachable},
		{"did:web malformed", "did:web:example.org:..:x", "did:web:example.org:..:x#k", nil, unknown},
		{"did:web of a private address", "did:web:127.0.0.1", "did:web:127.0.0.1#k", nil, unknown},
		{"key in its name, listed", issuerURL, fragment, map[string]page{issuerURL: profile(doc{"assertionMethod": []any{fragment}})}, genuine},
		{"key in its name, listed as node", issuerURL, fragment, map[string]page{issuerURL: profile(doc{
			"verificationMethod": doc{"id": fragment, "publicKeyMultibase": multikeyOf(k.ed)},
		})}, genuine},
		{"key in its name, not listed", issuerURL, fragment, map[string]page{issuerURL: profile(nil)}, noIssuer},
		{"key in its name, another listed", issuerURL, fragment, map[string]page{issuerURL: profile(doc{"assertionMethod": []any{issuerURL + "#" + multikeyOf(k.ed2)}})}, noIssuer},
		{"key in its name, issuer down", issuerURL, fragment, nil, noIssuer},
		{"key in the name of another", issuerURL, "https://evil.example.net/#" + multikeyOf(k.ed), map[string]page{issuerURL: profile(nil)}, noIssuer},
		{"key document", issuerURL, "https://example.org/keys/1", map[string]page{
			"https://example.org/keys/1": {body: doc{"id": "https://example.org/keys/1", "controller": issuerURL, "publicKeyMultibase": multikeyOf(k.ed)}},
		}, genuine},
		{"key document, and another key listed", issuerURL, "https://example.org/keys/1", map[string]page{
			"https://example.org/keys/1": {body: doc{"controller": issuerURL, "publicKeyMultibase": multikeyOf(k.ed)}},
			issuerURL:                    profile(doc{"verificationMethod": doc{"id": issuerURL + "#k", "publicKeyMultibase": multikeyOf(k.ed2)}}),
		}, noIssuer},
		{"key document, and itself listed", issuerURL, "https://example.org/keys/1", map[string]page{
			"https://example.org/keys/1": {body: doc{"publicKeyMultibase": multikeyOf(k.ed)}},
			issuerURL:                    profile(doc{"jwks": doc{"keys": []any{jwkOf(t, k.ec.Public(), ""), jwkOf(t, k.ed.Public(), "")}}}),
		}, genuine},
		{"key document, and the profile is another's", issuerURL, "https://example.org/keys/1", map[string]page{
			"https://example.org/keys/1": {body: doc{"publicKeyMultibase": multikeyOf(k.ed)}}, issuerURL: profile(doc{"id": "https://example.org/other"}),
		}, noIssuer},
		{"key document, and nothing listed", issuerURL, "https://example.org/keys/1", map[string]page{
			"https://example.org/keys/1": {body: doc{"publicKeyMultibase": multikeyOf(k.ed)}}, issuerURL: profile(nil),
		}, genuine},
		{"key document of another on the host", issuerURL, "https://example.org/keys/2", map[string]page{
			"https://example.org/keys/2": {body: doc{"controller": "https://example.org/other", "publicKeyMultibase": multikeyOf(k.ed)}},
		}, noIssuer},
		{"key document elsewhere", issuerURL, "https://evil.example.net/key", map[string]page{
			"https://evil.example.net/key": {body: doc{"controller": issuerURL, "publicKeyMultibase": multikeyOf(k.ed)}}, issuerURL: profile(nil),
		}, noIssuer},
		{"key behind an open redirect", issuerURL, "https://example.org/go", map[string]page{
			"https://example.org/go":       {location: "https://evil.example.net/key"},
			"https://evil.example.net/key": {body: doc{"controller": issuerURL, "publicKeyMultibase": multikeyOf(k.ed)}}, issuerURL: profile(nil),
		}, unknown},
		{"issuer lists its key", issuerURL, issuerURL + "#k1", map[string]page{issuerURL: profile(doc{
			"verificationMethod": []any{doc{"id": issuerURL + "#k1", "controller": issuerURL, "publicKeyMultibase": multikeyOf(k.ed)}},
		})}, genuine},
		{"issuer does not list it", issuerURL, issuerURL + "#k2", map[string]page{issuerURL: profile(doc{
			"verificationMethod": []any{doc{"id": issuerURL + "#k1", "controller": issuerURL, "publicKeyMultibase": multikeyOf(k.ed)}},
		})}, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]page{})
			for address, p := range tt.pages {
				w.set(address, p)
			}
			d := with(someCredential(), doc{"issuer": doc{"id": tt.issuer, "type": []any{"Profile"}}})
			wantStatus(t, verify(t, w, prove(t, d, "eddsa-jcs-2022", k.ed, tt.method, nil)), tt.want)
		})
	}
}

// A newer version counts in place of the one that was handed in.
func TestRefresh(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const service = "https://example.org/refresh"
	old := with(someCredential(), doc{"refreshService": doc{"id": service, "type": "1EdTechCredentialRefresh"}, "validUntil": "2026-01-01T00:00:00Z"})
	sign := func(d doc) doc { return prove(t, d, "eddsa-jcs-2022", k.ed, didOf(k.ed), nil) }
	for _, tt := range []struct {
		name string
		page page
		want core.VerdictStatus
	}{
		{"renewed", page{body: sign(with(old, doc{"validUntil": "2028-01-01T00:00:00Z"}))}, core.VerdictGenuine},
		{"as a token", page{body: token(t, with(old, doc{"validUntil": "2028-01-01T00:00:00Z", "iss": didOf(k.ed)}), jose.EdDSA, k.ed, doc{"kid": didOf(k.ed)})}, core.VerdictGenuine},
		{"the same", page{body: sign(old)}, core.VerdictExpired},
		{"altered", page{body: with(sign(old), doc{"validUntil": "2028-01-01T00:00:00Z"})}, core.VerdictAltered},
		{"not there", page{status: 404}, core.VerdictExpired},
		{"down", page{err: errDown}, core.VerdictExpired},
		{"a page", page{body: "<html>"}, core.VerdictExpired},
		{"another badge", page{body: sign(with(old, doc{"id": "urn:uuid:1", "validUntil": "2028-01-01T00:00:00Z"}))}, core.VerdictExpired},
		{"another issuer's", page{body: prove(t, with(old, doc{"issuer": didOf(k.ed2), "validUntil": "2028-01-01T00:00:00Z"}), "eddsa-jcs-2022", k.ed2, didOf(k.ed2), nil)}, core.VerdictExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]page{service: tt.page})
			wantStatus(t, verify(t, w, sign(old)), tt.want)
			if n := w.times(service); n != 1 {
				t.Errorf("asked %d times, want once", n)
			}
		})
	}
}

// packList makes the encoded list of a status credential.
func packList(t testing.TB, bits int, set ...int) string {
	t.Helper()
	raw := make([]byte, bits/8)
	for _, i := range set {
		raw[i/8] |= 1 << (7 - i%8)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(b.Bytes())
}

func jwkOf(t testing.TB, key crypto.PublicKey, kid string) doc {
	t.Helper()
	raw, err := (&jose.JSONWebKey{Key: key, KeyID: kid}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var d doc
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}
