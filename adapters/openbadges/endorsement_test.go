package openbadges

import (
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
)

func TestEndorsementsOfVersion2AreNamed(t *testing.T) {
	t.Parallel()
	w := hostedWorld()
	w.set(assertionURL, page{body: with(someAssertion(), doc{"endorsement": []any{"https://example.org/e/1", doc{
		"id": "https://example.org/e/2", "type": "Endorsement", "issuer": "https://example.com/issuer", "claim": doc{"id": assertionURL, "endorsementComment": "Good."},
	}}})})
	v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL})
	wantStatus(t, v, core.VerdictGenuine)
	wantCheck(t, v, core.CheckEndorsement, core.CheckNotDone)
	if len(v.Endorsements) != 2 || v.Endorsements[1].Comment != "Good." || v.Endorsements[1].Status != core.VerdictUnknown {
		t.Errorf("endorsements %+v", v.Endorsements)
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
	d := prove(t, with(someCredential(), doc{"endorsementJwt": []any{e, e[:len(e)-4] + "AAAA", "nonsense"}}), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
	v := verify(t, newWorld(nil), d)
	wantStatus(t, v, core.VerdictGenuine)
	if len(v.Endorsements) != 3 || v.Endorsements[0].Status != core.VerdictGenuine || v.Endorsements[0].Comment != "Good." ||
		v.Endorsements[1].Status != core.VerdictAltered || v.Endorsements[2].Status != core.VerdictMalformed {
		t.Errorf("endorsements %+v", v.Endorsements)
	}
}
