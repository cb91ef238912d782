package openbadges

import (
	"crypto"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/laurelbot/laurel/core"
)

// Each kind of proof with each key that may make it.
func TestSuites(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, suite := range []string{"ecdsa-rdfc-2019", "ecdsa-2019", "ecdsa-jcs-2019"} {
		for name, key := range map[string]crypto.Signer{"P-256": k.ec, "P-384": k.ec384} {
			t.Run(suite+" "+name, func(t *testing.T) {
				t.Parallel()
				d := prove(t, with(someCredential(), doc{"issuer": didOf(key)}), suite, key, didOf(key)+"#"+multikeyOf(key), nil)
				wantStatus(t, verify(t, newWorld(nil), d), core.VerdictGenuine)
				wantStatus(t, verify(t, newWorld(nil), with(d, doc{"name": "Another Badge"})), core.VerdictAltered)
				if suite == "ecdsa-jcs-2019" || suite == "ecdsa-rdfc-2019" && name == "P-256" {
					everyTextAltered(t, newWorld(nil).verifier().session(t), plain(t, d))
				}
			})
		}
	}
	// A key of another kind makes no such proof, whatever it signed.
	for suite, key := range map[string]crypto.Signer{"ecdsa-jcs-2019": k.ed, "ecdsa-rdfc-2019": k.ed, "eddsa-jcs-2022": k.ec, "eddsa-rdfc-2022": k.ec384} {
		d := prove(t, with(someCredential(), doc{"issuer": didOf(key)}), suite, key, didOf(key), nil)
		wantStatus(t, verify(t, newWorld(nil), d), core.VerdictUnknown)
	}
	// The signature of one curve is none of another.
	d := prove(t, someCredential(), "ecdsa-jcs-2019", k.ec384, didOf(k.ec384), nil)
	d["proof"].(doc)["verificationMethod"] = didOf(k.ec)
	wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
	// Nor is nothing at all.
	for _, size := range []int{64, 96} {
		d["proof"].(doc)["proofValue"] = encode58(make([]byte, size))
		wantStatus(t, verify(t, newWorld(nil), d), core.VerdictAltered)
	}
}

// A plain JSON proof is signed as it stands, with its contexts or without;
// one by RDF with those of the document. Neither may name others.
func TestContextsOfProofs(t *testing.T) {
	t.Parallel()
	k := testKeys()
	contexts := someCredential()["@context"].([]any)
	const plain, linked = "eddsa-jcs-2022", "eddsa-rdfc-2022"
	for _, tt := range []struct {
		name, suite string
		signed, own any
		want        core.VerdictStatus
	}{
		{"none", plain, nil, nil, core.VerdictGenuine},
		{"the document's", plain, contexts, contexts, core.VerdictGenuine},
		{"added", plain, nil, contexts, core.VerdictAltered},
		{"taken away", plain, contexts, nil, core.VerdictAltered},
		{"none", linked, nil, nil, core.VerdictGenuine},
		{"the document's", linked, contexts, contexts, core.VerdictGenuine},
		{"added", linked, nil, contexts, core.VerdictGenuine},
		{"taken away", linked, contexts, nil, core.VerdictGenuine},
		{"fewer", linked, contexts, contexts[:1], core.VerdictUnknown},
		{"another", linked, nil, []any{contextModel1}, core.VerdictAltered},
		{"more", linked, nil, append(append([]any{}, contexts...), "https://w3id.org/security/multikey/v1"), core.VerdictAltered},
		{"in another order", linked, nil, []any{contexts[1], contexts[0]}, core.VerdictAltered},
		{"terms of its own", linked, nil, []any{doc{"x": "https://example.org/x"}}, core.VerdictAltered},
	} {
		t.Run(tt.suite+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			d := prove(t, someCredential(), tt.suite, k.ed, didOf(k.ed), doc{"@context": tt.signed})
			d["proof"] = with(d["proof"].(doc), doc{"@context": tt.own})
			wantStatus(t, verify(t, newWorld(nil), d), tt.want)
		})
	}
}

func TestMultikeys(t *testing.T) {
	t.Parallel()
	k := testKeys()
	for _, key := range []crypto.Signer{k.ed, k.ec, k.ec384} {
		got, err := multikey(multikeyOf(key))
		if err != nil || !sameKey(got, key.Public()) {
			t.Errorf("%T: %v %v", key, got, err)
		}
	}
	point := multicodecOf(k.ec)
	other := append([]byte{}, point...)
	other[2] = 4 // Neither of the two signs.
	outside := append([]byte(p256Prefix), append([]byte{2}, []byte(strings.Repeat("\xff", 32))...)...)
	for name, raw := range map[string][]byte{
		"nothing": {}, "a mark": []byte(p256Prefix), "short point": point[:34], "long point": append(append([]byte{}, point...), 0),
		"unknown form": other, "outside the curve": outside, "infinity": append([]byte(p256Prefix), make([]byte, 33)...),
		"the point of another curve": append([]byte(p384Prefix), point[2:]...), "short key": multicodecOf(k.ed)[:33],
		"a private key": append([]byte{0x80, 0x26}, make([]byte, ed25519.SeedSize)...), "unknown": append([]byte{0xe7, 0x01}, point[2:]...),
	} {
		if got, err := multicodecKey(raw); err == nil {
			t.Errorf("%s is the key %v", name, got)
		}
	}
}
