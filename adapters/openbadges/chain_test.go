package openbadges

import (
	"crypto"
	"fmt"
	"maps"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// chained adds a proof that builds on others, which stand in the document.
func chained(t testing.TB, d doc, suite string, own string, on any, names ...string) doc {
	t.Helper()
	k := testKeys()
	var before []any
	for _, name := range names {
		for _, p := range each(d["proof"]) {
			if id(p.(doc)) == name {
				before = append(before, p)
			}
		}
	}
	all := each(d["proof"])
	signed := prove(t, with(d, doc{"proof": before}), suite, k.ed, didOf(k.ed), doc{"id": own, "previousProof": on})
	return with(d, doc{"proof": append(append([]any{}, all...), signed["proof"])})
}

// proveAs is a badge with one proof of that name.
func proveAs(t testing.TB, d doc, suite, own string) doc {
	t.Helper()
	k := testKeys()
	d = prove(t, d, suite, k.ed, didOf(k.ed), doc{"id": own})
	return with(d, doc{"proof": []any{d["proof"]}})
}

func TestChains(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{"eddsa-jcs-2022", "eddsa-rdfc-2022"} {
		first := proveAs(t, someCredential(), suite, "urn:uuid:1")
		second := chained(t, first, suite, "urn:uuid:2", "urn:uuid:1", "urn:uuid:1")
		third := chained(t, second, suite, "urn:uuid:3", []any{"urn:uuid:1", "urn:uuid:2"}, "urn:uuid:1", "urn:uuid:2")
		only := func(d doc, i ...int) doc {
			var proofs []any
			for _, n := range i {
				proofs = append(proofs, each(d["proof"])[n])
			}
			return with(d, doc{"proof": proofs})
		}
		change := func(d doc, i int, changes doc) doc {
			proofs := append([]any{}, each(d["proof"])...)
			proofs[i] = with(proofs[i].(doc), changes)
			return with(d, doc{"proof": proofs})
		}
		for name, tt := range map[string]struct {
			d    doc
			want core.VerdictStatus
		}{
			"two":                     {second, core.VerdictGenuine},
			"three":                   {third, core.VerdictGenuine},
			"in another order":        {only(second, 1, 0), core.VerdictGenuine},
			"without what it covers":  {only(second, 1), core.VerdictAltered},
			"without one of them":     {only(third, 1, 2), core.VerdictAltered},
			"the one before altered":  {only(change(third, 0, doc{"created": "2020-01-01T00:00:00Z"}), 0, 2, 1), core.VerdictAltered},
			"said to be on its own":   {only(change(second, 1, doc{"previousProof": nil}), 1), core.VerdictAltered},
			"on something unreadable": {only(change(second, 1, doc{"previousProof": 5}), 1), core.VerdictUnknown},
			"on nothing":              {only(change(second, 1, doc{"previousProof": []any{}}), 1), core.VerdictUnknown},
			"on itself":               {only(change(second, 1, doc{"previousProof": "urn:uuid:2"}), 1), core.VerdictAltered},
			"on one another": {
				only(change(change(second, 0, doc{"previousProof": "urn:uuid:2"}), 1, doc{"previousProof": "urn:uuid:1"}), 0, 1), core.VerdictAltered,
			},
			"the badge altered": {with(third, doc{"name": "Another Badge"}), core.VerdictAltered},
		} {
			t.Run(fmt.Sprintf("%s %s", suite, name), func(t *testing.T) {
				t.Parallel()
				wantStatus(t, verify(t, newWorld(nil), maps.Clone(tt.d)), tt.want)
			})
		}
	}
}

// Of several proofs that fit, one by the issuer is enough, wherever it stands;
// those of others confirm nothing.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	k := testKeys()
	by := func(key crypto.Signer, suite string) doc {
		return prove(t, someCredential(), suite, key, didOf(key), nil)["proof"].(doc)
	}
	issuer, witness, other := by(k.ed, "eddsa-rdfc-2022"), by(k.ed2, "eddsa-jcs-2022"), by(k.ec, "ecdsa-rdfc-2019")
	broken := with(issuer, doc{"created": "2020-01-01T00:00:00Z"})
	for name, tt := range map[string]struct {
		proofs []any
		want   core.VerdictStatus
	}{
		"issuer first":           {[]any{issuer, witness}, core.VerdictGenuine},
		"issuer last":            {[]any{witness, other, issuer}, core.VerdictGenuine},
		"issuer behind a broken": {[]any{broken, witness, issuer}, core.VerdictGenuine},
		"witnesses only":         {[]any{witness, other}, core.VerdictIssuerNotConfirmed},
		"issuer broken":          {[]any{witness, broken}, core.VerdictIssuerNotConfirmed},
		"issuer behind too many": {[]any{witness, other, witness, other, issuer}, core.VerdictIssuerNotConfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, verify(t, newWorld(nil), with(someCredential(), doc{"proof": tt.proofs})), tt.want)
		})
	}
}
