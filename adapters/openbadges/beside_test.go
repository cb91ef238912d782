package openbadges

import (
	"errors"
	"net/http"
	"testing"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// panics answers everything, and falls over one address.
type panics struct {
	*world
	at string
}

func (p panics) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.String() == p.at {
		panic("unfit")
	}
	return p.world.RoundTrip(r)
}

// Whatever falls over while a badge is judged falls alone.
func TestNothingEndsTheProcess(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const at = "https://example.org/unfit"
	w := newWorld(map[string]page{})
	v := New(Options{Client: fetch.New(fetch.Options{Transport: panics{w, at}}), Clock: &fixed{at: present}})
	for name, changes := range map[string]doc{
		"state": {"credentialStatus": doc{"id": at, "type": "1EdTechRevocationList"}},
		"endorsement": {"endorsement": with(someCredential(), doc{"proof": doc{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod", "verificationMethod": at, "proofValue": encode58(make([]byte, 64)),
		}})},
	} {
		d := prove(t, with(someCredential(), changes), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
		got := v.Verify(t.Context(), fileOf(t, d))
		if want := map[bool]core.VerdictStatus{true: core.VerdictUnknown, false: core.VerdictGenuine}[name == "state"]; got.Status != want {
			t.Errorf("%s: %s, %s", name, got.Status, got.Reason)
		}
		if name == "endorsement" && (len(got.Endorsements) != 1 || got.Endorsements[0].Status != core.VerdictUnknown) {
			t.Errorf("endorsements %+v", got.Endorsements)
		}
	}
	if _, err := v.VerdictPicture(t.Context(), at); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("picture: %v", err)
	}
}
