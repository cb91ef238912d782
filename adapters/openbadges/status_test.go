package openbadges

import (
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

const statesURL = "https://example.org/states"

func TestStatus(t *testing.T) {
	t.Parallel()
	k := testKeys()
	own := didOf(k.ed)
	list := func(encoded string, changes doc) doc {
		return prove(t, with(doc{
			"@context": []any{contextModel2}, "id": statesURL, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"},
			"issuer": own, "validFrom": "2024-01-01T00:00:00Z",
			"credentialSubject": doc{"id": statesURL + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": encoded},
		}, changes), "eddsa-rdfc-2022", k.ed, own, nil)
	}
	bits := packList(t, minListBits, 5, 94_567)
	good := list(bits, nil)
	forged := with(good, doc{"credentialSubject": with(good["credentialSubject"].(doc), doc{"encodedList": packList(t, minListBits)})})
	entry := func(index any, changes doc) doc {
		return with(doc{
			"id": statesURL + "#x", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
			"statusListIndex": index, "statusListCredential": statesURL,
		}, changes)
	}
	revocations := doc{"id": "https://example.org/revocations", "type": "1EdTechRevocationList"}
	revokes := func(entries ...any) page {
		return page{body: doc{"id": revocations["id"], "revokedCredential": entries}}
	}
	const mine = "https://example.org/credentials/1"
	const genuine, revoked, unknown, unreachable = core.VerdictGenuine, core.VerdictRevoked, core.VerdictUnknown, core.VerdictUnreachable
	tests := []struct {
		name   string
		status any
		states page
		list   page
		want   core.VerdictStatus
	}{
		{"bit not set", entry("4", nil), page{body: good}, page{}, genuine},
		{"index as number", entry(4, nil), page{body: good}, page{}, genuine},
		{"bit set", entry("5", nil), page{body: good}, page{}, revoked},
		{"bit set far away", entry("94567", nil), page{body: good}, page{}, revoked},
		{"last bit", entry(minListBits-1, nil), page{body: good}, page{}, genuine},
		{"behind the end", entry(minListBits, nil), page{body: good}, page{}, unknown},
		{"negative", entry("-1", nil), page{body: good}, page{}, unknown},
		{"fraction", entry(1.5, nil), page{body: good}, page{}, unknown},
		{"huge", entry("99999999999999999999", nil), page{body: good}, page{}, unknown},
		{"no index", entry(nil, nil), page{body: good}, page{}, unknown},
		{"several bits", entry("4", doc{"statusSize": 2}), page{body: good}, page{}, unknown},
		{"other purpose only", entry("5", doc{"statusPurpose": "message"}), page{body: good}, page{}, genuine},
		{"other purpose, and revoked", []any{entry("4", doc{"statusPurpose": "refresh"}), entry("5", nil)}, page{body: good}, page{}, revoked},
		{"unknown purpose", entry("4", doc{"statusPurpose": "https://example.org/purpose"}), page{body: good}, page{}, unknown},
		{"no purpose", entry("4", doc{"statusPurpose": nil}), page{body: good}, page{}, unknown},
		{"purpose not kept", entry("5", doc{"statusPurpose": "suspension"}), page{body: good}, page{}, unknown},
		{"no list address", entry("4", doc{"statusListCredential": nil}), page{body: good}, page{}, unknown},
		{"list altered", entry("5", nil), page{body: forged}, page{}, unknown},
		{"list not signed", entry("4", nil), page{body: with(good, doc{"proof": nil})}, page{}, unknown},
		{"list down", entry("4", nil), page{err: errDown}, page{}, unreachable},
		{"list gone", entry("4", nil), page{status: 410}, page{}, unreachable},
		{"list is a page", entry("4", nil), page{body: "<html>"}, page{}, unknown},
		{"list too short", entry("4", nil), page{body: list(packList(t, 1024), nil)}, page{}, unknown},
		{"list is nonsense", entry("4", nil), page{body: list("uAAAA", nil)}, page{}, unknown},
		{"list expired", entry("4", nil), page{body: list(bits, doc{"validUntil": "2025-01-01T00:00:00Z"})}, page{}, unknown},
		{"list of the future", entry("4", nil), page{body: list(bits, doc{"validFrom": "2027-01-01T00:00:00Z"})}, page{}, unknown},
		{"several, one set", []any{entry("4", nil), entry("5", nil)}, page{body: good}, page{}, revoked},
		{"as text", "https://example.org/states", page{}, page{}, unknown},
		{"not listed", revocations, page{}, revokes(doc{"id": "https://example.org/credentials/2", "revoked": true}), genuine},
		{"nobody listed", revocations, page{}, revokes(), genuine},
		{"listed as not revoked", revocations, page{}, revokes(doc{"id": mine, "revoked": false}), genuine},
		{"listed", revocations, page{}, revokes(doc{"id": mine, "revoked": true, "revocationReason": "cheated"}), revoked},
		{"listed without a word", revocations, page{}, revokes(doc{"id": mine}), revoked},
		{"listed by its other scheme", revocations, page{}, revokes(doc{"id": "http://EXAMPLE.org/credentials/1"}), revoked},
		{"listed as text", revocations, page{}, revokes(mine), revoked},
		{"revocations down", revocations, page{}, page{err: errDown}, unreachable},
		{"revocations without list", revocations, page{}, page{body: doc{"id": "x"}}, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(map[string]page{statesURL: tt.states, "https://example.org/revocations": tt.list})
			d := prove(t, with(someCredential(), doc{"credentialStatus": tt.status}), "eddsa-jcs-2022", k.ed, own, nil)
			wantStatus(t, verify(t, w, d), tt.want)
		})
	}
}

// Lists are asked each time, so that a revocation is never late.
func TestStatusIsNeverRemembered(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const address = "https://example.org/revocations"
	w := newWorld(map[string]page{address: {body: doc{"revokedCredential": []any{}}}})
	d := prove(t, with(someCredential(), doc{"credentialStatus": doc{"id": address, "type": "1EdTechRevocationList"}}), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
	wantStatus(t, verify(t, w, d), core.VerdictGenuine)
	w.set(address, page{body: doc{"revokedCredential": []any{doc{"id": "https://example.org/credentials/1"}}}})
	wantStatus(t, verify(t, w, d), core.VerdictRevoked)
}

// The official example of the specification: bit 0 is the most significant
// one of the first byte.
func TestBitOrder(t *testing.T) {
	t.Parallel()
	list := packList(t, minListBits, 0, 9)
	for index, want := range map[int64]bool{0: true, 1: false, 7: false, 8: false, 9: true, 10: false} {
		got, err := bit(list, index)
		if err != nil || got != want {
			t.Errorf("bit %d is %t (%v), want %t", index, got, err, want)
		}
	}
}

func TestEndorsements(t *testing.T) {
	t.Parallel()
	k := testKeys()
	endorsement := prove(t, doc{
		"@context": someCredential()["@context"], "id": "https://example.org/endorsements/1",
		"type":   []any{"VerifiableCredential", "EndorsementCredential"},
		"issuer": doc{"id": didOf(k.ed2), "type": []any{"Profile"}, "name": "Accreditor"}, "validFrom": "2024-05-01T10:00:00Z",
		"credentialSubject": doc{"id": "https://example.org/achievements/1", "type": []any{"EndorsementSubject"}, "endorsementComment": "Good."},
	}, "eddsa-rdfc-2022", k.ed2, didOf(k.ed2), nil)
	altered := with(endorsement, doc{"validFrom": "2023-05-01T10:00:00Z"})
	d := with(someCredential(), doc{"endorsement": []any{endorsement, altered}})
	for _, suite := range []string{"eddsa-rdfc-2022", "eddsa-jcs-2022"} {
		v := verify(t, newWorld(nil), prove(t, d, suite, k.ed, didOf(k.ed), nil))
		wantStatus(t, v, core.VerdictGenuine)
		if len(v.Endorsements) != 2 || v.Endorsements[0].Status != core.VerdictGenuine || v.Endorsements[0].Issuer != "Accreditor" ||
			v.Endorsements[0].Comment != "Good." || v.Endorsements[1].Status != core.VerdictAltered {
			t.Errorf("endorsements %+v", v.Endorsements)
		}
	}
}

// What whoever revoked wrote is kept apart from what is said here.
func TestRevocationReason(t *testing.T) {
	t.Parallel()
	k := testKeys()
	const address, words = "https://example.org/revocations", "Relax: \u202egenuine"
	entry := doc{"id": "https://example.org/credentials/1", "revocationReason": words}
	w := newWorld(map[string]page{address: {body: doc{"revokedCredential": []any{entry}}}})
	d := prove(t, with(someCredential(), doc{"credentialStatus": doc{"id": address, "type": "1EdTechRevocationList"}}), "eddsa-jcs-2022", k.ed, didOf(k.ed), nil)
	v := verify(t, w, d)
	if v.Status != core.VerdictRevoked || v.Reason != "its issuer lists it as revoked" || v.RevocationReason != "Relax:  genuine" {
		t.Errorf("%s, %q, %q", v.Status, v.Reason, v.RevocationReason)
	}
	for _, c := range v.Checks {
		if strings.Contains(c.Detail, "Relax") {
			t.Errorf("%s: %q", c.Name, c.Detail)
		}
	}
}
