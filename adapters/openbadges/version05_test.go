package openbadges

import (
	"testing"
	"time"

	"github.com/laurelbot/laurel/core"
)

const address05 = "https://old.example.org/badges/7"

// A made-up badge of version 0.5, issued to somebody@example.org.
func someAssertion05() doc {
	return doc{
		"recipient": "sha256$0c121ab41720b098628c249d781f344b0de0b3387bf19381948a2dfefe4d5c8e", "salt": "grain",
		"issued_on": "2012-03-01", "evidence": "/work/7",
		"badge": doc{
			"version": "0.5.0", "name": "Old Badge", "description": "For being there early.", "image": "/old.png", "criteria": "https://old.example.org/how",
			"issuer": doc{"origin": "https://old.example.org", "name": "Old Body", "contact": "body@example.org"},
		},
	}
}

// Version 0.5 is hosted only, and its issuer is the origin that it lies at.
func TestVersion05(t *testing.T) {
	t.Parallel()
	badge := func(changes doc) doc {
		own := someAssertion05()
		return with(own, doc{"badge": with(own["badge"].(doc), changes)})
	}
	issuer := func(changes doc) doc {
		return badge(doc{"issuer": with(someAssertion05()["badge"].(doc)["issuer"].(doc), changes)})
	}
	tests := []struct {
		name string
		body any
		want core.VerdictStatus
	}{
		{"as it is", someAssertion05(), core.VerdictGenuine},
		{"without a date", with(someAssertion05(), doc{"issued_on": nil}), core.VerdictGenuine},
		{"date in seconds", with(someAssertion05(), doc{"issued_on": 1330560000}), core.VerdictGenuine},
		{"plain address", with(someAssertion05(), doc{"recipient": "somebody@example.org", "salt": nil}), core.VerdictGenuine},
		{"origin with a slash", issuer(doc{"origin": "http://old.example.org/"}), core.VerdictGenuine},
		{"expired", with(someAssertion05(), doc{"expires": "2013-06-06"}), core.VerdictExpired},
		{"in the future", with(someAssertion05(), doc{"issued_on": "2031-01-01"}), core.VerdictNotYetValid},
		{"says that it is revoked", doc{"revoked": true}, core.VerdictRevoked},
		{"issuer elsewhere", issuer(doc{"origin": "https://example.com"}), core.VerdictIssuerNotConfirmed},
		{"issuer on another port", issuer(doc{"origin": "https://old.example.org:8443"}), core.VerdictIssuerNotConfirmed},
		{"issuer that is no origin", issuer(doc{"origin": "https://old.example.org/path"}), core.VerdictMalformed},
		{"issuer without name", issuer(doc{"name": nil}), core.VerdictMalformed},
		{"issuer as text", badge(doc{"issuer": "https://old.example.org"}), core.VerdictMalformed},
		{"badge as address", with(someAssertion05(), doc{"badge": "https://old.example.org/class"}), core.VerdictMalformed},
		{"no criteria", badge(doc{"criteria": nil}), core.VerdictMalformed},
		{"criteria that are no address", badge(doc{"criteria": "be there"}), core.VerdictMalformed},
		{"no recipient", with(someAssertion05(), doc{"recipient": nil}), core.VerdictMalformed},
		{"unknown hash", with(someAssertion05(), doc{"recipient": "bcrypt$5$x"}), core.VerdictMalformed},
		{"salt that is no text", with(someAssertion05(), doc{"salt": 7}), core.VerdictMalformed},
		{"unreadable date", with(someAssertion05(), doc{"expires": "soon"}), core.VerdictMalformed},
	}
	for _, tt := range tests {
		w := newWorld(map[string]page{address05: {body: tt.body}})
		v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: address05})
		if v.Status != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.name, v.Status, v.Reason, tt.want)
		}
	}

	w := newWorld(map[string]page{address05: {body: someAssertion05()}})
	ask := func(q core.BadgeQuery) core.Verdict { return w.verifier().Verify(t.Context(), q) }
	v := ask(core.BadgeQuery{Link: address05, Recipient: "somebody@example.org"})
	if !v.Genuine() || v.Version != "0.5" || v.ID != address05 || v.Issuer.Name != "Old Body" || v.Issuer.ID != "https://old.example.org" ||
		!v.Issuer.Confirmed || v.Achievement.Image != "https://old.example.org/old.png" || !v.Recipient.Salted ||
		!v.IssuedAt.Equal(time.Date(2012, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("verdict %+v", v)
	}
	wantStatus(t, ask(core.BadgeQuery{Link: address05, Recipient: "else@example.org"}), core.VerdictOtherRecipient)
	// What is handed in says nothing of where it lies.
	wantStatus(t, verify(t, w, someAssertion05()), core.VerdictUnknown)
	// An address that leads to another host speaks for that one.
	w.set("https://example.com/go", page{location: address05})
	wantStatus(t, ask(core.BadgeQuery{Link: "https://example.com/go"}), core.VerdictGenuine)
	w.set("https://old.example.org/go", page{location: "https://example.com/7"})
	w.set("https://example.com/7", page{body: someAssertion05()})
	wantStatus(t, ask(core.BadgeQuery{Link: "https://old.example.org/go"}), core.VerdictIssuerNotConfirmed)
}

// SHA-1 was allowed in version 0.5 only.
func TestRecipientSHA1(t *testing.T) {
	t.Parallel()
	const hash = "sha1$57929d9a6eea35c12642267fe471596ee12dc463"
	w := newWorld(map[string]page{address05: {body: with(someAssertion05(), doc{"recipient": hash})}})
	v := w.verifier().Verify(t.Context(), core.BadgeQuery{Link: address05, Recipient: "somebody@example.org"})
	wantStatus(t, v, core.VerdictGenuine)
	if v.Recipient.Hash != hash {
		t.Errorf("recipient %+v", v.Recipient)
	}
	w = hostedWorld()
	w.set(assertionURL, page{body: with(someAssertion(), doc{"recipient": doc{"type": "email", "hashed": true, "identity": hash}})})
	wantStatus(t, w.verifier().Verify(t.Context(), core.BadgeQuery{Link: assertionURL}), core.VerdictMalformed)
}
