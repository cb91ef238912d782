package openbadges

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/laurelbot/laurel/core"
	"github.com/laurelbot/laurel/internal/fetch"
)

// meeting answers certain addresses only when all of them were asked at the
// same time.
type meeting struct {
	*world
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

func (m *meeting) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	here, awaited := m.waiting[r.URL.String()]
	delete(m.waiting, r.URL.String())
	if awaited && len(m.waiting) == 0 {
		close(here)
	}
	m.mu.Unlock()
	if awaited {
		select {
		case <-here:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return m.world.RoundTrip(r)
}

// together verifies over servers that answer only when those addresses were
// asked at the same time.
func together(t *testing.T, w *world, q core.BadgeQuery, addresses ...string) core.Verdict {
	t.Helper()
	m := &meeting{world: w, waiting: map[string]chan struct{}{}}
	all := make(chan struct{})
	for _, a := range addresses {
		m.waiting[a] = all
	}
	return New(Options{Client: fetch.New(fetch.Options{Transport: m, Timeout: time.Minute}), Clock: &fixed{at: present}, MaxTime: 2 * time.Minute}).Verify(t.Context(), q)
}

// What does not depend on one another is fetched at the same time.
func TestFetchedTogether(t *testing.T) {
	t.Parallel()
	k := testKeys()
	signed := core.BadgeQuery{File: []byte(token(t, signedAssertionDoc(), jose.RS256, k.rsa, nil))}
	wantStatus(t, together(t, signedWorld(t), signed, keyURL, classURL), core.VerdictGenuine)

	const first, second, listed = "https://example.org/list/1", "https://example.org/e/1", "https://example.org/e/2"
	method := issuerURL + "#" + multikeyOf(k.ed)
	endorse := func(at string) doc {
		e := prove(t, doc{
			"@context": someCredential()["@context"], "id": at, "type": []any{"VerifiableCredential", "EndorsementCredential"},
			"issuer": doc{"id": at, "type": []any{"Profile"}}, "validFrom": "2024-05-01T10:00:00Z",
			"credentialSubject": doc{"id": issuerURL, "type": []any{"EndorsementSubject"}},
		}, "eddsa-jcs-2022", k.ed, at+"#"+multikeyOf(k.ed), nil)
		return e
	}
	w := newWorld(map[string]page{
		issuerURL: {body: doc{"id": issuerURL, "assertionMethod": []any{method}}},
		first:     {body: doc{"revokedCredential": []any{}}},
		second:    {body: doc{"id": second, "assertionMethod": []any{second + "#" + multikeyOf(k.ed)}}},
		listed:    {body: doc{"id": listed, "assertionMethod": []any{listed + "#" + multikeyOf(k.ed)}}},
	})
	d := prove(t, with(someCredential(), doc{
		"issuer":           doc{"id": issuerURL, "type": []any{"Profile"}},
		"credentialStatus": doc{"id": first, "type": "1EdTechRevocationList"},
		"endorsement":      []any{endorse(second), endorse(listed)},
	}), "eddsa-jcs-2022", k.ed, method, nil)
	raw, err := jcs(d)
	if err != nil {
		t.Fatal(err)
	}
	v := together(t, w, core.BadgeQuery{File: raw}, issuerURL, first, second, listed)
	wantStatus(t, v, core.VerdictGenuine)
	for _, e := range v.Endorsements {
		if e.Status != core.VerdictGenuine {
			t.Errorf("endorsement %+v", e)
		}
	}
}

// How often is asked: everything once, and of a second badge of the same
// class only what could have changed.
func TestFetchesCounted(t *testing.T) {
	t.Parallel()
	w := signedWorld(t)
	v := w.verifier()
	q := core.BadgeQuery{File: []byte(token(t, signedAssertionDoc(), jose.RS256, testKeys().rsa, nil))}
	for range 2 {
		wantStatus(t, v.Verify(t.Context(), q), core.VerdictGenuine)
	}
	for address, want := range map[string]int{classURL: 1, issuerURL: 2, keyURL: 2, listURL: 2} {
		if got := w.times(address); got != want {
			t.Errorf("%s asked %d times, want %d", address, got, want)
		}
	}
	// The issuer takes its key back, or names a list for the first time.
	for name, changes := range map[string]doc{
		"key":  {"publicKey": "https://example.org/another"},
		"list": {"publicKey": keyURL, "revocationList": "https://example.org/new"},
	} {
		own := signedWorld(t)
		fresh := own.verifier()
		own.set(issuerURL, page{body: with(someIssuer(), doc{"publicKey": keyURL})})
		wantStatus(t, fresh.Verify(t.Context(), q), core.VerdictGenuine)
		own.set(issuerURL, page{body: with(someIssuer(), changes)})
		own.set("https://example.org/new", page{body: doc{
			"@context": "https://w3id.org/openbadges/v2", "type": "RevocationList", "revokedAssertions": []any{signedAssertionDoc()["id"]},
		}})
		if got := fresh.Verify(t.Context(), q); got.Genuine() {
			t.Errorf("%s: remembered: %+v", name, got.Checks)
		}
	}
}
