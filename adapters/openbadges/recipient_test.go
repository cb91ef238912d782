package openbadges

import (
	"encoding/json"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// Badges are issued to addresses of the web, DIDs and numbers as well; what
// is asked about is compared with whatever the badge says.
func TestOtherRecipients(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const page1, did = "https://example.org/people/1", "did:example:ebfeb1f712ebc6f1c276e12ec21"
	for name, tt := range map[string]struct {
		recipient doc
		asked     string
		want      core.VerdictStatus
	}{
		"page":          {doc{"type": "url", "hashed": false, "identity": page1}, page1, core.VerdictGenuine},
		"another page":  {doc{"type": "url", "hashed": false, "identity": page1}, page1 + "0", core.VerdictOtherRecipient},
		"hashed number": {doc{"type": "telephone", "hashed": true, "identity": "md5$" + "d9fe2ae8f1d9a2e0b1a8f9f9b6a0a2b1"}, "+15550100", core.VerdictOtherRecipient},
		"mail for page": {doc{"type": "url", "hashed": false, "identity": page1}, "nobody@example.org", core.VerdictOtherRecipient},
	} {
		w := hostedWorld()
		w.set(assertionURL, page{body: with(someAssertion(), doc{"recipient": tt.recipient})})
		v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL, Recipient: tt.asked})
		if v.Status != tt.want {
			t.Errorf("%s: %q (%s), want %q", name, v.Status, v.Reason, tt.want)
		}
	}
	subject := someCredential()["credentialSubject"].(doc)
	second := doc{"type": "IdentityObject", "identityType": "emailAddress", "hashed": false, "identityHash": "second@example.org"}
	raw, err := json.Marshal(prove(t, with(someCredential(), doc{"credentialSubject": with(subject, doc{
		"id": did, "identifier": append(append([]any{}, subject["identifier"].([]any)...), second, doc{
			"type": "IdentityObject", "identityType": "emailAddress", "hashed": true, "salt": "deadsea",
			"identityHash": "sha256$ECF5409F3F4B91AB60CC5EF4C02AEF7032354375E70CF4D8E43F6A1D29891942",
		}),
	})}), "eddsa-rdfc-2022", k.ed, didOf(k.ed), nil))
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]core.VerdictStatus{
		did: core.VerdictGenuine, "nobody@example.org": core.VerdictGenuine, "Second@example.org": core.VerdictGenuine,
		"third@example.org": core.VerdictOtherRecipient, did + "0": core.VerdictOtherRecipient,
	} {
		v := newWorld(nil).verifier().Verify(t.Context(), core.BadgeQuery{File: raw, Recipient: asked})
		if v.Status != want {
			t.Errorf("%s: %q (%s), want %q", asked, v.Status, v.Reason, want)
		}
	}
}
