package openbadges

import (
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

// Endorsements of version 2.0 are judged as badges are: by what lies at their
// address, within what their own issuer allows. None of them changes the
// verdict about the badge.
func TestEndorsementsOfVersion2(t *testing.T) {
	t.Parallel()
	const at, endorser = "https://example.com/e", "https://example.com/issuer"
	good := doc{
		"@context": "https://w3id.org/openbadges/v2", "type": "Endorsement", "id": at, "issuer": endorser, "issuedOn": "2024-06-01T00:00Z",
		"claim": doc{"id": assertionURL, "endorsementComment": "Good."}, "verification": doc{"type": "HostedBadge"},
	}
	profile := with(someIssuer(), doc{"id": endorser, "name": "Accreditor", "url": "https://example.com"})
	const genuine, malformed = core.VerdictGenuine, core.VerdictMalformed
	for _, tt := range []struct {
		name  string
		page  page
		names any // What the badge says; an address when nil.
		want  core.VerdictStatus
	}{
		{"hosted", page{body: good}, nil, genuine},
		{"embedded, and hosted", page{body: good}, with(good, doc{"claim": doc{"id": assertionURL, "endorsementComment": "Bad."}}), genuine},
		{"embedded only", page{status: 404}, good, core.VerdictUnreachable},
		{"embedded without an address", page{}, with(good, doc{"id": nil}), core.VerdictUnknown},
		{"of the present", page{body: with(good, doc{"expires": "2030-01-01T00:00Z"})}, nil, genuine},
		{"expired", page{body: with(good, doc{"expires": "2025-01-01T00:00Z"})}, nil, core.VerdictExpired},
		{"of the future", page{body: with(good, doc{"issuedOn": "2030-01-01T00:00Z"})}, nil, core.VerdictNotYetValid},
		{"taken back", page{status: 410, body: good}, nil, core.VerdictRevoked},
		{"says that it was taken back", page{body: with(good, doc{"revoked": true})}, nil, core.VerdictRevoked},
		{"of another badge", page{body: with(good, doc{"claim": doc{"id": assertionURL + "0"}})}, nil, malformed},
		{"of nothing", page{body: with(good, doc{"claim": nil})}, nil, malformed},
		{"without a date", page{body: with(good, doc{"issuedOn": nil})}, nil, malformed},
		{"without an issuer", page{body: with(good, doc{"issuer": nil})}, nil, malformed},
		{"another type", page{body: with(good, doc{"type": "Assertion"})}, nil, malformed},
		{"another context", page{body: with(good, doc{"@context": "https://example.com/context"})}, nil, malformed},
		{"at another address", page{body: with(good, doc{"id": at + "/2"})}, nil, malformed},
		{"no JSON", page{body: "<html>"}, nil, malformed},
		{"signed", page{body: with(good, doc{"verification": doc{"type": "SignedBadge"}})}, nil, core.VerdictUnknown},
		{"outside of its issuer's host", page{body: with(good, doc{"issuer": issuerURL})}, nil, core.VerdictIssuerNotConfirmed},
		{"its issuer down", page{body: with(good, doc{"issuer": "https://example.com/nobody"})}, nil, core.VerdictUnreachable},
		{"its issuer malformed", page{body: with(good, doc{"issuer": classURL})}, nil, malformed},
		{"down", page{err: errDown}, nil, core.VerdictUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := hostedWorld()
			w.set(at, tt.page)
			w.set(endorser, page{body: profile})
			var names any = at
			if tt.names != nil {
				names = tt.names
			}
			w.set(assertionURL, page{body: with(someAssertion(), doc{"endorsement": names})})
			v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL})
			wantStatus(t, v, genuine)
			wantCheck(t, v, core.CheckEndorsement, core.CheckPassed)
			if len(v.Endorsements) != 1 || v.Endorsements[0].Status != tt.want {
				t.Fatalf("endorsements %+v, want %q", v.Endorsements, tt.want)
			}
			if tt.want == genuine && (v.Endorsements[0].Issuer != "Accreditor" || v.Endorsements[0].Comment != "Good.") {
				t.Errorf("endorsement %+v", v.Endorsements[0])
			}
		})
	}
}

// Classes, issuers and signed badges are endorsed as well. However many there
// are, they are bounded, and take nothing of what the badge itself needs.
func TestManyEndorsements(t *testing.T) {
	t.Parallel()
	endorsement := func(at, of string) page {
		return page{body: doc{
			"@context": "https://w3id.org/openbadges/v2", "type": "Endorsement", "id": at, "issuer": issuerURL, "issuedOn": "2024-06-01T00:00Z",
			"claim": doc{"id": of}, "verification": doc{"type": "hosted"},
		}}
	}
	w := signedWorld(t)
	w.set(classURL, page{body: with(someClass(), doc{"endorsement": "https://example.org/e/class"})})
	w.set("https://example.org/e/class", endorsement("https://example.org/e/class", classURL))
	issuer := w.pages[issuerURL].body.(doc)
	var many []any
	for range 60 {
		many = append(many, "https://example.org/e/issuer")
	}
	w.set(issuerURL, page{body: with(issuer, doc{"endorsement": many})})
	w.set("https://example.org/e/issuer", endorsement("https://example.org/e/issuer", issuerURL))
	text := token(t, signedAssertionDoc(), jose.RS256, testKeys().rsa, nil)
	v := w.verifier().Verify(t.Context(), core.BadgeQuery{File: []byte(text)})
	wantStatus(t, v, core.VerdictGenuine)
	if len(v.Endorsements) != maxEndorsements {
		t.Fatalf("%d endorsements", len(v.Endorsements))
	}
	for _, e := range v.Endorsements {
		if e.Status != core.VerdictGenuine {
			t.Errorf("endorsement %+v", e)
		}
	}
	if n := w.times("https://example.org/e/issuer"); n > maxEndorsements {
		t.Errorf("asked %d times", n)
	}
}

func TestEndorsementTokens(t *testing.T) {
	t.Parallel()
	k := testKeys()
	e := token(t, doc{
		"@context": someCredential()["@context"], "id": "urn:uuid:1", "type": []any{"VerifiableCredential", "EndorsementCredential"},
		"issuer": doc{"id": didOf(k.ed2), "type": []any{"Profile"}, "name": "Accreditor"}, "iss": didOf(k.ed2), "validFrom": "2024-05-01T10:00:00Z",
		"credentialSubject": doc{"id": "https://example.org/achievements/1", "type": []any{"EndorsementSubject"}, "endorsementComment": "Good."},
	}, jose.EdDSA, k.ed2, doc{"kid": didOf(k.ed2)})
	// 1EdTech added the term to its context in June 2026.
	d := prove(t, with(someCredential(), doc{"endorsementJwt": []any{e, e[:len(e)-4] + "AAAA", "nonsense"}}), "eddsa-rdfc-2022", k.ed, didOf(k.ed), nil)
	v := verify(t, newWorld(nil), d)
	wantStatus(t, v, core.VerdictGenuine)
	if len(v.Endorsements) != 3 || v.Endorsements[0].Status != core.VerdictGenuine || v.Endorsements[0].Comment != "Good." ||
		v.Endorsements[1].Status != core.VerdictAltered || v.Endorsements[2].Status != core.VerdictMalformed {
		t.Errorf("endorsements %+v", v.Endorsements)
	}
}
